import torch
from torch import nn

from attendna.models.model import SequenceModel
from attendna.tokens.tokenizer import TokenBatch
from attendna.training.averaging import WARMUP, WeightAverage


class Tiny(SequenceModel):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(3)
        self.head = nn.Linear(3, 1)

    def embed(self, tokens: TokenBatch) -> torch.Tensor:
        return self.norm(tokens.ids.float())

    def forward(self, tokens: TokenBatch) -> torch.Tensor:
        return self.head(self.embed(tokens))


def walk(average: WeightAverage, model: Tiny, first: int, last: int) -> list[torch.Tensor]:
    """Steps at random; gives the weight after each."""
    path = []
    for step in range(first, last + 1):
        with torch.no_grad():
            for tensor in (*model.parameters(), model.norm.running_mean):
                tensor.add_(torch.randn_like(tensor))
        average.update(step)
        path.append(model.head.weight.detach().clone())
    return path


def test_the_average_is_the_one_written_out() -> None:
    model = Tiny()
    average = WeightAverage(model, horizon=20.0)
    path = walk(average, model, 1, 60)
    wanted = torch.zeros_like(path[0])
    for done, weight in enumerate(path):
        keep = min(1 - 1 / 20, done / (WARMUP + done))
        wanted = keep * wanted + (1 - keep) * weight
    torch.testing.assert_close(average.model.head.weight, wanted)
    assert not torch.allclose(average.model.head.weight, path[-1])


def test_batch_statistics_are_averaged_too() -> None:
    model = Tiny()
    average = WeightAverage(model, horizon=20.0)
    walk(average, model, 1, 5)
    assert not torch.equal(average.model.norm.running_mean, torch.zeros(3))
    assert not torch.equal(average.model.norm.running_mean, model.norm.running_mean)


def test_without_a_horizon_it_is_the_model_itself() -> None:
    model = Tiny()
    average = WeightAverage(model, horizon=0.0)
    path = walk(average, model, 1, 7)
    assert torch.equal(average.model.head.weight, path[-1])


def test_a_batch_without_a_step_changes_nothing() -> None:
    model = Tiny()
    average = WeightAverage(model, horizon=20.0)
    walk(average, model, 1, 3)
    before = average.model.head.weight.clone()
    with torch.no_grad():
        model.head.weight.add_(1)
    average.update(3)
    assert torch.equal(average.model.head.weight, before)


def test_it_goes_on_from_its_state() -> None:
    model = Tiny()
    average = WeightAverage(model, horizon=20.0)
    walk(average, model, 1, 4)
    resumed = WeightAverage(model, horizon=20.0)
    resumed.load_state_dict(average.state_dict())
    walk(average, model, 5, 5)
    resumed.update(5)
    assert torch.equal(average.model.head.weight, resumed.model.head.weight)
    assert torch.equal(average.model.norm.running_var, resumed.model.norm.running_var)

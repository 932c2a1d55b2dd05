import numpy as np
import pytest
import torch
from tests.training.conftest import small

from attendna.genome.sequences import SequenceBatch
from attendna.tasks.labels import Labels
from attendna.tokens.buffer import CodeBuffer
from attendna.training.batches import TrainingBatches
from attendna.training.labels import LabelBuffer
from attendna.training.module import TrainingModule, depth_of, is_decayed
from attendna.training.objectives import objective_of
from attendna.training.run import AugmentationConfig, ObjectiveConfig, OptimizerConfig
from attendna.training.schedule import Schedule


def module(layer_decay: float = 1.0, **model: object) -> TrainingModule:
    config = small(model={"name": "encoder", "width": 8, "blocks": 1, "heads": 2} | model)
    tokenizer = config.tokenizer.build()
    cpu = torch.device("cpu")
    return TrainingModule(
        config.model.build(tokenizer, 1),
        tokenizer,
        objective=objective_of(ObjectiveConfig(), "binary", np.array([2, 2]), cpu),
        optimizer=OptimizerConfig(weight_decay=0.3, layer_decay=layer_decay),
        schedule=Schedule.plan(config.trainer, config.optimizer, 100),
        seed=0,
    )


def batches() -> TrainingBatches:
    return TrainingBatches(
        CodeBuffer(SequenceBatch.from_text(["ACGTACGTACGT", "GGGGACCA", "TTTTACGAC", "CCAACGAA"])),
        LabelBuffer(Labels(np.array([0, 1, 0, 1], dtype=np.int8))),
        batch_size=2,
        seed=0,
        both_strands=False,
        augmentation=AugmentationConfig(),
    )


@pytest.mark.parametrize(
    ("name", "shape", "decayed"),
    [
        ("head.weight", (3, 4), True),
        ("head.bias", (4,), False),
        ("positions.table", (9, 4), False),
        ("members.1.positions.table", (9, 4), False),
    ],
)
def test_matrices_are_decayed_but_not_positions(
    name: str, shape: tuple[int, ...], decayed: bool
) -> None:
    assert is_decayed(name, torch.zeros(shape)) is decayed


def test_every_trained_number_is_in_one_group_of_the_optimizer() -> None:
    made = module(positions="absolute")
    made.model.head.requires_grad_(False)
    groups = made.configure_optimizers()["optimizer"].param_groups
    held = [id(p) for group in groups for p in group["params"]]
    wanted = [id(p) for p in made.model.parameters() if p.requires_grad]
    assert sorted(held) == sorted(wanted)
    assert [group["weight_decay"] for group in groups] == [0.3, 0.0]


def test_dropout_depends_on_the_batch_and_not_on_what_was_drawn_before() -> None:
    made, data = module(dropout=0.5), batches()
    first = made.training_step(data[0], 0)
    torch.rand(1000)
    assert torch.equal(made.training_step(data[0], 0), first)
    repeated = made.training_step(data[0]._replace(number=1), 0)
    assert not torch.equal(repeated, first)


def test_the_mean_loss_is_over_rows_since_it_was_asked() -> None:
    made, data = module(), batches()
    losses = [made.training_step(data[number], 0).item() for number in range(3)]
    mean, rows = made.take_mean_loss()
    assert mean == pytest.approx(np.mean(losses))
    assert rows == 6
    assert made.take_mean_loss() == (0.0, 0)


def test_attributes_are_set_in_the_quick_and_the_usual_way() -> None:
    made = module()
    made._current_fx_name = "training_step"
    made.extra = torch.nn.Linear(2, 2)
    assert made._current_fx_name == "training_step"
    assert "extra.weight" in made.state_dict()


@pytest.mark.parametrize(
    ("name", "depth"),
    [
        ("stem.mix.weight", 0),
        ("blocks.1.feed.expand.weight", 2),
        ("encoder.blocks.0.norm.weight", 1),
        ("members.2.blocks.3.norm.weight", 4),
        ("norm.weight", None),
        ("head.layers.1.weight", None),
    ],
)
def test_how_many_layers_lie_below_a_parameter(name: str, depth: int | None) -> None:
    assert depth_of(name) == depth


def test_lower_layers_learn_more_slowly() -> None:
    made = module(blocks=2, layer_decay=0.5)
    optimizer = made.configure_optimizers()["optimizer"]
    speed = {id(p): group["lr"] for group in optimizer.param_groups for p in group["params"]}
    rate = made.optimizer_config.learning_rate * made.schedule.factor(0)
    for name, parameter in made.model.named_parameters():
        depth = depth_of(name)
        below = 0 if depth is None else 3 - depth
        assert speed[id(parameter)] == pytest.approx(rate * 0.5**below), name
    assert {group["weight_decay"] for group in optimizer.param_groups} == {0.3, 0.0}


def test_alleles_that_are_equal_do_not_differ_whatever_is_dropped() -> None:
    made = module(dropout=0.5, head_dropout=0.5)
    batch = batches()[0]
    seen: list[torch.Tensor] = []
    made.objective = lambda logits, labels: seen.append(logits) or logits.mean()
    made.train()
    made.training_step(batch._replace(alternative=(batch.codes, batch.lengths)), 0)
    assert (seen[0] == 0).all()
    made.training_step(batch, 0)
    assert (seen[1] != 0).all()

"""The loss of a step on tracks."""

import pytest
import torch
import torch.nn.functional as F

from attendna.models.enformer import EnformerConfig
from attendna.models.layers.sparse.layout import BlockConfig
from attendna.models.layers.track_attention import TrackAttentionConfig
from attendna.models.track_model import one_hot
from attendna.training.tracks.module import attention_error, poisson_loss, swap

READS = TrackAttentionConfig(heads=2, key_width=4)
CONFIG = EnformerConfig(width=24, depth=3, stages=3, multiple=4, bins=None, attention=READS)


def drawn_model(config: EnformerConfig = CONFIG) -> torch.nn.Module:
    torch.manual_seed(0)
    model = config.build({"human": 2})
    for block in model.blocks:
        block.attention.output.reset_parameters()
    return model.eval()


def test_the_loss_is_that_of_torch_where_targets_are_known() -> None:
    predicted = torch.rand(2, 5, 3) + 0.1
    targets = torch.rand(2, 5, 3) * 4
    plain = F.poisson_nll_loss(predicted, targets, log_input=False, eps=0)
    torch.testing.assert_close(poisson_loss(predicted, targets), plain)
    masked = targets.clone()
    masked[0, 2:4] = torch.nan
    known = ~masked.isnan()
    plain = F.poisson_nll_loss(predicted[known], targets[known], log_input=False, eps=0)
    torch.testing.assert_close(poisson_loss(predicted, masked), plain)
    assert poisson_loss(predicted, torch.full_like(targets, torch.nan)) == 0


def test_a_prediction_of_nothing_has_a_finite_loss_and_gradient() -> None:
    predicted = torch.zeros(1, 2, 1, requires_grad=True)
    loss = poisson_loss(predicted, torch.ones(1, 2, 1))
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(predicted.grad).all()


def test_attention_that_is_the_same_has_no_error_and_learns_where_it_is_not() -> None:
    model, teacher = drawn_model(), drawn_model()
    codes = torch.randint(0, 4, (1, 256), dtype=torch.uint8)
    bases = one_hot(codes, torch.float32)
    assert attention_error(model, teacher, bases).item() == pytest.approx(0, abs=1e-10)
    with torch.no_grad():
        model.blocks[1].attention.value.weight.mul_(1.5)
    error = attention_error(model, teacher, bases)
    assert error > 0.01
    error.backward()
    assert model.blocks[1].attention.value.weight.grad.abs().sum() > 0
    # Each layer reads what the dense model reads, so the others are not to blame.
    assert model.blocks[2].attention.value.weight.grad.abs().max() < 1e-6


def test_layers_become_sparse_one_after_the_other() -> None:
    sparse = CONFIG.replace(attention=READS.replace(sparse=BlockConfig(block=4)))
    model = drawn_model(sparse)
    for layers, dense in ((0, [True] * 3), (2, [False, False, True]), (9, [False] * 3)):
        swap(model, layers)
        assert [block.attention.dense for block in model.blocks] == dense

"""Models of tracks in half precision: every kind of positions, below and above the length from
which sparse attention is computed in chunks."""

from typing import Any

import pytest
import torch
from torch import Tensor

from attendna.core.config import parse
from attendna.models.enformer import Enformer, EnformerConfig
from attendna.models.layers.sparse.attention import SHORT

BLOCK = 4
TREE: dict[str, Any] = {
    "name": "enformer",
    "width": 24,
    "depth": 2,
    "stages": 3,
    "multiple": 4,
    "bins": None,
}


def built(positions: str, dropout: float, sparse: bool) -> Enformer:
    torch.manual_seed(0)
    attention = {"heads": 2, "key_width": 8, "positions": positions, "dropout": dropout}
    if sparse:
        attention |= {"sparse": {"block": BLOCK}}
    config = parse(EnformerConfig, TREE | {"attention": attention}, "test")
    model = config.build({"human": 3})
    for module in model.modules():
        # A fresh attention layer adds nothing.
        if isinstance(module, torch.nn.Linear) and not module.weight.any():
            module.reset_parameters()
    return model


def computed(model: Enformer, codes: Tensor, half: bool) -> tuple[Tensor, Tensor]:
    """What is predicted, and the gradients of all weights in one row."""
    torch.manual_seed(3)
    model.zero_grad()
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=half):
        predicted = model.train()(codes, "human").float()
        loss = predicted.square().mean()
    loss.backward()
    grads = [p.grad.flatten() for p in model.parameters() if p.grad is not None]
    return predicted.detach(), torch.cat(grads)


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("blocks", [SHORT - 8, SHORT + 8])
@pytest.mark.parametrize("dropout", [0.0, 0.2])
@pytest.mark.parametrize("positions", ["relative", "rotary", "none"])
def test_predictions_and_gradients_are_near_those_of_single_precision(
    positions: str, dropout: float, blocks: int, sparse: bool
) -> None:
    model = built(positions, dropout, sparse)
    random = torch.Generator().manual_seed(1)
    bases = torch.randint(0, 4, (2, blocks * BLOCK * model.bin), generator=random)
    codes = bases.to(torch.uint8)
    # Dense attention draws its dropout in another order in half precision.
    half, single = (computed(model, codes, way) for way in (True, False))
    assert half[0].isfinite().all()
    assert half[1].isfinite().all()
    if not dropout or (sparse and blocks > SHORT):
        for one, other in zip(half, single, strict=True):
            assert (one - other).norm() < 0.1 * other.norm()

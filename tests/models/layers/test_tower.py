"""The tower of convolutions."""

import pytest
import torch

from attendna.models.layers.tower import AttentionPool, Tower, tower_widths


def test_widths_are_those_of_enformer() -> None:
    assert tower_widths(1536, 7, 128) == [768, 768, 896, 1024, 1152, 1280, 1536]


@pytest.mark.parametrize("places", [6, 7])
def test_pooling_is_a_softmax_over_neighbors(places: int) -> None:
    torch.manual_seed(0)
    pool = AttentionPool(3)
    assert torch.equal(pool.logits.weight, 2 * torch.eye(3))
    with torch.no_grad():
        pool.logits.weight.normal_()
    x = torch.randn(2, 3, places)
    logits = torch.einsum("oi,bis->bos", pool.logits.weight, x)
    expected = [
        (x[:, :, s : s + 2] * logits[:, :, s : s + 2].softmax(-1)).sum(-1)
        for s in range(0, places, 2)
    ]
    torch.testing.assert_close(pool(x), torch.stack(expected, dim=2))


@pytest.mark.parametrize("tile", [1, 3, 100])
def test_tiles_change_nothing(tile: int) -> None:
    torch.manual_seed(0)
    tower = Tower(16, 5, 4)
    for module in tower.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2.0)
            module.bias.data.normal_()
    tower.eval()
    assert (tower.bin, tower.halo) == (32, 3)
    bases = torch.randn(2, 4, 32 * 17)
    with torch.no_grad():
        torch.testing.assert_close(tower.in_tiles(bases, tile), tower(bases))

"""The tower of convolutions."""

import subprocess
import sys

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


BACKWARD = """
import sys, torch
from attendna.models.layers.tower import AttentionPool, ConvolutionBlock
torch.manual_seed(0)
for width, places in [map(int, pair.split("x")) for pair in sys.argv[1:]]:
    part = torch.nn.Sequential(ConvolutionBlock(width, width, 1), AttentionPool(width))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = part(torch.randn(1, width, places, requires_grad=True)).float().square().mean()
    loss.backward()
    assert all(x.grad.isfinite().all() for x in part.parameters())
print("done")
"""


def test_few_channels_at_many_places_survive_half_precision() -> None:
    """In a process of its own: oneDNN ended it by SIGFPE, at 24 channels by 65,536 places."""
    shapes = ["16x32768", "16x131072", "24x65536", "24x131072", "48x65536", "96x32768"]
    ended = subprocess.run(
        [sys.executable, "-c", BACKWARD, *shapes], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout) == (0, "done\n"), ended.stderr

"""FlexAttention; compiled and on a GPU where there is one."""

import pytest
import torch
from tests.models.layers.sparse.test_attention import HEADS, drawn, plain

from attendna.models.layers.sparse.flex import block_mask, flex_attention_of
from attendna.models.layers.sparse.layout import BlockConfig

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("masked", [False, True])
def test_it_is_what_dense_attention_gives(masked: bool, device: str) -> None:
    length = 16 * 16
    layout = BlockConfig(block=16).layout(length, HEADS)
    leaves = [drawn(i, 2, HEADS, length, 16).float().detach().to(device) for i in range(3)]
    known = torch.arange(length) < torch.tensor([[length], [length - 30 if masked else length]])
    read = flex_attention_of(*leaves, layout, known.to(device) if masked else None)
    expected = plain(*(leaf.cpu() for leaf in leaves), layout, known, None)
    torch.testing.assert_close(read.cpu(), expected, atol=1e-5, rtol=1e-5)


def test_the_blocks_of_a_mask_are_those_of_the_layout() -> None:
    layout = BlockConfig(block=8, random=2).layout(20 * 8, HEADS)
    mask = block_mask(layout, torch.device("cpu"))
    assert torch.equal(mask.to_dense()[0].bool(), layout.allowed())
    assert mask.sparsity() > 50

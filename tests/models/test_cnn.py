"""The convolutional baseline."""

import pytest
import torch

from attendna.core.config import parse
from attendna.core.errors import ConfigError
from attendna.models.cnn import CNNConfig
from attendna.tokens.onehot import OneHotConfig

TOKENIZER = OneHotConfig().build()


def test_it_is_small() -> None:
    assert CNNConfig().build(TOKENIZER, 1).parameter_count() < 250_000


def test_attention_pooling_by_a_token_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"run\.yaml: cls pooling needs attention"):
        parse(CNNConfig, {"pooling": "cls"}, "run.yaml")


@pytest.mark.parametrize(("blocks", "reach"), [(0, 16), (2, 40)])
def test_blocks_widen_what_a_window_sees(blocks: int, reach: int) -> None:
    """Bases farther than ``reach`` from a window change nothing there."""
    config = CNNConfig(blocks=blocks, pooling={"name": "bins", "bins": 32})
    model = config.build(TOKENIZER, 1).eval()
    codes = torch.randint(0, 4, (1, 128), dtype=torch.uint8)
    changed = codes.clone()
    changed[0, 64] ^= 3
    lengths = torch.tensor([128])
    difference = model.embed(TOKENIZER(codes, lengths)) - model.embed(TOKENIZER(changed, lengths))
    windows = difference.view(32, -1).abs().amax(1) > 1e-6
    touched = windows.nonzero().squeeze(1) * 4
    assert (touched.max() - 64).abs() <= reach
    assert (64 - touched.min()).abs() <= reach
    assert touched.max() - touched.min() > reach / 2

"""Convolutions that shorten."""

from typing import Any

import pytest
import torch

from attendna.core.config import parse
from attendna.core.errors import ConfigError
from attendna.models.layers.pyramid import Pyramid, PyramidConfig
from attendna.models.layers.stem import ConvolutionStem, EmbeddingStem
from attendna.tokens.onehot import OneHotConfig
from attendna.tokens.patch import PatchConfig

TOKENIZER = OneHotConfig().build()


def read(pyramid: Pyramid, lengths: list[int]) -> tuple[torch.Tensor, torch.Tensor | None]:
    codes = torch.randint(0, 4, (len(lengths), max(lengths)), dtype=torch.uint8)
    return pyramid.eval()(TOKENIZER(codes, torch.tensor(lengths)))


def test_by_default_it_is_that_of_the_six_task_study() -> None:
    pyramid = Pyramid(PyramidConfig(), TOKENIZER)
    assert isinstance(pyramid.stem, ConvolutionStem)
    shapes = [pyramid.stem.scan.weight.shape] + [
        layer.convolve.weight.shape for layer in pyramid.convolutions
    ]
    assert shapes == [(128, 100), (256, 128, 1, 11), (512, 256, 1, 7), (1024, 512, 1, 5)]
    assert pyramid.stem.mix is None
    # 1,000 bases: 250, 63, 16, 4 places.
    assert pyramid.places(1000) == 4


@pytest.mark.parametrize("length", [1, 4, 5, 40, 64, 65, 100])
def test_places_are_counted_beforehand(length: int) -> None:
    pyramid = Pyramid(PyramidConfig(widths=(4, 6, 8), kernels=(3, 5), pool=3), TOKENIZER)
    x, mask = read(pyramid, [length])
    assert x.shape == (1, pyramid.places(length), 8)
    assert mask is None
    x, mask = read(pyramid, [length, 130])
    assert mask is not None
    assert int(mask[0].sum()) == pyramid.places(length)
    assert (x[~mask] == 0).all()


def test_words_are_embedded() -> None:
    pyramid = Pyramid(PyramidConfig(widths=(4, 6), kernels=(3,)), PatchConfig(k=4).build())
    assert isinstance(pyramid.stem, EmbeddingStem)
    assert pyramid.places(PatchConfig(k=4).build().count(64)) == 4


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"widths": [4, 8], "kernels": []}, "2 widths need 1 kernels after the stem, not 0"),
        ({"widths": [4, 0], "kernels": [3]}, "at least 1"),
        ({"widths": []}, "widths"),
    ],
)
def test_impossible_settings_are_one_line(settings: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        parse(PyramidConfig, settings, "run.yaml")

"""First layers: which is chosen, and what each refuses."""

import pytest
import torch

from attendna.core.config import parse
from attendna.core.errors import ConfigError
from attendna.models.layers.stem import (
    ConvolutionStemConfig,
    EmbeddingStemConfig,
    default_stem,
)
from attendna.tokens.kmer import KmerConfig
from attendna.tokens.onehot import OneHotConfig
from attendna.tokens.patch import PatchConfig

CODES, LENGTHS = torch.randint(0, 4, (3, 24), dtype=torch.uint8), torch.tensor([24, 13, 9])


def test_the_tokenizer_chooses_the_stem() -> None:
    assert isinstance(default_stem(OneHotConfig().build()), ConvolutionStemConfig)
    assert isinstance(default_stem(KmerConfig(k=4).build()), EmbeddingStemConfig)
    assert isinstance(default_stem(PatchConfig(k=4).build()), EmbeddingStemConfig)


def test_a_convolution_stem_gives_a_vector_a_window() -> None:
    tokenizer = OneHotConfig().build()
    x, mask = ConvolutionStemConfig(channels=12, pool=4).build(tokenizer, 10)(
        tokenizer(CODES, LENGTHS)
    )
    assert x.shape == (3, 6, 10)
    assert mask is not None
    assert mask.sum(1).tolist() == [6, 4, 3]
    assert (x[~mask] == 0).all()


def test_an_embedding_stem_gives_a_vector_a_token() -> None:
    tokenizer = KmerConfig(k=4).build()
    x, mask = EmbeddingStemConfig().build(tokenizer, 10)(tokenizer(CODES, LENGTHS))
    assert x.shape == (3, 21, 10)
    assert mask is not None
    assert mask.sum(1).tolist() == [21, 10, 6]
    assert (x[~mask] == 0).all()


def test_stems_of_the_six_task_study_mix_nothing() -> None:
    onehot, kmer = OneHotConfig().build(), KmerConfig(k=5).build()
    scan = ConvolutionStemConfig(kernel=25, mix=None).build(onehot, 10)
    assert [tuple(p.shape) for p in scan.parameters()] == [(10, 100), (10,), (10,)]
    x, mask = scan(onehot(CODES, LENGTHS))
    assert x.shape == (3, 6, 10)
    assert mask is not None
    assert (x[~mask] == 0).all()
    look_up = EmbeddingStemConfig(mix=None, dropout=0).build(kmer, 10)
    tokens = kmer(CODES, LENGTHS)
    x, mask = look_up(tokens)
    assert mask is not None
    assert torch.equal(x[mask], look_up.table(tokens.ids[tokens.mask]))
    assert (x[~mask] == 0).all()


def test_channels_without_a_mix_are_the_width() -> None:
    assert ConvolutionStemConfig().scanned(10) == 96
    assert ConvolutionStemConfig(mix=None).scanned(10) == 10
    with pytest.raises(ConfigError, match="without mix, channels are as many"):
        parse(ConvolutionStemConfig, {"mix": None, "channels": 8}, "run.yaml")


@pytest.mark.parametrize("length", [1, 4, 5, 24])
def test_places_are_counted_beforehand(length: int) -> None:
    onehot = OneHotConfig().build()
    for stem in (ConvolutionStemConfig(channels=4), EmbeddingStemConfig()):
        layer = stem.build(onehot, 6)
        assert layer(onehot(CODES[:, :length], LENGTHS.clamp(max=length)))[0].shape[1] == (
            layer.places(length)
        )


def test_a_convolution_stem_refuses_words() -> None:
    with pytest.raises(ConfigError, match=r"single bases; set tokenizer: onehot, or .*embedding"):
        ConvolutionStemConfig().build(KmerConfig(k=4).build(), 10)

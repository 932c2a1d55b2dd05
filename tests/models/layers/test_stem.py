"""First layers: which is chosen, and what each refuses."""

import pytest
import torch

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


def test_a_convolution_stem_refuses_words() -> None:
    with pytest.raises(ConfigError, match=r"single bases; set tokenizer: onehot, or .*embedding"):
        ConvolutionStemConfig().build(KmerConfig(k=4).build(), 10)

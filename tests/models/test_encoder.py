"""The encoder: what its settings make, and what they refuse."""

from typing import Any

import pytest
import torch

from attendna.core.config import parse
from attendna.core.errors import ConfigError
from attendna.models.encoder import Encoder, EncoderConfig
from attendna.tokens.kmer import KmerConfig
from attendna.tokens.onehot import OneHotConfig


def build(**settings: Any) -> Encoder:
    return EncoderConfig.model_validate(settings).build(OneHotConfig().build(), 1)


def logits(model: Encoder, codes: torch.Tensor) -> torch.Tensor:
    lengths = torch.full((len(codes),), codes.shape[1])
    return model.eval()(OneHotConfig().build()(codes, lengths))


def test_by_default_it_suits_two_cores() -> None:
    model = build()
    assert model.parameter_count() < 200_000
    assert len(model.blocks) == 2


def test_reverting_a_sequence_is_seen() -> None:
    codes = torch.randint(0, 4, (2, 64), dtype=torch.uint8)
    model = build()
    assert not torch.allclose(logits(model, codes), logits(model, codes.flip(1)))


def test_a_position_aware_variant_finds_where_a_motif_lies() -> None:
    # The same motif at either end of otherwise empty sequences.
    codes = torch.full((2, 96), 4, dtype=torch.uint8)
    motif = torch.tensor([3, 0, 3, 0, 0, 0], dtype=torch.uint8)
    codes[0, 20:26], codes[1, 68:74] = motif, motif
    settings = {"positions": "none", "blocks": 1}
    blind = logits(build(**settings, pooling="mean_max"), codes)
    torch.testing.assert_close(blind[0], blind[1], atol=1e-5, rtol=0)
    seeing = logits(build(**settings, pooling={"name": "bins", "bins": 8}, hidden=16), codes)
    assert (seeing[0] - seeing[1]).abs() > 1e-4


def test_dropout_of_nothing_is_no_randomness() -> None:
    codes = torch.randint(0, 4, (4, 64), dtype=torch.uint8)
    lengths = torch.full((4,), 64)
    stem = {"name": "convolution", "dropout": 0}
    model = build(stem=stem, dropout=0, head_dropout=0).train()
    tokens = OneHotConfig().build()(codes, lengths)
    assert torch.equal(model(tokens), model(tokens))
    assert not torch.equal(build().train()(tokens), build().train()(tokens))


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"width": 10, "heads": 4}, "a width of 10 does not divide into 4 heads"),
        ({"width": 12, "heads": 4}, "heads of even width, not 3"),
        ({"blocks": 0, "pooling": "cls"}, "cls pooling needs a block of attention"),
        ({"positions": "rotari"}, "did you mean rotary"),
        ({"pooling": {"name": "bins", "bin": 4}}, "did you mean bins"),
        ({"stem": {"name": "convolution", "dropout": 1}}, "stem.dropout"),
    ],
)
def test_impossible_settings_are_one_line(settings: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(EncoderConfig, settings, "run.yaml")
    assert complaint in str(caught.value)
    assert str(caught.value).startswith("run.yaml: ")
    assert "\n" not in str(caught.value)


def test_longer_than_the_learned_positions_is_a_user_error() -> None:
    model = build(positions={"name": "absolute", "longest": 4})
    assert logits(model, torch.zeros(1, 16, dtype=torch.uint8)).shape == (1, 1)
    with pytest.raises(Exception, match=r"5 tokens is longer than the 4 positions"):
        logits(model, torch.zeros(1, 17, dtype=torch.uint8))


def test_words_are_embedded_by_default() -> None:
    tokenizer = KmerConfig(k=4).build()
    model = EncoderConfig().build(tokenizer, 1)
    codes = torch.randint(0, 4, (2, 30), dtype=torch.uint8)
    assert model(tokenizer(codes, torch.tensor([30, 12]))).shape == (2, 1)

"""The tokenizer's contract itself: choosing by name, spans on demand."""

import pytest
import torch

from attendna.core.config import Config, parse
from attendna.core.errors import ConfigError
from attendna.tokens.kmer import KmerConfig
from attendna.tokens.tokenizer import AnyTokenizerConfig, TokenBatch, Tokenizer


class Holder(Config):
    tokenizer: AnyTokenizerConfig


def test_settings_are_chosen_by_name_and_survive_a_round_trip() -> None:
    holder = parse(Holder, {"tokenizer": {"name": "kmer", "k": 4}}, "run.yaml")
    assert holder.tokenizer == KmerConfig(k=4)
    assert parse(Holder, holder.to_tree(), "run.yaml") == holder


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ({"name": "kmers"}, "did you mean kmer"),
        ({"name": "kmer", "k": 9}, r"tokenizer\.k"),
        ({"name": "kmer", "stride": 0}, r"tokenizer\.stride"),
        ({"name": "patch", "remainder": "keep"}, r"tokenizer\.remainder"),
        ({"name": "onehot", "k": 3}, r"tokenizer\.k is not a setting"),
    ],
)
def test_impossible_settings_are_refused_in_one_line(tree: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        parse(Holder, {"tokenizer": tree}, "run.yaml")
    assert "\n" not in str(caught.value)


def test_spans_are_computed_once_and_only_when_asked_for() -> None:
    calls = []

    def locate() -> torch.Tensor:
        calls.append(1)
        return torch.zeros(1, 2, 2, dtype=torch.int32)

    tokens = TokenBatch(
        torch.zeros(1, 2, dtype=torch.int32), torch.ones(1, 2, dtype=torch.bool), locate
    )
    assert not calls
    assert tokens.spans is tokens.spans
    assert len(calls) == 1


def test_every_tokenizer_is_one() -> None:
    assert isinstance(KmerConfig().build(), Tokenizer)

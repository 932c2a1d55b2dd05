"""Long sequences read in segments."""

import itertools
from typing import Any

import pytest
import torch
from tests.words import config as words

from attendna.core.config import parse
from attendna.core.errors import ConfigError, UserError
from attendna.genome.sequences import SequenceBatch
from attendna.models.segments import SegmentReader, SegmentsConfig, cut
from attendna.tokens.kmer import KmerConfig
from attendna.tokens.onehot import OneHotConfig

TOKENIZER = OneHotConfig().build()
INNER = {"name": "encoder", "width": 8, "blocks": 1, "heads": 2}


def config(**settings: Any) -> SegmentsConfig:
    return parse(SegmentsConfig, {"length": 20, "model": INNER} | settings, "run.yaml")


def build(**settings: Any) -> SegmentReader:
    torch.manual_seed(0)
    return config(**settings).build(TOKENIZER, 2).eval()


def sequences(*lengths: int) -> tuple[torch.Tensor, torch.Tensor]:
    codes = torch.randint(0, 5, (len(lengths), max(lengths)), dtype=torch.uint8)
    return codes, torch.tensor(lengths)


@pytest.mark.parametrize(
    "tokenizer",
    [{"name": "onehot"}, {"name": "kmer", "k": 3}, {"name": "patch"}, words().to_tree()],
)
def test_each_segment_is_read_as_if_it_were_alone(tokenizer: dict[str, Any]) -> None:
    model = build(tokenizer=tokenizer, join="concat")
    codes, lengths = sequences(60, 47, 9)
    read = model.embed(TOKENIZER(codes, lengths)).view(3, 5, -1)
    for row, pieces in enumerate(([0, 20, 40, 60], [0, 15, 31, 47], [0, 9])):
        for place, (start, end) in enumerate(itertools.pairwise(pieces)):
            segment = codes[row : row + 1, start:end]
            alone = model.tokenizer(segment, torch.tensor([end - start]))
            expected = model.model.embed(alone)[0]
            torch.testing.assert_close(read[row, place], expected, atol=1e-6, rtol=0)
    assert (read[2, 1:] == 0).all()


def test_cut_segments_are_padded_with_unknown_bases() -> None:
    batch = SequenceBatch.from_text(["ACGTACGTA", "GG", ""])
    codes, lengths = map(torch.tensor, batch.padded())
    segments, sizes, counts = cut(codes, lengths, 4)
    assert counts.tolist() == [3, 1, 1]
    assert sizes.tolist() == [3, 3, 3, 2, 0]
    text = ["".join("ACGTN"[base] for base in row) for row in segments.tolist()]
    assert text == ["ACG", "TAC", "GTA", "GGN", "NNN"]


def test_a_few_at_a_time_gives_the_same_values_and_gradients() -> None:
    settings = {"join": "mean", "head_dropout": 0}
    whole, little = build(**settings), build(**settings, at_once=3)
    little.load_state_dict(whole.state_dict())
    tokens = TOKENIZER(*sequences(200, 90, 15))
    with torch.no_grad():
        torch.testing.assert_close(little(tokens), whole(tokens))
    for model in (whole, little):
        model(tokens).square().sum().backward()
    for one, other in zip(whole.parameters(), little.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad)
    # A frozen model is computed a few segments at a time, too.
    for parameter in little.model.parameters():
        parameter.requires_grad_(False)
    torch.testing.assert_close(little(tokens), whole(tokens))


def test_expression_over_two_hundred_segments() -> None:
    join = {"name": "transformer", "width": 16, "blocks": 2, "heads": 2, "pooling": "mean"}
    model = build(length=200, join=join)
    assert model(TOKENIZER(*sequences(40_000))).shape == (1, 2)
    assert len(model.join.upper.blocks) == 2


def test_the_inner_head_is_gone() -> None:
    names = [name for name, _ in build().named_parameters()]
    assert not [name for name in names if name.startswith("model.head")]
    ensemble = build(model={"name": "ensemble", "members": [INNER, {"name": "cnn", "width": 8}]})
    heads = [name for name, _ in ensemble.named_parameters() if ".head." in name]
    assert not heads
    assert ensemble.model.width == 32


def test_impossible_settings_are_told_in_one_line() -> None:
    with pytest.raises(ConfigError, match=r"single bases; set tokenizer: onehot"):
        config().build(KmerConfig(k=3).build(), 1)
    with pytest.raises(ConfigError, match=r"segments of 7 bases .* set model\.length=8"):
        config(length=7, tokenizer={"name": "kmer", "k": 4}).build(TOKENIZER, 1)
    with pytest.raises(ConfigError, match="did you mean concat"):
        config(join="concatenate")
    with pytest.raises(UserError, match="6 segments is longer than the 5"):
        build()(TOKENIZER(*sequences(110)))

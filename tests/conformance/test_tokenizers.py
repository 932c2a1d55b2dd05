"""What every registered tokenizer must do, tested the moment its registry line exists."""

import inspect

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from tests.words import config as words

from attendna.genome.sequences import SequenceBatch
from attendna.tokens.bpe import BPETokenizer
from attendna.tokens.tokenizer import TOKENIZERS, TokenBatch, Tokenizer, TokenizerConfig

SEQUENCES = st.lists(st.text("ACGTN", max_size=48), min_size=1, max_size=6)
FEW = settings(max_examples=25)


def variants() -> list[TokenizerConfig]:
    """Each tokenizer by default, and with each of its settings at a few other values."""
    configs: list[TokenizerConfig] = [words(0), words(60)]
    for name in TOKENIZERS:
        kind = TOKENIZERS[name]
        if any(field.is_required() for field in kind.model_fields.values()):
            # Words come from a genome, and there are none by default.
            continue
        configs.append(kind(name=name))
        for field in sorted(kind.model_fields.keys() - {"name"}):
            for value in (1, 2, 3, 5, 8, "drop", "pad"):
                try:
                    configs.append(kind.model_validate({"name": name, field: value}))
                except ValidationError:
                    continue
    return list(dict.fromkeys(configs))


def named(config: TokenizerConfig) -> str:
    """A name for the test of these settings."""
    if "vocabulary" in type(config).model_fields:
        return f"bpe-{config.build().vocabulary_size}"
    return str(config).replace("'", "")


@pytest.fixture(scope="session", params=variants(), ids=named)
def tokenizer(request: pytest.FixtureRequest) -> Tokenizer:
    return request.param.build()


def padded(sequences: list[str], extra: int = 0, garbage: int = 4):
    codes, lengths = SequenceBatch.from_text(sequences).padded()
    codes, lengths = torch.tensor(codes), torch.tensor(lengths)
    codes = torch.nn.functional.pad(codes, (0, extra))
    outside = torch.arange(codes.shape[1]) >= lengths[:, None]
    return codes.masked_fill(outside, garbage), lengths


def rows(tokens: TokenBatch) -> list[tuple[list[int], list[list[int]]]]:
    """The real tokens of every sequence: ids and spans."""
    return [
        (ids[mask].tolist(), spans[mask].tolist())
        for ids, mask, spans in zip(tokens.ids, tokens.mask, tokens.spans, strict=True)
    ]


def test_the_registry_gives_settings_that_build(tokenizer: Tokenizer) -> None:
    assert isinstance(tokenizer, Tokenizer)
    assert tokenizer.vocabulary_size > 1
    assert tokenizer.minimum_length >= 1


@FEW
@given(SEQUENCES)
def test_shapes_types_and_range(tokenizer: Tokenizer, sequences: list[str]) -> None:
    codes, lengths = padded(sequences)
    tokens = tokenizer(codes, lengths)
    shape = tokens.ids.shape
    if isinstance(tokenizer, BPETokenizer):
        # As wide as the longest needs.
        assert shape == (len(sequences), int(tokens.mask.sum(1).max()))
    else:
        assert shape == (len(sequences), tokenizer.count(codes.shape[1]))
    assert tokens.mask.shape == shape
    assert tokens.spans.shape == (*shape, 2)
    assert (tokens.ids.dtype, tokens.mask.dtype) == (torch.int32, torch.bool)
    assert ((tokens.ids >= 0) & (tokens.ids < tokenizer.vocabulary_size)).all()


@FEW
@given(SEQUENCES)
def test_count_is_the_number_of_real_tokens_and_they_come_first(
    tokenizer: Tokenizer, sequences: list[str]
) -> None:
    codes, lengths = padded(sequences, extra=5)
    mask = tokenizer(codes, lengths).mask
    most = [tokenizer.count(len(sequence)) for sequence in sequences]
    if isinstance(tokenizer, BPETokenizer):
        assert all(0 < n <= m or n == m == 0 for n, m in zip(mask.sum(1), most, strict=True))
    else:
        assert mask.sum(1).tolist() == most
    assert (mask.int().diff(dim=1) <= 0).all()


@FEW
@given(SEQUENCES, st.integers(0, 255), st.integers(0, 20))
def test_padding_changes_nothing(
    tokenizer: Tokenizer, sequences: list[str], garbage: int, extra: int
) -> None:
    plain = tokenizer(*padded(sequences))
    dirty = tokenizer(*padded(sequences, extra, garbage))
    assert rows(plain) == rows(dirty)
    # Ids of padding too: a model that reads them must not see what the buffer held.
    width = plain.ids.shape[1]
    assert torch.equal(plain.ids, dirty.ids[:, :width])
    assert dirty.ids[:, width:].unique().numel() <= 1


@FEW
@given(SEQUENCES)
def test_the_rest_of_the_batch_changes_nothing(tokenizer: Tokenizer, sequences: list[str]) -> None:
    together = rows(tokenizer(*padded(sequences)))
    alone = [rows(tokenizer(*padded([sequence])))[0] for sequence in sequences]
    assert together == alone


@FEW
@given(SEQUENCES)
def test_spans_are_the_bases_their_ids_were_read_from(
    tokenizer: Tokenizer, sequences: list[str]
) -> None:
    found: dict[str, int] = {}
    for sequence, (ids, spans) in zip(sequences, rows(tokenizer(*padded(sequences))), strict=True):
        assert spans == sorted(spans)
        assert all(0 <= start < end <= len(sequence) for start, end in spans)
        words = [sequence[start:end] for start, end in spans]
        # The same bases are the same token wherever they stand.
        assert all(found.setdefault(w, token) == token for w, token in zip(words, ids, strict=True))
    # The bases of the span alone give the same token again, whole.
    again = rows(tokenizer(*padded(list(found)))) if found else []
    assert again == [([token], [[0, len(word)]]) for word, token in found.items()]
    # And each of them matters: another base makes another token, unless it is unknown anyway.
    unknown = int(tokenizer(*padded(["N" * 64])).ids[0, 0])
    words = [w for w in found if found[w] != unknown and tokenizer.count(len(w) - 1) == 0]
    changed = {
        word[:place] + base + word[place + 1 :]: found[word]
        for word in words
        for place in range(len(word))
        for base in "ACGT"
        if base != word[place]
    }
    mutants = rows(tokenizer(*padded(list(changed)))) if changed else []
    for (ids, _), token in zip(mutants, changed.values(), strict=True):
        assert ids != [token]


@FEW
@given(SEQUENCES)
def test_padded_tokens_cover_no_base(tokenizer: Tokenizer, sequences: list[str]) -> None:
    tokens = tokenizer(*padded(sequences, extra=9))
    widths = tokens.spans[..., 1] - tokens.spans[..., 0]
    assert (widths[~tokens.mask] == 0).all()
    assert (widths[tokens.mask] > 0).all()


def test_a_word_with_an_unknown_base_has_an_id_no_other_word_has(tokenizer: Tokenizer) -> None:
    length = 4 * tokenizer.minimum_length + 8
    known = tokenizer(*padded(["ACGT" * length]))
    unknown = tokenizer(*padded(["N" * length]))
    assert unknown.ids.unique().numel() == 1
    assert unknown.ids.unique() not in known.ids
    partly = tokenizer(*padded(["A" * length + "N" + "A" * length]))
    start, end = partly.spans[0].unbind(-1)
    holds = (start <= length) & (length < end)
    whole = end - start == (end - start).max()
    assert holds.any()
    assert torch.equal(partly.ids[0, whole] == unknown.ids[0, 0], holds[whole])


def test_the_shortest_sequence_and_shorter_ones(tokenizer: Tokenizer) -> None:
    shortest = tokenizer.minimum_length
    assert tokenizer.count(shortest) == 1
    assert tokenizer.count(shortest - 1) == 0
    for length in range(shortest + 1):
        tokens = tokenizer(*padded(["A" * length]))
        assert tokens.mask.sum() == (length == shortest)
    empty = tokenizer(torch.empty(0, 12, dtype=torch.uint8), torch.empty(0, dtype=torch.int64))
    width = 0 if isinstance(tokenizer, BPETokenizer) else tokenizer.count(12)
    assert empty.ids.shape == empty.mask.shape == (0, width)


def test_lengths_of_either_integer_type(tokenizer: Tokenizer) -> None:
    codes, lengths = padded(["ACGTACGTACGTACGTA", "ACGTTGCAACGT"])
    assert rows(tokenizer(codes, lengths)) == rows(tokenizer(codes, lengths.int()))


def test_input_is_left_as_it_was(tokenizer: Tokenizer) -> None:
    codes, lengths = padded(["ACGTNACGTACGTACGTA", "ACG"], garbage=200)
    before = codes.clone()
    tokens = tokenizer(codes, lengths)
    assert tokens.spans.numel()
    assert torch.equal(codes, before)


def test_settings_document_themselves() -> None:
    for name in TOKENIZERS:
        assert inspect.getdoc(TOKENIZERS[name])

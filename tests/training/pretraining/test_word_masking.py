import pytest
import torch
from tests.words import config as words

from attendna.tokens.tokenizer import TokenBatch
from attendna.training.pretraining.config import MaskingConfig
from attendna.training.pretraining.word_masking import hide_words


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


TOKENIZER = words().build()


def batch(rows: int = 200) -> TokenBatch:
    codes = torch.randint(0, 4, (rows, 100), dtype=torch.uint8, generator=generator(1))
    lengths = torch.randint(40, 101, (rows,), generator=generator(2))
    return TOKENIZER(codes, lengths)


@pytest.mark.parametrize("rate", [0.15, 0.5])
def test_so_many_words_are_hidden_in_three_ways(rate: float) -> None:
    tokens = batch()
    read, hidden = hide_words(tokens, TOKENIZER, MaskingConfig(rate=rate), generator())
    assert not hidden[~tokens.mask].any()
    assert hidden[tokens.mask].float().mean().item() == pytest.approx(rate, abs=0.02)
    assert torch.equal(read.ids[~hidden], tokens.ids[~hidden])
    unread, same = read.ids == TOKENIZER.mask_id, read.ids == tokens.ids
    assert unread[hidden].float().mean().item() == pytest.approx(0.8, abs=0.03)
    # A tenth is kept; another word is hardly ever the same.
    assert same[hidden].float().mean().item() == pytest.approx(0.1, abs=0.03)
    others = read.ids[hidden & ~unread & ~same]
    assert set(others.tolist()) <= set(TOKENIZER.spoken.tolist())
    assert len(others.unique()) > len(TOKENIZER.spoken) / 2


def test_each_word_stays_where_it_was() -> None:
    tokens = batch()
    read, _ = hide_words(tokens, TOKENIZER, MaskingConfig(rate=0.5), generator())
    assert torch.equal(read.spans, tokens.spans)
    assert torch.equal(read.mask, tokens.mask)


def test_the_same_generator_hides_the_same() -> None:
    one, other = (hide_words(batch(), TOKENIZER, MaskingConfig(), generator(3)) for _ in "ab")
    assert torch.equal(one.tokens.ids, other.tokens.ids)
    assert torch.equal(one.hidden, other.hidden)

"""What is hidden, and what the words beside it give away."""

from collections import Counter

import numpy as np
import pytest
import torch

from attendna.genome.reference import open_reference
from attendna.models.language import Words
from attendna.tokens.kmer import KmerConfig
from attendna.tokens.onehot import OneHotConfig
from attendna.tokens.patch import PatchConfig
from attendna.training.pretraining.config import MaskingConfig
from attendna.training.pretraining.masking import draw_hidden, hide

FIVE = KmerConfig(k=5).build()
UNKNOWN = 4**5


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def windows(rows: int, length: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(0, 4, (rows, length), dtype=torch.uint8, generator=generator(seed))


def ids_of(codes: torch.Tensor) -> torch.Tensor:
    return FIVE(codes, torch.full((len(codes),), codes.shape[1])).ids


@pytest.mark.parametrize("rate", [0.1, 0.3, 0.6])
@pytest.mark.parametrize("span", [None, 1, 6], ids=["default", "1", "6"])
@pytest.mark.parametrize(
    "tokenizer",
    [OneHotConfig(), KmerConfig(k=5), PatchConfig(k=4)],
    ids=["onehot", "kmer", "patch"],
)
def test_so_many_bases_are_hidden_everywhere(tokenizer, span: int | None, rate: float) -> None:
    codes = windows(4_000, 60)
    config = MaskingConfig(rate=rate, span=span)
    hidden, first = draw_hidden(codes, Words.of(tokenizer.build()), config, generator())
    assert hidden.float().mean().item() == pytest.approx(rate, abs=0.01)
    # At the ends of a window as in its middle.
    assert (hidden.float().mean(0) - rate).abs().max().item() < 0.05
    assert (first <= torch.arange(60)).all()


def test_stretches_have_their_length_and_one_fate() -> None:
    codes = windows(200, 300)
    masked = hide(codes, Words.of(FIVE), MaskingConfig(rate=0.1), generator())
    runs = Counter[int]()
    for row in masked.hidden.int():
        edges = torch.diff(row, prepend=torch.zeros(1), append=torch.zeros(1)).nonzero().flatten()
        runs.update((edges[1::2] - edges[::2])[1:-1].tolist())
    assert min(runs) == 5
    assert runs[5] > 0.8 * sum(runs.values())
    same = (masked.codes == codes)[masked.hidden].float().mean().item()
    unread = (masked.codes == 4)[masked.hidden].float().mean().item()
    # A tenth is kept, and of the tenth that is replaced a quarter is as it was.
    assert unread == pytest.approx(0.8, abs=0.03)
    assert same == pytest.approx(0.125, abs=0.03)
    assert torch.equal(masked.codes[~masked.hidden], codes[~masked.hidden])


def test_patches_are_hidden_whole_or_by_single_bases() -> None:
    codes = windows(50, 64)
    words = Words.of(PatchConfig(k=4).build())
    whole, _ = draw_hidden(codes, words, MaskingConfig(), generator())
    assert whole.unflatten(1, (16, 4)).float().mean(2).unique().tolist() == [0.0, 1.0]
    single, _ = draw_hidden(codes, words, MaskingConfig(span=1, rate=0.1), generator())
    assert len(single.unflatten(1, (16, 4)).float().mean(2).unique()) > 2


def test_words_that_stand_apart_hide_only_themselves() -> None:
    codes = windows(50, 60)
    words = Words.of(KmerConfig(k=3, stride=5).build())
    hidden, _ = draw_hidden(codes, words, MaskingConfig(rate=0.5), generator())
    assert not hidden.unflatten(1, (12, 5))[..., 3:].any()
    assert hidden.any()


def test_the_same_generator_hides_the_same() -> None:
    codes = windows(5, 100)
    one, other = (hide(codes, Words.of(FIVE), MaskingConfig(), generator(3)) for _ in range(2))
    assert torch.equal(one.codes, other.codes)
    assert torch.equal(one.hidden, other.hidden)


# ------------------------------------------------------------------------------- the leak


def from_neighbors(ids: torch.Tensor, place: int) -> int | None:
    """Look a masked 5-mer up in the words beside it: four of its bases stand in each."""
    left, right = int(ids[place - 1]), int(ids[place + 1])
    if UNKNOWN in (left, right):
        return None
    return left % 4**4 * 4 + right // 4 % 4


def leaked(codes: torch.Tensor, read: torch.Tensor, masked: torch.Tensor) -> tuple[int, int]:
    """How many masked words the look-up answers, and how many of these rightly."""
    answers = right = 0
    truth = ids_of(codes)
    for row, place in masked.nonzero().tolist():
        if 0 < place < truth.shape[1] - 1:
            told = from_neighbors(read[row], place)
            answers += told is not None
            right += told == int(truth[row, place])
    return answers, right


def test_a_word_masked_alone_is_given_away_by_its_neighbors() -> None:
    codes = windows(20, 200)
    truth = ids_of(codes)
    # As in BERT: each token for itself, with a chance of 15 %.
    masked = torch.rand(truth.shape, generator=generator()) < 0.15
    read = truth.masked_fill(masked, UNKNOWN)
    answers, right = leaked(codes, read, masked)
    assert answers > 300
    assert right == answers


@pytest.mark.parametrize("rate", [0.15, 0.3])
def test_a_hidden_stretch_is_given_away_by_nothing(rate: float) -> None:
    codes = windows(50, 200)
    config = MaskingConfig(rate=rate, mask=1.0, random=0.0)
    masked = hide(codes, Words.of(FIVE), config, generator())
    read, truth = ids_of(masked.codes), ids_of(codes)
    touched = masked.hidden.unfold(1, 5, 1).any(2)
    assert torch.equal(read == UNKNOWN, touched)
    # Beside a word that is not read at least one is not read, either.
    assert leaked(codes, read, touched) == (0, 0)
    # No word that is read holds a hidden base: other bases there leave the reading as it is.
    others = codes.where(~masked.hidden, (codes + 1) % 4)
    again = ids_of(others.masked_fill(masked.hidden, 4))
    assert torch.equal(read, again)
    assert touched.sum() > 1_000
    assert (truth != UNKNOWN).all()


def test_the_leak_on_real_sequence(shared) -> None:
    genome = open_reference(shared / "genome" / "sacCer3.fa.gz")
    codes = torch.from_numpy(np.array(genome.codes[300_000:308_000])).view(40, 200)
    truth = ids_of(codes)
    alone = torch.rand(truth.shape, generator=generator()) < 0.15
    answers, right = leaked(codes, truth.masked_fill(alone, UNKNOWN), alone)
    assert answers == right > 600
    masked = hide(codes, Words.of(FIVE), MaskingConfig(mask=1.0, random=0.0), generator())
    touched = masked.hidden.unfold(1, 5, 1).any(2)
    assert leaked(codes, ids_of(masked.codes), touched) == (0, 0)

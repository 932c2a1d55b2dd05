"""Batches of words: the same windows as batches of bases, read as words."""

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.training.pretraining.genomes import patterned
from tests.words import config as words

from attendna.core.errors import ConfigError
from attendna.training.pretraining.config import WindowsConfig
from attendna.training.pretraining.corpus import Corpus
from attendna.training.pretraining.windows import WindowBatches
from attendna.training.pretraining.word_windows import WordBatches

TOKENIZER = words().build()


@pytest.fixture(scope="module")
def genomes(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    home = tmp_path_factory.mktemp("genomes")
    return [patterned(home / "one", lower=True), patterned(home / "other", kind="2bit")]


def batches(genomes: list[Path], size: int = 16, length: int = 64, **changes) -> WordBatches:
    config = WindowsConfig(length=length, held_out=("chr2",), **changes)
    return WordBatches(WindowBatches(Corpus(genomes, config), batch_size=size, seed=0), TOKENIZER)


@pytest.mark.parametrize("sampling", ["tiled", "random"])
def test_the_words_are_those_of_the_window_read_there(genomes: list[Path], sampling: str) -> None:
    made = batches(genomes, sampling=sampling)
    spelled = 0
    for number in range(12):
        drawn = made.windows.draw(number)
        codes = made.windows.codes(drawn)
        assert 0 < drawn.turned.sum() < 16
        batch = made[number]
        for row, bases in enumerate(codes):
            ids = batch.ids[row][batch.mask[row]]
            letters = TOKENIZER.letters[ids.long()]
            read = letters[letters < 4].numpy()
            # Somewhere in the window, but for what its borders cut.
            places = np.lib.stride_tricks.sliding_window_view(bases, read.size)
            assert (places == read).all(1).any()
            assert read.size > 64 - 2 * TOKENIZER.longest
            spelled += read.size
    assert spelled > 0.9 * 12 * 16 * 64


def test_a_batch_follows_from_its_number(genomes: list[Path]) -> None:
    one, other = (batches(genomes) for _ in "ab")
    other[30]
    for number in (0, 7, 3):
        for first, second in zip(one[number], other[number], strict=True):
            assert first == second if isinstance(first, int) else torch.equal(first, second)


def test_a_word_counts_as_its_bases_do(genomes: list[Path]) -> None:
    made = batches(genomes[:1], soft_mask_weight=0.25, sampling="random")
    seen = set()
    for number in range(30):
        batch, weights = made[number], made.windows.weights(made.windows.draw(number))
        assert (batch.weights[~batch.mask] == 0).all()
        found = made._within(made.windows.draw(number))
        for row, column in zip(*np.nonzero(batch.mask.numpy()), strict=True):
            start = found[1][row, column]
            width = int(TOKENIZER.widths[batch.ids[row, column]])
            wanted = weights[row, start : start + width].mean()
            assert batch.weights[row, column].item() == pytest.approx(wanted, abs=1e-4)
            seen.add(round(float(wanted), 2))
    assert {0.25, 1.0} < seen


def test_windows_that_may_hold_no_word_are_refused(genomes: list[Path]) -> None:
    longest = TOKENIZER.longest
    with pytest.raises(ConfigError, match=f"set it to {2 * longest} or more"):
        batches(genomes, length=max(16, 2 * longest - 1))
    assert batches(genomes, length=max(16, 2 * longest))[0].mask.any(1).all()

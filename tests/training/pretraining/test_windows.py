from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.training.pretraining.genomes import patterned

from attendna.core.errors import ConfigError
from attendna.genome.alphabet import complement
from attendna.training.pretraining.config import WindowsConfig
from attendna.training.pretraining.corpus import Corpus
from attendna.training.pretraining.windows import WindowBatches


@pytest.fixture(scope="module")
def genome(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return patterned(tmp_path_factory.mktemp("genome"), lower=True)


def batches(genome: Path, seed: int = 0, size: int = 8, **changes) -> WindowBatches:
    config = WindowsConfig(length=50, held_out=("chr2",), **changes)
    return WindowBatches(Corpus([genome], config), batch_size=size, seed=seed)


def test_an_epoch_reads_every_base_once_at_most(genome: Path) -> None:
    made = batches(genome, size=1, both_strands=False)
    phases = set()
    for epoch in range(2):
        read = Counter[int]()
        for place in range(made.batches_an_epoch):
            _, offset = made._tiled(epoch * made.batches_an_epoch + place)
            read.update(range(int(offset[0]), int(offset[0]) + 50))
        assert max(read.values()) == 1
        assert len(read) > 0.95 * made.corpus.train.bases
        phases.add(min(read))
    assert len(phases) == 2


@pytest.mark.parametrize("sampling", ["tiled", "random"])
def test_a_batch_follows_from_its_number(genome: Path, sampling: str) -> None:
    one, other = (batches(genome, sampling=sampling) for _ in range(2))
    other[300]
    for number in (0, 7, 101, 3):
        assert torch.equal(one[number].codes, other[number].codes)
        assert torch.equal(one[number].weights, other[number].weights)
    assert not torch.equal(one[0].codes, batches(genome, seed=1, sampling=sampling)[0].codes)
    assert not torch.equal(one[0].codes, one[1].codes)


def test_windows_hold_no_gap_and_nothing_that_is_held_out(genome: Path) -> None:
    made = batches(genome, sampling="random")
    aside = {row.tobytes() for row in made.corpus.held_out_codes()}
    for number in range(50):
        codes = made[number].codes
        assert codes.shape == (8, 50)
        assert (codes < 4).all()
    lengths = made.corpus.train
    for number in range(50):
        _, offset = made._anywhere(np.random.default_rng(number))
        row = np.searchsorted(lengths.offset, offset, side="right") - 1
        assert (offset + 50 <= lengths.offset[row] + lengths.length[row]).all()
    assert aside


def test_half_of_the_windows_are_read_on_the_other_strand(genome: Path) -> None:
    plain, both = batches(genome, both_strands=False), batches(genome)
    turned = 0
    for number in range(60):
        for one, other in zip(plain[number].codes.numpy(), both[number].codes.numpy(), strict=True):
            opposite = complement(one)[::-1]
            assert np.array_equal(other, one) or np.array_equal(other, opposite)
            turned += not np.array_equal(other, one)
    assert 190 < turned < 290


def test_lower_case_weighs_what_is_said(genome: Path) -> None:
    made = batches(genome, soft_mask_weight=0.25, both_strands=False)
    of_chr1 = 0
    for number in range(20):
        _, offset = made._tiled(number)
        places = offset[:, None] + np.arange(50)
        # Letters 1,000 to 1,200 of every chromosome, which follow on each other.
        inside = np.isin(places, np.r_[1_000:1_200, 7_000:7_200, 8_500:8_700])
        wanted = np.where(inside, 0.25, 1.0)
        assert np.array_equal(made[number].weights.numpy(), wanted.astype(np.float32))
        of_chr1 += int(inside.sum())
    assert of_chr1 > 0


def test_weights_turn_with_their_strand(genome: Path) -> None:
    plain = batches(genome, soft_mask_weight=0.0, both_strands=False)
    both = batches(genome, soft_mask_weight=0.0)
    for number in range(20):
        one, other = plain[number], both[number]
        same = (one.codes == other.codes).all(1)
        assert torch.equal(one.weights[same], other.weights[same])
        assert torch.equal(one.weights[~same].flip(1), other.weights[~same])


def test_what_cannot_be_done_is_refused(genome: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no base of the genomes is in lower case"):
        batches(patterned(tmp_path), soft_mask_weight=0.5)
    with pytest.raises(ConfigError, match="windows, a batch 1,000"):
        batches(genome, size=1_000)

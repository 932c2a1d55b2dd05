"""What one changed base does to the bins of a window."""

import numpy as np
import pytest
import torch
from torch import Tensor

from attendna.core.errors import UserError
from attendna.interpret.receptive_field import equally_spaced, receptive_field
from attendna.models.enformer import EnformerConfig
from attendna.models.layers.sparse import attention
from attendna.models.layers.sparse.layout import ABSENT, BlockConfig, Layout
from attendna.models.layers.track_attention import TrackAttentionConfig
from attendna.models.track_model import TrackModel
from attendna.models.track_source import TrackSource

BLOCKS = 24
"""Of 4 bins of 16 bases, as many as Enformer's window has of 64 bins of 128."""


class PaperBlocks(BlockConfig):
    """The paper's: random blocks are drawn from the blocks 1 to 9 only."""

    def layout(self, length: int, heads: int, layer: int = 0) -> Layout:
        blocks = super().layout(length, heads, layer).blocks.numpy().copy()
        random = np.random.default_rng([self.seed, layer])
        last = blocks.shape[1] - 1
        for row, block in ((h, b) for h in range(heads) for b in range(1, last)):
            certain = sorted({0, block - 1, block, block + 1, last})
            pool = [b for b in range(1, 10) if b not in certain]
            drawn = sorted(random.choice(pool, self.random, replace=False).tolist())
            blocks[row, block] = ABSENT
            blocks[row, block, : len(certain) + len(drawn)] = certain + drawn
        return Layout(blocks, self)


def model(blocks: type[BlockConfig], seed: int, **settings: object) -> TrackModel:
    sparse = blocks(block=4, seed=seed)
    reads = TrackAttentionConfig(heads=8, key_width=6, positions="none", sparse=sparse)
    shape = {"width": 48, "depth": 3, "stages": 4, "multiple": 8, "bins": None} | settings
    config = EnformerConfig(attention=reads, **shape)
    return TrackSource("tiny", config, {"human": 4}).with_random_weights(seed)


@pytest.fixture
def dense_under_a_mask(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same numbers, faster where everything is tiny."""
    monkeypatch.setattr(attention, "SHORT", BLOCKS)


def balances(blocks: type[BlockConfig]) -> np.ndarray:
    """Left over right of several models of other weights and random blocks."""
    return np.array(
        [
            receptive_field(
                model(blocks, seed), BLOCKS * 64, "human", sequences=3, batch=11
            ).balance()[0]
            for seed in range(10)
        ]
    )


@pytest.mark.usefixtures("dense_under_a_mask")
def test_left_and_right_are_alike_and_were_not_in_the_paper() -> None:
    ours = balances(BlockConfig)
    assert np.exp(np.log(ours).mean()) == pytest.approx(1, abs=0.1)
    # Blocks 10 to 22 are read by their neighbors alone.
    theirs = balances(PaperBlocks)
    assert np.exp(np.log(theirs).mean()) > 1.8
    assert theirs.min() > 1.3


class Local(TrackModel):
    """Each bin is the share of A, and twice that for the bin to its right: known by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.tracks, self.bin = {"x": 2}, 10
        self.weight = torch.nn.Parameter(torch.ones(1, dtype=torch.float64))

    def predict_bins(self, bases: Tensor, head: str) -> Tensor:
        share = bases[:, 0].unflatten(1, (-1, 10)).mean(2)
        right = torch.nn.functional.pad(share, (1, 0))[:, :-1]
        return (share + 2 * right)[:, 2:-2, None].repeat(1, 1, 2) * self.weight

    def predicted_bins(self, length: int) -> int:
        if length % 10:
            raise UserError("no whole number of bins")
        return length // 10 - 4


def test_numbers_are_those_of_a_model_known_by_hand() -> None:
    found = receptive_field(Local(), 200, "x", positions=5, sequences=400, batch=3)
    assert found.positions.tolist() == [0, 49, 99, 150, 199]
    assert found.changes.shape == (5, 16)
    assert found.first == 2
    # Base 49 lies in bin 4, base 150 in bin 15: their own bins and the ones to their right change,
    # wherever an A comes or goes, which is every second time, by a tenth and by two.
    expected = np.zeros((5, 16))
    for row, place in ((1, 4), (2, 9), (3, 15)):
        expected[row, [place - 2, place - 1]] = [0.05, 0.1]
    assert found.changes == pytest.approx(expected, abs=0.012)
    assert found.errors[1, 2] == pytest.approx(0.05 / np.sqrt(399), rel=0.1)
    assert found.noise < 1e-15
    assert found.level == pytest.approx(0.75, abs=0.02)
    by_distance = found.by_distance()
    assert by_distance.filter(side="left")["change"].max() == 0
    assert by_distance.filter(side="right", distance=10.0)["change"].item() == pytest.approx(
        0.1, abs=0.01
    )
    frame = found.to_frame()
    assert frame.height == 80
    assert frame.row(16 + 2, named=True) == {
        "position": 49, "bin": 2, "start": 40, "distance": -4,
        "change": found.changes[1, 2], "standard_error": found.errors[1, 2],
    }  # fmt: skip


def test_the_balance_is_that_of_the_bins_only_attention_reaches() -> None:
    tiny = model(BlockConfig, 0, depth=0)
    found = receptive_field(tiny, 64 * 16, "human", positions=4, sequences=2, batch=6)
    assert found.near == tiny.near > 0
    assert found.changes.max() > 0
    # Without a layer of attention nothing is distant, so there is nothing to compare.
    assert found.distant.max() < 1e-7
    assert found.noise > 0
    assert not found.resolved.any()
    assert np.isnan(found.balance()).all()
    found = receptive_field(model(BlockConfig, 0), 64 * 16, "human", positions=1, sequences=1)
    assert np.isnan(found.balance()).all()


@pytest.mark.parametrize(("length", "count"), [(196_608, 9), (101, 4), (100, 9), (7, 1)])
def test_positions_mirror_each_other(length: int, count: int) -> None:
    found = equally_spaced(length, count)
    assert len(found) == count
    assert found[0] == 0
    if count > 1:
        assert np.abs(found + found[::-1] - (length - 1)).max() <= 1
        assert np.ptp(np.diff(found)) <= 2


def test_the_seed_decides_and_the_batch_does_not() -> None:
    tiny = model(BlockConfig, 0).double()
    one, other = (
        receptive_field(tiny, 512, "human", sequences=2, batch=batch).changes for batch in (2, 11)
    )
    assert one == pytest.approx(other, rel=1e-9, abs=1e-15)
    again = receptive_field(tiny, 512, "human", sequences=2, seed=1).changes
    assert not np.allclose(one, again)


def test_a_length_that_is_no_whole_number_of_bins_is_told() -> None:
    with pytest.raises(UserError, match="1,001 bases are no whole number of bins of 16"):
        receptive_field(model(BlockConfig, 0), 1001, "human")


def test_effects_of_rounding_are_not_resolved() -> None:
    """In float32, of a model whose attention adds next to nothing; in float64 it is seen."""
    tiny = model(BlockConfig, 0)
    with torch.no_grad():
        for block in tiny.blocks:
            block.attention.output.weight.mul_(1e-9)
            block.attention.output.bias.zero_()
    found = receptive_field(tiny, 64 * 16, "human", positions=4, sequences=2)
    assert found.noise > 0
    assert not found.resolved.any()
    assert np.isnan(found.balance()).all()
    exact = receptive_field(tiny.double(), 64 * 16, "human", positions=4, sequences=2)
    assert exact.resolved.all()
    assert np.isfinite(exact.balance()).all()

"""Windows of the genome that could be negatives."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.genome.genome_files import write_genome

from attendna.core.errors import DataError
from attendna.genome.composition import count_unknown, gc_content
from attendna.genome.loci import count_overlaps
from attendna.genome.reference import Reference, open_reference
from attendna.genome.soft_mask import soft_masked
from attendna.tasks.negatives.windows import Likeness, draw_windows

NOWHERE = pl.DataFrame({"chrom": ["chr9"], "start": [0], "end": [1]})


def stretch(random: np.random.Generator, size: int, gc: float) -> str:
    return "".join(
        random.choice(list("ACGT"), size, p=[(1 - gc) / 2, gc / 2, gc / 2, (1 - gc) / 2])
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Half of it poor in GC, half rich; each half has repeats in its second part; and N."""
    random = np.random.default_rng(0)
    poor, rich = stretch(random, 40_000, 0.35), stretch(random, 40_000, 0.65)
    masked = [half[:20_000] + half[20_000:].lower() for half in (poor, rich)]
    return write_genome(tmp_path, {"chr1": masked[0], "chr2": masked[1] + "N" * 30_000}, "fa")


@pytest.fixture
def genome(path: Path) -> Reference:
    return open_reference(path)


def test_windows_are_whole_known_and_away(genome: Reference) -> None:
    lengths = np.random.default_rng(1).integers(50, 400, 500)
    # Named in another style than the file's.
    avoid = pl.DataFrame({"chrom": ["1", "2"], "start": [1_000, 0], "end": [30_000, 20_000]})
    drawn = draw_windows(genome, lengths, avoid, np.random.default_rng(2))
    assert drawn.sequences.lengths.tolist() == lengths.tolist()
    assert (drawn.frame["end"] - drawn.frame["start"]).to_list() == lengths.tolist()
    assert not count_unknown(drawn.sequences).any()
    assert not count_overlaps(drawn.frame, genome.named(avoid)).any()
    assert not drawn.frame.select("chrom", "start").is_duplicated().any()
    assert set(drawn.frame["strand"]) == {"+", "-"}
    assert genome.windows(drawn.frame).sequences.to_text() == drawn.sequences.to_text()
    assert drawn.unlike == 0


def test_every_place_is_drawn_in_the_end_and_no_more(tmp_path: Path) -> None:
    genome = open_reference(write_genome(tmp_path, {"chr1": "ACGTAC" * 10 + "N" * 40}, "fa"))
    avoid = pl.DataFrame({"chrom": ["chr1"], "start": [0], "end": [30]})
    drawn = draw_windows(genome, np.full(21, 10), avoid, np.random.default_rng(0))
    assert sorted(drawn.frame["start"].to_list()) == list(range(30, 51))
    with pytest.raises(DataError, match=r"room for 21 of 22 random windows of 10 bases"):
        draw_windows(genome, np.full(22, 10), avoid, np.random.default_rng(0))


def test_matched_windows_are_as_rich_in_gc_and_repeats(path: Path, genome: Reference) -> None:
    masked = soft_masked(path)
    starts = [*range(19_000, 21_000, 100)]
    positives = pl.DataFrame(
        {"chrom": ["chr2"] * len(starts), "start": starts, "end": [s + 300 for s in starts]}
    )
    sequences = genome.windows(positives).sequences
    random = np.random.default_rng(3)
    as_they_come = draw_windows(genome, sequences.lengths, positives, random)
    like = Likeness.of(positives, sequences, masked)
    drawn = draw_windows(genome, sequences.lengths, positives, random, like)
    gap = np.abs(gc_content(drawn.sequences) - gc_content(sequences))
    far = like.distance(np.arange(len(starts)), drawn.frame, drawn.sequences)
    assert drawn.unlike == int((far > 1).sum())
    # Every window near the border of the repeats needs one at that border: there are few of them.
    assert drawn.unlike < 10
    assert (gap <= 0.02 + 1e-9).sum() >= len(starts) - drawn.unlike
    assert (
        np.abs(gc_content(as_they_come.sequences) - gc_content(sequences)).mean() > 3 * gap.mean()
    )
    assert not count_overlaps(drawn.frame, positives).any()


def test_where_nothing_is_alike_the_nearest_is_taken_and_counted(tmp_path: Path) -> None:
    genome = open_reference(write_genome(tmp_path, {"a": "AT" * 500, "b": "GC" * 30}, "fa"))
    positives = pl.DataFrame({"chrom": ["b"], "start": [0], "end": [40]})
    sequences = genome.windows(positives).sequences
    like = Likeness.of(positives, sequences)
    drawn = draw_windows(genome, sequences.lengths, positives, np.random.default_rng(0), like)
    assert drawn.unlike == 1
    assert drawn.frame["chrom"].to_list() == ["a"]

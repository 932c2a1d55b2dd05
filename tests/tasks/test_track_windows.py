"""Windows around regions and in strides."""

from pathlib import Path

import polars as pl

from attendna.genome.reference import open_reference
from attendna.tasks.track_windows import choose_windows, tile


def test_a_genome_is_gone_through_in_strides() -> None:
    held = pl.DataFrame({"chrom": ["a", "b"], "start": [0, 5], "end": [25, 14]})
    assert tile(held, 10, 5).rows() == [("a", 0, 10), ("a", 5, 15), ("a", 10, 20), ("a", 15, 25)]
    assert tile(held, 100, 5).height == 0


def test_what_cannot_be_had_is_counted(tmp_path: Path) -> None:
    (tmp_path / "g.fa").write_text(">chr1\n" + "A" * 50 + "N" * 50 + "\n")
    reference = open_reference(tmp_path / "g.fa", keep_in_memory=True)
    regions = pl.DataFrame(
        {
            "chrom": ["1", "chr1", "chr1", "chr1", "chr9"],
            "start": [10, 14, 0, 90, 10],
            "end": [20, 16, 10, 91, 20],
        }
    )
    chosen = choose_windows(reference, regions, 20, 0.5)
    assert chosen.windows.rows() == [("chr1:5-25", "chr1", 5, 25)]
    assert chosen.counts == {
        "windows asked for": 5,
        "windows asked for twice": 1,
        "windows not in the genome": 1,
        "windows over the end of a contig": 1,
        "windows with too many N": 1,
    }
    nothing = choose_windows(reference, regions.clear(), 20, 0.5)
    assert nothing.windows.height == nothing.asked == 0

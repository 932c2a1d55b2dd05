"""Genomes in parts: which piece holds a window."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from attendna.genome.code_cache import GenomeCodes
from attendna.genome.pieces import UNKNOWN, Pieces


def genome(records: dict[str, int]) -> GenomeCodes:
    size = sum(records.values())
    return GenomeCodes(np.zeros(size, np.uint8), tuple(records), tuple(records.values()), digest="")


def find(pieces: Pieces, contig: int, start: int, end: int) -> int:
    (offset,) = pieces.offset_of(np.array([contig]), np.array([start]), np.array([end]))
    return int(offset)


def test_names_with_places_are_pieces_and_others_are_contigs() -> None:
    pieces = Pieces.of(
        genome(
            {
                "chr1:100-150": 50,  # 0-based, half-open
                "chr1:201-250": 50,  # as samtools faidx writes it: from 1, the end included
                "chr2": 70,
                "chr3:5-9": 100,  # a length that is no place
                "HLA-A*01:01:01:01": 30,
            }
        )
    )
    assert pieces.contigs == ("chr1", "chr2", "chr3:5-9", "HLA-A*01:01:01:01")
    assert pieces.length.tolist() == [UNKNOWN, 70, 100, 30]
    assert find(pieces, 0, 100, 150) == 0
    assert find(pieces, 0, 200, 250) == 50
    assert find(pieces, 0, 149, 151) == -1
    assert find(pieces, 1, 69, 70) == 169
    assert find(pieces, -1, 0, 1) == -1


spans = st.tuples(st.integers(0, 2), st.integers(0, 30), st.integers(1, 20))


@given(st.lists(spans, min_size=1, max_size=8, unique=True), st.lists(spans, max_size=20))
def test_a_window_is_found_where_any_piece_holds_all_of_it(
    records: list[tuple[int, int, int]], windows: list[tuple[int, int, int]]
) -> None:
    lengths = {f"c{chrom}:{start}-{start + size}": size for chrom, start, size in records}
    pieces = Pieces.of(genome(lengths))
    homes = np.cumsum([0, *lengths.values()])
    known = [(*record, int(home)) for record, home in zip(records, homes, strict=False)]
    contig = [
        pieces.contigs.index(f"c{chrom}") if f"c{chrom}" in pieces.contigs else -1
        for chrom, _, _ in windows
    ]
    start = np.array([start for _, start, _ in windows], dtype=np.int64)
    end = start + np.array([size for _, _, size in windows], dtype=np.int64)
    offsets = pieces.offset_of(np.array(contig, dtype=np.int64), start, end)
    for (chrom, first, size), offset in zip(windows, offsets.tolist(), strict=True):
        fitting = {
            home + first - piece_start
            for piece_chrom, piece_start, piece_size, home in known
            if piece_chrom == chrom
            and piece_start <= first
            and first + size <= piece_start + piece_size
        }
        assert offset in fitting if fitting else offset == -1

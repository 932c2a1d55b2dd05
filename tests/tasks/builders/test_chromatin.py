"""Labels of bins, against a slow count that is obviously right."""

import gzip
from collections import defaultdict
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from attendna.core.config import parse
from attendna.core.errors import ConfigError, DataError, UserError
from attendna.core.execution import Execution
from attendna.genome.reference import Reference, open_reference
from attendna.tasks.builders import chromatin
from attendna.tasks.builders.builder import Built
from attendna.tasks.builders.chromatin import ChromatinConfig
from attendna.tasks.store import open_task


def build(out: Path, execution: Execution | None = None, **settings: object) -> Built:
    return parse(ChromatinConfig, settings, "test").build(out, execution or Execution())


def slow_labels(files: dict[str, Path], reference: Reference, size: int, flank: int) -> dict:
    """Positive tracks of every bin whose window the genome holds, a base at a time."""
    labels: dict[tuple[str, int], list[int]] = defaultdict(list)
    for number, path in enumerate(files.values()):
        text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        covered: dict[tuple[str, int], set[int]] = defaultdict(set)
        for line in text.decode().splitlines():
            chrom, start, end = line.split("\t")[:3]
            for base in range(int(start), int(end)):
                covered[chrom, base // size].add(base)
        for place, bases in covered.items():
            if len(bases) >= size / 2:
                labels[place].append(number)
    held = {}
    for (chrom, number), tracks in labels.items():
        try:
            start, end = number * size - flank, (number + 1) * size + flank
            held[chrom, start] = (tracks, reference.sequence(chrom, start, end))
        except UserError:
            continue
    return held


def check(built: Built, expected: dict, both: bool) -> None:
    rows = pl.concat([built.task.read(split).frame for split in built.task.splits])
    assert rows.height == len(expected) * (2 if both else 1)
    for chrom, start, strand, tracks in rows.select("chrom", "start", "strand", "label").rows():
        assert expected[chrom, start][0] == tracks, (chrom, start, strand)


@pytest.fixture
def peaks(tmp_path: Path) -> dict[str, Path]:
    generator = np.random.default_rng(3)
    folder = tmp_path / "peaks"
    folder.mkdir()
    files = {}
    for track in ("CTCF", "DNase", "H3K4me3"):
        rows = [
            f"chr{generator.integers(7, 10)}\t{start}\t{start + generator.integers(1, 900)}"
            for start in generator.integers(0, 19_000, size=60)
        ]
        files[track] = folder / f"{track}.bed"
        files[track].write_text("\n".join(rows) + "\n")
    return files


@pytest.fixture
def genome(tmp_path: Path) -> Path:
    generator = np.random.default_rng(4)
    path = tmp_path / "genome.fa"
    with path.open("w") as stream:
        for chrom in (7, 8, 9):
            letters = "".join(generator.choice(list("ACGT"), size=20_050))
            stream.write(f">chr{chrom}\n{letters}\n")
    return path


@pytest.mark.parametrize("both", [True, False])
def test_labels_are_those_counted_base_by_base(
    tmp_path: Path, peaks: dict, genome: Path, both: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Many batches and many blocks, even of so little.
    monkeypatch.setattr(chromatin, "FILES_A_BATCH", 2)
    monkeypatch.setattr(chromatin, "BLOCK_BITS", 4)
    built = build(tmp_path / "out", peaks=tmp_path / "peaks", genome=genome, both_strands=both)
    reference = open_reference(genome)
    expected = slow_labels(peaks, reference, 200, 400)
    check(built, expected, both)
    task = open_task(tmp_path / "out")
    assert task.spec.classes == ("CTCF", "DNase", "H3K4me3")
    assert task.spec.window == 1_000
    assert task.read("test").frame["chrom"].unique().sort().to_list() == ["chr8", "chr9"]
    assert task.read("valid").frame["chrom"].unique().to_list() == ["chr7"]
    forward = task.read("valid").frame.filter(pl.col("strand") == "+")
    for start, sequence in forward.select("start", "sequence").rows():
        window = pl.DataFrame({"chrom": ["chr7"], "start": [start], "end": [start + 1_000]})
        assert reference.windows(window).sequences.to_text() == [sequence]
    assert built.counts["bins at the end of a contig"] > 0
    assert built.counts["peaks"] == 180


def test_workers_and_rules_and_tables(tmp_path: Path, peaks: dict, genome: Path) -> None:
    table = tmp_path / "peaks.tsv"
    rows = [f"{track}\tpeaks/{path.name}" for track, path in peaks.items()]
    table.write_text("track\tfile\n" + "\n".join(rows) + "\n")
    options = {"peaks": table, "genome": genome, "both_strands": False}
    alone = build(tmp_path / "a", **options)
    helped = build(tmp_path / "b", Execution(workers=2), **options)
    for split in alone.task.splits:
        assert alone.task.read(split).frame.equals(helped.task.read(split).frame)
    strict = build(tmp_path / "c", **options, rule="more_than_half")
    loose = build(tmp_path / "d", **options, rule="any")
    assert strict.counts["bins"] <= alone.counts["bins"] < loose.counts["bins"]


def test_files_of_one_track_are_taken_together(tmp_path: Path, genome: Path) -> None:
    (tmp_path / "one.bed").write_text("chr7\t1000\t1060\n")
    (tmp_path / "two.bed").write_text("chr7\t1060\t1100\n")
    table = tmp_path / "peaks.csv"
    table.write_text("track,file\nCTCF,one.bed\nCTCF,two.bed\n")
    built = build(tmp_path / "out", peaks=table, genome=genome)
    assert built.task.spec.rows == {"valid": 2}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"peaks": "nowhere"}, r"nowhere: no such file or folder"),
        ({"valid": ["chr8"]}, r"chromosome chr8 is in valid and test"),
        ({"genome": "none.fa"}, r"none\.fa: no such file"),
        ({"rule": "most"}, r"rule: Input should be 'half', 'more_than_half' or 'any'"),
    ],
)
def test_wrong_settings_are_one_line(
    tmp_path: Path, peaks: dict, genome: Path, change: dict, complaint: str
) -> None:
    options = {"peaks": tmp_path / "peaks", "genome": genome} | change
    with pytest.raises((ConfigError, DataError), match=complaint):
        build(tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_missing_chromosomes_are_told(tmp_path: Path, peaks: dict, genome: Path) -> None:
    with peaks["CTCF"].open("a") as stream:
        stream.write("chr5\t100\t900\nchrUn_gl000220\t1\t900\n")
    options = {"peaks": tmp_path / "peaks", "genome": genome}
    with pytest.raises(DataError, match=r"it holds 180 of 181 peaks; .*--allow-partial"):
        build(tmp_path / "out", **options)
    assert not list(tmp_path.glob("*out*"))
    built = build(tmp_path / "out", **options, allow_partial=True)
    assert built.counts["peaks on missing chromosomes"] == 1
    assert built.counts["peaks on other contigs"] == 1


def test_the_real_peaks_of_36_tracks(tmp_path: Path, shared: Path) -> None:
    folder = tmp_path / "peaks"
    folder.mkdir()
    files = {}
    for path in sorted((shared / "peaks" / "hg19").glob("*.narrowPeak.gz")):
        files[path.name.removesuffix(".narrowPeak.gz")] = path
        (folder / path.name).symlink_to(path)
    assert len(files) == 36
    genome = shared / "genome" / "hg19_regions.fa.gz"
    options = {"peaks": folder, "genome": genome, "build_name": "hg19"}
    with pytest.raises(DataError, match=r"it holds 234,189 of 939,787 peaks"):
        build(tmp_path / "out", **options)
    built = build(tmp_path / "out", **options, allow_partial=True)
    assert built.counts["bins"] == 151_531
    assert built.task.spec.rows == {"train": 2_134}
    assert built.task.spec.classes == tuple(files)
    reference = open_reference(genome)
    near = pieces_of(shared)
    cut = {name: near_peaks(path, near, tmp_path) for name, path in files.items()}
    check(built, slow_labels(cut, reference, 200, 400), both=True)


def pieces_of(shared: Path) -> dict[str, list[tuple[int, int]]]:
    """The regions of the genome in part, from the names of its records."""
    regions = defaultdict(list)
    with gzip.open(shared / "genome" / "hg19_regions.fa.gz", "rt") as stream:
        for line in stream:
            if line.startswith(">"):
                chrom, _, place = line[1:].strip().partition(":")
                start, _, end = place.partition("-")
                regions[chrom].append((int(start), int(end)))
    return regions


def near_peaks(path: Path, near: dict, folder: Path) -> Path:
    """Peaks that touch a region: to count the others base by base would take minutes."""
    kept = folder / f"{path.stem}.near.bed"
    with gzip.open(path, "rt") as stream, kept.open("w") as out:
        for line in stream:
            chrom, start, end = line.split("\t")[:3]
            if any(int(start) < b and int(end) > a for a, b in near.get(chrom, [])):
                out.write(line)
    return kept


@pytest.mark.parametrize("rule", ["half", "more_than_half"])
def test_peaks_too_short_for_any_bin_are_one_line(
    tmp_path: Path, peaks: dict, genome: Path, rule: str
) -> None:
    """Summits of one base, for instance, beside files of whole peaks."""
    summits = tmp_path / "peaks" / "summits.bed"
    summits.write_text("chr7\t1250\t1251\nchr8\t2100\t2101\n")
    options = {"peaks": tmp_path / "peaks", "genome": genome}
    complaint = r"summits\.bed: no peak covers .*half of a bin of 200 bases: the longest has 1 base"
    with pytest.raises(DataError, match=f"{complaint}; use --rule any"):
        build(tmp_path / "out", **options, rule=rule)
    assert not (tmp_path / "out").exists()
    built = build(tmp_path / "out", **options, rule="any")
    assert "summits" in built.task.spec.classes


def test_peaks_on_unplaced_contigs_alone_are_refused(tmp_path: Path, genome: Path) -> None:
    folder = tmp_path / "unplaced"
    folder.mkdir()
    (folder / "A.bed").write_text("chrUn_gl000220\t1\t900\n")
    with pytest.raises(DataError, match=r"none of its 1 peaks lies on a chromosome.*--all-contigs"):
        build(tmp_path / "other", peaks=folder, genome=genome)

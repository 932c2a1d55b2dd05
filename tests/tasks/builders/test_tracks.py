"""Tasks of tracks from records and from bigWig files, against what the files hold."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from tests.tasks.test_tfrecord import example, framed
from tests.tasks.track_folders import BINS, CROP, TABLE, TRACKS, WINDOW, write_records

from attendna.core.config import parse
from attendna.core.errors import ConfigError, DataError, FolderError, UserError
from attendna.core.execution import Execution
from attendna.genome.reference import WindowError, open_reference
from attendna.tasks.builders.builder import Built
from attendna.tasks.builders.tracks import TracksConfig
from attendna.tasks.tfrecord import read_examples
from attendna.tasks.tracks import open_track_task

pytest.importorskip("zarr")


def build(out: Path, execution: Execution | None = None, **settings: object) -> Built:
    return parse(TracksConfig, settings, "test").build(out, execution or Execution())


@pytest.mark.parametrize("kind", ["f2", "f4"])
@pytest.mark.parametrize("one_hot", [False, True])
def test_records_are_copied(tmp_path: Path, kind: str, one_hot: bool) -> None:
    held = write_records(tmp_path / "r", kind=kind, one_hot=one_hot)
    stored = "float16" if kind == "f2" else "float32"
    built = build(tmp_path / "t", records=tmp_path / "r", target_type=stored)
    assert built.counts["records"] == 9
    assert built.counts["records that overlap another split"] == 0
    task = open_track_task(tmp_path / "t")
    assert task.spec == built.task.spec
    for split, records in held.items():
        found = task.read(split).read(range(len(records)))
        for row, (codes, targets) in enumerate(records):
            assert np.array_equal(found.sequences[row], codes)
            assert np.array_equal(found.targets[row], targets)
    frame = task.read("valid").frame
    assert frame.select("id", "chrom", "start", "end").row(0) == ("valid-0:1", "chr1", 480, 576)


def test_workers_and_force_make_the_same(tmp_path: Path) -> None:
    write_records(tmp_path / "r")
    one = build(tmp_path / "a", records=tmp_path / "r")
    two = build(tmp_path / "b", Execution(workers=2), records=tmp_path / "r")
    assert one.task.split_hash() == two.task.split_hash()
    with pytest.raises(FolderError, match="exists"):
        build(tmp_path / "b", records=tmp_path / "r")


def test_bins_are_pooled_while_building(tmp_path: Path) -> None:
    held = write_records(tmp_path / "r")
    for pooling in ("mean", "sum"):
        settings = {"records": tmp_path / "r", "bin_size": 32, "pooling": pooling}
        build(tmp_path / pooling, **settings, target_type="float32")
        task = open_track_task(tmp_path / pooling)
        assert (task.spec.bins, task.spec.crop) == (2, 16)
        assert task.spec.notes == (f"bins are the {pooling} of 4 of the records",)
        truth = held["train"][3][1].astype("f4").reshape(2, 4, TRACKS)
        truth = truth.mean(axis=1) if pooling == "mean" else truth.sum(axis=1)
        assert np.allclose(task.read("train").targets([3])[0], truth)


def test_records_are_split_anew(tmp_path: Path) -> None:
    write_records(tmp_path / "r")
    settings = {"records": tmp_path / "r", "fractions": ["0.4", "0.3", "0.3"]}
    task = build(tmp_path / "a", **settings).task
    assert task.spec.rows == {"train": 4, "valid": 2, "test": 3}
    ends = [task.read(split).frame["end"].max() for split in task.splits]
    assert ends == sorted(ends)
    assert "along the genome" in task.spec.splits
    (tmp_path / "r" / "sequences.bed").unlink()
    task = build(tmp_path / "b", **settings).task
    assert "in the records' order" in task.spec.splits
    assert task.read("train").frame["chrom"].null_count() == 4
    # Files are in the order of their groups' names.
    assert task.read("train").frame["id"].to_list()[:2] == ["test-0:1", "test-0:2"]


def test_folds_are_named(tmp_path: Path) -> None:
    write_records(tmp_path / "r", bed=False)
    for path in (tmp_path / "r" / "tfrecords").glob("*.tfr"):
        name = (
            path.name.replace("train", "fold0").replace("valid", "fold1").replace("test", "fold2")
        )
        path.rename(path.with_name(name))
    (tmp_path / "r" / "statistics.json").write_text(
        (tmp_path / "r" / "statistics.json").read_text().replace("_seqs", "_total")
    )
    with pytest.raises(ConfigError, match="the records are of fold0, fold1, fold2; say which"):
        build(tmp_path / "t", records=tmp_path / "r")
    with pytest.raises(ConfigError, match="there are no records of fold7"):
        build(tmp_path / "t", records=tmp_path / "r", valid=["fold1"], test=["fold7"])
    task = build(tmp_path / "t", records=tmp_path / "r", valid=["fold1"], test=["fold2"]).task
    assert task.spec.rows == {"train": 5, "valid": 2, "test": 2}


def test_masked_values_are_counted(tmp_path: Path) -> None:
    held = write_records(tmp_path / "r")
    path = tmp_path / "r" / "tfrecords" / "valid-0.tfr"
    records = []
    for codes, targets in held["valid"]:
        masked = targets.copy()
        masked[2, 1] = np.nan
        records.append(example(sequence=codes.tobytes(), target=masked.tobytes()))
    path.write_bytes(framed(*records))
    built = build(tmp_path / "t", records=tmp_path / "r")
    assert built.counts["masked values"] == 2
    assert built.task.read("valid").frame["masked"].to_list() == [1, 1]
    assert np.isnan(built.task.read("valid").targets([0])).sum() == 1


@pytest.mark.parametrize(
    ("change", "settings", "said"),
    [
        ("statistics.json", {}, "no such file"),
        ("targets.txt", {}, "no such file"),
        ("tfrecords/train-1.tfr", {}, "5 train records, but the files hold 3"),
        ("short", {}, "train-0.tfr: the file is cut short"),
        ("bit", {}, "the compressed data is damaged"),
        ("", {"layout": "one_hot"}, "written as indices, not one_hot; add --layout indices"),
        ("table", {}, "2 tracks, but the records have 3"),
        ("", {"bin_size": 24}, "bins of 24 bases cannot be made of 8 bins of 8"),
        ("", {"window": 10}, "--window is not for records"),
        ("", {"regions": "a.bed"}, "--regions is not for records"),
        ("", {"fractions": ["1", "0", "0"], "valid": ["a"]}, "give one or the other"),
        ("", {"valid": ["train"], "test": ["train"]}, "is in valid and test"),
        ("empty", {}, "the files hold no records"),
    ],
)
def test_bad_records_are_one_line_and_nothing_is_written(
    tmp_path: Path, change: str, settings: dict[str, object], said: str
) -> None:
    folder = tmp_path / "r"
    write_records(folder)
    first = folder / "tfrecords" / "train-0.tfr"
    content = first.read_bytes()
    if change == "short":
        first.write_bytes(content[:-20])
    elif change == "bit":
        first.write_bytes(content[:100] + bytes([content[100] ^ 1]) + content[101:])
    elif change == "table":
        (folder / "targets.txt").write_text("identifier\na\nb\n")
    elif change == "empty":
        for path in (folder / "tfrecords").iterdir():
            path.write_bytes(zlib.compress(b""))
    elif change:
        (folder / change).unlink()
    with pytest.raises(UserError, match=said) as caught:
        build(tmp_path / "t", records=folder, **settings)
    assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["r"]


def test_another_genome_is_refused(tmp_path: Path) -> None:
    write_records(tmp_path / "r")
    (tmp_path / "g.fa").write_text(">chr9\nACGT\n")
    with pytest.raises(DataError, match=r"g\.fa: it holds none of the 9 records"):
        build(tmp_path / "t", records=tmp_path / "r", genome=tmp_path / "g.fa")
    (tmp_path / "r" / "sequences.bed").unlink()
    with pytest.raises(ConfigError, match=r"are not known without sequences\.bed"):
        build(tmp_path / "t", records=tmp_path / "r", genome=tmp_path / "g.fa")
    assert not (tmp_path / "t").exists()


def test_missing_files_may_be_left_out(tmp_path: Path) -> None:
    write_records(tmp_path / "r", bed=False)
    (tmp_path / "r" / "tfrecords" / "train-1.tfr").unlink()
    task = build(tmp_path / "t", records=tmp_path / "r", allow_partial=True).task
    assert task.spec.rows == {"train": 3, "valid": 2, "test": 2}


def test_no_damage_of_records_goes_unseen(tmp_path: Path) -> None:
    """Whatever bytes are changed or cut off: one line, or records as they were."""
    held = write_records(tmp_path / "r")
    path = tmp_path / "r" / "tfrecords" / "train-0.tfr"
    content, random_ = path.read_bytes(), random.Random(0)
    plain = zlib.decompress(content)
    said: list[str] = []
    for turn in range(150):
        damaged = bytearray(content if turn % 2 else plain)
        for _ in range(random_.randint(0, 3)):
            damaged[random_.randrange(len(damaged))] = random_.randrange(256)
        if turn % 3 == 0:
            del damaged[random_.randrange(len(damaged)) :]
        path.write_bytes(damaged)
        try:
            task = build(tmp_path / "t", records=tmp_path / "r").task
        except UserError as error:
            said.append(str(error))
            continue
        found = task.read("train").read(range(5))
        for row, (codes, targets) in enumerate(held["train"]):
            assert np.array_equal(found.sequences[row], codes)
            assert np.array_equal(found.targets[row], targets)
        shutil.rmtree(tmp_path / "t")
    assert len(said) > 100
    assert not any("\n" in line for line in said)
    assert not (tmp_path / "t").exists()


@pytest.mark.slow
def test_a_build_that_is_killed_leaves_nothing_and_runs_again(tmp_path: Path) -> None:
    write_records(tmp_path / "r")
    script = (
        "import sys, pathlib, time\n"
        "from attendna.core.execution import Execution\n"
        "from attendna.tasks import track_writer\n"
        "from attendna.tasks.builders.tracks import TracksConfig\n"
        "write = track_writer.Records.write\n"
        "def slow(self, records):\n"
        "    told = write(self, records)\n"
        "    print('written', flush=True)\n"
        "    time.sleep(60)\n"
        "    return told\n"
        "track_writer.Records.write = slow\n"
        "here = pathlib.Path(sys.argv[1])\n"
        "TracksConfig(records=here / 'r').build(here / 't', Execution())\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, env=environment
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"written\n"
    process.send_signal(signal.SIGKILL)
    process.wait(30)
    assert not (tmp_path / "t").exists()
    assert list(tmp_path.glob(".t.*.partial"))
    build(tmp_path / "t", records=tmp_path / "r")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r", "t"]


# ------------------------------------------------------------------------------ from bigWig files


@pytest.fixture
def signals(tmp_path: Path) -> dict[str, object]:
    pybigtools = pytest.importorskip("pybigtools")
    generator = np.random.default_rng(0)
    letters = ["".join(generator.choice(list("ACGT"), 400)) for _ in range(3)]
    text = "".join(f">chr{n}\n{sequence}\n" for n, sequence in enumerate(letters, start=1))
    (tmp_path / "g.fa").write_text(text)
    (tmp_path / "regions.bed").write_text(
        "".join(f"chr{n}\t{start}\t{start + 10}\n" for n in (1, 2, 3) for start in (60, 200, 390))
    )
    lengths = {"chr1": 400, "chr2": 400, "chr3": 400}
    for name in "abc":
        runs = [
            (chrom, start, start + 10, float(generator.integers(0, 50)))
            for chrom in lengths
            for start in range(0, 400, 20)
        ]
        pybigtools.open(str(tmp_path / f"{name}.bw"), "w").write(lengths, iter(runs))
    (tmp_path / "targets.txt").write_text(TABLE)
    return {
        "targets": tmp_path / "targets.txt",
        "genome": tmp_path / "g.fa",
        "regions": tmp_path / "regions.bed",
        "window": WINDOW,
        "crop": 16,
        "bin_size": 8,
        "no_data": "zero",
        "valid": ["chr2"],
        "test": ["3"],
    }


def test_bigwigs_are_binned(tmp_path: Path, signals: dict[str, object]) -> None:
    import pybigtools

    built = build(tmp_path / "t", **signals)
    assert built.counts["windows over the end of a contig"] == 3
    assert built.task.spec.rows == {"train": 2, "valid": 2, "test": 2}
    two = build(tmp_path / "u", Execution(workers=2), **signals)
    assert two.task.split_hash() == built.task.split_hash()
    task = open_track_task(tmp_path / "t")
    reference = open_reference(tmp_path / "g.fa", keep_in_memory=True)
    for split in task.splits:
        part = task.read(split)
        found = part.read(range(len(part)))
        places = part.frame.select("chrom", "start", "end").rows()
        for row, (chrom, start, end) in enumerate(places):
            assert np.array_equal(found.sequences[row], reference.sequence(chrom, start, end))
            for track, (name, clip, scale, mean) in enumerate(
                (("a", 32, 1, False), ("b", 32, 1, False), ("c", 1e9, 2, True))
            ):
                bases = pybigtools.open(str(tmp_path / f"{name}.bw")).values(
                    chrom, start + 16, end - 16, fillna=0
                )
                truth = bases.reshape(BINS, 8) * scale
                truth = np.minimum(truth.mean(axis=1) if mean else truth.sum(axis=1), clip)
                assert np.allclose(found.targets[row, :, track], truth, atol=0.05)


def test_a_genome_is_tiled(tmp_path: Path, signals: dict[str, object]) -> None:
    signals.pop("regions")
    built = build(tmp_path / "t", **signals, stride=96)
    assert built.task.spec.rows == {"train": 4, "valid": 4, "test": 4}


@pytest.mark.parametrize(
    ("change", "kind", "said"),
    [
        ({"no_data": None}, ConfigError, "give --no-data zero or --no-data nan"),
        ({"regions": None}, ConfigError, "give --regions or --stride"),
        ({"stride": 5}, ConfigError, "give --regions or --stride"),
        ({"genome": None}, ConfigError, "give --records, or --targets and --genome"),
        ({"valid": (), "test": ()}, ConfigError, "there are no splits"),
        ({"bin_size": 7}, ConfigError, "64 bases are not divided by bins of 7"),
        ({"crop": 48}, ConfigError, "are not divided"),
        ({"layout": "indices"}, ConfigError, "--layout is not for bigWig files"),
        ({"window": 5000, "crop": 4}, DataError, "none of 9 windows can be had"),
    ],
)
def test_what_is_impossible_is_one_line(
    tmp_path: Path,
    signals: dict[str, object],
    change: dict[str, object],
    kind: type[Exception],
    said: str,
) -> None:
    with pytest.raises(kind, match=said) as caught:
        build(tmp_path / "t", **(signals | change))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "t").exists()


def test_a_contig_that_a_bigwig_lacks_is_refused(
    tmp_path: Path, signals: dict[str, object]
) -> None:
    import pybigtools

    path = tmp_path / "b.bw"
    pybigtools.open(str(path), "w").write({"chr1": 400}, iter([("chr1", 0, 9, 1.0)]))
    with pytest.raises(WindowError, match=r"b\.bw has no contig chr2"):
        build(tmp_path / "t", **signals)
    assert not (tmp_path / "t").exists()
    built = build(tmp_path / "t", **(signals | {"absent_contig": "no_data", "no_data": "nan"}))
    assert built.counts["masked values"] > 4 * BINS


# ------------------------------------------------------------------------------------- real files


@pytest.mark.parametrize(
    ("build_name", "rows", "tracks", "unknown"),
    [
        ("hg38", {"train": 45, "valid": 10, "test": 10}, 74, 1_000),
        ("mm10", {"train": 28, "valid": 13, "test": 13}, 32, 1),
    ],
)
def test_the_real_records(
    shared: Path,
    tmp_path: Path,
    build_name: str,
    rows: dict[str, int],
    tracks: int,
    unknown: int,
) -> None:
    """Every record is the sequence at its place, and every sum that of a direct reading."""
    folder = shared / "tfrecords" / build_name
    begun = time.monotonic()
    built = build(
        tmp_path / "t",
        records=folder,
        genome=shared / "genome" / f"{build_name}_regions.fa.gz",
    )
    assert time.monotonic() - begun < 60
    assert built.counts == {
        "records": sum(rows.values()),
        "unknown bases": unknown,
        "masked values": 0,
        "records equal to the genome": sum(rows.values()),
        "records that overlap another split": 0,
    }
    task = open_track_task(tmp_path / "t")
    assert task.spec.rows == rows
    assert (task.spec.window, task.spec.bins, task.spec.bin_size) == (131_072, 2_048, 32)
    assert (task.spec.crop, task.spec.tracks) == (32_768, tracks)
    for split, count in rows.items():
        part = task.read(split)
        files = sorted(
            (folder / "tfrecords").glob(f"{split}-*.tfr"),
            key=lambda path: int(path.stem.rpartition("-")[2]),
        )
        examples = (one for path in files for one in read_examples(path))
        for row, one in enumerate(examples):
            found = part.read([row])
            truth = np.frombuffer(one["target"], "f2").reshape(2_048, tracks)
            assert found.sequences[0].tobytes() == one["sequence"]
            assert np.array_equal(found.targets[0], truth)
        assert row == count - 1
    wide = task.read("test", bin_size=128)
    truth = truth.astype("f4").reshape(512, 4, tracks).mean(axis=1)
    assert np.allclose(wide.targets([count - 1])[0], truth)


def test_records_without_statistics_are_the_same_task(tmp_path: Path) -> None:
    write_records(tmp_path / "r", bed=False)
    expected = build(tmp_path / "a", records=tmp_path / "r").task
    (tmp_path / "r" / "statistics.json").unlink()
    (tmp_path / "r" / "targets.txt").rename(tmp_path / "tracks.tsv")
    for split in ("train", "valid", "test"):
        paths = sorted((tmp_path / "r" / "tfrecords").glob(f"{split}-*"))
        for number, path in enumerate(paths):
            path.rename(tmp_path / "r" / f"{split}-{number:05}-of-{len(paths):05}")
    settings = {"records": tmp_path / "r"}
    with pytest.raises(DataError, match="name the table of tracks with --targets"):
        build(tmp_path / "b", **settings)
    settings |= {"targets": tmp_path / "tracks.tsv"}
    with pytest.raises(DataError, match="or give --pool-width, --crop and --targets"):
        build(tmp_path / "b", **settings)
    with pytest.raises(DataError, match="correct --targets, --pool-width or --crop"):
        build(tmp_path / "b", **settings, pool_width=8)
    settings |= {"pool_width": 8, "crop": CROP}
    task = build(tmp_path / "b", **settings).task
    for split in expected.splits:
        rows = range(len(expected.read(split)))
        one, two = (each.read(split).read(rows) for each in (expected, task))
        assert np.array_equal(one.sequences, two.sequences)
        assert np.array_equal(one.targets, two.targets)
    assert task.read("train").frame["id"].n_unique() == 5
    (tmp_path / "r" / "train-00001-of-00003").unlink()
    with pytest.raises(DataError, match=r"train-00001-of-00003 is missing.*--allow-partial"):
        build(tmp_path / "c", **settings)
    assert build(tmp_path / "c", **settings, allow_partial=True).task.spec.rows["train"] == 3


def test_options_of_records_contradict_no_statistics(tmp_path: Path) -> None:
    write_records(tmp_path / "r")
    for name in ("pool_width", "crop"):
        with pytest.raises(
            ConfigError, match=f"--{name.replace('_', '-')} is not for records with"
        ):
            build(tmp_path / "t", records=tmp_path / "r", **{name: 8})
    (tmp_path / "r" / "sequences.bed").unlink()
    rules = ["train*=train", "valid*=test", "test*=test"]
    task = build(tmp_path / "t", records=tmp_path / "r", split_of=rules, allow_partial=True).task
    assert task.spec.rows == {"train": 5, "test": 4}

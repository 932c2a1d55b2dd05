"""Folders of training records, written from the description of their format."""

import json
import zlib
from pathlib import Path

import numpy as np
import polars as pl
from numpy import ndarray
from tests.tasks.test_tfrecord import example, framed

from attendna.tasks.track_spec import TrackSpec
from attendna.tasks.track_targets import read_targets
from attendna.tasks.track_writer import Slot, track_writer
from attendna.tasks.tracks import TrackTask

WINDOW, BINS, BIN_SIZE, CROP, TRACKS = 96, 8, 8, 16, 3
SPLITS = {"train": 5, "valid": 2, "test": 2}
TABLE = (
    "\tidentifier\tfile\tclip\tscale\tsum_stat\tstrand_pair\tdescription\n"
    "0\tA+\ta.bw\t32\t1\tsum\t1\tCAGE:liver\n"
    "1\tA-\tb.bw\t32\t1\tsum\t0\tCAGE:liver\n"
    "2\tB\tc.bw\t\t2\tmean\t2\tCHIP:H3K4me3:liver\n"
)


def one_record(
    random: np.random.Generator, kind: str = "f2", *, one_hot: bool = False
) -> tuple[ndarray, ndarray, bytes]:
    """Codes, targets, and the example that holds both."""
    codes = random.integers(0, 5, WINDOW, dtype=np.uint8)
    targets = random.gamma(1, 2, (BINS, TRACKS)).astype(kind)
    written = np.eye(5, dtype=np.uint8)[codes][:, :4] if one_hot else codes
    return codes, targets, example(sequence=written.tobytes(), target=targets.tobytes())


def write_records(
    folder: Path, *, kind: str = "f2", one_hot: bool = False, bed: bool = True, **statistics: int
) -> dict[str, list[tuple[ndarray, ndarray]]]:
    """Write a folder of records, two in each file, and return what it holds."""
    random = np.random.default_rng(0)
    (folder / "tfrecords").mkdir(parents=True)
    (folder / "targets.txt").write_text(TABLE)
    told = {
        "num_targets": TRACKS,
        "seq_length": WINDOW,
        "target_length": BINS,
        "pool_width": BIN_SIZE,
        "crop_bp": CROP,
        **{f"{split}_seqs": count for split, count in SPLITS.items()},
    }
    (folder / "statistics.json").write_text(json.dumps(told | statistics))
    held: dict[str, list[tuple[ndarray, ndarray]]] = {}
    lines, place = [], 0
    for split, count in SPLITS.items():
        records = [one_record(random, kind, one_hot=one_hot) for _ in range(count)]
        held[split] = [(codes, targets) for codes, targets, _ in records]
        for number, first in enumerate(range(0, count, 2)):
            content = framed(*(record for _, _, record in records[first : first + 2]))
            path = folder / "tfrecords" / f"{split}-{number}.tfr"
            path.write_bytes(zlib.compress(content))
        for _ in range(count):
            lines.append(f"chr1\t{place + CROP}\t{place + WINDOW - CROP}\t{split}\n")
            place += WINDOW
    if bed:
        (folder / "sequences.bed").write_text("".join(lines))
    return held


def write_track_task(folder: Path, **settings: object) -> TrackTask:
    """A folder of tracks whose record r of a split is all base r % 4, with targets r."""
    (folder.parent / "targets.txt").write_text(TABLE)
    spec = TrackSpec(
        name="t",
        window=WINDOW,
        bin_size=BIN_SIZE,
        bins=BINS,
        crop=CROP,
        tracks=TRACKS,
        rows={"train": 5, "valid": 2, "test": 2},
        **settings,
    )
    with track_writer(folder, spec, read_targets(folder.parent / "targets.txt")) as writer:
        for split, count in SPLITS.items():
            records = (
                (
                    Slot(split, row),
                    np.full(WINDOW, row % 4, np.uint8),
                    np.full((BINS, TRACKS), row, np.float32),
                )
                for row in reversed(range(count))
            )
            writer.tell(writer.records.write(records))
        nowhere = {"chrom": pl.String, "start": pl.Int64, "end": pl.Int64}
        writer.finish(
            {
                split: pl.DataFrame({"id": [f"{split}{n}" for n in range(count)]}).with_columns(
                    pl.lit(None, kind).alias(name) for name, kind in nowhere.items()
                )
                for split, count in SPLITS.items()
            }
        )
    return writer.task

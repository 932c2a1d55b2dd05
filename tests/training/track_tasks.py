"""Small tasks of tracks in which there is something to learn: what is rich in G and C is open."""

from pathlib import Path

import numpy as np
import polars as pl

from attendna.tasks.track_spec import TrackSpec
from attendna.tasks.track_targets import read_targets
from attendna.tasks.track_writer import Slot, track_writer
from attendna.tasks.tracks import TrackTask

WINDOW, BINS, BIN_SIZE, CROP = 384, 32, 8, 64
ROWS = {"train": 6, "valid": 3, "test": 4}
TABLE = (
    "\tidentifier\tclip\tscale\tsum_stat\tstrand_pair\tdescription\n"
    "0\tA+\t32\t1\tsum\t1\tCAGE:liver\n"
    "1\tA-\t32\t1\tsum\t0\tCAGE:liver\n"
    "2\tB\t\t2\tmean\t2\tDNASE:liver\n"
)


def signal(codes: np.ndarray) -> np.ndarray:
    """G on the one strand, C on the other, both where there is no strand."""
    inner = codes[CROP:-CROP].reshape(BINS, BIN_SIZE)
    parts = (inner == 2).sum(1), (inner == 1).sum(1), ((inner == 1) | (inner == 2)).sum(1)
    return np.stack(parts, axis=1).astype(np.float32)


def write_task(folder: Path, seed: int = 0, *, masked: bool = False) -> TrackTask:
    """A task whose records lie one after the other on chr1 of :func:`genome_of`."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    (folder.parent / "targets.txt").write_text(TABLE)
    spec = TrackSpec(
        name=folder.name,
        window=WINDOW,
        bin_size=BIN_SIZE,
        bins=BINS,
        crop=CROP,
        tracks=3,
        rows=ROWS,
    )
    genome = genome_of(seed)
    places: dict[str, pl.DataFrame] = {}
    with track_writer(folder, spec, read_targets(folder.parent / "targets.txt")) as writer:
        place = 1000
        for split, count in ROWS.items():
            starts = place + WINDOW * np.arange(count)
            place += WINDOW * count
            records = []
            for row, start in enumerate(starts):
                codes = genome[start : start + WINDOW]
                values = signal(codes)
                if masked:
                    values[3:6] = np.nan
                records.append((Slot(split, row), codes, values))
            writer.tell(writer.records.write(records))
            places[split] = pl.DataFrame(
                {
                    "id": [f"{split}{row}" for row in range(count)],
                    "chrom": ["chr1"] * count,
                    "start": starts,
                    "end": starts + WINDOW,
                }
            )
        writer.finish(places)
    return writer.task


def genome_of(seed: int) -> np.ndarray:
    """Codes of the chromosome, in stretches rich and poor in G and C."""
    random = np.random.default_rng(seed)
    rich = np.repeat(random.random(400) < 0.5, 20)
    odds = np.where(rich[:, None], [0.1, 0.4, 0.4, 0.1], [0.4, 0.1, 0.1, 0.4]).cumsum(1)
    return (random.random(rich.size)[:, None] > odds).sum(1).astype(np.uint8)


SMALL = {
    "model": {
        "name": "enformer",
        "width": 24,
        "depth": 2,
        "stages": 3,
        "multiple": 4,
        "bins": BINS,
        "dropout": 0.1,
        "attention": {"heads": 2, "key_width": 4, "sparse": {"block": 4}},
    },
    "optimizer": {"learning_rate": 0.01, "weight_decay": 0.0},
    "trainer": {"steps": 12, "validations": 3, "threads": 1, "device": "cpu"},
}
"""Settings of a training that takes seconds."""

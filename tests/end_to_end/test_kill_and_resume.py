"""A training that is killed at any moment and resumed ends as if nothing had happened."""

import csv
import random
import signal
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.nursery import Nursery
from tests.planted import plant

KILLS = 5
SETTINGS: dict[str, Any] = {
    "tokenizer": "onehot",
    "model": {"name": "encoder", "width": 8, "blocks": 1, "heads": 2, "dropout": 0.2},
    "strands": "conjoined",
    "members": 2,
    "variants": [
        {"name": "pooled", "set": {"model.pooling": "mean_max"}},
        {"name": "placed", "set": {"model.pooling": "bins", "strands": "single"}},
    ],
    "probe": {"share": 0.5, "tie": 1.0},
    "augmentation": {"shift": 2, "mask": 0.05},
    # Saved every third of a second, so also within rounds.
    "trainer": {
        "epochs": 6,
        "batch_size": 16,
        "validations": 5,
        "save_every": 0.005,
        "threads": 1,
    },
}


def untimed(log: Path) -> list[dict[str, str]]:
    """The log without what the clock says."""
    with log.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    clock = ("seconds", "sequences_per_second")
    return [{key: value for key, value in row.items() if key not in clock} for row in rows]


@pytest.mark.slow
def test_five_kills_change_nothing(tmp_path: Path, nursery: Nursery) -> None:
    task = plant(tmp_path / "task", rows=(160, 80, 20)).folder
    settings = tmp_path / "run.yaml"
    settings.write_text(yaml.safe_dump(SETTINGS))
    words = ("train", settings, "--task", task, "--out")

    code, length = nursery.run(*words, tmp_path / "whole")
    assert code == 0, nursery.errors.read_text()

    draw = random.Random()
    killed = 0
    for kill in range(KILLS):
        out = tmp_path / f"killed-{kill}"
        # One at a random moment of each fifth; the last run is killed again while it is resumed.
        moments = [length * draw.uniform(kill / KILLS, (kill + 1) / KILLS)]
        moments += [length * draw.uniform(0, 0.5)] if kill == KILLS - 1 else []
        for moment in moments:
            code, _ = nursery.run(*words, out, "--resume", kill_after=moment)
            assert code in (-signal.SIGKILL, 0), nursery.errors.read_text()
            killed += code != 0
        assert nursery.run(*words, out, "--resume")[0] == 0, nursery.errors.read_text()
        where = f"killed after {moments} of {length:.2f} seconds"
        for name in ("model.safetensors", "metrics.json", "search.json", "run.yaml"):
            assert (out / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), where
        assert untimed(out / "log.csv") == untimed(tmp_path / "whole" / "log.csv"), where
        left = [path for path in out.rglob("*") if ".partial" in path.name]
        assert left == [], where
    assert killed >= KILLS - 1

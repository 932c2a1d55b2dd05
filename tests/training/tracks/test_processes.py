"""Several processes that train one model."""

import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
import yaml
from tests.training.track_tasks import SMALL, write_task

from attendna.core.errors import ConfigError
from attendna.models.track_checkpoint import load_tracks
from attendna.training.tracks.config import TrackRunConfig
from attendna.training.tracks.train import train_tracks

pytest.importorskip("zarr")

TOGETHER = SMALL | {"trainer": SMALL["trainer"] | {"devices": 2, "steps": 4, "validations": 2}}


@pytest.mark.slow
def test_two_processes_train_one_model(tmp_path: Path) -> None:
    write_task(tmp_path / "human")
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(TOGETHER))
    words = ["train", "run.yaml", "--task", "human=human", "--out", "run"]
    source = str(Path(__file__).parents[3] / "src")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"),
            *("-m", "attendna", *words),
        ],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": source, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    # One of them speaks and writes.
    assert done.stderr.count("training on") == 1
    assert pl.read_csv(tmp_path / "run" / "log.csv")["step"].to_list() == [2, 4]
    # A step of two processes takes two of the six records.
    assert pl.read_csv(tmp_path / "run" / "log.csv")["epoch"].to_list() == [0.6667, 1.3333]
    assert load_tracks(tmp_path / "run")[0].heads.keys() == {"human"}


def test_a_folder_is_not_replaced_by_many(tmp_path: Path) -> None:
    config = TrackRunConfig.model_validate(TOGETHER)
    with pytest.raises(ConfigError, match="remove the folder yourself"):
        train_tracks(config, {"human": tmp_path}, tmp_path / "run", force=True)

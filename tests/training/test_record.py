import csv
import math
from pathlib import Path

import pytest

from attendna.training.record import Record, write_log
from attendna.training.run import OptimizerConfig, RunFolder, TrainerConfig
from attendna.training.schedule import Schedule

PLAN = Schedule.plan(TrainerConfig(epochs=5, batch_size=10), OptimizerConfig(), 100)


def record(tmp_path: Path, *values: float, lower: bool = False, patience: int | None = None):
    """A record to which rounds with these values of the monitored measure came."""
    made = Record(
        RunFolder(tmp_path),
        PLAN,
        validate=dict,
        keep=lambda: None,
        monitor="mcc",
        lower_is_better=lower,
        patience=patience,
        save_every=60.0,
    )
    for value in values:
        made.add({"step": float(PLAN.ends[len(made.rows)]), "valid_mcc": value})
    return made


@pytest.mark.parametrize(
    ("values", "lower", "best"),
    [
        ((0.1, 0.3, 0.2), False, 1),
        ((0.1, 0.3, 0.2), True, 0),
        ((0.3, 0.3), False, 0),
        ((math.nan, 0.1, math.nan), False, 1),
        ((math.nan, 0.1, 0.2), True, 1),
        ((0.1, math.nan), False, 0),
    ],
)
def test_the_best_round(tmp_path: Path, values: tuple[float, ...], lower: bool, best: int) -> None:
    made = record(tmp_path, *values, lower=lower)
    assert made.best_round == best
    assert made.best is made.rows[best]


@pytest.mark.parametrize(
    ("values", "patience", "done"),
    [
        ((), 1, False),
        ((0.1,), 1, False),
        ((0.2, 0.1), 1, True),
        ((0.2, 0.1), 2, False),
        ((0.2, 0.1, 0.3, 0.2), 2, False),
        ((0.2, 0.1, 0.1), None, False),
        ((0.1, 0.2, 0.3, 0.4, 0.5), None, True),
    ],
)
def test_when_training_is_done(
    tmp_path: Path, values: tuple[float, ...], patience: int | None, done: bool
) -> None:
    assert record(tmp_path, *values, patience=patience).done is done


def test_the_state_brings_the_log_back_to_where_it_was(tmp_path: Path) -> None:
    made = record(tmp_path, 0.1, 0.2)
    state = made.state_dict()
    write_log(tmp_path / "log.csv", [*made.rows, {"step": 30.0, "valid_mcc": 0.9}])
    again = record(tmp_path)
    again.load_state_dict(state)
    assert again.rows == made.rows
    assert again.best_round == 1
    with (tmp_path / "log.csv").open() as stream:
        assert [row["step"] for row in csv.DictReader(stream)] == ["10.0", "20.0"]


def test_the_log_keeps_every_digit(tmp_path: Path) -> None:
    rows = [{"step": 1.0, "valid_loss": 0.1 + 0.2}, {"step": 2.0, "valid_loss": math.nan}]
    write_log(tmp_path / "log.csv", rows)
    with (tmp_path / "log.csv").open() as stream:
        read = [{k: float(v) for k, v in row.items()} for row in csv.DictReader(stream)]
    assert read[0] == rows[0]
    assert math.isnan(read[1]["valid_loss"])


def test_a_log_without_rows_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("step\n1\n")
    write_log(tmp_path / "log.csv", [])
    assert not (tmp_path / "log.csv").exists()

"""The runs of a study as one tidy table, and what each predicts for the test rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from attendna.core.delimited import read_numbers
from attendna.core.errors import FolderError
from attendna.core.parquet import read_parquet
from attendna.evaluation.evaluate import PREDICTIONS_FILE, read_metrics
from attendna.evaluation.measures import TrackSample, sample_of
from attendna.evaluation.metrics import Sample
from attendna.models.header import FILE as WEIGHTS_FILE
from attendna.models.header import read_header
from attendna.prediction.transfer import BACKBONE
from attendna.studies.execute import Status, StudyFolder, read_note
from attendna.studies.study import Row, Study
from attendna.tasks.spec import LabelKind
from attendna.tasks.store import Split

SCHEMA: dict[str, Any] = {
    "task": pl.String, "row": pl.String, "seed": pl.Int64, "metric": pl.String,
    "value": pl.Float64, "low": pl.Float64, "high": pl.Float64, "n": pl.Int64,
    "seconds": pl.Float64, "parameters": pl.Int64, "status": pl.String, "reason": pl.String,
}  # fmt: skip


@dataclass(frozen=True)
class Run:
    """One run of a study, and how it stands."""

    row: Row
    seed: int
    folder: Path
    status: Status
    reason: str = ""


def runs_of(study: Study, folder: StudyFolder) -> Iterator[Run]:
    """Every run of the study, those that were not begun too; seeds of earlier calls come last."""
    for row in study.rows():
        begun = folder.run(row, 0).parent.glob("*")
        seeds = {int(path.stem) for path in begun if path.stem.isdigit()}
        for seed in (*study.seeds, *sorted(seeds - set(study.seeds))):
            path = folder.run(row, seed)
            note = read_note(path)
            if any(measured["split"] == "test" for measured in read_metrics(path)):
                yield Run(row, seed, path, "finished")
            elif note is not None:
                yield Run(row, seed, path, note.status, note.reason)
            else:
                yield Run(row, seed, path, "not run")


def results(study: Study, runs: list[Run]) -> pl.DataFrame:
    """A row for every metric of every run, and one for each run that came to nothing."""
    axes: dict[str, Any] = dict.fromkeys(study.axes, pl.String)
    found = pl.DataFrame([line for run in runs for line in _lines(study, run)], SCHEMA | axes)
    return found.select(pl.lit(study.title).alias("study"), "task", "row", *axes, pl.all().exclude(
        "task", "row", *axes
    ))  # fmt: skip


def _lines(study: Study, run: Run) -> Iterator[dict[str, Any]]:
    labels = [level.label for level in run.row.levels]
    line: dict[str, Any] = {
        "task": run.row.task, "row": run.row.name, "seed": run.seed,
        "status": run.status, "reason": run.reason, **dict(zip(study.axes, labels, strict=True)),
    }  # fmt: skip
    if run.status != "finished":
        yield line
        return
    line |= _costs(run.folder)
    for measured in read_metrics(run.folder):
        if measured["split"] == "test":
            yield line | {key: measured[key] for key in ("metric", "value", "low", "high", "n")}


def _costs(folder: Path) -> dict[str, Any]:
    """What the training of a run took, and how large its model is.

    A transfer has no log, and its model is the one it read with.
    """
    log, backbone = folder / "log.csv", folder / BACKBONE
    header = read_header((backbone if backbone.is_dir() else folder) / WEIGHTS_FILE)
    seconds = float(read_numbers(log, ("seconds",))["seconds"].sum()) if log.is_file() else None
    return {"seconds": seconds, "parameters": int(header["parameters"])}


def sample(run: Run, rows: Split, kind: LabelKind, classes: int) -> Sample | TrackSample:
    """What a finished run predicts for the test rows, beside their labels.

    Raises
    ------
    FolderError
        It was evaluated on other rows.
    """
    path = run.folder / PREDICTIONS_FILE
    frame = read_parquet(path, "remove the run and run again").filter(pl.col("split") == "test")
    if frame["id"].to_list() != list(rows.ids):
        raise FolderError(f"{path} is of other test rows", "remove the run and run again")
    values = frame.drop("task", "split", "id", "label").to_numpy()
    measured = read_metrics(run.folder)
    threshold = next(line["threshold"] for line in measured if line["split"] == "test")
    return sample_of(
        kind, rows.labels_of_all(classes), values, 0.5 if threshold is None else threshold
    )

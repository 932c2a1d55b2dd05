"""The page about a fine-tuning: the same rows before it and after it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from attendna.core.config import Tree
from attendna.core.content import read_json
from attendna.core.errors import FolderError
from attendna.core.files import publish_file
from attendna.evaluation.metrics import METRICS
from attendna.report import figures
from attendna.report.page import Chart, Page, cells
from attendna.report.run import Run
from attendna.report.sheet import Matrix, Section, Sheet, Table
from attendna.report.style import SPLIT_LINES
from attendna.report.template import measure, percent

SHOWN = ("accuracy", "precision", "recall", "specificity", "f1", "mcc", "auroc")
"""The metrics of the table, in its order; the others follow."""

TILES = ("accuracy", "mcc", "auroc")

_LINES = {"before": SPLIT_LINES["train"], "after": SPLIT_LINES["test"]}
_NAMES = {"before": "before", "after": "after"}


def write_finetuning(run: str | Path, out: str | Path) -> Path:
    """Write the page about a run of ``attendna finetune``.

    Raises
    ------
    FolderError
        The folder is no such run, or damaged.
    """
    with publish_file(Path(out)) as partial:
        FinetuningPage.read(run).sheet().write(partial)
    return Path(out)


@dataclass(frozen=True, eq=False)
class FinetuningPage:
    """A run, and what was measured before and after."""

    run: Run
    found: Tree
    """``finetuning.json``."""

    @classmethod
    def read(cls, folder: str | Path) -> "FinetuningPage":
        """The page of a run folder."""
        run, path = Run(Path(folder)), Path(folder) / "finetuning.json"
        try:
            return cls(run, dict(read_json(path)))
        except FileNotFoundError:
            raise FolderError(
                f"{folder} was not measured before and after", "make it with attendna finetune"
            ) from None
        except (ValueError, TypeError) as error:
            raise FolderError(f"{path} is damaged", "fine-tune again with --resume") from error

    def sheet(self) -> Sheet:
        """The page."""
        return Sheet(
            eyebrow="attendna finetune",
            title=str(self.found["task"]),
            lead=self._lead(),
            tiles=list(self._tiles()),
            sections=[self._measures(), self._matrices(), *self._training(), self._facts()],
        )

    @property
    def rows(self) -> list[dict[str, Any]]:
        """What was measured, in the order of the table."""
        rows: Sequence[dict[str, Any]] = self.found["metrics"]
        place = {name: number for number, name in enumerate(SHOWN)}
        return sorted(rows, key=lambda row: place.get(row["metric"], len(place)))

    @property
    def start(self) -> Tree:
        """What was started from."""
        return dict(self.run.config["start"])

    def _lead(self) -> str:
        by_name = {row["metric"]: row for row in self.rows}
        right, mcc = by_name["accuracy"], by_name["mcc"]
        gain = ""
        if mcc["difference"] is not None:
            ends = f"{measure(mcc['low'])} to {measure(mcc['high'])}"
            gain = f" The MCC changed by {measure(mcc['difference'])} ({ends})."
        return (
            f"Of {self.found['n']:,} {self.found['split']} sequences {percent(right['before'])} "
            f"were called right before anything was learned here, and {percent(right['after'])} "
            f"after.{gain}"
        )

    def _tiles(self) -> Iterator[tuple[str, str, str]]:
        for row in self.rows:
            if row["metric"] in TILES:
                before = f"before {measure(row['before'])}"
                yield METRICS[row["metric"]].title, measure(row["after"]), before

    def _measures(self) -> Section:
        columns = (
            "Metric",
            "Before",
            "95 % interval",
            "After",
            "95 % interval",
            "Change",
            "95 % interval",
        )
        table = Table(
            columns,
            [self._cells(row) for row in self.rows],
            caption="Intervals are by bootstrap over the sequences, that of the change paired. A "
            "head that has learned nothing calls from a probability of 1/2; afterwards the "
            "threshold is the one chosen on validation sequences.",
        )
        return Section("measures", "Before and after", charts=list(self._chart()), tables=[table])

    @staticmethod
    def _cells(row: dict[str, Any]) -> list[str]:
        def interval(low: float | None, high: float | None) -> str:
            return "–" if low is None or high is None else f"{measure(low)} to {measure(high)}"

        cells = [METRICS[row["metric"]].title]
        for name in _NAMES:
            cells += [measure(row[name]), interval(row[f"{name}_low"], row[f"{name}_high"])]
        return [*cells, measure(row["difference"]), interval(row["low"], row["high"])]

    def _chart(self) -> Iterator[Chart]:
        shown = [row for row in self.rows if row["metric"] in SHOWN]
        frame = pl.DataFrame(
            [
                {
                    "title": METRICS[row["metric"]].title,
                    "split": name,
                    "value": row[name],
                    "low": row[f"{name}_low"],
                    "high": row[f"{name}_high"],
                }
                for row in shown
                for name in _NAMES
            ]
        ).drop_nulls()
        if frame.height:
            figure = figures.metric_intervals(frame, _LINES, _NAMES)
            yield Chart("", "", figure, wide=True, data=frame)

    def _matrices(self) -> Section:
        thresholds, classes = self.found["thresholds"], self.found["classes"]
        matrices = [
            Matrix(
                name.capitalize()
                + (f", threshold {thresholds[name]:.3f}" if len(classes) == 2 else ""),
                classes,
                cells(np.array(self.found["confusion"][name], dtype=np.int64)),
            )
            for name in _NAMES
        ]
        text = "Sequences of each true class, and the share of it, that were given each class."
        return Section("confusion", "Confusion matrices", texts=[text], matrices=matrices)

    def _training(self) -> Iterator[Section]:
        page = Page(self.run)
        tables: list[Table] = []
        if page.variants:
            chosen = self.run.search["chosen"] if self.run.search else []
            rows = [
                [name, "taken" if name in chosen else "", measure(float(tried["score"]))]
                for name, tried in page.variants
            ]
            caption = "Each was tried first in a short training, and judged on validation rows."
            tables = [Table(["Settings", "", page.search_title], rows, 2, caption)]
        charts = list(page.training_charts())
        if charts or tables:
            yield Section(
                "training", "Fine-tuning", [page.training_sentence], charts=charts, tables=tables
            )

    def _facts(self) -> Section:
        start = self.start
        learns = "all of the model"
        if start["frozen"]:
            learns = "the head alone, on a body that stays as it was"
        elif start["lora"]:
            learns = f"adapters of rank {start['lora']['rank']}, and the head"
        facts = [
            ("Started from", str(start["run"])),
            ("Its weights", f"SHA-256 {start['weights']}"),
            ("Learned", learns),
            *Page(self.run).model_facts(),
        ]
        return Section("model", "The model", facts=facts)

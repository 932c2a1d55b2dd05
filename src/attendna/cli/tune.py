"""``attendna tune``: from a search file and a task folder to settings that are ready to train."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from attendna.cli.options import Json, Set, TaskFolder
from attendna.cli.output import print_json, say

if TYPE_CHECKING:
    from attendna.report.tuning import TuningPage
    from attendna.training.tuning.result import TuneResult

PAGE_FILE = "tune.html"


def tune(
    search: Annotated[
        Path, typer.Argument(metavar="SEARCH.yaml", help="What is searched, and how.")
    ],
    task: TaskFolder,
    out: Annotated[Path, typer.Option("--out", help="Folder of the search, new or begun.")],
    *,
    trials: Annotated[int, typer.Option("--trials", min=1, help="Trials in all.")] = 40,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Processes at a time.")] = 1,
    storage: Annotated[
        str | None,
        typer.Option("--storage", metavar="URL", help="A database for the trials; else a file."),
    ] = None,
    keep: Annotated[
        Literal["all", "best"],
        typer.Option("--keep", help="Weights of all trials, or of the best of each phase."),
    ] = "all",
    start: Annotated[
        Path | None,
        typer.Option(
            "--from", metavar="RUN", help="What every trial starts from: a run, or a checkpoint."
        ),
    ] = None,
    assignments: Set = None,
    json: Json = False,
) -> None:
    """Search for settings on the training rows, judged on the validation rows.

    The test rows are not read. A search that was stopped or killed goes on with the same command,
    each of its trainings at the step where it was; the same command on another machine that shares
    the folder helps. best.yaml is ready for `attendna train`, tune.html shows what mattered.
    """
    from json import dumps

    from attendna.training.tuning.search import Search
    from attendna.training.tuning.tune import tune

    changes = [*(assignments or ())]
    if start is not None:
        changes.append(f"start.run={dumps(str(start))}")
    result = tune(
        Search.read(search, changes),
        task,
        out,
        trials=trials,
        workers=workers,
        storage=storage,
        keep=keep,
    )
    write_page(result, out / PAGE_FILE)
    if json:
        counts = dict(result.trials.group_by("state").len().iter_rows())
        tree = {"out": out, "metric": result.tuning.metric, "trials": counts, "best": result.best}
        print_json(tree | {"importances": result.importances})
    if result.best is None:
        say("no trial was trained to its end; trials.parquet says why")
        return
    folder = result.tuning.folder
    say(f"best {result.tuning.metric} {result.best['value']:.4f}, wrote {folder.best}")


def write_page(result: "TuneResult", path: Path) -> None:
    """Write the page of a search."""
    from attendna.core.files import publish_file

    with publish_file(path) as partial:
        page(result).sheet().write(partial)


def page(result: "TuneResult") -> "TuningPage":
    """A search as its page shows it."""
    from attendna.report.tuning import TuningPage

    tuning, search = result.tuning, result.tuning.search
    subset = search.subset
    rows = "all" if subset is None else f"{subset.rows_a_class:,} of each class"
    return TuningPage(
        tuning.folder.read().task,
        tuning.metric,
        tuning.lower_is_better,
        result.trials,
        result.logs,
        {key: getattr(dimension, "log", False) for key, dimension in search.space.items()},
        result.importances,
        result.best,
        [
            ("Sampler", f"{search.sampler.name}, seed {search.sampler.seed}"),
            ("Stopped early by", search.pruner.name),
            ("Training rows of a trial", rows),
            ("Settings that won", "best.yaml beside this page"),
        ],
    )

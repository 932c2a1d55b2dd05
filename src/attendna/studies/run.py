"""From a study to its runs and tables; called again, it goes on where it was.

Written into the folder of the study: ``results.parquet`` with every metric of every run,
``summary.parquet`` with the lines of the table, and ``table.md``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from attendna.core.execution import Execution
from attendna.core.files import publish_file
from attendna.core.parquet import write_parquet
from attendna.studies.execute import LOCAL, Outcome, StudyFolder, execute, silent
from attendna.studies.results import results, runs_of
from attendna.studies.study import Study
from attendna.studies.summary import TaskSummary, summarize
from attendna.studies.table import markdown

RESULTS_FILE = "results.parquet"
SUMMARY_FILE = "summary.parquet"
TABLE_FILE = "table.md"


@dataclass(frozen=True, eq=False)
class StudyResult:
    """What a study has come to so far."""

    study: Study
    results: pl.DataFrame
    summaries: Sequence[TaskSummary]


def run_study(
    study: Study,
    out: str | Path,
    data: str | Path,
    *,
    execution: Execution = LOCAL,
    tasks: Mapping[str, Path] | None = None,
    only: Mapping[str, str] | None = None,
    say: Callable[[str], None] = silent,
    done: Callable[[Outcome], None] = silent,
) -> StudyResult:
    """Do the runs that are not done, then write the tables of all that are.

    See :func:`attendna.studies.execute.execute` for the parameters.

    Raises
    ------
    UserError
        Something is wrong with the study, its data or its folder.
    """
    places = execute(
        study, out, data, execution=execution, tasks=tasks, only=only, say=say, done=done
    )
    folder = StudyFolder(Path(out))
    say("tables")
    runs = list(runs_of(study, folder))
    found = results(study, runs)
    summaries = list(summarize(study, runs, places, folder))
    with publish_file(folder.path / RESULTS_FILE) as partial:
        write_parquet(found, partial)
    if summaries:
        with publish_file(folder.path / SUMMARY_FILE) as partial:
            write_parquet(pl.concat([summary.to_frame() for summary in summaries]), partial)
    with publish_file(folder.path / TABLE_FILE) as partial:
        partial.write_text(markdown(study, summaries, found), encoding="utf-8")
    return StudyResult(study, found, summaries)

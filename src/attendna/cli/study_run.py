"""``attendna study run``: settings side by side on tasks, as one table."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from attendna.cli.options import Json, Set, whole_numbers
from attendna.cli.output import print_json, say

if TYPE_CHECKING:
    from attendna.report.study import StudyPage
    from attendna.studies.execute import Outcome
    from attendna.studies.run import StudyResult

PAGE_FILE = "index.html"


def study_run(
    study: Annotated[str, typer.Argument(metavar="NAME|FILE", help="See `study list`.")],
    *,
    out: Annotated[Path, typer.Option("--out", help="Folder of the study, new or begun.")],
    data: Annotated[
        Path, typer.Option("--data", metavar="DIR", help="What $data stands for in the study.")
    ] = Path(),
    task: Annotated[
        list[str] | None,
        typer.Option("--task", metavar="NAME=DIR", help="A task folder of yours for a task."),
    ] = None,
    seeds: Annotated[
        list[str] | None,
        typer.Option("--seeds", metavar="0,1,2", help="Other seeds than the study's."),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="AXIS=LABEL", help="A part of the study; also task=NAME."),
    ] = None,
    assignments: Set = None,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Runs at a time.")] = 1,
    engine: Annotated[
        Literal["local", "ray"],
        typer.Option("--engine", help="Processes of this machine, or of a Ray cluster."),
    ] = "local",
    json: Json = False,
) -> None:
    """Train and evaluate every run of a study, and write its table.

    A study that was stopped or killed goes on with the same command: what is finished is not done
    again. A run that diverges or fails is reported in the table, and the others go on.
    """
    from attendna.core.config import parse_assignments
    from attendna.core.execution import Execution
    from attendna.studies.run import run_study
    from attendna.studies.study import read_study

    chosen = read_study(study)
    if seeds:
        chosen = chosen.replace(seeds=whole_numbers(seeds, "--seeds"))
    if assignments:
        chosen = chosen.fixing(parse_assignments(assignments))
        chosen.check()
    wanted = _pairs(only or [], "--only", "AXIS=LABEL")
    folders = {name: Path(path) for name, path in _pairs(task or [], "--task", "NAME=DIR").items()}
    count = sum(1 for _ in chosen.rows(wanted)) * len(chosen.seeds)
    told = iter(range(1, count + 1))

    def done(outcome: "Outcome") -> None:
        why = f": {outcome.reason}" if outcome.reason else ""
        say(f"{next(told)} of {count}  {outcome.title} {outcome.status}{why}")

    result = run_study(
        chosen,
        out,
        data.absolute(),
        execution=Execution(workers=workers, engine=engine),
        tasks=folders,
        only=wanted,
        say=say,
        done=done,
    )
    write_page(result, out / PAGE_FILE)
    if json:
        print_json([row for one in result.summaries for row in one.to_frame().to_dicts()])
    say(f"wrote {out / 'table.md'} and {out / PAGE_FILE}")


def _pairs(given: list[str], option: str, form: str) -> dict[str, str]:
    from attendna.core.errors import ConfigError

    found: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not (name and equals and value) or name in found:
            raise ConfigError(f"{option} {text}: not of the form, or given twice", f"write {form}")
        found[name] = value
    return found


def write_page(result: "StudyResult", path: Path) -> None:
    """Write the page of a study."""
    from attendna.core.files import publish_file

    with publish_file(path) as partial:
        page(result).sheet().write(partial)


def page(result: "StudyResult") -> "StudyPage":
    """A study as its page shows it."""
    from attendna.report.sheet import Table
    from attendna.report.study import Mark, MetricPart, StudyPage, TaskPart
    from attendna.report.trade import Point
    from attendna.studies.table import (
        COLUMNS,
        COSTS,
        COSTS_NOTE,
        NOTE,
        by_metric,
        cells,
        costs,
        judged_by,
        told_failures,
        verdict,
    )
    from attendna.studies.trade import trades

    metrics = judged_by(result.summaries)

    tasks: list[TaskPart] = []
    for summary in result.summaries:
        parts = [
            MetricPart(
                metric,
                [Mark(o.row, o.value, o.low, o.high, o.paper, o.kind) for o in lines],
                Table(COLUMNS, [cells(line) for line in lines], caption=metric),
            )
            for metric, lines in by_metric(summary.lines).items()
        ]
        points = [
            Point(one.row, one.value, one.parameters, one.seconds, one.efficient)
            for one in trades(result.results, summary.task, metrics[summary.task])
        ]
        tasks.append(TaskPart(summary.task, verdict(summary), parts, points))
    study = result.study
    return StudyPage(
        study.title,
        study.about,
        NOTE.format(reference=study.reference or "no row", others="The last rows"),
        tasks,
        Table(COSTS, costs(result.results, metrics), 2, COSTS_NOTE),
        list(told_failures(result.results)),
    )

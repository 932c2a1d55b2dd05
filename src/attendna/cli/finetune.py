"""``attendna finetune``: what a checkpoint is worth on a task, before and after it learned it."""

from math import nan
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from attendna.cli.options import (
    AllowPickle,
    Force,
    Hub,
    Json,
    Out,
    Resamples,
    Set,
    SplitOption,
    TaskFolder,
)
from attendna.cli.output import console, print_json, say, spell_interval, spell_number

PAGE = "finetuning.html"

METHODS = {
    "full": ["start.frozen=false", "start.lora=null"],
    "lora": ["start.frozen=false", "start.lora={}"],
    "probe": ["start.frozen=true", "start.lora=null"],
}
"""What each method changes in the settings."""

COLUMNS = (
    ("before", "before_low", "before_high"),
    ("after", "after_low", "after_high"),
    ("difference", "low", "high"),
)


def finetune(
    config: Annotated[Path, typer.Argument(metavar="RUN.yaml", help="The settings.")],
    task: TaskFolder,
    out: Out,
    *,
    start: Annotated[
        str,
        typer.Option(
            "--from", metavar="CHECKPOINT", help="A checkpoint folder, a hub name, or a run."
        ),
    ],
    method: Annotated[
        Literal["full", "lora", "probe"] | None,
        typer.Option("--method", help="Learn all, adapters, or the head alone."),
    ] = None,
    tokens: Annotated[
        Literal["overlapping", "non-overlapping"] | None,
        typer.Option("--tokens", help="Words of k bases at every base, or side by side."),
    ] = None,
    split: SplitOption = "test",
    hub: Hub = False,
    allow_pickle: AllowPickle = False,
    resamples: Resamples = 2000,
    assignments: Set = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the training that --out holds.")
    ] = False,
    force: Force = False,
    json: Json = False,
) -> None:
    """Fine-tune a checkpoint on a task, and measure the same rows before and after.

    Before, the head is the one the training starts from, which has learned nothing. --out is a run
    folder as `train` makes; finetuning.html shows both, and finetuning.json holds the numbers.
    """
    from json import dumps, loads

    from attendna.report.finetuning import write_finetuning
    from attendna.training.finetuning import FINETUNING_FILE, finetune, with_tokens
    from attendna.training.run import RunConfig, RunFolder

    changes = [f"start.run={dumps(start)}", *METHODS.get(method or "", [])]
    changes += ["start.hub=true"] * hub + ["start.allow_pickle=true"] * allow_pickle
    try:
        settings = RunConfig.read(config, [*changes, *(assignments or ())])
        if tokens is not None:
            settings = with_tokens(settings, tokens)
        made = finetune(
            settings, task, out, split=split, resamples=resamples, resume=resume, force=force
        )
    except KeyboardInterrupt:
        if RunFolder(out).config.is_file():
            say("stopped; the same command with --resume goes on")
        raise
    page = write_finetuning(made, made / PAGE)
    found = loads((made / FINETUNING_FILE).read_text(encoding="utf-8"))
    if json:
        print_json(found | {"run": str(made), "report": str(page)})
        return
    show(found)
    say(f"wrote {page}")


def show(found: dict[str, Any]) -> None:
    """Print the metrics of before and after as a table."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    title = f"{found['task']}, {found['split']}: {found['n']} rows"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=0)
    table.add_column("metric", no_wrap=True)
    for heading in ("before", "after", "change"):
        table.add_column(heading, justify="right", no_wrap=True)
        table.add_column("95 % interval", justify="right", no_wrap=True)
    for row in found["metrics"]:
        numbers = {key: nan if value is None else value for key, value in row.items()}
        cells: list[str] = []
        for value, low, high in COLUMNS:
            ends = spell_interval(numbers[low], numbers[high], ".2f")
            cells += [spell_number(numbers[value], ".3f"), ends]
        table.add_row(row["metric"], *cells)
    console().print(table)

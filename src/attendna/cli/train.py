"""``attendna train``: from a settings file and a task folder to a run folder."""

from pathlib import Path
from typing import Annotated

import typer

from attendna.cli.options import Force, Json, Out, Set, TaskFolder
from attendna.cli.output import print_json, say


def train(
    config: Annotated[Path, typer.Argument(metavar="RUN.yaml", help="The settings.")],
    task: TaskFolder,
    out: Out,
    *,
    assignments: Set = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the training that --out holds.")
    ] = False,
    force: Force = False,
    json: Json = False,
) -> None:
    """Train a model on the training rows of a task and choose it on the validation rows.

    The test rows are not read. A training that was stopped or killed goes on with --resume, and
    ends with the same weights as if it had never stopped.
    """
    from attendna.training.run import RunConfig, RunFolder
    from attendna.training.train import train

    settings = RunConfig.read(config, assignments or ())
    try:
        folder = RunFolder(train(settings, task, out, resume=resume, force=force))
    except KeyboardInterrupt:
        if RunFolder(out).config.is_file():
            say("stopped; the same command with --resume goes on")
        raise
    if json:
        print_json(folder.summary())

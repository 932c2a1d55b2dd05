"""``attendna train``: from a settings file and a task folder to a run folder."""

from pathlib import Path
from typing import Annotated

import typer

from attendna.cli.options import (
    AllowPickle,
    Force,
    Hub,
    Json,
    Out,
    Set,
    TaskFolders,
    only_task,
    tasks_of_heads,
)
from attendna.cli.output import print_json, say


def train(
    config: Annotated[Path, typer.Argument(metavar="RUN.yaml", help="The settings.")],
    task: TaskFolders,
    out: Out,
    *,
    start: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="RUN",
            help="Start from the weights of a run, or of a checkpoint (folder or hub name).",
        ),
    ] = None,
    frozen: Annotated[
        bool, typer.Option("--frozen", help="Train the head alone on what --from has learned.")
    ] = False,
    hub: Hub = False,
    allow_pickle: AllowPickle = False,
    assignments: Set = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the training that --out holds.")
    ] = False,
    force: Force = False,
    json: Json = False,
) -> None:
    """Train a model on the training rows of a task and choose it on the validation rows.

    What is trained follows from the settings: a model of classes, or one of tracks with a head for
    each task. The test rows are not read. A training that was stopped or killed goes on with
    --resume, and ends with the same weights as if it had never stopped.
    """
    from json import dumps

    from attendna.core.errors import ConfigError
    from attendna.training.run import RunConfig, RunFolder
    from attendna.training.tracks.config import TrackRunConfig, is_track_run

    changes = [*(assignments or ())]
    if frozen and start is None:
        raise ConfigError("--frozen without --from", "name the run whose features stay as they are")
    if start is not None:
        changes += [f"start.run={dumps(str(start))}"] + ["start.frozen=true"] * frozen
    changes += ["start.hub=true"] * hub + ["start.allow_pickle=true"] * allow_pickle
    try:
        if is_track_run(config):
            from attendna.training.tracks.train import train_tracks

            tracks = TrackRunConfig.read(config, changes)
            made = train_tracks(tracks, tasks_of_heads(task), out, resume=resume, force=force)
        else:
            from attendna.training.train import train

            settings = RunConfig.read(config, changes)
            made = train(settings, only_task(task), out, resume=resume, force=force)
    except KeyboardInterrupt:
        if RunFolder(out).config.is_file():
            say("stopped; the same command with --resume goes on")
        raise
    if json:
        print_json(RunFolder(made).summary())

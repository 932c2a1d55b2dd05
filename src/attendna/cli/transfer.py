"""``attendna transfer``: a classic learner on the frozen representations of a run."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from attendna.cli.options import Device, Force, Json, Out, Precision, Seed, SetLearner, TaskFolder
from attendna.cli.output import counter, print_json


def transfer(
    run: Annotated[
        Path,
        typer.Argument(
            metavar="RUN",
            help="A run of `pretrain` or `train`, a checkpoint, a file of motifs, or jaspar.",
        ),
    ],
    task: TaskFolder,
    out: Out,
    *,
    learner: Annotated[
        str,
        typer.Option(
            "--learner",
            help="average, kernel_ridge, logistic, random_forest, ridge or xgboost.",
        ),
    ] = "random_forest",
    pair: Annotated[
        Literal["concatenate", "difference", "both"],
        typer.Option("--pair", help="What becomes of the vectors of the two alleles of a pair."),
    ] = "concatenate",
    segment: Annotated[
        int | None,
        typer.Option("--segment", min=1, help="Read sequences in segments of so many bases."),
    ] = None,
    join: Annotated[
        Literal["concat", "mean"],
        typer.Option("--join", help="What becomes of the vectors of segments."),
    ] = "concat",
    trials: Annotated[
        int, typer.Option("--trials", min=1, help="Settings of the learner to try.")
    ] = 1,
    share: Annotated[
        float, typer.Option("--share", help="Share of the training rows to learn from.")
    ] = 1.0,
    seed: Seed = 0,
    assignments: SetLearner = None,
    device: Device = "auto",
    precision: Precision = "auto",
    force: Force = False,
    json: Json = False,
) -> None:
    """Learn a task from what a model makes of its sequences; the model stays as it is.

    Motifs are a model, too: of each, how much there is in a sequence, in bits.

    Settings of the learner (--set learner.trees=500, or --trials) and the threshold are chosen on
    the validation rows; the test rows are not read. Several tracks are learned each on its own. The
    folder works with evaluate, compare and predict.
    """
    from attendna.core.config import change, parse, parse_assignments
    from attendna.evaluation.evaluate import read_metrics
    from attendna.training.frozen import TransferConfig, transfer

    tree = {
        "run": str(run),
        "learner": {"name": learner},
        "reading": {"pair": pair, "segment": segment, "join": join},
        "trials": trials,
        "share": share,
        "seed": seed,
    }
    changes = parse_assignments(assignments or ())
    fixed = [
        key.split(".")[1] for key in changes if key.startswith("learner.") and key != "learner.name"
    ]
    tree = change(tree | {"fixed": fixed}, changes)
    config = parse(TransferConfig, tree, "transfer")
    with counter("embedding") as advance:
        made = transfer(
            config, task, out, device=device, precision=precision, force=force, advance=advance
        )
    if json:
        print_json({"run": str(made), "metrics": read_metrics(made)})

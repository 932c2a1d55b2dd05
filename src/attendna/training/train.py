"""From settings and a task folder to a run folder with a trained model."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from rich.console import Console

from attendna.core.memory import keep_freed_memory
from attendna.evaluation.calibration import choose_threshold
from attendna.evaluation.evaluate import evaluate_split, write_evaluation
from attendna.evaluation.metrics import METRICS
from attendna.models.checkpoint import save
from attendna.prediction.device import choose_device, describe
from attendna.prediction.predictor import Predictor, refuse_unreadable
from attendna.tasks.store import find_repeated
from attendna.training.begin import Beginning
from attendna.training.examples import Examples
from attendna.training.run import Environment, RunConfig, RunFolder
from attendna.training.transfer import source_line, with_source

if TYPE_CHECKING:
    from attendna.training.loop import Machine
    from attendna.training.members import Member
    from attendna.training.record import Record, Watch


def train(
    config: RunConfig,
    task_folder: str | Path,
    out: str | Path,
    *,
    resume: bool = False,
    force: bool = False,
    progress: bool = True,
    watch: "Watch | None" = None,
) -> Path:
    """Train a model on a task's training rows and choose it on its validation rows.

    The test rows are never opened. What comes out is a run folder: see
    :mod:`attendna.training.run`.
    The same settings, rows and machine give the same weights, bit for bit, however often the
    training was killed and resumed.

    Parameters
    ----------
    out
        The run folder to make.
    resume
        Go on with the training begun in ``out``; one that is finished is left as it is, and where
        nothing was begun it begins.
    force
        Replace a run folder that is there.
    progress
        Show the device, a bar and the validations on standard error.
    watch
        Called with the log so far after every validation of the first network.

    Returns
    -------
    Path
        The run folder.

    Raises
    ------
    UserError
        The rows cannot be learned with these settings, or the folder is not what it should be;
        nothing is written then.
    """
    begin = Beginning(out, resume=resume, force=force, progress=progress)
    examples = Examples.read(task_folder).sharing(config.share, config.seed)
    config = with_source(config.adapted(len(examples.train)).for_metric(examples.metric))
    if begin.is_over(config, examples.split_hash):
        return begin.folder.path
    folder, console = begin.folder, begin.console
    if not begin.begun:
        _check(config, examples)
        if examples.spec.label_kind in ("binary", "multiclass"):
            for line in find_repeated(examples.train.frame, examples.spec.classes):
                console.print(f"warning: {line}", soft_wrap=True)
        if config.share < 1:
            told = f"learning from {len(examples.train):,} training rows (share {config.share:g})"
            console.print(told, soft_wrap=True)
        if config.start is not None:
            console.print(source_line(config, config.start), soft_wrap=True)

    def run(environment: Environment) -> None:
        _train(config, examples, folder, environment, console=console, watch=watch)

    return begin.run(config, config.trainer, examples.split_hash, examples.spec.name, run)


def _check(config: RunConfig, examples: Examples) -> None:
    """Refuse what cannot be trained before a folder is made."""
    for settings in [config.with_variant(variant) for variant in config.variants] or [config]:
        examples.check(settings)
        _read_longest(settings, examples)


def _read_longest(config: RunConfig, examples: Examples) -> None:
    """Have the model read the longest sequence once: it may refuse its length or its tokens."""
    from attendna.training.fit import start

    tokenizer = config.tokenizer.build()
    model = start(config, examples, torch.device("cpu")).eval()
    for name, split in (("train", examples.train), ("valid", examples.valid)):
        path = examples.task.folder / f"{name}.parquet"
        refuse_unreadable(model, tokenizer, split.sequences, path)


def _train(
    config: RunConfig,
    examples: Examples,
    folder: RunFolder,
    environment: Environment,
    *,
    console: Console,
    watch: "Watch | None",
) -> None:
    # Lightning takes seconds to import; errors in the settings need not wait for it.
    from attendna.training.fit import fit
    from attendna.training.loop import Machine
    from attendna.training.members import mean_log, plan_members
    from attendna.training.record import write_log
    from attendna.training.search import choose_variants

    keep_freed_memory()
    device = choose_device(config.trainer.device)
    machine = Machine(device, environment.precision, environment.threads)
    threads = f", threads {machine.threads}" if device.type == "cpu" else ""
    with_what = f"device {device} ({describe(device)}), precision {machine.precision}{threads}"
    console.print(with_what, style="bold", soft_wrap=True)
    if str(device) != environment.device:
        console.print(
            f"begun on {environment.device}: the result will not be the same to the last bit",
            soft_wrap=True,
        )
    variants = choose_variants(config, examples, folder, machine, console)
    members = plan_members(config, variants, folder)
    records: list[Record] = []
    for member in members:
        records.append(
            fit(
                member.config,
                examples,
                member.folder,
                machine,
                run_id=environment.run_id,
                title="training" if len(members) == 1 else f"training {member.name}",
                console=console,
                watch=watch if member is members[0] else None,
            )
        )
        if member.folder != folder:
            write_log(folder.log, mean_log(records))
    value = _finish(members, examples, folder, machine)
    console.print(f"valid_{examples.metric} {value:.4f}, wrote {folder.path}", soft_wrap=True)


def _finish(
    members: Sequence["Member"], examples: Examples, folder: RunFolder, machine: "Machine"
) -> float:
    """Join the members, choose the threshold, measure on the validation rows, and publish.

    Gives the task's metric.
    """
    from attendna.training.members import join

    checkpoint, model = join(members)
    predictor = Predictor(checkpoint, model, str(machine.device), machine.precision)
    valid, spec = examples.valid, examples.spec
    if checkpoint.label_kind == "binary":
        probabilities = predictor.predict(valid.sequences, valid.ids).values[:, 0]
        metric = examples.metric if METRICS[examples.metric].of_confusion else "mcc"
        threshold = choose_threshold(valid.labels, probabilities, metric)
        predictor.checkpoint = checkpoint.replace(threshold=threshold)
    result = evaluate_split(predictor, valid, task=spec.name, split="valid")
    write_evaluation(folder.path, result)
    # Last, because its presence says that the run is finished.
    save(folder.path, predictor.checkpoint, predictor.model)
    return result.value(examples.metric)

"""One training of given settings on given rows, from the first step or from where it was killed."""

import contextlib
import logging
import os
import signal
import warnings
from collections.abc import Generator, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.pytorch import Callback, Trainer
from numpy import ndarray
from rich.console import Console

from attendna.evaluation.metrics import METRICS, Sample
from attendna.models.checkpoint import Checkpoint, Strands, save
from attendna.models.model import SequenceModel
from attendna.prediction.device import Precision
from attendna.prediction.predictions import probabilities_of
from attendna.prediction.predictor import predict_logits
from attendna.tokens.buffer import CodeBuffer
from attendna.training.averaging import WeightAverage
from attendna.training.batches import WEIGHTS, Batch, TrainingBatches, seed_of
from attendna.training.examples import Examples
from attendna.training.module import TrainingModule
from attendna.training.objectives import Objective
from attendna.training.progress import ProgressBar
from attendna.training.record import Record
from attendna.training.run import RunConfig, RunFolder
from attendna.training.schedule import Schedule

LOGGED = ("auroc", "auprc", "mcc", "accuracy")
"""Metrics of every validation; mcc and accuracy with the threshold at 1/2."""


@dataclass(frozen=True)
class Machine:
    """What a training is computed on and with; the same machine gives the same bits."""

    device: torch.device
    precision: Precision
    threads: int


def fit(
    config: RunConfig,
    examples: Examples,
    folder: RunFolder,
    machine: Machine,
    *,
    run_id: str,
    share: float = 1.0,
    title: str = "training",
    console: Console | None = None,
) -> Record:
    """Train until the schedule or the patience ends; the best model lies in ``folder.best``.

    A training that was begun in the folder is gone on with, to the same bits as without a break.

    Parameters
    ----------
    run_id
        The run that the model will say it is of.
    share
        Train only this share of the planned steps.
    console
        Where progress is shown; none to be silent.
    """
    with _own_settings(machine):
        schedule = Schedule.plan(config.trainer, config.optimizer, len(examples.train), share)
        model = start(config, examples, machine.device, fresh=not folder.last.is_file())
        objective = Objective(config.objective, examples.counts, machine.device)
        module = TrainingModule(
            model,
            config.tokenizer.build(),
            objective=objective,
            optimizer=config.optimizer,
            schedule=schedule,
            seed=config.seed,
        )
        average = WeightAverage(model, config.trainer.ema * schedule.steps)
        validation = Validation(config, examples, machine, objective, average.model)
        header = checkpoint_of(config, examples, run_id)
        record = Record(
            folder,
            schedule,
            validation.measure,
            lambda: save(folder.best, header, average.model),
            monitor=config.trainer.monitor,
            lower_is_better=config.trainer.lower_is_better,
            patience=config.trainer.patience,
            save_every=60 * config.trainer.save_every,
        )
        callbacks: list[Callback] = [average, record]
        if console is not None:
            rows = config.trainer.batch_size * config.optimizer.accumulate
            callbacks.append(ProgressBar(console, record, title, rows))
        trainer = _trainer(config, machine, schedule, callbacks)
        batches = TrainingBatches(
            CodeBuffer(examples.train.sequences, machine.device),
            examples.train.labels,
            batch_size=config.trainer.batch_size,
            seed=config.seed,
            both_strands=config.strands != "single",
            augmentation=config.augmentation,
        )
        loader = Remaining(batches, trainer, schedule.steps, config.optimizer.accumulate)
        _run(trainer, module, loader, folder)
    return record


def start(
    config: RunConfig, examples: Examples, device: torch.device, *, fresh: bool = True
) -> SequenceModel:
    """The model with its first weights, which the seed decides on every device alike.

    One that is not ``fresh``, whose weights will be replaced, is built without reading files.
    """
    tokenizer, outputs = config.tokenizer.build(), examples.spec.outputs
    with torch.random.fork_rng():
        torch.manual_seed(seed_of(config.seed, WEIGHTS))
        make = config.model.initialize if fresh else config.model.build
        return make(tokenizer, outputs).to(device)


def checkpoint_of(config: RunConfig, examples: Examples, run_id: str) -> Checkpoint:
    """The header of a model that is trained so, before its threshold is chosen."""
    return Checkpoint(
        run_id=run_id,
        tokenizer=config.tokenizer,
        model=config.model,
        strands=config.strands,
        label_kind=examples.spec.class_kind,
        classes=examples.spec.classes,
        input=examples.contract(config),
    )


class Validation:
    """Measures a model on the whole validation split at once."""

    def __init__(
        self,
        config: RunConfig,
        examples: Examples,
        machine: Machine,
        objective: Objective,
        model: SequenceModel,
    ) -> None:
        self.model = model
        self.objective = objective
        self.strands: Strands = config.strands
        self.precision: Precision = machine.precision
        self.tokenizer = config.tokenizer.build()
        self.buffer = CodeBuffer(examples.valid.sequences, machine.device)
        self.labels = examples.valid.labels
        self.names = dict.fromkeys((*LOGGED, config.trainer.monitor))
        self.names.pop("loss", None)

    def logits(self) -> Float32[ndarray, "N T"]:
        """What the model says of the validation rows, in the way it will predict."""
        return predict_logits(
            self.model, self.tokenizer, self.buffer, strands=self.strands, precision=self.precision
        )

    def measure(self) -> dict[str, float]:
        """The loss and the metrics."""
        logits = self.logits()
        device = self.buffer.device
        loss = self.objective(
            torch.from_numpy(logits[None]).to(device),
            torch.from_numpy(self.labels.astype(np.int64)).to(device),
        )
        sample = Sample.of(self.labels, probabilities_of(logits))
        return {"loss": float(loss)} | {name: METRICS[name].value(sample) for name in self.names}


class Remaining:
    """The batches that a training has still to take, one after the other."""

    def __init__(
        self, batches: TrainingBatches, trainer: Trainer, steps: int, accumulate: int
    ) -> None:
        self.batches = batches
        self.trainer = trainer
        self.steps = steps
        self.accumulate = accumulate

    def __iter__(self) -> Iterator[Batch]:
        # Read when the first batch is asked for: a resumed training knows its step by then.
        done = self.trainer.global_step
        for number in range(done * self.accumulate, self.steps * self.accumulate):
            yield self.batches[number]


def _trainer(
    config: RunConfig, machine: Machine, schedule: Schedule, callbacks: list[Callback]
) -> Trainer:
    """Lightning's loop, device, precision, accumulation and clipping; the rest is in callbacks.

    The whole training is one epoch to Lightning: rounds of our own end where a validation is due,
    and a state can be saved after any step.
    """
    device = machine.device
    return Trainer(
        accelerator={"cuda": "gpu"}.get(device.type, device.type),
        devices=[device.index or 0] if device.type == "cuda" else 1,
        precision="bf16-mixed" if machine.precision == "bf16" else "32-true",
        max_steps=schedule.steps,
        max_epochs=-1,
        accumulate_grad_batches=config.optimizer.accumulate,
        gradient_clip_val=config.optimizer.clip,
        callbacks=callbacks,
        # One process: inside a cluster's job Lightning would otherwise ask for its launcher.
        plugins=[LightningEnvironment()],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )


def _run(trainer: Trainer, module: TrainingModule, loader: Remaining, folder: RunFolder) -> None:
    begun = folder.last if folder.last.is_file() else None
    handler = signal.getsignal(signal.SIGINT)
    try:
        trainer.fit(module, loader, ckpt_path=begun, weights_only=True)
    except SystemExit:
        # Lightning's answer to Ctrl-C and to SIGTERM; what it means is for the caller to say.
        signal.signal(signal.SIGINT, handler)
        raise KeyboardInterrupt from None


@contextlib.contextmanager
def _own_settings(machine: Machine) -> Generator[None]:
    """Threads, generators and messages as a training needs them, and afterwards as they were."""
    threads, exact = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    talkers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    levels = [talker.level for talker in talkers]
    # Read when the GPU's matrix library is first used: without it its sums have no fixed order.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    try:
        torch.set_num_threads(machine.threads)
        # A plug-in's layer that has no exact form on a GPU warns and goes on.
        torch.use_deterministic_algorithms(True, warn_only=True)
        for talker in talkers:
            talker.setLevel(logging.ERROR)
        with torch.random.fork_rng(), warnings.catch_warnings():
            # Lightning advises on loaders and checkpoints it does not know; they are tested.
            warnings.filterwarnings("ignore", module=r"lightning\..*")
            yield
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(exact)
        for talker, level in zip(talkers, levels, strict=True):
            talker.setLevel(level)

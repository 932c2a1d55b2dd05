"""One training of given settings on given rows, from the first step or from where it was killed."""

import torch
from jaxtyping import Float32
from lightning.pytorch import Callback
from numpy import ndarray
from rich.console import Console

from attendna.evaluation.measures import LOGGED, metrics_of, sample_of
from attendna.genome.sequences import SequenceBatch
from attendna.models.checkpoint import Checkpoint, Strands, save
from attendna.models.hardware import Precision
from attendna.models.model import SequenceModel
from attendna.prediction.predictions import Scale, on_scale
from attendna.prediction.predictor import predict_logits
from attendna.tasks.spec import LabelKind
from attendna.tokens.buffer import CodeBuffer
from attendna.tokens.tokenizer import read_ahead
from attendna.training.adapters import add_adapters, merged
from attendna.training.averaging import WeightAverage
from attendna.training.batches import ADAPTERS, WEIGHTS, TrainingBatches, seed_of
from attendna.training.examples import Examples
from attendna.training.labels import LabelBuffer
from attendna.training.loop import Machine, Remaining, lightning_trainer, own_settings, run
from attendna.training.module import TrainingModule
from attendna.training.objectives import Objective, objective_of
from attendna.training.progress import ProgressBar
from attendna.training.record import Record, Watch
from attendna.training.run import RunConfig, RunFolder
from attendna.training.schedule import Schedule
from attendna.training.transfer import learned_parts, take_weights


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
    watch: Watch | None = None,
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
    watch
        Called with the log so far after every validation.
    """
    config = config.for_metric(examples.metric)
    with own_settings(machine):
        for split in (examples.train, examples.valid):
            both_strands = config.strands != "single"
            read_ahead(config.tokenizer.build(), split.sequences, both_strands=both_strands)
        schedule = Schedule.plan(config.trainer, config.optimizer, len(examples.train), share)
        model = start(config, examples, machine.device, fresh=not folder.last.is_file())
        objective = objective_of(
            config.objective, examples.spec.label_kind, examples.counts, machine.device
        )
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
        header = checkpoint_of(config, examples, run_id, machine.precision)
        record = Record(
            folder,
            schedule,
            validation.measure,
            lambda: save(folder.best, header, merged(average.model)),
            monitor=config.trainer.monitor,
            lower_is_better=config.trainer.lower_is_better,
            patience=config.trainer.patience,
            save_every=60 * config.trainer.save_every,
            watch=watch,
        )
        callbacks: list[Callback] = [average, record]
        if console is not None:
            rows = config.trainer.batch_size * config.optimizer.accumulate
            callbacks.append(ProgressBar(console, record, title, rows))
        trainer = lightning_trainer(config.optimizer, machine, schedule, callbacks)
        batches = TrainingBatches(
            CodeBuffer(examples.train.sequences, machine.device),
            LabelBuffer.of(examples.train, examples.spec.outputs, machine.device),
            batch_size=config.trainer.batch_size,
            seed=config.seed,
            both_strands=config.strands != "single",
            augmentation=config.augmentation,
            alternatives=_buffer(examples.train.alternatives, machine.device),
        )
        loader = Remaining(batches, trainer, schedule.steps, config.optimizer.accumulate)
        run(trainer, module, loader, folder)
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
        model = make(tokenizer, outputs)
    if config.start is not None:
        if fresh:
            take_weights(model, config, config.start)
        if config.start.frozen:
            model.freeze(learned_parts(model))
        if config.start.lora is not None:
            with torch.random.fork_rng():
                torch.manual_seed(seed_of(config.seed, ADAPTERS))
                add_adapters(model, config.start.lora)
    return model.to(device)


def checkpoint_of(
    config: RunConfig, examples: Examples, run_id: str, precision: Precision
) -> Checkpoint:
    """The header of a model that is trained so, before its threshold is chosen."""
    return Checkpoint(
        run_id=run_id,
        tokenizer=config.tokenizer,
        model=config.model,
        strands=config.strands,
        label_kind=examples.spec.label_kind,
        scale=examples.scale(config.objective),
        classes=examples.spec.classes,
        paired=examples.spec.paired,
        precision=precision,
        input=examples.contract(config),
    )


def _buffer(sequences: SequenceBatch | None, device: torch.device) -> CodeBuffer | None:
    return None if sequences is None else CodeBuffer(sequences, device)


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
        self.alternatives = _buffer(examples.valid.alternatives, machine.device)
        self.kind: LabelKind = examples.spec.label_kind
        self.scale: Scale = examples.scale(config.objective)
        self.labels = examples.valid.labels_of_all(examples.spec.outputs)
        self.targets = LabelBuffer.of(examples.valid, examples.spec.outputs, machine.device)
        metrics = metrics_of(self.kind)
        names = dict.fromkeys((*LOGGED[self.kind], config.trainer.monitor))
        self.metrics = {name: metrics[name] for name in names if name != "loss"}

    def logits(self) -> Float32[ndarray, "N T"]:
        """What the model says of the validation rows, in the way it will predict."""
        return predict_logits(
            self.model,
            self.tokenizer,
            self.buffer,
            alternatives=self.alternatives,
            strands=self.strands,
            precision=self.precision,
        )

    def measure(self) -> dict[str, float]:
        """The loss and the metrics."""
        logits = self.logits()
        device = self.buffer.device
        loss = self.objective(
            torch.from_numpy(logits[None]).to(device),
            self.targets.gather(torch.arange(len(self.labels))),
        )
        sample = sample_of(self.kind, self.labels, on_scale(logits, self.kind, self.scale))
        measured = {name: metric.value(sample) for name, metric in self.metrics.items()}
        return {"loss": float(loss)} | measured

"""From settings and folders of tracks to a run folder with a trained model."""

import copy
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import numpy as np
import torch
from rich.console import Console

from attendna.core.errors import ConfigError
from attendna.core.memory import keep_freed_memory
from attendna.evaluation.track_files import FILES
from attendna.evaluation.track_sums import TrackSums
from attendna.models.enformer import Enformer, EnformerConfig
from attendna.models.enformer_port import load_port
from attendna.models.hardware import Precision
from attendna.models.track_checkpoint import TrackCheckpoint, load_tracks, save_tracks
from attendna.models.track_model import TrackModel
from attendna.prediction.device import choose_device, describe
from attendna.prediction.track_records import Records, Window, predict_record, tracks_of
from attendna.tasks.tracks import TrackTask, open_track_task
from attendna.training.batches import WEIGHTS, seed_of
from attendna.training.begin import Beginning
from attendna.training.run import Environment, RunFolder
from attendna.training.tracks.config import TrackRunConfig


def train_tracks(
    config: TrackRunConfig,
    tasks: Mapping[str, str | Path],
    out: str | Path,
    *,
    resume: bool = False,
    force: bool = False,
    progress: bool = True,
) -> Path:
    """Train a model of tracks on the training records of one task or more, a head each.

    The test records are never opened. The same settings, records and machine give the same weights,
    bit for bit, however often the training was killed and resumed.

    Parameters
    ----------
    tasks
        Of each head, the folder of its task.

    Returns
    -------
    Path
        The run folder; see :mod:`attendna.training.run`.

    Raises
    ------
    UserError
        The records cannot be learned with these settings, or the folder is not what it should be;
        nothing is written then.
    """
    processes = config.trainer.devices * config.trainer.nodes
    begin = Beginning(out, resume=resume, force=force, progress=progress, processes=processes)
    opened = {head: open_track_task(task, ("train", "valid")) for head, task in tasks.items()}
    digest = hashlib.sha256("".join(t.split_hash() for t in opened.values()).encode()).hexdigest()
    if begin.is_over(config, digest):
        return begin.folder.path
    training = Training(config, opened, digest)
    return begin.run(
        config,
        config.trainer,
        digest,
        ", ".join(task.spec.name for task in opened.values()),
        lambda environment: training.run(begin.folder, environment, begin.console),
    )


class Training:
    """What is trained, checked before anything is written.

    Raises
    ------
    UserError
        The records do not fit the model.
    """

    def __init__(self, config: TrackRunConfig, tasks: Mapping[str, TrackTask], digest: str) -> None:
        self.config = config
        lengths = {task.spec.window for task in tasks.values()}
        if config.window is None and len(lengths) > 1:
            raise ConfigError(
                f"the records of the tasks have {', '.join(map(str, sorted(lengths)))} bases",
                "say how many the model reads with window",
            )
        for head in config.genomes:
            if head not in tasks:
                raise ConfigError(f"genomes: there is no head {head}", "name a head of --task")
        self.length = config.window or lengths.pop()
        self.model, self.teacher = start(config, {h: t.spec.tracks for h, t in tasks.items()})
        window = Window.of(self.model, self.length, config.pooling)
        self.train, self.valid = (
            {h: Records(t, split, window, config.genomes.get(h)) for h, t in tasks.items()}
            for split in ("train", "valid")
        )
        self.header = TrackCheckpoint(
            run_id=config.run_id(digest),
            model=config.model,
            window=self.length,
            bin_size=self.model.bin,
            heads={head: tracks_of(task) for head, task in tasks.items()},
            tasks={head: task.spec.name for head, task in tasks.items()},
            split_hash=digest,
        )
        self.precision: Precision = "fp32"
        """What the validation records are predicted in; that of the machine, once it is known."""

    def run(self, folder: RunFolder, environment: Environment, console: Console) -> None:
        """Train to the end and publish the best model."""
        # Lightning takes seconds to import; errors in the settings need not wait for it.
        from attendna.training.averaging import WeightAverage
        from attendna.training.loop import (
            Machine,
            Remaining,
            lightning_trainer,
            own_settings,
            run,
        )
        from attendna.training.progress import ProgressBar
        from attendna.training.record import Record
        from attendna.training.schedule import Schedule
        from attendna.training.tracks.batches import TrackBatches
        from attendna.training.tracks.module import TrackModule

        keep_freed_memory()
        config, settings = self.config, self.config.trainer
        machine = Machine(
            choose_device(settings.device), environment.precision, environment.threads
        )
        console.print(
            f"training on {describe(machine.device)} in {machine.precision}, "
            f"{machine.threads} threads; {self.model.parameter_count():,} parameters",
            soft_wrap=True,
        )
        self.precision = machine.precision
        header = self.header.replace(precision=machine.precision)
        with own_settings(machine):
            model = self.model.to(machine.device)
            records = sum(map(len, self.train.values()))
            processes = settings.devices * settings.nodes
            batch = settings.batch_size * config.optimizer.accumulate * processes
            schedule = Schedule.of_steps(
                settings.steps, settings.validations, config.optimizer, records / batch
            )
            module = TrackModule(
                model,
                optimizer=config.optimizer,
                schedule=schedule,
                seed=config.seed,
                distillation=config.distillation,
                teacher=self.teacher,
                swap_every=config.swap_every,
            )
            average = WeightAverage(model, settings.ema * schedule.steps)
            record = Record(
                folder,
                schedule,
                lambda: self.validate(average.model),
                lambda: save_tracks(folder.best, header, average.model),
                monitor=settings.monitor,
                lower_is_better=settings.monitor == "loss",
                patience=settings.patience,
                save_every=60 * settings.save_every,
            )
            batches = TrackBatches(
                self.train,
                batch_size=settings.batch_size,
                seed=config.seed,
                augmentation=config.augmentation,
            )
            trainer = lightning_trainer(
                config.optimizer,
                machine,
                schedule,
                [average, record, ProgressBar(console, record, "training", batch)],
                devices=settings.devices,
                nodes=settings.nodes,
            )
            loader = Remaining(batches, trainer, schedule.steps, config.optimizer.accumulate)
            run(trainer, module, loader, folder)
        if trainer.is_global_zero:
            for name in FILES:
                (folder.path / name).unlink(missing_ok=True)
            # Last, because its presence says that the run is finished.
            header, best = load_tracks(folder.best)
            save_tracks(folder.path, header, best)

    def validate(self, model: TrackModel) -> dict[str, float]:
        """Loss and mean correlation of the tracks on the validation records: means over heads."""
        from attendna.training.tracks.module import poisson_loss

        measures: dict[str, list[float]] = {"loss": [], "pearson": []}
        was = model.training
        for head, records in self.valid.items():
            sums: list[TrackSums] = []
            losses: list[float] = []
            for row in range(len(records)):
                predicted, observed = predict_record(model, records, head, row, self.precision)
                sums.append(TrackSums.of(predicted, observed))
                pair = torch.from_numpy(predicted), torch.from_numpy(observed)
                losses.append(float(poisson_loss(*pair)))
            by_track = TrackSums.joined(sums).by_track()
            defined = by_track[~np.isnan(by_track)]
            measures["loss"].append(float(np.mean(losses)))
            measures["pearson"].append(float(defined.mean()) if defined.size else float("nan"))
        model.train(was)
        found = {name: float(np.mean(values)) for name, values in measures.items()}
        for head, value in zip(self.valid, measures["pearson"], strict=True):
            found[f"pearson_{head}"] = value
        return found


def start(config: TrackRunConfig, tracks: Mapping[str, int]) -> tuple[TrackModel, Enformer | None]:
    """The model with its first weights, and the dense one it learns from, if it does.

    Raises
    ------
    UserError
        The weights to start from do not fit the model.
    """
    with torch.random.fork_rng():
        torch.manual_seed(seed_of(config.seed, WEIGHTS))
        model = config.model.build(tracks)
    teacher: Enformer | None = None
    if config.start is not None:
        source = _source(config)
        _take(model, source, heads=config.start.heads)
        if config.distillation is not None:
            teacher = source
    if config.train == "attention":
        cast("Enformer", model).freeze_all_but_attention()
        if teacher is None:
            # The heads are new where they were not taken: they have to be learned, too.
            fresh = config.start is None or not config.start.heads
            cast("Enformer", model).heads.requires_grad_(fresh)
    return model, teacher


def _source(config: TrackRunConfig) -> Enformer:
    """The model to start from, with dense attention."""
    if config.start is None:
        raise ValueError("there is nothing to start from")
    if config.start.run is not None:
        return copy.deepcopy(cast("Enformer", load_tracks(config.start.run)[1]))
    if config.start.port is None or not isinstance(config.model, EnformerConfig):
        raise ConfigError("start.port holds weights of Enformer", "set model.name to enformer")
    attention = config.model.attention.replace(sparse=None)
    return load_port(config.start.port, config.model.replace(attention=attention))


def _take(model: TrackModel, source: TrackModel, *, heads: bool) -> None:
    """Take all weights that the model has a place for.

    Raises
    ------
    ConfigError
        One is of another size.
    """
    state, wanted = source.state_dict(), model.state_dict()
    for name, value in state.items():
        of_head = name.startswith("heads.")
        if name not in wanted or (of_head and not heads):
            continue
        if wanted[name].shape != value.shape:
            sizes = [" x ".join(map(str, v.shape)) for v in (value, wanted[name])]
            raise ConfigError(
                f"start: {name} is {sizes[0]}, and the model's is {sizes[1]}",
                "set start.heads=false for other tracks" if of_head else "use the same sizes",
            )
        wanted[name] = value
    model.load_state_dict(wanted)

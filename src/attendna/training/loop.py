"""The loop of every training: Lightning's, in an order that a kill cannot change."""

import contextlib
import logging
import os
import signal
import warnings
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.strategies import ModelParallelStrategy, Strategy
from lightning.pytorch.utilities.exceptions import SIGTERMException

from attendna.core.ending import answering_sigterm
from attendna.core.errors import FolderError, UserError
from attendna.prediction.device import Precision
from attendna.training.module import Learner
from attendna.training.run import OptimizerConfig, RunFolder
from attendna.training.schedule import Schedule


@runtime_checkable
class Numbered(Protocol):
    """Batches, each of which is known by its number."""

    def __getitem__(self, number: int) -> Any:
        """The batch of a number."""
        ...


@dataclass(frozen=True)
class Machine:
    """What a training is computed on and with; the same machine gives the same bits."""

    device: torch.device
    precision: Precision
    threads: int


class Remaining:
    """The batches that a training has still to take, one after the other."""

    def __init__(self, batches: Numbered, trainer: Trainer, steps: int, accumulate: int) -> None:
        self.batches = batches
        self.trainer = trainer
        self.steps = steps
        self.accumulate = accumulate

    def __iter__(self) -> Iterator[Any]:
        # Read when the first batch is asked for: a resumed training knows its step by then.
        done = self.trainer.global_step
        for number in range(done * self.accumulate, self.steps * self.accumulate):
            # Every process of several takes batches of its own.
            yield self.batches[number * self.trainer.world_size + self.trainer.global_rank]


def lightning_trainer(
    optimizer: OptimizerConfig,
    machine: Machine,
    schedule: Schedule,
    callbacks: list[Callback],
    *,
    devices: int = 1,
    nodes: int = 1,
    sharded: bool = False,
) -> Trainer:
    """Lightning's loop, devices, precision, accumulation and clipping; the rest is in callbacks.

    Several processes have the whole model each, or a share of it where it is ``sharded``.

    The whole training is one epoch to Lightning: rounds of our own end where a validation is due,
    and a state can be saved after any step.
    """
    device, several = machine.device, devices * nodes > 1
    return Trainer(
        accelerator={"cuda": "gpu"}.get(device.type, device.type),
        devices=devices if several else [device.index or 0] if device.type == "cuda" else 1,
        num_nodes=nodes,
        strategy=_strategy(devices * nodes, sharded=sharded),
        sync_batchnorm=several and device.type == "cuda",
        use_distributed_sampler=False,
        precision="bf16-mixed" if machine.precision == "bf16" else "32-true",
        max_steps=schedule.steps,
        max_epochs=-1,
        accumulate_grad_batches=optimizer.accumulate,
        gradient_clip_val=optimizer.clip,
        callbacks=callbacks,
        # One process: inside a cluster's job Lightning would otherwise ask for its launcher.
        plugins=None if several else [LightningEnvironment()],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )


def _strategy(processes: int, *, sharded: bool) -> str | Strategy:
    if processes == 1:
        return "auto"
    if not sharded:
        return "ddp_find_unused_parameters_true"
    return ModelParallelStrategy(
        data_parallel_size=processes, tensor_parallel_size=1, save_distributed_checkpoint=False
    )


def run(trainer: Trainer, module: Learner, loader: Remaining, folder: RunFolder) -> None:
    """Train to the end, from the state that the folder holds if there is one.

    Raises
    ------
    KeyboardInterrupt
        Told to stop; the state was saved, if the telling left time for it.
    FolderError
        The state is damaged, or of another training.
    """
    begun = folder.last if folder.last.is_file() else None
    started = _Started()
    trainer.callbacks.append(started)  # pyright: ignore[reportAttributeAccessIssue]
    handler = signal.getsignal(signal.SIGINT)
    try:
        # Lightning's own answer to SIGTERM saves the state after the step that is under way.
        with answering_sigterm(signal.SIG_DFL):
            trainer.fit(module, loader, ckpt_path=begun, weights_only=True)
    except SystemExit as ended:
        # Lightning's answer to Ctrl-C and to SIGTERM; what it means is for the caller to say.
        signal.signal(signal.SIGINT, handler)
        if isinstance(ended, SIGTERMException) and callable(signal.getsignal(signal.SIGTERM)):
            signal.raise_signal(signal.SIGTERM)
        raise KeyboardInterrupt from None
    except UserError:
        raise
    except Exception as error:
        if begun is None or started.is_set:
            raise
        raise FolderError(
            f"{begun} is damaged, or of another training",
            "remove it to train from the beginning, or train into another --out",
        ) from error


class _Started(Callback):
    """Whether a training has all it needs, and takes its first step."""

    is_set = False

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        del trainer, pl_module
        self.is_set = True


@contextlib.contextmanager
def own_settings(machine: Machine) -> Generator[None]:
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

"""How every training begins: anew, where it was stopped, or as one of several processes."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, runtime_checkable

from attendna.core.errors import ConfigError
from attendna.core.terminal import PlainConsole
from attendna.prediction.device import PrecisionChoice, choose_device, choose_precision
from attendna.training.processes import process_rank, refuse_launched, wait_for
from attendna.training.run import Environment, RunFolder, SavedConfig, default_threads


@runtime_checkable
class Where(Protocol):
    """On what a training computes, as the settings of every trainer say."""

    @property
    def device(self) -> str:
        """Its name, or ``auto``."""
        ...

    @property
    def precision(self) -> PrecisionChoice:
        """Of its arithmetic."""
        ...

    @property
    def threads(self) -> int | None:
        """Of a processor; none for as many as there are cores."""
        ...


class Beginning:
    """The run folder of a training that begins or goes on; nothing is written yet.

    Parameters
    ----------
    processes
        How many train together. The first makes the folder, the others write nothing.

    Raises
    ------
    ConfigError
        What is asked contradicts itself.
    FolderError
        The folder exists and is neither to be gone on with nor to be replaced.
    """

    def __init__(
        self, out: str | Path, *, resume: bool, force: bool, progress: bool, processes: int = 1
    ) -> None:
        refuse_launched(processes)
        if resume and force:
            raise ConfigError("--resume and --force contradict each other", "give one of them")
        if processes > 1 and force:
            raise ConfigError("--force with several processes", "remove the folder yourself")
        self.folder = RunFolder(Path(out))
        self.first = processes == 1 or process_rank() == 0
        self.console = PlainConsole(stderr=True, quiet=not (progress and self.first))
        self._force = force
        # Even a link that leads nowhere is in the way.
        self.begun = resume and os.path.lexists(self.folder.path)
        if self.first and not self.begun:
            self.folder.refuse_existing(force=force)

    def is_over(self, config: SavedConfig, digest: str) -> bool:
        """Whether this very training was finished before.

        Raises
        ------
        FolderError
            The folder holds another one.
        """
        if not self.begun:
            return False
        self.folder.resume(config, digest)
        if self.folder.finished:
            told = f"{self.folder.path} is finished, there is nothing to resume"
            self.console.print(told, soft_wrap=True)
        return self.folder.finished

    def run(
        self,
        config: SavedConfig,
        where: Where,
        digest: str,
        task: str,
        training: Callable[[Environment], None],
    ) -> Path:
        """Make the folder if it is not there, and train in it.

        Parameters
        ----------
        digest
            Of the rows that are learned.
        task
            What they are called.
        """
        folder = self.folder
        if not self.first:
            wait_for(folder.config)
            training(folder.resume(config, digest))
            return folder.path
        if self.begun:
            environment = folder.resume(config, digest)
        else:
            device = choose_device(where.device)
            environment = Environment.of_this_machine(
                device,
                choose_precision(where.precision, device),
                where.threads or default_threads(),
                task=task,
                split_hash=digest,
                run_id=config.run_id(digest),
            )
            folder.create(config, environment, force=self._force)
        with folder.locked():
            training(environment)
        return folder.path

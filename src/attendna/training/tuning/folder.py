"""The folder of a search, which is all that its processes share.

``search.yaml`` the search and its task, ``journal.jsonl`` the trials (unless a database keeps
them), ``subset`` the small task, ``search/0007`` and ``full/0000`` the run folders of the trials;
and what it came to: ``trials.parquet``, ``best.yaml`` and ``tune.html``.
"""

import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from attendna.core.config import Config, parse, read_yaml, to_yaml
from attendna.core.errors import FolderError
from attendna.core.files import exclusive, publish_file
from attendna.tasks.store import Task
from attendna.tasks.subset import SubsetRule, subset
from attendna.training.run import RunFolder, differing_key
from attendna.training.tuning.search import Search

PhaseName = Literal["search", "full"]
"""``search`` looks for settings, ``full`` trains the best of them on all rows."""


class Begun(Config):
    """What a folder is for; it stays the same however often the search goes on."""

    study: str
    """Name of the studies in the storage, unlike those of any other folder."""
    task: str
    split_hash: str
    storage: str | None
    """URL of a database; none for the journal file."""
    search: Search


@dataclass(frozen=True)
class TuneFolder:
    """Paths of a search."""

    path: Path

    @property
    def settings(self) -> Path:
        """What the folder is for."""
        return self.path / "search.yaml"

    @property
    def journal(self) -> Path:
        """The trials."""
        return self.path / "journal.jsonl"

    @property
    def lock(self) -> Path:
        """Is locked while a process chooses what to do next."""
        return self.path / "claims" / "next"

    @property
    def journal_lock(self) -> Path:
        """Is locked while a process writes the journal."""
        return self.path / "claims" / "journal"

    @property
    def subset(self) -> Path:
        """The small task."""
        return self.path / "subset"

    @property
    def trials(self) -> Path:
        """The table of trials."""
        return self.path / "trials.parquet"

    @property
    def best(self) -> Path:
        """The settings that won."""
        return self.path / "best.yaml"

    def claim(self, phase: PhaseName, number: int) -> Path:
        """Is locked by the process that trains a trial."""
        return self.path / "claims" / f"{phase}-{number:04d}"

    def run(self, phase: PhaseName, number: int) -> RunFolder:
        """The run folder of a trial."""
        return RunFolder(self.path / phase / f"{number:04d}")

    def begin(self, search: Search, task: Task, storage: str | None) -> Begun:
        """Write down what the folder is for, or see that it is for this; draw the small task.

        Raises
        ------
        FolderError
            The folder is of something else.
        DataError
            There are too few rows for a small task.
        """
        if not self.settings.is_file() and not self._empty():
            raise FolderError(f"{self.path} is not of a search", "choose another --out")
        begun = Begun(
            study=secrets.token_hex(6),
            task=task.spec.name,
            split_hash=task.split_hash(),
            storage=storage,
            search=search,
        )
        if not self.settings.is_file():
            # Several machines may begin at the same moment.
            with exclusive(self.lock):
                if not self.settings.is_file():
                    if search.subset is not None:
                        self._make_subset(task.folder, search.subset)
                    with publish_file(self.settings) as partial:
                        partial.write_text(to_yaml(begun.to_tree()), encoding="utf-8")
                    return begun
        then = self.read()
        key = differing_key(
            *({k: v for k, v in one.to_tree().items() if k != "study"} for one in (then, begun))
        )
        if key is not None:
            raise FolderError(f"{self.path} was begun with another {key}", "choose another --out")
        return then

    def _empty(self) -> bool:
        """Whether nothing is here but what a beginning makes first."""
        if not self.path.exists():
            return True
        return self.path.is_dir() and all(
            path in (self.lock.parent, self.subset) for path in self.path.iterdir()
        )

    def read(self) -> Begun:
        """What the folder is for.

        Raises
        ------
        ConfigError
            It is damaged.
        """
        return parse(Begun, read_yaml(self.settings), self.settings)

    def _make_subset(self, task: Path, rule: SubsetRule) -> None:
        # One without settings beside it is of a beginning that was killed.
        shutil.rmtree(self.subset, ignore_errors=True)
        fields = {key: getattr(rule, key) for key in SubsetRule.model_fields}
        subset(task, self.subset, SubsetRule(**fields))

"""Where the trials of a search are kept: a journal file of its folder, or a database.

Several processes and machines may use either at the same time.
"""

import contextlib
import os
import warnings
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attendna.core.errors import ConfigError, MissingExtraError
from attendna.core.files import exclusive

if TYPE_CHECKING:
    from optuna.storages import BaseStorage


def optuna() -> Any:
    """The package, whose own messages are kept quiet.

    Raises
    ------
    MissingExtraError
        It is not installed.
    """
    try:
        import optuna as package
    except ImportError:
        raise MissingExtraError("optuna", "tune", "tune") from None
    package.logging.set_verbosity(package.logging.ERROR)
    return package


def open_storage(url: str | None, journal: Path, lock: Path) -> "BaseStorage":
    """Open the database of a URL, or without one the journal file.

    Parameters
    ----------
    lock
        A file that is locked while the journal is written.

    Raises
    ------
    ConfigError
        There is no such database.
    """
    package = optuna()
    if url is not None:
        try:
            return package.storages.RDBStorage(url)
        except Exception as error:
            reason = str(error).splitlines()[0]
            raise ConfigError(
                f"--storage {url}: {reason}", "write a URL as sqlite:///trials.db"
            ) from error
    journal.parent.mkdir(parents=True, exist_ok=True)
    with exclusive(lock):
        drop_torn_line(journal)
    backend = package.storages.journal.JournalFileBackend(str(journal), JournalLock(lock))
    return package.storages.JournalStorage(backend)


class JournalLock:
    """Lets one process at a time write the journal.

    Optuna's own locks are files that a killed process leaves behind, for which all others then wait
    half a minute; this one ends with the process.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open = contextlib.ExitStack()

    def acquire(self) -> bool:
        """Wait for the lock, and take it."""
        self._open.enter_context(exclusive(self._path))
        return True

    def release(self) -> None:
        """Let others have it."""
        self._open.close()


def drop_torn_line(journal: Path) -> None:
    """Remove what was written of a line whose writer was killed in its middle."""
    if not journal.is_file():
        return
    with journal.open("rb+") as stream:
        content = stream.read()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            stream.truncate(whole)
            os.fsync(stream.fileno())


@contextlib.contextmanager
def quietly() -> Generator[None]:
    """Keep Optuna's warnings, which are for those who call it themselves, from users."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"optuna\..*")
        warnings.simplefilter("ignore", optuna().exceptions.ExperimentalWarning)
        yield

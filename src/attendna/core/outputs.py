"""What verbs write under ``--out``, and how it is recognized: ``--force`` replaces only its like.

A folder holds ``.attendna.json``: its kind, and the files it was published with. A file is
recognized by what is in it.
"""

import contextlib
import json
import os
from collections.abc import Callable, Generator, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from attendna.core.errors import ConfigError, FolderError

MARK_FILE = ".attendna.json"
_OF_THE_SYSTEM = (".DS_Store", "Thumbs.db", "desktop.ini")
_HEAD = 1 << 12
_ANOTHER = "choose another --out"

_inputs: ContextVar[tuple[Path, ...]] = ContextVar("inputs", default=())


@contextlib.contextmanager
def reading(*paths: Path) -> Generator[None, None, None]:
    """Protect what a command reads from being replaced by what it writes, within the block."""
    before = _inputs.set((*_inputs.get(), *paths))
    try:
        yield
    finally:
        _inputs.reset(before)


@dataclass(frozen=True)
class OutputFolder:
    """A kind of folder."""

    kind: str
    """Its name in messages: ``task``."""
    added: tuple[str, ...] = ()
    """Patterns of the files that attendna writes into it after it was published."""

    def mark(self, folder: Path) -> None:
        """Write down the kind of a complete folder, and its files."""
        tree = {"kind": self.kind, "files": sorted(_files(folder))}
        (folder / MARK_FILE).write_text(json.dumps(tree, indent=1) + "\n", encoding="utf-8")

    def refuse_foreign(self, folder: Path) -> None:
        """Refuse to replace what is not a folder of this kind with our files only.

        Raises
        ------
        FolderError
            It is a file, a link, a place that one works in, holds what the command reads or what
            attendna did not write, or is of another kind.
        """
        _refuse_place(folder)
        if not folder.is_dir():
            raise FolderError(f"{folder} is a file, it will not be replaced by a folder", _ANOTHER)
        # The mark comes first: of a large folder that is not ours nothing is listed.
        found = _read_mark(folder)
        if found is None:
            if any(folder.iterdir()):
                raise FolderError(
                    f"{folder} was not written by attendna, it will not be replaced", _ANOTHER
                )
            return
        kind, files = found
        if kind != self.kind:
            raise FolderError(
                f"{folder} is a {kind} folder and no {self.kind} folder, it will not be replaced",
                _ANOTHER,
            )
        for name in _files(folder):
            if name not in files and not any(fnmatchcase(name, each) for each in self.added):
                raise FolderError(
                    f"{folder} holds {name}, which attendna did not write there; it will not be "
                    "replaced",
                    f"move {name} away, or {_ANOTHER}",
                )


@dataclass(frozen=True)
class OutputFile:
    """A kind of file."""

    kind: str
    """Its name in messages: ``page``."""
    recognizes: Callable[[Path], bool]
    """Whether a file is of this kind; any file may be given."""
    endings: tuple[str, ...] = ()
    """Endings of its name; with none given, any."""

    def refuse_ending(self, file: Path) -> None:
        """Refuse a name whose ending is that of other files.

        Raises
        ------
        ConfigError
            The ending is none of ``endings``.
        """
        if self.endings and file.suffix.lower() not in self.endings:
            raise ConfigError(
                f"--out {file}: the ending is not known", f"use {' or '.join(self.endings)}"
            )

    def refuse_foreign(self, file: Path) -> None:
        """Refuse to replace what is not a file of this kind.

        Raises
        ------
        FolderError
            It is a folder, a link, what the command reads, or another file.
        """
        if file.is_dir():
            raise FolderError(f"{file} is a folder, it will not be replaced by a file", _ANOTHER)
        _refuse_place(file)
        if not file.is_file() or not self.recognizes(file):
            raise FolderError(
                f"{file} is no {self.kind} that attendna wrote, it will not be replaced", _ANOTHER
            )


def head_of(path: Path) -> bytes:
    """The first bytes of a file, to recognize it by."""
    with path.open("rb") as stream:
        return stream.read(_HEAD)


_GENERATOR = b'<meta name="generator" content="attendna '
PAGE = OutputFile("page", lambda path: _GENERATOR in head_of(path), (".html", ".htm"))
"""An HTML page, by the generator it names."""


def _refuse_place(target: Path) -> None:
    """Refuse links, the places one works in, and what the command reads."""
    if target.is_symlink():
        raise FolderError(f"{target} is a link, it will not be replaced", _ANOTHER)
    whole = target.resolve()
    if target.is_mount() or any(_holds(whole, place) for place in (Path.cwd(), _home())):
        raise FolderError(f"{target} is a place to work in, it will not be replaced", _ANOTHER)
    for path in _inputs.get():
        if _holds(whole, path.resolve()):
            holds = "is" if path.resolve() == whole else f"holds {path}, which is"
            raise FolderError(
                f"{target} {holds} an input of this command, it will not be replaced", _ANOTHER
            )


def _home() -> Path:
    return Path(os.path.expanduser("~")).resolve()  # noqa: PTH111 - Path.home() may raise


def _holds(folder: Path, path: Path) -> bool:
    return path == folder or folder in path.parents


def _read_mark(folder: Path) -> tuple[str, frozenset[str]] | None:
    """The kind of a folder and the files it was published with; none where there is no mark."""
    try:
        tree = json.loads((folder / MARK_FILE).read_text(encoding="utf-8"))
        return str(tree["kind"]), frozenset(map(str, tree["files"]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _files(folder: Path) -> Iterator[str]:
    """Relative paths of all files but marks and what killed processes left; a Zarr is one."""
    for place, names, files in os.walk(folder):
        inside = Path(place).relative_to(folder)
        whole = [n for n in names if n.endswith(".zarr") or Path(place, n).is_symlink()]
        left = (".attendna.partial", ".attendna.old")
        names[:] = [name for name in names if name not in whole and not name.endswith(left)]
        for name in (*files, *whole):
            if name != MARK_FILE and name not in _OF_THE_SYSTEM:
                yield (inside / name).as_posix()

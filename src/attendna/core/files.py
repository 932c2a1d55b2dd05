"""Files and folders that are whole or absent: atomic publishing, and what ``--force`` may replace.

Work in progress lies in a hidden sibling of its target, ``.NAME.TOKEN.attendna.partial``, which its
process keeps locked. The lock ends with the process, however it ends, so the next build of the same
target can distinguish what was abandoned from what another process is still writing, here or on
another machine.
"""

import contextlib
import errno
import fcntl
import glob
import hashlib
import os
import secrets
import shutil
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TypeVar

from attendna.core.errors import FolderError, ResourceError, UserError
from attendna.core.outputs import OutputFile, OutputFolder

_Found = TypeVar("_Found")


@contextlib.contextmanager
def publish_folder(
    target: str | Path, output: OutputFolder, *, force: bool = False
) -> Generator[Path, None, None]:
    """Build a folder that appears under its name only when it is complete.

    Yields an empty folder on the same file system; when the block ends well it is renamed to
    ``target``, and when it raises it is removed. A killed process leaves only a hidden sibling,
    which the next build of the same target removes.

    Parameters
    ----------
    output
        The kind of the folder, which is marked in it.
    force
        Replace an existing folder of the same kind. Without it whatever exists is refused before
        any work.

    Raises
    ------
    FolderError
        The target exists and may not be replaced, or cannot be written.
    ResourceError
        The disk is full.
    """
    target = Path(target)
    with _workplace(target, lambda: refuse_existing(target, output, force=force)) as partial:
        yield partial
        output.mark(partial)
        # Another build may have been faster.
        refuse_existing(target, output, force=force)
        _swap(partial, target)


@contextlib.contextmanager
def publish_output(
    target: str | Path, output: OutputFile, *, force: bool = False
) -> Generator[Path, None, None]:
    """Write a file where the user asks for it; it appears under its name only when it is complete.

    Yields a path of the same name in a hidden folder to write to; see :func:`publish_folder`.

    Raises
    ------
    FolderError
        The target exists and may not be replaced, or cannot be written.
    ResourceError
        The disk is full.
    """
    target = Path(target)
    with _workplace(target, lambda: refuse_existing(target, output, force=force)) as partial:
        yield partial / target.name
        refuse_existing(target, output, force=force)
        (partial / target.name).replace(target)


@contextlib.contextmanager
def publish_file(target: str | Path) -> Generator[Path, None, None]:
    """Write a file in a folder of ours, in place of an older one; it is whole or absent.

    Yields a path of the same name in a hidden folder to write to; see :func:`publish_folder`.
    """
    target = Path(target)
    with _workplace(target) as partial:
        yield partial / target.name
        (partial / target.name).replace(target)


@contextlib.contextmanager
def replace_folder(target: Path) -> Generator[Path, None, None]:
    """Build a folder of a cache, in place of a damaged one; see :func:`publish_folder`."""
    with _workplace(target) as partial:
        yield partial
        _swap(partial, target)


def refuse_existing(
    target: str | Path, output: OutputFile | OutputFolder, *, force: bool = False
) -> None:
    """Refuse to write where something is, unless ``force`` is on and it is an older ``output``.

    Raises
    ------
    FolderError
        ``target`` exists, and is not to be replaced or is not an output of the same kind.
    ConfigError
        The name has the ending of another kind of file.
    """
    if isinstance(output, OutputFile) and not Path(target).is_dir():
        output.refuse_ending(Path(target))
    if not os.path.lexists(target):
        return
    if not force:
        raise FolderError(f"{target} exists", "choose another --out, or add --force to replace it")
    output.refuse_foreign(Path(target))


def sha256(path: str | Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextlib.contextmanager
def exclusive(path: str | Path) -> Generator[None, None, None]:
    """Let one process at a time through, on this machine or another; the others wait.

    ``path`` is a file made for the purpose and kept; its lock ends with the process. Where the file
    system has no locks nobody waits.
    """
    path = Path(path)
    with _explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o666)
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def open_or_build(
    target: Path, read: Callable[[Path], _Found | None], build: Callable[[Path], None]
) -> _Found | None:
    """What a cache folder holds; where it is missing or damaged it is built first.

    One process builds while others that want the same wait for it.

    Parameters
    ----------
    read
        Opens the folder; none where it is missing or damaged.
    build
        Fills an empty folder, which then takes the place of ``target``.
    """
    found = read(target)
    if found is None:
        with exclusive(target.parent / f"{target.name}.lock"):
            found = read(target)
            if found is None:
                with replace_folder(target) as partial:
                    build(partial)
                found = read(target)
    return found


@contextlib.contextmanager
def _workplace(
    target: Path, check: Callable[[], None] = lambda: None
) -> Generator[Path, None, None]:
    """A locked, empty folder beside ``target``, removed at the end if it is still there."""
    with _explained(target):
        _clear_abandoned(target)
        check()
        target.parent.mkdir(parents=True, exist_ok=True)
        partial, lock = _locked_folder(target)
    try:
        with _explained(target):
            yield partial
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def _locked_folder(target: Path) -> tuple[Path, int | None]:
    """A new folder, and its lock where the file system has locks."""
    while True:
        partial = target.parent / f".{target.name}.{secrets.token_hex(4)}.attendna.partial"
        partial.mkdir()
        lock = _lock(partial, wait=True)
        # Another process may have been faster, taken the new folder for abandoned and removed it.
        if partial.exists():
            return partial, lock


def _lock(folder: Path, *, wait: bool = False) -> int | None:
    """Lock a folder until the returned handle is closed; none if it is locked or cannot be."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        os.close(handle)
        return None
    return handle


def _swap(partial: Path, target: Path) -> None:
    """Put ``partial`` where ``target`` is, keeping the old one until the new one stands."""
    old = partial.with_suffix(".old")
    while True:
        with contextlib.suppress(FileNotFoundError):
            target.rename(old)
        try:
            partial.rename(target)
        except OSError as error:
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                # Another build of the same target took the place within this moment.
                _remove(old)
                continue
            with contextlib.suppress(OSError):
                old.rename(target)
            raise
        _remove(old)
        return


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _clear_abandoned(target: Path) -> None:
    """Remove what killed builds of the same target left; put back what they had moved away."""
    siblings = f".{glob.escape(target.name)}.????????.attendna"
    for partial in target.parent.glob(f"{siblings}.partial"):
        lock = _lock(partial)
        if lock is None:
            continue
        old = partial.with_suffix(".old")
        if os.path.lexists(old) and not os.path.lexists(target):
            old.rename(target)
        _remove(partial)
        os.close(lock)
    for old in target.parent.glob(f"{siblings}.old"):
        if os.path.lexists(target):
            _remove(old)


@contextlib.contextmanager
def _explained(target: Path) -> Generator[None, None, None]:
    """Turn what the operating system says about ``target`` into one line for the user."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        if _is_full(error, target):
            raise ResourceError(
                f"the disk is full while writing {target}", "free some space and run again"
            ) from error
        if isinstance(error, OSError) and _concerns(error, target):
            raise FolderError(
                f"cannot write {target}: {error.strerror}", "choose another --out"
            ) from error
        raise


_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_REFUSED = (
    errno.EACCES,
    errno.EEXIST,
    errno.EISDIR,
    errno.ENAMETOOLONG,
    errno.ENOTDIR,
    errno.ENOTEMPTY,
    errno.EPERM,
    errno.EROFS,
)


def _is_full(error: Exception, target: Path) -> bool:
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno in _FULL
    # Writers outside Python (Polars, safetensors, torch) raise errors of their own, and not all say
    # why.
    if any(os.strerror(number) in str(error) for number in _FULL):
        return True
    return target.parent.is_dir() and shutil.disk_usage(target.parent).free < 1 << 16


def _concerns(error: OSError, target: Path) -> bool:
    """Whether the system refused to write ``target``, not to read something for it."""
    if error.errno not in _REFUSED or error.filename is None:
        return False
    place, target = Path(os.fsdecode(error.filename)).absolute(), target.absolute()
    return str(place).startswith(f"{target.parent}/.{target.name}.") or place in (
        target,
        *target.parents,
    )

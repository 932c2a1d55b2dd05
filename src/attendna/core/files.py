"""Files and folders that are whole or absent: atomic publishing, checksums, temporary siblings."""

import contextlib
import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from attendna.core.errors import FolderError, ResourceError


@contextlib.contextmanager
def publish_folder(target: str | Path, *, force: bool = False) -> Iterator[Path]:
    """Build a folder that appears under its name only when it is complete.

    Yields an empty sibling folder on the same file system; when the block ends well it is renamed
    to ``target``, and when it raises it is removed. A killed process leaves only a hidden sibling,
    which the next build of the same target removes.

    Parameters
    ----------
    force
        Replace an existing target. Without it an existing target is refused before any work.

    Raises
    ------
    FolderError
        The target exists, or its parent cannot be written.
    ResourceError
        The disk is full.
    """
    target = Path(target)
    refuse_existing(target, force=force)
    with _explained(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(target)
        partial = target.parent / f".{target.name}.{os.getpid()}.partial"
        partial.mkdir()
    try:
        with _explained(target):
            yield partial
            _swap(partial, target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@contextlib.contextmanager
def publish_file(target: str | Path, *, force: bool = True) -> Iterator[Path]:
    """Write a file that appears under its name only when it is complete.

    Yields the path of a hidden sibling to write to; see :func:`publish_folder`.
    """
    target = Path(target)
    refuse_existing(target, force=force)
    with _explained(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        # The suffix stays last: writers such as Polars and pysam look at it.
        partial = target.parent / f".{target.stem}.{os.getpid()}.partial{target.suffix}"
    try:
        with _explained(target):
            yield partial
            partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def refuse_existing(target: str | Path, *, force: bool = False) -> None:
    """Raise :class:`FolderError` when ``target`` exists and ``force`` is off."""
    if not force and os.path.lexists(target):
        raise FolderError(f"{target} exists", "choose another --out, or add --force to replace it")


def sha256(path: str | Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _swap(partial: Path, target: Path) -> None:
    """Put ``partial`` where ``target`` is, keeping the old folder until the new one stands."""
    if not os.path.lexists(target):
        partial.rename(target)
        return
    old = target.parent / f".{target.name}.{os.getpid()}.old"
    target.rename(old)
    partial.rename(target)
    shutil.rmtree(old) if old.is_dir() and not old.is_symlink() else old.unlink()


def _remove_abandoned(target: Path) -> None:
    """Remove what killed builds of the same target left behind."""
    for sibling in target.parent.glob(f".{target.name}.*.partial"):
        pid = sibling.name.removesuffix(".partial").rpartition(".")[2]
        if pid.isdigit() and not _is_running(int(pid)):
            shutil.rmtree(sibling, ignore_errors=True)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@contextlib.contextmanager
def _explained(target: Path) -> Iterator[None]:
    """Turn what the operating system says about ``target`` into one line for the user."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise ResourceError(
                f"the disk is full while writing {target}", "free some space and run again"
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST):
            raise FolderError(
                f"cannot write {target}: {error.strerror}", "choose another --out"
            ) from error
        raise

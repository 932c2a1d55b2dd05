"""What made a file: the command that was given, and the version of attendna with its commit."""

import json
import shlex
import subprocess
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import attendna

_WORDS: ContextVar[tuple[str, ...]] = ContextVar("words", default=())

_SECONDS = 10
"""How long git may take."""


@contextmanager
def commanded(words: Sequence[str]) -> Generator[None]:
    """What is written within the block is made by these words of the command line."""
    token = _WORDS.set(tuple(words))
    try:
        yield
    finally:
        _WORDS.reset(token)


def command() -> str:
    """The command line, to be given again as it stands; empty where Python called."""
    words = _WORDS.get()
    return shlex.join(["attendna", *words]) if words else ""


@cache
def commit() -> str:
    """The commit of this code, followed by ``-dirty`` where files differ; empty if not known.

    It is that of the checkout attendna runs from, or of the repository it was installed from.
    """
    root = Path(attendna.__file__).parents[2]
    if (root / ".git").exists():
        return _described(root)
    try:
        text = distribution("attendna").read_text("direct_url.json")
    except PackageNotFoundError:
        return ""
    source = json.loads(text).get("vcs_info", {}) if text else {}
    return str(source.get("commit_id", ""))[:12]


def _described(root: Path) -> str:
    words = [
        "git",
        "-C",
        str(root),
        "describe",
        "--always",
        "--dirty",
        "--abbrev=12",
        "--exclude=*",
    ]
    try:
        done = subprocess.run(  # noqa: S603 - nothing of it is given by anybody
            words, capture_output=True, text=True, timeout=_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


def version() -> str:
    """The version, with the commit where it is known."""
    found = commit()
    return f"{attendna.__version__} (commit {found})" if found else attendna.__version__

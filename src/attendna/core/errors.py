"""Every error attendna raises on purpose.

    AttendnaError
    └── UserError                something the user can mend: one line, exit code 2
        ├── ConfigError          a YAML file, a ``--set`` or an option says something impossible
        │   └── DivergedError    with these settings training came to no numbers
        ├── DataError            a row of a file is wrong: names the file, the row and the remedy
        ├── FolderError          a task or run folder exists, is missing, or is of another version
        ├── UnknownNameError     a name that no registry holds: says what is near
        ├── MissingExtraError    an optional package is needed: says what to install
        └── ResourceError        disk, memory or network said no

Anything else that reaches the user as a traceback is a bug.
"""

import re
from pathlib import Path
from typing import Any

_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Characters that a terminal obeys or cannot show, but for tabs and ends of lines."""


def printable(text: str) -> str:
    """Text with escapes such as ``\\x1b`` for what a terminal would obey instead of showing it."""
    return _OBEYED.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


class AttendnaError(Exception):
    """Base of all errors raised on purpose."""

    def __reduce__(self) -> tuple[Any, ...]:
        # An exception is pickled as a call of its class with the message; ours take other
        # arguments, and worker processes must be able to hand them on.
        return _restored, (type(self), self.args), self.__dict__


def _restored(kind: type[AttendnaError], arguments: tuple[Any, ...]) -> AttendnaError:
    return kind.__new__(kind, *arguments)


class UserError(AttendnaError):
    """An error the user can mend, told in one line: what is wrong, then what to do."""

    def __init__(self, problem: str, remedy: str = "") -> None:
        self.problem = problem
        self.remedy = remedy
        line = f"{problem}; {remedy}" if remedy else problem
        super().__init__(printable(" ".join(line.splitlines())))


class ConfigError(UserError):
    """A configuration that cannot be used, e.g. ``run.yaml: model.widht is unknown``."""


class DataError(UserError):
    """A value in a data file that cannot be used.

    Parameters
    ----------
    file
        The file that holds it.
    problem, remedy
        What is wrong and what to do about it.
    row
        Its row, counted from 1 without the header, where there is one.
    """

    def __init__(
        self, file: str | Path, problem: str, remedy: str = "", *, row: int | None = None
    ) -> None:
        self.file = Path(file)
        self.row = row
        place = f"{file}" if row is None else f"{file}, row {row}"
        super().__init__(f"{place}: {problem}", remedy)


class FolderError(UserError):
    """A folder that exists, is missing, is incomplete or was written by another version."""


class UnknownNameError(UserError):
    """A name that is not registered; the message lists near misses."""


class MissingExtraError(UserError):
    """An optional package is not installed."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs the package {package}", f"pip install 'attendna[{extra}]'"
        )


class ResourceError(UserError):
    """The machine said no: a full disk, too little memory, a closed network."""


class DivergedError(ConfigError):
    """A training that came to no numbers; with the same settings it would again."""

"""Names that stand for classes, imported when they are first asked for.

A registry maps a name to ``"module:attribute"``, so that listing what there is costs no import of
torch. Other packages add their own through an entry-point group of the registry's name, for example
``[project.entry-points."attendna.models"]``.
"""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, Generic, TypeVar

from attendna.core.errors import UnknownNameError


def resembling(name: str, known: Iterable[str]) -> list[str]:
    """The few ``known`` names that resemble ``name``, in any case, the nearest first."""
    by_folded = {entry.casefold(): entry for entry in known}
    close = difflib.get_close_matches(name.casefold(), list(by_folded), n=3, cutoff=0.6)
    return [by_folded[entry] for entry in close]


def near_misses(name: str, known: Mapping[str, object] | list[str]) -> str:
    """The ``known`` names that resemble ``name``, or all, as the end of an error message."""
    if close := resembling(name, known):
        return f"did you mean {' or '.join(close)}?"
    return f"known: {', '.join(sorted(known))}"


T_co = TypeVar("T_co", covariant=True)


class Registry(Generic[T_co]):
    """Lazy name -> object table for one kind of thing.

    Parameters
    ----------
    kind
        What the entries are, in the singular, as error messages call it ("model").
    entries
        Name to ``"module:attribute"``.
    group
        Entry-point group that plug-ins use; none when the registry is closed.
    """

    def __init__(self, kind: str, entries: Mapping[str, str], group: str | None = None) -> None:
        self.kind = kind
        self._entries = dict(entries)
        self._group = group

    @cached_property
    def _all(self) -> dict[str, str]:
        merged = dict(self._entries)
        for point in entry_points(group=self._group) if self._group else ():
            if merged.get(point.name, point.value) != point.value:
                raise UnknownNameError(
                    f"two packages register the {self.kind} {point.name!r}: "
                    f"{merged[point.name]} and {point.value}",
                    "uninstall one of them",
                )
            merged[point.name] = point.value
        return merged

    def register(self, name: str, target: str) -> None:
        """Add ``name -> "module:attribute"``; a name that is taken by another target is refused."""
        if self._all.get(name, target) != target:
            raise UnknownNameError(
                f"the {self.kind} {name!r} is already {self._all[name]}", "choose another name"
            )
        self._all[name] = target

    def __getitem__(self, name: str) -> T_co:
        if name not in self._all:
            raise UnknownNameError(
                f"there is no {self.kind} {name!r}", near_misses(name, list(self._all))
            )
        module, _, attribute = self._all[name].partition(":")
        try:
            loaded: Any = getattr(import_module(module), attribute)
        except (ImportError, AttributeError) as error:
            if name in self._entries:
                raise
            raise UnknownNameError(
                f"the {self.kind} {name!r} cannot be imported from {self._all[name]}: {error}",
                "update or uninstall the package that adds it",
            ) from error
        return loaded

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._all))

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name in self._all

    def __len__(self) -> int:
        return len(self._all)

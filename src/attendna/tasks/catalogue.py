"""Public data sets by name: where they are, what they must hold, what their makers ask for.

The lists are the YAML files of the folder ``catalogue``, one a collection. A set is added by adding
its lines there.
"""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Literal, cast

import yaml
from pydantic import Field, model_validator

from attendna.core.config import Config, parse
from attendna.core.errors import UnknownNameError
from attendna.core.registry import resembling
from attendna.tasks.spec import SPLITS, LabelKind, SplitName

Kind = Literal["sequences", "intervals"]

# The C parser is ten times faster where PyYAML has it.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_SHORTEST_PART = 4
"""Letters from which part of a name may stand for the whole."""

POOL = "pool"
"""The part of a set whose rows are yet to be dealt to splits."""


class PublishedFile(Config):
    """One file of a set: its path in the collection, its rows, and how to recognise its content.

    ``sha256`` is of the unpacked content; ``git`` is its git blob id, where no other sum is known.
    """

    path: str
    rows: int
    sha256: str | None = None
    git: str | None = None

    @model_validator(mode="after")
    def _is_recognisable(self) -> "PublishedFile":
        if not (self.sha256 or self.git):
            raise ValueError("needs sha256 or git")
        return self


class CatalogueEntry(Config):
    """A named data set.

    ``url`` and ``mirror`` say where a file of the set is on the network and below a mirror folder;
    ``{path}`` stands for the file's path. Files are keyed by split, by ``split/class``, or are one
    ``pool``.
    """

    name: str
    title: str
    collection: str
    homepage: str
    kind: Kind = "sequences"
    url: str
    mirror: str
    columns: tuple[str, ...]
    files: dict[str, PublishedFile] = Field(min_length=1)
    classes: tuple[str, ...] = Field(min_length=2)
    window: int | None = None
    build: str | None = None
    metric: str
    splits: str
    licence: str
    citation: str
    notes: tuple[str, ...] = ()
    stand_in: str | None = None
    """Another set to take where this one cannot be had as sequences."""

    @property
    def label_kind(self) -> LabelKind:
        """Binary for two classes."""
        return "binary" if len(self.classes) == 2 else "multiclass"

    @property
    def rows(self) -> dict[str, int]:
        """Rows of each split, or of the pool."""
        parts = dict.fromkeys((key.partition("/")[0] for key in self.files), 0)
        for key, file in self.files.items():
            parts[key.partition("/")[0]] += file.rows
        return parts

    @property
    def given_splits(self) -> tuple[SplitName, ...]:
        """The splits that are published, empty for a pool."""
        return tuple(split for split in SPLITS if split in self.rows)

    def address(self, file: PublishedFile) -> str:
        """Where a file is on the network."""
        return self.url.format(path=file.path)

    def mirror_path(self, file: PublishedFile) -> str:
        """Where a file is looked for below a mirror folder, as it is or with ``.gz``."""
        return self.mirror.format(path=file.path).removesuffix(".gz")


@cache
def catalogue() -> Mapping[str, CatalogueEntry]:
    """All sets by name, in the order of their lists."""
    entries: dict[str, CatalogueEntry] = {}
    lists = files("attendna.tasks").joinpath("catalogue")
    for path in sorted(lists.iterdir(), key=lambda path: path.name):
        if not path.name.endswith(".yaml"):
            continue
        tree: dict[str, Any] = yaml.load(path.read_bytes(), Loader=_Loader)  # noqa: S506
        collection, common = tree.pop("name"), tree
        sets = cast("dict[str, dict[str, Any]]", common.pop("sets"))
        for short, own in sets.items():
            fields = common | {"collection": common["title"], "name": f"{collection}/{short}"} | own
            if stand_in := fields.get("stand_in"):
                fields["stand_in"] = f"{collection}/{stand_in}"
            entries[fields["name"]] = parse(CatalogueEntry, fields, path.name)
    return entries


def find_entry(name: str) -> CatalogueEntry:
    """The set of that name, or of a name so near that only one can be meant (``tf/0``, ``TF_0``).

    Raises
    ------
    UnknownNameError
        No set, or several, could be meant.
    """
    sets = catalogue()
    if name in sets:
        return sets[name]
    meant = _squeeze(name)
    aliases = {
        entry.name: {_squeeze(alias) for alias in _aliases(entry)} for entry in sets.values()
    }
    found = [full for full, others in aliases.items() if meant in others]
    if not found and len(meant) >= _SHORTEST_PART:
        found = [full for full in sets if meant in _squeeze(full.partition("/")[2])]
    if len(found) == 1:
        return sets[found[0]]
    hint = f"did you mean {' or '.join(found)}?" if found else _hint(name, sets)
    raise UnknownNameError(f"there is no data set {name!r}", hint)


def _hint(name: str, sets: Mapping[str, CatalogueEntry]) -> str:
    close = set(resembling(_last(name), map(_last, sets)))
    if not close:
        return "`attendna data list` shows what there is"
    return f"did you mean {' or '.join(full for full in sets if _last(full) in close)}?"


def _last(name: str) -> str:
    """The part of a name after the collection."""
    return name.rpartition("/")[2]


def _aliases(entry: CatalogueEntry) -> set[str]:
    """Names people give a set: with and without its collection, or its folder there."""
    collection, _, short = entry.name.partition("/")
    names = {short}
    if entry.kind == "sequences" and entry.given_splits:
        folder = next(iter(entry.files.values())).path.rpartition("/")[0]
        names |= {folder, folder.rpartition("/")[2]}
    return {alias for name in names for alias in (name, f"{collection}/{name}")}


def _squeeze(name: str) -> str:
    return re.sub("[^a-z0-9]", "", name.lower())

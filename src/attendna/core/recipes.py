"""The settings that come with attendna, found by name."""

import re
from importlib.resources import files
from itertools import takewhile
from pathlib import Path

from attendna.core.errors import ConfigError, UnknownNameError
from attendna.core.registry import near_misses


def recipes() -> dict[str, Path]:
    """Of every recipe, by its name, its file."""
    folder = Path(str(files("attendna").joinpath("recipes")))
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def recipe(name: str) -> Path:
    """The file of a recipe.

    Raises
    ------
    UnknownNameError
        There is none of that name.
    """
    known = recipes()
    if name not in known:
        raise UnknownNameError(f"there is no recipe {name!r}", near_misses(name, [*known]))
    return known[name]


def about(path: Path) -> str:
    """The first sentence of a recipe's comment."""
    lines = path.read_text(encoding="utf-8").splitlines()
    comment = " ".join(
        line.lstrip("# ") for line in takewhile(lambda line: line.startswith("#"), lines)
    )
    return re.split(r"(?<=\.) ", comment)[0].rstrip(".")


def find_settings(name: str | Path, *, beside: Path | None = None) -> Path:
    """The file of settings at a path, or of the recipe with that name; a file comes first.

    Parameters
    ----------
    beside
        The file that names it, from whose folder the path leads.

    Raises
    ------
    ConfigError
        There is neither.
    """
    path, known = Path(name) if beside is None else beside.parent / name, recipes()
    if path.is_file():
        return path
    if str(name) in known:
        return known[str(name)]
    if path.exists():
        return path
    raise ConfigError(f"{path}: no such file, and no recipe", near_misses(path.stem, [*known]))

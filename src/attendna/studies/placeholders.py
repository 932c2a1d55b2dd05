"""``$name`` in the texts of a study: where the data, a task or something made lies this time."""

from collections.abc import Iterator, Mapping, Sequence
from string import Template
from typing import Any, cast

from attendna.core.errors import ConfigError
from attendna.core.registry import near_misses

DATA = "data"
"""Stands for the folder that the user gives as --data."""


def fill(node: Any, paths: Mapping[str, str]) -> Any:
    """The same tree with every ``$name`` or ``${name}`` in its texts replaced.

    Raises
    ------
    ConfigError
        A name is not among ``paths``, or a ``$`` stands alone.
    """
    if isinstance(node, str):
        return _filled(node, paths)
    if isinstance(node, Mapping):
        mapping = cast("Mapping[str, Any]", node)
        return {key: fill(value, paths) for key, value in mapping.items()}
    if isinstance(node, list | tuple):
        return [fill(value, paths) for value in cast("Sequence[Any]", node)]
    return node


def named_in(node: Any) -> Iterator[str]:
    """The names that a tree mentions."""
    if isinstance(node, str):
        yield from Template(node).get_identifiers()
    elif isinstance(node, Mapping):
        for value in cast("Mapping[str, Any]", node).values():
            yield from named_in(value)
    elif isinstance(node, list | tuple):
        for value in cast("Sequence[Any]", node):
            yield from named_in(value)


def _filled(text: str, paths: Mapping[str, str]) -> str:
    try:
        return Template(text).substitute(paths)
    except KeyError as error:
        name = str(error.args[0])
        raise ConfigError(
            f"${name} in {text!r} is neither data nor a task nor made", near_misses(name, [*paths])
        ) from None
    except ValueError:
        raise ConfigError(f"a $ in {text!r} names nothing", "write $$ for the letter") from None

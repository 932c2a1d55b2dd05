"""Frozen, strict configuration: YAML files, ``--set a.b=c`` overrides, errors of one line."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar, cast

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from attendna.core.errors import ConfigError, UnknownNameError
from attendna.core.registry import Registry, near_misses

Tree = dict[str, Any]
"""A configuration as YAML gives it: nested dicts, lists and scalars."""


class Config(BaseModel):
    """Base of every configuration: immutable, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    def to_tree(self) -> Tree:
        """Plain nested dicts, every default written out, fit for YAML and JSON."""
        return self.model_dump(mode="json", serialize_as_any=True)

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed, validated again."""
        return type(self).model_validate(self.to_tree() | changes)


C = TypeVar("C", bound=Config)


def read_yaml(path: str | Path) -> Tree:
    """Read one YAML mapping; a missing, broken or non-mapping file is a :class:`ConfigError`."""
    path = Path(path)
    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file", "check the path") from None
    except IsADirectoryError:
        raise ConfigError(f"{path} is a folder", "name a YAML file") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not a UTF-8 text file", "name a YAML file") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path}, line {mark.line + 1}" if mark else f"{path}"
        problem = getattr(error, "problem", None) or "not valid YAML"
        raise ConfigError(f"{place}: {problem}", "correct the YAML") from None
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        raise ConfigError(f"{path} holds a {type(tree).__name__}", "write `key: value` lines")
    return cast("Tree", tree)


def to_yaml(tree: Mapping[str, Any]) -> str:
    """YAML text of a configuration tree, keys in their given order."""
    return yaml.safe_dump(dict(tree), sort_keys=False, allow_unicode=True)


def override(tree: Mapping[str, Any], assignments: Sequence[str]) -> Tree:
    """A copy of ``tree`` with ``"a.b=value"`` assignments applied; values are read as YAML.

    A number indexes a list: ``members.0.width=64``.
    """
    result: Tree = yaml.safe_load(yaml.safe_dump(dict(tree)))
    for assignment in assignments:
        dotted, equals, text = assignment.partition("=")
        if not equals or not dotted.strip():
            raise ConfigError(f"--set {assignment}: no `=`", "write --set key.subkey=value")
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError:
            raise ConfigError(f"--set {assignment}: the value is not YAML", "quote it") from None
        _assign(result, dotted.strip().split("."), value, assignment)
    return result


def _assign(tree: Tree, keys: list[str], value: Any, assignment: str) -> None:
    node: Any = tree
    for key in keys[:-1]:
        if isinstance(node, list):
            node = cast("list[Any]", node)[_index(node, key, assignment)]
        elif isinstance(node, dict):
            node = cast("Tree", node).setdefault(key, {})
        else:
            raise ConfigError(f"--set {assignment}: {key} is below a plain value", "check the key")
    if isinstance(node, list):
        node[_index(node, keys[-1], assignment)] = value
    elif isinstance(node, dict):
        node[keys[-1]] = value
    else:
        raise ConfigError(f"--set {assignment}: {keys[-1]} is below a plain value", "check the key")


def _index(items: Any, key: str, assignment: str) -> int:
    if not key.isdigit() or int(key) >= len(items):
        raise ConfigError(
            f"--set {assignment}: {key} is not a position in a list of {len(items)}", "check it"
        )
    return int(key)


class _NestedError(ValueError):
    """A chosen configuration did not validate; carries its own complaints."""

    def __init__(self, kind: type[Config], error: ValidationError) -> None:
        self.kind = kind
        self.error = error
        super().__init__(str(error))


def chosen_from(registry: Registry[type[Config]]) -> BeforeValidator:
    """Validator of a field whose ``name`` key chooses its class from ``registry``.

    Use it as ``model: Annotated[SerializeAsAny[ModelConfig], chosen_from(MODELS)]``. A bare string
    stands for ``{name: string}``.
    """

    def choose(value: Any) -> Any:
        if isinstance(value, Config):
            return value
        chosen = {"name": value} if isinstance(value, str) else value
        if not isinstance(chosen, Mapping) or "name" not in chosen:
            raise ValueError(f"needs a `name`, one of {', '.join(registry)}")
        fields = cast("Mapping[str, Any]", chosen)
        try:
            kind = registry[str(fields["name"])]
        except UnknownNameError as error:
            raise ValueError(str(error)) from None
        try:
            return kind.model_validate(fields)
        except ValidationError as error:
            raise _NestedError(kind, error) from None

    return BeforeValidator(choose)


def parse(kind: type[C], tree: Mapping[str, Any], source: str | Path) -> C:
    """Validate ``tree`` as ``kind``; all complaints become one :class:`ConfigError` line.

    Parameters
    ----------
    source
        Where the tree came from, named at the front of the message.
    """
    try:
        return kind.model_validate(tree)
    except ValidationError as error:
        raise ConfigError(f"{source}: " + "; ".join(_complaints(kind, error))) from None


def _complaints(kind: type[Config], error: ValidationError, prefix: str = "") -> list[str]:
    lines: list[str] = []
    for item in error.errors():
        place = [str(part) for part in item["loc"]]
        dotted = prefix + ".".join(place)
        nested = item.get("ctx", {}).get("error")
        if isinstance(nested, _NestedError):
            lines += _complaints(nested.kind, nested.error, prefix=f"{dotted}.")
        elif item["type"] == "extra_forbidden":
            known = _fields_at(kind, place[:-1])
            hint = f", {near_misses(place[-1], known)}" if known else ""
            lines.append(f"{dotted} is not a setting{hint}")
        elif item["type"] == "missing":
            lines.append(f"{dotted} is missing")
        else:
            lines.append(_describe(dotted, str(item["msg"]), item["type"], item.get("input")))
    return lines


def _describe(dotted: str, message: str, error_type: str, value: object) -> str:
    message = message.removeprefix("Value error, ")
    shown = repr(value)
    suffix = f" (got {shown})" if error_type != "value_error" and len(shown) < 60 else ""
    return f"{dotted.rstrip('.')}: {message}{suffix}" if dotted else f"{message}{suffix}"


def _fields_at(kind: type[Config], place: list[str]) -> list[str]:
    """Field names of the configuration found by walking ``place`` from ``kind``."""
    node: Any = kind
    for part in place:
        field = getattr(node, "model_fields", {}).get(part)
        node = field.annotation if field else None
    return list(getattr(node, "model_fields", {}))

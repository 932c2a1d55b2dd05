"""Frozen, strict configuration: YAML files, ``--set a.b=c`` overrides, errors of one line."""

import re
from collections.abc import Hashable, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar, cast, get_args

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


def comma_separated(value: Any) -> Any:
    """Texts, or a list of texts, as one flat list: what stands between commas, without blanks.

    Other values are given back as they are, for the type of the field to judge.

    Raises
    ------
    ValueError
        A text names nothing.
    """
    if isinstance(value, str):
        words = [word.strip() for word in value.split(",") if word.strip()]
        if not words:
            raise ValueError("the list is empty, give values with commas between them")
        return words
    if isinstance(value, list | tuple):
        nested = [comma_separated(part) for part in cast("list[Any]", value)]
        return [word for part in nested for word in (part if isinstance(part, list) else [part])]
    return value


LISTED = BeforeValidator(comma_separated)
"""Validator of a field whose values may be given one by one, or with commas between them."""

Names = Annotated[tuple[str, ...], LISTED]
"""Names that may be written with commas, or one by one: ``chr8,chr9`` or ``[chr8, chr9]``."""


class _Loader(yaml.SafeLoader):
    """Reads ``3e-4`` as a number, as YAML 1.2 does, and refuses a key that is given twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Hashable] = set()
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                continue
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, Hashable) and key in seen:
                raise yaml.constructor.ConstructorError(
                    problem=f"{key} is given twice", problem_mark=key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


class _Dumper(yaml.SafeDumper):
    """Quotes texts that the loader would read as numbers, as ``12e3``."""


for _side in (_Loader, _Dumper):
    _side.add_implicit_resolver(
        "tag:yaml.org,2002:float",
        re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"),
        list("-+.0123456789"),
    )


def read_yaml(path: str | Path) -> Tree:
    """Read one YAML mapping.

    Raises
    ------
    ConfigError
        The file cannot be read, is not YAML (with the line), or holds no mapping.
    """
    path = Path(path)
    try:
        tree = _parse_yaml(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file", "check the path") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not a UTF-8 text file", "name a YAML file") from None
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}", "name a YAML file") from None
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


def _parse_yaml(text: str) -> Any:
    try:
        return yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader
    except ValueError as error:
        # PyYAML lets the errors of numbers and dates through as they are.
        raise yaml.MarkedYAMLError(problem=str(error)) from None


def to_yaml(tree: Mapping[str, Any]) -> str:
    """YAML text of a configuration tree, keys in their given order."""
    return yaml.dump(dict(tree), Dumper=_Dumper, sort_keys=False, allow_unicode=True)


def override(tree: Mapping[str, Any], assignments: Sequence[str]) -> Tree:
    """A copy of ``tree`` with ``"a.b=value"`` assignments applied; values are read as YAML.

    A number indexes a list: ``members.0.width=64``.

    Raises
    ------
    ConfigError
        An assignment is not of this form, or what it names cannot have such a part.
    """
    result = deepcopy(dict(tree))
    for assignment in assignments:
        dotted, equals, text = assignment.partition("=")
        keys = [key.strip() for key in dotted.split(".")]
        if not equals or not all(keys):
            raise ConfigError(
                f"--set {assignment}: no key or no `=`", "write --set key.subkey=value"
            )
        try:
            value = _parse_yaml(text)
        except yaml.YAMLError:
            raise ConfigError(f"--set {assignment}: the value is not YAML", "quote it") from None
        _assign(result, keys, value, assignment)
    return result


def _assign(tree: Tree, keys: Sequence[str], value: Any, assignment: str) -> None:
    node: Any = tree
    for depth, key in enumerate(keys):
        place = _place(node, key, ".".join(keys[:depth]), assignment)
        if depth == len(keys) - 1:
            node[place] = value
            return
        if place == key and node.get(key) is None:
            node[key] = {}
        node = node[place]


def _place(node: Any, key: str, above: str, assignment: str) -> int | str:
    """What ``key`` indexes ``node`` by: itself in a mapping, a number in a list."""
    if isinstance(node, dict):
        return key
    if not isinstance(node, list):
        raise ConfigError(
            f"--set {assignment}: {above} is {node!r}, which has no part {key}",
            f"set {above} to a mapping first",
        )
    size = len(cast("list[Any]", node))
    if not key.isdecimal() or int(key) >= size:
        raise ConfigError(
            f"--set {assignment}: {above} is a list of {size}, which has no part {key}",
            "positions count from 0",
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


def _fields_at(kind: type[Config], place: Sequence[str]) -> list[str]:
    """Field names of the configurations found by walking ``place`` from ``kind``."""
    kinds = [kind]
    for part in place:
        fields = [known.model_fields[part] for known in kinds if part in known.model_fields]
        # A position in a list or a key of a mapping names no field: the kinds inside stay.
        kinds = [found for field in fields for found in _configs_in(field.annotation)] or kinds
    return [name for known in kinds for name in known.model_fields]


def _configs_in(annotation: Any) -> list[type[Config]]:
    """Every configuration that a type annotation mentions, as in ``tuple[Source, ...] | None``."""
    if isinstance(annotation, type) and issubclass(annotation, Config):
        return [annotation]
    return [found for part in get_args(annotation) for found in _configs_in(part)]

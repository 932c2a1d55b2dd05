"""Frozen, strict configuration: YAML files, ``--set a.b=c`` overrides, errors of one line."""

import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar, cast, get_args

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
)

from attendna.core.errors import ConfigError, UnknownNameError
from attendna.core.registry import Registry, near_misses

Tree = dict[str, Any]
"""A configuration as YAML gives it: nested dicts, lists and scalars."""

Seed = Annotated[int, Field(ge=0, lt=1 << 63)]
"""Field type: where everything drawn at random begins, as every generator takes it."""

_DEEPEST = 64
"""Mappings and lists within each other in a YAML file."""

_LARGEST = 1 << 63


class Config(BaseModel):
    """Base of every configuration: immutable; unknown keys, NaN and infinity are refused."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False
    )

    @field_validator("*")
    @classmethod
    def _fits_64_bits(cls, value: Any) -> Any:
        for number in value if isinstance(value, tuple) else (value,):
            if isinstance(number, int) and not -_LARGEST <= number < _LARGEST:
                raise ValueError("the number has more than 64 bits")
        return value

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


def _names(value: Any) -> Any:
    """A list of names; YAML reads those that are numbers, as of chromosomes, as numbers."""
    words = comma_separated([value] if isinstance(value, int) else value)
    if not isinstance(words, list):
        return words
    return [str(word) if type(word) is int else word for word in cast("list[Any]", words)]


Names = Annotated[tuple[str, ...], BeforeValidator(_names)]
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


# What JSON has, and no more; a date is text, as in YAML 1.2.
_Loader.yaml_constructors = {
    tag: construct
    for tag, construct in _Loader.yaml_constructors.items()
    if not str(tag).endswith((":binary", ":timestamp", ":omap", ":pairs", ":set"))
}
_Loader.yaml_implicit_resolvers = {
    first: [(tag, found) for tag, found in resolvers if not tag.endswith(":timestamp")]
    for first, resolvers in _Loader.yaml_implicit_resolvers.items()
}

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
        raise ConfigError(f"{path} holds no settings", "write `key: value` lines")
    return cast("Tree", tree)


def _parse_yaml(text: str) -> Any:
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _refuse_expansion(node, most=10_000 + 10 * len(text))
        return loader.construct_document(node)
    except RecursionError:
        raise yaml.MarkedYAMLError(problem="nested too deep") from None
    except ValueError as error:
        # PyYAML lets the errors of numbers through as they are.
        raise yaml.MarkedYAMLError(problem=str(error)) from None
    finally:
        loader.dispose()


def _refuse_expansion(root: yaml.Node, most: int) -> None:
    """Refuse aliases that stand for far more than is written, for themselves, or nest too deep."""
    sizes: dict[yaml.Node, int | None] = {}

    def size(node: yaml.Node, depth: int) -> int:
        if node in sizes or depth > _DEEPEST:
            known = sizes.get(node)
            if known is None:
                problem = "nested too deep" if depth > _DEEPEST else "an alias within itself"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)
            return known
        sizes[node] = None
        if isinstance(node, yaml.MappingNode):
            inner = [part for pair in node.value for part in pair]
        else:
            inner = node.value if isinstance(node, yaml.SequenceNode) else []
        total = 1 + sum(size(part, depth + 1) for part in inner)
        if total > most:
            raise yaml.MarkedYAMLError(
                problem=f"its aliases stand for more than {most:,} values, the limit of a text of "
                "this size",
                problem_mark=node.start_mark,
            )
        sizes[node] = total
        return total

    size(root, 0)


def to_yaml(tree: Mapping[str, Any], notes: Mapping[str, str] | None = None) -> str:
    """YAML text of a configuration tree, keys in their given order.

    Parameters
    ----------
    notes
        Of dotted keys as :func:`leaves` gives them, a comment to write beside the value.
    """
    text = yaml.dump(dict(tree), Dumper=_Dumper, sort_keys=False, allow_unicode=True)
    if not notes:
        return text
    lines = text.splitlines()
    for key, line in _last_lines(yaml.compose(text, _Loader)):
        if key in notes:
            lines[line] += f"  # {notes[key]}"
    return "\n".join(lines) + "\n"


def _last_lines(node: yaml.Node | None, prefix: str = "") -> Iterator[tuple[str, int]]:
    """Of every leaf its dotted key, and the line on which its value ends."""
    if isinstance(node, yaml.MappingNode) and node.value:
        parts = [(key.value, value) for key, value in node.value]
    elif isinstance(node, yaml.SequenceNode) and node.value:
        parts = list(enumerate(node.value))
    elif node is not None:
        yield prefix.removesuffix("."), node.end_mark.line
        return
    else:
        return
    for key, value in parts:
        yield from _last_lines(value, f"{prefix}{key}.")


def leaves(node: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of a tree with its dotted key; an empty mapping or list is a value."""
    if isinstance(node, Mapping) and node:
        pairs: Any = cast("Mapping[str, Any]", node).items()
    elif isinstance(node, list | tuple) and node:
        pairs = enumerate(cast("Sequence[Any]", node))
    else:
        yield prefix.removesuffix("."), node
        return
    for key, value in pairs:
        yield from leaves(value, f"{prefix}{key}.")


def is_within(key: str, above: str) -> bool:
    """Whether a dotted key is ``above``, or a part of it."""
    return key == above or key.startswith(f"{above}.")


def override(tree: Mapping[str, Any], assignments: Sequence[str]) -> Tree:
    """A copy of ``tree`` with ``"a.b=value"`` assignments applied; see :func:`change`.

    Raises
    ------
    ConfigError
        An assignment is not of this form, or what it names cannot have such a part.
    """
    return change(tree, parse_assignments(assignments))


def parse_assignments(assignments: Sequence[str]) -> dict[str, Any]:
    """Dotted keys and values of ``"a.b=value"`` assignments; values are read as YAML.

    The last one of a key counts.

    Raises
    ------
    ConfigError
        An assignment is not of this form.
    """
    changes: dict[str, Any] = {}
    for assignment in assignments:
        dotted, equals, text = assignment.partition("=")
        keys = [key.strip() for key in dotted.split(".")]
        if not equals or not all(keys):
            raise ConfigError(
                f"--set {assignment}: no key or no `=`", "write --set key.subkey=value"
            )
        key = ".".join(keys)
        changes.pop(key, None)
        try:
            changes[key] = _parse_yaml(text)
        except yaml.YAMLError:
            raise ConfigError(f"--set {assignment}: the value is not YAML", "quote it") from None
    return changes


def change(tree: Mapping[str, Any], changes: Mapping[str, Any]) -> Tree:
    """A copy of ``tree`` with the values of dotted keys changed, in their order.

    A number indexes a list: ``members.0.width``.

    Raises
    ------
    ConfigError
        What a key names cannot have such a part.
    """
    result = deepcopy(dict(tree))
    for key, value in changes.items():
        _assign(result, key.split("."), deepcopy(value), key)
    return result


@dataclass(frozen=True)
class Draft:
    """Settings before they are validated, and where each value came from, by its dotted key."""

    tree: Tree
    origins: Mapping[str, str]

    @classmethod
    def given(cls, tree: Mapping[str, Any], origin: str) -> Self:
        """Settings that all came from one place."""
        return cls(dict(tree), {key: origin for key, _ in leaves(tree)})

    def changed(self, changes: Mapping[str, Any], origin: str) -> Self:
        """The same with the values of dotted keys changed; see :func:`change`."""
        kept = {
            key: known
            for key, known in self.origins.items()
            if not any(is_within(key, changed) for changed in changes)
        }
        new = {
            key: origin
            for changed, value in changes.items()
            for key, _ in leaves(value, f"{changed}.")
        }
        return type(self)(change(self.tree, changes), kept | new)


def _assign(tree: Tree, keys: Sequence[str], value: Any, dotted: str) -> None:
    node: Any = tree
    for depth, key in enumerate(keys):
        place = _place(node, key, ".".join(keys[:depth]), dotted)
        if depth == len(keys) - 1:
            node[place] = value
            return
        if isinstance(node, list):
            node = node[int(place)]
            continue
        inner = node.get(key)
        if inner is None or isinstance(inner, str):
            # `model: cnn` stands for `model: {name: cnn}`.
            node[key] = {} if inner is None else {"name": inner}
        node = node[key]


def _place(node: Any, key: str, above: str, dotted: str) -> int | str:
    """What ``key`` indexes ``node`` by: itself in a mapping, a number in a list."""
    if isinstance(node, dict):
        return key
    if not isinstance(node, list):
        raise ConfigError(
            f"{dotted}: {above} is {node!r}, which has no part {key}",
            f"set {above} to a mapping first",
        )
    size = len(cast("list[Any]", node))
    if not key.isdecimal() or int(key) >= size:
        raise ConfigError(
            f"{dotted}: {above} is a list of {size}, which has no part {key}",
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
    except RecursionError:
        raise ConfigError(f"{source}: nested too deep", "correct it") from None


_KINDS = {
    "label_kind": ("a task", "name it with --task, and a recipe: see attendna recipes list"),
    "space": ("a search", "use attendna tune"),
    "axes": ("a study", "use attendna study run"),
    "windows": ("a pretraining", "use attendna pretrain"),
    "members": ("a training", "use attendna train"),
    "variants": ("a training", "use attendna train"),
    "model": ("a training", "use attendna train"),
}
"""What a file describes, and the verb for it, by a key at its top."""


def refuse_other_kinds(kind: type[Config], tree: Mapping[str, Any], source: str | Path) -> None:
    """Refuse a file of settings of another kind in one line, before each of its keys is reported.

    Raises
    ------
    ConfigError
        A key at the top is none of ``kind`` and names what the file describes instead.
    """
    for key, (what, remedy) in _KINDS.items():
        if key in tree and key not in kind.model_fields:
            raise ConfigError(f"{source} describes {what}", remedy)


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
    try:
        shown = repr(value)
    except RecursionError:
        return f"{dotted.rstrip('.')}: nested too deep"
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

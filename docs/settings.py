"""Write ``settings.md``: every setting of every recipe, from the classes that read them.

python docs/settings.py > docs/settings.md
"""

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from typing import Any, get_args, get_origin

from pydantic import BeforeValidator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from attendna.core.config import Config
from attendna.core.registry import Registry
from attendna.training.pretraining.config import PretrainingConfig
from attendna.training.run import RunConfig
from attendna.training.tracks.config import TrackRunConfig
from attendna.training.tuning.search import Search

ROOTS: dict[str, type[Config]] = {
    "Training on labels (`train`, `finetune`)": RunConfig,
    "Training on tracks (`train`)": TrackRunConfig,
    "Pretraining (`pretrain`)": PretrainingConfig,
    "Searching for settings (`tune`)": Search,
}

INTRODUCTION = """\
# Settings

Every setting of the recipes, with its default and meaning, written by
`python docs/settings.py > docs/settings.md` from the classes that read them. A recipe is a YAML
file of these keys; `--set a.b=value` changes one from the command line. "required" is a setting
without a default. Where a setting is chosen by `name`, the choices are listed under
[parts](#parts-chosen-by-name).
"""


def page() -> str:
    """The whole page."""
    seen: dict[type[Config], None] = {}
    registries: dict[str, Registry[type[Config]]] = {}
    parts = [INTRODUCTION]
    for title, root in ROOTS.items():
        parts.append(f"\n## {title}\n\n{first_paragraph(root)}\n")
        parts += sections(root, seen, registries)
    parts.append("\n## Parts chosen by name\n")
    done: set[str] = set()
    while left := [kind for kind in registries if kind not in done]:
        for kind in left:
            done.add(kind)
            parts.append(f"\n### {kind}\n")
            for name in registries[kind]:
                config = registries[kind][name]
                parts.append(f"\n#### `{name}`\n\n{first_paragraph(config)}\n")
                parts += sections(config, seen, registries)
    return "".join(parts)


def sections(
    kind: type[Config],
    seen: dict[type[Config], None],
    registries: dict[str, Registry[type[Config]]],
    prefix: str = "",
) -> Iterator[str]:
    """The table of a configuration, and after it those of the configurations inside it."""
    if kind in seen:
        return
    seen[kind] = None
    meanings = documented(kind)
    rows = [
        f"| `{prefix}{name}` | {default(field)} | {meaning(field, meanings.get(name, ''))} |\n"
        for name, field in kind.model_fields.items()
        if name != "format" and not (name == "name" and literals(field.annotation))
    ]
    if rows:
        yield "\n| setting | default | meaning |\n|---|---|---|\n"
        yield from rows
    for name, field in kind.model_fields.items():
        registry = chosen_from(field)
        if registry is not None:
            registries.setdefault(registry.kind, registry)
            continue
        for inner in dict.fromkeys(configs_in(field.annotation)):
            below = list(sections(inner, seen, registries, f"{prefix}{name}."))
            if below:
                yield f"\n`{prefix}{name}`: {first_paragraph(inner)}\n"
                yield from below


def documented(kind: type[Config]) -> dict[str, str]:
    """Of each field, the text below it in the source of its class."""
    found: dict[str, str] = {}
    for owner in reversed(kind.__mro__):
        if not (isinstance(owner, type) and issubclass(owner, Config)) or owner is Config:
            continue
        tree = ast.parse(textwrap.dedent(inspect.getsource(owner))).body[0]
        assert isinstance(tree, ast.ClassDef)
        for field, text in zip(tree.body, tree.body[1:], strict=False):
            if (
                isinstance(field, ast.AnnAssign)
                and isinstance(field.target, ast.Name)
                and isinstance(text, ast.Expr)
                and isinstance(text.value, ast.Constant)
            ):
                found[field.target.id] = str(text.value.value)
    return found


def meaning(field: FieldInfo, text: str) -> str:
    """What a setting does, and which values it takes."""
    choices = [str(choice) for choice in literals(field.annotation)]
    registry = chosen_from(field)
    if registry is not None:
        choices = list(registry)
    known = f"one of {', '.join(f'`{choice}`' for choice in choices)}" if choices else ""
    inner = "" if choices else " ".join(map(first_paragraph, configs_in(field.annotation)[:1]))
    sentence = " ".join(plain(text or field.description or inner).split())
    return " ".join(part for part in (sentence, f"({known})" if known else "") if part)


def plain(text: str) -> str:
    """Markdown of a docstring."""
    text = re.sub(r":\w+:`~?\.?([\w.]+)`", lambda found: f"`{found[1].split('.')[-1]}`", text)
    return text.replace("``", "`").replace("|", "\\|")


def first_paragraph(kind: type[Config]) -> str:
    """What a configuration is."""
    return " ".join(plain(inspect.getdoc(kind) or "").split("\n\n")[0].split())


def default(field: FieldInfo) -> str:
    """The default as YAML has it."""
    value: Any = field.get_default(call_default_factory=True, validated_data={})
    if value is PydanticUndefined:
        return "required"
    if isinstance(value, Config):
        name = getattr(value, "name", None)
        return f"`{name}`" if name else "see below"
    if value is None:
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple | list | dict) and not value:
        return "none"
    return f"`{list(value) if isinstance(value, tuple) else value}`"


def literals(annotation: Any) -> list[Any]:
    """The values that an annotation lists."""
    if str(get_origin(annotation)) == "typing.Literal":
        return list(get_args(annotation))
    return [value for part in get_args(annotation) for value in literals(part)]


def configs_in(annotation: Any) -> list[type[Config]]:
    """Every configuration that an annotation mentions."""
    if isinstance(annotation, type) and issubclass(annotation, Config):
        return [annotation]
    return [found for part in get_args(annotation) for found in configs_in(part)]


def chosen_from(field: FieldInfo) -> Registry[type[Config]] | None:
    """The registry that a field's ``name`` chooses from."""
    found = [*field.metadata, *annotated(field.annotation)]
    for item in found:
        if isinstance(item, BeforeValidator):
            for cell in getattr(inspect.unwrap(item.func), "__closure__", None) or ():
                if isinstance(cell.cell_contents, Registry):
                    return cell.cell_contents
    return None


def annotated(annotation: Any) -> list[Any]:
    """What is attached to the parts of an annotation."""
    attached = list(getattr(annotation, "__metadata__", ()))
    return attached + [found for part in get_args(annotation) for found in annotated(part)]


if __name__ == "__main__":
    print(page(), end="")

"""``attendna data build BUILDER``: make a task from raw files.

Each builder is a command; its options are the fields of its settings, with their descriptions.
"""

import inspect
import types
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

import typer
from typer.core import TyperGroup

from attendna.cli.command import VerbCommand
from attendna.cli.options import Force, Json
from attendna.cli.output import print_json, say

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from attendna.tasks.builders.builder import BuilderConfig, Built

Workers = Annotated[int, typer.Option("--workers", min=1, help="Processes to work with.")]
Engine = Annotated[
    Literal["local", "ray"],
    typer.Option("--engine", help="Processes of this machine, or of a Ray cluster."),
]
Folder = Annotated[Path, typer.Option("--out", help="The task folder to make.")]


class BuilderGroup(TyperGroup):
    """The registered builders as commands, each imported when it is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - fixed by typer
        """Names of all builders."""
        from attendna.tasks.builders.builder import BUILDERS

        return list(BUILDERS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - fixed by typer
        """The command of a builder."""
        from attendna.tasks.builders.builder import BUILDERS

        return command(cmd_name, BUILDERS[cmd_name])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the builder named first; an unknown one is refused with what is near."""
        return args[0], self.get_command(ctx, args[0]), args[1:]


def command(name: str, kind: "type[BuilderConfig]") -> Any:
    """A command whose options are the fields of a builder's settings."""
    app = typer.Typer(rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False)
    app.command(name, cls=VerbCommand)(_function(name, kind))
    return typer.main.get_command(app)


def _function(name: str, kind: "type[BuilderConfig]") -> Callable[..., None]:
    """A function with a parameter for every field, as typer reads it."""

    def build(
        *, out: Path, workers: int, engine: str, force: bool, json: bool, **fields: Any
    ) -> None:
        from attendna.core.config import parse
        from attendna.core.execution import Execution

        given = {key: value for key, value in fields.items() if value not in (None, [])}
        config = parse(kind, {"name": name, **given}, f"data build {name}")
        execution = parse(Execution, {"workers": workers, "engine": engine}, f"data build {name}")
        _tell(config.build(out, execution, force=force), json=json)

    keyword = inspect.Parameter.KEYWORD_ONLY
    common: dict[str, tuple[Any, Any]] = {
        "out": (Folder, inspect.Parameter.empty),
        "workers": (Workers, 1),
        "engine": (Engine, "local"),
        "force": (Force, False),
        "json": (Json, False),
    }
    options = {
        key: (_option(key, field), None)
        for key, field in kind.model_fields.items()
        if key != "name"
    }
    parameters = [
        inspect.Parameter(key, keyword, annotation=annotation, default=default)
        for key, (annotation, default) in (common | options).items()
    ]
    build.__signature__ = inspect.Signature(parameters)  # pyright: ignore[reportFunctionMemberAccess]
    build.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    build.__doc__ = kind.__doc__
    return build


def _option(key: str, field: "FieldInfo") -> Any:
    """The type of an option; values stay text, for the settings check them."""
    flag = f"--{key.replace('_', '-')}"
    told = field.description or ""
    if field.annotation is bool:
        return Annotated[bool | None, typer.Option(f"{flag}/--no{flag[1:]}", help=told)]
    if not field.is_required() and field.default not in (None, (), ""):
        told = f"{told} [default: {_spell(field.default)}]"
    if field.is_required():
        told = f"{told} [required]".lstrip()
    several = _is_several(field.annotation)
    kind = list[str] | None if several else str | None
    choices = "|".join(_choices(field.annotation))
    return Annotated[
        kind, typer.Option(flag, help=told, metavar=choices or _kind(field.annotation))
    ]


def _spell(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _is_several(annotation: Any) -> bool:
    if get_origin(annotation) in (Union, types.UnionType):
        return any(_is_several(part) for part in get_args(annotation))
    return get_origin(annotation) is tuple


def _kind(annotation: Any) -> str | None:
    """What help calls the values of a type: a number, or a path; nothing of text."""
    if get_origin(annotation) in (Union, types.UnionType, tuple):
        return next((found for part in get_args(annotation) if (found := _kind(part))), None)
    names: dict[Any, str] = {int: "<int>", float: "<float>", Path: "<path>"}
    return names.get(annotation)


def _choices(annotation: Any) -> list[str]:
    if get_origin(annotation) is Literal:
        return [str(choice) for choice in get_args(annotation)]
    return []


def _tell(built: "Built", *, json: bool) -> None:
    task = built.task
    if json:
        print_json({"task": str(task.folder), **task.spec.to_tree(), "counts": built.counts})
        return
    for what, count in built.counts.items():
        say(f"{what}: {count:,}")
    say(f"splits: {task.spec.splits}")
    rows = ", ".join(f"{split} {n:,}" for split, n in task.spec.rows.items())
    say(f"wrote {task.folder}: {rows} rows")


app = typer.Typer(
    cls=BuilderGroup,
    help="Build a task from raw files.",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def options() -> None:
    """Build a task from raw files."""

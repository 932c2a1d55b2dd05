"""Options of one name are one option: they read and behave the same under every verb."""

import inspect
from importlib import import_module
from typing import Any, get_args, get_type_hints

import pytest

from attendna.cli import main, options

SHARED = {
    "json": options.Json,
    "force": options.Force,
    "out": options.Out,
    "split": options.SplitOption,
    "device": options.Device,
    "resamples": options.Resamples,
    "seed": options.Seed,
}
VERBS = {
    f"{group} {name}".strip(): verb
    for group, typer_ in (
        ("", main.app),
        ("data", main.data),
        ("tokens", main.tokens),
        ("interpret", main.interpret),
    )
    for name, verb in typer_.info.cls.verbs.items()
}
OWN_OUT = {"predict", "report", "compare", "embed", "tune", "data audit", "data show"}
"""They write a file, not a folder, or go on with what is there."""


def function(verb: main.Verb) -> Any:
    module, _, name = verb.target.partition(":")
    return getattr(import_module(module), name)


@pytest.mark.parametrize("verb", VERBS)
def test_shared_names_are_shared_options(verb: str) -> None:
    called = function(VERBS[verb])
    hints = get_type_hints(called, include_extras=True)
    for name, option in SHARED.items():
        if name in hints and not (name == "out" and verb in OWN_OUT):
            assert get_args(hints[name])[1].param_decls == get_args(option)[1].param_decls
            assert get_args(hints[name])[1].help == get_args(option)[1].help
    parameters = inspect.signature(called).parameters
    assert parameters["json"].default is False
    if "force" in parameters:
        assert parameters["force"].default is False

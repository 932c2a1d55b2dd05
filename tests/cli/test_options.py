"""Options of one name are one option: they read and behave the same under every verb."""

import inspect
import re
from importlib import import_module
from typing import Any, get_args, get_type_hints

import pytest

from attendna.cli import main, options
from attendna.core.config import change, leaves, parse, parse_assignments
from attendna.models.track_source import _Described
from attendna.tasks.regulation import RegulationSettings
from attendna.training.frozen import TransferConfig
from attendna.training.pretraining.config import PretrainingConfig
from attendna.training.run import RunConfig

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
        ("study", main.study),
        ("recipes", main.recipes),
    )
    for name, verb in typer_.info.cls.verbs.items()
}
OWN_OUT = {
    "study run",
    "recipes copy",
    "predict",
    "report",
    "compare",
    "embed",
    "tune",
    "data audit",
    "data show",
}
"""They write a file, not a folder, or go on with what is there."""


def function(verb: main.Verb) -> Any:
    module, _, name = verb.target.partition(":")
    return getattr(import_module(module), name)


def help_of(verb: str) -> str:
    """What --help prints of a verb's options, in one line."""
    command: Any = VERBS[verb].command(verb)
    return " ".join(str(option.help) + str(option.opts) for option in command.params)


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


def test_verbs_that_read_sequences_share_their_input() -> None:
    reading = {
        verb
        for verb, listed in VERBS.items()
        if any(option.metavar == "INPUT" for option in listed.command(verb).params)
    }
    interpreting = {f"interpret {name}" for name in ("ism", "attention", "motifs", "embeddings")}
    assert reading == {"predict", "embed", *interpreting}
    for verb in reading:
        called = function(VERBS[verb])
        hints = get_type_hints(called, include_extras=True)
        assert (hints["source"], hints["split"]) == (options.Source, options.SplitOption)
        assert inspect.signature(called).parameters["split"].default == "test"


SETTINGS = {
    "data simulate-regulation": RegulationSettings,
    "transfer": TransferConfig,
    "pretrain": PretrainingConfig,
    "profile": _Described,
    "interpret receptive-field": _Described,
}
"""What is set by --set, where that is not the settings of a training."""


@pytest.mark.parametrize("verb", [name for name in VERBS if "--set" in help_of(name)])
def test_the_example_of_set_is_a_setting_of_the_verb(verb: str) -> None:
    example = re.search(r"e\.g\. (\S+=\S+);", help_of(verb))
    assert example, verb
    kind = SETTINGS.get(verb, RunConfig)
    tree = {} if kind is RegulationSettings else {"tokenizer": "onehot", "model": "encoder"}
    if kind is TransferConfig:
        tree = {"run": "run", "learner": "random_forest"}
    elif kind is _Described:
        tree = {"model": {"name": "enformer"}}
    (key,) = changes = parse_assignments([example[1]])
    made = parse(kind, change(tree, changes), verb)
    assert dict(leaves(made.to_tree()))[key] == changes[key]

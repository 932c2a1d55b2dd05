"""What a training starts from says what model it is: settings need not repeat it."""

from collections.abc import Mapping
from typing import Any, cast

from attendna.core.config import Tree
from attendna.core.errors import ConfigError
from attendna.models.header import read_header
from attendna.models.huggingface.checkpoint import HuggingfaceCheckpoint, is_checkpoint


def with_its_model(settings: Any) -> Any:
    """Settings in which ``model: huggingface`` and its tokenizer are those of ``start.run``.

    What is given of ``model.config`` and of ``tokenizer`` stays as it is given. Settings that say
    everything, as those of a run folder do, are left alone: nothing is read then.

    Raises
    ------
    UserError
        ``start.run`` cannot be read, or is another model.
    """
    if not isinstance(settings, Mapping):
        return settings
    tree = dict(cast("Mapping[str, Any]", settings))
    model, start = tree.get("model"), tree.get("start")
    model = {"name": model} if isinstance(model, str) else model
    if not isinstance(model, Mapping) or not isinstance(start, Mapping):
        return settings
    given = dict(cast("Mapping[str, Any]", model))
    config = given.get("config") or {}
    said = not isinstance(config, Mapping) or "model_type" in config
    if given.get("name") != "huggingface" or "run" not in start or said:
        return settings
    theirs, tokenizer = _read(cast("Mapping[str, Any]", start))
    merged = dict(theirs["config"]) | dict(cast("Mapping[str, Any]", config))
    return {"tokenizer": tokenizer} | tree | {"model": theirs | given | {"config": merged}}


def _read(start: Mapping[str, Any]) -> tuple[Tree, Tree]:
    """Settings of the model and of the tokenizer of a run or a checkpoint."""
    run = str(start["run"])
    if is_checkpoint(run):
        flags = {key: start.get(key) is True for key in ("hub", "allow_pickle")}
        found = HuggingfaceCheckpoint.find(run, **flags)
        return found.settings, found.tokenizer
    header = read_header(run)
    name = dict(header.get("model", {})).get("name")
    if name != "huggingface":
        raise ConfigError(
            f"start.run: {run} is no huggingface model but {name or 'one of tracks'}",
            "give the settings of its model",
        )
    return dict(header["model"]), dict(header["tokenizer"])

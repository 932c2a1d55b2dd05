"""Start a training from what another has learned: its weights, wherever the models are the same.

The head is the task's own and is never taken. The pooling is taken where it is the same.
"""

from collections.abc import Mapping
from typing import Any, cast

from torch import Tensor

from attendna.core.errors import ConfigError
from attendna.core.files import sha256
from attendna.models.huggingface.checkpoint import (
    NOT_STANDARD,
    HuggingfaceCheckpoint,
    is_checkpoint,
)
from attendna.models.model import SequenceModel
from attendna.models.model_file import read_model
from attendna.training.run import RunConfig, StartConfig, differing_key

OWN = ("head", "pooling")
"""Parts that may differ from those of the run that is started from."""

_FREE = ("head_dropout", "hidden", "pooling")


def with_source(config: RunConfig) -> RunConfig:
    """The settings with the digest of the weights that are started from.

    Raises
    ------
    UserError
        There are none, or they are not those that the settings name.
    """
    if config.start is None:
        return config
    digest = _digest(config.start)
    if config.start.weights not in (None, digest):
        raise ConfigError(
            f"start.weights: {config.start.run} is not the model that was started from",
            "leave start.weights out, or name the run it was",
        )
    return config.replace(start=config.start.replace(weights=digest).to_tree())


def take_weights(model: SequenceModel, config: RunConfig, start: StartConfig) -> tuple[str, ...]:
    """Fill a fresh model with the weights of a run.

    Returns
    -------
    tuple of str
        The parts that stay fresh.

    Raises
    ------
    ConfigError
        The run reads other tokens, or its model is another.
    """
    tree, source = _source(config, start)
    _refuse_other(tree, config, start)
    target = model.state_dict()
    taken = {
        name: value
        for name, value in source.items()
        if name in target and target[name].shape == value.shape
    }
    for name in source.keys() | target.keys():
        if name not in taken and name.partition(".")[0] not in OWN:
            raise ConfigError(
                f"start.run: {name} of the model is not that of {start.run}",
                NOT_STANDARD
                if is_checkpoint(start.run)
                else "give the model the settings it has there",
            )
    # What is there but in part is left fresh altogether.
    left = {name.partition(".")[0] for name in target if name not in taken}
    kept = {name: value for name, value in taken.items() if name.partition(".")[0] not in left}
    model.load_state_dict(kept, strict=False)
    return tuple(sorted(left))


def source_line(config: RunConfig, start: StartConfig) -> str:
    """What a person is told of the weights that are started from."""
    model = config.model.build(config.tokenizer.build(), 1)
    fresh = take_weights(model, config, start)
    state = model.state_dict()
    taken = sum(v.numel() for n, v in state.items() if n.partition(".")[0] not in fresh)
    still = "" if start.lora is None else f", but for adapters of rank {start.lora.rank}"
    if start.frozen or start.lora is not None:
        still = "; all but the pooling and the head is frozen" + still
    return f"starting from {start.run}: {taken:,} numbers taken, {' and '.join(fresh)} new{still}"


def learned_parts(model: SequenceModel) -> tuple[str, ...]:
    """The parts of a model that can be taken from another task."""
    return tuple(name for name, _ in model.named_children() if name not in OWN)


def _checkpoint(start: StartConfig) -> HuggingfaceCheckpoint:
    return HuggingfaceCheckpoint.find(start.run, hub=start.hub, allow_pickle=start.allow_pickle)


def _digest(start: StartConfig) -> str:
    """SHA-256 of the weights that are started from."""
    if is_checkpoint(start.run):
        return _checkpoint(start).digest
    path, _, _ = read_model(start.run)
    return sha256(path)


def _source(config: RunConfig, start: StartConfig) -> tuple[Mapping[str, Any], dict[str, Tensor]]:
    """What the run, or the checkpoint, is, and its weights but for the head."""
    if is_checkpoint(start.run):
        found = _checkpoint(start)
        # Which of its words are read, all or every k-th, is free.
        tree = {"tokenizer": config.tokenizer.to_tree(), "model": found.settings}
        return tree, found.weights()
    path, tree, weights = read_model(start.run)
    if "tokenizer" not in tree:
        raise ConfigError(f"start.run: {path} is a model of tracks", "name a run of sequences")
    return tree, _body(tree, weights)


def _refuse_other(tree: Mapping[str, Any], config: RunConfig, start: StartConfig) -> None:
    """Refuse a run of other tokens, or of a model that would compute other things."""
    key = differing_key({"tokenizer": tree["tokenizer"]}, {"tokenizer": config.tokenizer.to_tree()})
    if key is not None:
        tokenizer: dict[str, Any] = dict(tree["tokenizer"])
        wanted = ", ".join(f"{k}: {v}" for k, v in tokenizer.items())
        raise ConfigError(
            f"start.run: {start.run} reads other tokens ({key} differs)",
            # Nobody would copy a packed vocabulary.
            "set tokenizer to {name: bpe, file: …}, with the vocabulary it was trained on"
            if tokenizer["name"] == "bpe"
            else f"set tokenizer to {{{wanted}}}",
        )
    theirs: dict[str, Any] = dict(tree["model"])
    theirs = theirs["members"][0] if "members" in theirs else theirs
    ours = config.model.to_tree()
    shared = [k for k in ours if theirs.get(k) is not None and ours[k] is not None]
    key = differing_key(
        *(_settled({k: t[k] for k in shared if k not in _FREE}) for t in (theirs, ours))
    )
    if key is not None:
        raise ConfigError(
            f"start.run: model.{key} is not that of {start.run}",
            "give the model the settings it has there",
        )


def _settled(node: Any) -> Any:
    """Settings that decide what a trained part computes: all but its dropouts."""
    if not isinstance(node, Mapping):
        return node
    pairs = cast("Mapping[str, Any]", node).items()
    return {key: _settled(value) for key, value in pairs if "dropout" not in key}


def _body(tree: Mapping[str, Any], weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights of all but the head, under the names they have in a model of classes.

    A language model keeps them in its encoder; of an ensemble the first member is taken.
    """
    prefix = "encoder." if "tell" in tree else "members.0." if "members" in tree["model"] else ""
    inner = {n.removeprefix(prefix): w for n, w in weights.items() if n.startswith(prefix)}
    return {name: value for name, value in inner.items() if name.partition(".")[0] != "head"}

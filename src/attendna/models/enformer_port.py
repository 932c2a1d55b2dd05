"""Weights of the widely used PyTorch port of Enformer, under our names.

The port is ``enformer-pytorch`` (Phil Wang, MIT licence); its files hold a state dict.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeGuard, cast

from torch import Tensor

from attendna.core.errors import DataError
from attendna.models.enformer import Enformer, EnformerConfig
from attendna.models.model_file import read_plain

_RENAMED = (
    (r"^stem\.0\.", "tower.stages.0.first."),
    (r"^stem\.1\.fn\.0\.", "tower.stages.0.residual.norm."),
    (r"^stem\.1\.fn\.2\.", "tower.stages.0.residual.convolution."),
    (r"^stem\.2\.to_attn_logits\.", "tower.stages.0.pool.logits."),
    (r"^conv_tower\.(\d+)\.0\.0\.", "tower.stages.{}.first.norm."),
    (r"^conv_tower\.(\d+)\.0\.2\.", "tower.stages.{}.first.convolution."),
    (r"^conv_tower\.(\d+)\.1\.fn\.0\.", "tower.stages.{}.residual.norm."),
    (r"^conv_tower\.(\d+)\.1\.fn\.2\.", "tower.stages.{}.residual.convolution."),
    (r"^conv_tower\.(\d+)\.2\.to_attn_logits\.", "tower.stages.{}.pool.logits."),
    (r"^transformer\.(\d+)\.0\.fn\.0\.", "blocks.{}.attention_norm."),
    (r"^transformer\.(\d+)\.0\.fn\.1\.to_q\.", "blocks.{}.attention.query."),
    (r"^transformer\.(\d+)\.0\.fn\.1\.to_k\.", "blocks.{}.attention.key."),
    (r"^transformer\.(\d+)\.0\.fn\.1\.to_v\.", "blocks.{}.attention.value."),
    (r"^transformer\.(\d+)\.0\.fn\.1\.to_out\.", "blocks.{}.attention.output."),
    (r"^transformer\.(\d+)\.0\.fn\.1\.to_rel_k\.", "blocks.{}.attention.relative_key."),
    (r"^transformer\.(\d+)\.0\.fn\.1\.rel_content_bias$", "blocks.{}.attention.content_bias"),
    (r"^transformer\.(\d+)\.0\.fn\.1\.rel_pos_bias$", "blocks.{}.attention.position_bias"),
    (r"^transformer\.(\d+)\.1\.fn\.0\.", "blocks.{}.feed_norm."),
    (r"^transformer\.(\d+)\.1\.fn\.1\.", "blocks.{}.expand."),
    (r"^transformer\.(\d+)\.1\.fn\.4\.", "blocks.{}.contract."),
    (r"^final_pointwise\.1\.0\.", "pointwise.norm."),
    (r"^final_pointwise\.1\.2\.", "pointwise.convolution."),
    (r"^_heads\.([^.]+)\.0\.", "heads.{}."),
)


def read_port(path: str | Path) -> dict[str, Tensor]:
    """The state dict of a file of the port, safetensors or torch's own; no code in it is run.

    Raises
    ------
    DataError
        There is no such file, or it holds no weights of the port.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(path, "no such file", "check the path")
    try:
        state = read_plain(path)
    except ValueError as error:
        raise DataError(
            path,
            "damaged, or it holds more than weights",
            "copy it again, or give a safetensors file",
        ) from error
    if not _is_state(state) or "stem.0.weight" not in state:
        raise DataError(
            path, "it holds no weights of enformer-pytorch", "give the file of its state dict"
        )
    return rename(state)


def _is_state(state: Any) -> TypeGuard[Mapping[str, Tensor]]:
    return isinstance(state, Mapping) and all(
        isinstance(name, str) and isinstance(value, Tensor)
        for name, value in cast("Mapping[Any, Any]", state).items()
    )


def rename(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The port's weights under our names; what it stores twice is taken once."""
    renamed: dict[str, Tensor] = {}
    for name, value in state.items():
        for pattern, ours in _RENAMED:
            match = re.match(pattern, name)
            if not match:
                continue
            place = match.groups()
            if place and place[0].isdigit() and name.startswith("conv_tower"):
                place = (str(int(place[0]) + 1),)
            rest = name[match.end() :]
            renamed[ours.format(*place) + rest] = _shaped(ours, value)
    return renamed


def _shaped(name: str, value: Tensor) -> Tensor:
    if name.endswith("logits.") and value.ndim == 4:
        return value[:, :, 0, 0]
    return value[0] if name.endswith("_bias") and len(value.shape) else value


def load_port(path: str | Path, config: EnformerConfig, *, heads: bool = True) -> Enformer:
    """A model of these settings with the weights of the port.

    What the settings change, such as the attention's blocks, has no weights of its own. Positions
    other than relative ones leave the port's distance keys aside.

    Parameters
    ----------
    heads
        Whether to take its heads, too.

    Raises
    ------
    DataError
        The file is no file of the port, or its weights are of another width or depth.
    """
    state = read_port(path)
    found = {
        name.split(".")[1]: value.shape[0]
        for name, value in state.items()
        if name.startswith("heads.") and name.endswith("weight")
    }
    model = config.build(found if heads else {})
    wanted = model.state_dict()
    for name, value in wanted.items():
        if name not in state:
            raise DataError(Path(path), f"there is no {name}", "check model.depth")
        if state[name].shape != value.shape:
            raise DataError(
                Path(path),
                f"{name} is {_spell(state[name])}, and the model's is {_spell(value)}",
                "set model.width, model.multiple and model.attention as they were",
            )
    extra = next((n for n in state if n.startswith("blocks.") and _depth(n) >= config.depth), None)
    if extra is not None:
        raise DataError(
            Path(path), f"it has {extra}, beyond model.depth {config.depth}", "raise it"
        )
    model.load_state_dict({name: state[name] for name in wanted})
    return model


def _depth(name: str) -> int:
    return int(name.split(".")[1])


def _spell(value: Tensor) -> str:
    return " x ".join(map(str, value.shape))

"""``model.safetensors``: weights, and a header that says everything needed to use them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, cast

from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialize
from torch import Tensor, nn

from attendna.core.errors import FolderError
from attendna.core.files import publish_file
from attendna.models.header import FILE, refuse_other_version

Network = TypeVar("Network", bound=nn.Module)


def write_model(
    folder: str | Path, tree: Mapping[str, Any], model: nn.Module, parameters: int
) -> Path:
    """Write ``model.safetensors`` into ``folder``, whole or not at all."""
    weights = {
        name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()
    }
    # The parameter count is for readers that have the file but not torch, such as the report. One
    # entry holds it all: several are written in an order drawn anew, and equal models would differ.
    header = dict(tree) | {"parameters": parameters}
    content = serialize(weights, metadata={"attendna": json.dumps(header)})
    with publish_file(Path(folder) / FILE) as partial:
        partial.write_bytes(content)
    return Path(folder) / FILE


def read_model(folder: str | Path) -> tuple[Path, dict[str, Any], dict[str, Tensor]]:
    """The file of a run folder (or the file itself), its header, and its weights.

    Raises
    ------
    FolderError
        No model is there, the file is damaged, or another version of attendna wrote it.
    """
    path = Path(folder)
    path = path / FILE if path.is_dir() else path
    if not path.exists():
        raise FolderError(f"{path}: no trained model is there", "finish it with train --resume")
    try:
        with safe_open(path, framework="pt") as stream:
            header = cast("dict[str, str]", stream.metadata() or {})
            weights = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118
        if "attendna" not in header and (path.parent / "config.json").is_file():
            raise FolderError(
                f"{path} is a checkpoint of Hugging Face and no run of attendna",
                "make a run of it: attendna finetune, or train --from",
            )
        tree: dict[str, Any] = json.loads(header["attendna"])
    except (SafetensorError, json.JSONDecodeError, KeyError) as error:
        raise FolderError(
            f"{path} is damaged or not a model of attendna", "train it again, or copy it again"
        ) from error
    refuse_other_version(path, tree)
    tree.pop("parameters", None)
    return path, tree, weights


def fill(path: Path, model: Network, weights: Mapping[str, Tensor]) -> Network:
    """The model with these weights, in evaluation mode.

    Raises
    ------
    FolderError
        They do not fit it.
    """
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise FolderError(
            f"{path}: the weights do not fit the model its header describes", "train it again"
        ) from error
    return model.eval()

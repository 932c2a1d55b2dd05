"""``model.safetensors``: weights, and a header that says everything needed to use them."""

import contextlib
import itertools
import json
import os
import pickletools
import threading
import zipfile
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from safetensors.torch import save as serialize
from torch import Tensor, nn
from torch.nn.modules.module import register_module_parameter_registration_hook

from attendna.core.errors import ConfigError, FolderError, UserError
from attendna.core.files import publish_file
from attendna.models.header import (
    FILE,
    parse_header,
    refuse_damaged,
    refuse_other_version,
    sealed,
)

_LONGEST_NAME = 1000

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
        partial.write_bytes(sealed(content))
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
    if (path.parent / "task.yaml").is_file() and not path.exists():
        raise FolderError(f"{folder} is a task folder and no run", "name a folder of `train`")
    if not os.path.lexists(folder):
        raise FolderError(f"{folder}: no such run folder", "check the path")
    if not path.exists():
        raise FolderError(f"{path}: no trained model is there", "finish it with train --resume")
    try:
        with safe_open(path, framework="pt") as stream:
            header: dict[str, str] = stream.metadata() or {}
            weights = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118
        if "attendna" not in header and (path.parent / "config.json").is_file():
            raise FolderError(
                f"{path} is a checkpoint of Hugging Face and no run of attendna",
                "make a run of it: attendna finetune, or train --from",
            )
        tree = parse_header(header)
    except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        raise FolderError(
            f"{path} is damaged or not a model of attendna", "train it again, or copy it again"
        ) from error
    refuse_other_version(path, tree)
    refuse_damaged(path, "train it again, or copy it again")
    for key in ("parameters", "sha256"):
        tree.pop(key, None)
    return path, tree, weights


def read_plain(path: Path) -> Any:
    """What a file of safetensors or torch holds: tensors and plain values; no code in it is run.

    Raises
    ------
    ValueError
        It is damaged, or holds more than that.
    """
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as parts:
                # torch packs nothing: what is larger unpacked is not its own.
                if sum(part.file_size for part in parts.infolist()) > path.stat().st_size:
                    raise ValueError("its parts are packed")
                for name in parts.namelist():
                    if name.endswith("/data.pkl"):
                        _refuse_long_names(parts.read(name))
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        # The readers' errors are of many kinds.
        raise ValueError(str(error)) from error


def _refuse_long_names(pickled: bytes) -> None:
    """Refuse names of classes on which torch, which refuses them as well, would spend hours."""
    for code, argument, _ in pickletools.genops(pickled):
        if code.name == "GLOBAL" and len(str(argument)) > _LONGEST_NAME:
            raise ValueError("it names no class")


def fill(path: Path, build: Callable[[], Network], weights: Mapping[str, Tensor]) -> Network:
    """The model with these weights, in evaluation mode.

    Parameters
    ----------
    build
        Makes the model; first without memory, so that a header that speaks of more numbers than
        the file holds asks for none.

    Raises
    ------
    FolderError
        They do not fit it.
    """
    misfit = FolderError(
        f"{path}: the weights do not fit the model its header describes", "train it again"
    )
    try:
        wanted = shapes_of(build, len(weights))
    except ConfigError as error:
        raise FolderError(
            f"{path}: its header describes no model: {error.problem}", "train it again"
        ) from error
    except ValueError as error:
        raise misfit from error
    if wanted != {name: value.shape for name, value in weights.items()}:
        raise misfit
    model = build()
    model.load_state_dict(weights)
    return model.eval()


def shapes_of(build: Callable[[], nn.Module], weights: int) -> dict[str, torch.Size]:
    """Shapes of the numbers of a model, which is made without memory for its parameters.

    Making it ends where it has many more parameters than there are ``weights``.

    Raises
    ------
    ValueError
        Its sizes cannot be.
    """
    try:
        with _weightless(most=1000 + 10 * weights):
            return {name: value.shape for name, value in build().state_dict().items()}
    except UserError:
        raise
    except Exception as error:
        # Layers refuse sizes with errors of many kinds.
        raise ValueError("sizes that cannot be") from error


@contextlib.contextmanager
def _weightless(most: int) -> Generator[None]:
    """Have modules that this thread makes keep the shapes of their parameters and no numbers."""
    owner, made = threading.get_ident(), itertools.count(1)

    def emptied(module: nn.Module, name: str, value: nn.Parameter) -> nn.Parameter | None:
        del module, name
        if threading.get_ident() != owner:
            return None
        if next(made) > most:
            raise ValueError(f"more than {most:,} parameters")
        return nn.Parameter(value.detach().to("meta"), requires_grad=value.requires_grad)

    # Its type leaves out that a parameter may be returned, as its description says.
    hook = register_module_parameter_registration_hook(emptied)  # pyright: ignore[reportArgumentType]
    try:
        yield
    finally:
        hook.remove()

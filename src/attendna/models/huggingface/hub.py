"""Where a checkpoint is: in a folder, in the local cache of the hub, or, if asked for, on it."""

import re
from pathlib import Path

from attendna.core.errors import FolderError, MissingExtraError, ResourceError

_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")

FILES = ["config.json", "vocab.txt", "tokenizer.json", "*.safetensors", "*.safetensors.index.json"]
"""What is fetched of a checkpoint."""

PICKLES = ["pytorch_model*.bin"]


def is_hub_name(name: str) -> bool:
    """Whether something on the hub could have this name."""
    return _NAME.fullmatch(name) is not None


def find_checkpoint(name: str | Path, *, hub: bool = False, allow_pickle: bool = False) -> Path:
    """The folder of a checkpoint.

    Parameters
    ----------
    name
        A folder, or a name on the hub such as ``zhihan1996/DNA_bert_6``.
    hub
        Whether the network may be used; what was fetched before is found without it.

    Raises
    ------
    FolderError
        There is no such folder, or it is a name on the hub and nobody asked for the network.
    ResourceError
        The hub cannot be reached, or has nothing of this name.
    """
    path = Path(name)
    if path.is_dir():
        return path
    if path.exists() or not is_hub_name(str(name)):
        raise FolderError(f"{name}: no such folder", "name a folder with a config.json")
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        raise MissingExtraError("transformers", "huggingface", "the hub") from None
    wanted = FILES + (PICKLES if allow_pickle else [])
    try:
        return Path(snapshot_download(str(name), allow_patterns=wanted, local_files_only=not hub))
    except Exception as error:
        if not hub:
            raise FolderError(
                f"{name} is no folder, and the network is not used unless asked for",
                "if it is a name on the Hugging Face hub, add --hub",
            ) from error
        said = str(error).strip().partition("\n")[0]
        raise ResourceError(
            f"{name} cannot be fetched from the Hugging Face hub ({said})",
            "check the name and the network, or name a folder",
        ) from error

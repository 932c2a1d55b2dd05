"""The header of ``model.safetensors``, known without torch: its version, and the file's digest."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import attendna
from attendna.core.content import parse_json
from attendna.core.errors import FolderError

FILE = "model.safetensors"
FORMAT = 1
"""Version of the header; a file of another version is refused with the version that wrote it."""


def refuse_other_version(path: Path, header: Mapping[str, object]) -> None:
    """Raise :class:`FolderError` if a model's header is of another version."""
    writer, layout = header.get("attendna", "?"), header.get("format")
    if layout != FORMAT:
        raise FolderError(
            f"{path} was written by attendna {writer} in format {layout}, this is attendna "
            f"{attendna.__version__} with format {FORMAT}",
            f"install attendna {writer} or train again",
        )


def parse_header(metadata: Any) -> dict[str, Any]:
    """The tree that stands in the metadata of a file of ours.

    Raises
    ------
    ValueError, KeyError, TypeError
        There is none.
    """
    tree = parse_json(metadata["attendna"])
    if not isinstance(tree, dict):
        raise TypeError("the header is no JSON object")
    return cast("dict[str, Any]", tree)


def sealed(content: bytes) -> bytes:
    """A safetensors file with a digest of its weights and of all else that its header says."""
    size = int.from_bytes(content[:8], "little")
    header, weights = json.loads(content[8 : 8 + size]), memoryview(content)[8 + size :]
    tree = json.loads(header["__metadata__"]["attendna"])
    tree["sha256"] = _digest(header, tree, hashlib.sha256(weights))
    header["__metadata__"]["attendna"] = json.dumps(tree)
    text = json.dumps(header, separators=(",", ":")).encode()
    # Weights begin at a multiple of eight bytes, as the format wants it.
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + weights


def refuse_damaged(path: Path, remedy: str) -> None:
    """Refuse a file of ours whose digest is another than its header says.

    Raises
    ------
    FolderError
        It is damaged, or was changed by hand.
    """
    try:
        with path.open("rb") as stream:
            size = int.from_bytes(stream.read(8), "little")
            header = json.loads(stream.read(min(size, 1 << 27)))
            tree = json.loads(header["__metadata__"]["attendna"])
            said = tree.pop("sha256")
            whole = said == _digest(header, tree, hashlib.file_digest(stream, "sha256"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        whole = False
    if not whole:
        raise FolderError(
            f"{path} is damaged: its digest is not the one it was written with", remedy
        )


def _digest(header: Any, tree: Any, weights: Any) -> str:
    """Of names, types and places of the weights, of what is said of them, and of their bytes."""
    said = header | {"__metadata__": tree}
    return hashlib.sha256(
        json.dumps([said, weights.hexdigest()], sort_keys=True).encode()
    ).hexdigest()


def is_of_tracks(run: str | Path) -> bool:
    """Whether a run folder, or a file of weights, holds a model of tracks; torch is not needed."""
    try:
        return "heads" in read_header(run)
    except FolderError:
        return False


def read_header(run: str | Path) -> dict[str, Any]:
    """The head of a run folder's model, or of a file of weights; torch is not needed.

    Raises
    ------
    FolderError
        There is none, or it is damaged.
    """
    path = Path(run)
    path = path / FILE if path.is_dir() else path
    try:
        with path.open("rb") as stream:
            # A safetensors file begins with the length of its header, which is JSON.
            size = int.from_bytes(stream.read(8), "little")
            header = parse_json(stream.read(min(size, 1 << 27)))
        tree = parse_header(header["__metadata__"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FolderError(f"{path} is no model of attendna, or damaged", "train again") from error
    tree.pop("sha256", None)
    return tree

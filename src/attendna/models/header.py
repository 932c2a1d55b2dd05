"""Which head of ``model.safetensors`` this attendna reads; known without torch."""

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
        return parse_header(header["__metadata__"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FolderError(f"{path} is no model of attendna, or damaged", "train again") from error

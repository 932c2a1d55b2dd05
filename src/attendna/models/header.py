"""Which head of ``model.safetensors`` this attendna reads; known without torch."""

from collections.abc import Mapping
from pathlib import Path

import attendna
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

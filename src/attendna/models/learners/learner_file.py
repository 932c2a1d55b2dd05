"""``learner.safetensors``: what a classic learner has learned, and a header that describes it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as serialize

from attendna.core.errors import FolderError
from attendna.core.files import publish_file
from attendna.models.header import parse_header, refuse_damaged, refuse_other_version, sealed
from attendna.models.learners.learner import Arrays

LEARNER_FILE = "learner.safetensors"


def write_learner(folder: str | Path, tree: Mapping[str, Any], learned: Arrays) -> Path:
    """Write the file into a folder, whole or not at all."""
    path = Path(folder) / LEARNER_FILE
    with publish_file(path) as partial:
        # What lies in memory is written, in whatever order it lies there.
        arrays = {name: np.ascontiguousarray(array) for name, array in learned.items()}
        content = serialize(arrays, metadata={"attendna": json.dumps(dict(tree))})
        partial.write_bytes(sealed(content))
    return path


def read_learner(folder: str | Path) -> tuple[Path, dict[str, Any], Arrays]:
    """The file of a run folder, its header, and its arrays.

    Raises
    ------
    FolderError
        It is damaged, or another version of attendna wrote it.
    """
    path = Path(folder) / LEARNER_FILE
    try:
        with safe_open(path, framework="np") as stream:
            header: dict[str, str] = stream.metadata() or {}
            learned: Arrays = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118
        tree = parse_header(header)
    except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        raise FolderError(f"{path} is damaged", "run transfer again") from error
    refuse_other_version(path, tree)
    refuse_damaged(path, "run transfer again")
    tree.pop("sha256")
    return path, tree, learned

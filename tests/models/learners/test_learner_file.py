from pathlib import Path

import numpy as np
import pytest

from attendna.core.errors import FolderError
from attendna.models.learners.learner_file import LEARNER_FILE, read_learner, write_learner


def test_arrays_and_header_come_back(tmp_path: Path) -> None:
    # Arrays in the order of columns, too.
    arrays = {"0.weights": np.arange(6.0).reshape(3, 2).T, "0.trees": np.arange(5, dtype=np.uint8)}
    assert write_learner(tmp_path, {"format": 1, "a": [1]}, arrays) == tmp_path / LEARNER_FILE
    _, tree, again = read_learner(tmp_path)
    assert tree == {"format": 1, "a": [1]}
    assert again.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(again[name], array)


def test_damage_and_other_versions_are_one_line(tmp_path: Path) -> None:
    path = write_learner(tmp_path, {"format": 7, "attendna": "9.9"}, {"a": np.zeros(2)})
    with pytest.raises(FolderError, match=r"written by attendna 9\.9"):
        read_learner(tmp_path)
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(FolderError, match="damaged"):
        read_learner(tmp_path)
    write_learner(tmp_path, {"format": 1}, {"a": np.zeros(2)})
    path.write_bytes(path.read_bytes()[:-1] + b"1")
    with pytest.raises(FolderError, match=r"learner\.safetensors is damaged: its digest"):
        read_learner(tmp_path)

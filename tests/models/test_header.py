"""Which models can be read, known without torch."""

import json
import struct
import subprocess
import sys
from pathlib import Path

import pytest

import attendna
from attendna.core.errors import FolderError
from attendna.models.header import FILE, FORMAT, is_of_tracks, refuse_other_version


def write(path: Path, said: object) -> Path:
    text = json.dumps({"__metadata__": {"attendna": json.dumps(said)}}).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text)
    return path


def test_a_model_of_tracks_is_known_by_its_heads(tmp_path: Path) -> None:
    write(tmp_path / FILE, {"heads": {"human": []}})
    assert is_of_tracks(tmp_path)
    assert is_of_tracks(tmp_path / FILE)
    write(tmp_path / FILE, {"tokenizer": "onehot"})
    assert not is_of_tracks(tmp_path)


@pytest.mark.parametrize("content", [b"", b"12", b"\xff" * 40, struct.pack("<Q", 3) + b"{}x"])
def test_what_is_no_model_is_none_of_tracks(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    assert not is_of_tracks(tmp_path)
    assert not is_of_tracks(tmp_path / "nowhere")


def test_another_version_is_told_with_what_wrote_it() -> None:
    refuse_other_version(Path("m"), {"attendna": "0.0.1", "format": FORMAT})
    with pytest.raises(FolderError, match=r"written by attendna 9\.9 in format 99, .* install"):
        refuse_other_version(Path("m"), {"attendna": "9.9", "format": 99})
    assert attendna.__version__


def test_torch_is_not_needed() -> None:
    code = "import sys, attendna.models.header; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)

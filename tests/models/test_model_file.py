"""The file of a trained model."""

from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from attendna.core.errors import FolderError
from attendna.models.header import FILE, FORMAT
from attendna.models.model_file import fill, read_model, write_model

HEADER = {"attendna": "0", "format": FORMAT, "name": "é"}


def test_weights_and_header_come_back_and_equal_models_are_equal_files(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    path = write_model(tmp_path, HEADER, model, 8)
    first = path.read_bytes()
    assert write_model(tmp_path, HEADER, model, 8).read_bytes() == first
    found, tree, weights = read_model(tmp_path)
    assert (found, tree) == (tmp_path / FILE, HEADER)
    again = fill(found, lambda: nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)), weights)
    assert not again.training
    for name, value in model.state_dict().items():
        assert torch.equal(again.state_dict()[name], value)
    # Others can read it.
    with safe_open(path, framework="numpy") as stream:
        assert set(stream.keys()) == set(model.state_dict())


def test_a_checkpoint_of_others_is_no_run(tmp_path: Path) -> None:
    save_file({"weight": torch.ones(2)}, tmp_path / FILE, metadata={"format": "pt"})
    with pytest.raises(FolderError, match="damaged or not a model of attendna"):
        read_model(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(FolderError, match=r"is a checkpoint of Hugging Face .*attendna finetune"):
        read_model(tmp_path)


def test_weights_of_another_shape_are_told(tmp_path: Path) -> None:
    path = write_model(tmp_path, HEADER, nn.Linear(3, 2), 8)
    with pytest.raises(FolderError, match="the weights do not fit the model"):
        fill(path, lambda: nn.Linear(4, 2), read_model(path)[2])


def test_what_is_missing_cut_short_or_foreign_is_told(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match="nowhere: no such run folder; check the path"):
        read_model(tmp_path / "nowhere")
    with pytest.raises(FolderError, match="no trained model is there"):
        read_model(tmp_path)
    path = write_model(tmp_path, HEADER, nn.Linear(3, 2), 8)
    whole = path.read_bytes()
    for content in (whole[:-5], whole[:30], b"", whole.replace(b"attendna", b"whatever")):
        path.write_bytes(content)
        with pytest.raises(FolderError, match="is damaged or not a model of attendna"):
            read_model(tmp_path)


def test_every_byte_is_covered_by_the_digest(tmp_path: Path) -> None:
    # Nothing in the header can be spelled in two ways.
    path = write_model(tmp_path, HEADER | {"name": "e"}, nn.Linear(3, 2), 8)
    whole = path.read_bytes()
    for place in range(len(whole)):
        for change in (0x01, 0x20):
            damaged = bytearray(whole)
            damaged[place] ^= change
            path.write_bytes(damaged)
            with pytest.raises(
                FolderError, match=r"model\.safetensors (is damaged|was written by)"
            ):
                read_model(tmp_path)
    path.write_bytes(whole)
    read_model(tmp_path)

"""Stored models: whole, self-describing, and refused in one line when they are not."""

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

import attendna
from attendna.core.errors import ConfigError, FolderError
from attendna.models.checkpoint import Checkpoint, InputContract, load, save
from attendna.models.cnn import CNNConfig
from attendna.models.header import FILE, sealed
from attendna.models.model import SequenceModel
from attendna.tokens.onehot import OneHotConfig


def checkpoint(width: int = 8) -> Checkpoint:
    return Checkpoint(
        run_id="0123",
        tokenizer=OneHotConfig(),
        model=CNNConfig(width=width, blocks=1),
        strands="conjoined",
        label_kind="multiclass",
        classes=("enhancer", "promoter", "open"),
        threshold=0.25,
        input=InputContract(
            window=200, shortest=200, longest=200, build="hg38", task="t", split_hash="f"
        ),
    )


@pytest.fixture
def stored(tmp_path: Path) -> tuple[Path, SequenceModel]:
    header = checkpoint()
    model = header.build()
    save(tmp_path, header, model)
    return tmp_path / FILE, model


def rewrite(path: Path, **changes: object) -> None:
    """Store the same weights under a header with some entries changed."""
    with safe_open(path, framework="pt") as stream:
        tree = json.loads(stream.metadata()["attendna"])
        weights = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118
    del tree["sha256"]
    save_file(weights, path, metadata={"attendna": json.dumps(tree | changes)})
    path.write_bytes(sealed(path.read_bytes()))


def test_it_comes_back_whole_from_its_folder_or_its_file(
    stored: tuple[Path, SequenceModel],
) -> None:
    path, model = stored
    for place in (path, path.parent, str(path.parent)):
        header, loaded = load(place)
        assert header == checkpoint()
        assert header.outputs == 3
        assert header.attendna == attendna.__version__
        assert not loaded.training
        for name, value in model.state_dict().items():
            assert torch.equal(loaded.state_dict()[name], value)


def test_the_header_says_how_many_parameters_there_are(stored: tuple[Path, SequenceModel]) -> None:
    path, model = stored
    with safe_open(path, framework="pt") as stream:
        header = json.loads(stream.metadata()["attendna"])
    assert header["parameters"] == model.parameter_count()


def test_equal_models_are_equal_files(stored: tuple[Path, SequenceModel], tmp_path: Path) -> None:
    path, model = stored
    save(tmp_path / "again", checkpoint(), model)
    assert (tmp_path / "again" / FILE).read_bytes() == path.read_bytes()


def test_saving_again_replaces_and_leaves_nothing_else(stored: tuple[Path, SequenceModel]) -> None:
    path, _ = stored
    other = checkpoint(width=12)
    save(path.parent, other, other.build())
    assert load(path)[0] == other
    assert [entry.name for entry in path.parent.iterdir()] == [FILE]


def test_a_missing_model_says_how_to_go_on(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match=r"no trained model is there; finish .* --resume"):
        load(tmp_path)


def test_damage_is_told_from_a_foreign_file(stored: tuple[Path, SequenceModel]) -> None:
    path, _ = stored
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], b"", b"PK\x03\x04 a pickle, perhaps"):
        path.write_bytes(content)
        with pytest.raises(FolderError, match="damaged or not a model of attendna"):
            load(path)
    save_file({"weight": torch.zeros(2)}, path)
    with pytest.raises(FolderError, match="damaged or not a model of attendna"):
        load(path)


def test_another_version_is_named(stored: tuple[Path, SequenceModel]) -> None:
    path, _ = stored
    rewrite(path, format=99, attendna="7.1")
    with pytest.raises(FolderError, match=r"written by attendna 7\.1 in format 99.*install"):
        load(path)


def test_a_header_that_does_not_fit_its_weights_is_refused(
    stored: tuple[Path, SequenceModel],
) -> None:
    path, _ = stored
    rewrite(path, model=CNNConfig(width=16, blocks=1).to_tree())
    with pytest.raises(FolderError, match="do not fit the model its header describes"):
        load(path)
    rewrite(path, model={"name": "cnn", "depth": 3})
    with pytest.raises(ConfigError, match=r"model\.depth is not a setting"):
        load(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"threshold": float("nan")}, "threshold: Input should be a finite number"),
        ({"threshold": 1.5}, "threshold: "),
        ({"classes": []}, "classes: "),
        ({"classes": ["a"]}, "1 class, but label_kind is multiclass"),
        ({"classes": ["a", "a", "b"]}, "two classes have the same name"),
        ({"label_kind": "binary"}, "3 classes, but label_kind is binary"),
        ({"model": {"name": "cnn", "width": 1 << 40, "blocks": 1}}, "the weights do not fit"),
        ({"model": {"name": "cnn", "width": 1 << 70, "blocks": 1}}, "more than 64 bits"),
        ({"model": {"name": "cnn", "width": 8, "blocks": 1 << 40}}, "the weights do not fit"),
        ({"model": "no such model"}, "there is no model"),
        ({"input": {}}, "input.shortest is missing"),
    ],
)
def test_a_header_that_cannot_be_is_one_line(
    stored: tuple[Path, SequenceModel], changes: dict[str, object], message: str
) -> None:
    path, _ = stored
    rewrite(path, **changes)
    with pytest.raises((FolderError, ConfigError), match=message) as caught:
        load(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["[]", "1", "null", '"x"', "[" * 10_000, "{"])
def test_metadata_of_another_shape_is_one_line(
    stored: tuple[Path, SequenceModel], text: str
) -> None:
    path, _ = stored
    with safe_open(path, framework="pt") as stream:
        weights = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118
    save_file(weights, path, metadata={"attendna": text})
    with pytest.raises(FolderError, match="damaged or not a model of attendna"):
        load(path)

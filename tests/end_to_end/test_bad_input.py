"""What people hand in by mistake: one line that says file, row and remedy, exit 2, nothing written.

Each case is the real command on real files. The readers' own tests go through many more mistakes.
"""

import contextlib
import gzip
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml
from safetensors import safe_open
from safetensors.torch import save_file
from tests.disks import small_disk
from tests.planted import forget_digests, plant

from attendna.cli.main import run
from attendna.models.checkpoint import Checkpoint, InputContract, save
from attendna.models.encoder import EncoderConfig
from attendna.models.header import FILE, sealed
from attendna.models.layers.positions import AbsoluteConfig
from attendna.tasks.store import Task, open_task
from attendna.tokens.patch import PatchConfig

LONGEST = 12
"""Tokens of the window of the model that has one."""


def sequence(row: int, bases: int = 40) -> str:
    return "".join(np.random.default_rng(row).choice(list("ACGT"), bases))


GOOD = [f"r{row},{sequence(row)},{row % 2}" for row in range(1, 41)]


def table(*rows: str, header: str = "id,sequence,label") -> bytes:
    return "\n".join([header, *(rows or GOOD), ""]).encode()


def settings(**sections: object) -> bytes:
    return yaml.safe_dump({"tokenizer": "onehot", "model": "cnn"} | sections).encode()


@dataclass(frozen=True)
class Case:
    """A file, the command that is given it, and what must be said."""

    words: str
    said: tuple[str, ...]
    file: str = "mine.csv"
    content: bytes = b""


IMPORT = "data import mine.csv --out new"

CASES = {
    "an empty file": Case(IMPORT, ("mine.csv: the file is empty", "give a file with rows")),
    "a missing column": Case(
        IMPORT,
        ("mine.csv: there is no label column among id, sequence", "name it with --label-column"),
        content=table(*(row.rpartition(",")[0] for row in GOOD), header="id,sequence"),
    ),
    "a label outside the classes": Case(
        f"{IMPORT} --classes 0,1",
        ("mine.csv, row 41: the label '2' is none of 0, 1", "correct it"),
        content=table(*GOOD, "x,ACGTACGT,2"),
    ),
    "one class only": Case(
        IMPORT,
        ("mine.csv: every row has the label 1", "add rows of another class"),
        content=table(*(f"{row[:-1]}1" for row in GOOD)),
    ),
    "letters that are no bases": Case(
        f"{IMPORT} --letters error",
        ("mine.csv, row 41: the character 'R' at position 3 is not a base", "letters: unknown"),
        content=table(*GOOD, "x,ACRTACGT,1"),
    ),
    "one id twice": Case(
        IMPORT,
        ("mine.csv, row 41: the id 'r7' is also row 7", "give every row an id of its own"),
        content=table(*GOOD, "r7,ACGTACGT,1"),
    ),
    "swapped columns": Case(
        IMPORT,
        (
            "mine.csv, row 1: the column sequence holds '1'",
            "the two look swapped",
            "use --sequence-column label --label-column sequence",
        ),
        content=table(header="id,label,sequence"),
    ),
    "a gzip cut short": Case(
        "data import mine.csv.gz --out new",
        ("mine.csv.gz: the gzip is truncated or damaged", "download it again"),
        "mine.csv.gz",
        gzip.compress(table())[:-20],
    ),
    "a folder that is there": Case(
        "data import mine.csv --out task",
        ("task exists", "choose another --out, or add --force"),
        content=table(),
    ),
    "training rows shorter than a token": Case(
        "train words.yaml --task short --out new",
        (
            "short/train.parquet, row 9: ",
            "has 5 bases, the model's tokens need 8",
            "shorter tokens",
        ),
        "words.yaml",
        settings(tokenizer={"name": "patch", "k": 8, "remainder": "drop"}),
    ),
    "training rows longer than the window": Case(
        "train places.yaml --task task --out new",
        ("task/train.parquet, row ", "longer than the 2 positions", "positions.longest"),
        "places.yaml",
        settings(model={"name": "encoder", "positions": {"name": "absolute", "longest": 2}}),
    ),
    "rows to predict shorter than a token": Case(
        "predict window new.fa --out new.tsv",
        ("new.fa, row 2: the sequence 'y' has 3 bases, the model's tokens need 4", "remove it"),
        "new.fa",
        f">x\n{sequence(0)}\n>y\nACG\n".encode(),
    ),
    "rows to predict longer than the window": Case(
        "predict window new.fa --out new.tsv",
        ("new.fa, row 2: ", f"longer than the {LONGEST} positions"),
        "new.fa",
        f">x\n{sequence(0)}\n>y\n{sequence(1, 60)}\n".encode(),
    ),
    "rows to interpret shorter than a token": Case(
        "interpret ism window new.fa --out new",
        ("new.fa, row 2: the sequence 'y' has 3 bases, the model's tokens need 4", "remove it"),
        "new.fa",
        f">x\n{sequence(0)}\n>y\nACG\n".encode(),
    ),
    "rows to evaluate shorter than a token": Case(
        "evaluate window --task short",
        ("short/test.parquet, row 4: the sequence 'test-3' has 3 bases", "remove it"),
    ),
    "an unknown key": Case(
        "train mine.yaml --task task --out new",
        ("mine.yaml: ", "optimizer.learning_rte is not a setting", "did you mean learning_rate?"),
        "mine.yaml",
        settings(optimizer={"learning_rte": 0.1}),
    ),
    "a run to resume from another version": Case(
        "train other/run.yaml --task task --out other --resume",
        ("other was written by attendna 7.1 in format 99", "install attendna 7.1"),
    ),
}
# The same of every verb that reads a run.
CASES |= {
    f"a model from another version: {words.partition(' ')[0]}": Case(
        words,
        ("other/model.safetensors was written by attendna 7.1 in format 99", "install"),
        "new.fa",
        f">x\n{sequence(0)}\n".encode(),
    )
    for words in (
        "evaluate other --task task",
        "compare run other --task task",
        "predict other new.fa --out new.tsv",
        "report other --out new.html",
        "interpret ism other new.fa --out new",
    )
}


@pytest.fixture(scope="module")
def shelf(planted: Task, runs: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A task, a run, one of another version, and a model that reads only so many tokens."""
    folder = tmp_path_factory.mktemp("shelf")
    shutil.copytree(planted.folder, folder / "task")
    for name in ("run", "other"):
        shutil.copytree(runs[0], folder / name)
    of_another_version(folder / "other")
    plant(folder / "short", rows=(20, 10, 10))
    for split, row, bases in (("train", 8, "ACGTA"), ("test", 3, "ACG")):
        path = folder / "short" / f"{split}.parquet"
        rows = pl.read_parquet(path)
        rows[row, "sequence"] = bases
        rows.write_parquet(path)
    forget_digests(folder / "short")
    header = Checkpoint(
        run_id="0",
        tokenizer=PatchConfig(k=4, remainder="drop"),
        model=EncoderConfig(width=8, blocks=1, heads=2, positions=AbsoluteConfig(longest=LONGEST)),
        strands="single",
        label_kind="binary",
        classes=planted.spec.classes,
        input=InputContract(
            shortest=24,
            longest=48,
            task="planted",
            split_hash=open_task(folder / "short").split_hash(),
        ),
    )
    (folder / "window").mkdir()
    save(folder / "window", header, header.build())
    return folder


def of_another_version(folder: Path) -> None:
    """Have a run folder say that a later attendna wrote it."""
    later = {"format": 99, "attendna": "7.1"}
    with safe_open(folder / FILE, framework="pt") as stream:
        header = json.loads(stream.metadata()["attendna"]) | later
        weights = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118
    save_file(weights, folder / FILE, metadata={"attendna": json.dumps(header)})
    (folder / FILE).write_bytes(sealed((folder / FILE).read_bytes()))
    environment = folder / "environment.json"
    environment.write_text(json.dumps(json.loads(environment.read_text()) | later))


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", CASES)
def test_a_mistake_is_one_line_and_nothing_is_written(
    name: str,
    shelf: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    case = CASES[name]
    here = tmp_path / "here"
    shutil.copytree(shelf, here)
    (here / case.file).write_bytes(case.content)
    monkeypatch.chdir(here)
    before = contents(here)

    assert run(case.words.split()) == 2

    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("error: ")
    assert said.err.count("\n") == 1
    for part in case.said:
        assert part in said.err
    assert contents(here) == before


def fill(disk: Path, leave: int = 0) -> Path:
    """Write until no byte fits, then give so many back; tells the file that fills the disk."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as stream, contextlib.suppress(OSError):
        while stream.write(bytes(4096)):
            pass
    os.truncate(filler, filler.stat().st_size - leave)
    return filler


@pytest.mark.parametrize(
    "words",
    [
        "data import mine.csv --out disk/new",
        "data simulate --out disk/new",
        "train settings.yaml --task task --out disk/new",
        "evaluate disk/run --task task --resamples 10",
        "predict run mine.csv --out disk/new.tsv",
        "report run --out disk/new.html",
        "interpret ism run mine.csv --limit 2 --out disk/new",
    ],
)
def test_a_full_disk_is_one_line_and_loses_nothing(
    words: str,
    shelf: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shutil.copytree(shelf, tmp_path, dirs_exist_ok=True)
    (tmp_path / "mine.csv").write_bytes(table())
    (tmp_path / "settings.yaml").write_bytes((shelf / "run" / "run.yaml").read_bytes())
    monkeypatch.chdir(tmp_path)
    with small_disk(tmp_path / "disk", "4m") as disk:
        shutil.copytree("run", disk / "run")
        fill(disk)
        before = contents(tmp_path)
        assert run(words.split()) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert "Traceback" not in said.err
        assert "error: the disk is full while writing disk/" in said.err.splitlines()[-1]
        assert contents(tmp_path) == before


def test_a_disk_that_fills_during_a_training_costs_no_step(
    shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with small_disk(tmp_path / "disk", "4m") as disk:
        filler = fill(disk, leave=64 << 10)
        words = ["train", shelf / "run" / "run.yaml", "--task", shelf / "task", "--out", "disk/new"]
        assert run([*map(str, words)]) == 2
        assert capsys.readouterr().err.splitlines()[-1].startswith("error: the disk is full")
        # It had begun.
        assert (disk / "new" / "run.yaml").is_file()
        filler.unlink()
        assert run([*map(str, words), "--resume"]) == 0
        assert (disk / "new" / FILE).read_bytes() == (shelf / "run" / FILE).read_bytes()

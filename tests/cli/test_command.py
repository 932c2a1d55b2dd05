"""--force over the whole command tree: what is not ours is refused by its name and stays."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import typer
import yaml
from tests.planted import plant
from tests.training.conftest import SMALL

from attendna.cli.main import app, run

WORDS: dict[str, str] = {
    "demo": "",
    "pretrain": "recipes/pretrain_small.yaml --genome x.fa",
    "train": "run.yaml --task task",
    "tune": "recipes/tune_enhancer.yaml --task task",
    "finetune": "run.yaml --task task --from x",
    "compare": "x x --task task",
    "predict": "x x.fa",
    "embed": "x x.fa",
    "transfer": "x --task task",
    "export": "x",
    "profile": "x --length 1000",
    "report": "x",
    "data show": "task",
    "data get": "gue/tf0 --mirror .",
    "data import": "mine.csv",
    "data audit": "task",
    "data clean": "task",
    "data split": "task --by homology",
    "data simulate": "",
    "data simulate-regulation": "",
    "data build causal_snp": "--variants x.tsv --genome x.fa",
    "data build chromatin": "--peaks x --genome x.fa",
    "data build enhancers": "--intervals x.bed --genome x.fa",
    "data build expression": "--tss x.bed --expression x.tsv --genome x.fa",
    "data build methylation": "--cpgs x=x.bed --genome x.fa",
    "data build mpra": "--variants x.tsv",
    "data build peaks": "--peaks x.bed --genome x.fa",
    "data build promoters": "--tss x.bed --genome x.fa",
    "data build tracks": "--records x",
    "tokens train-bpe": "--genome x.fa",
    "tokens train-dna2vec": "--genome x.fa",
    "interpret ism": "x x.fa",
    "interpret attention": "x x.fa",
    "interpret motifs": "x x.fa",
    "interpret embeddings": "x x.fa",
    "interpret receptive-field": "recipes/s_enformer_small.yaml",
    "study run": "t2_tokenizers_desk",
    "recipes copy": "classify",
}
"""Every verb that has --out, with what it needs besides."""

UNFORCED = ("tune", "study run", "recipes copy")
"""Verbs that go on with what is there, or never replace it."""

ENDINGS = {
    "compare": ".html",
    "predict": ".tsv .parquet",
    "embed": ".parquet",
    "report": ".html",
    "data show": ".html",
    "data audit": ".json",
    "recipes copy": ".yaml",
}
"""Verbs that write a file."""


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    if not hasattr(group, "list_commands"):
        yield " ".join(path), group
        return
    for name in group.list_commands(None):
        yield from commands(group.get_command(None, name), (*path, name))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("force")
    plant(folder / "task")
    (folder / "run.yaml").write_text(yaml.safe_dump(SMALL))
    (folder / "mine.csv").write_text("sequence,label\nACGT,0\n")
    (folder / "recipes").symlink_to(Path("recipes").absolute())
    return folder


@pytest.fixture(autouse=True)
def _there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)


def test_every_verb_that_writes_is_tried() -> None:
    tree = dict(commands(typer.main.get_command(app)))
    writing = {name for name, verb in tree.items() if "out" in {p.name for p in verb.params}}
    assert writing == set(WORDS)


def refused(verb: str, out: Path, capsys: pytest.CaptureFixture[str], *more: str) -> str:
    assert run([*verb.split(), *WORDS[verb].split(), "--out", str(out), *more]) == 2
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert str(out) in said, said
    return said


@pytest.mark.parametrize("force", [(), ("--force",)], ids=["plain", "force"])
@pytest.mark.parametrize("verb", WORDS)
def test_a_foreign_folder_is_refused(
    verb: str, force: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = () if verb in UNFORCED else force
    for ending in ENDINGS.get(verb, "/").split():
        foreign = tmp_path / f"mine{ending.strip('/')}"
        foreign.mkdir()
        names = ("notes.txt", "task.yaml", "run.yaml", "study.yaml", "search.yaml", "config.json")
        for name in names:
            (foreign / name).write_text("precious: 1")
        refused(verb, foreign, capsys, *more)
        assert {path.name for path in foreign.iterdir()} == set(names)
        assert {path.read_text() for path in foreign.iterdir()} == {"precious: 1"}


@pytest.mark.parametrize("force", [(), ("--force",)], ids=["plain", "force"])
@pytest.mark.parametrize("verb", WORDS)
def test_a_foreign_file_is_refused(
    verb: str, force: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = () if verb in UNFORCED else force
    for ending in ENDINGS.get(verb, "/").split():
        foreign = tmp_path / f"mine{ending.strip('/')}"
        if ending == ".parquet":
            pl.DataFrame({"id": ["a"], "bound": [0.5]}).write_parquet(foreign)
        elif ending == ".json":
            foreign.write_text(json.dumps({"name": "mine", "rows": 3}))
        else:
            foreign.write_text("gene\tvalue\nprecious\t1\n")
        before = foreign.read_bytes()
        refused(verb, foreign, capsys, *more)
        assert foreign.read_bytes() == before


@pytest.mark.parametrize("verb", [verb for verb in WORDS if verb not in ENDINGS])
def test_what_is_ours_but_of_another_kind_is_refused(
    verb: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from attendna.core.files import publish_folder
    from attendna.core.outputs import OutputFolder

    with publish_folder(tmp_path / "other", OutputFolder("other")) as partial:
        (partial / "rows").write_text("")
    more = () if verb in UNFORCED else ("--force",)
    refused(verb, tmp_path / "other", capsys, *more)
    assert (tmp_path / "other" / "rows").is_file()


@pytest.mark.parametrize("verb", ["data clean", "data split"])
def test_a_verb_does_not_replace_what_it_reads(
    verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "input of this command" in refused(verb, Path("task"), capsys, "--force")
    assert (Path("task") / "task.yaml").is_file()


def test_what_is_ours_is_replaced(tmp_path: Path) -> None:
    words = ["data", "split", "task", "--by", "sequence", "--out", str(tmp_path / "new")]
    assert run(words) == 0
    assert run([*words, "--force"]) == 0
    audit = ["data", "audit", "task", "--out", str(tmp_path / "audit.json")]
    assert run(audit) == 0
    assert run(audit) == 2
    assert run([*audit, "--force"]) == 0
    page = ["data", "show", str(tmp_path / "new"), "--out", str(tmp_path / "new.html")]
    assert run(page) == 0
    assert run([*page, "--force"]) == 0

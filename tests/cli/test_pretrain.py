import json
from pathlib import Path

import pytest
import yaml
from tests.training.pretraining.genomes import patterned, settings

from attendna.cli.main import run
from attendna.models.language_checkpoint import load_language


@pytest.fixture(scope="module")
def genome(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return patterned(tmp_path_factory.mktemp("genome"))


def words(genome: Path, home: Path, *more: str) -> list[str]:
    (home / "run.yaml").write_text(yaml.safe_dump(settings()))
    given = ["--genome", str(genome), "--out", str(home / "run")]
    return ["pretrain", str(home / "run.yaml"), *given, *more]


def test_people_read_a_table_and_machines_rows(
    genome: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out.bed").write_text("chr1\t1000\t1500\n")
    exclude = ["--exclude", str(tmp_path / "out.bed"), "--set", "trainer.max_steps=6"]
    assert run(words(genome, tmp_path, *exclude)) == 0
    said = capsys.readouterr()
    assert "markov_5_told" in said.out
    assert "both_sides_5" in said.out
    assert "held out (2), 500 left out" in said.err
    assert run(words(genome, tmp_path, *exclude, "--resume", "--json")) == 0
    said = capsys.readouterr()
    rows = json.loads(said.out)
    assert rows[0]["run"] == load_language(tmp_path / "run")[0].run_id
    assert "is finished, there is nothing to resume" in said.err
    # No line is broken where a terminal is as narrow as they come.
    assert run(words(genome, tmp_path, *exclude, "--resume")) == 0
    table = capsys.readouterr().out.splitlines()
    assert len(table) == 4 + 29 + 1
    assert run(["report", str(tmp_path / "run"), "--out", str(tmp_path / "run.html")]) == 0
    assert "both sides 5" in (tmp_path / "run.html").read_text()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--set", "model.widht=3"], "model.widht is not a setting, did you mean width?"),
        (["--genome", "nowhere.fa"], "nowhere.fa: no such file"),
        (["--exclude", "nowhere.bed"], "nowhere.bed: no such file"),
        (["--resume", "--force"], "contradict each other"),
        (["--set", "windows.held_out=[chr9]"], "no genome has a chromosome chr9"),
    ],
    ids=["setting", "genome", "exclude", "force", "held out"],
)
def test_what_is_wrong_is_one_line_and_nothing_is_written(
    genome: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], said: str
) -> None:
    assert run(words(genome, tmp_path, *more)) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert said in error
    assert not (tmp_path / "run").exists()

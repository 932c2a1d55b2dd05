"""``attendna data build``: every builder is a command made of its settings."""

import json
from pathlib import Path

import pytest

from attendna.cli.main import run
from attendna.tasks.builders.builder import BUILDERS


def test_every_builder_lists_its_settings(capsys: pytest.CaptureFixture[str]) -> None:
    for name in BUILDERS:
        assert run(["data", "build", name, "--help"]) == 0
        told = capsys.readouterr().out
        for field in BUILDERS[name].model_fields:
            assert field == "name" or f"--{field.replace('_', '-')}" in told


def test_a_task_is_built_and_described(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "g.fa").write_text(">chr1\n" + "ACGTTGCAGT" * 20 + "\n")
    words = ["data", "build", "enhancers", "--genome", str(tmp_path / "g.fa")]
    for name, shift in (("a", 0), ("b", 3)):
        rows = [f"chr1\t{i * 11 + shift}\t{i * 11 + shift + 8}" for i in range(12)]
        (tmp_path / f"{name}.bed").write_text("\n".join(rows) + "\n")
        words += ["--intervals", f"{name}={tmp_path / name}.bed"]
    out = tmp_path / "task"
    assert run([*words, "--out", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["counts"]["intervals"] == 24
    assert sum(told["rows"].values()) == 24
    assert run(["data", "show", str(out)]) == 0
    assert run([*words, "--out", str(out)]) == 2
    assert "exists" in capsys.readouterr().err
    assert run([*words, "--out", str(out), "--force", "--valid-fraction", "2"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: data build enhancers: valid_fraction")
    assert len(error.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["enhancer"], "there is no builder 'enhancer'; did you mean enhancers?"),
        (["enhancers"], "--out"),
        (["enhancers", "--out", "x"], "intervals is missing"),
        (["enhancers", "--out", "x", "--engine", "spark"], "spark"),
    ],
)
def test_wrong_words_are_one_line(
    words: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["data", "build", *words]) == 2
    error = capsys.readouterr().err
    assert complaint in error
    assert len(error.splitlines()) == 1


def test_help_names_types_and_what_is_required(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["data", "build", "peaks", "--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    for part in ("--flank <int>", "--test-fraction <float>", "--genome <path>", "[required]"):
        assert part in shown

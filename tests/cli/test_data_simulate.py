"""``attendna data simulate`` as a person types it."""

import json
from pathlib import Path

import pytest

from attendna.cli.main import run
from attendna.core.config import read_yaml
from attendna.tasks.simulate import read_truth
from attendna.tasks.store import open_task

FEW = ["--train", "40", "--valid", "10", "--test", "10"]


def test_a_task_is_made_and_described(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["data", "simulate", "--out", str(tmp_path / "task"), *FEW]) == 0
    told = capsys.readouterr()
    assert not told.out
    assert "40 train, 10 valid, 10 test; 74 planted motifs in truth.parquet" in told.err
    assert open_task(tmp_path / "task").spec.window == 200


def test_options_reach_the_settings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    genome = tmp_path / "genome.fa"
    genome.write_text(f">x\n{'ACGGT' * 100}\n")
    out = tmp_path / "task"
    code = run(
        [
            "data",
            "simulate",
            "--out",
            str(out),
            *FEW,
            "--motifs",
            "TGASTCA,E=CACGTG",
            "--motifs",
            "GATAAG",
            "--spacing",
            "3",
            "--order",
            "any",
            "--orientation",
            "together",
            "--negatives",
            "background, spacing",
            "--chance",
            "keep",
            "--length",
            "150",
            "--positive-fraction",
            "0.25",
            "--background",
            str(genome),
            "--markov-order",
            "1",
            "--seed",
            "7",
            "--json",
        ]
    )
    assert code == 0
    result = json.loads(capsys.readouterr().out)
    assert result["rows"] == {"train": 40, "valid": 10, "test": 10}
    truth = read_truth(open_task(out))
    assert result["planted_motifs"] == truth.filter(kind="motif").height
    settings = read_yaml(out / "simulation.yaml")
    assert settings["motifs"] == ["TGASTCA", "E=CACGTG", "GATAAG"]
    assert settings["spacing"] == [3, 3]
    assert settings["negatives"] == ["background", "spacing"]
    expected = {
        "order": "any", "orientation": "together", "chance": "keep", "length": 150,
        "positive_fraction": 0.25, "background": str(genome), "markov_order": 1, "seed": 7,
    }  # fmt: skip
    assert {key: settings[key] for key in expected} == expected


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--motifs", "XYZ"], "'XYZ' is no file and no word of IUPAC letters"),
        (["--spacing", "five"], "spacing.0"),
        (["--spacing", "20-5"], "spacing 20-5 is no range"),
        (["--negatives", "shufled"], "negatives.0"),
        (["--length", "10"], "do not fit into 10 bases"),
        (["--gc", "41"], "gc"),
        (["--train", "many"], "--train"),
        (["--background", "none.fa"], "none.fa: no such file"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    assert run(["data", "simulate", "--out", str(tmp_path / "task"), *options]) == 2
    told = capsys.readouterr()
    assert not told.out
    assert message in told.err
    assert told.err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_an_existing_folder_is_kept_without_force(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["data", "simulate", "--out", str(tmp_path / "task"), *FEW]
    assert run(command) == 0
    assert run(command) == 2
    assert "exists" in capsys.readouterr().err
    assert run([*command, "--force"]) == 0

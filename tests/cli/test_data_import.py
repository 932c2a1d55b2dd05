"""``data import`` as people use it, with wrong input and with kills they do not expect."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from attendna.cli.main import run
from attendna.tasks.store import open_task


@pytest.fixture
def table(tmp_path: Path) -> Path:
    letters = np.array(list("ACGT"))[np.random.default_rng(0).integers(4, size=(60, 20))]
    frame = pl.DataFrame(
        {"sequence": ["".join(row) for row in letters], "label": ["open", "shut"] * 30}
    )
    frame.write_csv(tmp_path / "mine.csv")
    return tmp_path / "mine.csv"


def test_decisions_are_said_and_the_result_is_a_task(table: Path, tmp_path: Path, capsys) -> None:
    assert run(["data", "import", str(table), "--out", str(tmp_path / "task"), "--seed", "3"]) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert "detected the column sequence as the sequence, label as the label" in said.err
    assert "labels: open -> 0, shut -> 1; shut is the positive class" in said.err
    assert f"wrote {tmp_path}/task: train 48, valid 6, test 6 rows" in said.err
    assert open_task(tmp_path / "task").splits == ("train", "valid", "test")


def test_json_goes_to_standard_output(table: Path, tmp_path: Path, capsys) -> None:
    arguments = ["--train", str(table), "--test", str(table.with_name("t.csv")), "--json"]
    pl.read_csv(table).head(6).write_csv(table.with_name("t.csv"))
    assert run(["data", "import", *arguments, "--out", str(tmp_path / "task")]) == 0
    said = capsys.readouterr()
    result = json.loads(said.out)
    assert result["rows"]["test"] == 6
    assert result["classes"] == ["open", "shut"]
    assert result["warnings"][0].startswith("6 of 6 test rows (100.0%)")
    assert "WARNING: 6 of 6 test rows" in said.err


def test_a_fasta_pair(tmp_path: Path) -> None:
    for name, base in (("pos", "ACGT"), ("neg", "TTGC")):
        records = [
            f">{name}{i}\n{base * 3}{'ACGT'[i % 4]}{'ACGT'[i // 4 % 4]}\n" for i in range(16)
        ]
        (tmp_path / f"{name}.fa").write_text("".join(records))
    pair = ["--positive", str(tmp_path / "pos.fa"), "--negative", str(tmp_path / "neg.fa")]
    fractions = ["--valid-fraction", "0.2", "--test-fraction", "0.2"]
    out = tmp_path / "task"
    assert run(["data", "import", *pair, *fractions, "--classes", "a,b", "--out", str(out)]) == 0
    task = open_task(out)
    assert task.spec.classes == ("a", "b")
    assert sum(task.spec.rows.values()) == 32


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give one of FILE, --train (with --valid, --test), or --positive with --negative"),
        (["mine.csv", "--train", "mine.csv"], "give one of FILE"),
        (["--positive", "mine.csv"], "--positive and --negative go together; give both"),
        (["gone.csv"], "gone.csv: no such file; check the path"),
        (["mine.csv", "--label-column", "target"], "mine.csv: there is no target column among"),
        (["mine.csv", "--classes", "open,closed"], "mine.csv, row 2: the label 'shut' is none of"),
        (["mine.csv", "--min-length", "30"], "mine.csv, row 1: the sequence has 20 bases"),
        (["mine.csv", "--min-length", "0"], "data import: min_length: Input should be greater"),
        (["mine.csv", "--valid-fraction", "0.95"], "leave nothing to train on"),
        (["mine.csv", "--letters", "ignore"], "'ignore' is not one of 'unknown', 'error'"),
        (["mine.csv", "--out", "full"], "full exists; choose another --out, or add --force"),
    ],
)
def test_wrong_input_is_one_line_and_exit_2(
    table: Path, monkeypatch: pytest.MonkeyPatch, capsys, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(table.parent)
    Path("full").mkdir()
    out = [] if "--out" in arguments else ["--out", "task"]
    assert run(["data", "import", *arguments, *out]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("error: ")
    assert message in said.err
    assert said.err.count("\n") == 1
    assert sorted(path.name for path in Path().iterdir()) == ["full", "mine.csv"]


def test_force_replaces(table: Path, tmp_path: Path) -> None:
    arguments = ["data", "import", str(table), "--out", str(tmp_path / "task")]
    assert run(arguments) == 0
    before = open_task(tmp_path / "task").split_hash()
    assert run([*arguments, "--seed", "1"]) == 2
    assert open_task(tmp_path / "task").split_hash() == before
    assert run([*arguments, "--seed", "1", "--force"]) == 0
    assert open_task(tmp_path / "task").split_hash() != before


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "attendna.cli.main", "data", "import", *map(str, arguments)]


def large_table(path: Path, rows: int = 40_000) -> Path:
    letters = np.random.default_rng(1).choice(np.frombuffer(b"ACGT", dtype=np.uint8), (rows, 200))
    sequences = letters.tobytes().decode()
    frame = pl.DataFrame(
        {
            "sequence": [sequences[i : i + 200] for i in range(0, len(sequences), 200)],
            "label": np.arange(rows) % 2,
        }
    )
    frame.write_parquet(path)
    return path


@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs unshare to make a small disk")
def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    small = ["unshare", "-rm", "sh", "-c"]
    mount = f"mount -t tmpfs -o size=1m tmpfs {disk}"
    if subprocess.run([*small, mount], check=False, capture_output=True).returncode:
        pytest.skip("this system does not let its users mount a small disk")
    words = " ".join(command(large_table(tmp_path / "mine.parquet"), "--out", disk / "task"))
    ended = subprocess.run(
        [*small, f"{mount} && {words}; echo code $?; ls -A {disk}"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert ended.stdout == "code 2\n"
    assert ended.stderr.splitlines()[-1] == (
        f"error: the disk is full while writing {disk}/task; free some space and run again"
    )


def test_a_killed_import_leaves_no_half_folder(tmp_path: Path) -> None:
    source, out = large_table(tmp_path / "mine.parquet"), tmp_path / "out" / "task"
    out.parent.mkdir()
    generator = np.random.default_rng(os.getpid())
    while_writing = 0
    for _ in range(3):
        process = subprocess.Popen(
            command(source, "--out", out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        while process.poll() is None and not any(out.parent.iterdir()):
            time.sleep(0.001)
        time.sleep(generator.uniform(0, 0.03))
        process.send_signal(signal.SIGKILL)
        process.wait()
        visible = [path.name for path in out.parent.iterdir() if not path.name.startswith(".")]
        if visible:
            assert visible == ["task"]
            assert open_task(out).splits == ("train", "valid", "test")
            shutil.rmtree(out)
        else:
            while_writing += 1
    assert while_writing
    assert run(["data", "import", str(source), "--out", str(out)]) == 0
    assert [path.name for path in out.parent.iterdir()] == ["task"]

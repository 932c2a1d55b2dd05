"""The command line from outside: what it imports, how it exits, what it prints where."""

import errno
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import attendna
from attendna.cli import main as entry
from attendna.cli.main import run
from attendna.core.errors import UserError

HEAVY = ("torch", "polars", "lightning", "numpy", "sklearn", "plotly", "pyarrow", "pydantic")


def attendna_(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "attendna.cli.main", *words],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from attendna.cli.main import run; run(['--help'])\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    for verb in ("doctor", "demo", "train", "evaluate", "predict", "report", "data", "tokens"):
        assert f"\n  {verb} " in done.stdout


def test_codes_of_exit_and_streams() -> None:
    done = attendna_("--version")
    assert (done.returncode, done.stdout) == (0, f"attendna {attendna.__version__}\n")
    done = attendna_("data", "show", "gue/tf99")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["trian"], "attendna has no command 'trian'; did you mean train or transfer or pretrain?"),
        (["data", "lsit"], "attendna data has no command 'lsit'; did you mean list or split?"),
        (["train", "--tsak", "x"], "--tsak"),
        (["evaluate"], "see attendna evaluate --help"),
    ],
)
def test_what_is_mistyped_is_one_line(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(words) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.startswith("error: ")
    assert error.count("\n") == 1


def test_a_group_without_a_verb_lists_its_verbs(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["data"]) == 2
    said = capsys.readouterr().err
    for verb in ("list", "show", "get", "import", "simulate"):
        assert f"\n  {verb} " in said


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (UserError("a\nb", "mend it"), 2, "error: a b; mend it\n"),
        (OSError(errno.ENOSPC, "No space", "x.bin"), 2, "the disk is full while writing x.bin;"),
        (PermissionError(errno.EACCES, "Permission denied", "x"), 2, "x: permission denied;"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
    ],
)
def test_what_a_user_can_cause_is_one_line(
    error: BaseException,
    code: int,
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr("attendna.cli.doctor.examine", fail)
    assert run(["doctor"]) == code
    written = capsys.readouterr().err
    assert said in written
    assert written.count("\n") == 1


def test_a_bug_is_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise OSError(errno.EIO, "a bug")

    monkeypatch.setattr("attendna.cli.doctor.examine", fail)
    with pytest.raises(OSError, match="a bug"):
        run(["doctor"])


def test_a_full_disk_is_one_line_and_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import pyarrow.parquet as pq

    def full(self: pq.ParquetWriter, *_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "train.parquet")

    table = tmp_path / "mine.csv"
    rows = [f"s{i},{'ACGT'[i % 4] * 20}{'GC' * (i % 9)}AT,{i % 2}" for i in range(60)]
    table.write_text("id,sequence,label\n" + "\n".join(rows) + "\n")
    monkeypatch.setattr(pq.ParquetWriter, "write_table", full)
    assert run(["data", "import", str(table), "--out", str(tmp_path / "task")]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("error: the disk is full while writing")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.csv"]


def test_every_verb_is_a_file_with_a_page_of_help(capsys: pytest.CaptureFixture[str]) -> None:
    groups = {"": entry.app, "data": entry.data, "tokens": entry.tokens}
    groups["interpret"] = entry.interpret
    for name, group in groups.items():
        for verb in group.info.cls.verbs:
            words = [name, verb] if name else [verb]
            assert run([*words, "--help"]) == 0
            page = capsys.readouterr().out
            assert f"attendna {' '.join(words)}" in page
            assert "--json" in page


def test_sigterm_is_one_line_and_leaves_nothing_half(tmp_path: Path) -> None:
    words = ["data", "simulate-regulation", "--out", str(tmp_path / "out"), "--set", "genes=20000"]
    with subprocess.Popen(
        [sys.executable, "-m", "attendna", *words], stderr=subprocess.PIPE, text=True
    ) as process:
        while not any(tmp_path.iterdir()):
            time.sleep(0.05)
            assert process.poll() is None
        process.terminate()
        said = process.communicate(timeout=30)[1]
    assert (process.returncode, said) == (143, "terminated\n")
    assert not any(tmp_path.iterdir())


def test_shells_complete_verbs(monkeypatch: pytest.MonkeyPatch) -> None:
    words = {"_ATTENDNA_COMPLETE": "complete_bash", "COMP_WORDS": "attendna re", "COMP_CWORD": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "attendna"],
        env=os.environ | words, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.split() == ["report", "recipes"]

"""``data get``: from a mirror to a task, or one line that says what is missing."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from attendna.cli.data_get import _progress_bars
from attendna.cli.main import run
from attendna.tasks.store import open_task


def test_a_set_comes_from_the_mirror(shared: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "mouse3"
    assert run(["data", "get", "mouse/3", "--mirror", str(shared), "--out", str(out)]) == 0
    said = capsys.readouterr()
    assert said.err == (
        "mouse/3 is gue/mouse3\n"
        f"wrote {out}: Mouse transcription factor binding, ENCODE ChIP-seq, set 3; "
        "train 1,904, valid 239, test 239 rows\n"
    )
    assert open_task(out).spec.name == "gue/mouse3"


def test_a_stand_in_is_told_loudly(shared: Path, tmp_path: Path, capsys) -> None:
    name, out = "human_enhancers_cohn", tmp_path / "cohn"
    arguments = ["data", "get", name, "--mirror", str(shared), "--out", str(out), "--json"]
    assert run(arguments) == 0
    said = capsys.readouterr()
    result = json.loads(said.out)
    assert result["name"] == f"genomic_benchmarks/{name}_test_folds"
    assert sum(result["rows"].values()) == 6948
    assert f"WARNING: this is genomic_benchmarks/{name}_test_folds" in said.err
    assert "not comparable with results on the published" in " ".join(said.err.split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["gue/tf9"], "there is no data set 'gue/tf9'; did you mean"),
        (["gue/tf0", "--mirror", "nowhere"], "nowhere: no such folder; check --mirror"),
        (["gue/tf0", "--mirror", "."], "the mirror has no gue/tf/0/train.csv[.gz] and 2 more of"),
        (["human_ocr_ensembl"], "published as intervals of GRCh38, not as sequences; cut them"),
        (["gue/tf0", "--out", "full"], "full exists; choose another --out, or add --force"),
    ],
)
def test_what_cannot_be_had_is_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys,
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("full").mkdir()
    out = [] if "--out" in arguments else ["--out", "task"]
    assert run(["data", "get", *arguments, *out]) == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.startswith("error: ")
    assert message in told
    assert [path.name for path in tmp_path.iterdir()] == ["full"]


def test_bars_move_as_pooch_wants(capsys) -> None:
    with _progress_bars() as progress:
        bar = progress("https://example.org/a/b/c.csv")
        bar.total = 10
        bar.update(4)
        bar.reset()
        bar.update(10)
        bar.close()
    assert bar.total == 10
    assert "a/b/c.csv" in capsys.readouterr().err


def test_a_killed_get_leaves_no_half_folder(shared: Path, tmp_path: Path) -> None:
    out = tmp_path / "task"
    words = ["data", "get", "gue/prom_core_all", "--mirror", str(shared), "--out", str(out)]
    for delay in (0.0, 0.01):
        process = subprocess.Popen(
            [sys.executable, "-m", "attendna.cli.main", *words], stderr=subprocess.DEVNULL
        )
        while process.poll() is None and not any(tmp_path.iterdir()):
            time.sleep(0.001)
        time.sleep(delay)
        process.kill()
        process.wait()
        if out.exists():
            assert open_task(out).splits == ("train", "valid", "test")
    assert run([*words, "--force"]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["task"]

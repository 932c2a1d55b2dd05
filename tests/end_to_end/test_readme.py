"""Every command of the README does what it says, with trainings cut short."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from attendna.cli.main import run

BRIEF = (
    "trainer.max_steps=6",
    "trainer.min_steps=1",
    "trainer.validations=1",
    "trainer.batch_size=32",
    "members=1",
    "adapt=[]",
)
"""Settings that make any training a matter of seconds."""

BRIEF_TRACKS = ("trainer.steps=2", "trainer.validations=1")
"""The same for models of tracks, whose task is given head by head."""

BRIEF_PRETRAINING = (
    "trainer.max_steps=2",
    "trainer.validations=1",
    "trainer.batch_size=2",
    "windows.length=128",
    "windows.held_out_windows=10",
)

SHORTER = {
    "profile": {"--length": "65536", "--layers": "1"},
    "interpret": {"--length": "65536", "--sequences": "1"},
    "tokens": {"--vocabulary": "64"},
}
"""Options of other verbs that make them as quick."""


def commands(repository: Path) -> list[list[str]]:
    """The words of every ``attendna`` line in the README's blocks, in their order."""
    text = (repository / "README.md").read_text(encoding="utf-8")
    lines = [
        line.strip()
        for block in re.findall(r"^```\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        for line in block.splitlines()
    ]
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("attendna ")]


def write_users_files(folder: Path) -> None:
    """The files that the README calls the reader's own."""
    random = np.random.default_rng(0)
    texts = ["".join(random.choice(list("ACGT"), 80)) for _ in range(200)]
    rows = [f"r{i},{text},{i % 2}" for i, text in enumerate(texts)]
    (folder / "mine.csv").write_text("\n".join(["name,sequence,label", *rows]) + "\n")
    for name, part in (("peaks", texts[:80]), ("controls", texts[80:160]), ("new", texts[160:])):
        fasta = "".join(f">{name}{i}\n{text}\n" for i, text in enumerate(part))
        (folder / f"{name}.fa").write_text(fasta)


def test_the_readme_can_be_followed(
    repository: Path,
    shared: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_users_files(tmp_path)
    monkeypatch.chdir(tmp_path)
    told = commands(repository)
    assert len(told) >= 8
    for line in told:
        words = [word.replace("../shared/data", str(shared)) for word in line]
        if words[0] == "train":
            of_tracks = "=" in words[words.index("--task") + 1]
            settings = BRIEF_TRACKS if of_tracks else BRIEF
            words += [part for setting in settings for part in ("--set", setting)]
        if words[0] == "pretrain":
            words += [part for setting in BRIEF_PRETRAINING for part in ("--set", setting)]
        if words[0] == "evaluate":
            words += ["--resamples", "20"]
        for option, value in SHORTER.get(words[0], {}).items():
            if option in words:
                words[words.index(option) + 1] = value
        if "--out" in words and (tmp_path / words[words.index("--out") + 1]).exists():
            # Two ways to make the same folder.
            words.append("--force")
        assert run(words) == 0, (words, capsys.readouterr().err)
        if "--out" in words:
            assert (tmp_path / words[words.index("--out") + 1]).exists()
    page = (tmp_path / "runs" / "tf0.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")

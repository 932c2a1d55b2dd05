"""Every command of the README and of the pages in docs runs, with trainings cut short."""

import importlib.util
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from attendna.cli.main import run

if TYPE_CHECKING:
    from attendna.tasks.store import Task

BRIEF = (
    "trainer.max_steps=6",
    "trainer.min_steps=1",
    "trainer.validations=1",
    "trainer.batch_size=32",
    "members=1",
    "adapt=[]",
)
"""Settings that make any training a matter of seconds."""

PYTHON_BRIEF = "members=1, adapt=(), variants=(), trainer={'max_steps': 6, 'validations': 1}"
"""The same in Python."""

BRIEF_SEARCH = ("trainer.max_steps=6", "trainer.validations=1")
"""The same for searches."""

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
    "interpret": {"--length": "65536", "--sequences": "1", "--limit": "3"},
    "tokens": {"--vocabulary": "64"},
    "tune": {"--trials": "1"},
}
"""Options of other verbs that make them as quick."""

PAGES = (
    "README.md",
    *(f"docs/{name}.md" for name in (
        "checking", "data", "interpreting", "language", "tracks", "training",
    )),
)  # fmt: skip
"""Pages with commands; each can be followed on its own, from its first line."""


def commands(page: Path) -> list[list[str]]:
    """The words of every ``attendna`` line in a page's blocks, in their order."""
    lines = [
        line.strip()
        for block in re.findall(
            r"^```\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL
        )
        for line in block.splitlines()
    ]
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("attendna ")]


def shortened(words: list[str]) -> list[str]:
    """A command with its training cut short."""
    settings: tuple[str, ...] = ()
    if words[0] == "train":
        of_tracks = "=" in words[words.index("--task") + 1]
        settings = BRIEF_TRACKS if of_tracks else BRIEF
    if words[0] == "pretrain":
        settings = BRIEF_PRETRAINING
    if words[0] == "tune":
        settings = BRIEF_SEARCH
    words = words + [part for setting in settings for part in ("--set", setting)]
    if words[0] in ("evaluate", "compare"):
        words += ["--resamples", "20"]
    for option, value in SHORTER.get(words[0], {}).items():
        if option in words:
            words[words.index(option) + 1] = value
    return words


def write_users_files(folder: Path) -> None:
    """The files that the README calls the reader's own."""
    random = np.random.default_rng(0)
    texts = ["".join(random.choice(list("ACGT"), 80)) for _ in range(200)]
    rows = [f"r{i},{text},{i % 2}" for i, text in enumerate(texts)]
    (folder / "mine.csv").write_text("\n".join(["name,sequence,label", *rows]) + "\n")
    for name, part in (("peaks", texts[:80]), ("controls", texts[80:160]), ("new", texts[160:])):
        fasta = "".join(f">{name}{i}\n{text}\n" for i, text in enumerate(part))
        (folder / f"{name}.fa").write_text(fasta)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_can_be_followed(
    page: str,
    repository: Path,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_users_files(tmp_path)
    monkeypatch.chdir(tmp_path)
    listed = commands(repository / page)
    assert listed
    for line in listed:
        words = shortened(line)
        if any(word.startswith("../shared/data") for word in words):
            shared = str(request.getfixturevalue("shared"))
            words = [word.replace("../shared/data", shared) for word in words]
        assert run(words) == 0, (words, capsys.readouterr().err)
        if "--out" in words:
            assert (tmp_path / words[words.index("--out") + 1]).exists()


def test_every_page_with_commands_is_followed(repository: Path) -> None:
    pages = [repository / "README.md", *sorted((repository / "docs").glob("*.md"))]
    with_commands = [str(page.relative_to(repository)) for page in pages if commands(page)]
    assert sorted(with_commands) == sorted(PAGES)


def test_the_readme_needs_nothing_but_a_clone(repository: Path) -> None:
    assert "../shared" not in (repository / "README.md").read_text("utf-8")


def test_python_of_the_readme_runs(
    repository: Path, planted: "Task", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (repository / "README.md").read_text("utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "task").symlink_to(planted.folder)
    brief = f"config = config.replace({PYTHON_BRIEF})"
    lines = [
        line + (f"\n{brief}" if line.startswith("config =") else "") for line in code.splitlines()
    ]
    scope: dict[str, Any] = {}
    exec("\n".join(lines), scope)
    assert len(scope["predictions"].values) == 1


def test_links_of_the_pages_lead_somewhere(repository: Path) -> None:
    broken: list[str] = []
    for page in [repository / "README.md", *(repository / "docs").rglob("*.md")]:
        for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
            local = re.sub(
                r"^https://(?:raw\.githubusercontent\.com/attendna/attendna|github\.com/attendna/attendna/blob)/main/",
                "",
                link,
            )
            place, _, anchor = local.partition("#")
            if place.startswith("http"):
                continue
            target = (repository if local != link else page.parent) / place if place else page
            if not target.exists() or (anchor and anchor not in anchors(target)):
                broken.append(f"{page.name}: {link}")
    assert broken == []


def anchors(page: Path) -> set[str]:
    """The names by which a page's headings are linked to."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    plain = (re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower() for heading in headings)
    return {re.sub(r"[^\w\- ]", "", heading).strip().replace(" ", "-") for heading in plain}


def test_the_page_of_settings_is_current(repository: Path) -> None:
    script = repository / "docs" / "settings.py"
    spec = importlib.util.spec_from_file_location("settings_page", script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    written = (repository / "docs" / "settings.md").read_text("utf-8")
    assert written == module.page(), "run: python docs/settings.py > docs/settings.md"

"""What made a file."""

import subprocess
import sys
from pathlib import Path

import pytest

from attendna import __version__
from attendna.core import provenance
from attendna.core.provenance import command, commanded, commit, version


def test_the_command_can_be_given_again() -> None:
    assert command() == ""
    with commanded(["train", "my run.yaml", "--set", "a=[1]"]):
        assert command() == "attendna train 'my run.yaml' --set 'a=[1]'"
        with commanded(["report"]):
            assert command() == "attendna report"
        assert command().startswith("attendna train")
    assert command() == ""


def test_the_commit_is_that_of_the_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "src" / "attendna" / "__init__.py"
    package.parent.mkdir(parents=True)
    package.write_text("")
    monkeypatch.setattr(provenance.attendna, "__file__", str(package))
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b"]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "one"]):
        subprocess.run([*git, *words], check=True)
    done = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    clean = commit.__wrapped__()
    assert clean == done.stdout[:12]
    package.write_text("changed")
    assert commit.__wrapped__() == f"{clean}-dirty"


def test_without_git_there_is_a_version_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provenance, "commit", lambda: "")
    assert version() == __version__
    monkeypatch.setenv("PATH", str(tmp_path))
    assert provenance._described(tmp_path) == ""


def test_nothing_heavy_is_imported() -> None:
    code = "import sys; import attendna.core.provenance; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)

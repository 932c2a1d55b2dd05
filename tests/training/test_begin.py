from pathlib import Path

import pytest

from attendna.core.errors import ConfigError, FolderError, ResourceError
from attendna.training import begin as module
from attendna.training.begin import Beginning
from attendna.training.run import Environment, RunConfig

CONFIG = RunConfig.model_validate(
    {"tokenizer": "onehot", "model": "cnn", "trainer": {"device": "cpu", "threads": 1}}
)
SETTINGS = (CONFIG, CONFIG.trainer, "digest", "task")


def beginning(out: Path, *, resume: bool = False, force: bool = False) -> Beginning:
    return Beginning(out, resume=resume, force=force, progress=False)


def test_a_training_is_begun_and_gone_on_with(tmp_path: Path) -> None:
    seen: list[Environment] = []
    assert beginning(tmp_path / "run").run(*SETTINGS, seen.append) == tmp_path / "run"
    with pytest.raises(FolderError):
        beginning(tmp_path / "run")
    again = beginning(tmp_path / "run", resume=True)
    assert not again.is_over(CONFIG, "digest")
    again.run(*SETTINGS, seen.append)
    assert seen[0] == seen[1]
    again.folder.weights.touch()
    assert again.is_over(CONFIG, "digest")
    with pytest.raises(FolderError):
        again.is_over(CONFIG, "other rows")
    fresh = beginning(tmp_path / "run", force=True)
    assert not fresh.is_over(CONFIG, "other rows")
    fresh.run(CONFIG, CONFIG.trainer, "other rows", "task", seen.append)
    assert not fresh.folder.finished


def test_while_one_trains_no_other_does(tmp_path: Path) -> None:
    def meanwhile(environment: Environment) -> None:
        del environment
        with pytest.raises(FolderError):
            beginning(tmp_path / "run", resume=True).run(*SETTINGS, lambda _: None)

    beginning(tmp_path / "run").run(*SETTINGS, meanwhile)


def test_what_contradicts_itself_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="contradict"):
        beginning(tmp_path / "run", resume=True, force=True)
    with pytest.raises(ConfigError, match="several processes"):
        Beginning(tmp_path / "run", resume=False, force=True, progress=False, processes=2)


def test_other_processes_wait_for_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANK", "1")
    second = Beginning(tmp_path / "run", resume=False, force=False, progress=True, processes=2)
    assert second.console.quiet
    wait = module.wait_for
    monkeypatch.setattr(module, "wait_for", lambda path: wait(path, seconds=0.1))
    with pytest.raises(ResourceError, match="first process"):
        second.run(*SETTINGS, lambda _: None)
    monkeypatch.setenv("RANK", "0")
    first = Beginning(tmp_path / "run", resume=False, force=False, progress=False, processes=2)
    seen: list[Environment] = []
    first.run(*SETTINGS, seen.append)
    second.run(*SETTINGS, seen.append)
    assert seen[0] == seen[1]

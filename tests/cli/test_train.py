import json
import signal
from pathlib import Path

import pytest
import yaml
from tests.planted import plant
from tests.training.conftest import SMALL

from attendna.cli.main import run
from attendna.training.batches import Batch, TrainingBatches


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return plant(tmp_path_factory.mktemp("planted") / "task").folder


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    file = tmp_path / "run.yaml"
    file.write_text(yaml.safe_dump(SMALL))
    return file


def words(settings: Path, task: Path, out: Path, *more: str) -> list[str]:
    return ["train", str(settings), "--task", str(task), "--out", str(out), *more]


def test_training_tells_people_on_one_stream_and_machines_on_the_other(
    settings: Path, task: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    assert run(words(settings, task, out, "--json", "--set", "trainer.epochs=2")) == 0
    said = capsys.readouterr()
    result = json.loads(said.out)
    assert result["run"] == str(out)
    assert (result["steps"], result["validations"]) == (16, 2)
    assert -1 <= result["valid"]["mcc"] <= 1
    assert 0 < result["threshold"] < 1
    assert "device cpu (" in said.err

    # The stored settings are settings: they make the same run again.
    assert run(words(out / "run.yaml", task, tmp_path / "again")) == 0
    one, other = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("run", "again"))
    assert one == other

    assert run(words(out / "run.yaml", task, out, "--resume")) == 0
    assert "is finished, there is nothing to resume" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--set", "model.widht=3"], "model.widht is not a setting, did you mean width?"),
        (["--set", "tokenizer=kmre"], "did you mean kmer?"),
        (["--set", "trainer.epochs=many"], "trainer.epochs"),
        (["--set", "nonsense"], "write --set key.subkey=value"),
        (["--resume", "--force"], "contradict each other"),
        (["--task", "nowhere"], "--task is given 2 times; give one task folder"),
        (["--set", "tokenizer={name: kmer, k: 8}", "--set", "letters=maybe"], "letters"),
    ],
)
def test_what_is_wrong_is_one_line_and_nothing_is_written(
    settings: Path,
    task: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    more: list[str],
    said: str,
) -> None:
    out = tmp_path / "run"
    assert run(words(settings, task, out, *more)) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert said in error
    assert not out.exists()


def test_a_task_that_is_not_there_is_one_line(
    settings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(words(settings, tmp_path / "nowhere", tmp_path / "run")) == 2
    assert "nowhere: no such task folder" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_folder_that_is_there_is_left_alone(
    settings: Path, task: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    for more in ((), ("--force",), ("--resume",)):
        assert run(words(settings, task, tmp_path / "mine", *more)) == 2
        assert capsys.readouterr().err.count("\n") == 1
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes.txt"]


def test_ctrl_c_says_how_to_go_on(
    settings: Path,
    task: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    get = TrainingBatches.__getitem__

    def interrupted(self: TrainingBatches, number: int) -> Batch:
        if number == 10:
            signal.raise_signal(signal.SIGINT)
        return get(self, number)

    # A shell that starts the tests in the background has the signal ignored.
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    with monkeypatch.context() as patch:
        patch.setattr(TrainingBatches, "__getitem__", interrupted)
        assert run(words(settings, task, tmp_path / "run")) == 130
    signal.signal(signal.SIGINT, handler)
    assert "the same command with --resume goes on" in capsys.readouterr().err
    assert run(words(settings, task, tmp_path / "run", "--resume")) == 0


@pytest.mark.parametrize("recipe", ["classify", "enhancer_attention"])
def test_the_recipes_are_settings(
    recipe: str,
    repository: Path,
    task: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = repository / "recipes" / f"{recipe}.yaml"
    short = ("trainer.max_steps=2", "trainer.threads=1", "adapt=[]", "trainer.validations=1")
    more = [word for change in short for word in ("--set", change)]
    assert run(words(file, task, tmp_path / "run", "--json", *more)) == 0
    assert json.loads(capsys.readouterr().out)["steps"] == 2

from pathlib import Path

from attendna.report.run import Run
from attendna.report.training_section import settings, training


def write(folder: Path, log: str = "") -> Run:
    (folder / "run.yaml").write_text("seed: 3\n")
    if log:
        (folder / "log.csv").write_text(log)
    return Run(folder)


def test_curves_of_what_was_logged(tmp_path: Path) -> None:
    log = (
        "epoch,step,train_loss,valid_loss,valid_mcc,learning_rate,seconds\n"
        "1,5,0.5,0.6,0.1,0.01,1\n2,10,0.4,nan,0.2,0,1\n"
    )
    run = write(tmp_path, log)
    (section,) = training(run, "valid_mcc", "MCC", "of classes")
    assert [chart.title for chart in section.charts] == ["Loss", "Validation", "Learning rate"]
    assert section.charts[1].note == "of classes"
    assert list(section.charts[1].figure.data[0].y) == [0.1, 0.2]
    (section,) = training(run, "valid_auroc", "AUROC")
    assert len(section.charts) == 2


def test_without_a_log_there_is_no_section(tmp_path: Path) -> None:
    assert list(training(write(tmp_path))) == []


def test_settings_and_machine(tmp_path: Path) -> None:
    run = write(tmp_path)
    assert settings(run).code == [("All settings (run.yaml)", "seed: 3\n")]
    assert settings(run).facts == []
    known = '{"python": "3.11", "task": "x", "command": "attendna train a.yaml", "commit": "1a2b"}'
    (tmp_path / "environment.json").write_text(known)
    assert settings(Run(tmp_path)).facts == [
        ("Command", "attendna train a.yaml"), ("Python", "3.11"), ("Commit", "1a2b"),
    ]  # fmt: skip

"""The public surface: a name added or taken away is a decision, and shows here."""

import subprocess
import sys

import pytest

import attendna

PUBLIC = [
    "EvaluationResult",
    "Predictions",
    "Predictor",
    "PretrainingConfig",
    "RunConfig",
    "SequenceBatch",
    "Task",
    "TaskSpec",
    "TransferConfig",
    "UserError",
    "compare",
    "evaluate",
    "export",
    "finetune",
    "get_task",
    "import_tables",
    "open_task",
    "pretrain",
    "read_sequences",
    "read_study",
    "run_study",
    "simulate",
    "train",
    "transfer",
    "write_report",
    "write_task",
]
HEAVY = {
    "torch",
    "lightning",
    "polars",
    "pyarrow",
    "pydantic",
    "sklearn",
    "scipy",
    "plotly",
    "numpy",
}


def test_the_public_names_are_frozen_and_sorted() -> None:
    assert attendna.__all__ == PUBLIC
    assert sorted(PUBLIC) == PUBLIC
    assert set(PUBLIC) <= set(dir(attendna))


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    thing = getattr(attendna, name)
    assert thing.__name__ == name
    assert thing.__doc__


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'trian'"):
        attendna.trian  # noqa: B018


def test_importing_attendna_imports_nothing_heavy() -> None:
    code = "import sys, attendna; print(*{name.partition('.')[0] for name in sys.modules})"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not HEAVY & set(found.stdout.split())

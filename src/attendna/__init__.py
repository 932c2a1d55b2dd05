"""attendna: train, benchmark and interpret attention models on regulatory DNA."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "EvaluationResult": "attendna.evaluation.evaluate",
    "Predictions": "attendna.prediction.predictions",
    "Predictor": "attendna.prediction.predictor",
    "PretrainingConfig": "attendna.training.pretraining.config",
    "RunConfig": "attendna.training.run",
    "SequenceBatch": "attendna.genome.sequences",
    "Task": "attendna.tasks.store",
    "TaskSpec": "attendna.tasks.spec",
    "TransferConfig": "attendna.training.frozen",
    "UserError": "attendna.core.errors",
    "compare": "attendna.evaluation.compare",
    "evaluate": "attendna.evaluation.evaluate",
    "export": "attendna.models.huggingface.export",
    "finetune": "attendna.training.finetuning",
    "get_task": "attendna.tasks.get",
    "import_tables": "attendna.tasks.ingest",
    "open_task": "attendna.tasks.store",
    "pretrain": "attendna.training.pretraining.train",
    "read_sequences": "attendna.prediction.sequences",
    "read_study": "attendna.studies.study",
    "run_study": "attendna.studies.run",
    "simulate": "attendna.tasks.simulate",
    "train": "attendna.training.train",
    "transfer": "attendna.training.frozen",
    "write_report": "attendna.report.html",
    "write_task": "attendna.tasks.store",
}
"""Where each public name lives; it is imported from there when it is first asked for."""

__all__ = [
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

if TYPE_CHECKING:
    from attendna.core.errors import UserError
    from attendna.evaluation.compare import compare
    from attendna.evaluation.evaluate import EvaluationResult, evaluate
    from attendna.genome.sequences import SequenceBatch
    from attendna.models.huggingface.export import export
    from attendna.prediction.predictions import Predictions
    from attendna.prediction.predictor import Predictor
    from attendna.prediction.sequences import read_sequences
    from attendna.report.html import write_report
    from attendna.studies.run import run_study
    from attendna.studies.study import read_study
    from attendna.tasks.get import get_task
    from attendna.tasks.ingest import import_tables
    from attendna.tasks.simulate import simulate
    from attendna.tasks.spec import TaskSpec
    from attendna.tasks.store import Task, open_task, write_task
    from attendna.training.finetuning import finetune
    from attendna.training.frozen import TransferConfig, transfer
    from attendna.training.pretraining.config import PretrainingConfig
    from attendna.training.pretraining.train import pretrain
    from attendna.training.run import RunConfig
    from attendna.training.train import train


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'attendna' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]

"""Learn a task from the representations of a model that stays as it is.

The run folder holds ``transfer.yaml`` (the settings, those of the learner as they were chosen),
``search.json`` (what each of the tried settings was worth), ``learner.safetensors``, the model
under ``backbone``, and what ``evaluate`` writes.

Shapes: ``N`` rows, ``F`` features, ``C`` columns of targets.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Float64
from numpy import ndarray
from pydantic import Field

from attendna.core.config import Config, Seed, to_yaml
from attendna.core.errors import ConfigError
from attendna.core.files import publish_folder, refuse_existing
from attendna.core.outputs import OutputFolder
from attendna.core.terminal import PlainConsole
from attendna.evaluation.calibration import choose_threshold
from attendna.evaluation.evaluate import evaluate_split, write_evaluation
from attendna.evaluation.measures import metrics_of, sample_of
from attendna.evaluation.metrics import METRICS
from attendna.models.checkpoint import InputContract
from attendna.models.learners.columns import learn
from attendna.models.learners.forest import RandomForestConfig
from attendna.models.learners.learner import AnyLearnerConfig, LearnerConfig
from attendna.prediction.backbone import digest_of, keep_backbone, load_backbone
from attendna.prediction.device import PrecisionChoice
from attendna.prediction.predictor import Progress
from attendna.prediction.representations import Reading, Representations
from attendna.prediction.transfer import (
    BACKBONE,
    Targets,
    TransferCheckpoint,
    TransferPredictor,
)
from attendna.tasks.store import Split
from attendna.training.examples import Examples
from attendna.training.run import MEASURED, SHOWN, default_threads

TRANSFER_FILE = "transfer.yaml"
TRANSFERRED = OutputFolder("transfer", added=(*MEASURED, *SHOWN))


class TransferConfig(Config):
    """Settings of a transfer."""

    run: Path
    """A run of ``train`` or ``pretrain``, a checkpoint or motifs: its vectors are learned from."""
    weights: str | None = None
    """SHA-256 of that run's model; written down when it is read."""
    learner: AnyLearnerConfig = RandomForestConfig()
    targets: Targets = "values"
    reading: Reading = Reading()
    trials: int = Field(default=1, ge=1)
    """Settings of the learner tried: those given, then others at random."""
    fixed: tuple[str, ...] = ()
    """Settings of the learner that are the same in every trial."""
    share: float = Field(default=1.0, gt=0, le=1)
    """Share of the training rows that is learned from."""
    seed: Seed = 0


@dataclass(frozen=True, eq=False)
class Trial:
    """A learner with one choice of its settings, and what it was worth on validation rows."""

    predictor: TransferPredictor
    value: float


def transfer(
    config: TransferConfig,
    task_folder: str | Path,
    out: str | Path,
    *,
    device: str = "auto",
    precision: PrecisionChoice = "auto",
    force: bool = False,
    progress: bool = True,
    advance: Progress | None = None,
) -> Path:
    """Learn a task from frozen representations, and make a run folder that predicts.

    Settings and threshold are chosen on validation rows; the test rows are never opened. Called
    with more sequences whose vectors are computed, ``advance`` shows how far it is.

    Raises
    ------
    UserError
        The learner cannot learn the task, or the model cannot read it; nothing is written then.
    """
    out, console = Path(out), PlainConsole(stderr=True, quiet=not progress)
    refuse_existing(out, TRANSFERRED, force=force)
    examples = Examples.read(task_folder).sharing(config.share, config.seed)
    _refuse_kind(config, examples)
    backbone = load_backbone(config.run, device, precision)
    config = config.replace(weights=digest_of(config.run))
    vectors = Representations(backbone, config.reading, config.weights)
    if config.share < 1:
        told = f"learning from {len(examples.train):,} training rows (share {config.share:g})"
        console.print(told, soft_wrap=True)
    trials: list[Trial] = []
    for trial in _trials(config, examples, vectors, advance):
        trials.append(trial)
        console.print(
            f"valid_{examples.metric} {trial.value:.4f} of {_spelled(trial)}", soft_wrap=True
        )
    better = 1 if metrics_of(examples.spec.label_kind)[examples.metric].higher_is_better else -1
    best = max(trials, key=lambda t: -np.inf if np.isnan(t.value) else better * t.value)
    result = evaluate_split(best.predictor, examples.valid, task=examples.spec.name, split="valid")
    chosen = config.replace(learner=best.predictor.checkpoint.learner.to_tree())
    with publish_folder(out, TRANSFERRED, force=force) as partial:
        (partial / BACKBONE).mkdir()
        keep_backbone(config.run, partial / BACKBONE)
        tree = chosen.to_tree() | {"rows": len(examples.train), "split_hash": examples.split_hash}
        (partial / TRANSFER_FILE).write_text(to_yaml(tree), encoding="utf-8")
        (partial / "search.json").write_text(_table(trials, examples.metric), encoding="utf-8")
        write_evaluation(partial, result)
        best.predictor.save(partial)
    value = result.value(examples.metric)
    console.print(f"valid_{examples.metric} {value:.4f}, wrote {out}", soft_wrap=True)
    return out


def _refuse_kind(config: TransferConfig, examples: Examples) -> None:
    learner = config.learner
    wanted = "numbers" if examples.spec.label_kind == "regression" else "classes"
    if wanted not in learner.learns:
        fitting = {"numbers": "ridge", "classes": "logistic"}[wanted]
        raise ConfigError(
            f"the learner {learner.name} does not learn {wanted}, which {examples.task.folder} has",
            f"use --learner {fitting}, random_forest or xgboost",
        )
    if wanted == "classes" and config.targets == "roots":
        raise ConfigError("targets: there are no roots of classes", "leave it out")


def _trials(
    config: TransferConfig,
    examples: Examples,
    vectors: Representations,
    advance: Progress | None,
) -> Iterator[Trial]:
    """Learn with each of the settings, and measure on the validation rows."""
    train, valid, spec = examples.train, examples.valid, examples.spec
    path = examples.task.path("train")
    features = vectors.of(train.sequences, train.alternatives, source=path, progress=advance)
    path = examples.task.path("valid")
    held_out = vectors.of(valid.sequences, valid.alternatives, source=path, progress=advance)
    targets = _targets(train, len(spec.classes))
    if config.targets == "roots":
        targets = np.sign(targets) * np.sqrt(np.abs(targets))
    contract = InputContract(
        letters=vectors.backbone.checkpoint.input.letters,
        window=spec.window,
        shortest=int(train.sequences.lengths.min()),
        longest=int(train.sequences.lengths.max()),
        build=spec.build,
        task=spec.name,
        split_hash=examples.split_hash,
    )
    for learner in _settings(config):
        checkpoint = _checkpoint(config, learner, examples, vectors, contract)
        classes = checkpoint.learned_classes
        learned = learn(
            learner, features, targets, classes, seed=config.seed, threads=default_threads()
        )
        predictor = TransferPredictor(checkpoint, learned, vectors)
        yield _measured(predictor, held_out, examples)


def _settings(config: TransferConfig) -> Iterator[LearnerConfig]:
    yield config.learner
    given = config.learner.to_tree()
    fixed = {name: given[name] for name in config.fixed}
    generator = np.random.default_rng(config.seed)
    for _ in range(config.trials - 1):
        yield config.learner.drawn(generator).replace(**fixed)


def _targets(split: Split, tracks: int) -> Float64[ndarray, "N C"]:
    return split.labels_of_all(tracks).astype(np.float64).reshape(len(split), -1)


def _checkpoint(
    config: TransferConfig,
    learner: LearnerConfig,
    examples: Examples,
    vectors: Representations,
    contract: InputContract,
) -> TransferCheckpoint:
    spec, backbone = examples.spec, vectors.backbone.checkpoint
    content = json.dumps([config.to_tree(), learner.to_tree(), examples.split_hash], sort_keys=True)
    return TransferCheckpoint(
        run_id=hashlib.sha256(content.encode()).hexdigest()[:12],
        tokenizer=backbone.tokenizer,
        model=backbone.model,
        strands=backbone.strands,
        label_kind=spec.label_kind,
        classes=spec.classes,
        scale="value" if spec.label_kind == "regression" else "probability",
        paired=spec.paired,
        precision=vectors.backbone.precision,
        input=contract,
        learner=learner,
        targets=config.targets,
        reading=config.reading,
        backbone=str(config.weights),
    )


def _measured(
    predictor: TransferPredictor, features: Float32[ndarray, "N F"], examples: Examples
) -> Trial:
    """The task's metric on the validation rows, from the threshold that is best there on."""
    values, labels = (
        predictor.read(features),
        examples.valid.labels_of_all(len(examples.spec.classes)),
    )
    if predictor.checkpoint.label_kind == "binary":
        metric = examples.metric if METRICS[examples.metric].of_confusion else "mcc"
        threshold = choose_threshold(labels, values[:, 0], metric)
        predictor.checkpoint = predictor.checkpoint.replace(threshold=threshold)
    kind = examples.spec.label_kind
    sample = sample_of(kind, labels, values, predictor.checkpoint.threshold)
    return Trial(predictor, metrics_of(kind)[examples.metric].value(sample))


def _spelled(trial: Trial) -> str:
    return _told(trial.predictor.checkpoint.learner.to_tree())


def _told(learner: Mapping[str, Any]) -> str:
    """A learner with its settings, in one line."""
    told: list[str] = []
    for key, value in learner.items():
        if isinstance(value, list):
            told.append(" and ".join(map(_told, value)))
        elif value is not None and key != "name":
            told.append(f"{key} {value:,}" if isinstance(value, int) else f"{key} {value:.3g}")
    return f"{learner['name']}: {', '.join(told)}"


def _table(trials: list[Trial], metric: str) -> str:
    rows: list[dict[str, Any]] = [
        {
            "learner": trial.predictor.checkpoint.learner.to_tree(),
            f"valid_{metric}": None if np.isnan(trial.value) else trial.value,
        }
        for trial in trials
    ]
    return json.dumps(rows, indent=2)

"""What fine-tuning is worth: the same rows measured before it and after it.

The run folder is that of a training; beside it lie ``before`` (``metrics.json`` and
``predictions.parquet`` of the model as the training began) and ``finetuning.json`` (both side by
side, with the confusion matrices).
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import numpy as np

from attendna.core.errors import ConfigError
from attendna.core.files import publish_file
from attendna.evaluation.compare import Comparison, compare_samples
from attendna.evaluation.evaluate import (
    EvaluationResult,
    evaluate_split,
    write_evaluation,
)
from attendna.evaluation.metrics import Sample
from attendna.evaluation.uncertainty import RESAMPLES
from attendna.models.hardware import Precision
from attendna.prediction.device import choose_device
from attendna.prediction.predictor import Predictor
from attendna.prediction.transfer import load_predictor
from attendna.tasks.spec import SplitName
from attendna.tasks.store import Split, open_task
from attendna.tokens.kmer import KmerConfig
from attendna.training.examples import Examples
from attendna.training.run import COMMAND_LINE, RunConfig
from attendna.training.train import train

BEFORE = "before"
FINETUNING_FILE = "finetuning.json"

Tokens = Literal["overlapping", "non-overlapping"]
"""``non-overlapping``: the words lie side by side, and what is left at the end is one unknown word,
as some published work reads DNABERT, which learned overlapping ones."""


def finetune(
    config: RunConfig,
    task_folder: str | Path,
    out: str | Path,
    *,
    split: SplitName = "test",
    resamples: int = RESAMPLES,
    resume: bool = False,
    force: bool = False,
    progress: bool = True,
) -> Path:
    """Train a model from what another has learned, and measure it before and after.

    Before, the head has learned nothing, and calls a sequence positive from a probability of 1/2;
    after, from the threshold chosen on validation rows.

    Returns
    -------
    Path
        The run folder.

    Raises
    ------
    UserError
        See :func:`attendna.training.train.train`; or there is nothing to start from, or the task is
        not one of classes.
    """
    if config.start is None:
        raise ConfigError("there is nothing to start from", "name a checkpoint with --from")
    examples = Examples.read(task_folder)
    kind = examples.spec.label_kind
    if kind not in ("binary", "multiclass"):
        raise ConfigError(
            f"{task_folder} is a {kind} task, and what is compared are classes",
            "use attendna train --from",
        )
    rows = open_task(task_folder).read(split)
    where = Path(task_folder) / f"{split}.parquet"
    how: dict[str, Any] = {"task": examples.spec.name, "split": split, "resamples": resamples}
    run = train(config, task_folder, out, resume=resume, force=force, progress=progress)
    after = load_predictor(run, device_of(config))
    predictors = {BEFORE: untrained(config, examples, after.precision), "after": after}
    results = {
        name: evaluate_split(predictor, rows, **how, source=where)
        for name, predictor in predictors.items()
    }
    (run / BEFORE).mkdir(exist_ok=True)
    write_evaluation(run / BEFORE, results[BEFORE])
    write_evaluation(run, results["after"])
    samples = {name: _sample(predictors[name], result, rows) for name, result in results.items()}
    compared = compare_samples(samples, kind, **how)
    _write(run / FINETUNING_FILE, compared, samples, split, examples.spec.classes)
    return run


def with_tokens(config: RunConfig, tokens: Tokens) -> RunConfig:
    """The settings with words that overlap, or with words side by side.

    Raises
    ------
    ConfigError
        The model does not read words of k bases.
    """
    k = getattr(config.tokenizer, "k", None)
    if k is None:
        raise ConfigError(
            f"--tokens: the tokenizer is {config.tokenizer.name}", "leave --tokens out"
        )
    chosen = {"name": "patch", "k": k, "remainder": "pad"}
    if tokens == "overlapping":
        chosen = KmerConfig(k=k).to_tree()
    return config.prevailed({"tokenizer": chosen}, COMMAND_LINE)


def device_of(config: RunConfig) -> str:
    """Where a model of these settings predicts."""
    return str(choose_device(config.trainer.device))


def untrained(config: RunConfig, examples: Examples, precision: Precision) -> Predictor:
    """The model as a training of these settings begins, with the same draw of its head; it is
    computed in the precision of what the training has made of it."""
    # Takes a second to import, as it brings Lightning.
    from attendna.training.fit import checkpoint_of, start

    config = config.adapted(len(examples.train))
    plain = config.replace(start=(config.start.to_tree() if config.start else {}) | {"lora": None})
    device = choose_device(config.trainer.device)
    model = start(plain, examples, device)
    checkpoint = checkpoint_of(plain, examples, BEFORE, precision)
    return Predictor(checkpoint, model, str(device))


def _sample(predictor: Predictor, result: EvaluationResult, rows: Split) -> Sample:
    values = result.predictions.select(predictor.names).to_numpy().astype(np.float64)
    return Sample.of(rows.labels, values, predictor.checkpoint.threshold)


def _write(
    path: Path,
    compared: Comparison,
    samples: dict[str, Sample],
    split: SplitName,
    classes: tuple[str, ...],
) -> None:
    """Both side by side, a row a metric."""
    by_name = {(row.run, row.metric): row for row in compared.rows}
    rows: list[dict[str, Any]] = []
    for test in compared.tests:
        if test.test != "bootstrap":
            continue
        row: dict[str, Any] = {"metric": test.metric, "higher_is_better": test.higher_is_better}
        for name in samples:
            found = by_name[name, test.metric]
            row |= {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}
        said = asdict(test)
        row |= {key: said[key] for key in ("difference", "low", "high", "p_value")}
        rows.append({k: None if v != v else v for k, v in row.items()})  # noqa: PLR0124 - NaN
    tree = {
        "task": compared.rows[0].task,
        "split": split,
        "n": compared.rows[0].n,
        "classes": classes,
        "thresholds": {name: sample.threshold for name, sample in samples.items()},
        "confusion": {name: sample.confusion.tolist() for name, sample in samples.items()},
        "metrics": rows,
    }
    with publish_file(path) as partial:
        partial.write_text(json.dumps(tree, indent=2, allow_nan=False), encoding="utf-8")

"""A short search over declared variants, on training and validation rows alone."""

import math
import shutil
from typing import Any

import numpy as np
from rich.console import Console

from attendna.core.content import read_json
from attendna.core.errors import FolderError
from attendna.evaluation.measures import affordable, metrics_of, sample_of
from attendna.evaluation.uncertainty import bootstrap
from attendna.models.checkpoint import load
from attendna.prediction.predictor import Predictor
from attendna.training.examples import Examples
from attendna.training.fit import fit
from attendna.training.loop import Machine
from attendna.training.members import variant_member
from attendna.training.run import RunConfig, RunFolder, Variant

RESAMPLES = 500
"""Enough for a standard error of three digits."""


def choose_variants(
    config: RunConfig,
    examples: Examples,
    folder: RunFolder,
    machine: Machine,
    console: Console | None = None,
) -> tuple[Variant, ...]:
    """Try every variant in a short training of its own; give the best, and those that tie with it.

    All scores are kept in ``search.json`` as they come, so that a killed search goes on where it
    was. Of equally good variants the first is the best. A variant that reads other tokens than the
    best cannot be joined with it and does not tie.
    """
    if not config.variants:
        return ()
    tried = _read(folder)
    for variant in config.variants:
        if variant.name not in tried:
            tried[variant.name] = _probe(
                variant,
                config=config,
                examples=examples,
                folder=folder,
                machine=machine,
                console=console,
            )
            _write(config, folder, tried, chosen=[])
        # The log stays to be looked at; what was learned in part of the steps is of no further use.
        shutil.rmtree(folder.probe(variant.name).last.parent, ignore_errors=True)
    chosen = _choose(config, tried)
    _write(config, folder, tried, chosen=[variant.name for variant in chosen])
    if console is not None:
        scores = ", ".join(f"{name} {probe['score']:.4f}" for name, probe in tried.items())
        names = " and ".join(variant.name for variant in chosen)
        console.print(
            f"variants by valid_{config.trainer.monitor}: {scores}; taking {names}", soft_wrap=True
        )
    return chosen


def _probe(
    variant: Variant,
    *,
    config: RunConfig,
    examples: Examples,
    folder: RunFolder,
    machine: Machine,
    console: Console | None,
) -> dict[str, Any]:
    whole = config.probe.share == 1
    member = variant_member(config, variant, 0, folder)
    place = member.folder if whole else folder.probe(variant.name)
    record = fit(
        member.config,
        examples,
        place,
        machine,
        run_id=config.run_id(examples.split_hash),
        share=config.probe.share,
        title=f"trying {variant.name}",
        console=console,
    )
    return {
        "set": variant.set,
        "score": record.best[f"valid_{config.trainer.monitor}"],
        "standard_error": standard_error(config, examples, place, machine),
        "step": record.best["step"],
        "steps": record.rows[-1]["step"],
    }


def standard_error(
    config: RunConfig, examples: Examples, place: RunFolder, machine: Machine
) -> float:
    """By how much the monitored measure of the best model would differ on other validation rows."""
    predictor = Predictor(*load(place.best), str(machine.device), machine.precision)
    kind, valid = examples.spec.label_kind, examples.valid
    values = predictor.predict(valid.sequences, alternatives=valid.alternatives).values
    sample = sample_of(kind, valid.labels_of_all(examples.spec.outputs), values)
    monitor = config.trainer.monitor
    if monitor == "loss":
        monitor = "mse" if kind == "regression" else "log_loss"
    metric = metrics_of(kind)[monitor]
    count = affordable(sample, RESAMPLES)
    resampled = bootstrap([sample], [metric], np.random.default_rng(0), count)
    return float(np.nanstd(resampled))


def _choose(config: RunConfig, tried: dict[str, Any]) -> tuple[Variant, ...]:
    merits = {v.name: _merit(config, tried[v.name]["score"]) for v in config.variants}
    ordered = sorted(config.variants, key=lambda variant: -merits[variant.name])
    best = ordered[0]
    margin = config.probe.tie * tried[best.name]["standard_error"]
    tokens = config.with_variant(best).tokenizer
    ties = [
        variant
        for variant in ordered[1:]
        if merits[best.name] - merits[variant.name] < margin
        and config.with_variant(variant).tokenizer == tokens
    ]
    return (best, *ties)


def _merit(config: RunConfig, score: float) -> float:
    """A score of which more is better; one that is not defined is worse than any."""
    if math.isnan(score):
        return -math.inf
    return -score if config.trainer.lower_is_better else score


def _write(
    config: RunConfig, folder: RunFolder, tried: dict[str, Any], *, chosen: list[str]
) -> None:
    summary = {"monitor": config.trainer.monitor, "chosen": chosen, "variants": tried}
    folder.write_json(folder.search, summary)


def _read(folder: RunFolder) -> dict[str, Any]:
    if not folder.search.is_file():
        return {}
    try:
        return dict(read_json(folder.search)["variants"])
    except (ValueError, KeyError, TypeError) as error:
        raise FolderError(f"{folder.search} is damaged", "delete it and resume") from error

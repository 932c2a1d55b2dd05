"""A short search over declared variants, on training and validation rows alone."""

import json
import math
import shutil
from typing import Any

from rich.console import Console

from attendna.core.errors import FolderError
from attendna.training.examples import Examples
from attendna.training.fit import Machine, fit
from attendna.training.run import RunConfig, RunFolder


def choose_variant(
    config: RunConfig,
    examples: Examples,
    folder: RunFolder,
    machine: Machine,
    console: Console | None = None,
) -> RunConfig:
    """Try every variant in a short training of its own; give the settings of the best.

    All scores are kept in ``search.json`` as they come, so that a killed search goes on where it
    was. Of equally good variants the first is taken. Without variants the settings are those given.
    """
    if not config.variants:
        return config
    tried = _read(folder)
    for variant in config.variants:
        if variant.name in tried:
            continue
        record = fit(
            # One network of a kind is enough to compare the kinds.
            config.with_variant(variant).replace(members=1),
            examples,
            folder.probe(variant.name),
            machine,
            run_id=config.run_id(examples.split_hash),
            share=config.probe.share,
            title=f"trying {variant.name}",
            console=console,
        )
        tried[variant.name] = {
            "set": variant.set,
            "score": record.best[f"valid_{config.trainer.monitor}"],
            "step": record.best["step"],
            "steps": record.rows[-1]["step"],
        }
        _write(config, folder, tried, chosen=None)
        # The log stays to be looked at; the weights are of no further use.
        shutil.rmtree(record.folder.last.parent)
    best = max(config.variants, key=lambda variant: _merit(config, tried[variant.name]["score"]))
    _write(config, folder, tried, chosen=best.name)
    if console is not None:
        scores = ", ".join(f"{name} {probe['score']:.4f}" for name, probe in tried.items())
        console.print(
            f"variants by valid_{config.trainer.monitor}: {scores}; taking {best.name}",
            soft_wrap=True,
        )
    return config.with_variant(best)


def _merit(config: RunConfig, score: float) -> float:
    """A score of which more is better; one that is not defined is worse than any."""
    if math.isnan(score):
        return -math.inf
    return -score if config.trainer.lower_is_better else score


def _write(
    config: RunConfig, folder: RunFolder, tried: dict[str, Any], *, chosen: str | None
) -> None:
    summary = {"monitor": config.trainer.monitor, "chosen": chosen, "variants": tried}
    folder.write_json(folder.search, summary)


def _read(folder: RunFolder) -> dict[str, Any]:
    if not folder.search.is_file():
        return {}
    try:
        return dict(json.loads(folder.search.read_text(encoding="utf-8"))["variants"])
    except (ValueError, KeyError, TypeError) as error:
        raise FolderError(f"{folder.search} is damaged", "delete it and resume") from error

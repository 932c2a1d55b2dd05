"""What a model reads and what its prediction follows from, base by base, side by side.

Attention is read from the weights (:mod:`.attention`), importance from mutating every base
(:mod:`.mutagenesis`). Attention has no sign, so importance is taken without its own: how much the
log-odds change when a base does, up or down.

Shapes: ``N`` sequences, ``L`` bases of the longest.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32
from numpy import ndarray

from attendna.evaluation.uncertainty import RESAMPLES, Estimate, mean_of_rows
from attendna.interpret.agreement import rank_correlations
from attendna.interpret.attention_profiles import WAYS, AttentionProfiles
from attendna.interpret.mutagenesis import saturation_mutagenesis
from attendna.interpret.truth import base_auprc, base_auroc
from attendna.prediction.predictor import Predictor, Progress

IMPORTANCE = "importance"

BaseScores = Mapping[str, Float32[ndarray, "N L"]]
"""By name (``attention``, ``rollout``, ``importance``) the values of every base, NaN where there is
none."""


def base_scores(
    predictor: Predictor,
    profiles: AttentionProfiles,
    *,
    mutate: int,
    source: str | Path = "the sequences",
    progress: Progress | None = None,
) -> BaseScores:
    """Attention, rollout, and the importance of the bases of the first ``mutate`` sequences."""
    importance = np.full(profiles.attention.shape, np.nan, dtype=np.float32)
    some = profiles.sequences.take(range(min(mutate, len(profiles.ids))))
    found = saturation_mutagenesis(predictor, some, source=source, progress=progress).importance()
    rows, bases = found.shape
    importance[:rows, :bases] = np.abs(found)
    return {way: profiles.of(way) for way in WAYS} | {IMPORTANCE: importance}


def agreement(
    scores: BaseScores, generator: np.random.Generator, count: int = RESAMPLES
) -> dict[str, Estimate]:
    """The mean rank correlation of each way of reading with importance, over sequences."""
    return {
        way: mean_of_rows(rank_correlations(scores[way], scores[IMPORTANCE]), generator, count)
        for way in WAYS
    }


def scored_rows(scores: BaseScores, truth: Bool[ndarray, "N L"]) -> Bool[ndarray, " N"]:
    """The sequences that hold bases that matter and of which all scores are known."""
    mutated: Any = np.isfinite(scores[IMPORTANCE]).any(axis=1)
    return mutated & truth.any(axis=1)


def share_of_bases(scores: BaseScores, truth: Bool[ndarray, "N L"]) -> float:
    """The share of bases that matter in these, which is the AUPRC by chance; NaN of none."""
    rows = scored_rows(scores, truth)
    bases = int((~np.isnan(scores[WAYS[0]][rows])).sum())
    return float(truth[rows].sum()) / bases if bases else float("nan")


def found(
    scores: BaseScores,
    truth: Bool[ndarray, "N L"],
    generator: np.random.Generator,
    count: int = RESAMPLES,
) -> dict[str, dict[str, Estimate]]:
    """How well each finds the bases that matter: mean ``auroc`` and ``auprc`` over sequences.

    All are measured on the same ones, see :func:`scored_rows`.
    """
    rows = scored_rows(scores, truth)
    return {
        name: {
            "auroc": mean_of_rows(base_auroc(values[rows], truth[rows]), generator, count),
            "auprc": mean_of_rows(base_auprc(values[rows], truth[rows]), generator, count),
        }
        for name, values in scores.items()
    }

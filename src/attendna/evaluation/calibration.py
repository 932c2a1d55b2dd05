"""Whether probabilities are frequencies, and from which probability on to say yes.

Shapes: ``N`` rows, ``R`` resamples, ``C`` candidate thresholds.
"""

import numpy as np
import polars as pl
from jaxtyping import Float64, Int64, Num
from numpy import ndarray
from scipy import stats

from attendna.core.errors import ConfigError
from attendna.evaluation.metrics import (
    ECE_BINS,
    METRICS,
    Called,
    Sample,
    all_metrics,
    calibration_bin,
    confidence_and_hit,
)
from attendna.evaluation.uncertainty import LEVEL, resamples

_RESAMPLES = 100
_THRESHOLDS = 400


def reliability(sample: Sample) -> pl.DataFrame:
    """The reliability curve: how often what got a probability came true.

    Returns
    -------
    pl.DataFrame
        One row a bin of the ECE that holds anything: ``low`` and ``high`` of the bin, ``n`` rows,
        mean ``probability``, ``frequency`` of the event, and its 95 % Wilson interval
        (``frequency_low``, ``frequency_high``).
    """
    confidence, hit = confidence_and_hit(sample)
    bins = calibration_bin(confidence)
    counts = np.bincount(bins, minlength=ECE_BINS)
    hits = np.bincount(bins, hit, minlength=ECE_BINS)
    held = np.flatnonzero(counts)
    intervals = [
        stats.binomtest(int(hits[b]), int(counts[b])).proportion_ci(LEVEL, method="wilson")
        for b in held
    ]
    return pl.DataFrame(
        {
            "low": held / ECE_BINS,
            "high": (held + 1) / ECE_BINS,
            "n": counts[held],
            "probability": np.bincount(bins, confidence, minlength=ECE_BINS)[held] / counts[held],
            "frequency": hits[held] / counts[held],
            "frequency_low": [float(interval.low) for interval in intervals],
            "frequency_high": [float(interval.high) for interval in intervals],
        }
    )


def choose_threshold(
    labels: Num[ndarray, " N"],
    probabilities: Num[ndarray, " N"],
    metric: str = "mcc",
    seed: int = 0,
) -> float:
    """The probability to call positive from, so that ``metric`` is best on rows like these.

    Give it validation rows. The best threshold of a few hundred rows is mostly chance; this is the
    mean of the best thresholds of bootstrap resamples, which in simulations of 200 to 1,000 rows
    gave back half of the MCC that the single best one loses. It is 1/2 where the metric is not
    defined.

    Raises
    ------
    ConfigError
        The metric does not depend on a threshold.
    """
    of_confusion = METRICS[metric].of_confusion
    if of_confusion is None:
        known = ", ".join(m.name for m in all_metrics() if m.of_confusion)
        raise ConfigError(f"{metric} does not depend on a threshold", f"choose it by {known}")
    contrast = Sample.of(labels, probabilities).contrasts[0]
    scores = contrast.score[contrast.order][contrast.last_of_ties]
    # Thresholds lie midway between neighboring scores; the first calls nothing, even a score of 1.
    edges = np.concatenate([[1.0 + 1e-6], scores, [0.0]])
    tried = np.unique(np.linspace(0, scores.size, _THRESHOLDS).astype(np.int64))
    thresholds = ((edges[:-1] + edges[1:]) / 2)[tried]
    # Among equally good thresholds the one nearest to 1/2 wins.
    penalty = 1e-9 * np.abs(thresholds - 0.5)
    best: list[Float64[ndarray, " _"]] = []
    for weights in resamples(contrast.score.size, _RESAMPLES, np.random.default_rng(seed)):
        confusion = _confusion(contrast.called(weights), tried)
        with np.errstate(divide="ignore", invalid="ignore"):
            values = of_confusion(confusion.reshape(-1, 2, 2)).reshape(confusion.shape[:2])
        defined = ~np.isnan(values).all(axis=1)
        best.append(thresholds[np.nanargmax(values[defined] - penalty, axis=1)])
    found = np.concatenate(best)
    return float(found.mean()) if found.size else 0.5


def _confusion(called: Called, tried: Int64[ndarray, " C"]) -> Float64[ndarray, "R C 2 2"]:
    """The confusion matrix when the ``tried`` highest distinct scores are called positive."""
    true, false = (np.pad(side, ((0, 0), (1, 0))) for side in called)
    negatives = np.stack([false[:, -1:] - false, false], axis=-1)
    positives = np.stack([true[:, -1:] - true, true], axis=-1)
    return np.stack([negatives[:, tried], positives[:, tried]], axis=-2)

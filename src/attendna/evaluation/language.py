"""What a language model is worth: how well it tells hidden bases, beside those who only count.

Shapes: ``m`` windows, ``l`` bases of a window, ``h`` hidden bases.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64, UInt8
from numpy import ndarray

from attendna.evaluation.evaluate import Measurement
from attendna.evaluation.markov import MarkovModel
from attendna.evaluation.uncertainty import LEVEL

TASK = "hidden bases"
SPLIT = "held_out"
ACCURACY, PERPLEXITY, GAIN = "masked_accuracy", "perplexity", "masked_accuracy_gain"

_TAILS = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)


@dataclass(frozen=True, eq=False)
class Hidden:
    """Windows of which some bases are hidden."""

    codes: UInt8[ndarray, "m l"]
    where: Bool[ndarray, "m l"]

    @property
    def truth(self) -> Int64[ndarray, " h"]:
        """The hidden bases."""
        return self.codes[self.where].astype(np.int64)


@dataclass(frozen=True, eq=False)
class Tally:
    """How a model fared in each window."""

    correct: Float64[ndarray, " m"]
    loss: Float64[ndarray, " m"]
    """Sum of the negative log probabilities of the hidden bases, in nats."""
    asked: Float64[ndarray, " m"]
    """Hidden bases."""

    @classmethod
    def of(cls, hidden: Hidden, probabilities: Float[ndarray, "h 4"]) -> "Tally":
        """Count what was told of the hidden bases, in the order of windows and places."""
        window = np.nonzero(hidden.where)[0]
        truth = hidden.truth
        right = probabilities.argmax(1) == truth
        told = probabilities[np.arange(truth.size), truth].astype(np.float64)
        loss = -np.log(np.maximum(told, 1e-12))
        size = len(hidden.codes)
        sums = (
            np.bincount(window, weights=values, minlength=size)
            for values in (right.astype(np.float64), loss, np.ones(truth.size))
        )
        return cls(*sums)

    def accuracy(self, weights: Float64[ndarray, "r m"]) -> Float64[ndarray, " r"]:
        """Share of hidden bases that are told right, of windows that count so often."""
        return (weights @ self.correct) / (weights @ self.asked)

    def perplexity(self, weights: Float64[ndarray, "r m"]) -> Float64[ndarray, " r"]:
        """Per base; 4 is guessing."""
        return np.exp((weights @ self.loss) / (weights @ self.asked))


def baselines(model: MarkovModel, hidden: Hidden) -> dict[str, Tally]:
    """Markov models of all orders on the same hidden bases.

    ``markov_5`` sees up to five visible bases to the left of a hidden one, ``markov_5_told`` also
    those that are hidden, ``both_sides_5`` visible ones on either side.
    """
    known = hidden.codes, hidden.where
    ways: Iterable[tuple[str, Iterable[ndarray]]] = (
        ("markov_{}", model.from_left(*known)),
        ("markov_{}_told", model.from_left(*known, told=True)),
        ("both_sides_{}", model.from_both_sides(*known)),
    )
    return {
        name.format(order): Tally.of(hidden, told)
        for name, orders in ways
        for order, told in enumerate(orders)
        # Without context there is nothing to be told.
        if order or name == "markov_{}"
    }


def measure_language(
    run: str,
    model: Tally,
    others: Mapping[str, Tally],
    *,
    resamples: int = 2000,
    seed: int = 0,
) -> tuple[Measurement, ...]:
    """Tidy rows of the model and of the baselines, with 95 % bootstrap intervals over windows.

    The gain of each baseline's row is what the model tells right more often than it, under the same
    resamples.
    """
    windows = model.asked.size
    random = np.random.default_rng(seed)
    draws = random.multinomial(windows, np.full(windows, 1 / windows), size=resamples)
    # The first row is the windows as they are.
    weights = np.concatenate([np.ones((1, windows)), draws])
    weights = weights[weights @ model.asked > 0]
    rows: list[Measurement] = []
    own = model.accuracy(weights)
    for name, tally in ({run: model} | dict(others)).items():
        accuracy = tally.accuracy(weights)
        found = {ACCURACY: accuracy, PERPLEXITY: tally.perplexity(weights)}
        if name != run:
            found[GAIN] = own - accuracy
        n = int(model.asked.sum())
        rows += [_row(name, metric, values, n) for metric, values in found.items()]
    return tuple(rows)


def _row(run: str, metric: str, values: Float64[ndarray, " r"], n: int) -> Measurement:
    low, high = np.quantile(values[1:], _TAILS) if values.size > 1 else (math.nan, math.nan)
    return Measurement(
        run=run,
        task=TASK,
        split=SPLIT,
        metric=metric,
        value=float(values[0]),
        low=float(low),
        high=float(high),
        n=n,
        prevalence=math.nan,
        threshold=math.nan,
        higher_is_better=metric != PERPLEXITY,
    )

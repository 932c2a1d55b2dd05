import numpy as np
import pytest

from attendna.evaluation.language import (
    ACCURACY,
    GAIN,
    PERPLEXITY,
    Hidden,
    Tally,
    baselines,
    measure_language,
)
from attendna.evaluation.markov import MarkovModel

RANDOM = np.random.default_rng(0)


@pytest.fixture(scope="module")
def hidden() -> Hidden:
    codes = np.tile(np.array([0, 1, 2, 3, 3], np.uint8), 400).reshape(20, 100)
    return Hidden(codes, RANDOM.random(codes.shape) < 0.2)


def test_a_tally_is_of_windows(hidden: Hidden) -> None:
    probabilities = np.full((hidden.truth.size, 4), 0.1, np.float32)
    probabilities[np.arange(hidden.truth.size), hidden.truth] = 0.7
    probabilities[0] = [0.25, 0.25, 0.25, 0.25]
    tally = Tally.of(hidden, probabilities)
    assert tally.asked.tolist() == hidden.where.sum(1).tolist()
    assert tally.correct.sum() >= hidden.truth.size - 1
    once = np.ones((1, 20))
    loss = -(np.log(0.7) * (hidden.truth.size - 1) + np.log(0.25)) / hidden.truth.size
    assert tally.perplexity(once)[0] == pytest.approx(np.exp(loss), rel=1e-6)


def test_guessing_has_a_perplexity_of_four(hidden: Hidden) -> None:
    flat = np.full((hidden.truth.size, 4), 0.25, np.float32)
    assert Tally.of(hidden, flat).perplexity(np.ones((1, 20)))[0] == pytest.approx(4)


def test_rows_are_tidy_and_gains_are_paired(hidden: Hidden) -> None:
    sure = np.full((hidden.truth.size, 4), 0.01, np.float32)
    sure[np.arange(hidden.truth.size), hidden.truth] = 0.97
    counted = MarkovModel.of([np.tile(np.array([0, 1, 2, 3, 3], np.uint8), 5_000)])
    others = baselines(counted, hidden)
    assert len(others) == 12 + 11 + 5
    rows = measure_language("run", Tally.of(hidden, sure), others, resamples=200)
    assert [row.metric for row in rows[:3]] == [ACCURACY, PERPLEXITY, ACCURACY]
    found = {(row.run, row.metric): row for row in rows}
    assert found["run", ACCURACY].value == 1
    assert all(row.low <= row.value <= row.high for row in rows)
    gain = found["markov_0", GAIN]
    assert gain.value == pytest.approx(1 - found["markov_0", ACCURACY].value)
    assert gain.low > 0
    # What repeats is told from its context; both strands were counted, so not from one base.
    assert found["markov_3_told", ACCURACY].value > 0.95
    assert found["both_sides_2", ACCURACY].value > found["markov_0", ACCURACY].value
    assert {row.n for row in rows} == {hidden.truth.size}

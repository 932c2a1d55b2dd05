import numpy as np
import pytest

from attendna.evaluation.metrics import Sample
from attendna.report.examples import (
    MOST_BASES,
    blocks,
    certainty,
    examples,
    least_certain,
    most_certain,
    worst_mistakes,
)


@pytest.fixture
def sample() -> Sample:
    return Sample.of(np.array([1, 0, 1, 0, 1, 0]), np.array([0.9, 0.75, 0.3, 0.05, 0.55, 0.0]), 0.5)


def test_certainty_runs_from_the_threshold_to_the_ends() -> None:
    skewed = Sample.of(np.zeros(5, int), np.array([0.0, 0.1, 0.2, 0.6, 1.0]), 0.2)
    assert certainty(skewed) == pytest.approx([1, 0.5, 0, 0.5, 1])


@pytest.mark.parametrize("threshold", [0.0, 1.0])
def test_certainty_is_finite_at_the_ends_of_the_scale(threshold: float) -> None:
    assert np.isfinite(
        certainty(Sample.of(np.array([0, 1]), np.array([0.0, 1.0]), threshold))
    ).all()


def test_certainty_of_several_classes_is_the_lead() -> None:
    sample = Sample.of(np.array([0, 1]), np.array([[0.6, 0.3, 0.1], [0.2, 0.4, 0.4]]))
    assert certainty(sample) == pytest.approx([0.3, 0])


def test_most_certain_are_right_and_of_every_class(sample: Sample) -> None:
    assert most_certain(sample, each=1).tolist() == [0, 5]
    assert most_certain(sample).tolist() == [0, 4, 5, 3]


def test_least_certain_are_nearest_to_the_threshold(sample: Sample) -> None:
    assert least_certain(sample, 2).tolist() == [4, 2]


def test_worst_mistakes_are_wrong_and_certain(sample: Sample) -> None:
    assert worst_mistakes(sample).tolist() == [1, 2]


def test_no_mistakes_give_none() -> None:
    assert worst_mistakes(Sample.of(np.array([0, 1]), np.array([0.1, 0.9]))).size == 0


def test_examples_say_truth_call_and_probability(sample: Sample) -> None:
    (wrong,) = examples(tuple("abcdef"), sample, np.array([1]))
    assert (wrong.id, wrong.truth, wrong.predicted, wrong.right) == ("b", 0, 1, False)
    assert wrong.probability == 0.75


def test_examples_of_several_classes_have_the_probability_of_the_call() -> None:
    sample = Sample.of(np.array([2]), np.array([[0.1, 0.6, 0.3]]))
    (example,) = examples(("a",), sample, np.array([0]))
    assert (example.predicted, example.probability) == (1, 0.6)


def test_blocks_are_ten_bases_in_runs() -> None:
    assert blocks("AACGGGTTTTAC") == [["AA", "C", "GGG", "TTTT"], ["A", "C"]]
    assert blocks("") == []


def test_a_long_sequence_is_cut() -> None:
    shown = "".join(run for block in blocks("ACGT" * MOST_BASES) for run in block)
    assert shown == ("ACGT" * MOST_BASES)[:MOST_BASES]

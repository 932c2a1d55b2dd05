import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attendna.training.run import OptimizerConfig, TrainerConfig
from attendna.training.schedule import LONGEST_ROUND, Schedule


@given(
    rows=st.integers(1, 500_000),
    batch=st.integers(1, 512),
    epochs=st.floats(0.01, 30),
    accumulate=st.integers(1, 5),
    validations=st.none() | st.integers(1, 50),
    share=st.floats(0.01, 1),
)
def test_rounds_are_never_empty_and_end_with_the_training(
    rows: int, batch: int, epochs: float, accumulate: int, validations: int | None, share: float
) -> None:
    trainer = TrainerConfig(epochs=epochs, batch_size=batch, validations=validations)
    plan = Schedule.plan(trainer, OptimizerConfig(accumulate=accumulate), rows, share)
    assert plan.ends[-1] == plan.steps >= 1
    assert all(a < b for a, b in zip((0, *plan.ends), plan.ends, strict=False))
    if validations:
        assert len(plan.ends) == min(validations, plan.steps)


def test_without_a_number_there_is_one_validation_an_epoch() -> None:
    plan = Schedule.plan(TrainerConfig(epochs=3, batch_size=10), OptimizerConfig(), 95)
    assert (plan.steps, plan.ends) == (30, (10, 20, 30))


def test_a_long_epoch_is_cut_into_rounds() -> None:
    trainer = TrainerConfig(epochs=2, batch_size=1)
    plan = Schedule.plan(trainer, OptimizerConfig(), 5 * LONGEST_ROUND)
    assert len(plan.ends) == 10
    assert max(b - a for a, b in zip((0, *plan.ends), plan.ends, strict=False)) == LONGEST_ROUND


@pytest.mark.parametrize(
    ("bounds", "steps"), [({}, 10), ({"min_steps": 35}, 35), ({"max_steps": 4}, 4)]
)
def test_steps_stay_within_their_bounds(bounds: dict[str, int], steps: int) -> None:
    trainer = TrainerConfig(epochs=1, batch_size=10, **bounds)
    assert Schedule.plan(trainer, OptimizerConfig(), 100).steps == steps


def test_accumulated_batches_make_one_step() -> None:
    trainer = TrainerConfig(epochs=2, batch_size=10)
    plan = Schedule.plan(trainer, OptimizerConfig(accumulate=4), 100)
    assert (plan.steps, plan.steps_an_epoch) == (5, 2.5)


def test_the_rate_rises_in_a_line_and_falls_in_half_a_cosine() -> None:
    trainer = TrainerConfig(epochs=1, batch_size=1)
    plan = Schedule.plan(trainer, OptimizerConfig(warmup=0.1, floor=0.2), 101)
    factors = [plan.factor(step) for step in range(plan.steps)]
    assert factors[:10] == pytest.approx([(i + 1) / 10 for i in range(10)])
    assert factors[10] == 1
    assert factors[-1] == pytest.approx(0.2)
    assert factors[55] == pytest.approx(0.2 + 0.8 * (1 + math.cos(math.pi / 2)) / 2)
    assert factors[10:] == sorted(factors[10:], reverse=True)


def test_a_single_step_has_a_rate() -> None:
    trainer = TrainerConfig(max_steps=1)
    assert Schedule.plan(trainer, OptimizerConfig(), 10).factor(0) == 1

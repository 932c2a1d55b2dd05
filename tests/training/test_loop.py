"""The loop: which batches are taken, and what it leaves as it was."""

import logging
from types import SimpleNamespace

import pytest
import torch

from attendna.training.loop import Machine, Numbered, Remaining, own_settings

CPU = torch.device("cpu")


class Numbers:
    def __getitem__(self, number: int) -> int:
        return number


@pytest.mark.parametrize(
    ("done", "world", "rank", "accumulate", "expected"),
    [
        (0, 1, 0, 1, [0, 1, 2, 3]),
        (3, 1, 0, 1, [3]),
        (4, 1, 0, 1, []),
        (2, 1, 0, 2, [4, 5, 6, 7]),
        (2, 2, 1, 1, [5, 7]),
    ],
)
def test_what_is_left_of_a_training_is_taken(
    done: int, world: int, rank: int, accumulate: int, expected: list[int]
) -> None:
    trainer = SimpleNamespace(global_step=done, world_size=world, global_rank=rank)
    assert isinstance(Numbers(), Numbered)
    left = Remaining.__new__(Remaining)
    left.batches, left.trainer, left.steps, left.accumulate = Numbers(), trainer, 4, accumulate
    assert list(left) == expected


def seen() -> tuple[object, ...]:
    exact = torch.are_deterministic_algorithms_enabled()
    return torch.get_num_threads(), exact, logging.getLogger("lightning.pytorch").level


def disturb(threads: int) -> None:
    with own_settings(Machine(CPU, "fp32", threads)):
        assert torch.get_num_threads() == threads
        assert torch.are_deterministic_algorithms_enabled()
        torch.manual_seed(3)
        raise ZeroDivisionError


def test_settings_are_put_back_even_after_a_fault() -> None:
    before, state = seen(), torch.get_rng_state()
    with pytest.raises(ZeroDivisionError):
        disturb(torch.get_num_threads() + 1)
    assert seen() == before
    assert torch.equal(torch.get_rng_state(), state)

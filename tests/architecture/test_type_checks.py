"""The suite's own guard: annotations of attendna are enforced while it is tested."""

import numpy as np
import pytest
from jaxtyping import TypeCheckError

from attendna.core.config import Config
from attendna.genome.alphabet import complement
from attendna.genome.sequences import SequenceBatch


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: complement(np.zeros(3)),
        lambda: complement([0, 1]),
        lambda: SequenceBatch(np.zeros((2, 3), np.uint8), np.array([0, 6])),
    ],
    ids=["dtype", "type", "dimensions"],
)
def test_wrong_arrays_are_refused(wrong) -> None:
    with pytest.raises(TypeCheckError):
        wrong()


def test_self_is_no_obstacle() -> None:
    assert Config().replace() == Config()

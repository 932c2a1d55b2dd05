import numpy as np

from attendna.genome.composition import count_unknown, gc_content
from attendna.genome.sequences import SequenceBatch


def test_shares_are_of_the_known_bases_of_each_sequence() -> None:
    batch = SequenceBatch.from_text(["GGCA", "NNAT", "NN", "C"])
    np.testing.assert_array_equal(gc_content(batch), [0.75, 0.0, np.nan, 1.0])
    assert count_unknown(batch).tolist() == [0, 2, 2, 0]


def test_no_sequences_have_no_shares() -> None:
    assert gc_content(SequenceBatch.from_text([])).size == 0

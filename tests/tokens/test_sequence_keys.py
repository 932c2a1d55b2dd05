"""Keys of sequences: equal for equal ones only, however they are padded."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from attendna.genome.sequences import SequenceBatch
from attendna.tokens.sequence_keys import keys_of


def pairs(sequences: list[str], extra: int = 0, garbage: int = 4) -> list[tuple[int, int]]:
    codes, lengths = SequenceBatch.from_text(sequences).padded()
    codes = np.pad(codes, ((0, 0), (0, extra)))
    codes[np.arange(codes.shape[1]) >= lengths[:, None]] = garbage
    keys = keys_of(codes, lengths)
    return list(zip(keys.first.tolist(), keys.second.tolist(), strict=True))


@given(st.lists(st.text("ACGTN", max_size=40), min_size=1), st.integers(0, 30), st.integers(0, 255))
def test_padding_and_company_change_nothing(sequences: list[str], extra: int, garbage: int) -> None:
    found = pairs(sequences, extra, garbage)
    assert found == [pairs([sequence])[0] for sequence in sequences]
    assert len(set(found)) == len(set(sequences))


def test_neighbors_differ_in_about_half_of_all_bits() -> None:
    sequence = "ACGT" * 25
    changed = [
        sequence[:i] + base + sequence[i + 1 :]
        for i in range(100)
        for base in "ACGTN"
        if base != sequence[i]
    ]
    longer = [sequence + more for more in ("A", "N", "AA", "NN", "ACGTACGT")]
    swapped = [sequence[8 * k :] + sequence[: 8 * k] for k in (1, 2)]
    keys = np.array(pairs([sequence, *changed, *longer]), dtype=np.uint64)
    for column in keys.T:
        bits = np.bitwise_count(column[1:] ^ column[0])
        assert bits.min() > 10
        assert abs(bits.mean() - 32) < 1
        assert len(np.unique(column)) == len(column)
    # ACGTACGT is one word wherever it stands, and the sequence is the same when turned by it.
    assert swapped == [sequence] * 2
    assert len(set(pairs(["A" * 8 + "C" * 8, "C" * 8 + "A" * 8]))) == 2


def test_keys_never_change() -> None:
    # What lies in the caches of users is found by them.
    assert pairs(["", "ACGTN", "ACGT" * 20]) == KNOWN


KNOWN = [
    (0, 0),
    (0x6F3169C780141FF4, 0x4F6D083CD2AE749F),
    (0x5A48B025D40F52B8, 0xC721EED212361301),
]

import numpy as np
import polars as pl

from attendna.genome.sequences import SequenceBatch
from attendna.tasks.audit.rows import Rows
from attendna.tasks.audit.shared import canonical_words, known_in, shared_with

OPPOSITE = str.maketrans("ACGT", "TGCA")
RANDOM = np.random.default_rng(0)


def drawn(length: int) -> str:
    return "".join(RANDOM.choice(list("ACGT"), length))


def rows(texts: list[str], labels: list[int], split: str) -> Rows:
    frame = pl.DataFrame({"split": [split] * len(texts), "label": labels})
    return Rows("some", ("no", "yes"), frame, SequenceBatch.from_text(texts))


def test_words_are_the_smaller_of_both_strands_and_stay_in_their_row() -> None:
    texts = [drawn(30), "ACG", "N" + drawn(26), drawn(24)]
    words, row = canonical_words(SequenceBatch.from_text(texts))
    assert row.tolist() == [0] * 7 + [2] * 3 + [3]

    def number(text: str) -> int:
        return int("".join(str("ACGT".index(base)) for base in text), 4)

    for word, text in zip(words[:7], (texts[0][i : i + 24] for i in range(7)), strict=True):
        assert word == min(number(text), number(text.translate(OPPOSITE)[::-1]))


def test_twins_near_twins_and_strangers_are_told_apart() -> None:
    known = [drawn(100) for _ in range(4)]
    near = known[2][:70] + drawn(30)
    asked = [known[0], known[1].translate(OPPOSITE)[::-1], near, drawn(100)]
    train, test = rows(known, [0, 1, 1, 0], "train"), rows(asked, [0, 0, 1, 1], "test")
    assert known_in(train, test).tolist() == [True, True, False, False]
    found = {group.label: group for group in shared_with(train, test)}
    assert [found[name].same.count for name in ("no", "yes", "all")] == [2, 0, 2]
    assert [found[name].near.count for name in ("no", "yes", "all")] == [0, 1, 1]
    assert found["all"].overlapping is None

import numpy as np
import polars as pl
import pytest

from attendna.genome.sequences import SequenceBatch
from attendna.tasks.audit import number_rules
from attendna.tasks.audit.number_rules import rules_of, score_rules
from attendna.tasks.audit.rows import MEASURED, Rows


def random_sequences(count: int, length: int, random: np.random.Generator) -> list[str]:
    return ["".join(random.choice(list("ACGT"), length)) for _ in range(count)]


def rows_of(
    sequences: list[str], labels: list[list[float | None]], alternatives: list[str] | None = None
) -> Rows:
    frame = pl.DataFrame({"label": labels}, schema={"label": pl.List(pl.Float32)})
    if alternatives is not None:
        frame = frame.with_columns(alternative=pl.Series(alternatives))
    tracks = tuple(f"t{i}" for i in range(len(labels[0])))
    return Rows(
        "r", (MEASURED,), frame, SequenceBatch.from_text(sequences), tracks,
        paired=alternatives is not None,
    )  # fmt: skip


def test_look_up_says_the_mean_of_the_same_rows_on_either_strand() -> None:
    train = rows_of(["AACC", "GGTT", "ACAC"], [[1, 5], [3, None], [8, 2]])
    asked = rows_of(["AACC", "TTTT"], [[0, 0], [0, 0]])
    said = rules_of(train, asked)["look-up"][1](train, asked)
    assert said.tolist() == [[2, 5], [4, 3.5]]


def test_pairs_are_the_same_only_if_both_sequences_are() -> None:
    train = rows_of(["AACC", "AACC"], [[1], [5]], ["AACG", "AACT"])
    # The second is the first pair on the other strand.
    asked = rows_of(["AACC", "GGTT", "AACG"], [[0], [0], [0]], ["AACT", "CGTT", "AACC"])
    said = rules_of(train, asked)["look-up"][1](train, asked)
    assert said[:, 0].tolist() == [5, 1, 3]


def test_rules_find_what_is_planted_and_nothing_else() -> None:
    random = np.random.default_rng(0)
    texts = random_sequences(400, 60, random)
    gc = [[(t.count("G") + t.count("C")) / 60, None] for t in texts]
    train, test = rows_of(texts[:300], gc[:300]), rows_of(texts[300:], gc[300:])
    scores = {score.rule: score.spearman for score in score_rules(train, test)}
    # No row has a twin, so that looking up says one number; all have one length.
    assert set(scores) == {"GC", "k-mers"}
    assert scores["GC"].value > 0.95
    assert scores["k-mers"].low > 0.5
    noise = [[float(x)] for x in random.normal(size=400)]
    train, test = rows_of(texts[:300], noise[:300]), rows_of(texts[300:], noise[300:])
    for score in score_rules(train, test):
        assert score.spearman.low < 0.1


def test_ridge_sees_which_word_an_allele_makes() -> None:
    random = np.random.default_rng(1)
    texts = random_sequences(300, 40, random)
    made = [bool(i % 2) for i in range(300)]
    others = [
        t[:20] + ("TGACT" if m else "CCGTA") + t[25:] for t, m in zip(texts, made, strict=True)
    ]
    labels: list[list[float | None]] = [[float(m)] for m in made]
    train = rows_of(texts[:200], labels[:200], others[:200])
    test = rows_of(texts[200:], labels[200:], others[200:])
    scores = {score.rule: score.spearman.value for score in score_rules(train, test)}
    assert scores["k-mers"] > 0.7


@pytest.mark.parametrize("rows", [3, 50])
def test_many_rows_are_sampled(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(number_rules, "MOST_ROWS", 20)
    texts = random_sequences(rows, 30, np.random.default_rng(2))
    part = rows_of(texts, [[float(i)] for i in range(rows)])
    for score in score_rules(part, part):
        assert score.spearman.n == min(rows, 20)

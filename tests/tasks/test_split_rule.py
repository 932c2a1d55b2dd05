"""Rules of splitting, and that no rule lets a twin cross."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attendna.core.config import parse
from attendna.core.errors import ConfigError
from attendna.genome.sequences import SequenceBatch
from attendna.tasks.audit.rows import Rows
from attendna.tasks.split_rule import LEFT_OUT, SplitRule, deal


def rule(**settings: object) -> SplitRule:
    return parse(SplitRule, settings, "test")


def drawn(count: int, seed: int = 0) -> Rows:
    """Rows on four chromosomes, some of which overlap, some of which are twins."""
    random = np.random.default_rng(seed)
    texts = ["".join(letters) for letters in random.choice(list("ACGT"), (count, 60))]
    for row in range(0, count - 7, 7):
        texts[row + 6] = texts[row].translate(str.maketrans("ACGT", "TGCA"))[::-1]
    start = random.integers(0, 60 * count, count)
    frame = pl.DataFrame(
        {
            "split": ["train"] * count,
            "label": (np.arange(count) % 2).astype(np.int8),
            "chrom": [f"chr{number}" for number in random.integers(1, 5, count)],
            "start": start,
            "end": start + 60,
        }
    )
    return Rows("drawn", ("no", "yes"), frame, SequenceBatch.from_text(texts))


RULES = {
    "sequence": {"split_by": "sequence"},
    "locus": {"split_by": "locus", "flank": 40},
    "homology": {"split_by": "homology"},
    "chromosome": {"split_by": "chromosome", "valid_fraction": 0.25, "test_fraction": 0.25},
    "listed": {"split_by": "chromosome", "valid_chromosomes": ["3"], "test_chromosomes": ["chr4"]},
    "folds": {"split_by": "locus", "folds": 5, "fold": 4},
}


@pytest.mark.parametrize("name", RULES)
@given(seed=st.integers(0, 50))
def test_twins_never_cross(name: str, seed: int) -> None:
    rows = drawn(200, seed)
    dealt = deal(rows, rule(**RULES[name], seed=seed))
    kept = dealt.splits != LEFT_OUT
    table = pl.DataFrame({"twin": rows.identity[kept], "split": dealt.splits[kept].tolist()})
    assert table.group_by("twin").agg(pl.col("split").n_unique())["split"].max() == 1
    assert set(table["split"]) == {"train", "valid", "test"}
    assert dealt.left_out == int((~kept).sum())
    if "chromosome" not in str(RULES[name]):
        assert dealt.left_out == 0


def test_neighbors_within_the_flank_stay_together() -> None:
    rows = drawn(300)
    dealt = deal(rows, rule(split_by="locus", flank=40))
    frame = rows.frame.with_columns(split=pl.Series(dealt.splits.tolist())).sort("chrom", "start")
    near = frame.with_columns(
        gap=pl.col("start") - pl.col("end").cum_max().shift().over("chrom"),
        other=pl.col("split").shift().over("chrom"),
    ).filter(pl.col("gap") < 40)
    assert near.height > 20
    assert (near["split"] == near["other"]).all()


def test_listed_chromosomes_go_where_they_are_sent_and_their_twins_go() -> None:
    rows = drawn(300)
    dealt = deal(rows, rule(**RULES["listed"]))
    frame = rows.frame.with_columns(split=pl.Series(dealt.splits.tolist()))
    assert set(frame.filter(pl.col("chrom") == "chr4")["split"]) == {"test"}
    assert set(frame.filter(pl.col("chrom") == "chr3")["split"]) <= {"valid", LEFT_OUT}
    assert dealt.left_out > 0


@pytest.mark.parametrize("chromosomes", ["chr3,chr4", "3, CHR04", ["chr3", "4"], ["chr3,4"]])
def test_lists_of_chromosomes_are_read_alike(chromosomes: object) -> None:
    asked = rule(split_by="chromosome", test_chromosomes=chromosomes)
    dealt = deal(drawn(200), asked)
    assert dealt.chromosomes == {"train": ("chr1", "chr2"), "test": ("chr3", "chr4")}
    assert dealt.describe(asked).endswith("; train: chr1, chr2; test: chr3, chr4")


def test_names_of_one_chromosome_are_one() -> None:
    """The same rows, half of them under another naming style, are dealt alike."""
    rows = drawn(200)
    other = pl.when(pl.int_range(pl.len()) % 2 == 0).then("chrom")
    mixed = rows.frame.with_columns(chrom=other.otherwise(pl.col("chrom").str.strip_prefix("chr")))
    renamed = Rows(rows.name, rows.classes, mixed, rows.sequences)
    for name in ("locus", "homology", "chromosome", "listed"):
        asked = rule(**RULES[name])
        assert (deal(renamed, asked).splits == deal(rows, asked).splits).all()
    bare = [Rows(rows.name, rows.classes, frame, None) for frame in (rows.frame, mixed)]
    assert (bare[0].identity == bare[1].identity).all()


def test_folds_test_every_row_once() -> None:
    rows = drawn(200)
    tested = sum(
        (deal(rows, rule(split_by="sequence", folds=4, fold=fold)).splits == "test").astype(int)
        for fold in range(4)
    )
    assert (tested == 1).all()


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"test_chromosomes": ["chr1"]}, "add --split-by chromosome"),
        (
            {"split_by": "chromosome", "valid_chromosomes": ["1"], "test_chromosomes": ["chr1"]},
            "chromosome 1 is in valid and test",
        ),
        ({"split_by": "chromosome", "test_chromosomes": ["chr7"]}, "no row lies on chr7"),
        ({"folds": 3, "fold": 3}, "there is no fold 3 of 3"),
        ({"valid_fraction": 0.5, "test_fraction": 0.5}, "leave nothing to train on"),
        ({"flank": 100_000}, "no row is left for"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(settings: dict[str, object], complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        deal(drawn(60), rule(**settings))


def test_rows_without_places_have_no_loci() -> None:
    rows = drawn(20)
    bare = Rows(rows.name, rows.classes, rows.frame.drop("chrom", "start", "end"), rows.sequences)
    with pytest.raises(ConfigError, match="without coordinates cannot be split by locus"):
        deal(bare, rule(split_by="locus"))
    assert (
        deal(bare, rule(split_by="sequence", valid_fraction=0.3, test_fraction=0.3)).splits != ""
    ).all()


def test_the_rule_is_told_in_words() -> None:
    assert rule(**RULES["folds"]).told == (
        "by locus (rows that overlap, and twins, together), fold 4 of 5, seed 0"
    )
    assert rule(**RULES["listed"]).told.endswith("valid 3; test chr4; train the rest, seed 0")
    assert "or lie within 40 bases" in rule(**RULES["locus"]).told

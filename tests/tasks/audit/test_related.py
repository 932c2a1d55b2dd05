"""What belongs together: by place, by twin, by words."""

from pathlib import Path

import numpy as np
import polars as pl
from tests.tasks.audit_folders import apart, write_intervals

from attendna.genome.sequences import SequenceBatch
from attendna.tasks.audit.related import FREQUENT, group_related
from attendna.tasks.audit.rows import Rows, read_rows

RANDOM = np.random.default_rng(0)


def drawn(length: int) -> str:
    return "".join(RANDOM.choice(list("ACGT"), length))


def of_texts(texts: list[str]) -> Rows:
    frame = pl.DataFrame({"split": ["train"] * len(texts), "label": [0] * len(texts)})
    return Rows("rows", ("one",), frame, SequenceBatch.from_text(texts))


def test_a_flank_joins_neighbors(tmp_path: Path) -> None:
    rows = read_rows(write_intervals(tmp_path / "set", {"train/a": apart(3), "train/b": apart(3)}))
    assert len(set(group_related(rows).tolist())) == 3
    assert len(set(group_related(rows, flank=901).tolist())) == 1


def test_near_twins_are_homologous_on_either_strand() -> None:
    base = drawn(200)
    turned = base.translate(str.maketrans("ACGT", "TGCA"))[::-1]
    texts = [
        base,
        base[:140] + drawn(60),
        turned[:150] + drawn(50),
        drawn(200),
        base[:60] + drawn(140),
    ]
    rows = of_texts(texts)
    groups = group_related(rows).tolist()
    assert groups[0] == groups[1] == groups[2]
    assert len({groups[0], groups[3], groups[4]}) == 3
    assert len(set(group_related(rows, homology=False).tolist())) == 5


def test_a_repeat_in_many_rows_joins_nothing() -> None:
    repeat = drawn(60)
    rows = of_texts([drawn(30) + repeat + drawn(10) for _ in range(FREQUENT + 1)])
    assert len(set(group_related(rows).tolist())) == FREQUENT + 1

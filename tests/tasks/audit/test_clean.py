import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.tasks.audit_folders import apart, write_intervals

from attendna.core.errors import FolderError
from attendna.tasks.audit.audit import audit
from attendna.tasks.audit.clean import clean
from attendna.tasks.audit.sieve import Sieve
from attendna.tasks.spec import TaskSpec
from attendna.tasks.store import open_task, write_task

RANDOM = np.random.default_rng(0)
OPPOSITE = str.maketrans("ACGT", "TGCA")


def drawn(length: int = 100) -> str:
    return "".join(RANDOM.choice(list("ACGT"), length))


def test_related_rows_end_in_one_split_and_every_change_is_recorded(tmp_path: Path) -> None:
    moved = [(chrom, start + 50, end + 50) for chrom, start, end in apart(20)]
    tables = {
        "train/a": apart(50) + apart(5),
        "train/b": apart(40, 100) + apart(3, 20),
        "test/a": moved,
        "test/b": apart(20, 200),
    }
    source = write_intervals(tmp_path / "set", tables)
    record = clean(source, tmp_path / "clean").record
    assert (record.duplicates, record.contradictory) == (5, 6)
    assert sum(record.before.values()) - sum(record.after.values()) == 11
    found = audit(tmp_path / "clean")
    assert found.level == "clean"
    told = json.loads((tmp_path / "clean" / "cleaned.json").read_text())
    assert sum(row["to"] is None for row in told["rows"]) == 11
    assert sum(row["to"] is not None for row in told["rows"]) == record.moved
    # The shares of the splits stay.
    share = record.after["test"] / sum(record.after.values())
    assert share == pytest.approx(40 / 138, abs=0.03)


def test_a_task_keeps_its_columns_and_loses_its_twins(tmp_path: Path) -> None:
    texts = [drawn() for _ in range(60)]
    # A twin on the other strand, a near twin, a contradiction.
    test = [texts[0].translate(OPPOSITE)[::-1], texts[1][:80] + drawn(20), texts[2]]
    test += [drawn() for _ in range(17)]

    def rows(some: list[str], name: str, labels: list[int]) -> pl.DataFrame:
        ids = [f"{name}{i}" for i in range(len(some))]
        return pl.DataFrame({"id": ids, "sequence": some, "label": labels, "note": ids})

    spec = TaskSpec(name="twins", label_kind="binary", classes=("no", "yes"))
    frames = {
        "train": rows(texts, "a", [0, 1] * 30),
        "test": rows(test, "b", [0, 1, 1] + [0, 1] * 8 + [0]),
    }
    write_task(tmp_path / "task", spec, frames)
    record = clean(tmp_path / "task", tmp_path / "clean").record
    assert (record.duplicates, record.contradictory) == (1, 2)
    task = open_task(tmp_path / "clean")
    assert task.spec.version == "1-clean"
    split_of = {n: s for s in task.splits for n in task.read(s).frame["note"]}
    assert len(split_of) == 77
    assert split_of["a1"] == split_of["b1"]
    assert not {"b0", "a2", "b2"} & set(split_of)


def test_nothing_is_replaced_unasked(tmp_path: Path) -> None:
    source = write_intervals(tmp_path / "set", {"train/a": apart(9), "test/a": apart(9, 20)})
    (tmp_path / "there").mkdir()
    with pytest.raises(FolderError, match="exists"):
        clean(source, tmp_path / "there")


@pytest.mark.parametrize(
    "name",
    ["human_enhancers_ensembl", "human_nontata_promoters", "drosophila_enhancers_stark"],
)
def test_public_sets_share_nothing_after_cleaning(shared: Path, tmp_path: Path, name: str) -> None:
    clean(shared / "genomic_benchmarks/intervals" / name, tmp_path / "clean")
    found = audit(tmp_path / "clean")
    for split in found.splits:
        for group in split.shared:
            assert group.same.count == 0
            assert group.overlapping is not None
            assert group.overlapping.count == 0
    assert found.level == "clean"


def test_kept_splits_do_without_what_later_ones_hold(tmp_path: Path) -> None:
    texts = [drawn() for _ in range(30)]
    opposite = texts[20].translate(OPPOSITE)[::-1]

    def rows(some: list[str], name: str) -> pl.DataFrame:
        ids = [f"{name}{i}" for i in range(len(some))]
        return pl.DataFrame({"id": ids, "sequence": some, "label": [0, 1] * (len(some) // 2)})

    frames = {
        "train": rows([*texts[:10], opposite, texts[10]], "a"),
        "valid": rows([*texts[10:16], texts[21], texts[21]], "b"),
        "test": rows(texts[20:30], "c"),
    }
    spec = TaskSpec(name="kept", label_kind="binary", classes=("no", "yes"), notes=("before",))
    write_task(tmp_path / "task", spec, frames)
    record = clean(tmp_path / "task", tmp_path / "clean", keep_splits=True).record
    assert record.left_out == {"in valid": {"train": 1}, "in test": {"train": 1, "valid": 2}}
    assert (record.moved, record.groups, record.kept_splits) == (0, 0, True)
    task = open_task(tmp_path / "clean")
    assert task.spec.rows == {"train": 10, "valid": 6, "test": 10}
    assert task.spec.notes[0] == "before"
    assert "cleaned: left out 1 of train, 2 of valid (in test)" in task.spec.notes
    told = json.loads((tmp_path / "clean" / "cleaned.json").read_text())["rows"]
    assert {"id": "a10", "from": "train", "to": None, "why": "in test"} in told


@pytest.mark.parametrize("name", ["human_enhancers_ensembl"])
def test_the_published_cleaning_of_a_public_set(shared: Path, tmp_path: Path, name: str) -> None:
    source = shared / "genomic_benchmarks/intervals" / name
    sieve = Sieve(balance=True, seed=42)
    record = clean(source, tmp_path / "clean", keep_splits=True, sieve=sieve).record
    assert record.left_out["in test"] == {"train": 11_694}
    assert record.before["test"] == record.after["test"]
    found = audit(tmp_path / "clean")
    assert all(group.same.count == 0 for split in found.splits for group in split.shared)

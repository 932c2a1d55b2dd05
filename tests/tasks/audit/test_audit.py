"""What the audit says of data whose leaks are known: small made-up sets, and the public ones."""

import json
from pathlib import Path

import pytest
from tests.tasks.audit_folders import apart, write_intervals

from attendna.core.errors import FolderError
from attendna.tasks.audit.audit import Audit, SplitAudit, audit, read_audit
from attendna.tasks.catalogue import find_entry
from attendna.tasks.get import get_task
from attendna.tasks.store import Task


def of(found: Audit, split: str = "test") -> SplitAudit:
    return next(one for one in found.splits if one.split == split)


def rule(found: Audit, name: str) -> float:
    return next(r.accuracy.value for r in of(found).rules if r.rule == name)


def test_a_clean_set_is_called_clean(tmp_path: Path) -> None:
    names = ("train/a", "train/b", "test/a", "test/b")
    tables = {name: apart(50, 100 * place) for place, name in enumerate(names)}
    found = audit(write_intervals(tmp_path / "set", tables))
    assert found.level == "clean"
    assert all(not split.findings for split in found.splits)


def test_leaks_are_said_in_words(tmp_path: Path) -> None:
    tables = {
        "train/a": apart(50),
        "train/b": apart(49, 100) + apart(1),
        "test/a": apart(20, 20),
        "test/b": apart(20, 200),
    }
    found = audit(write_intervals(tmp_path / "set", tables))
    assert of(found).level == found.level == "leaks"
    assert "20 of 20 a rows (100.0%) are also training rows" in of(found).findings
    train = of(found, "train")
    assert (train.level, train.contradictory) == ("take care", 2)
    assert train.findings == ("2 rows have a twin of another class",)


def test_an_audit_lies_beside_its_task(planted: Task, tmp_path: Path) -> None:
    found = audit(planted.folder)
    path = found.write(tmp_path / "audit.json")
    assert json.loads(path.read_text())["format"] == 1
    assert read_audit(tmp_path) == found
    path.write_text("{}")
    assert read_audit(tmp_path) is None
    assert read_audit(tmp_path / "nowhere") is None
    # The motif is composition too: counting 5-mers does not find it in sixty rows.
    assert [r.rule for r in of(found).rules] == [
        "majority", "look-up", "length", "GC", "k-mers", "neighbor",
    ]  # fmt: skip


def test_without_training_rows_there_is_nothing_to_compare(tmp_path: Path) -> None:
    folder = write_intervals(tmp_path / "set", {"test/a": apart(3), "test/b": apart(3, 9)})
    with pytest.raises(FolderError, match="has no train split"):
        audit(folder)


def test_ensembl_enhancers_can_be_looked_up(shared: Path) -> None:
    found = audit(shared / "genomic_benchmarks/intervals/human_enhancers_ensembl")
    positives = next(c for c in of(found, "train").classes if c.label == "positive")
    assert (positives.n, positives.distinct) == (61_936, 38_595)
    same = next(s.same for s in of(found).shared if s.label == "positive")
    assert (same.count, same.n) == (11_694, 15_485)
    assert rule(found, "look-up") == pytest.approx(0.8776, abs=5e-5)
    assert rule(found, "length") == pytest.approx(0.5, abs=0.01)
    assert of(found).level == "leaks"


@pytest.mark.parametrize(
    ("name", "label", "overlapping", "right"),
    [
        ("human_nontata_promoters", "negative", 0.996, 0.997),
        ("drosophila_enhancers_stark", "positive", 0.406, 0.690),
    ],
)
def test_sets_whose_splits_overlap(
    shared: Path, name: str, label: str, overlapping: float, right: float
) -> None:
    found = audit(shared / "genomic_benchmarks/intervals" / name)
    part = next(s.overlapping for s in of(found).shared if s.label == label)
    assert part is not None
    assert part.value == pytest.approx(overlapping, abs=5e-4)
    assert rule(found, "overlap") == pytest.approx(right, abs=6e-4)
    assert of(found).level == "leaks"


@pytest.mark.parametrize("name", ["human_enhancers_cohn", "human_ocr_ensembl"])
def test_sets_without_leaks(shared: Path, name: str) -> None:
    found = audit(shared / "genomic_benchmarks/intervals" / name)
    for group in of(found).shared:
        assert group.same.count == 0
        assert group.overlapping is not None
        assert group.overlapping.value < 0.0165
    assert of(found).level == "take care"
    assert rule(found, "overlap") < 0.51


def test_promoters_of_gue_hold_six_training_rows(shared: Path, tmp_path: Path) -> None:
    get_task(find_entry("gue/prom_300_tata"), tmp_path / "task", mirror=shared)
    found = audit(tmp_path / "task")
    same = next(s.same for s in of(found).shared if s.label == "all")
    assert (same.count, same.n) == (6, 613)

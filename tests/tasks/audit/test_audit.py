"""What the audit says of data whose leaks are known: small made-up sets, and the public ones."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.tasks.audit_folders import apart, write_intervals

from attendna.core.errors import FolderError
from attendna.tasks.audit.audit import Audit, SplitAudit, audit, read_audit
from attendna.tasks.catalogue import find_entry
from attendna.tasks.get import get_task
from attendna.tasks.spec import TaskSpec
from attendna.tasks.store import Task, write_task


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
    assert json.loads(path.read_text())["format"] == 2
    assert read_audit(tmp_path) == found
    path.write_text("{}")
    assert read_audit(tmp_path) is None
    assert read_audit(tmp_path / "nowhere") is None
    # The motif is composition too: counting 5-mers does not find it in sixty rows.
    assert [r.rule for r in of(found).rules] == [
        "majority", "look-up", "length", "GC", "neighbor", "k-mers",
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


def matched(folder: Path, motif: str, rows: tuple[int, int] = (800, 200)) -> Audit:
    """Half of the sequences hold a word, the others the same letters in another order."""
    random = np.random.default_rng(0)
    frames = {}
    for split, count in zip(("train", "test"), rows, strict=True):
        sequences = []
        for row in range(count):
            bases = random.choice(list("ACGT"), 80)
            word = list(motif)
            if row % 2 == 0:
                random.shuffle(word)
            bases[40 : 40 + len(word)] = word
            sequences.append("".join(bases))
        ids = [f"{split}-{row}" for row in range(count)]
        labels = [row % 2 for row in range(count)]
        frames[split] = pl.DataFrame({"id": ids, "sequence": sequences, "label": labels})
    spec = TaskSpec(name="matched", label_kind="binary", classes=("without", "with"))
    return audit(write_task(folder, spec, frames).folder)


def test_where_composition_is_matched_words_are_the_biology(tmp_path: Path) -> None:
    found = matched(tmp_path / "set", "TGACGTCA")
    test = of(found)
    (kmers,) = test.of_kind("baseline")
    assert (kmers.rule, kmers.says) == ("k-mers", "logistic regression on 5-mers")
    assert kmers.found.low > 0.8
    assert [one.rule for one in test.of_kind("reference")] == ["majority"]
    assert {one.rule for one in test.of_kind("leak rule")} == {"look-up", "GC", "neighbor"}
    assert not any("regression" in finding for finding in test.findings)
    assert (test.level, test.findings) == ("clean", ())


def test_a_neighbor_that_knows_more_than_words_is_a_leak_rule(tmp_path: Path) -> None:
    """Labels do not follow from the letters, but test rows are training rows except for a base."""
    random = np.random.default_rng(0)
    rows = random.choice(list("ACGT"), (200, 80))
    labels = random.permutation(np.arange(200) % 2)
    frames = {}
    for split, base in (("train", "A"), ("test", "C")):
        rows[:, 40] = base
        ids = [f"{split}-{row}" for row in range(200)]
        columns = {"id": ids, "sequence": ["".join(row) for row in rows], "label": labels}
        frames[split] = pl.DataFrame(columns)
    spec = TaskSpec(name="copies", label_kind="binary", classes=("no", "yes"))
    found = of(audit(write_task(tmp_path / "set", spec, frames).folder))
    assert found.level == "leaks"
    assert any("nearest training row" in finding for finding in found.findings)


def test_a_leak_rule_has_a_say_in_the_verdict(tmp_path: Path) -> None:
    """Classes that differ in composition alone."""
    random = np.random.default_rng(0)
    frames = {}
    for split, count in (("train", 300), ("test", 100)):
        labels = np.arange(count) % 2
        rows = ["".join(random.choice(list("ACGT"), 60, p=GC[label])) for label in labels]
        ids = [f"{split}-{row}" for row in range(count)]
        frames[split] = pl.DataFrame({"id": ids, "sequence": rows, "label": labels})
    spec = TaskSpec(name="biased", label_kind="binary", classes=("poor", "rich"))
    found = of(audit(write_task(tmp_path / "set", spec, frames).folder))
    assert found.level == "take care"
    assert any(finding.startswith("a tree on the share of G and C") for finding in found.findings)


GC = ((0.4, 0.1, 0.1, 0.4), (0.1, 0.4, 0.4, 0.1))

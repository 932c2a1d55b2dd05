from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.studied import Done

from attendna.studies.run import RESULTS_FILE, SUMMARY_FILE, TABLE_FILE, run_study
from attendna.studies.study import Study, read_study
from attendna.tasks.store import Task


def test_the_tables_are_written(studied: Done) -> None:
    assert pl.read_parquet(studied.out / RESULTS_FILE).equals(studied.result.results)
    assert pl.read_parquet(studied.out / SUMMARY_FILE).equals(
        studied.result.summaries[0].to_frame()
    )
    assert (studied.out / TABLE_FILE).read_text().startswith("# Widths")


def test_a_part_that_is_done_later_does_not_hide_the_rest(
    study_tree: dict[str, Any], planted: Task, tmp_path: Path
) -> None:
    study_tree["tasks"]["Again"] = {"folder": "$data"}
    study = Study.model_validate(study_tree | {"seeds": [0]})
    for task in ("Planted", "Again"):
        only = {"task": task, "width": "narrow"}
        result = run_study(study, tmp_path / "out", planted.folder, only=only)
    assert [summary.task for summary in result.summaries] == ["Planted", "Again"]
    table = (tmp_path / "out" / TABLE_FILE).read_text()
    assert "## Planted" in table
    assert "## Again" in table


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "axis", "labels"),
    [
        ("t1_positions_desk", "positions", ("absolute", "rotary")),
        ("t2_tokenizers_desk", "tokens", ("5-mer", "bpe")),
    ],
)
def test_studies_of_the_library_run_on_real_promoters(
    name: str, axis: str, labels: tuple[str, str], shared: Path, tmp_path: Path
) -> None:
    pytest.importorskip("tokenizers")
    tree = read_study(name).to_tree()
    tree["base"]["trainer"] |= {"epochs": 0.1, "max_steps": 3, "device": "cpu"}
    tree["base"]["model"] |= {"width": 8, "blocks": 1, "heads": 2, "hidden": None}
    tree["axes"][axis] = [level for level in tree["axes"][axis] if level["label"] in labels]
    tree["tasks"] = {"PromVary": tree["tasks"]["PromVary"] | {"split": {"split_by": "sequence"}}}
    tree["tasks"]["PromVary"]["crop"]["length"] = 60
    for recipe in tree["made"].values():
        recipe["settings"] |= {"vocabulary": 64, "bases": 50_000}
    rows = {row: found for row, found in tree["paper"]["PromVary"].items() if row in labels}
    tree |= {"seeds": [0], "reference": labels[0], "paper": {"PromVary": rows}}
    study = type(read_study(name)).model_validate(tree)
    result = run_study(study, tmp_path / "out", shared)
    (summary,) = result.summaries
    found = {line.row: line for line in summary.lines if line.metric == "auroc"}
    assert set(found) == {*labels, "5-mer regression"}
    # The negatives are shuffled pieces of promoters: words of five hardly tell them.
    assert 0.45 < found["5-mer regression"].value < 0.65
    assert all(found[label].runs == 1 for label in labels)

import json
import re
from pathlib import Path

import pytest

from attendna.core.errors import FolderError
from attendna.report.finetuning import FinetuningPage, write_finetuning

START = {"run": "dnabert6", "weights": "0" * 64, "frozen": False, "lora": None}


def metric(name: str, before: float | None, after: float) -> dict[str, object]:
    ends = {f"{side}_{end}": after for side in ("before", "after") for end in ("low", "high")}
    change = None if before is None else after - before
    row = {"metric": name, "higher_is_better": True, "before": before, "after": after, **ends}
    return row | {"difference": change, "low": change, "high": change, "p_value": 0.1}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """What a fine-tuning leaves, written out."""
    import yaml

    found = {
        "task": "enhancers",
        "split": "test",
        "n": 2000,
        "classes": ["no", "yes"],
        "thresholds": {"before": 0.5, "after": 0.4321},
        "confusion": {"before": [[285, 715], [251, 749]], "after": [[833, 167], [207, 793]]},
        "metrics": [
            metric("log_loss", 0.7, 0.4),
            metric("mcc", 0.038, 0.627),
            metric("precision", None, 0.826),
            metric("accuracy", 0.517, 0.813),
        ],
    }
    settings = {"start": START, "trainer": {"monitor": "auroc"}}
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(settings))
    (tmp_path / "finetuning.json").write_text(json.dumps(found))
    variants = {"5e-5": {"score": 0.7}, "2e-5": {"score": 0.8}}
    search = {"monitor": "auroc", "chosen": ["2e-5"], "variants": variants}
    (tmp_path / "search.json").write_text(json.dumps(search))
    return tmp_path


def test_the_page_holds_both_sides(run: Path) -> None:
    text = write_finetuning(run, run / "page.html").read_text()
    assert "51.7\u202f%" in text
    assert "81.3\u202f%" in text
    for count in ("285", "749", "833", "793"):
        assert f"<b>{count}</b>" in text
    assert "threshold 0.432" in text
    assert "https://" not in re.sub(r"<script type=.*?</script>", "", text, flags=re.DOTALL)


def test_the_table_is_that_of_the_publication_and_then_the_rest(run: Path) -> None:
    page = FinetuningPage.read(run)
    sections = {section.id: section for section in page.sheet().sections}
    rows = sections["measures"].tables[0].rows
    assert [row[0] for row in rows] == ["accuracy", "precision", "MCC", "log loss"]
    assert rows[0][1::2] == ["0.517", "0.813", "0.296"]
    assert rows[1][1] == "–"
    rates = sections["training"].tables[0].rows
    assert rates == [["2e-5", "taken", "0.800"], ["5e-5", "", "0.700"]]
    facts = dict(sections["model"].facts)
    assert facts["Started from"] == "dnabert6"
    assert facts["Learned"] == "all of the model"


def test_what_is_no_fine_tuning_is_refused(run: Path) -> None:
    (run / "finetuning.json").write_text("{")
    with pytest.raises(FolderError, match="damaged"):
        FinetuningPage.read(run)
    (run / "finetuning.json").unlink()
    with pytest.raises(FolderError, match="was not measured before and after"):
        FinetuningPage.read(run)

from pathlib import Path

import polars as pl

from attendna.evaluation.uncertainty import Estimate
from attendna.report.motifs import MotifsPage, spell

ROWS = [
    # motif, score, auroc, difference, q
    ("<CTCF>", "attention", 0.8, 0.3, 0.0001), ("SP1", "attention", 0.7, 0.0, 0.9),
    ("AP1", "attention", 0.4, -0.2, 0.01), ("rare", "attention", None, None, None),
    ("AP1", "importance", 0.9, 0.4, 0.001), ("<CTCF>", "importance", 0.6, 0.1, 0.2),
    ("SP1", "importance", 0.5, 0.0, 0.9), ("rare", "importance", None, None, None),
]  # fmt: skip
TABLE = pl.DataFrame(
    [
        {
            "motif": motif, "score": score, "matches": 0 if motif == "rare" else 40,
            "ratio": 1.5, "auroc": auroc, "shuffled_auroc": 0.5, "difference": difference,
            "q_value": q,
        }
        for motif, score, auroc, difference, q in ROWS
    ]
)  # fmt: skip
AGREEMENT = {"attention": Estimate(0.1, -0.05, 0.25), "rollout": Estimate(0.2, 0.1, 0.3)}
TRUTH = {
    name: {"auroc": Estimate(value, value - 0.1, value + 0.1), "auprc": Estimate(0.3, 0.2, 0.4)}
    for name, value in (("attention", 0.6), ("rollout", 0.5), ("importance", 0.9))
}


def page(truth: dict[str, dict[str, Estimate]] | None = TRUTH, logos: str = "<svg/>") -> MotifsPage:
    facts = [("Motifs", "4")]
    return MotifsPage("run", 30, TABLE, 0.05, AGREEMENT, truth, 0.07, logos, facts)


def test_the_warning_has_the_numbers_there_are() -> None:
    assert page().warning.startswith("Attention is not attribution")
    assert "attention 0.600 (0.500 to 0.700), rollout 0.500" in page().warning
    assert "importance 0.900 (0.800 to 1.000); and an AUPRC of: attention 0.300" in page().warning
    assert page().warning.endswith("by chance 0.070.")
    without = page(None).warning
    assert "not known" in without
    assert "attention 0.100 (−0.050 to 0.250)" in without


def test_only_what_is_above_its_shuffled_columns_stands_out() -> None:
    assert page().standing_out("attention")["motif"].to_list() == ["<CTCF>"]
    assert page().standing_out("importance")["motif"].to_list() == ["AP1"]


def test_motifs_stand_in_the_order_of_attention_with_importance_beside_it() -> None:
    rows = page().listed().rows
    assert [row[0] for row in rows] == ["<CTCF>", "SP1", "AP1", "rare"]
    least = "<\u00a0.001"
    assert rows[0][2:] == ["1.5", "0.800", "0.500", least, "1.5", "0.600", "0.500", "0.200"]
    assert rows[3][5] == "–"
    drawn = {trace.name: list(trace.text) for trace in page().scatter().data}
    assert drawn == {
        "neither (1)": ["SP1"], "attention only (1)": ["&lt;CTCF&gt;"],
        "importance only (1)": ["AP1"], "both (0)": [],
    }  # fmt: skip


def test_the_page_shows_warning_table_and_logos(tmp_path: Path) -> None:
    page().sheet().write(tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<CTCF>" not in text
    assert "Attention is not attribution" in text
    assert "data:image/svg+xml;base64" in text
    assert "by chance 0.070" in text
    sections = [section.id for section in page(None, "").sheet().sections]
    assert sections == ["warning", "motifs", "method"]


def test_an_interval_that_there_is_not_is_left_out() -> None:
    assert spell(Estimate(0.5, float("nan"), float("nan"))) == "0.500"

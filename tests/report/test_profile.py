"""The page about what a model costs."""

from pathlib import Path

import polars as pl
import pytest

from attendna.report.profile import ProfilePage, lines, spell_bases, spell_bytes

LENGTHS = (65_536, 131_072, 196_608, 393_216)
FACTS = {
    "model": "small", "settings": {}, "tracks": {"human": 5_313}, "bin": 128, "device": "cpu",
    "device_name": "a processor", "threads": 2, "precision": "fp32", "batch": 1, "steps": 3,
    "memory": 24 * 10**9, "torch": "2",
}  # fmt: skip


def rows(layers: tuple[int, ...] = (2, 4)) -> pl.DataFrame:
    """Dense grows with the square and begins cheaper."""
    found = [
        {
            "mode": mode, "attention": kind, "layers": depth, "length": length,
            "tokens": length // 128, "status": "measured", "parameters": 10, "weights_bytes": 40,
            "peak_bytes": int(1e8 + depth * (200 * length, length**2 / 1e3)[kind == "dense"]),
            "seconds": depth * length / 1e5, "fastest_seconds": depth * length / 1e5, "reason": "",
        }
        for mode in ("forward", "train")
        for kind in ("dense", "sparse")
        for depth in layers
        for length in LENGTHS
    ]  # fmt: skip
    return pl.DataFrame(found)


def test_the_crossing_of_the_curves_is_told() -> None:
    page = ProfilePage(FACTS, rows())
    found = {(mode, what): says for mode, what, says in page.crossings()}
    # 200 L = L^2 / 1000 at 200,000 bases.
    assert found["training", "memory"].startswith("sparse is cheaper from about 198,")
    assert found["training", "time"] == "sparse is never dearer, from 65,536 bp up"
    assert ("inference", "memory per layer") not in found
    assert ("training", "memory per layer") in found


def test_the_tree_holds_points_curves_and_plan() -> None:
    tree = ProfilePage(FACTS, rows()).to_tree()
    assert len(tree["points"]) == 32
    assert len(tree["curves"]) == 8
    assert len(tree["plan"]) == 8 * 4
    dense = next(c for c in tree["curves"] if c["attention"] == "dense" and c["layers"] == 4)
    assert dense["quadratic"] == pytest.approx(4e-3, rel=1e-3)


def test_what_could_not_be_measured_is_a_warning(tmp_path: Path) -> None:
    longest = pl.col("length") == LENGTHS[-1]
    failed = rows((2,)).with_columns(
        status=pl.when(longest).then(pl.lit("out of memory")).otherwise("status"),
        reason=pl.when(longest).then(pl.lit("killed by the system")).otherwise("reason"),
        **{
            name: pl.when(longest).then(None).otherwise(name)
            for name in ("peak_bytes", "seconds", "weights_bytes", "fastest_seconds")
        },
    )
    sheet = ProfilePage(FACTS, failed).sheet()
    assert "12 of 16 points were measured" in sheet.lead
    warnings = sheet.sections[0].warnings
    assert warnings[0] == ("dense, 2 layers, 393,216 bp: out of memory (killed by the system).")
    sheet.write(tmp_path / "page.html")
    assert "393,216 bp: out of memory" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_two_lengths_make_no_plan() -> None:
    sheet = ProfilePage(FACTS, rows((2,)).filter(pl.col("length") < 150_000)).sheet()
    plan = next(section for section in sheet.sections if section.id == "plan")
    assert "so there is no plan" in plan.texts[0]
    assert not plan.tables


def test_a_line_for_each_kind_and_depth() -> None:
    names = [trace.name for trace in lines(rows(), "seconds", "s", 1.0).data]
    assert sorted(set(names)) == sorted(
        f"{kind}, {depth} layers" for kind in ("dense", "sparse") for depth in (2, 4)
    )


@pytest.mark.parametrize(
    ("count", "said"),
    [(None, "–"), (12, "12 B"), (1_234, "1.23 kB"), (56_700_000, "56.7 MB"), (2e12, "2,000 GB")],
)
def test_bytes_are_spelled(count: float | None, said: str) -> None:
    assert spell_bytes(count) == said


def test_lengths_are_spelled() -> None:
    assert [spell_bases(x) for x in (None, 0, 1_572_864)] == ["no end", "none", "1,572,864"]

from pathlib import Path

import numpy as np

from attendna.report.attention import (
    MOST_PLACES,
    MOST_TOKENS,
    WARNING,
    AttentionPage,
    MapPart,
    heatmap,
)


def test_the_page_warns_and_draws_every_head(tmp_path: Path) -> None:
    layers = (np.full((2, 3, 3), 1 / 3), np.full((2, 3, 3), 1 / 3))
    part = MapPart("<row>", layers, np.array([-1.0, 0.5, 2.5]))
    means = {"attention": np.ones(4), "rollout": np.ones(4)}
    scores = {"mutating bases": {"attention": 0.25, "rollout": -0.5}}
    page = AttentionPage("run", 7, means, scores, [part])
    profile, maps = page.sheet().sections
    assert profile.warnings == [WARNING]
    assert profile.tables[0].rows[0] == ("mutating bases", "0.250", "−0.500")
    assert [chart.title for chart in maps.charts] == [
        "Layer 1, head 1", "Layer 1, head 2", "Layer 2, head 1", "Layer 2, head 2"
    ]  # fmt: skip
    page.sheet().write(tmp_path / "attention.html")
    text = (tmp_path / "attention.html").read_text(encoding="utf-8")
    assert "<row>" not in text
    assert "not attribution" in text


def test_a_map_of_many_tokens_is_averaged() -> None:
    count = 2 * MOST_TOKENS
    weights = np.zeros((count, count))
    weights[:2, :2] = [[0.1, 0.2], [0.3, 0.4]]
    (drawn,) = heatmap(weights, np.arange(count, dtype=np.float64)).data
    assert drawn.z.shape == (MOST_TOKENS, MOST_TOKENS)
    assert abs(drawn.z[0, 0] - 0.25) < 1e-12
    # Two tokens are drawn as one, between them.
    assert list(drawn.x[:2]) == list(drawn.y[:2]) == [0.5, 2.5]
    assert "reads" in drawn.hovertemplate
    with_learned = np.append(-1.0, np.arange(2, dtype=np.float64))
    (drawn,) = heatmap(np.full((3, 3), 1 / 3), with_learned).data
    assert drawn.text[0][1] == "learned token reads base 0"


def test_a_long_profile_is_averaged() -> None:
    mean = np.arange(3.0 * MOST_PLACES)
    page = AttentionPage("run", 1, {"attention": mean}, {}, [])
    (drawn,) = page.profile().data
    assert len(drawn.y) == MOST_PLACES
    assert list(drawn.y[:2]) == [1, 4]
    assert list(drawn.x[:2]) == [0, 3]
    (section,) = page.sheet().sections
    assert section.warnings[0] in WARNING
    assert "the table says" not in section.warnings[0]


def test_one_reader_is_a_row_of_columns() -> None:
    (drawn,) = heatmap(np.array([[0.2, 0.8]]), np.array([1.0, -1.0])).data
    assert list(drawn.y) == [0.2, 0.8]
    assert list(drawn.text) == ["base 1", "learned token"]


def test_captions_are_of_what_is_drawn() -> None:
    full, alone = np.full((1, 3, 3), 1 / 3), np.full((1, 1, 3), 1 / 3)
    parts = [MapPart("row", layers, np.arange(3.0)) for layers in ((full,), (alone,))]
    page = AttentionPage("run", 1, {"attention": np.ones(3)}, {}, parts)
    of_maps, of_bars = (section.texts for section in page.sheet().sections[1:])
    assert [text.partition(",")[0] for text in of_maps] == ["Rows read"]
    assert [text.partition(":")[0] for text in of_bars] == ["One token reads all others"]

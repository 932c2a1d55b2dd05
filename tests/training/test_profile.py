"""What models of tracks cost, measured for real on a tiny one."""

from pathlib import Path

import pytest
import torch

from attendna.core.errors import ConfigError, UserError
from attendna.models.enformer import EnformerConfig
from attendna.models.layers.track_attention import TrackAttentionConfig
from attendna.models.track_source import TrackSource
from attendna.training.profile import (
    MODES,
    SCHEMA,
    Cost,
    Point,
    Settings,
    Sweep,
    choose,
    measure,
    measure_alone,
    profile,
    with_attention,
)

TINY = EnformerConfig(
    width=24, depth=1, stages=3, multiple=4, bins=None,
    attention=TrackAttentionConfig(heads=2, key_width=4),
)  # fmt: skip
SOURCE = TrackSource("tiny", TINY, {"human": 3})


def test_a_sweep_is_every_combination_the_shorter_first() -> None:
    points = Sweep([512, 256, 512], [2, 0]).points(SOURCE, Settings())
    assert len(points) == 2 * 2 * 2 * 2
    assert [(p.layers, p.length) for p in points[:4]] == [(0, 256), (0, 512), (2, 256), (2, 512)]
    assert {p.mode for p in points} == set(MODES)
    for point in points:
        assert point.model.depth == point.layers
        assert (point.model.attention.sparse is None) == (point.attention == "dense")


def test_lengths_and_settings_that_the_model_has_not_are_told() -> None:
    with pytest.raises(UserError, match="300 bases are no whole number of bins"):
        Sweep([300]).points(SOURCE, Settings())
    with pytest.raises(ConfigError, match="depth"):
        with_attention(TINY, "dense", -1)
    with pytest.raises(ConfigError, match="no attention 'odd'; choose from dense, sparse"):
        choose(["dense", "odd"], ("dense", "sparse"), "attention")


def test_sparse_settings_of_the_model_are_kept() -> None:
    sparse = with_attention(TINY, "sparse", 1)
    changed = sparse.replace(
        attention=sparse.attention.replace(sparse=sparse.attention.sparse.replace(block=16))
    )
    assert with_attention(changed, "sparse", 3).attention.sparse.block == 16
    assert with_attention(changed, "dense", 3).attention.sparse is None


def test_points_are_measured_in_processes_of_their_own() -> None:
    told: list[tuple[Point, Cost]] = []
    found = profile(
        SOURCE, Sweep([2_048], attention=["dense"]), device="cpu", steps=2,
        progress=lambda point, cost: told.append((point, cost)),
    )  # fmt: skip
    assert found.rows.columns == list(SCHEMA)
    assert found.rows["status"].to_list() == ["measured"] * 2
    assert found.rows["tokens"].to_list() == [256, 256]
    forward, train = found.rows.iter_rows(named=True)
    count = TINY.build({"human": 3}).parameter_count()
    for row in (forward, train):
        assert row["parameters"] == count
        assert row["weights_bytes"] >= 4 * count
        assert 0 < row["fastest_seconds"] <= row["seconds"]
        assert row["peak_bytes"] > row["weights_bytes"]
    assert train["seconds"] > forward["seconds"]
    assert [cost.status for _, cost in told] == ["measured"] * 2
    assert found.facts["bin"] == 8


def test_a_point_without_memory_is_told_and_the_longer_ones_are_not_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def starved(point: Point) -> Cost:
        return Cost("out of memory", reason="too long") if point.length > 512 else Cost("measured")

    monkeypatch.setattr("attendna.training.profile.measure_alone", starved)
    found = profile(SOURCE, Sweep([512, 1_024, 2_048], modes=["forward"]), device="cpu")
    expected = ["measured", "out of memory", "not tried"]
    assert found.rows["status"].to_list() == expected * 2
    assert found.rows["reason"].to_list()[2] == "1,024 bases were too many"


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="limits memory on Linux only")
def test_a_process_that_may_use_little_says_so() -> None:
    wide = with_attention(TINY, "dense", 1).replace(width=768)
    point = Point("train", "dense", 1, 1 << 16, wide, {"human": 3}, Settings(memory=100 << 20))
    cost = measure_alone(point)
    assert (cost.status, cost.peak_bytes) == ("out of memory", None)


def test_what_is_no_want_of_memory_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> Cost:
        raise RuntimeError("something else")

    monkeypatch.setattr("attendna.training.profile._measure", broken)
    point = Point("forward", "dense", 1, 512, TINY, {"human": 3})
    with pytest.raises(RuntimeError, match="something else"):
        measure(point)
    monkeypatch.setattr(
        "attendna.training.profile._measure",
        lambda *_: (_ for _ in ()).throw(torch.OutOfMemoryError("none left")),
    )
    assert measure(point).reason == "the device has no more memory"

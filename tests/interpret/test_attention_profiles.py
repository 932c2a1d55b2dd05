from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from attendna.genome.sequences import SequenceBatch
from attendna.interpret.attention_profiles import AttentionProfiles, attention_profiles
from attendna.prediction.predictor import Predictor
from attendna.tasks.store import Task
from attendna.training.run import RunConfig
from attendna.training.train import train

TRAINER = {"epochs": 2, "batch_size": 32, "threads": 1, "device": "cpu"}
SETTINGS: dict[str, dict[str, Any]] = {
    "light": {"tokenizer": {"name": "kmer", "k": 3}, "model": "enhancer_attention"},
    "encoder": {
        "tokenizer": "onehot",
        "model": {"name": "encoder", "width": 12, "blocks": 2, "heads": 3, "pooling": "mean"},
        "members": 2,
        "strands": "conjoined",
    },
}


@pytest.fixture(scope="module", params=SETTINGS)
def predictor(
    request: pytest.FixtureRequest, planted: Task, tmp_path_factory: pytest.TempPathFactory
) -> Predictor:
    config = RunConfig.model_validate(SETTINGS[request.param] | {"trainer": TRAINER})
    out = tmp_path_factory.mktemp("attentive") / "run"
    return Predictor.load(train(config, planted.folder, out, progress=False), "cpu")


def test_every_base_has_its_share(predictor: Predictor, planted: Task, tmp_path: Path) -> None:
    test = planted.read("test")
    some = test.sequences.take(range(9))
    found = attention_profiles(predictor, some, test.ids[:9], maps=2)
    inside = np.arange(found.attention.shape[1]) < some.lengths[:, None]
    for way in ("attention", "rollout"):
        shares = found.of(way)
        assert np.isnan(shares[~inside]).all()
        sums = np.nansum(shares, axis=1)
        assert (sums <= 1 + 1e-5).all()
        assert (sums > 0.5).all()
    found.write(tmp_path)
    table = pl.read_parquet(tmp_path / "profiles.parquet")
    assert table.height == some.lengths.sum()
    first = table.filter(id=test.ids[0])
    assert "".join(first["base"]) == test.frame["sequence"][0]
    assert first["attention"].to_numpy() == pytest.approx(found.attention[0, : some.lengths[0]])
    with np.load(tmp_path / "maps.npz") as maps:
        for row in range(2):
            for number, one in enumerate(found.maps[row]):
                assert (maps[f"{row}/{number}/spans"] == one.spans).all()
                layer = maps[f"{row}/{number}/layer0"]
                assert layer == pytest.approx(one.layers[0], abs=1e-6)
        assert not any(name.startswith("2/") for name in maps)
    agreement = found.agreement(predictor, 3)
    assert all(-1 <= value <= 1 for value in agreement.values())


def profiles(attention: list[list[float]], lengths: list[int]) -> AttentionProfiles:
    shares = np.array(attention, dtype=np.float32)
    batch = SequenceBatch.from_text(["A" * length for length in lengths])
    ids = tuple(str(row) for row in range(len(lengths)))
    return AttentionProfiles(ids, batch, shares, shares, [])


def test_the_mean_is_of_those_that_reach_so_far() -> None:
    some = profiles([[0.5, 0.25, 0.25, 0.0], [1.0, 0.0, np.nan, np.nan]], [4, 2])
    assert some.mean("attention") == pytest.approx([2.0, 0.5, 1.0, 0.0])


def test_what_matters_is_found_or_not() -> None:
    some = profiles([[0.7, 0.1, 0.2]], [3])
    assert some.found(np.array([[True, False, False]]))["attention"] == 1.0
    assert some.found(np.array([[False, True, False]]))["rollout"] == 0.0
    assert np.isnan(some.found(np.zeros((1, 3), dtype=bool))["attention"])

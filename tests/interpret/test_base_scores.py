from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score

from attendna.interpret.attention_profiles import attention_profiles
from attendna.interpret.base_scores import agreement, base_scores, found, share_of_bases
from attendna.interpret.mutagenesis import saturation_mutagenesis
from attendna.prediction.predictor import Predictor
from attendna.tasks.store import Task


def test_attention_and_importance_stand_side_by_side(light: Path, planted: Task) -> None:
    predictor, test = Predictor.load(light, "cpu"), planted.read("test")
    some = test.sequences.take(range(20))
    profiles = attention_profiles(predictor, some, test.ids[:20])
    scores = base_scores(predictor, profiles, mutate=12)
    assert set(scores) == {"attention", "rollout", "importance"}
    assert scores["attention"] is profiles.attention
    few = some.take(range(12))
    changes = np.abs(saturation_mutagenesis(predictor, few).importance())
    assert scores["importance"][:12, : changes.shape[1]] == pytest.approx(changes, nan_ok=True)
    assert np.isnan(scores["importance"][12:]).all()
    generator = np.random.default_rng(0)
    for value in agreement(scores, generator, 100).values():
        assert -1 <= value.low <= value.value <= value.high <= 1

    truth = np.zeros(profiles.attention.shape, dtype=bool)
    positive = test.frame[:20].with_row_index("row").filter(pl.col("label") == 1)
    for row, text in positive.select("row", "sequence").iter_rows():
        truth[row, text.index("TGACTCAT") : text.index("TGACTCAT") + 8] = True
    each = found(scores, truth, generator, 100)
    areas = [
        roc_auc_score(truth[row, :n], scores["attention"][row, :n])
        for row, n in enumerate(some.lengths[:12].tolist())
        if truth[row].any()
    ]
    # Rows that were not mutated do not count for attention either.
    assert each["attention"]["auroc"].value == pytest.approx(np.mean(areas))
    # The model has learned one word of four bases, half of the motif.
    assert each["importance"]["auroc"].value == pytest.approx(0.75, abs=0.1)
    lengths = [n for row, n in enumerate(some.lengths[:12].tolist()) if truth[row].any()]
    share = share_of_bases(scores, truth)
    assert share == pytest.approx(8 * len(lengths) / sum(lengths))
    nothing = np.zeros_like(truth)
    assert np.isnan(share_of_bases(scores, nothing))
    assert np.isnan(found(scores, nothing, generator, 100)["rollout"]["auprc"].value)

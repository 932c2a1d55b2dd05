from pathlib import Path

import numpy as np
import polars as pl
import pytest

from attendna.genome.sequences import SequenceBatch
from attendna.prediction.backbone import load_backbone
from attendna.prediction.predictor import Predictor
from attendna.prediction.representations import Reading, Representations, to_frame

FIRST = SequenceBatch.from_text(["ACGTACGTAGCTAGCTAGCATTGCAAAC", "TTTTACGATCGACTAGCTACGACTACGA"])
SECOND = SequenceBatch.from_text(["ACGTACGTAGCTAGCGAGCATTGCAAAC", "TTTTACGATCGACTAGCTACGACTACGT"])


@pytest.fixture(scope="module")
def backbone(runs: tuple[Path, Path]) -> Predictor:
    return load_backbone(runs[0], "cpu")


def test_pairs_become_one_vector(backbone: Predictor) -> None:
    a, b = backbone.embed(FIRST), backbone.embed(SECOND)
    wanted = {"concatenate": [a, b], "difference": [b - a], "both": [a, b, b - a]}
    for pair, parts in wanted.items():
        found = Representations(backbone, Reading(pair=pair)).of(FIRST, SECOND)
        np.testing.assert_array_equal(found, np.concatenate(parts, axis=1))
    np.testing.assert_array_equal(Representations(backbone).of(FIRST), a)


@pytest.mark.filterwarnings("ignore:.*sequences have")
def test_long_sequences_are_read_in_segments(backbone: Predictor) -> None:
    vectors = Representations(backbone, Reading(segment=14))
    halves = SequenceBatch.from_text(["ACGTACGTAGCTAG", "CTAGCATTGCAAAC"])
    wanted = backbone.embed(halves).reshape(-1)
    np.testing.assert_allclose(vectors.of(FIRST)[0], wanted, atol=1e-5)
    mean = Representations(backbone, Reading(segment=14, join="mean")).of(FIRST)
    np.testing.assert_allclose(mean[0], wanted.reshape(2, -1).mean(0), atol=1e-5)


def test_vectors_are_computed_once(
    backbone: Predictor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATTENDNA_CACHE", str(tmp_path))
    vectors = Representations(backbone, Reading(), "digest")
    wanted = vectors.of(FIRST)
    with monkeypatch.context() as patch:
        patch.setattr(Predictor, "embed", None)
        np.testing.assert_array_equal(vectors.of(FIRST), wanted)
    # Other sequences and other weights are others, and damage is computed anew.
    assert (vectors.of(SECOND) != wanted).any()
    Representations(backbone, Reading(), "other").of(FIRST)
    files = list((tmp_path / "representations").glob("*.npy"))
    assert len(files) == 3
    for file in files:
        file.write_bytes(file.read_bytes()[:50])
    np.testing.assert_array_equal(vectors.of(FIRST), wanted)


def test_a_table_has_lists_of_fixed_size() -> None:
    frame = to_frame(("a", "b"), {"embedding": np.ones((2, 3), dtype=np.float32)})
    assert frame.schema == {"id": pl.String, "embedding": pl.Array(pl.Float32, 3)}

import sys

import numpy as np
import pytest

from attendna.core.errors import DataError, MissingExtraError
from attendna.genome.sequences import SequenceBatch
from attendna.interpret.embedding_space import EmbeddingSpace, Projection, embedding_space

COUNT = 40


def space(
    vectors: np.ndarray, labels: np.ndarray | None = None, projection: Projection = "pca"
) -> EmbeddingSpace:
    texts = ["G" * (row % 5) + "A" * (4 - row % 5) for row in range(len(vectors))]
    batch, ids = SequenceBatch.from_text(texts), [f"r{row}" for row in range(len(vectors))]
    return embedding_space(vectors.astype(np.float32), batch, ids, labels, projection=projection)


def drawn(columns: int = 6) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(COUNT, columns))


def test_composition_is_told_where_it_is_all_there_is() -> None:
    vectors = drawn() * 0.01
    gc = np.array([row % 5 / 4 for row in range(COUNT)])
    vectors[:, :5] += gc[:, None]
    found = space(vectors)
    numbers = found.numbers()
    assert abs(numbers["gc_1"]) > 0.95
    assert set(numbers) == {"gc_1", "gc_2"}
    assert found.gc == pytest.approx(gc)
    assert found.explained is not None
    assert found.explained[0] > 0.8 > found.explained[1]


def test_classes_that_lie_apart_are_neighbors_of_their_own() -> None:
    labels = np.arange(COUNT, dtype=np.int64) % 2
    apart = space(drawn() + 50 * labels[:, None], labels).numbers()
    assert apart["alike"] == 1.0
    assert apart["by_chance"] == pytest.approx(19 / 39)
    mixed = space(drawn(), labels).numbers()
    assert 0.3 < mixed["alike"] < 0.7


def test_points_have_names_and_classes() -> None:
    labels = np.arange(COUNT, dtype=np.int64) % 2
    table = space(drawn(), labels).to_frame(("no", "yes"))
    assert table.columns == ["id", "x", "y", "gc", "class"]
    assert table["class"].to_list()[:3] == ["no", "yes", "no"]
    assert "class" not in space(drawn()).to_frame().columns


def test_points_are_the_same_each_time() -> None:
    assert np.array_equal(space(drawn()).points, space(drawn()).points)


@pytest.mark.slow
def test_umap_keeps_what_lies_together_together() -> None:
    pytest.importorskip("umap")
    labels = np.arange(COUNT, dtype=np.int64) % 2
    found = space(drawn() + 50 * labels[:, None], labels, "umap")
    assert found.explained is None
    centers = np.stack([found.points[labels == label].mean(axis=0) for label in (0, 1)])
    spread = max(found.points[labels == label].std(axis=0).max() for label in (0, 1))
    assert np.linalg.norm(centers[0] - centers[1]) > 2 * spread


def test_what_cannot_be_laid_out_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match="give 11 or more"):
        space(drawn()[:10])
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(MissingExtraError, match=r"attendna\[umap\]"):
        space(drawn(), projection="umap")

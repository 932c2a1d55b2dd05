"""How sequences lie in a model's representation: two dimensions to look at, and what tells them.

Shapes: ``N`` sequences, ``D`` numbers of a representation.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl
from jaxtyping import Float32, Float64, Int64
from numpy import ndarray
from scipy import stats
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler

from attendna.core.errors import DataError, MissingExtraError
from attendna.genome.composition import gc_content
from attendna.genome.sequences import SequenceBatch

Projection = Literal["pca", "umap"]

NEIGHBORS = 10
LEAST = NEIGHBORS + 1
"""Sequences that are needed: each has so many neighbors."""


@dataclass(frozen=True, eq=False)
class EmbeddingSpace:
    """Sequences as points.

    explained
        Share of the variance along each of the two dimensions; none of UMAP, which has no such.
    """

    ids: tuple[str, ...]
    points: Float64[ndarray, "N 2"]
    gc: Float64[ndarray, " N"]
    labels: Int64[ndarray, " N"] | None
    """Class of each sequence, where they have classes."""
    explained: tuple[float, float] | None
    vectors: Float64[ndarray, "N D"]
    """The representations, each number of mean 0 and variance 1."""

    def numbers(self) -> dict[str, float]:
        """What the space tells of composition and of classes.

        ``gc_1`` and ``gc_2`` are the rank correlations of GC content with the two dimensions.
        ``alike`` is the share of a sequence's ten nearest neighbors, in all dimensions, that have
        its class, and ``by_chance`` what it would be if classes were dealt at random.
        """
        known = ~np.isnan(self.gc)
        found = {
            f"gc_{axis + 1}": _rank_correlation(self.points[known, axis], self.gc[known])
            for axis in range(2)
        }
        if self.labels is None:
            return found
        near = NearestNeighbors(n_neighbors=NEIGHBORS).fit(self.vectors).kneighbors()[1]
        alike = self.labels[near] == self.labels[:, None]
        counts = np.bincount(self.labels).astype(np.float64)
        pairs = len(self.labels) * (len(self.labels) - 1)
        chance = float((counts * (counts - 1)).sum() / pairs)
        return found | {"alike": float(alike.mean()), "by_chance": chance}

    def to_frame(self, classes: Sequence[str] = ()) -> pl.DataFrame:
        """One row a sequence: ``id, x, y, gc`` and, where there are classes, ``class``."""
        columns: dict[str, Any] = {
            "id": self.ids, "x": self.points[:, 0], "y": self.points[:, 1], "gc": self.gc
        }  # fmt: skip
        if self.labels is not None:
            columns["class"] = [classes[label] for label in self.labels]
        return pl.DataFrame(columns).with_columns(pl.col("gc").fill_nan(None))


def embedding_space(
    vectors: Float32[ndarray, "N D"],
    sequences: SequenceBatch,
    ids: Sequence[str],
    labels: Int64[ndarray, " N"] | None = None,
    *,
    projection: Projection = "pca",
    seed: int = 0,
) -> EmbeddingSpace:
    """Lay representations out in two dimensions.

    Raises
    ------
    DataError
        There are too few sequences.
    MissingExtraError
        UMAP is not installed.
    """
    if len(vectors) < LEAST or vectors.shape[1] < 2:
        raise DataError(
            "the sequences",
            f"{len(vectors)} of {vectors.shape[1]} numbers each are too few to lay out",
            f"give {LEAST} or more, of 2 numbers or more",
        )
    scaled: Any = StandardScaler().fit_transform(vectors.astype(np.float64))
    explained = None
    if projection == "umap":
        points = _umap(scaled, seed)
    else:
        pca = PCA(2, random_state=seed % (1 << 32))
        points = pca.fit_transform(scaled)
        first, second = pca.explained_variance_ratio_.tolist()
        explained = first, second
    return EmbeddingSpace(
        tuple(ids), points.astype(np.float64), gc_content(sequences), labels, explained, scaled
    )


def _umap(vectors: Float64[ndarray, "N D"], seed: int) -> Any:
    try:
        from umap import UMAP  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise MissingExtraError("umap-learn", "umap", "--projection umap") from None
    # With a seed it uses one thread, and says so.
    made: Any = UMAP(n_neighbors=min(15, len(vectors) - 1), random_state=seed % (1 << 32), n_jobs=1)
    return made.fit_transform(vectors)


def _rank_correlation(one: Float64[ndarray, " N"], other: Float64[ndarray, " N"]) -> float:
    result: Any = stats.spearmanr(one, other)
    return float(result.statistic)

"""Sequences as vectors: what a backbone makes of each, and of each pair of alleles.

Shapes: ``N`` sequences, ``P`` numbers of a vector, ``F`` of a pair's.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
from jaxtyping import Float32
from numpy import ndarray
from pydantic import Field

from attendna.core.config import Config
from attendna.core.files import publish_file
from attendna.genome.code_cache import cache_folder
from attendna.genome.sequences import SequenceBatch
from attendna.prediction.predictor import Predictor, Progress
from attendna.prediction.segments import embed_segments

Pair = Literal["concatenate", "difference", "both"]
"""Vectors of the two alleles side by side, the second less the first, or all three."""


class Reading(Config):
    """How a sequence, or a pair of them, becomes one vector."""

    segment: int | None = Field(default=None, ge=1)
    """Bases of the longest segment to read at a time; none to read sequences whole."""
    join: Literal["concat", "mean"] = "concat"
    """What becomes of the vectors of segments."""
    pair: Pair = "concatenate"


@dataclass(frozen=True)
class Representations:
    """Vectors of a backbone."""

    backbone: Predictor
    reading: Reading = field(default_factory=Reading)
    weights: str | None = None
    """SHA-256 of the backbone's file. With it vectors are kept on disk, and computed once for all
    that is learned from them."""

    def of(
        self,
        sequences: SequenceBatch,
        alternatives: SequenceBatch | None = None,
        *,
        source: str | Path = "the sequences",
        progress: Progress | None = None,
    ) -> Float32[ndarray, "N F"]:
        """One vector a sequence, or a pair.

        Raises
        ------
        DataError
            The backbone does not read a sequence.
        """
        first = self._kept(sequences, source, progress)
        if alternatives is None:
            return first
        second = self._kept(alternatives, source, progress)
        parts = {"concatenate": [first, second], "difference": [second - first]}
        return np.concatenate(parts.get(self.reading.pair, [first, second, second - first]), axis=1)

    def _kept(
        self, sequences: SequenceBatch, source: str | Path, progress: Progress | None
    ) -> Float32[ndarray, "N P"]:
        if self.weights is None:
            return self._computed(sequences, source, progress)
        path = cache_folder("representations") / f"{self._key(sequences)}.npy"
        held = _read(path)
        if held is None:
            held = self._computed(sequences, source, progress)
            with publish_file(path) as partial:
                np.save(partial, held)
        return held

    def _computed(
        self, sequences: SequenceBatch, source: str | Path, progress: Progress | None
    ) -> Float32[ndarray, "N P"]:
        if self.reading.segment is None:
            return self.backbone.embed(sequences, source=source, progress=progress)
        return embed_segments(
            self.backbone,
            sequences,
            self.reading.segment,
            join=self.reading.join,
            source=str(source),
            progress=progress,
        )

    def _key(self, sequences: SequenceBatch) -> str:
        """What decides the vectors: weights, sequences, how they are read and computed."""
        backbone, reading = self.backbone, self.reading
        settings = (self.weights, reading.segment, reading.join, backbone.precision)
        digest = hashlib.sha256(repr((*settings, backbone.device.type)).encode())
        digest.update(np.ascontiguousarray(sequences.lengths).tobytes())
        digest.update(np.ascontiguousarray(sequences.codes).tobytes())
        return digest.hexdigest()


def to_frame(ids: Sequence[str], columns: Mapping[str, Float32[ndarray, "N P"]]) -> pl.DataFrame:
    """A table with the column ``id``, and vectors as lists of a fixed size."""
    vectors = {
        name: pl.Series(name, values, dtype=pl.Array(pl.Float32, values.shape[1]))
        for name, values in columns.items()
    }
    return pl.DataFrame({"id": ids} | vectors)


def _read(path: Path) -> Float32[ndarray, "N P"] | None:
    """An array that was kept; none if there is none or it is damaged."""
    try:
        return np.load(path)
    except (OSError, ValueError, EOFError):
        return None

"""Representations of sequences longer than a model was made for: segment by segment.

Shapes: ``N`` sequences, ``P`` numbers of a representation, those of all its segments side by side.
"""

from typing import Literal

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from attendna.core.errors import DataError
from attendna.genome.segments import segments_of
from attendna.genome.sequences import SequenceBatch
from attendna.prediction.predictor import Predictor, Progress


def embed_segments(
    predictor: Predictor,
    sequences: SequenceBatch,
    length: int = 200,
    *,
    join: Literal["concat", "mean"] = "concat",
    source: str = "the sequences",
    progress: Progress | None = None,
) -> Float32[ndarray, "N P"]:
    """Representations of sequences of any length, cut evenly into segments of at most ``length``.

    Parameters
    ----------
    join
        ``concat`` lays the segments' representations side by side, ``mean`` takes their mean.
    source
        The file they come from, for messages.
    progress
        Told after every batch how many segments it had.

    Raises
    ------
    DataError
        Sequences differ in their number of segments, where these are to be laid side by side, or
        the model does not read their segments.
    """
    counts, owners, starts, ends = segments_of(sequences.lengths, length)
    if join == "concat" and len(counts) and counts.min() != counts.max():
        row = int(np.argmax(counts != counts[0]))
        raise DataError(
            source,
            f"{counts[row]} segments of {length} bases, the first row has {counts[0]}",
            "give sequences of one length, or take the mean",
            row=row + 1,
        )
    first = sequences.offsets[:-1][owners]
    cut = SequenceBatch.cut(sequences.codes, first + starts, first + ends)
    names = [f"{row + 1}" for row in owners.tolist()]
    vectors = predictor.embed(cut, names, source=source, progress=progress)
    if not len(counts):
        return vectors
    if join == "concat":
        return vectors.reshape(len(sequences), -1)
    sums = np.add.reduceat(vectors, np.cumsum(counts) - counts)
    return sums / counts[:, None].astype(np.float32)

"""Who reads whom in a model of tracks: the attention between the bins of a window.

Every layer's weights are computed anew from its queries and keys, a block of queries at a time, so
that windows of any length can be looked at; the readers are the bins that are predicted.

Shapes: ``H`` heads, ``S`` bins of the window, ``B`` bins or blocks of bins, ``n`` bases.
"""

import contextlib
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64, Int64, UInt8
from numpy import ndarray
from torch import Tensor

from attendna.core.errors import ConfigError, DataError, UserError
from attendna.genome.sequences import SequenceBatch
from attendna.interpret.attention import AttentionMaps
from attendna.interpret.attention_profiles import AttentionProfiles
from attendna.models.layers.sparse.weights import AttentionWeights
from attendna.models.layers.track_attention import TrackAttention
from attendna.models.track_model import TrackModel
from attendna.prediction.predictor import Progress

WHOLE = 1024
"""Bins of a window up to which maps have every bin; of longer ones they have blocks of bins."""


@dataclass(frozen=True, eq=False)
class TrackAttentionMaps:
    """The attention of a model of tracks on one window."""

    layers: tuple[AttentionWeights, ...]
    bin: int
    """Bases of a bin."""
    predicted: int
    """Bins in the middle that are predicted."""

    @property
    def bins(self) -> int:
        """Bins of the window."""
        return self.layers[0].length

    def read(self) -> Float64[ndarray, " S"]:
        """How much of each bin the predicted ones read in the last layer, on average over heads."""
        return self.layers[-1].read_by(self._readers()).cpu().numpy()

    def rollout(self) -> Float64[ndarray, " S"]:
        """The same through all layers, each of which half keeps what a bin was."""
        flow = self._readers()
        for layer in reversed(self.layers):
            flow = layer.read_by(flow) / 2 + flow / 2
        return flow.cpu().numpy()

    def maps(self) -> AttentionMaps:
        """Whole maps, or those of blocks of bins where there are too many."""
        whole = self.bins <= WHOLE
        layers = tuple(
            (layer.dense() if whole else layer.by_block()).double().cpu().numpy()
            for layer in self.layers
        )
        size = self.bin * (1 if whole else self.layers[0].block)
        return AttentionMaps(layers, _spans(self.bins * self.bin, size), None)

    def to_bases(self, shares: Float64[ndarray, " S"]) -> Float64[ndarray, " n"]:
        """Shares of bins laid evenly on the bases of each."""
        return np.repeat(shares / self.bin, self.bin)

    def _readers(self) -> Tensor:
        first = (self.bins - self.predicted) // 2
        readers = torch.zeros(self.bins, dtype=torch.float64, device=self.layers[0].query.device)
        readers[first : first + self.predicted] = 1 / self.predicted
        return readers


def track_attention(model: TrackModel, codes: UInt8[Tensor, " n"]) -> TrackAttentionMaps:
    """The attention of a model of tracks on one window, with its weights as they are.

    Raises
    ------
    ConfigError
        The model has no attention.
    UserError
        It does not read windows of that length.
    """
    predicted = model.predicted_bins(len(codes))
    training = model.training
    model.eval()
    with _watched(model) as found, torch.no_grad():
        model(codes[None], next(iter(model.tracks)))
    model.train(training)
    if not found:
        raise ConfigError("the model has no attention between bins", "choose one that has layers")
    return TrackAttentionMaps(tuple(found), model.bin, predicted)


def track_attention_profiles(
    model: TrackModel,
    sequences: SequenceBatch,
    ids: Sequence[str],
    *,
    maps: int = 4,
    source: str | Path = "the sequences",
    progress: Progress | None = None,
) -> AttentionProfiles:
    """Look at the attention of a model of tracks on every sequence, each on the strand it is given
    on; see :func:`.attention_profiles.attention_profiles`.

    Raises
    ------
    ConfigError
        The model has no attention.
    DataError
        A sequence is no window that the model reads.
    """
    device = next(model.parameters()).device
    shape = len(sequences), int(sequences.lengths.max(initial=0))
    attention, rollout = (np.full(shape, np.nan, dtype=np.float32) for _ in range(2))
    kept: list[list[AttentionMaps]] = []
    for row, length in enumerate(sequences.lengths.tolist()):
        try:
            model.predicted_bins(length)
        except UserError as error:
            raise DataError(source, error.problem, error.remedy, row=row + 1) from None
        found = track_attention(model, torch.from_numpy(sequences.take([row]).codes).to(device))
        attention[row, :length] = found.to_bases(found.read())
        rollout[row, :length] = found.to_bases(found.rollout())
        if row < maps:
            kept.append([found.maps()])
        if progress is not None:
            progress(1)
    return AttentionProfiles(tuple(ids), sequences, attention, rollout, kept)


@contextlib.contextmanager
def _watched(model: TrackModel) -> Generator[list[AttentionWeights]]:
    """Gives the weights of every attention layer that computes, in their order."""
    found: list[AttentionWeights] = []

    def compute(layer: Any, arguments: tuple[Any, ...]) -> None:
        found.append(layer.weights(*arguments))

    layers = (layer for layer in model.modules() if isinstance(layer, TrackAttention))
    handles = [layer.register_forward_pre_hook(compute) for layer in layers]
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()


def _spans(length: int, size: int) -> Int64[ndarray, "B 2"]:
    starts = np.arange(0, length, size)
    return np.stack([starts, np.minimum(starts + size, length)], axis=1)

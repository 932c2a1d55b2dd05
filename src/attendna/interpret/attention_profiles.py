"""Where a trained model looks in many sequences, base by base, and how much that tells.

Shapes: ``N`` sequences, ``L`` bases of the longest.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from jaxtyping import Bool, Float32, Float64
from numpy import ndarray

from attendna.core.parquet import write_parquet
from attendna.genome import alphabet
from attendna.genome.sequences import SequenceBatch
from attendna.interpret.agreement import rank_correlations
from attendna.interpret.attention import AttentionMaps, attention_maps
from attendna.interpret.mutagenesis import saturation_mutagenesis
from attendna.interpret.truth import base_auroc
from attendna.prediction.predictor import Predictor, Progress

PROFILES_FILE = "profiles.parquet"
MAPS_FILE = "maps.npz"

WAYS = ("attention", "rollout")
"""The last layer alone, and all layers one after the other."""


@dataclass(frozen=True, eq=False)
class AttentionProfiles:
    """How much of every base is read, on average over the networks of a model.

    Where what is read is a learned token, its own weight lies on no base.
    """

    ids: tuple[str, ...]
    sequences: SequenceBatch
    attention: Float32[ndarray, "N L"]
    rollout: Float32[ndarray, "N L"]
    maps: Sequence[Sequence[AttentionMaps]]
    """Of the first sequences, the whole maps of each network."""

    def of(self, way: str) -> Float32[ndarray, "N L"]:
        """``attention`` or ``rollout``; NaN beyond a sequence's end."""
        return self.rollout if way == "rollout" else self.attention

    def mean(self, way: str) -> Float32[ndarray, " L"]:
        """The mean over sequences aligned at their first base, as a multiple of what each base
        would have if all of its sequence had the same."""
        even = 1 / self.sequences.lengths[:, None]
        relative = self.of(way) / even
        known = ~np.isnan(relative)
        return (np.nansum(relative, axis=0) / np.maximum(known.sum(axis=0), 1)).astype(np.float32)

    def found(self, truth: Bool[ndarray, "N L"]) -> dict[str, float]:
        """Mean AUROC by which each way tells the bases that matter from others; NaN if none do."""
        return {way: _mean(base_auroc(self.of(way), truth)) for way in WAYS}

    def agreement(self, predictor: Predictor, most: int) -> dict[str, float]:
        """Mean rank correlation of each way with how much the prediction changes when a base does,
        over the first sequences."""
        some = self.sequences.take(range(min(most, len(self.ids))))
        changes = np.abs(saturation_mutagenesis(predictor, some).importance())
        rows, bases = changes.shape
        return {way: _mean(rank_correlations(self.of(way)[:rows, :bases], changes)) for way in WAYS}

    def to_frame(self) -> pl.DataFrame:
        """One row a base: ``id, position`` (from 0), ``base, attention, rollout``."""
        inside = np.arange(self.attention.shape[1]) < self.sequences.lengths[:, None]
        row, position = np.nonzero(inside)
        letters = np.array(list(alphabet.LETTERS))[self.sequences.codes]
        return pl.DataFrame(
            {"id": np.array(self.ids)[row], "position": position, "base": letters}
            | {way: self.of(way)[inside] for way in WAYS}
        )

    def write(self, folder: Path) -> None:
        """Write ``profiles.parquet`` (:meth:`to_frame`) and ``maps.npz``.

        The maps of sequence ``i`` and network ``j`` are the arrays ``i/j/layer0`` (heads, readers,
        tokens) and so on, and ``i/j/spans`` has the bases of its tokens.
        """
        write_parquet(self.to_frame(), folder / PROFILES_FILE, precision="fp32")
        arrays: dict[str, Any] = {}
        for row, networks in enumerate(self.maps):
            for number, one in enumerate(networks):
                arrays[f"{row}/{number}/spans"] = one.spans
                for depth, layer in enumerate(one.layers):
                    arrays[f"{row}/{number}/layer{depth}"] = layer.astype(np.float32)
        np.savez_compressed(folder / MAPS_FILE, **arrays)


def _mean(values: Float64[ndarray, " N"]) -> float:
    """The mean of the sequences that have a value; NaN if none does."""
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")


def attention_profiles(
    predictor: Predictor,
    sequences: SequenceBatch,
    ids: Sequence[str] | None = None,
    *,
    maps: int = 4,
    source: str | Path = "the sequences",
    progress: Progress | None = None,
) -> AttentionProfiles:
    """Look at the attention of a model on every sequence, each on the strand it is given on.

    Parameters
    ----------
    maps
        Sequences of which the whole maps are kept.
    source
        The file they come from, for messages.

    Raises
    ------
    ConfigError
        The model has no attention between tokens.
    UserError
        A sequence is none the model can read.
    """
    known = predictor.predict(sequences, ids, source=source)
    tokenizer = predictor.checkpoint.tokenizer.build()
    device, name = next(predictor.model.parameters()).device, predictor.checkpoint.model.name
    shape = len(sequences), int(sequences.lengths.max(initial=0))
    found = {way: np.full(shape, np.nan, dtype=np.float32) for way in WAYS}
    kept: list[list[AttentionMaps]] = []
    for row in range(len(sequences)):
        codes = torch.from_numpy(sequences.take([row]).codes).to(device)
        networks = attention_maps(predictor.model, tokenizer, codes, name)
        for way in WAYS:
            each = [
                one.to_bases(one.rollout() if way == "rollout" else one.read(), len(codes))
                for one in networks
            ]
            found[way][row, : len(codes)] = np.mean(each, axis=0)
        if row < maps:
            kept.append(networks)
        if progress is not None:
            progress(1)
    return AttentionProfiles(known.ids, sequences, found["attention"], found["rollout"], kept)

"""Batches of records of all heads in turn, each a function of the seed and its number alone.

Shapes: ``b`` records, ``w`` bases, ``l`` bins, ``t`` tracks.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from torch import Tensor

from attendna.genome.alphabet import complement
from attendna.prediction.track_records import Records
from attendna.training.batches import AUGMENTATION, ORDER, seed_of
from attendna.training.tracks.config import TrackAugmentationConfig


class TrackBatch(NamedTuple):
    """Some records of one head; ``number`` counts all batches of the training."""

    codes: UInt8[Tensor, "b w"]
    targets: Float32[Tensor, "b l t"]
    head: str
    number: int


class TrackBatches:
    """All batches of a training, by number: those of the heads take turns.

    Each head's records come in an order drawn anew for every pass over them.
    """

    def __init__(
        self,
        records: Mapping[str, Records],
        *,
        batch_size: int,
        seed: int,
        augmentation: TrackAugmentationConfig,
    ) -> None:
        self.records = dict(records)
        self.batch_size = batch_size
        self.seed = seed
        self.augmentation = augmentation
        self._heads = list(records)

    def __getitem__(self, number: int) -> TrackBatch:
        """The batch of a number, augmented."""
        turn, place = divmod(number, len(self._heads))
        head = self._heads[place]
        records = self.records[head]
        first = turn * self.batch_size
        rows = np.array([self._row(place, len(records), first + i) for i in range(self.batch_size)])
        random = np.random.default_rng(seed_of(self.seed, AUGMENTATION, number))
        reach = self.augmentation.shift
        codes = records.sequences(rows, random.integers(-reach, reach + 1, size=len(rows)))
        targets = records.targets(rows)
        if self.augmentation.reverse_complement:
            turned = random.random(len(rows)) < 0.5
            codes[turned] = complement(codes[turned])[:, ::-1]
            targets[turned] = targets[turned][:, ::-1, records.other_strand]
        return TrackBatch(torch.from_numpy(codes), torch.from_numpy(targets), head, number)

    def _row(self, head: int, count: int, place: int) -> int:
        epoch, row = divmod(place, count)
        # The order of an epoch costs microseconds: it is drawn again rather than kept.
        order = np.random.default_rng(seed_of(self.seed, ORDER, epoch * 64 + head))
        return int(order.permutation(count)[row])

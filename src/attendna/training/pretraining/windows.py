"""Batches of windows of genomes, each a function of the seed and its number alone.

Shapes: ``B`` batch, ``L`` bases of a window, ``w`` windows.
"""

from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float32, Int64, UInt8
from numpy import ndarray
from torch import Tensor

from attendna.core.errors import ConfigError
from attendna.genome.alphabet import complement
from attendna.genome.soft_mask import soft_masked_places
from attendna.training.batches import AUGMENTATION, ORDER, seed_of
from attendna.training.pretraining.corpus import Corpus


class WindowBatch(NamedTuple):
    """Some windows; ``number`` counts all batches of the training."""

    codes: UInt8[Tensor, "B L"]
    weights: Float32[Tensor, "B L"]
    """Of each base in the loss."""
    number: int


class Drawn(NamedTuple):
    """Where windows lie."""

    genome: Int64[ndarray, " B"]
    """Number of the genome."""
    offset: Int64[ndarray, " B"]
    """First base in the genome's codes."""
    turned: Bool[ndarray, " B"]
    """Whether the other strand is read."""


class WindowBatches:
    """All batches of a pretraining, by number.

    Tiled windows lie side by side from a first base that is drawn for every stretch and epoch; they
    come in an order drawn anew. As many are taken in every epoch as fit whatever is drawn, so that
    the number of a batch says which epoch it is of.
    """

    def __init__(self, corpus: Corpus, *, batch_size: int, seed: int) -> None:
        self.corpus = corpus
        self.config = corpus.config
        self.batch_size = batch_size
        self.seed = seed
        length = corpus.train.length
        # The first base of a stretch's tiling is one of so many.
        self._phases = np.minimum(self.config.length, length - self.config.length + 1)
        self.windows_an_epoch = int(((length - self._phases + 1) // self.config.length).sum())
        self.batches_an_epoch = max(1, self.windows_an_epoch // batch_size)
        if self.windows_an_epoch < batch_size:
            raise ConfigError(
                f"the genomes have {self.windows_an_epoch:,} windows, a batch {batch_size:,}",
                "set trainer.batch_size or windows.length lower",
            )
        self._epoch = -1
        self._order: tuple[Int64[ndarray, " w"], Int64[ndarray, " w"]] = _NOTHING
        self._soft = self.config.soft_mask_weight < 1
        if self._soft and not any(edges.size for edges in self._edges):
            raise ConfigError(
                "windows.soft_mask_weight: no base of the genomes is in lower case",
                "give genomes with soft-masked repeats, or set it to 1",
            )

    def __getitem__(self, number: int) -> WindowBatch:
        """The batch of a number."""
        drawn = self.draw(number)
        codes, weights = self.codes(drawn), self.weights(drawn)
        return WindowBatch(torch.from_numpy(codes), torch.from_numpy(weights), number)

    def draw(self, number: int) -> Drawn:
        """Where the windows of a batch lie."""
        random = np.random.default_rng(seed_of(self.seed, AUGMENTATION, number))
        tiled = self.config.sampling == "tiled"
        genome, offset = self._tiled(number) if tiled else self._anywhere(random)
        turned = np.zeros(genome.size, dtype=bool)
        if self.config.both_strands:
            turned = random.random(genome.size) < 0.5
        return Drawn(genome, offset, turned)

    def codes(self, drawn: Drawn) -> UInt8[ndarray, "B L"]:
        """The bases of windows, on the strand that each is read on."""
        codes = self.corpus.codes(drawn.genome, drawn.offset)
        codes[drawn.turned] = complement(codes[drawn.turned])[:, ::-1]
        return codes

    def weights(self, drawn: Drawn) -> Float32[ndarray, "B L"]:
        """What each base of windows counts in the loss, on the strand that each is read on."""
        weights = self._weights(drawn.genome, drawn.offset)
        weights[drawn.turned] = weights[drawn.turned][:, ::-1]
        return weights

    def _tiled(self, number: int) -> tuple[Int64[ndarray, " B"], Int64[ndarray, " B"]]:
        epoch, place = divmod(number, self.batches_an_epoch)
        if epoch != self._epoch:
            self._order = self._tiling(epoch)
            self._epoch = epoch
        rows = slice(place * self.batch_size, (place + 1) * self.batch_size)
        genome, offset = self._order
        return genome[rows], offset[rows]

    def _tiling(self, epoch: int) -> tuple[Int64[ndarray, " w"], Int64[ndarray, " w"]]:
        random = np.random.default_rng(seed_of(self.seed, ORDER, epoch))
        part, size = self.corpus.train, self.config.length
        phase = random.integers(0, self._phases)
        count = (part.length - phase) // size
        row = np.repeat(np.arange(count.size), count)
        place = np.arange(row.size) - np.repeat(np.cumsum(count) - count, count)
        order = random.permutation(row.size)
        row, place = row[order], place[order]
        return part.genome[row], part.offset[row] + phase[row] + size * place

    def _anywhere(
        self, random: np.random.Generator
    ) -> tuple[Int64[ndarray, " B"], Int64[ndarray, " B"]]:
        part = self.corpus.train
        ends = np.cumsum(part.length - self.config.length + 1)
        drawn = random.integers(0, ends[-1], size=self.batch_size)
        row = np.searchsorted(ends, drawn, side="right")
        first = ends[row] - (part.length[row] - self.config.length + 1)
        return part.genome[row], part.offset[row] + drawn - first

    @cached_property
    def _edges(self) -> list[Int64[ndarray, " _"]]:
        """First and last bases of soft-masked stretches of each genome, in turn."""
        return [soft_masked_places(genome.path).ravel() for genome in self.corpus.genomes]

    def _weights(
        self, genome: Int64[ndarray, " B"], offset: Int64[ndarray, " B"]
    ) -> Float32[ndarray, "B L"]:
        weights = np.ones((genome.size, self.config.length), dtype=np.float32)
        if self._soft:
            places = offset[:, None] + np.arange(self.config.length)
            for number, edges in enumerate(self._edges):
                mine = genome == number
                # Behind an odd number of edges lies the inside of a stretch.
                inside = np.searchsorted(edges, places[mine], side="right") % 2 == 1
                weights[mine] = np.where(inside, np.float32(self.config.soft_mask_weight), 1)
        return weights


_NOTHING = (np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))

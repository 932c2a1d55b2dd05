"""Batches of windows as the words of a byte-pair encoding, by number; see :mod:`.windows`.

The words of the genomes were made once, see :mod:`attendna.tokens.genome_words`; a window is those
that lie in it whole, so that its first and last bases may go unread.

Shapes: ``B`` batch, ``L`` bases of a window, ``S`` words.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float32, Int32, Int64
from numpy import ndarray
from torch import Tensor

from attendna.core.errors import ConfigError
from attendna.tokens.bpe import BPETokenizer
from attendna.tokens.genome_words import GenomeWords
from attendna.training.pretraining.windows import Drawn, WindowBatches


class WordBatch(NamedTuple):
    """Words of some windows, padded on the right; ``number`` counts all batches of the training."""

    ids: Int32[Tensor, "B S"]
    mask: Bool[Tensor, "B S"]
    """Which are real."""
    weights: Float32[Tensor, "B S"]
    """Of each word in the loss: the mean of its bases."""
    number: int


class WordBatches:
    """All batches of a pretraining on words, by number.

    Raises
    ------
    ConfigError
        A window may hold no whole word.
    """

    def __init__(self, windows: WindowBatches, tokenizer: BPETokenizer) -> None:
        self.windows = windows
        self.tokenizer = tokenizer
        self.length = windows.config.length
        if self.length < 2 * tokenizer.longest:
            raise ConfigError(
                f"windows.length: {self.length} bases may hold no whole word, the longest has "
                f"{tokenizer.longest}",
                f"set it to {2 * tokenizer.longest} or more",
            )
        # Opened, or made, once a strand of each genome.
        self._words = cache(self._open)

    def encode(self) -> None:
        """Make the words of all genomes, where they are not in the cache."""
        for genome in range(len(self.windows.corpus.genomes)):
            for reverse in (False, True)[: 1 + self.windows.config.both_strands]:
                self._words(genome, reverse)

    def _open(self, genome: int, reverse: bool) -> GenomeWords:
        return GenomeWords.of(self.windows.corpus.genomes[genome], self.tokenizer, reverse=reverse)

    def __getitem__(self, number: int) -> WordBatch:
        """The batch of a number."""
        drawn = self.windows.draw(number)
        ids, starts, mask = self._within(drawn)
        widths = np.where(mask, self.tokenizer.widths.numpy()[ids], 0)
        sums = np.zeros((len(ids), self.length + 1), dtype=np.float32)
        np.cumsum(self.windows.weights(drawn), axis=1, out=sums[:, 1:])
        of_words = np.take_along_axis(sums, starts + widths, 1) - np.take_along_axis(
            sums, starts, 1
        )
        weights = of_words / np.maximum(widths, 1).astype(np.float32)
        return WordBatch(
            torch.from_numpy(ids), torch.from_numpy(mask), torch.from_numpy(weights), number
        )

    def _within(
        self, drawn: Drawn
    ) -> tuple[Int32[ndarray, "B S"], Int64[ndarray, "B S"], Bool[ndarray, "B S"]]:
        """Words of windows, which may lie in several genomes and on either strand."""
        sources = np.stack([drawn.genome, drawn.turned.astype(np.int64)], axis=1)
        parts: list[tuple[Int64[ndarray, " _"], tuple[ndarray, ...]]] = []
        for genome, reverse in np.unique(sources, axis=0).tolist():
            mine = np.flatnonzero((sources == (genome, reverse)).all(1))
            first = drawn.offset[mine]
            if reverse:
                first = self.windows.corpus.genomes[genome].codes.size - first - self.length
            parts.append((mine, self._words(genome, bool(reverse)).within(first, self.length)))
        shape = len(sources), max(found[0].shape[1] for _, found in parts)
        ids = np.full(shape, self.tokenizer.store.padding, dtype=np.int32)
        starts, mask = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=bool)
        for mine, found in parts:
            for table, values in zip((ids, starts, mask), found, strict=True):
                table[mine, : values.shape[1]] = values
        return ids, starts, mask

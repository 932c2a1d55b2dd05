"""The batches of a training, each a function of the seed and its number alone.

Nothing is kept between batches, so a training that was killed goes on with the very batches it
would have had.

Shapes: ``n`` training rows, ``B`` batch, ``L`` bases.
"""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Int64, Shaped, UInt8
from torch import Tensor

from attendna.genome.alphabet import N
from attendna.tokens.buffer import CodeBuffer, bucketed_batches
from attendna.tokens.strand import reverse_complement
from attendna.training.labels import LabelBuffer
from attendna.training.run import AugmentationConfig

ORDER, AUGMENTATION, DROPOUT, WEIGHTS, MEMBER, ADAPTERS, MASKS = range(7)
"""Purposes of randomness: each draws from a stream of its own."""


def seed_of(seed: int, purpose: int, number: int = 0) -> int:
    """A seed for one purpose and one number, unrelated to those of its neighbors."""
    state = np.random.SeedSequence((seed, purpose, number)).generate_state(1, np.uint64)
    # torch takes 63 bits.
    return int(state[0]) >> 1


class Batch(NamedTuple):
    """Padded codes of a training batch; ``number`` counts all batches of the training."""

    codes: UInt8[Tensor, "B L"]
    lengths: Int64[Tensor, " B"]
    labels: Shaped[Tensor, "B *tracks"]
    number: int
    alternative: tuple[UInt8[Tensor, "B L"], Int64[Tensor, " B"]] | None = None
    """Codes and lengths of the other allele of each row, changed at random in the same way."""


class TrainingBatches:
    """All batches of a training, by number.

    An epoch is one pass over the rows in batches of similar length; the next begins where it ends.

    Parameters
    ----------
    buffer
        The training sequences, on the device where the batches are wanted.
    labels
        Their labels, on the same device.
    alternatives
        Of paired rows, the sequences with the other allele.
    both_strands
        Whether each sequence is read on a strand drawn at random.
    """

    def __init__(
        self,
        buffer: CodeBuffer,
        labels: LabelBuffer,
        *,
        batch_size: int,
        seed: int,
        both_strands: bool,
        augmentation: AugmentationConfig,
        alternatives: CodeBuffer | None = None,
    ) -> None:
        self.buffer = buffer
        self.alternatives = alternatives
        self.labels = labels
        self.batch_size = batch_size
        self.seed = seed
        self.both_strands = both_strands
        self.augmentation = augmentation
        self.batches_an_epoch = -(-len(buffer) // batch_size)
        self._epoch = -1
        self._order: list[Tensor] = []

    def rows(self, number: int) -> Int64[Tensor, " B"]:
        """Rows of a batch."""
        epoch, place = divmod(number, self.batches_an_epoch)
        if epoch != self._epoch:
            generator = torch.Generator().manual_seed(seed_of(self.seed, ORDER, epoch))
            self._order = bucketed_batches(self.buffer.lengths, self.batch_size, generator)
            self._epoch = epoch
        return self._order[place]

    def __getitem__(self, number: int) -> Batch:
        """The batch of a number, augmented."""
        rows = self.rows(number)
        codes, lengths = self._augmented(self.buffer, rows, number)
        labels = self.labels.gather(rows)
        if self.alternatives is None:
            return Batch(codes, lengths, labels, number)
        other = self._augmented(self.alternatives, rows, number)
        return Batch(codes, lengths, labels, number, other)

    def _augmented(
        self, buffer: CodeBuffer, rows: Int64[Tensor, " B"], number: int
    ) -> tuple[UInt8[Tensor, "B L"], Int64[Tensor, " B"]]:
        """Sequences changed at random by the number of their batch alone."""
        codes, lengths = buffer.gather(rows)
        generator = torch.Generator(buffer.device)
        generator.manual_seed(seed_of(self.seed, AUGMENTATION, number))
        if self.both_strands:
            codes = flip_some(codes, lengths, generator)
        if self.augmentation.shift:
            codes = shift(codes, lengths, self.augmentation.shift, generator)
        if self.augmentation.mask:
            codes = mask_bases(codes, self.augmentation.mask, generator)
        return codes, lengths


def flip_some(
    codes: UInt8[Tensor, "B L"], lengths: Int64[Tensor, " B"], generator: torch.Generator
) -> UInt8[Tensor, "B L"]:
    """Replace each sequence by its reverse complement with a chance of one half."""
    flipped = _chance((len(codes), 1), 0.5, generator)
    return torch.where(flipped, reverse_complement(codes, lengths), codes)


def shift(
    codes: UInt8[Tensor, "B L"],
    lengths: Int64[Tensor, " B"],
    reach: int,
    generator: torch.Generator,
) -> UInt8[Tensor, "B L"]:
    """Move each sequence by up to ``reach`` bases to either side; N comes in at its end."""
    moves = torch.randint(
        -reach, reach + 1, (len(codes), 1), generator=generator, device=codes.device
    )
    columns = torch.arange(codes.shape[1], device=codes.device)
    origin = columns - moves
    inside = (origin >= 0) & (origin < lengths[:, None]) & (columns < lengths[:, None])
    return codes.gather(1, origin.clamp(0, codes.shape[1] - 1)).masked_fill_(~inside, int(N))


def mask_bases(
    codes: UInt8[Tensor, "B L"], share: float, generator: torch.Generator
) -> UInt8[Tensor, "B L"]:
    """Make each base an N with the chance ``share``."""
    return codes.masked_fill(_chance(tuple(codes.shape), share, generator), int(N))


def _chance(
    shape: tuple[int, ...], share: float, generator: torch.Generator
) -> Bool[Tensor, "..."]:
    return torch.rand(shape, generator=generator, device=generator.device) < share

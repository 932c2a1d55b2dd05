"""All sequences of a split in one flat tensor, and batches of similar length taken from it.

No work is done per sequence in Python: a batch is one gather on the device the codes lie on.

Shapes: ``B`` batch, ``L`` bases of the batch's longest, ``n`` sequences.
"""

import numpy as np
import torch
from jaxtyping import Int, Int64, UInt8
from numpy import ndarray
from torch import Tensor

from attendna.genome.alphabet import N
from attendna.genome.sequences import SequenceBatch

BATCHES_A_CHUNK = 50


class CodeBuffer:
    """Codes of many sequences on one device.

    Parameters
    ----------
    sequences
        What to hold; its codes are copied to the device once.
    device
        Where batches are wanted.
    multiple
        Batches are padded to a multiple of this many bases, so that few shapes occur.
    """

    def __init__(
        self, sequences: SequenceBatch, device: torch.device | str = "cpu", multiple: int = 8
    ) -> None:
        self.device = torch.device(device)
        self.multiple = multiple
        self.lengths: Int64[Tensor, " n"] = torch.from_numpy(sequences.lengths.copy())
        """Bases of each sequence, on the CPU."""
        self._lengths = self.lengths.to(self.device)
        longest = int(sequences.lengths.max(initial=0))
        self._constant = len(sequences) > 0 and bool((sequences.lengths == longest).all())
        width = self._rounded(longest)
        if self._constant:
            table = np.full((len(sequences), width), N, dtype=np.uint8)
            table[:, :longest] = sequences.codes.reshape(len(sequences), longest)
            self._codes = torch.from_numpy(table).to(self.device)
        else:
            # A window that starts at any sequence stays inside the buffer thanks to the tail.
            flat = np.concatenate([sequences.codes, np.full(width + 1, N, dtype=np.uint8)])
            self._codes = torch.from_numpy(flat).to(self.device)
            self._starts = torch.from_numpy(sequences.offsets[:-1].copy()).to(self.device)

    def __len__(self) -> int:
        return self.lengths.numel()

    def _rounded(self, length: int) -> int:
        return -(-length // self.multiple) * self.multiple

    def gather(self, rows: Int64[Tensor, " B"]) -> tuple[UInt8[Tensor, "B L"], Int64[Tensor, " B"]]:
        """Codes padded with N on the right, and lengths, of the sequences at ``rows``.

        ``rows`` should lie on the CPU, as :func:`bucketed_batches` gives them: the shape of the
        batch is then known without waiting for the device.
        """
        places = rows.to(self.device, non_blocking=True)
        lengths = self._lengths.index_select(0, places)
        if self._constant:
            return self._codes.index_select(0, places), lengths
        width = self._rounded(int(self.lengths[rows.cpu()].max())) if rows.numel() else 0
        # Every window of the flat buffer as a row of one overlapping view; taking rows of it copies
        # whole stretches, where an index a base would read eight bytes for each byte.
        windows = self._codes.as_strided((self._codes.numel() - width, width), (1, 1))
        codes = windows.index_select(0, self._starts.index_select(0, places))
        columns = torch.arange(width, device=self.device)
        return codes.masked_fill_(columns >= lengths[:, None], int(N)), lengths


def bucketed_batches(
    lengths: Int[Tensor, " n"] | Int[ndarray, " n"],
    batch_size: int,
    generator: torch.Generator | None = None,
    chunk: int = BATCHES_A_CHUNK,
) -> list[Int64[Tensor, " _"]]:
    """Rows of batches in which sequences are of similar length; every row occurs once.

    With a generator rows are shuffled, sorted by length within chunks of ``chunk`` batches, and the
    batches are shuffled again; where all lengths are equal that is plain shuffling. Without one
    rows are sorted by length, ties in their order. One batch at most is smaller than
    ``batch_size``.
    """
    sizes = torch.as_tensor(lengths, dtype=torch.int64, device="cpu")
    count = sizes.numel()
    if not count:
        return []
    if generator is None:
        return list(torch.argsort(sizes, stable=True).split(batch_size))
    shuffled = torch.randperm(count, generator=generator)
    chunk_of = torch.arange(count) // (chunk * batch_size)
    # One sort for all chunks: the chunk decides first, the length second.
    longest = int(sizes.max())
    order = shuffled[torch.argsort(chunk_of * (longest + 1) + sizes[shuffled], stable=True)]
    batches = order.split(batch_size)
    places = torch.randperm(len(batches), generator=generator)
    return [batches[place] for place in places.tolist()]

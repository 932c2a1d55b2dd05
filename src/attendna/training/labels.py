"""Labels of all rows on the device where batches are made.

Shapes: ``n`` rows, ``B`` batch, ``T`` tracks, ``p`` positive tracks of all rows together, ``o`` =
``n`` + 1 bounds.
"""

import numpy as np
import torch
from jaxtyping import Int64, Shaped
from torch import Tensor

from attendna.tasks.labels import Labels
from attendna.tasks.store import Split


class LabelBuffer:
    """Labels, of which batches are taken: classes, numbers, or 0 and 1 for every track.

    Tracks of a multilabel task stay the lists they are: only those of a batch are spread out.
    """

    def __init__(
        self,
        labels: Labels,
        tracks: int = 1,
        device: torch.device | str = "cpu",
    ) -> None:
        self.device = torch.device(device)
        self.tracks = tracks
        self._offsets: Int64[Tensor, " o"] | None = None
        if labels.offsets is None:
            whole = np.issubdtype(labels.values.dtype, np.integer)
            values = labels.values.astype(np.int64 if whole else np.float32)
        else:
            values = labels.values.astype(np.int32)
            self._offsets = torch.from_numpy(labels.offsets.copy()).to(self.device)
        self._values = torch.from_numpy(values).to(self.device)

    @classmethod
    def of(cls, split: Split, tracks: int, device: torch.device | str = "cpu") -> "LabelBuffer":
        """The labels of a split."""
        return cls(Labels(split.labels, split.offsets), tracks, device)

    def __len__(self) -> int:
        return len(self._values) if self._offsets is None else len(self._offsets) - 1

    def gather(self, rows: Int64[Tensor, " B"]) -> Shaped[Tensor, "B *tracks"]:
        """Labels of some rows: int64[B] of classes, float32[B, T] of tracks, NaN where missing."""
        rows = rows.to(self.device, non_blocking=True)
        if self._offsets is None:
            return self._values.index_select(0, rows)
        starts, ends = self._offsets[rows], self._offsets[rows + 1]
        counts = ends - starts
        table = torch.zeros(rows.numel(), self.tracks, device=self.device)
        row = torch.repeat_interleave(torch.arange(rows.numel(), device=self.device), counts)
        # Of each positive, its place among those of its row.
        within = torch.arange(row.numel(), device=self.device) - (counts.cumsum(0) - counts)[row]
        table[row, self._values[starts[row] + within].long()] = 1.0
        return table

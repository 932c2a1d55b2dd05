"""A recurrent layer read in both directions, blind to padding.

Shapes: ``B`` batch, ``S`` places, ``D`` width in, ``P`` width out.
"""

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from attendna.models.layers.padding import Mask


class BothWays(nn.Module):
    """The last state of an LSTM that reads from the first place on, and of one from the last.

    Source: Hochreiter and Schmidhuber 1997; Quang and Xie 2016 (DanQ) for its place after
    convolutions.
    """

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.width = 2 * hidden
        self.onward = nn.LSTM(width, hidden, batch_first=True)
        self.back = nn.LSTM(width, hidden, batch_first=True)

    def forward(self, x: Float[Tensor, "B S D"], mask: Mask = None) -> Float[Tensor, "B P"]:
        """Both states side by side."""
        batch, length, _ = x.shape
        lengths = x.new_full((batch,), length, dtype=torch.long) if mask is None else mask.sum(1)
        # Turned around and gathered, not packed: rows stay whole, and torch's kernels for whole
        # rows are the fast ones.
        places = torch.arange(length, device=x.device)
        turned = (lengths[:, None] - 1 - places).clamp(min=0)
        backwards = x.gather(1, turned[..., None].expand_as(x))
        return torch.cat(
            [_last(self.onward(x)[0], lengths), _last(self.back(backwards)[0], lengths)], dim=1
        )


def _last(states: Float[Tensor, "B S D"], lengths: Int64[Tensor, " B"]) -> Float[Tensor, "B D"]:
    """The state after each sequence's last place."""
    rows = torch.arange(len(states), device=states.device)
    return states[rows, (lengths - 1).clamp(min=0)]

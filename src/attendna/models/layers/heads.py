"""From a sequence's representation to its logits.

Shapes: ``B`` batch, ``P`` width of the representation, ``T`` outputs.
"""

from jaxtyping import Float
from torch import Tensor, nn


class Head(nn.Module):
    """Dropout, then one linear layer, or two around a GELU where ``hidden`` is given."""

    def __init__(
        self, width: int, outputs: int, *, hidden: int | None = None, dropout: float = 0.0
    ) -> None:
        super().__init__()
        drop = [nn.Dropout(dropout)] if dropout else []
        layers: list[nn.Module] = [*drop]
        if hidden is not None:
            layers += [nn.Linear(width, hidden), nn.GELU(), *drop]
        self.layers = nn.Sequential(*layers, nn.Linear(hidden or width, outputs))

    def forward(self, x: Float[Tensor, "B P"]) -> Float[Tensor, "B T"]:
        """Logits."""
        return self.layers(x)

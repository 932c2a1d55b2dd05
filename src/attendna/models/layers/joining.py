"""From the vectors of a sequence's segments to one vector, and the table of the ways there are.

Shapes: ``B`` batch, ``K`` segments, ``D`` width of a segment's vector, ``P`` width of the result.
"""

from abc import ABC, abstractmethod
from typing import Annotated, Literal

import torch.nn.functional as F
from jaxtyping import Bool, Float
from pydantic import Field, SerializeAsAny
from torch import Tensor, nn

from attendna.core.config import Config, chosen_from
from attendna.core.errors import UserError
from attendna.core.registry import Registry
from attendna.models.layers.padding import hide_padding
from attendna.models.layers.pooling import MeanPooling
from attendna.models.layers.transformer import Transformer, TransformerConfig


class Join(nn.Module, ABC):
    """One way; ``width`` is how many numbers it gives a sequence."""

    width: int

    @abstractmethod
    def forward(
        self, x: Float[Tensor, "B K D"], mask: Bool[Tensor, "B K"] | None
    ) -> Float[Tensor, "B P"]:
        """One vector a sequence of its segments' vectors."""


class Concatenation(Join):
    """The segments' vectors side by side, zeros where a sequence has fewer."""

    def __init__(self, width: int, segments: int) -> None:
        super().__init__()
        self.segments = segments
        self.width = segments * width

    def forward(
        self, x: Float[Tensor, "B K D"], mask: Bool[Tensor, "B K"] | None
    ) -> Float[Tensor, "B P"]:
        """All vectors.

        Raises
        ------
        UserError
            There are too many segments.
        """
        missing = self.segments - x.shape[1]
        if missing < 0:
            raise UserError(
                f"a sequence of {x.shape[1]} segments is longer than the {self.segments} that the "
                "model lays side by side",
                "raise model.join.segments and train again, or join them by mean",
            )
        return F.pad(hide_padding(x, mask), (0, 0, 0, missing)).flatten(1)


class MeanJoin(Join):
    """The mean of the segments' vectors."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width
        self.mean = MeanPooling(width)

    def forward(
        self, x: Float[Tensor, "B K D"], mask: Bool[Tensor, "B K"] | None
    ) -> Float[Tensor, "B P"]:
        """The mean."""
        return self.mean(x, mask)


class TransformerJoin(Join):
    """A transformer of its own, whose tokens are the segments."""

    def __init__(self, width: int, config: TransformerConfig) -> None:
        super().__init__()
        self.project = nn.Linear(width, config.width)
        self.upper = Transformer(config)
        self.width = self.upper.pooling.width

    def forward(
        self, x: Float[Tensor, "B K D"], mask: Bool[Tensor, "B K"] | None
    ) -> Float[Tensor, "B P"]:
        """What attention between the segments makes of them."""
        return self.upper.summarize(self.project(x), mask)


class JoinConfig(Config):
    """Base of every way's settings: the name chooses the class."""

    name: str

    def build(self, width: int) -> Join:
        """The way for segments' vectors of ``width``."""
        raise NotImplementedError(f"{type(self).__name__} does not say what it builds")


class ConcatConfig(JoinConfig):
    """Side by side: what stands where is told apart, and no sequence may be longer."""

    name: Literal["concat"] = "concat"
    segments: int = Field(default=5, ge=1)
    """Segments of the longest sequence."""

    def build(self, width: int) -> Concatenation:
        """Concatenation."""
        return Concatenation(width, self.segments)


class MeanJoinConfig(JoinConfig):
    """The mean over segments."""

    name: Literal["mean"] = "mean"

    def build(self, width: int) -> MeanJoin:
        """The mean."""
        return MeanJoin(width)


class TransformerJoinConfig(TransformerConfig, JoinConfig):
    """Attention between segments."""

    name: Literal["transformer"] = "transformer"

    def build(self, width: int) -> TransformerJoin:
        """A transformer over segments."""
        return TransformerJoin(width, self)


JOINS: Registry[type[JoinConfig]] = Registry(
    "way to join segments",
    {
        "concat": "attendna.models.layers.joining:ConcatConfig",
        "mean": "attendna.models.layers.joining:MeanJoinConfig",
        "transformer": "attendna.models.layers.joining:TransformerJoinConfig",
    },
    group="attendna.joins",
)

AnyJoinConfig = Annotated[SerializeAsAny[JoinConfig], chosen_from(JOINS)]
"""Field type: the settings of any registered way, chosen by ``name``."""

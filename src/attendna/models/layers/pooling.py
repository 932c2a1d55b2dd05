"""From one vector a token to one vector a sequence, and the table of the ways there are.

Every way reads real tokens only: padding and the other sequences of the batch change nothing.

Shapes: ``B`` batch, ``S`` tokens, ``S2`` tokens and what a pooling adds, ``D`` width, ``P`` width
after pooling.
"""

from abc import ABC, abstractmethod
from typing import Annotated, Literal

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from pydantic import Field, SerializeAsAny
from torch import Tensor, nn

from attendna.core.config import Config, chosen_from
from attendna.core.registry import Registry
from attendna.models.layers.padding import Mask


class Pooling(nn.Module, ABC):
    """One way of pooling.

    Attributes
    ----------
    width
        Numbers it gives a sequence.
    own
        Tokens that it adds before the first; where there are any it reads no others.
    """

    width: int
    own: int = 0

    def prepare(
        self, x: Float[Tensor, "B S D"], mask: Mask
    ) -> tuple[Float[Tensor, "B S2 D"], Bool[Tensor, "B S2"] | None]:
        """Tokens as the layers before the pooling should see them; some ways add one."""
        return x, mask

    @abstractmethod
    def forward(self, x: Float[Tensor, "B S D"], mask: Mask = None) -> Float[Tensor, "B P"]:
        """One vector a sequence."""


class MeanPooling(Pooling):
    """The mean over real tokens."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width

    def forward(self, x: Float[Tensor, "B S D"], mask: Mask = None) -> Float[Tensor, "B P"]:
        """The mean."""
        return x.mean(1) if mask is None else (_shares(mask, x)[:, None] @ x).squeeze(1)


class MaxPooling(Pooling):
    """The largest value of each channel over real tokens."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width

    def forward(self, x: Float[Tensor, "B S D"], mask: Mask = None) -> Float[Tensor, "B P"]:
        """The maximum."""
        if mask is not None:
            x = x.masked_fill(~mask[..., None], float("-inf"))
        return x.amax(1)


class MeanMaxPooling(Pooling):
    """Mean and maximum side by side: how much there is, and the best there is."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = 2 * width
        self.mean = MeanPooling(width)
        self.max = MaxPooling(width)

    def forward(self, x: Float[Tensor, "B S D"], mask: Mask = None) -> Float[Tensor, "B P"]:
        """The mean, then the maximum."""
        return torch.cat([self.mean(x, mask), self.max(x, mask)], dim=1)


class AttentionPooling(Pooling):
    """Learned queries read the tokens; their readings stand side by side."""

    def __init__(self, width: int, queries: int) -> None:
        super().__init__()
        self.width = queries * width
        # No bias: the softmax over tokens would take it away again.
        self.score = nn.Linear(width, queries, bias=False)

    def forward(self, x: Float[Tensor, "B S D"], mask: Mask = None) -> Float[Tensor, "B P"]:
        """Each query's weighted mean."""
        scores = self.score(x)
        if mask is not None:
            scores = scores.masked_fill(~mask[..., None], float("-inf"))
        return (scores.softmax(1).to(x.dtype).transpose(1, 2) @ x).flatten(1)


class CLSPooling(Pooling):
    """A learned token of its own reads the others; it stands before the first, at position 0."""

    own = 1

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width
        self.token = nn.Parameter(torch.randn(width) * 0.02)

    def prepare(
        self, x: Float[Tensor, "B S D"], mask: Mask
    ) -> tuple[Float[Tensor, "B S2 D"], Bool[Tensor, "B S2"] | None]:
        """The tokens with the learned one in front."""
        token = self.token.to(x.dtype).expand(x.shape[0], 1, -1)
        return torch.cat([token, x], dim=1), None if mask is None else F.pad(
            mask, (1, 0), value=True
        )

    def forward(self, x: Float[Tensor, "B S D"], mask: Mask = None) -> Float[Tensor, "B P"]:  # noqa: ARG002
        """What the learned token has become."""
        return x[:, 0]


class BinsPooling(Pooling):
    """Where things stand matters: each sequence is cut into the same number of bins.

    The tokens, narrowed to ``channels``, are averaged within each bin of the sequence's own length
    and the bins laid side by side. Sequences of one length are thus read position by position; of
    several lengths, by relative position. A sequence of fewer tokens than bins fills neighboring
    bins with the same token.
    """

    def __init__(self, width: int, bins: int, channels: int) -> None:
        super().__init__()
        self.width = bins * channels
        self.bins = bins
        self.narrow = nn.Linear(width, channels)

    def forward(self, x: Float[Tensor, "B S D"], mask: Mask = None) -> Float[Tensor, "B P"]:
        """Bins of the sequence from start to end, the channels of each side by side."""
        narrow = F.gelu(self.narrow(x))
        lengths = torch.full((1,), x.shape[1], device=x.device) if mask is None else mask.sum(1)
        return (bin_shares(lengths, self.bins, x.shape[1]).to(x.dtype) @ narrow).flatten(1)


def bin_shares(
    lengths: Int[Tensor, " B"], bins: int, tokens: int
) -> Float[Tensor, "B {bins} {tokens}"]:
    """Share of each token in each bin's mean: bin ``k`` holds tokens from ``floor(k n / bins)`` to
    ``ceil((k + 1) n / bins)`` of a sequence of ``n``."""
    edges = torch.arange(bins + 1, device=lengths.device) * lengths[:, None]
    starts = edges[:, :-1] // bins
    ends = (edges[:, 1:] + bins - 1) // bins
    places = torch.arange(tokens, device=lengths.device)
    inside = (places >= starts[..., None]) & (places < ends[..., None])
    return inside / (ends - starts).clamp(min=1)[..., None]


def _shares(mask: Tensor, x: Tensor) -> Tensor:
    """Equal weights over real tokens, zero elsewhere."""
    return mask.to(x.dtype) / mask.sum(1, keepdim=True).clamp(min=1)


class PoolingConfig(Config):
    """Base of every way's settings: the name chooses the class."""

    name: str

    def build(self, width: int) -> Pooling:
        """The way for token vectors of ``width``."""
        raise NotImplementedError(f"{type(self).__name__} does not say what it builds")


class MeanConfig(PoolingConfig):
    """The mean over tokens."""

    name: Literal["mean"] = "mean"

    def build(self, width: int) -> MeanPooling:
        """Mean pooling."""
        return MeanPooling(width)


class MaxConfig(PoolingConfig):
    """The maximum over tokens."""

    name: Literal["max"] = "max"

    def build(self, width: int) -> MaxPooling:
        """Maximum pooling."""
        return MaxPooling(width)


class MeanMaxConfig(PoolingConfig):
    """Mean and maximum side by side."""

    name: Literal["mean_max"] = "mean_max"

    def build(self, width: int) -> MeanMaxPooling:
        """Mean and maximum pooling."""
        return MeanMaxPooling(width)


class AttentionConfig(PoolingConfig):
    """Learned ``queries`` weigh the tokens."""

    name: Literal["attention"] = "attention"
    queries: int = Field(default=1, ge=1)

    def build(self, width: int) -> AttentionPooling:
        """Attention pooling."""
        return AttentionPooling(width, self.queries)


class CLSConfig(PoolingConfig):
    """A learned token reads the others."""

    name: Literal["cls"] = "cls"

    def build(self, width: int) -> CLSPooling:
        """Pooling by a learned token."""
        return CLSPooling(width)


class BinsConfig(PoolingConfig):
    """Averages of ``channels`` numbers within ``bins`` stretches: sees where in the sequence."""

    name: Literal["bins"] = "bins"
    bins: int = Field(default=64, ge=1)
    channels: int = Field(default=16, ge=1)

    def build(self, width: int) -> BinsPooling:
        """Pooling within position bins."""
        return BinsPooling(width, self.bins, self.channels)


POOLINGS: Registry[type[PoolingConfig]] = Registry(
    "pooling",
    {
        "attention": "attendna.models.layers.pooling:AttentionConfig",
        "bins": "attendna.models.layers.pooling:BinsConfig",
        "cls": "attendna.models.layers.pooling:CLSConfig",
        "max": "attendna.models.layers.pooling:MaxConfig",
        "mean": "attendna.models.layers.pooling:MeanConfig",
        "mean_max": "attendna.models.layers.pooling:MeanMaxConfig",
    },
    group="attendna.poolings",
)

AnyPoolingConfig = Annotated[SerializeAsAny[PoolingConfig], chosen_from(POOLINGS)]
"""Field type: the settings of any registered pooling, chosen by ``name``."""

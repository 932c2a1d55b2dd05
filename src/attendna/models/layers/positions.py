"""How a model learns where a token stands, and the table of the ways there are.

A way acts on the token vectors before the first layer, on queries, keys or scores inside every
attention layer, or not at all. Positions count tokens from the sequence's first.

Shapes: ``B`` batch, ``S`` tokens, ``D`` width, ``H`` heads, ``C`` width of a head, ``R`` distances,
``2 S - 1``.
"""

import math
from typing import Annotated, Literal, NamedTuple, Self, TypeAlias

import torch
from jaxtyping import Float, Int64
from pydantic import Field, SerializeAsAny, model_validator
from torch import Tensor, nn

from attendna.core.config import Config, chosen_from
from attendna.core.errors import UserError
from attendna.core.registry import Registry
from attendna.models.layers.relative import shift_relative


class Rotation(NamedTuple):
    """Angles by which pairs of channels turn at each position, as cosines and sines."""

    cosine: Float[Tensor, "S half"]
    sine: Float[Tensor, "S half"]

    def inverse(self) -> "Rotation":
        """The turn back."""
        return Rotation(self.cosine, -self.sine)


class Distances(NamedTuple):
    """A vector for every distance of a query from a key, the farthest behind the key last."""

    vectors: Float[Tensor, "R D"]

    @property
    def behind(self) -> Float[Tensor, "S D"]:
        """Those of tokens that stand 0, 1, 2, … places before another."""
        return self.vectors[len(self.vectors) // 2 :]

    @property
    def ahead(self) -> Float[Tensor, "S D"]:
        """Those of tokens that stand 0, 1, 2, … places after another."""
        return self.vectors[: len(self.vectors) // 2 + 1].flip(0)


Places: TypeAlias = Rotation | Distances | None
"""What attention layers are told of where the tokens of a batch stand."""


def rotate(x: Float[Tensor, "*batch S C"], rotation: Rotation) -> Float[Tensor, "*batch S C"]:
    """Turn channel ``i`` with channel ``i + C / 2`` by the angle of their position."""
    cosine, sine = rotation.cosine.to(x.dtype), rotation.sine.to(x.dtype)
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cosine - second * sine, first * sine + second * cosine], dim=-1)


class Positions(nn.Module):
    """No positions: the base of every other way, each of which changes what it needs to."""

    def forward(self, x: Float[Tensor, "B S D"]) -> Float[Tensor, "B S D"]:
        """Token vectors as the first layer reads them."""
        return x

    def places(self, length: int, device: torch.device) -> Places:  # noqa: ARG002
        """What attention layers are told of ``length`` tokens, if anything."""
        return None

    def distance_scores(self, width: int, heads: int) -> "DistanceScores | None":  # noqa: ARG002
        """A layer's own weights for distances, where it needs some."""
        return None


class RotaryPositions(Positions):
    """Queries and keys turn with their position, so that scores see distances only.

    Source: Su et al. 2021, RoFormer.
    """

    def __init__(self, head_width: int, base: float) -> None:
        super().__init__()
        half = head_width // 2
        # In float32 whatever the model computes in: half precision cannot tell far positions apart.
        speeds = base ** (-torch.arange(half, dtype=torch.float32) / half)
        self.register_buffer("speeds", speeds, persistent=False)
        self.speeds: Tensor

    def places(self, length: int, device: torch.device) -> Rotation:
        """What queries and keys turn by."""
        return self.rotation(length, device)

    def rotation(self, length: int, device: torch.device) -> Rotation:
        """Angle = position times the channel pair's speed."""
        places = torch.arange(length, dtype=torch.float32, device=device)
        angles = places[:, None] * self.speeds.to(torch.float32)
        return Rotation(angles.cos(), angles.sin())


class AbsolutePositions(Positions):
    """A learned vector for each position, counted from the sequence's start."""

    def __init__(self, width: int, longest: int) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.randn(longest, width) * 0.02)

    def forward(self, x: Float[Tensor, "B S D"]) -> Float[Tensor, "B S D"]:
        """Add each position's vector.

        Raises
        ------
        UserError
            There are more tokens than learned positions.
        """
        if x.shape[1] > len(self.table):
            raise UserError(
                f"a sequence of {x.shape[1]} tokens is longer than the {len(self.table)} positions "
                "the model has learned",
                "raise model.positions.longest and train again, or use rotary positions",
            )
        return x + self.table[: x.shape[1]]


class SinusoidalPositions(Positions):
    """Fixed waves of geometric wavelengths added to the token vectors.

    Source: Vaswani et al. 2017, section 3.5.
    """

    def forward(self, x: Float[Tensor, "B S D"]) -> Float[Tensor, "B S D"]:
        """Add sines to the first half of the channels, cosines to the second."""
        half = math.ceil(x.shape[2] / 2)
        speeds = 10_000.0 ** (-torch.arange(half, dtype=torch.float32, device=x.device) / half)
        places = torch.arange(x.shape[1], dtype=torch.float32, device=x.device)
        angles = places[:, None] * speeds
        waves = torch.cat([angles.sin(), angles.cos()], dim=1)[:, : x.shape[2]]
        return x + waves.to(x.dtype)


class RelativePositions(Positions):
    """A learned vector for each distance between two tokens, which all layers share.

    Every layer scores queries by distance and keys by distance: disentangled attention.

    Source: He et al. 2021, DeBERTa, equations 3 and 4; its second version for buckets.
    """

    def __init__(self, width: int, span: int, reach: int | None) -> None:
        super().__init__()
        self.span, self.reach = span, reach
        self.table = nn.Parameter(torch.randn(2 * span, width) * 0.02)

    def places(self, length: int, device: torch.device) -> Distances:
        """Vectors of all distances of a query from a key."""
        apart = torch.arange(length - 1, -length, -1, device=device)
        return Distances(self.table[self.rows(apart)])

    def rows(self, apart: Int64[Tensor, " R"]) -> Int64[Tensor, " R"]:
        """Row of the table for each distance, which is the query's place less the key's."""
        if self.reach is not None:
            near = self.span // 2
            steps = (self.reach - 1) / near
            # Up to half of the span each distance has its own row; from there on rows stand for
            # stretches that grow by equal factors.
            far = (apart.abs().clamp(min=near).double() / near).log() / math.log(steps)
            far = near + (far * (near - 1)).ceil().long()
            apart = torch.where(apart.abs() <= near, apart, far * apart.sign())
        return (apart + self.span).clamp(0, 2 * self.span - 1)

    def distance_scores(self, width: int, heads: int) -> "DistanceScores":
        """A layer's projections of the shared vectors."""
        return DistanceScores(width, heads)


class DistanceScores(nn.Module):
    """What distance adds to the scores of one attention layer: content to position and back.

    ``query_i key'[i - j] + key_j query'[j - i]``, where ``key'`` and ``query'`` are this layer's
    projections of the distances' vectors.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.key = nn.Linear(width, width, bias=False)
        self.query = nn.Linear(width, width, bias=False)
        self.scale = (3 * width // heads) ** -0.5
        """Three products are added, so each counts less than the one of other layers."""

    def forward(
        self,
        query: Float[Tensor, "B H S C"],
        key: Float[Tensor, "B H S C"],
        distances: Distances,
    ) -> Float[Tensor, "B H S S"]:
        """Scores to add to ``scale query key^T``, scaled alike."""
        to_position = (query * self.scale) @ self._split(self.key(distances.vectors)).mT
        from_position = (key * self.scale) @ self._split(self.query(distances.vectors)).mT
        return shift_relative(to_position) + shift_relative(from_position).mT

    def _split(self, x: Float[Tensor, "R D"]) -> Float[Tensor, "H R C"]:
        return x.unflatten(1, (self.heads, -1)).transpose(0, 1)


class PositionsConfig(Config):
    """Base of every way's settings: the name chooses the class."""

    name: str

    def check(self, head_width: int) -> None:
        """Raise ``ValueError`` where heads of this width cannot be used."""

    def build(self, width: int, head_width: int) -> Positions:
        """The way for token vectors of ``width`` and attention heads of ``head_width``."""
        raise NotImplementedError(f"{type(self).__name__} does not say what it builds")


class NoPositionsConfig(PositionsConfig):
    """The order of tokens is unseen."""

    name: Literal["none"] = "none"

    def build(self, width: int, head_width: int) -> Positions:  # noqa: ARG002
        """Nothing."""
        return Positions()


class RotaryConfig(PositionsConfig):
    """Rotary positions; the slowest channel pair turns once in about ``2 pi base`` tokens."""

    name: Literal["rotary"] = "rotary"
    base: float = Field(default=10_000.0, gt=1)

    def check(self, head_width: int) -> None:
        """Channels turn in pairs."""
        if head_width % 2:
            raise ValueError(f"rotary positions need heads of even width, not {head_width}")

    def build(self, width: int, head_width: int) -> RotaryPositions:  # noqa: ARG002
        """Rotary positions."""
        return RotaryPositions(head_width, self.base)


class AbsoluteConfig(PositionsConfig):
    """Learned absolute positions of up to ``longest`` tokens."""

    name: Literal["absolute"] = "absolute"
    longest: int = Field(default=1024, ge=1)

    def build(self, width: int, head_width: int) -> AbsolutePositions:  # noqa: ARG002
        """Learned absolute positions."""
        return AbsolutePositions(width, self.longest)


class SinusoidalConfig(PositionsConfig):
    """Fixed waves."""

    name: Literal["sinusoidal"] = "sinusoidal"

    def build(self, width: int, head_width: int) -> SinusoidalPositions:  # noqa: ARG002
        """Sinusoidal positions."""
        return SinusoidalPositions()


class RelativeConfig(PositionsConfig):
    """Disentangled relative positions with a vector for each of ``2 span`` distances."""

    name: Literal["relative"] = "relative"
    span: int = Field(default=128, ge=1)
    """Distances told apart to either side; what is farther counts as the farthest."""
    reach: int | None = None
    """Tokens up to which far distances are told apart, in stretches that grow, half of the span's
    vectors being theirs; none tells no distance beyond the span."""

    @model_validator(mode="after")
    def _reaches_beyond(self) -> Self:
        if self.reach is not None and (self.span < 4 or self.reach <= self.span):
            raise ValueError("reach must be beyond a span of 4 or more")
        return self

    def build(self, width: int, head_width: int) -> RelativePositions:  # noqa: ARG002
        """Relative positions."""
        return RelativePositions(width, self.span, self.reach)


POSITIONS: Registry[type[PositionsConfig]] = Registry(
    "position encoding",
    {
        "absolute": "attendna.models.layers.positions:AbsoluteConfig",
        "none": "attendna.models.layers.positions:NoPositionsConfig",
        "relative": "attendna.models.layers.positions:RelativeConfig",
        "rotary": "attendna.models.layers.positions:RotaryConfig",
        "sinusoidal": "attendna.models.layers.positions:SinusoidalConfig",
    },
    group="attendna.positions",
)

AnyPositionsConfig = Annotated[SerializeAsAny[PositionsConfig], chosen_from(POSITIONS)]
"""Field type: the settings of any registered position encoding, chosen by ``name``."""

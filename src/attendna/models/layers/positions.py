"""How a model learns where a token stands, and the table of the ways there are.

A way acts on the token vectors before the first layer, on queries and keys inside every attention
layer, or not at all. Positions count tokens from the sequence's first.

Shapes: ``B`` batch, ``S`` tokens, ``D`` width, ``C`` width of a head.
"""

import math
from typing import Annotated, Literal, NamedTuple

import torch
from jaxtyping import Float
from pydantic import Field, SerializeAsAny
from torch import Tensor, nn

from attendna.core.config import Config, chosen_from
from attendna.core.errors import UserError
from attendna.core.registry import Registry


class Rotation(NamedTuple):
    """Angles by which pairs of channels turn at each position, as cosines and sines."""

    cosine: Float[Tensor, "S half"]
    sine: Float[Tensor, "S half"]

    def inverse(self) -> "Rotation":
        """The turn back."""
        return Rotation(self.cosine, -self.sine)


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

    def rotation(self, length: int, device: torch.device) -> Rotation | None:  # noqa: ARG002
        """What attention turns the queries and keys of ``length`` tokens by, if anything."""
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


POSITIONS: Registry[type[PositionsConfig]] = Registry(
    "position encoding",
    {
        "absolute": "attendna.models.layers.positions:AbsoluteConfig",
        "none": "attendna.models.layers.positions:NoPositionsConfig",
        "rotary": "attendna.models.layers.positions:RotaryConfig",
        "sinusoidal": "attendna.models.layers.positions:SinusoidalConfig",
    },
    group="attendna.positions",
)

AnyPositionsConfig = Annotated[SerializeAsAny[PositionsConfig], chosen_from(POSITIONS)]
"""Field type: the settings of any registered position encoding, chosen by ``name``."""

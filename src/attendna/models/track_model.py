"""What every model of tracks is, and the table of those there are.

A track model reads one long window and gives, for each of some assays and each bin in the middle of
the window, how much of it there is.

Shapes: ``B`` batch, ``W`` bases, ``b`` bins that are predicted, ``T`` tracks, ``m`` substitutions.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Annotated

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64, UInt8
from pydantic import SerializeAsAny
from torch import Tensor, nn

from attendna.core.config import Config, chosen_from
from attendna.core.registry import Registry


def one_hot(codes: UInt8[Tensor, "B W"], dtype: torch.dtype) -> Float[Tensor, "B 4 W"]:
    """Bases as four channels; an N is zero in all of them."""
    return F.one_hot(codes.long(), 5)[..., :4].to(dtype).transpose(1, 2)


class TrackModel(nn.Module, ABC):
    """A network from bases to tracks."""

    tracks: Mapping[str, int]
    """Tracks of every head: one head a species, or a set of assays."""

    bin: int
    """Bases of a bin."""

    near: int = 0
    """Bins to either side of a bin that it depends on without attention."""

    @abstractmethod
    def predict_bins(self, bases: Float[Tensor, "B 4 W"], head: str) -> Float[Tensor, "B b T"]:
        """What a head says, of bases as four channels of any numbers."""

    def forward(self, codes: UInt8[Tensor, "B W"], head: str) -> Float[Tensor, "B b T"]:
        """What a head says, of bases as codes."""
        weights = next(self.parameters())
        return self.predict_bins(one_hot(codes, weights.dtype), head)

    def predict_substitutions(
        self,
        codes: UInt8[Tensor, " W"],
        places: Int64[Tensor, " m"],
        letters: UInt8[Tensor, " m"],
        head: str,
        batch: int,
    ) -> Iterator[Float[Tensor, "B b T"]]:
        """What a head says of one window after each of some substitutions, ``batch`` at a time.

        In evaluation mode. A base put in the place of itself gives the window as it is.
        """
        rows = torch.arange(batch, device=codes.device)
        for at, base in zip(places.split(batch), letters.split(batch), strict=True):
            changed = codes.repeat(len(at), 1)
            changed[rows[: len(at)], at] = base
            yield self(changed, head)

    @abstractmethod
    def predicted_bins(self, length: int) -> int:
        """How many bins in the middle of ``length`` bases are predicted.

        Raises
        ------
        UserError
            The model does not read windows of that length.
        """

    def parameter_count(self) -> int:
        """Numbers in the model, frozen or not."""
        return sum(p.numel() for p in self.parameters())


class TrackModelConfig(Config):
    """Base of every track model's settings: the name chooses the class."""

    name: str

    def build(self, tracks: Mapping[str, int]) -> TrackModel:
        """A freshly initialised model with a head for each set of tracks.

        Weights are drawn from torch's generator: seed it before.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say what it builds")


TRACK_MODELS: Registry[type[TrackModelConfig]] = Registry(
    "track model",
    {"enformer": "attendna.models.enformer:EnformerConfig"},
    group="attendna.track_models",
)

AnyTrackModelConfig = Annotated[SerializeAsAny[TrackModelConfig], chosen_from(TRACK_MODELS)]
"""Field type: the settings of any registered track model, chosen by ``name``."""

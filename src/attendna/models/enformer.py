"""Enformer, and S-Enformer, which is the same with block-sparse attention.

Source: Avsec et al. 2021, "Effective gene expression prediction from sequence by integrating
long-range interactions"; the sparse variant after the S-Enformer report.

Shapes: ``B`` batch, ``W`` bases, ``D`` width, ``E`` twice that, ``L`` bins of the window, ``b``
bins that are predicted, ``T`` tracks, ``m`` substitutions.
"""

from collections.abc import Iterator, Mapping
from typing import Literal, Self

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64, UInt8
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from attendna.core.errors import UserError
from attendna.models.layers.relative import KINDS
from attendna.models.layers.tower import ConvolutionBlock, Tower, fast_gelu
from attendna.models.layers.track_attention import TrackAttention, TrackAttentionConfig
from attendna.models.track_model import TrackModel, TrackModelConfig, one_hot

TILE = 512
"""Bins that the tower computes at a time where no gradient is wanted: its memory stays bounded."""


class EnformerConfig(TrackModelConfig):
    """Settings of Enformer; the defaults are the published ones."""

    name: Literal["enformer"] = "enformer"
    width: int = Field(default=1536, ge=2)
    depth: int = Field(default=11, ge=0)
    stages: int = Field(default=7, ge=3)
    """Times that the number of places is halved: bins of ``2 ** stages`` bases."""
    multiple: int = Field(default=128, ge=1)
    """The tower's channels are multiples of this."""
    attention: TrackAttentionConfig = TrackAttentionConfig()
    bins: int | None = Field(default=896, ge=1)
    """Bins in the middle that are predicted; none for all."""
    dropout: float = Field(default=0.4, ge=0, lt=1)
    checkpointing: bool = False
    """Compute the blocks twice in training, to keep less."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        heads = self.attention.heads
        if self.width % (2 * heads):
            raise ValueError(f"a width of {self.width} is no multiple of twice {heads} heads")
        if self.attention.positions == "relative" and (self.width // heads) % KINDS:
            raise ValueError(
                f"relative positions need width / heads to be a multiple of {KINDS}, "
                f"not {self.width // heads}"
            )
        if self.attention.positions == "rotary" and self.attention.key_width % 2:
            raise ValueError("rotary positions need an even key_width")
        return self

    def build(self, tracks: Mapping[str, int]) -> "Enformer":
        """The network, with fresh weights."""
        return Enformer(self, tracks)


class Enformer(TrackModel):
    """Tower, attention blocks, crop, a pointwise layer, and a head for each set of tracks."""

    def __init__(self, config: EnformerConfig, tracks: Mapping[str, int]) -> None:
        super().__init__()
        self.config = config
        self.tracks = dict(tracks)
        self.tower = Tower(config.width, config.stages, config.multiple)
        self.bin, self.near = self.tower.bin, self.tower.halo
        width = self.tower_width
        self.blocks = nn.ModuleList(
            EnformerBlock(config, width, layer) for layer in range(config.depth)
        )
        self.pointwise = ConvolutionBlock(width, 2 * config.width, 1)
        self.heads = nn.ModuleDict(
            {name: nn.Linear(2 * config.width, count) for name, count in tracks.items()}
        )
        self.frozen = False

    @property
    def tower_width(self) -> int:
        """Channels that the tower gives."""
        return self.config.width

    def predicted_bins(self, length: int) -> int:
        """How many bins in the middle of ``length`` bases are predicted; see the base class."""
        if length % self.bin:
            raise UserError(
                f"{length:,} bases are no whole number of bins of {self.bin}",
                f"give {length // self.bin * self.bin:,} or {-(-length // self.bin) * self.bin:,}",
            )
        there = length // self.bin
        wanted = self.config.bins or there
        if wanted > there:
            raise UserError(
                f"{length:,} bases are {there:,} bins, and {wanted:,} are to be predicted",
                "give longer sequences, or set model.bins",
            )
        return wanted

    def trunk(self, bases: Float[Tensor, "B 4 W"]) -> Float[Tensor, "B L D"]:
        """Vectors of all bins of the window, after the last block."""
        return self._attend(self._convolve(bases).transpose(1, 2))

    def embed(self, bases: Float[Tensor, "B 4 W"]) -> Float[Tensor, "B b D"]:
        """Vectors of the bins that are predicted, as the heads read them."""
        bins = self.predicted_bins(bases.shape[2])
        return self._read(self.trunk(bases), bins)

    def predict_bins(self, bases: Float[Tensor, "B 4 W"], head: str) -> Float[Tensor, "B b T"]:
        """What a head says."""
        return F.softplus(self.heads[head](self.embed(bases)))

    def predict_substitutions(
        self,
        codes: UInt8[Tensor, " W"],
        places: Int64[Tensor, " m"],
        letters: UInt8[Tensor, " m"],
        head: str,
        batch: int,
    ) -> Iterator[Float[Tensor, "B b T"]]:
        """What a head says after each substitution: the tower is computed anew only near it."""
        bins = self.predicted_bins(len(codes))
        dtype = next(self.parameters()).dtype
        whole = self._convolve(one_hot(codes[None], dtype))
        for at, base in zip(places.split(batch), letters.split(batch), strict=True):
            x = whole.repeat(len(at), 1, 1)
            for row, place in enumerate(at.tolist()):
                self._renew(x[row], codes, place, base[row])
            x = self._read(self._attend(x.transpose(1, 2)), bins)
            yield F.softplus(self.heads[head](x))

    def freeze_all_but_attention(self) -> None:
        """Train nothing but attention from now on; frozen norms keep their means, too."""
        self.requires_grad_(False)
        for block in self.blocks:
            block.attention.requires_grad_(True)
        self.frozen = True
        self.train(self.training)

    def train(self, mode: bool = True) -> Self:
        """Training mode, of which frozen layers take no part."""
        super().train(mode)
        if self.frozen:
            for part in (self.tower, self.pointwise):
                part.eval()
        return self

    def _attend(self, x: Float[Tensor, "B L D"]) -> Float[Tensor, "B L D"]:
        for block in self.blocks:
            if self.config.checkpointing and torch.is_grad_enabled():
                x = checkpoint(block, x, use_reentrant=False)
            else:
                x = block(x)
        return x

    def _read(self, x: Float[Tensor, "B L D"], bins: int) -> Float[Tensor, "B b E"]:
        """What the heads read of the bins in the middle."""
        beside = (x.shape[1] - bins) // 2
        x = self.pointwise(x[:, beside : beside + bins].transpose(1, 2)).transpose(1, 2)
        return fast_gelu(F.dropout(x, self.config.dropout / 8, self.training))

    def _renew(
        self, x: Float[Tensor, "D L"], codes: UInt8[Tensor, " W"], place: int, letter: Tensor
    ) -> None:
        """Write into ``x`` the vectors of the bins that another base at ``place`` changes."""
        middle, total = place // self.bin, x.shape[1]
        # Of a stretch cut out, the bins at its ends lack what lies beside them.
        start, stop = max(0, middle - 2 * self.near), min(total, middle + 2 * self.near + 1)
        first, last = max(0, middle - self.near), min(total, middle + self.near + 1)
        stretch = codes[start * self.bin : stop * self.bin].clone()
        stretch[place - start * self.bin] = letter
        part = self.tower(one_hot(stretch[None], x.dtype))[0]
        x[:, first:last] = part[:, first - start : last - start]

    def _convolve(self, bases: Float[Tensor, "B 4 W"]) -> Float[Tensor, "B D L"]:
        wanted = bases.requires_grad or next(self.tower.parameters()).requires_grad
        if self.tower.training or (wanted and torch.is_grad_enabled()):
            return self.tower(bases)
        return self.tower.in_tiles(bases, TILE)


class EnformerBlock(nn.Module):
    """Attention, then a feed-forward layer, each on normalized input and added to it."""

    def __init__(self, config: EnformerConfig, width: int, layer: int) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = TrackAttention(config.attention, width, layer)
        self.feed_norm = nn.LayerNorm(width)
        self.expand = nn.Linear(width, 2 * width)
        self.contract = nn.Linear(2 * width, width)
        self.dropout = config.dropout

    def forward(self, x: Float[Tensor, "B L D"]) -> Float[Tensor, "B L D"]:
        """Bins that know each other better."""
        return self.continued(x, self.attention(self.attention_norm(x)))

    def continued(
        self, x: Float[Tensor, "B L D"], read: Float[Tensor, "B L D"]
    ) -> Float[Tensor, "B L D"]:
        """The rest of the block, after attention has read."""
        x = x + self._drop(read)
        hidden = F.relu(self._drop(self.expand(self.feed_norm(x))))
        return x + self._drop(self.contract(hidden))

    def _drop(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.dropout, self.training)

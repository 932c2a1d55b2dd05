"""Several networks trained side by side, whose logits are averaged.

Shapes: ``M`` members, ``B`` batch, ``D`` width of the representation, ``T`` outputs.
"""

from collections.abc import Iterable
from typing import Literal, cast

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from attendna.models.model import AnyModelConfig, ModelConfig, SequenceModel
from attendna.tokens.tokenizer import TokenBatch, Tokenizer


class EnsembleConfig(ModelConfig):
    """Members of any kind that read the same tokens.

    The same settings given twice differ by their draw of first weights.
    """

    name: Literal["ensemble"] = "ensemble"
    members: tuple[AnyModelConfig, ...] = Field(min_length=1)

    def build(self, tokenizer: Tokenizer, outputs: int) -> "Ensemble":
        """The members, with fresh weights, drawn one after the other."""
        return Ensemble([member.build(tokenizer, outputs) for member in self.members])

    def initialize(self, tokenizer: Tokenizer, outputs: int) -> "Ensemble":
        """The members as each would start alone."""
        return Ensemble([member.initialize(tokenizer, outputs) for member in self.members])


class Ensemble(SequenceModel):
    """The mean of the members' logits."""

    def __init__(self, members: list[SequenceModel]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.width = sum(member.width for member in members)

    @property
    def _each(self) -> Iterable[SequenceModel]:
        return cast("Iterable[SequenceModel]", self.members)

    def embed(self, tokens: TokenBatch) -> Float[Tensor, "B D"]:
        """The members' representations side by side."""
        return torch.cat([member.embed(tokens) for member in self._each], dim=1)

    def member_logits(self, tokens: TokenBatch) -> Float[Tensor, "M B T"]:
        """Logits of each member; an ensemble among them gives a row for each of its own."""
        return torch.cat([member.member_logits(tokens) for member in self._each])

    def forward(self, tokens: TokenBatch) -> Float[Tensor, "B T"]:
        """The mean of the members' logits."""
        return torch.stack([member(tokens) for member in self._each]).mean(0)

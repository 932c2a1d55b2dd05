"""The convolutional baseline of the six-task study with a fully connected layer over all places.

Source: CNN+FC of "Training transformers for genetic sequence tasks", sized as its code is, after
DeepSEA (Zhou and Troyanskaya 2015) and Basset (Kelley et al. 2016).

Shapes: ``B`` batch, ``P`` width of the representation, ``T`` outputs.
"""

from typing import Literal

import torch.nn.functional as F
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from attendna.core.errors import UserError
from attendna.models.layers.heads import Head
from attendna.models.layers.pyramid import Pyramid, PyramidConfig
from attendna.models.model import ModelConfig, SequenceModel
from attendna.tokens.tokenizer import TokenBatch, Tokenizer


class CNNFCConfig(PyramidConfig, ModelConfig):
    """Settings of convolutions with a fully connected layer."""

    name: Literal["cnn_fc"] = "cnn_fc"
    longest: int = Field(default=1024, ge=1)
    """Bases of the longest sequence it can read; what a shorter one lacks is zeros."""
    hidden: int = Field(default=512, ge=1)
    """Width of the representation, which the fully connected layer makes."""
    head_dropout: float = Field(default=0.3, ge=0, lt=1)

    def build(self, tokenizer: Tokenizer, outputs: int) -> "CNNFC":
        """The network, with fresh weights."""
        return CNNFC(self, tokenizer, outputs)


class CNNFC(SequenceModel):
    """Convolutions, whose places laid side by side go through one layer; then a head."""

    def __init__(self, config: CNNFCConfig, tokenizer: Tokenizer, outputs: int) -> None:
        super().__init__()
        self.width = config.hidden
        self.longest = config.longest
        self.pyramid = Pyramid(config, tokenizer)
        self.places = self.pyramid.places(tokenizer.count(config.longest))
        self.connect = nn.Linear(self.places * self.pyramid.width, self.width)
        self.head = Head(self.width, outputs, dropout=config.head_dropout)

    def embed(self, tokens: TokenBatch) -> Float[Tensor, "B P"]:
        """What the fully connected layer makes of all places.

        Raises
        ------
        UserError
            A sequence is too long.
        """
        x, mask = self.pyramid(tokens)
        if x.shape[1] > self.places:
            # What is padding in all sequences may stand further out.
            if mask is None or bool(mask[:, self.places :].any()):
                raise UserError(
                    f"a sequence of {int(tokens.mask.sum(1).max()):,} tokens is longer than the "
                    f"{self.longest:,} bases the model was made for",
                    "raise model.longest and train again, or use cnn_lstm",
                )
            x = x[:, : self.places]
        x = F.pad(x, (0, 0, 0, self.places - x.shape[1]))
        return F.relu(self.connect(x.flatten(1)))

    def forward(self, tokens: TokenBatch) -> Float[Tensor, "B T"]:
        """Logits of each sequence."""
        return self.head(self.embed(tokens))

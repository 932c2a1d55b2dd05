"""The convolutional baseline of the six-task study with an LSTM over the places.

Source: as :mod:`.cnn_fc`; the LSTM after DanQ (Quang and Xie 2016).

Shapes: ``B`` batch, ``P`` width of the representation, ``T`` outputs.
"""

from typing import Literal

from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from attendna.models.layers.heads import Head
from attendna.models.layers.pyramid import Pyramid, PyramidConfig
from attendna.models.layers.recurrence import BothWays
from attendna.models.model import ModelConfig, SequenceModel
from attendna.tokens.tokenizer import TokenBatch, Tokenizer


class CNNLSTMConfig(PyramidConfig, ModelConfig):
    """Settings of convolutions with an LSTM."""

    name: Literal["cnn_lstm"] = "cnn_lstm"
    hidden: int = Field(default=256, ge=1)
    """Width of the LSTM in each direction; the representation has both."""
    head_dropout: float = Field(default=0.3, ge=0, lt=1)

    def build(self, tokenizer: Tokenizer, outputs: int) -> "CNNLSTM":
        """The network, with fresh weights."""
        return CNNLSTM(self, tokenizer, outputs)


class CNNLSTM(SequenceModel):
    """Convolutions, an LSTM in both directions, a head."""

    def __init__(self, config: CNNLSTMConfig, tokenizer: Tokenizer, outputs: int) -> None:
        super().__init__()
        self.pyramid = Pyramid(config, tokenizer)
        self.recurrence = BothWays(self.pyramid.width, config.hidden)
        self.width = self.recurrence.width
        self.head = Head(self.width, outputs, dropout=config.head_dropout)

    def embed(self, tokens: TokenBatch) -> Float[Tensor, "B P"]:
        """What the LSTM knows at either end."""
        return self.recurrence(*self.pyramid(tokens))

    def forward(self, tokens: TokenBatch) -> Float[Tensor, "B T"]:
        """Logits of each sequence."""
        return self.head(self.embed(tokens))

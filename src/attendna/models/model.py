"""What every model is, and the table of those there are.

Shapes: ``B`` batch, ``S`` tokens, ``D`` width of the sequence representation, ``W`` width of a
token's, ``Q`` tokens that are wanted, ``T`` outputs, ``M`` members.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Annotated, Self

from jaxtyping import Bool, Float, Int64
from pydantic import SerializeAsAny
from torch import Tensor, nn

from attendna.core.config import Config, chosen_from
from attendna.core.errors import ConfigError
from attendna.core.registry import Registry
from attendna.tokens.tokenizer import TokenBatch, Tokenizer


class SequenceModel(nn.Module, ABC):
    """A network from tokens to one vector of outputs a sequence.

    What lies beyond a sequence's last token (``mask`` false) never changes its outputs, nor do the
    other sequences of the batch.
    """

    width: int
    """Numbers of a representation."""

    frozen: frozenset[str] = frozenset()
    """Parts, by their names, that are trained no more."""

    def freeze(self, parts: Iterable[str]) -> None:
        """Train these parts no more; their dropout and the means of their norms rest, too."""
        self.frozen = frozenset(parts)
        for part in self.frozen:
            self.get_submodule(part).requires_grad_(False)
        self.train(self.training)

    def train(self, mode: bool = True) -> Self:
        """Training mode, of which frozen parts take no part."""
        super().train(mode)
        for part in self.frozen:
            self.get_submodule(part).eval()
        return self

    @abstractmethod
    def embed(self, tokens: TokenBatch) -> Float[Tensor, "B D"]:
        """The representation of each sequence that the head reads."""

    @abstractmethod
    def forward(self, tokens: TokenBatch) -> Float[Tensor, "B T"]:
        """Logits of each sequence."""

    def member_logits(self, tokens: TokenBatch) -> Float[Tensor, "M B T"]:
        """Logits of each network in the model, to be trained as if it were alone; mostly one."""
        return self(tokens)[None]

    def parameter_count(self) -> int:
        """Trainable numbers in the model."""
        return sum(p.numel() for p in self.parameters() if p.requires_grad)


class TokenModel(SequenceModel):
    """A network that has a vector for each token, of which a language model can be made."""

    token_width: int
    """Numbers of a token's vector."""

    pool: int = 1
    """Tokens of the tokenizer that share a vector."""

    @abstractmethod
    def read(self, tokens: TokenBatch) -> tuple[Float[Tensor, "B S W"], Bool[Tensor, "B S"] | None]:
        """A vector a token, and which are real; none where all are."""

    def read_at(self, tokens: TokenBatch, wanted: Int64[Tensor, "B Q"]) -> Float[Tensor, "B Q W"]:
        """Vectors of the tokens at some places alone, which may cost less."""
        x, _ = self.read(tokens)
        return x.take_along_dim(wanted[..., None], 1)


class ModelConfig(Config):
    """Base of every model's settings: the name chooses the class."""

    name: str

    def build(self, tokenizer: Tokenizer, outputs: int) -> SequenceModel:
        """A freshly initialised model that reads this tokenizer's ids.

        Weights are drawn from torch's generator: seed it before. No file is read, so that a stored
        model is built again wherever it is taken.

        Raises
        ------
        ConfigError
            The model cannot read what this tokenizer gives.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say what it builds")

    def backbone(self, tokenizer: Tokenizer) -> TokenModel:
        """What a language model trains of such a model: all that does not only classify.

        Raises
        ------
        ConfigError
            There is no vector for each token in it.
        """
        del tokenizer
        raise ConfigError(
            f"model {self.name}: only an encoder has tokens of which bases can be told",
            "set model.name to encoder or huggingface",
        )

    def initialize(self, tokenizer: Tokenizer, outputs: int) -> SequenceModel:
        """The model a training starts from: built, then given the weights that come from files."""
        return self.build(tokenizer, outputs)


MODELS: Registry[type[ModelConfig]] = Registry(
    "model",
    {
        "cnn": "attendna.models.cnn:CNNConfig",
        "cnn_fc": "attendna.models.cnn_fc:CNNFCConfig",
        "cnn_lstm": "attendna.models.cnn_lstm:CNNLSTMConfig",
        "encoder": "attendna.models.encoder:EncoderConfig",
        "ensemble": "attendna.models.ensemble:EnsembleConfig",
        "enhancer_attention": "attendna.models.enhancer_attention:EnhancerAttentionConfig",
        "huggingface": "attendna.models.huggingface.model:HuggingfaceConfig",
        "motifs": "attendna.models.motifs:MotifsConfig",
        "segments": "attendna.models.segments:SegmentsConfig",
    },
    group="attendna.models",
)

AnyModelConfig = Annotated[SerializeAsAny[ModelConfig], chosen_from(MODELS)]
"""Field type: the settings of any registered model, chosen by ``name``."""

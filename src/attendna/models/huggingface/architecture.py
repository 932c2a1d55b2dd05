"""What an encoder of the BERT family is made of: the settings of its ``config.json`` that matter.

Names and defaults are those of transformers, but of those only what decides about the arithmetic:
what a file says beyond that is of no use here, and none of it is ever run.
"""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from attendna.core.config import Config
from attendna.core.errors import ConfigError, MissingExtraError

ModelType = Literal["bert", "electra", "roberta"]


class ArchitectureConfig(Config):
    """Sizes and shares of a standard class of transformers."""

    model_type: ModelType
    vocab_size: int | None = Field(default=None, ge=1)
    """Words; none takes as many as the tokens have."""
    hidden_size: int = Field(default=768, ge=1)
    embedding_size: int | None = Field(default=None, ge=1)
    """ELECTRA only: width of the words before the first layer."""
    num_hidden_layers: int = Field(default=12, ge=1)
    num_attention_heads: int = Field(default=12, ge=1)
    intermediate_size: int = Field(default=3072, ge=1)
    hidden_act: Literal["gelu", "gelu_new", "relu", "silu"] = "gelu"
    hidden_dropout_prob: float = Field(default=0.1, ge=0, lt=1)
    attention_probs_dropout_prob: float = Field(default=0.1, ge=0, lt=1)
    classifier_dropout: float | None = Field(default=None, ge=0, lt=1)
    """Of what the head reads; none for ``hidden_dropout_prob``."""
    max_position_embeddings: int = Field(default=512, ge=8)
    type_vocab_size: int = Field(default=2, ge=1)
    initializer_range: float = Field(default=0.02, gt=0)
    layer_norm_eps: float = Field(default=1e-12, gt=0)
    pad_token_id: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.hidden_size % self.num_attention_heads:
            raise ValueError(
                f"hidden_size {self.hidden_size} is no multiple of num_attention_heads "
                f"{self.num_attention_heads}"
            )
        if self.embedding_size is not None and self.model_type != "electra":
            raise ValueError("embedding_size belongs to model_type: electra")
        return self

    @property
    def longest(self) -> int:
        """Tokens that can be read at once, beside [CLS] and [SEP]."""
        # RoBERTa counts positions from behind the id of its padding.
        before = 0 if self.model_type != "roberta" else 1 + (self.pad_token_id or 1)
        return self.max_position_embeddings - before - 2

    def to_transformers(self, vocabulary: int, padding: int, **more: Any) -> Any:
        """The configuration object of transformers.

        Parameters
        ----------
        vocabulary
            Words the tokens have.
        padding
            Id of the padding where the settings name none.

        Raises
        ------
        ConfigError
            ``vocab_size`` is another.
        MissingExtraError
            transformers is not installed.
        """
        if self.vocab_size not in (None, vocabulary):
            raise ConfigError(
                f"model.config.vocab_size is {self.vocab_size}, the tokens have {vocabulary} words",
                "give the vocabulary that belongs to the model, or leave vocab_size out",
            )
        said = {key: value for key, value in self.to_tree().items() if value is not None}
        kind = said.pop("model_type")
        said = {"pad_token_id": padding} | said | {"vocab_size": vocabulary} | more
        return transformers().CONFIG_MAPPING[kind](**said)


def transformers() -> Any:
    """The package.

    Raises
    ------
    MissingExtraError
        It is not installed.
    """
    try:
        import transformers
    except ImportError:
        raise MissingExtraError("transformers", "huggingface", "model: huggingface") from None
    return transformers

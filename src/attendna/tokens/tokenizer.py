"""What every tokenizer is, and the table of those there are.

A tokenizer turns padded uint8 codes into integer ids by tensor arithmetic alone, and says for every
token which bases it covers, so that anything computed per token comes back to bases.

Shapes: ``B`` batch, ``L`` bases, ``S`` tokens.
"""

from dataclasses import dataclass
from typing import Annotated, Protocol, runtime_checkable

from jaxtyping import Bool, Int, Int32, UInt8
from pydantic import SerializeAsAny
from torch import Tensor

from attendna.core.config import Config, chosen_from
from attendna.core.registry import Registry


@dataclass(frozen=True, eq=False)
class TokenBatch:
    """Token ids with the mask of real tokens and the bases each covers.

    ``spans[b, s]`` is (start, end) in bases of the given sequence, half-open; a padded token has
    an empty span.
    """

    ids: Int32[Tensor, "B S"]
    mask: Bool[Tensor, "B S"]
    spans: Int32[Tensor, "B S 2"]


@runtime_checkable
class Tokenizer(Protocol):
    """Turns codes into tokens."""

    @property
    def vocabulary_size(self) -> int:
        """Ids lie in ``range(vocabulary_size)``."""
        ...

    @property
    def minimum_length(self) -> int:
        """Bases of the shortest sequence that gives one token."""
        ...

    def count(self, length: int) -> int:
        """Tokens of a sequence of ``length`` bases."""
        ...

    def __call__(self, codes: UInt8[Tensor, "B L"], lengths: Int[Tensor, " B"]) -> TokenBatch:
        """Tokenize padded codes; bases from ``lengths`` on are padding whatever they hold."""
        ...


class TokenizerConfig(Config):
    """Base of every tokenizer's settings: the name chooses the class."""

    name: str

    def build(self) -> Tokenizer:
        """The tokenizer these settings describe."""
        raise NotImplementedError(f"{type(self).__name__} does not say what it builds")


TOKENIZERS: Registry[type[TokenizerConfig]] = Registry(
    "tokenizer",
    {
        "kmer": "attendna.tokens.kmer:KmerConfig",
        "onehot": "attendna.tokens.onehot:OneHotConfig",
        "patch": "attendna.tokens.patch:PatchConfig",
    },
    group="attendna.tokenizers",
)

AnyTokenizerConfig = Annotated[SerializeAsAny[TokenizerConfig], chosen_from(TOKENIZERS)]
"""Field type: the settings of any registered tokenizer, chosen by ``name``."""

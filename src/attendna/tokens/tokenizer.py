"""What every tokenizer is, and the table of those there are.

A tokenizer turns padded uint8 codes into integer ids, and says for every token which bases it
covers, so that anything computed per token comes back to bases. Most do it by tensor arithmetic
alone; one that cannot looks up what it has read before, see :func:`read_ahead`.

Shapes: ``B`` batch, ``L`` bases, ``S`` tokens.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Protocol, runtime_checkable

from jaxtyping import Bool, Int, Int32, UInt8
from pydantic import SerializeAsAny
from torch import Tensor

from attendna.core.config import Config, chosen_from
from attendna.core.registry import Registry
from attendna.genome.sequences import SequenceBatch


@dataclass(frozen=True, eq=False)
class TokenBatch:
    """Token ids with the mask of real tokens and the bases each covers."""

    ids: Int32[Tensor, "B S"]
    mask: Bool[Tensor, "B S"]
    locate: Callable[[], Int32[Tensor, "B S 2"]]
    """Computes ``spans``: training never asks for them, and they cost as much as the ids."""

    @cached_property
    def spans(self) -> Int32[Tensor, "B S 2"]:
        """Start and end of every token in bases of its sequence, half-open.

        A padded token has an empty span.
        """
        return self.locate()


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
        """Tokens of a sequence of ``length`` bases; the most there can be, if words vary."""
        ...

    def __call__(self, codes: UInt8[Tensor, "B L"], lengths: Int[Tensor, " B"]) -> TokenBatch:
        """Tokenize padded codes; bases from ``lengths`` on are padding whatever they hold."""
        ...


@runtime_checkable
class ReadsAhead(Protocol):
    """A tokenizer that is faster on sequences it was shown before."""

    def read_ahead(self, sequences: SequenceBatch, *, both_strands: bool) -> None:
        """Prepare for these sequences, and their reverse complements if they are read, too."""
        ...


def read_ahead(tokenizer: Tokenizer, sequences: SequenceBatch, *, both_strands: bool) -> None:
    """Show a tokenizer, if it cares, the sequences it will be asked for again and again."""
    if isinstance(tokenizer, ReadsAhead):
        tokenizer.read_ahead(sequences, both_strands=both_strands)


class TokenizerConfig(Config):
    """Base of every tokenizer's settings: the name chooses the class."""

    name: str

    def build(self) -> Tokenizer:
        """The tokenizer these settings describe."""
        raise NotImplementedError(f"{type(self).__name__} does not say what it builds")


TOKENIZERS: Registry[type[TokenizerConfig]] = Registry(
    "tokenizer",
    {
        "bpe": "attendna.tokens.bpe:BPEConfig",
        "kmer": "attendna.tokens.kmer:KmerConfig",
        "onehot": "attendna.tokens.onehot:OneHotConfig",
        "patch": "attendna.tokens.patch:PatchConfig",
    },
    group="attendna.tokenizers",
)

AnyTokenizerConfig = Annotated[SerializeAsAny[TokenizerConfig], chosen_from(TOKENIZERS)]
"""Field type: the settings of any registered tokenizer, chosen by ``name``."""

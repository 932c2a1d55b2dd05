"""Which words of a window a language model does not get to see.

Byte-pair words do not overlap, so that none gives another away. Source: Devlin et al. 2019, BERT.

Shapes: ``B`` batch, ``S`` words.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from attendna.tokens.bpe import BPETokenizer
from attendna.tokens.tokenizer import TokenBatch
from attendna.training.pretraining.config import MaskingConfig


class MaskedWords(NamedTuple):
    """Words with some hidden."""

    tokens: TokenBatch
    """What the model reads, each word where it was."""
    hidden: Bool[Tensor, "B S"]
    """Words that it is asked for."""


def hide_words(
    tokens: TokenBatch, tokenizer: BPETokenizer, config: MaskingConfig, generator: torch.Generator
) -> MaskedWords:
    """Hide each real word with the chance ``rate``: as [MASK], as another, or as it is."""
    ids = tokens.ids

    def chance() -> Float[Tensor, "B S"]:
        return torch.rand(ids.shape, generator=generator, device=ids.device)

    hidden, fate = (chance() < config.rate) & tokens.mask, chance()
    spoken = tokenizer.spoken.to(ids)
    others = torch.randint(len(spoken), ids.shape, generator=generator, device=ids.device)
    masked = hidden & (fate < config.mask)
    replaced = hidden & ~masked & (fate < config.mask + config.random)
    read = ids.masked_fill(masked, tokenizer.mask_id).where(~replaced, spoken[others])
    return MaskedWords(TokenBatch(read, tokens.mask, tokens.locate), hidden)

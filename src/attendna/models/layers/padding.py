"""What is real and what is padding, told to every layer in the same way.

A mask is true at real tokens; ``None`` says that every token is real, and then no layer spends time
on padding.

Shapes: ``B`` batch, ``S`` tokens, ``D`` width.
"""

from jaxtyping import Bool, Float, Int32
from torch import Tensor

from attendna.tokens.tokenizer import TokenBatch

# For signatures in which the tokens of an array and of its mask are the same.
Mask = Bool[Tensor, "B S"] | None


def real_tokens(tokens: TokenBatch) -> tuple[Int32[Tensor, "B S"], Mask]:
    """Ids and mask of a batch; sequences of one length lose their padding and need no mask."""
    ids, mask = tokens.ids, tokens.mask
    if mask.shape[1] == 0:
        return ids, None
    shortest, longest = mask.sum(1).aminmax()
    if int(shortest) == int(longest):
        return ids[:, : int(longest)], None
    return ids, mask


def hide_padding(x: Float[Tensor, "B S D"], mask: Mask) -> Float[Tensor, "B S D"]:
    """Padded places set to zero."""
    return x if mask is None else x.masked_fill(~mask[..., None], 0.0)

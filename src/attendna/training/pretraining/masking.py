"""What of a window a language model does not get to see.

Bases are hidden, not tokens: a hidden base is read as N, and so every word that holds one becomes
the unknown id, which is thus the mask id of all fixed words. Overlapping words beside a hidden
stretch do not reach into it. What is not masked but replaced is replaced by bases, too, so that
overlapping words agree on it.

Shapes: ``B`` batch, ``L`` bases.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Int64, UInt8
from torch import Tensor

from attendna.genome.alphabet import N
from attendna.models.language import Words
from attendna.training.pretraining.config import MaskingConfig


class Masked(NamedTuple):
    """Windows with a part hidden."""

    codes: UInt8[Tensor, "B L"]
    """What the model reads."""
    hidden: Bool[Tensor, "B L"]
    """Bases that it is asked for."""


def hide(
    codes: UInt8[Tensor, "B L"], words: Words, config: MaskingConfig, generator: torch.Generator
) -> Masked:
    """Hide a part of each window, on the device it lies on.

    Parameters
    ----------
    words
        How the tokenizer reads bases.
    """
    hidden, first = draw_hidden(codes, words, config, generator)
    # One fate for a stretch: that of its first base.
    fate = torch.rand(codes.shape, generator=generator, device=codes.device).gather(1, first)
    masked = hidden & (fate < config.mask)
    replaced = hidden & ~masked & (fate < config.mask + config.random)
    others = torch.randint(
        0, 4, codes.shape, generator=generator, device=codes.device, dtype=torch.uint8
    )
    return Masked(codes.masked_fill(masked, int(N)).where(~replaced, others), hidden)


def draw_hidden(
    codes: UInt8[Tensor, "B L"], words: Words, config: MaskingConfig, generator: torch.Generator
) -> tuple[Bool[Tensor, "B L"], Int64[Tensor, "B L"]]:
    """Which bases are hidden, and of each the first base of its stretch."""
    if config.span is None and not words.overlap:
        return _whole_words(codes, words, config.rate, generator)
    return _stretches(codes, config.span or words.size, config.rate, generator)


def _whole_words(
    codes: UInt8[Tensor, "B L"], words: Words, rate: float, generator: torch.Generator
) -> tuple[Bool[Tensor, "B L"], Int64[Tensor, "B L"]]:
    """Words at the stride of the tokenizer, each hidden with the chance ``rate``."""
    columns = torch.arange(codes.shape[1], device=codes.device)
    first = (columns // words.stride * words.stride).expand(codes.shape)
    drawn = torch.rand(codes.shape, generator=generator, device=codes.device) < rate
    # Where words stand apart, what lies between them is read by nobody.
    return drawn.gather(1, first) & (columns % words.stride < words.size), first


def _stretches(
    codes: UInt8[Tensor, "B L"], span: int, rate: float, generator: torch.Generator
) -> tuple[Bool[Tensor, "B L"], Int64[Tensor, "B L"]]:
    """Stretches of ``span`` bases that begin anywhere and may run into each other.

    Each base begins one with the chance that leaves a share ``rate`` of all bases hidden.
    """
    rows, length = codes.shape
    begins = 1 - (1 - rate) ** (1 / span)
    # Stretches that begin before the window reach into it, or its first bases would be hidden less.
    drawn = torch.rand((rows, length + span - 1), generator=generator, device=codes.device)
    columns = torch.arange(1 - span, length, device=codes.device)
    last = columns.where(drawn < begins, -2 * span).cummax(1).values[:, span - 1 :]
    hidden = columns[span - 1 :] - last < span
    return hidden, last.clamp(min=0)

"""Distances between tokens: features that describe them, and products with them put in place.

The features are Enformer's: decays, masks and bumps of many widths.

Source: Avsec et al. 2021, "Effective gene expression prediction from sequence by integrating
long-range interactions", and its code.

Shapes: ``R`` distances, ``F`` features, ``f`` features of one kind, ``B`` batch, ``H`` heads, ``L``
tokens.
"""

import math
from functools import lru_cache
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

GammaScale = Literal["distances", "features"]
"""What the greatest value of the bumps is taken over, which they are divided by: each feature's own
over all distances, as in Enformer, or each distance's own over all features, as the widely used
PyTorch port does unless told otherwise."""

KINDS = 6
"""Kinds of features: three, each for either direction alike and for the two apart."""


@lru_cache(maxsize=8)
def relative_features(
    reach: int, count: int, span: int, gamma: GammaScale = "distances"
) -> Float[Tensor, "R F"]:
    """Features of the distances from ``1 - reach`` to ``reach - 1`` tokens.

    Parameters
    ----------
    reach
        Tokens of the sequence.
    count
        Features in all, a multiple of :data:`KINDS`.
    span
        Tokens that the widths of the features are spread over; those of the sequences that the
        weights were learned on.

    Raises
    ------
    ValueError
        ``count`` is no multiple of six.
    """
    if count % KINDS:
        raise ValueError(f"{count} features are no multiple of {KINDS}")
    each = count // KINDS
    distances = torch.arange(1 - reach, reach, dtype=torch.float32)
    apart = distances.abs()[:, None]
    symmetric = torch.cat(
        [_decays(apart, each, span), _masks(apart, each), _bumps(apart, each, span, gamma)], dim=1
    )
    return torch.cat([symmetric, distances.sign()[:, None] * symmetric], dim=1)


def _decays(apart: Float[Tensor, "R 1"], count: int, span: int) -> Float[Tensor, "R f"]:
    half_lives = 2.0 ** torch.linspace(3.0, math.log2(span), count)
    return torch.exp2(-apart / half_lives)


def _masks(apart: Float[Tensor, "R 1"], count: int) -> Float[Tensor, "R f"]:
    widths = 2.0 ** torch.arange(1, count + 1) - 1
    return (widths > apart).to(torch.float32)


def _bumps(
    apart: Float[Tensor, "R 1"], count: int, span: int, gamma: GammaScale
) -> Float[Tensor, "R f"]:
    """Densities of gamma distributions, with their means evenly spread."""
    deviation = span / (2 * count)
    mean = torch.linspace(span / count, span, count)
    shape, rate = (mean / deviation) ** 2, mean / deviation**2
    log_density = (
        torch.xlogy(shape - 1, apart) - rate * apart - torch.lgamma(shape) + shape * rate.log()
    )
    density = log_density.exp() + 1e-8
    return density / density.amax(0 if gamma == "distances" else 1, keepdim=True)


def shift_relative(products: Float[Tensor, "B H L R"]) -> Float[Tensor, "B H L L"]:
    """Of each query's products with all distances, those of the keys there are.

    A view: query ``i`` begins at distance ``-i``, one place before the query ahead of it.
    """
    products = products.contiguous()
    batch, heads, length, width = products.shape
    return products.as_strided(
        (batch, heads, length, length),
        (heads * length * width, length * width, width - 1, 1),
        products.storage_offset() + length - 1,
    )

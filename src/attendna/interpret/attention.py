"""Who reads whom in a trained model: the weights of its attention, token by token and base by base.

Attention says where a layer looks, not what the prediction follows from; mutate bases
(:mod:`attendna.interpret.mutagenesis`) to learn that.

Shapes: ``H`` heads, ``Q`` tokens that read, ``S`` tokens that are read, ``n`` tokens of the
tokenizer, ``L`` bases.

Source of rollout: Abnar and Zuidema 2020, "Quantifying attention flow in transformers".
"""

import contextlib
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from jaxtyping import Float, Float64, Int64, UInt8
from numpy import ndarray
from torch import Tensor, nn

from attendna.core.errors import ConfigError
from attendna.models.encoder import Encoder
from attendna.models.enhancer_attention import EnhancerAttention, OneQueryAttention
from attendna.models.ensemble import Ensemble
from attendna.models.huggingface.model import HuggingfaceModel
from attendna.models.layers.attention import SelfAttention
from attendna.models.model import SequenceModel
from attendna.tokens.tokenizer import TokenBatch, Tokenizer

_THEIRS = "SelfAttention"
"""How the classes of transformers are called whose second output are weights."""


@dataclass(frozen=True, eq=False)
class AttentionMaps:
    """The attention of one network on one sequence.

    layers
        Of each layer, how much of each token (last) every reader reads, by each head; rows sum to
        one.
    spans
        Start and end of every token that is read, in bases, half-open; empty of a learned one.
    reader
        The row of the reader that the prediction is made of; none where all tokens are pooled.
    """

    layers: tuple[Float64[ndarray, "H Q S"], ...]
    spans: Int64[ndarray, "S 2"]
    reader: int | None

    def read(self) -> Float64[ndarray, " S"]:
        """How much of each token is read in the last layer, on average over heads: by the learned
        token where there is one, else on average over all."""
        return self._read_of(self.layers[-1].mean(axis=0))

    def rollout(self) -> Float64[ndarray, " S"]:
        """The same through all layers, each of which half keeps what a token was."""
        if self.layers[0].shape[1] == 1:
            return self.read()
        flow = np.eye(len(self.spans))
        for layer in self.layers:
            flow = (layer.mean(axis=0) / 2 + np.eye(len(self.spans)) / 2) @ flow
        return self._read_of(flow)

    def _read_of(self, weights: Float64[ndarray, "Q S"]) -> Float64[ndarray, " S"]:
        return weights.mean(axis=0) if self.reader is None else weights[self.reader]

    def to_bases(self, weights: Float64[ndarray, " S"], length: int) -> Float64[ndarray, " L"]:
        """Weights of tokens laid evenly on the bases of each; that of learned tokens is left out.

        What lies on all bases sums to the weight of all tokens that have some.
        """
        starts, ends = self.spans.T
        sizes = ends - starts
        density = np.where(sizes > 0, weights / np.maximum(sizes, 1), 0.0)
        steps = np.zeros(length + 1)
        np.add.at(steps, starts, density)
        np.add.at(steps, ends, -density)
        # What is left of a difference of equal sums is no attention.
        return np.maximum(np.cumsum(steps)[:length], 0.0)


def attention_maps(
    model: SequenceModel, tokenizer: Tokenizer, codes: UInt8[Tensor, " L"], name: str = ""
) -> list[AttentionMaps]:
    """The attention of each network of a model on one sequence, read as it is given.

    The model computes as it always does; weights that it never holds are computed beside it.

    Parameters
    ----------
    name
        What the model is called in messages.

    Raises
    ------
    ConfigError
        A network has no attention between the tokens of a sequence.
    """
    tokens = tokenizer(codes[None], torch.tensor([len(codes)], device=codes.device))
    return [_maps_of(network, tokens, name) for network in networks(model)]


def networks(model: SequenceModel) -> Iterator[SequenceModel]:
    """The networks that a model is made of."""
    if not isinstance(model, Ensemble):
        yield model
        return
    for member in cast("Iterable[SequenceModel]", model.members):
        yield from networks(member)


def _maps_of(network: SequenceModel, tokens: TokenBatch, name: str) -> AttentionMaps:
    if not isinstance(network, Encoder | EnhancerAttention | HuggingfaceModel):
        raise ConfigError(
            f"{name}: a {type(network).__name__} has no attention between the tokens of a sequence",
            "choose a run of an encoder, enhancer_attention or huggingface model",
        )
    spans = tokens.spans[0, tokens.mask[0]].long().cpu().numpy()
    if isinstance(network, HuggingfaceModel) and len(spans) > network.longest:
        raise ConfigError(
            f"{name} reads {len(spans)} tokens in windows, which do not read each other",
            f"give sequences of {network.longest} tokens at most",
        )
    with _evaluating(network), _watched(network) as found, torch.no_grad():
        network(tokens)
    layers = tuple(weights[0].double().cpu().numpy() for weights in found)
    if isinstance(network, Encoder):
        spans = pooled_spans(spans, network.pool)
    learned = layers[0].shape[2] - len(spans)
    # [CLS] stands before all tokens, [SEP] behind; the light model's learned token reads alone.
    before = 0 if isinstance(network, EnhancerAttention) else min(learned, 1)
    framed = np.pad(spans, ((before, learned - before), (0, 0)))
    return AttentionMaps(layers, framed, 0 if learned else None)


def pooled_spans(spans: Int64[ndarray, "n 2"], pool: int) -> Int64[ndarray, "S 2"]:
    """The bases of every ``pool`` tokens that share a vector."""
    first = np.arange(0, len(spans), pool)
    last = np.minimum(first + pool, len(spans)) - 1
    return np.stack([spans[first, 0], spans[last, 1]], axis=1)


@contextlib.contextmanager
def _watched(network: SequenceModel) -> Generator[list[Float[Tensor, "B H Q S"]]]:
    """Gives the weights of every attention layer that computes, in their order."""
    found: list[Tensor] = []

    def compute(layer: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        weights = layer.weights(*arguments, **named)
        # A single reader has no axis of readers.
        found.append(weights if weights.dim() == 4 else weights[:, :, None])

    def take(layer: nn.Module, arguments: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
        del layer, arguments
        found.append(output[1])

    handles: list[Any] = []
    for layer in network.modules():
        if isinstance(layer, SelfAttention | OneQueryAttention):
            handles.append(layer.register_forward_pre_hook(compute, with_kwargs=True))
        elif isinstance(network, HuggingfaceModel) and type(layer).__name__.endswith(_THEIRS):
            handles.append(layer.register_forward_hook(take))
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()


@contextlib.contextmanager
def _evaluating(network: SequenceModel) -> Generator[None]:
    """Read token by token, without dropout; afterwards as before."""
    training = network.training
    with contextlib.ExitStack() as after:
        after.callback(network.train, training)
        network.eval()
        if isinstance(network, EnhancerAttention):
            # Counts of words give the same output, but do not say where a word stands.
            after.callback(setattr, network, "reads_counts", network.reads_counts)
            network.reads_counts = False
        elif isinstance(network, HuggingfaceModel):
            # Of the ways that transformers has, the one that holds the weights.
            body: Any = network.body
            after.callback(body.set_attn_implementation, body.config._attn_implementation)
            body.set_attn_implementation("eager")
        yield

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from attendna.core.errors import ConfigError
from attendna.interpret.attention import AttentionMaps, attention_maps, networks, pooled_spans
from attendna.models.encoder import Encoder, EncoderConfig
from attendna.models.enhancer_attention import EnhancerAttention, EnhancerAttentionConfig
from attendna.models.ensemble import EnsembleConfig
from attendna.models.huggingface.model import HuggingfaceConfig
from attendna.models.layers.attention import SelfAttention
from attendna.models.layers.positions import rotate
from attendna.tokens.kmer import KmerConfig
from attendna.tokens.onehot import OneHotConfig
from attendna.tokens.tokenizer import Tokenizer

CODES = torch.from_numpy(np.random.default_rng(0).integers(0, 4, 31).astype(np.uint8))
ENCODER: dict[str, Any] = {
    "stem": {"name": "convolution", "kernel": 3, "pool": 4, "mix": None},
    "width": 12, "blocks": 2, "heads": 3,
}  # fmt: skip
POSITIONS = ["none", "absolute", "sinusoidal", "rotary", "relative"]


def encoder(**settings: Any) -> tuple[Encoder, Tokenizer]:
    tokenizer = OneHotConfig().build()
    torch.manual_seed(1)
    return EncoderConfig(**ENCODER, **settings).build(tokenizer, 1).double().eval(), tokenizer


def plain(layer: SelfAttention, x: torch.Tensor, places: Any) -> torch.Tensor:
    """Attention as the books write it, query by query, without positions but rotary ones."""
    width = x.shape[1]
    x = x.detach()
    query, key, _ = (x @ layer.project.weight.T + layer.project.bias).detach().split(width, dim=1)
    rows = []
    for head in range(layer.heads):
        part = slice(head * width // layer.heads, (head + 1) * width // layer.heads)
        q, k = query[:, part], key[:, part]
        if places is not None:
            q, k = rotate(q, places), rotate(k, places)
        scores = [[float(a @ b) / math.sqrt(q.shape[1]) for b in k] for a in q]
        rows.append(torch.tensor(scores, dtype=torch.float64).softmax(1))
    return torch.stack(rows)


@pytest.mark.parametrize("positions", ["none", "rotary"])
def test_weights_are_those_of_the_books(positions: str) -> None:
    model, tokenizer = encoder(positions=positions, pooling="cls")
    (found,) = attention_maps(model, tokenizer, CODES)
    seen: list[Any] = []
    layers = [block.attention for block in model.blocks]
    for layer in layers:
        layer.register_forward_pre_hook(lambda _, args: seen.append(args))
    with torch.no_grad():
        model(tokenizer(CODES[None], torch.tensor([31])))
    for layer, (x, _, places, *_), weights in zip(layers, seen, found.layers, strict=True):
        expected = plain(layer, x[0], places).numpy()
        assert np.abs(weights - expected).max() < 1e-12


@pytest.mark.parametrize("positions", POSITIONS)
@pytest.mark.parametrize("pooling", ["cls", "mean"])
def test_what_is_read_by_the_weights_is_what_the_layer_reads(positions: str, pooling: str) -> None:
    model, tokenizer = encoder(positions=positions, pooling=pooling)
    (found,) = attention_maps(model, tokenizer, CODES)
    seen: list[Any] = []
    last = model.blocks[-1].attention
    last.register_forward_hook(lambda _, args, output: seen.append((args[0], output)))
    with torch.no_grad():
        model(tokenizer(CODES[None], torch.tensor([31])))
        x, output = seen[0]
        value = last.project(x[0]).chunk(3, dim=1)[2].unflatten(1, (3, 4)).transpose(0, 1)
        mixed = torch.from_numpy(found.layers[-1]) @ value
        again = last.merge(mixed.transpose(0, 1).flatten(1))
    # Of the last layer only the reader is computed, where there is one.
    assert (again[: output.shape[1]] - output[0]).abs().max() < 1e-12
    assert found.reader == (0 if pooling == "cls" else None)


@pytest.mark.parametrize("positions", POSITIONS[:1] + POSITIONS[3:])
@pytest.mark.parametrize("heads", [1, 2])
@pytest.mark.parametrize("pooling", ["cls", "mean"])
def test_the_light_model_tells_what_it_reads(positions: str, heads: int, pooling: str) -> None:
    tokenizer = KmerConfig(k=3).build()
    torch.manual_seed(1)
    config = EnhancerAttentionConfig(width=8, heads=heads, positions=positions, pooling=pooling)
    model = config.build(tokenizer, 1).double().eval()
    before, counted = model(tokenizer(CODES[None], torch.tensor([31]))), model.reads_counts
    (found,) = attention_maps(model, tokenizer, CODES)
    assert model.reads_counts is counted
    assert torch.equal(model(tokenizer(CODES[None], torch.tensor([31]))), before)
    (layer,) = found.layers
    assert layer.shape == (heads, 1 if pooling == "cls" else 29, 29 + (pooling == "cls"))
    assert np.abs(layer.sum(axis=2) - 1).max() < 1e-12
    assert found.spans[:29].tolist() == [[place, place + 3] for place in range(29)]
    if pooling == "cls":
        assert_reads(model, tokenizer, found)


def assert_reads(model: EnhancerAttention, tokenizer: Tokenizer, found: AttentionMaps) -> None:
    """The weights, applied to the values of the tokens, give what the model pools."""
    one: Any = model.attention
    tokens = tokenizer(CODES[None], torch.tensor([31]))
    items = torch.cat([model.table(tokens.ids[0].long()), one.token[None]])
    value = nn.functional.linear(
        items, one.project.weight.chunk(3)[2], one.project.bias.chunk(3)[2]
    )
    heads = value.unflatten(1, (len(one.owned), -1)).transpose(0, 1)
    mixed = (torch.from_numpy(found.layers[0]) @ heads)[:, 0].flatten()
    assert (mixed - model.embed(tokens)[0]).abs().max() < 1e-12


def test_spans_lead_back_to_bases() -> None:
    model, tokenizer = encoder(pooling="cls")
    (found,) = attention_maps(model, tokenizer, CODES)
    assert found.spans[:3].tolist() == [[0, 0], [0, 4], [4, 8]]
    assert found.spans[-1].tolist() == [28, 31]
    weights = found.read()
    assert weights.sum() == pytest.approx(1)
    bases = found.to_bases(weights, 31)
    assert bases.sum() == pytest.approx(1 - weights[0])
    assert bases[:4] == pytest.approx([weights[1] / 4] * 4)
    assert bases[28:] == pytest.approx([weights[-1] / 3] * 3)


def test_words_that_overlap_share_their_bases() -> None:
    maps = AttentionMaps((np.full((1, 1, 2), 0.5),), np.array([[0, 3], [1, 4]]), 0)
    assert maps.to_bases(np.array([0.3, 0.6]), 5) == pytest.approx([0.1, 0.3, 0.3, 0.2, 0])


def test_rollout_goes_through_all_layers() -> None:
    first, second = np.array([[[0.0, 1], [1, 0]]]), np.array([[[1.0, 0], [0.5, 0.5]]])
    maps = AttentionMaps((first, second), np.array([[0, 1], [1, 2]]), None)
    half = np.eye(2) / 2
    by_hand = (second[0] / 2 + half) @ (first[0] / 2 + half)
    assert maps.rollout() == pytest.approx(by_hand.mean(axis=0))
    assert maps.rollout().sum() == pytest.approx(1)
    assert maps.read() == pytest.approx([0.75, 0.25])
    learned = AttentionMaps((first, second), np.array([[0, 0], [0, 1]]), 0)
    assert learned.rollout() == pytest.approx(by_hand[0])


def test_the_last_tokens_may_be_fewer() -> None:
    spans = np.array([[0, 1], [1, 2], [2, 3]])
    assert pooled_spans(spans, 2).tolist() == [[0, 2], [2, 3]]
    assert pooled_spans(spans, 1).tolist() == spans.tolist()


def test_every_member_is_looked_at_and_others_are_refused() -> None:
    member = {"name": "encoder", **ENCODER}
    tokenizer = OneHotConfig().build()
    both = EnsembleConfig(members=(member, {"name": "cnn", "width": 4, "blocks": 1}))
    model = both.build(tokenizer, 1)
    assert len(list(networks(model))) == 2
    with pytest.raises(ConfigError, match="mine: a CNN has no attention"):
        attention_maps(model, tokenizer, CODES, "mine")
    alike = EnsembleConfig(members=(member, member)).build(tokenizer, 1).train()
    one, other = attention_maps(alike, tokenizer, CODES)
    assert alike.training
    assert np.abs(one.layers[0] - other.layers[0]).max() > 0


@pytest.mark.parametrize("kind", ["bert", "electra", "roberta"])
def test_models_of_transformers_are_looked_at_as_they_are(kind: str) -> None:
    tokenizer = KmerConfig(k=3).build()
    sizes = {"hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2}
    tree = {"model_type": kind, "intermediate_size": 8, "max_position_embeddings": 40, **sizes}
    torch.manual_seed(1)
    model = HuggingfaceConfig(config=tree).build(tokenizer, 1).double().eval()
    tokens = tokenizer(CODES[None], torch.tensor([31]))
    before = model(tokens)
    (found,) = attention_maps(model, tokenizer, CODES)
    assert [layer.shape for layer in found.layers] == [(2, 31, 31)] * 2
    assert all(np.abs(layer.sum(axis=2) - 1).max() < 1e-12 for layer in found.layers)
    assert found.spans[[0, 1, 29, 30]].tolist() == [[0, 0], [0, 3], [28, 31], [0, 0]]
    assert found.reader == 0
    assert model.body.config._attn_implementation == "sdpa"
    assert torch.equal(model(tokens), before)
    with pytest.raises(ConfigError, match="mine reads 62 tokens in windows"):
        attention_maps(model, tokenizer, CODES.repeat(3)[:64], "mine")

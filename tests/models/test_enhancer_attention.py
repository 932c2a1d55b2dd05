"""The light enhancer model against a plain reading of its description."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from attendna.core.errors import ConfigError, DataError
from attendna.models.checkpoint import Checkpoint, InputContract, load, save
from attendna.models.enhancer_attention import (
    EnhancerAttention,
    EnhancerAttentionConfig,
    OneQueryAttention,
    token_counts,
)
from attendna.models.layers.positions import (
    NoPositionsConfig,
    RelativeConfig,
    RotaryConfig,
    rotate,
)
from attendna.tokens.kmer import KmerConfig
from attendna.tokens.onehot import OneHotConfig
from attendna.tokens.tokenizer import TokenBatch

LENGTHS = [40, 4, 23, 31]


def build(k: int = 4, outputs: int = 1, **settings: Any) -> EnhancerAttention:
    return EnhancerAttentionConfig(**settings).build(KmerConfig(k=k).build(), outputs)


def tokens(k: int = 4) -> TokenBatch:
    codes = torch.randint(0, 4, (4, 44), dtype=torch.uint8)
    codes[0, 7] = 4
    return KmerConfig(k=k).build()(codes, torch.tensor(LENGTHS))


def published(model: EnhancerAttention, batch: TokenBatch) -> Tensor:
    """The paper's model, sequence by sequence: every token's vector, [CLS] appended at the end,
    queries, keys and values of all of them, the full matrix of weights, the output of the last."""
    layer = model.attention
    assert isinstance(layer, OneQueryAttention)
    classifier = model.head.layers[-1]
    logits: list[Tensor] = []
    for ids, mask in zip(batch.ids, batch.mask, strict=True):
        x = torch.cat([model.table.weight[ids[mask].long()], layer.token[None]])
        query, key, value = layer.project(x).chunk(3, dim=1)
        weights = (query @ key.T / math.sqrt(query.shape[1])).softmax(dim=1)
        logits.append(classifier((weights @ value)[-1]))
    return torch.stack(logits)


def test_it_has_the_published_number_of_parameters() -> None:
    model = build()
    assert model.parameter_count() == 30_501
    assert model.reads_counts
    assert not model.table.weight.requires_grad


# 4-mers are counted, 6-mers looked up one by one.
@pytest.mark.parametrize("k", [4, 6])
def test_its_logits_and_gradients_are_those_of_the_published_arithmetic(k: int) -> None:
    model, batch = build(k, embedding="learned").double(), tokens(k)
    assert model.reads_counts == (k == 4)
    target = torch.tensor([[1.0], [0], [0], [1]], dtype=torch.float64)
    gradients: list[list[Tensor]] = []
    outputs: list[Tensor] = []
    for forward in (model, lambda batch: published(model, batch)):
        model.zero_grad()
        logits = forward(batch)
        F.binary_cross_entropy_with_logits(logits, target).backward()
        outputs.append(logits.detach())
        gradients.append([p.grad.clone() for p in model.parameters() if p.grad is not None])
    torch.testing.assert_close(*outputs, atol=1e-12, rtol=0)
    assert len(gradients[0]) == 6
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, atol=1e-12, rtol=1e-9)


def test_single_precision_comes_within_a_millionth() -> None:
    model, batch = build(), tokens()
    torch.testing.assert_close(model(batch), published(model, batch), atol=1e-6, rtol=0)


@torch.no_grad()
def test_counting_and_looking_up_agree() -> None:
    for heads in (1, 4):
        model, batch = build(heads=heads, outputs=3), tokens()
        counted = model(batch)
        model.reads_counts = False
        torch.testing.assert_close(model(batch), counted, atol=1e-6, rtol=0)


def test_tokens_are_counted_without_padding() -> None:
    batch = tokens()
    counts = token_counts(batch, 257, torch.float32)
    assert counts.sum(1).tolist() == [37, 1, 20, 28]
    for row, (ids, mask) in enumerate(zip(batch.ids, batch.mask, strict=True)):
        expected = torch.bincount(ids[mask], minlength=257)
        assert counts[row].tolist() == expected.tolist()
    # Four words hold the one unknown base.
    assert counts[0, 256] == 4


@pytest.mark.parametrize("rotary", [False, True])
@torch.no_grad()
def test_several_heads_equal_attention_head_by_head(rotary: bool) -> None:
    positions = (RotaryConfig() if rotary else NoPositionsConfig()).build(12, 4)
    layer, x, lengths = OneQueryAttention(12, 3, positions), torch.randn(2, 9, 12), (9, 5)
    rotation = positions.places(9, x.device)
    mask = torch.arange(9) < torch.tensor(lengths)[:, None]
    read = layer(x, torch.zeros(2, 9).masked_fill(~mask, float("-inf")), rotation)
    for row, length in enumerate(lengths):
        items = x[row, :length]
        for head in range(3):
            part = slice(4 * head, 4 * head + 4)
            query, own_key, own_value = (x[part] for x in layer.project(layer.token).chunk(3))
            keys, values = (x[:, part] for x in layer.project(items).chunk(3, dim=1)[1:])
            if rotation is not None:
                keys = rotate(keys, type(rotation)(*(table[:length] for table in rotation)))
            keys = torch.cat([keys, own_key[None]])
            values = torch.cat([values, own_value[None]])
            expected = (keys @ query / 2).softmax(0) @ values
            torch.testing.assert_close(read[row, part], expected, atol=1e-6, rtol=0)


@torch.no_grad()
def test_distances_enter_its_scores_as_they_do_those_of_any_layer() -> None:
    """The learned token reads as a first token would, but for its own score."""
    positions = RelativeConfig(span=4).build(12, 4).double()
    layer = OneQueryAttention(12, 3, positions).double()
    x, lengths = torch.randn(2, 9, 12, dtype=torch.float64), (9, 5)
    mask = torch.arange(9) < torch.tensor(lengths)[:, None]
    weight = torch.zeros(2, 9, dtype=torch.float64).masked_fill(~mask, float("-inf"))
    read = layer(x, weight, positions.places(9, x.device))
    distances = layer.distances
    assert distances is not None
    for row, length in enumerate(lengths):
        for head in range(3):
            part = slice(4 * head, 4 * head + 4)
            query, own_key, own_value = (y[part] for y in layer.project(layer.token).chunk(3))
            _, keys, values = (y[:, part] for y in layer.project(x[row, :length]).chunk(3, dim=1))
            scores = [
                query @ key
                + query @ (distances.key.weight @ positions.table[max(4 - place, 0)])[part]
                + key @ (distances.query.weight @ positions.table[min(4 + place, 7)])[part]
                for place, key in enumerate(keys)
            ]
            weights = (torch.stack([*scores, query @ own_key]) / 12**0.5).softmax(0)
            expected = weights @ torch.cat([values, own_value[None]])
            torch.testing.assert_close(read[row, part], expected, atol=1e-13, rtol=0)


def test_order_matters_only_with_positions_or_convolution() -> None:
    codes = torch.randint(0, 4, (1, 40), dtype=torch.uint8)
    # The second half first, cut where both halves overlap, keeps the 1-mers and changes the order.
    turned = codes.roll(20, dims=1)
    tokenizer, length = KmerConfig(k=1).build(), torch.tensor([40])
    for settings, same in (
        ({}, True),
        ({"pooling": "mean"}, True),
        ({"positions": "rotary"}, False),
        ({"positions": "relative"}, False),
        ({"positions": "absolute"}, False),
        ({"positions": "sinusoidal"}, False),
        ({"convolution": 3}, False),
    ):
        model = EnhancerAttentionConfig(**settings).build(tokenizer, 1)
        logits = [model(tokenizer(one, length)).item() for one in (codes, turned)]
        assert (abs(logits[0] - logits[1]) < 1e-6) == same, settings


def test_frozen_vectors_stay_and_learned_ones_move() -> None:
    for embedding, moves in (("frozen", False), ("learned", True)):
        model, batch = build(embedding=embedding), tokens()
        before = model.table.weight.clone()
        trainable = [p for p in model.parameters() if p.requires_grad]
        optimizer = torch.optim.SGD(trainable, lr=1)
        model(batch).sum().backward()
        optimizer.step()
        assert torch.equal(model.table.weight, before) != moves


@pytest.fixture
def vectors(tmp_path: Path) -> Path:
    """A file of vectors of 2-mers, ten numbers each."""
    matrix = np.random.default_rng(0).normal(size=(16, 10))
    np.save(tmp_path / "vectors.npy", matrix)
    return tmp_path / "vectors.npy"


def test_vectors_of_a_file_start_a_training_and_stay_in_the_checkpoint(
    vectors: Path, tmp_path: Path
) -> None:
    config = EnhancerAttentionConfig(width=10, vectors=str(vectors))
    tokenizer = KmerConfig(k=2)
    model = config.initialize(tokenizer.build(), 1)
    expected = torch.from_numpy(np.load(vectors)).float()
    assert torch.equal(model.table.weight[:16], expected)
    assert (model.table.weight[16] == 0).all()
    assert not model.table.weight.requires_grad
    checkpoint = Checkpoint(
        run_id="test",
        tokenizer=tokenizer,
        model=config,
        strands="single",
        label_kind="binary",
        classes=("no", "yes"),
        input=InputContract(shortest=4, longest=40, task="test", split_hash="0"),
    )
    save(tmp_path, checkpoint, model)
    vectors.unlink()
    _, loaded = load(tmp_path)
    batch = tokens(2)
    assert torch.equal(loaded(batch), model(batch))
    with pytest.raises(DataError, match="no such file"):
        config.initialize(tokenizer.build(), 1)


def test_vectors_that_do_not_fit_are_refused_in_one_line(vectors: Path) -> None:
    with pytest.raises(ConfigError, match=r"model\.width is 100, vectors of 10 .*model\.width=10"):
        EnhancerAttentionConfig(vectors=str(vectors)).initialize(KmerConfig(k=2).build(), 1)
    with pytest.raises(DataError, match="64 3-mers"):
        EnhancerAttentionConfig(vectors=str(vectors)).initialize(KmerConfig(k=3).build(), 1)
    with pytest.raises(ConfigError, match="does not give; use the tokenizer kmer or patch"):
        EnhancerAttentionConfig(vectors=str(vectors)).initialize(OneHotConfig().build(), 1)


def test_the_real_dna2vec_vectors_are_read(shared: Path) -> None:
    path = shared / "dna2vec" / "dna2vec_6mer_matrix.npy"
    model = EnhancerAttentionConfig(vectors=str(path)).initialize(KmerConfig(k=6).build(), 1)
    assert model.parameter_count() == 30_501
    assert isinstance(model, EnhancerAttention)
    expected = torch.from_numpy(np.load(path)[1:]).float()
    assert torch.equal(model.table.weight[:-1], expected)

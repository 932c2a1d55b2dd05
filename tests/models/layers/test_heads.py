"""Heads: linear, or with one hidden layer."""

import torch
from torch import nn

from attendna.models.layers.heads import Head


def linears(head: Head) -> list[tuple[int, int]]:
    layers = [layer for layer in head.modules() if isinstance(layer, nn.Linear)]
    return [(layer.in_features, layer.out_features) for layer in layers]


def test_a_head_is_linear_or_has_one_hidden_layer() -> None:
    assert linears(Head(8, 3)) == [(8, 3)]
    assert linears(Head(8, 3, hidden=5)) == [(8, 5), (5, 3)]


def test_dropout_acts_in_training_only() -> None:
    head, x = Head(64, 1, dropout=0.5), torch.randn(4, 64)
    assert not torch.equal(head(x), head(x))
    head.eval()
    assert torch.equal(head(x), head(x))

"""Ensembles: means of members, each trained as if it were alone."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from attendna.core.config import parse
from attendna.core.errors import ConfigError
from attendna.models.cnn import CNNConfig
from attendna.models.enhancer_attention import EnhancerAttentionConfig
from attendna.models.ensemble import Ensemble, EnsembleConfig
from attendna.tokens.kmer import KmerConfig
from attendna.tokens.onehot import OneHotConfig

SMALL = CNNConfig(width=8, blocks=1, head_dropout=0, dropout=0)
ONE_HOT = OneHotConfig().build()
CODES = torch.randint(0, 4, (6, 40), dtype=torch.uint8)
TOKENS = ONE_HOT(CODES, torch.full((6,), 40))


def pair() -> Ensemble:
    return EnsembleConfig(members=(SMALL, SMALL)).build(ONE_HOT, 1)


@torch.no_grad()
def test_logits_are_the_mean_and_representations_lie_side_by_side() -> None:
    model = pair().eval()
    first, second = (member(TOKENS) for member in model.members)
    assert not torch.equal(first, second)
    torch.testing.assert_close(model(TOKENS), (first + second) / 2)
    assert torch.equal(model.member_logits(TOKENS), torch.stack([first, second]))
    parts = [member.embed(TOKENS) for member in model.members]
    assert torch.equal(model.embed(TOKENS), torch.cat(parts, dim=1))


def test_the_loss_of_members_trains_each_as_if_alone() -> None:
    model = pair().eval()
    labels = torch.tensor([1.0, 0, 1, 1, 0, 0])[:, None]
    logits = model.member_logits(TOKENS)
    F.binary_cross_entropy_with_logits(logits, labels.expand_as(logits)).backward()
    member = model.members[0]
    together = [p.grad.clone() for p in member.parameters() if p.grad is not None]
    member.zero_grad()
    F.binary_cross_entropy_with_logits(member(TOKENS), labels).backward()
    alone = [p.grad for p in member.parameters() if p.grad is not None]
    for one, other in zip(together, alone, strict=True):
        torch.testing.assert_close(2 * one, other)


def test_an_ensemble_of_ensembles_gives_a_row_for_every_network() -> None:
    inner = {"name": "ensemble", "members": [SMALL.to_tree(), SMALL.to_tree()]}
    config = parse(EnsembleConfig, {"members": [inner, SMALL.to_tree()]}, "run.yaml")
    assert config.build(ONE_HOT, 2).member_logits(TOKENS).shape == (3, 6, 2)


def test_members_read_their_own_files(tmp_path: Path) -> None:
    matrix = np.random.default_rng(0).normal(size=(4, 8))
    np.save(tmp_path / "one.npy", matrix)
    light = EnhancerAttentionConfig(width=8)
    config = EnsembleConfig(members=(light, light.replace(vectors=str(tmp_path / "one.npy"))))
    drawn, given = config.initialize(KmerConfig(k=1).build(), 1).members
    expected = torch.from_numpy(matrix).float()
    assert torch.equal(given.table.weight[:4], expected)
    assert not torch.equal(drawn.table.weight[:4], expected)


def test_complaints_name_the_member() -> None:
    with pytest.raises(ConfigError, match=r"members\.1\.widht is not .*did you mean width"):
        parse(EnsembleConfig, {"members": ["cnn", {"name": "cnn", "widht": 3}]}, "run.yaml")
    with pytest.raises(ConfigError, match="members"):
        parse(EnsembleConfig, {"members": []}, "run.yaml")

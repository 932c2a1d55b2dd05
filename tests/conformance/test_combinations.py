"""Every tokenizer with every position encoding and every backbone: what holds of all of them.

What a model promises in itself is in :mod:`.test_models`, here each meets each.
"""

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from tests.words import config as words

from attendna.core.config import Config, parse
from attendna.genome.sequences import SequenceBatch
from attendna.models.checkpoint import Checkpoint, InputContract, load, save
from attendna.models.layers.positions import POSITIONS
from attendna.models.model import AnyModelConfig, SequenceModel
from attendna.tokens.tokenizer import TOKENIZERS, AnyTokenizerConfig, TokenBatch

TOKENS: dict[str, dict[str, Any]] = {
    "bpe": words().to_tree(),
    "kmer": {"name": "kmer", "k": 5},
    "onehot": {"name": "onehot"},
    "patch": {"name": "patch", "k": 4},
}
STEMS: dict[str, dict[str, Any]] = {
    "bpe": {"name": "embedding", "mix": None},
    "kmer": {"name": "embedding", "mix": None},
    "onehot": {"name": "convolution", "kernel": 25, "pool": 4, "mix": None},
    "patch": {"name": "embedding", "mix": 7},
}
"""As the six-task study has them."""

PYRAMID = {"widths": [8, 8], "kernels": [5], "pool": 2, "hidden": 6}
SEQUENCES = [
    "TATAAAGGGCGGACGTTGCACGTGATTACAGATTACATTTGGCGC",
    "GGGCGGTATAAACACGTGNACGTT",
    "CACGTGTATAAANNTATAAAGGGCGG",
]
LABELS = torch.tensor([1.0, 0.0, 1.0])[:, None]


class Chosen(Config):
    model: AnyModelConfig
    tokenizer: AnyTokenizerConfig


def combinations() -> dict[str, Chosen]:
    found: dict[str, Chosen] = {}
    assert sorted(TOKENS) == sorted(TOKENIZERS)
    for name, tokenizer in TOKENS.items():
        models: dict[str, dict[str, Any]] = {
            "cnn_fc": {**PYRAMID, "stem": STEMS[name], "longest": 80},
            "cnn_lstm": {**PYRAMID, "stem": STEMS[name]},
        }
        for positions in POSITIONS:
            attention = {"width": 8, "heads": 2, "positions": positions}
            models[f"encoder-{positions}"] = attention | {"stem": STEMS[name], "pooling": "cls"}
            models[f"enhancer_attention-{positions}"] = attention | {"embedding": "learned"}
        for model, settings in models.items():
            tree = {"name": model.split("-")[0]} | settings
            found[f"{model}-{name}"] = parse(Chosen, {"model": tree, "tokenizer": tokenizer}, name)
    return dict(sorted(found.items()))


COMBINATIONS = combinations()


@pytest.fixture(params=COMBINATIONS.values(), ids=COMBINATIONS.keys())
def combination(request: pytest.FixtureRequest) -> Chosen:
    return request.param


def read(chosen: Chosen, sequences: list[str], extra: int = 0) -> TokenBatch:
    codes, lengths = SequenceBatch.from_text(sequences).padded()
    return chosen.tokenizer.build()(F.pad(torch.tensor(codes), (0, extra)), torch.tensor(lengths))


def build(chosen: Chosen) -> SequenceModel:
    torch.manual_seed(0)
    return chosen.model.build(chosen.tokenizer.build(), 1)


def test_it_trains_a_step_and_padding_and_company_and_storage_change_nothing(
    combination: Chosen, tmp_path: Path
) -> None:
    model, tokens = build(combination), read(combination, SEQUENCES)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    losses: list[torch.Tensor] = []
    for _ in range(2):
        torch.manual_seed(1)
        losses.append(F.binary_cross_entropy_with_logits(model.train()(tokens), LABELS))
        optimizer.zero_grad()
        losses[-1].backward()
        optimizer.step()
    assert losses[1] < losses[0]
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in model.parameters())
    model.eval()
    with torch.no_grad():
        together = model(tokens)
        padded = model(read(combination, SEQUENCES, extra=19))
        alone = torch.cat([model(read(combination, [one])) for one in SEQUENCES])
    torch.testing.assert_close(padded, together, atol=1e-5, rtol=0)
    torch.testing.assert_close(alone, together, atol=1e-5, rtol=0)
    checkpoint = Checkpoint(
        run_id="test",
        tokenizer=combination.tokenizer,
        model=combination.model,
        strands="single",
        label_kind="binary",
        classes=("no", "yes"),
        input=InputContract(shortest=20, longest=50, task="test", split_hash="0"),
    )
    save(tmp_path, checkpoint, model)
    header, loaded = load(tmp_path)
    with torch.no_grad():
        again = loaded(header.tokenizer.build()(*padded_codes()))
    assert torch.equal(again, together)


def padded_codes() -> tuple[torch.Tensor, torch.Tensor]:
    codes, lengths = SequenceBatch.from_text(SEQUENCES).padded()
    return torch.tensor(codes), torch.tensor(lengths)


@pytest.mark.parametrize("name", sorted(TOKENS))
def test_what_tokens_are_credited_with_comes_back_to_their_bases(name: str) -> None:
    """Each token's share of a sum, spread over its span, adds up; and N has its place."""
    chosen = COMBINATIONS[f"encoder-rotary-{name}"]
    tokens = read(chosen, SEQUENCES)
    credit = torch.rand(tokens.ids.shape) * tokens.mask
    start, end = tokens.spans.long().unbind(-1)
    places = torch.arange(max(map(len, SEQUENCES)))
    inside = (places >= start[..., None]) & (places < end[..., None])
    shares = (inside * (credit / (end - start).clamp(min=1))[..., None]).sum(1)
    torch.testing.assert_close(shares.sum(1), credit.sum(1))
    step = {"patch": 4}.get(name, 1)
    for row, sequence in enumerate(SEQUENCES):
        covered = len(sequence) // step * step
        assert (shares[row, :covered] > 0).all()
        assert (shares[row, covered:] == 0).all()

"""What every registered model must do under every tokenizer it reads."""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from attendna.core.config import Config, parse
from attendna.core.errors import ConfigError
from attendna.models.checkpoint import Checkpoint, InputContract, load, save
from attendna.models.layers.joining import JOINS
from attendna.models.layers.pooling import POOLINGS
from attendna.models.layers.positions import POSITIONS
from attendna.models.layers.stem import STEMS
from attendna.models.model import MODELS, AnyModelConfig, SequenceModel
from attendna.tokens.tokenizer import TOKENIZERS, AnyTokenizerConfig, TokenBatch

# What cannot be left out, and sizes at which a test is quick.
SMALL: dict[str, dict[str, Any]] = {
    "encoder": {"width": 16, "blocks": 1},
    "cnn": {"width": 16, "blocks": 2},
    "enhancer_attention": {"width": 12},
    "cnn_fc": {"widths": [8, 12], "kernels": [3], "hidden": 8, "longest": 64},
    "cnn_lstm": {"widths": [8, 12], "kernels": [3], "pool": 2, "hidden": 6},
    "ensemble": {"members": [{"name": "cnn", "width": 8}, {"name": "encoder", "width": 8}]},
    "motifs": {"motifs": 9, "longest": 6},
    "segments": {"length": 16, "model": {"name": "cnn", "width": 8, "blocks": 1}},
    # Of fewer positions than the sequences have tokens.
    "huggingface": {
        "config": {
            "model_type": "bert",
            "hidden_size": 16,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "intermediate_size": 24,
            "max_position_embeddings": 24,
        }
    },
    "kmer": {"k": 3},
    "patch": {"k": 4},
}
LENGTHS = (37, 50, 8, 32, 33, 50)
LABELS = torch.tensor([1.0, 0, 1, 0, 0, 1])[:, None]


class Chosen(Config):
    """A model and a tokenizer, read as a run's YAML is."""

    model: AnyModelConfig
    tokenizer: AnyTokenizerConfig

    def build(self, outputs: int = 1, seed: int = 0) -> SequenceModel:
        torch.manual_seed(seed)
        return self.model.build(self.tokenizer.build(), outputs)

    def tokens(self, codes: Tensor, lengths: Tensor) -> TokenBatch:
        return self.tokenizer.build()(codes, lengths)


def chosen(model: str, tokenizer: str, **settings: Any) -> Chosen:
    tree = {
        "model": {"name": model} | SMALL.get(model, {}) | settings,
        "tokenizer": {"name": tokenizer} | SMALL.get(tokenizer, {}),
    }
    return parse(Chosen, tree, "test")


def variants() -> dict[str, Chosen]:
    """Each model with each tokenizer it can read, and with each layer that a setting chooses."""
    found: dict[str, Chosen] = {}
    for model in MODELS:
        # Byte pairs meet every backbone in test_combinations.
        for tokenizer in set(TOKENIZERS) - {"bpe"}:
            one = chosen(model, tokenizer)
            try:
                one.build()
            except ConfigError:
                continue
            found[f"{model}-{tokenizer}"] = one
    for model, tokenizer in (("encoder", "onehot"), ("enhancer_attention", "kmer")):
        for setting, registry in (("positions", POSITIONS), ("pooling", POOLINGS)):
            for name in registry:
                found[f"{model}-{name}"] = chosen(model, tokenizer, **{setting: name})
    for name in STEMS:
        found[f"encoder-{name}-stem"] = chosen("encoder", "onehot", stem=name)
    for feed in ("reglu", "relu"):
        settings = {"feed": feed, "feed_width": 20, "pooling": "cls", "positions": "relative"}
        found[f"encoder-{feed}"] = chosen("encoder", "patch", **settings)
    far = {"name": "relative", "span": 4, "reach": 30}
    found["encoder-relative-buckets"] = chosen("encoder", "onehot", positions=far)
    small = {"transformer": {"width": 8, "blocks": 1, "heads": 2}}
    for name in set(JOINS) - {"concat"}:
        join = {"name": name} | small.get(name, {})
        found[f"segments-{name}"] = chosen("segments", "onehot", join=join)
    tree = found["segments-mean"].to_tree()
    tree["model"]["tokenizer"] = {"name": "kmer"} | SMALL["kmer"]
    found["segments-kmer"] = parse(Chosen, tree, "test")
    found["cnn-hidden"] = chosen("cnn", "onehot", pooling="bins", hidden=8)
    heads = {"heads": 3, "embedding": "learned"}
    found["enhancer_attention-heads"] = chosen("enhancer_attention", "kmer", **heads)
    for name in ("rotary", "relative"):
        found[f"enhancer_attention-{name}-heads"] = chosen(
            "enhancer_attention", "kmer", **heads, positions=name
        )
    convolution = {"convolution": 5, "dropout": 0.2}
    found["enhancer_attention-convolution"] = chosen("enhancer_attention", "onehot", **convolution)
    return dict(sorted(found.items()))


VARIANTS = variants()


@pytest.fixture(scope="module", params=VARIANTS.values(), ids=VARIANTS.keys())
def variant(request: pytest.FixtureRequest) -> Chosen:
    return request.param


def sequences(extra: int = 0, lengths: tuple[int, ...] = LENGTHS) -> tuple[Tensor, Tensor]:
    """Random bases, a few of them unknown, and random codes where there is only padding."""
    generator = torch.Generator().manual_seed(1)
    rows = [torch.randint(0, 5, (50,), generator=generator, dtype=torch.uint8) for _ in LENGTHS]
    codes = torch.stack(rows)[: len(lengths), : max(lengths)]
    if extra:
        codes = torch.cat([codes, codes.flip(1)[:, :extra]], dim=1)
    return codes, torch.tensor(lengths)


def loss_of(model: SequenceModel, tokens: TokenBatch) -> Tensor:
    """Loss in training mode, with the same dropout at every call."""
    torch.manual_seed(3)
    logits = model.train().member_logits(tokens)
    return F.binary_cross_entropy_with_logits(logits, LABELS.expand_as(logits))


def step(model: SequenceModel, tokens: TokenBatch, size: float = 1e-2) -> None:
    """One step of the given length downhill."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    model.zero_grad()
    loss_of(model, tokens).backward()
    length = torch.stack([p.grad.norm() for p in parameters if p.grad is not None]).norm()
    with torch.no_grad():
        for parameter in parameters:
            if parameter.grad is not None:
                parameter.sub_(size / length * parameter.grad)


def trained(variant: Chosen, outputs: int = 1) -> SequenceModel:
    """A model whose batch statistics are those of data, in evaluation mode."""
    model = variant.build(outputs)
    with torch.no_grad():
        for _ in range(3):
            model.train()(variant.tokens(*sequences()))
    return model.eval()


def test_a_training_step_lowers_the_loss(variant: Chosen) -> None:
    model, tokens = variant.build(), variant.tokens(*sequences())
    before = loss_of(model, tokens).item()
    step(model, tokens)
    assert loss_of(model, tokens).item() < before


def test_gradients_reach_every_trainable_parameter(variant: Chosen) -> None:
    model, tokens = variant.build(), variant.tokens(*sequences())
    loss_of(model, tokens).backward()
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            assert parameter.grad is None, name
            continue
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        # What is added to every key of a sequence alike changes no attention.
        if not name.endswith("key.bias"):
            assert parameter.grad.abs().max() > 1e-9, name


@torch.no_grad()
def test_padding_and_the_rest_of_the_batch_change_nothing(variant: Chosen) -> None:
    model = trained(variant)
    codes, lengths = sequences()
    together = model(variant.tokens(codes, lengths))
    padded = model(variant.tokens(*sequences(extra=29)))
    torch.testing.assert_close(padded, together, atol=1e-5, rtol=0)
    for row, length in enumerate(LENGTHS):
        alone = model(variant.tokens(codes[row : row + 1, :length], lengths[row : row + 1]))
        torch.testing.assert_close(alone[0], together[row], atol=1e-5, rtol=0)


@torch.no_grad()
def test_sequences_of_one_length_and_padding_give_the_same(variant: Chosen) -> None:
    # Without a shorter sequence among them layers take another way.
    model = trained(variant)
    equal, lengths = sequences(lengths=(32,) * 4)
    mixed = torch.cat([equal, equal[:1]]), torch.tensor((*lengths.tolist(), 24))
    expected = model(variant.tokens(equal, lengths))
    torch.testing.assert_close(model(variant.tokens(*mixed))[:4], expected, atol=1e-5, rtol=0)


def test_padding_changes_no_training_either(variant: Chosen) -> None:
    tokens = [variant.tokens(*sequences(extra)) for extra in (0, 29)]
    models = [variant.build() for _ in tokens]
    for model, batch in zip(models, tokens, strict=True):
        step(model, batch)
    first, second = (model.eval()(tokens[0]) for model in models)
    torch.testing.assert_close(first, second, atol=1e-5, rtol=0)


@pytest.mark.parametrize("outputs", [1, 3])
def test_saved_and_loaded_it_gives_identical_outputs(
    variant: Chosen, outputs: int, tmp_path: Path
) -> None:
    model, tokens = trained(variant, outputs), variant.tokens(*sequences())
    multiclass = outputs > 1
    checkpoint = Checkpoint(
        run_id="test",
        tokenizer=variant.tokenizer,
        model=variant.model,
        strands="single",
        label_kind="multiclass" if multiclass else "binary",
        classes=("a", "b", "c") if multiclass else ("no", "yes"),
        input=InputContract(shortest=8, longest=50, task="test", split_hash="0"),
    )
    save(tmp_path, checkpoint, model)
    header, loaded = load(tmp_path)
    assert header == checkpoint
    with torch.no_grad():
        expected, logits = model(tokens), loaded(tokens)
    assert logits.shape == (len(LENGTHS), outputs)
    assert torch.equal(logits, expected)
    assert not torch.equal(logits[0], logits[1])


def test_a_seed_decides_the_weights_and_the_training(variant: Chosen) -> None:
    tokens = variant.tokens(*sequences())
    models = [variant.build(seed=seed) for seed in (5, 5, 6)]
    for model in models:
        step(model, tokens)
    first, second, other = (model.state_dict() for model in models)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


@torch.no_grad()
def test_members_average_to_the_logits(variant: Chosen) -> None:
    model, tokens = trained(variant), variant.tokens(*sequences())
    members = model.member_logits(tokens)
    torch.testing.assert_close(members.mean(0), model(tokens), atol=1e-6, rtol=0)


@torch.no_grad()
def test_the_representation_is_one_vector_a_sequence(variant: Chosen) -> None:
    model, tokens = trained(variant), variant.tokens(*sequences())
    vectors = model.embed(tokens)
    assert vectors.shape == (len(LENGTHS), model.width)
    assert vectors.isfinite().all()
    assert vectors.std(0).max() > 0


def test_a_copy_in_double_precision_agrees(variant: Chosen) -> None:
    model, tokens = trained(variant), variant.tokens(*sequences())
    with torch.no_grad():
        exact = copy.deepcopy(model).double()(tokens)
        torch.testing.assert_close(model(tokens).double(), exact, atol=1e-4, rtol=0)


@torch.no_grad()
def test_half_precision_comes_near(variant: Chosen) -> None:
    model, tokens = trained(variant), variant.tokens(*sequences())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        near = model(tokens).float()
    torch.testing.assert_close(near, model(tokens), atol=0.1, rtol=0.1)


def gradients_of(model: SequenceModel, tokens: TokenBatch, half: bool) -> Tensor:
    """Those of all weights in one row, of the same dropout and batch."""
    model.zero_grad()
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=half):
        loss = loss_of(model, tokens)
    loss.backward()
    grads = [p.grad for p in model.parameters() if p.grad is not None]
    assert all(grad.dtype == torch.float32 for grad in grads)
    return torch.cat([grad.flatten() for grad in grads])


def test_half_precision_has_the_gradients_of_single(variant: Chosen) -> None:
    """Within a third of their length. Most are within a twentieth; where a maximum is taken,
    rounding chooses other tokens now and then."""
    tokens = variant.tokens(*sequences())
    half, single = (gradients_of(variant.build(), tokens, half) for half in (True, False))
    assert half.isfinite().all()
    assert (half - single).norm() < single.norm() / 3


def test_settings_survive_yaml(variant: Chosen) -> None:
    assert parse(Chosen, variant.to_tree(), "test") == variant

"""What the base of every model gives, and what it asks for."""

import pytest
import torch
from jaxtyping import Float
from torch import Tensor, nn

from attendna.models.model import MODELS, ModelConfig, SequenceModel
from attendna.tokens.onehot import OneHotConfig
from attendna.tokens.tokenizer import TokenBatch


class Counter(SequenceModel):
    """The share of each base, through one frozen and one free layer."""

    def __init__(self) -> None:
        super().__init__()
        self.fixed = nn.Linear(4, 3).requires_grad_(False)
        self.free = nn.Linear(3, 2)

    def embed(self, tokens: TokenBatch) -> Float[Tensor, "B D"]:
        return self.fixed((tokens.ids[..., None] == torch.arange(4)).float().mean(1))

    def forward(self, tokens: TokenBatch) -> Float[Tensor, "B T"]:
        return self.free(self.embed(tokens))


def test_a_plain_model_has_one_member_and_counts_what_it_trains() -> None:
    model = Counter()
    codes = torch.randint(0, 4, (5, 9), dtype=torch.uint8)
    tokens = OneHotConfig().build()(codes, torch.full((5,), 9))
    assert torch.equal(model.member_logits(tokens), model(tokens)[None])
    assert model.parameter_count() == 3 * 2 + 2


def test_settings_must_say_what_they_build() -> None:
    class Silent(ModelConfig):
        name: str = "silent"

    with pytest.raises(NotImplementedError, match="Silent does not say"):
        Silent().initialize(OneHotConfig().build(), 1)


def test_the_registry_names_the_models() -> None:
    assert list(MODELS) == [
        "cnn", "cnn_fc", "cnn_lstm", "encoder", "enhancer_attention", "ensemble", "huggingface",
        "motifs", "segments",
    ]  # fmt: skip
    for name in MODELS:
        assert MODELS[name].model_fields["name"].default == name

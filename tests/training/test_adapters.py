import pytest
import torch

from attendna.core.errors import ConfigError
from attendna.models.cnn import CNNConfig
from attendna.models.encoder import EncoderConfig
from attendna.tokens.onehot import OneHotConfig
from attendna.training.adapters import add_adapters, merged
from attendna.training.run import LoraConfig, StartConfig

pytest.importorskip("peft")
TOKENIZER = OneHotConfig().build()


def test_merged_adapters_compute_the_same() -> None:
    model = EncoderConfig(width=8, blocks=2, heads=2).build(TOKENIZER, 1)
    names = set(model.state_dict())
    whole = model.parameter_count()
    add_adapters(model, LoraConfig(rank=2))
    trained = {name for name, p in model.named_parameters() if p.requires_grad}
    assert all("lora_" in name or name.startswith(("head.", "pooling.")) for name in trained)
    assert model.parameter_count() < whole
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.normal_()
    codes = torch.randint(0, 4, (3, 40), dtype=torch.uint8)
    tokens = TOKENIZER(codes, torch.full((3,), 40))
    plain = merged(model.eval())
    assert set(plain.state_dict()) == names
    assert torch.allclose(plain(tokens), model(tokens), atol=1e-5)
    assert merged(plain) is plain


def test_the_means_of_frozen_norms_rest() -> None:
    model = EncoderConfig(width=8, blocks=1, heads=2).build(TOKENIZER, 1)
    add_adapters(model, LoraConfig())
    model.train()
    assert not model.stem.training
    assert model.blocks.training


def test_what_cannot_be_adapted_is_refused() -> None:
    model = CNNConfig(width=8, blocks=0).build(TOKENIZER, 1)
    with pytest.raises(ConfigError, match="no blocks of linear layers"):
        add_adapters(model, LoraConfig())
    with pytest.raises(ValueError, match="exclude each other"):
        StartConfig(run="x", frozen=True, lora=LoraConfig())

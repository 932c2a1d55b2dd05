import pytest
import transformers as library
from pydantic import ValidationError
from tests.models.huggingface.checkpoints import CONFIGS, SIZES

from attendna.core.config import parse
from attendna.core.errors import ConfigError
from attendna.models.huggingface.architecture import ArchitectureConfig


@pytest.mark.parametrize("kind", CONFIGS)
def test_what_is_said_reaches_the_package_and_the_rest_is_its_default(kind: str) -> None:
    tree = {"model_type": kind, **SIZES, "hidden_dropout_prob": 0.3}
    made = parse(ArchitectureConfig, tree, "test").to_transformers(69, 4)
    assert isinstance(made, CONFIGS[kind])
    assert (made.vocab_size, made.pad_token_id, made.hidden_size) == (69, 4, 16)
    assert made.hidden_dropout_prob == 0.3
    assert made.max_position_embeddings == 512


def test_the_defaults_are_those_of_bert() -> None:
    theirs = library.BertConfig().to_dict()
    ours = ArchitectureConfig(model_type="bert").to_tree()
    for key in ours.keys() - {"model_type", "vocab_size", "pad_token_id", "embedding_size"}:
        assert ours[key] == theirs[key], key


def test_positions_that_are_left_for_tokens() -> None:
    assert ArchitectureConfig(model_type="bert").longest == 510
    assert ArchitectureConfig(model_type="electra").longest == 510
    roberta = {"model_type": "roberta", "max_position_embeddings": 514, "pad_token_id": 1}
    assert parse(ArchitectureConfig, roberta, "test").longest == 510


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"model_type": "gpt2"}, "model_type"),
        ({"hidden_sise": 3}, "hidden_sise is not a setting, did you mean hidden_size"),
        ({"hidden_size": 17}, "hidden_size 17 is no multiple of num_attention_heads 2"),
        ({"embedding_size": 8}, "embedding_size belongs to model_type: electra"),
        ({"hidden_act": "swoosh"}, "hidden_act"),
    ],
)
def test_what_makes_no_encoder_is_refused(change: dict[str, object], said: str) -> None:
    with pytest.raises((ConfigError, ValidationError), match=said):
        parse(ArchitectureConfig, {"model_type": "bert", **SIZES, **change}, "test")


def test_another_number_of_words_is_refused() -> None:
    config = ArchitectureConfig(model_type="bert", vocab_size=70)
    with pytest.raises(ConfigError, match="vocab_size is 70, the tokens have 69 words"):
        config.to_transformers(69, 0)

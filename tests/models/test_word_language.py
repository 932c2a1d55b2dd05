"""Language models of words: what they read, and what they tell."""

import pytest
import torch
from tests.words import config as words

from attendna.core.config import parse
from attendna.core.errors import ConfigError
from attendna.models.cnn import CNNConfig
from attendna.models.encoder import EncoderConfig
from attendna.models.language import LanguageModel
from attendna.models.word_language import WordLanguageModel, language_model
from attendna.tokens.onehot import OneHotConfig
from attendna.tokens.tokenizer import TokenBatch

TREE = {
    "width": 8,
    "blocks": 1,
    "heads": 2,
    "dropout": 0.0,
    "stem": {"name": "embedding", "dropout": 0.0},
}


def model_of(**changes) -> WordLanguageModel:
    tokenizer = words().build()
    made = language_model(parse(EncoderConfig, TREE | changes, "test"), tokenizer, "words")
    assert isinstance(made, WordLanguageModel)
    return made.eval()


def tokens_of(model: WordLanguageModel, *lengths: int) -> TokenBatch:
    codes = torch.randint(0, 4, (len(lengths), max(lengths)), dtype=torch.uint8)
    return model.tokenizer(codes, torch.tensor(lengths))


@pytest.mark.parametrize("pooling", ["cls", "mean_max"])
def test_a_vector_a_word_whatever_stands_beside(pooling: str) -> None:
    model = model_of(pooling=pooling)
    tokens = tokens_of(model, 60, 20)
    x = model(tokens)
    counts = tokens.mask.sum(1).tolist()
    assert x.shape == (2, max(counts), 8)
    # Alone, and with more padding than anyone needs.
    wide = torch.nn.functional.pad(tokens.ids[1:], (0, 5), value=model.tokenizer.store.padding)
    mask = torch.nn.functional.pad(tokens.mask[1:], (0, 5), value=False)
    alone = model(model.tokenizer.words(wide, mask))
    assert alone.shape[1] == counts[1]
    assert torch.allclose(alone[0], x[1, : counts[1]], atol=1e-5)


def test_some_words_are_read_as_among_all() -> None:
    model = model_of(pooling="cls")
    tokens = tokens_of(model, 60, 20, 33)
    rows = tokens.mask & (torch.rand(tokens.mask.shape) < 0.4)
    torch.testing.assert_close(model.read_some(tokens, rows), model(tokens)[rows])


def test_every_word_is_told_of() -> None:
    model = model_of()
    told = model.log_probabilities(model(tokens_of(model, 40))[0])
    assert told.shape[1] == model.tokenizer.vocabulary_size
    assert torch.allclose(told.exp().sum(1), torch.ones(len(told)), atol=1e-5)


def test_only_what_is_trained_is_stored() -> None:
    assert not [n for n in model_of().state_dict() if "pooling" in n or "encoder.head" in n]
    assert "encoder.pooling.token" in model_of(pooling="cls").state_dict()


def test_fixed_words_have_a_model_of_their_own() -> None:
    config = parse(EncoderConfig, TREE, "test")
    assert isinstance(language_model(config, OneHotConfig().build(), "bases"), LanguageModel)
    with pytest.raises(ConfigError, match="only an encoder has tokens"):
        language_model(CNNConfig(), words().build(), "words")

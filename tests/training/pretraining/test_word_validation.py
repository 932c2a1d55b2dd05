"""What is measured of a model of words, in bases."""

import numpy as np
import pytest
import torch
from tests.models.test_word_language import model_of

from attendna.core.errors import DivergedError
from attendna.training.pretraining.config import MaskingConfig
from attendna.training.pretraining.word_validation import HeldOutWords


def windows(rows: int = 40, length: int = 64) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 4, (rows, length), dtype=np.uint8)


def held_out_of(model, codes: np.ndarray) -> HeldOutWords:
    return HeldOutWords(codes, model.tokenizer, MaskingConfig(rate=0.3), 0, "fp32")


def test_bases_of_hidden_words_are_those_asked_for() -> None:
    model = model_of()
    held_out = held_out_of(model, windows())
    for row in range(40):
        hidden = np.zeros(64, dtype=bool)
        for start, end in held_out.words.spans[row][held_out.asked[row]].tolist():
            hidden[start:end] = True
        assert np.array_equal(held_out.hidden.where[row], hidden)
    assert (held_out.read.ids[held_out.asked] == model.tokenizer.mask_id).all()
    assert 0.2 < held_out.hidden.where.mean() < 0.4


def test_words_are_counted_base_by_base() -> None:
    model = model_of()
    with torch.no_grad():
        model.head[-1].weight.mul_(20)
    codes = windows(20)
    held_out = held_out_of(model, codes)
    tally = held_out.tally(model)
    words = model.tokenizer.letters.tolist()
    for row in range(20):
        correct = loss = bases = 0.0
        with torch.inference_mode():
            tokens = model.tokenizer.words(held_out.read.ids[[row]], held_out.read.mask[[row]])
            told = model.log_probabilities(model(tokens)[0])
        for at in held_out.asked[row].nonzero().flatten().tolist():
            truth = int(held_out.words.ids[row, at])
            loss -= told[at, truth].item()
            spelled = [letter for letter in words[truth] if letter < 4]
            bases += len(spelled)
            for place, base in enumerate(spelled):
                sums = [0.0] * 5
                for word, chance in zip(words, told[at].exp().tolist(), strict=True):
                    sums[word[place]] += chance
                correct += int(np.argmax(sums[:4])) == base
        found = tally.correct[row], tally.loss[row], tally.asked[row]
        assert found == pytest.approx((correct, loss, bases), rel=1e-4)
    assert np.array_equal(tally.asked, held_out.hidden.where.sum(1))


def test_who_knows_the_words_pays_nothing() -> None:
    """A model that always tells one word right away, on windows that are nothing but that word."""
    model = model_of()
    letters = model.tokenizer.letters
    word = max(model.tokenizer.spoken.tolist(), key=lambda place: int((letters[place] < 4).sum()))
    spelled = letters[word][letters[word] < 4].numpy()
    codes = np.tile(spelled, (10, 8))
    assert (
        model.tokenizer(torch.from_numpy(codes), torch.full((10,), codes.shape[1])).ids == word
    ).all()
    with torch.no_grad():
        model.head[-1].weight.zero_()
        model.head[-1].bias.zero_()[word] = 30.0
    measures = held_out_of(model, codes).measure(model)
    assert measures["masked_accuracy"] == 1
    assert measures["perplexity"] == pytest.approx(1, abs=1e-4)


def test_it_measures_the_same_every_time() -> None:
    model = model_of().train()
    codes = windows()
    measures = held_out_of(model, codes).measure(model)
    assert measures == held_out_of(model, codes).measure(model)
    assert model.training
    # Words are guessed out of 69, and most have one or two bases.
    assert 4 < measures["perplexity"] < 40


def test_divergence_is_said() -> None:
    model = model_of()
    with torch.no_grad():
        next(model.head.parameters()).fill_(float("nan"))
    with pytest.raises(DivergedError, match="the loss is no number"):
        held_out_of(model, windows(5)).measure(model)

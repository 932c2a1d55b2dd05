import pytest
import torch
from tests.models.test_word_language import model_of, tokens_of

from attendna.training.pretraining.word_module import word_loss


def test_the_loss_is_of_the_words_that_are_asked() -> None:
    model = model_of()
    tokens = tokens_of(model, 50, 30)
    x = model(tokens)
    asked = torch.zeros_like(tokens.mask)
    asked[0, 4], asked[1, 2] = True, True
    weights = torch.ones(tokens.ids.shape)
    told = model.log_probabilities(x.flatten(0, 1)).unflatten(0, x.shape[:2])
    wanted = [-told[row, at, tokens.ids[row, at].long()].item() for row, at in ((0, 4), (1, 2))]
    loss = word_loss(model, x[asked], tokens.ids[asked], weights[asked])
    assert loss.item() == pytest.approx(sum(wanted) / 2, rel=1e-5)
    # Words count by their weight.
    weights[1, 2] = 0.25
    loss = word_loss(model, x[asked], tokens.ids[asked], weights[asked])
    assert loss.item() == pytest.approx((wanted[0] + wanted[1] / 4) / 1.25, rel=1e-5)
    assert word_loss(model, x[asked], tokens.ids[asked], 0 * weights[asked]).item() == 0

import numpy as np
import pytest
import torch
from tests.models.test_language import CASES, model_of, windows

from attendna.core.errors import ConfigError
from attendna.training.pretraining.config import MaskingConfig
from attendna.training.pretraining.validation import HeldOut


@pytest.mark.parametrize("tell", ["bases", "words"])
@pytest.mark.parametrize("case", [case for case in CASES if case != "pooled"])
def test_hidden_bases_are_unread_and_told_in_order(case: str, tell: str) -> None:
    model = model_of(case, tell=tell)
    held_out = HeldOut(windows(70, 43).numpy(), model, MaskingConfig(rate=0.3), 0, "fp32")
    assert (held_out.masked[held_out.asked] == 4).all()
    probabilities = held_out.probabilities(model)
    assert probabilities.shape == (held_out.hidden.truth.size, 4)
    # Asked one by one they are the same.
    places = model.owned(torch.arange(43)[None], fill=-1)[0]
    for index in (0, 17, probabilities.shape[0] - 1):
        row, base = (int(axis[index]) for axis in np.nonzero(held_out.hidden.where))
        (token, place), *_ = (places == base).nonzero().tolist()
        with torch.inference_mode():
            told = model.log_probabilities(model(held_out.masked[[row]])[:, token]).exp()
        assert probabilities[index] == pytest.approx(told[0, place].numpy(), abs=1e-5)


def test_it_measures_the_same_every_time() -> None:
    model = model_of("pooled").train()
    codes = windows(30, 64).numpy()
    one, other = (HeldOut(codes, model, MaskingConfig(), 5, "fp32") for _ in range(2))
    measures = one.measure(model)
    assert measures == other.measure(model)
    assert model.training
    assert measures["perplexity"] == pytest.approx(np.exp(measures["loss"]))
    assert 3 < measures["perplexity"] < 6


def test_divergence_is_said() -> None:
    model = model_of("onehot")
    held_out = HeldOut(windows(5, 64).numpy(), model, MaskingConfig(), 0, "fp32")
    with torch.no_grad():
        next(model.head.parameters()).fill_(float("nan"))
    with pytest.raises(ConfigError, match="has diverged: the loss is no number"):
        held_out.measure(model)

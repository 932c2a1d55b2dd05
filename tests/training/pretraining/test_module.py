import math

import pytest
import torch
from tests.models.test_language import CASES, model_of, windows

from attendna.training.pretraining.module import contrastive_loss, language_loss


def ones(codes: torch.Tensor) -> torch.Tensor:
    return torch.ones(codes.shape)


@pytest.mark.parametrize("case", CASES)
def test_the_loss_of_bases_is_of_those_that_are_asked(case: str) -> None:
    model = model_of(case)
    codes = windows(3, 44)
    asked = torch.zeros_like(codes, dtype=torch.bool)
    asked[0, 20], asked[2, 15] = True, True
    x = model(codes)
    loss = language_loss(model, x[model.asked(asked)], codes, asked, ones(codes))
    # By hand: of every base the token that tells it.
    places = model.owned(torch.arange(44)[None].expand(3, -1), fill=-1)
    told = model.log_probabilities(x.flatten(0, 1)).unflatten(0, x.shape[:2])
    wanted = [
        -told[row, token, place, codes[row, base].long()].item()
        for row, base in ((0, 20), (2, 15))
        for token, place in (places[row] == base).nonzero().tolist()
    ]
    assert wanted
    assert loss.item() == pytest.approx(sum(wanted) / len(wanted), rel=1e-4)
    # What is asked decides, and what it truly is; other truths do not matter.
    others = codes.where(asked, (codes + 1) % 4)
    assert language_loss(
        model, x[model.asked(asked)], others, asked, ones(codes)
    ).item() == pytest.approx(loss.item())


def test_the_loss_of_words_is_of_all_that_touch_a_base() -> None:
    model = model_of("5-mer", tell="words")
    codes = windows(2, 30)
    asked = torch.zeros_like(codes, dtype=torch.bool)
    asked[0, 10] = True
    x = model(codes)
    ids = model.tokenizer(codes, torch.tensor([30, 30])).ids
    wanted = torch.nn.functional.cross_entropy(model.head(x[0, 6:11]), ids[0, 6:11].long())
    loss = language_loss(model, x[model.asked(asked)], codes, asked, ones(codes))
    assert loss.item() == pytest.approx(wanted.item(), rel=1e-5)


@pytest.mark.parametrize("tell", ["bases", "words"])
def test_bases_count_by_their_weight(tell: str) -> None:
    model = model_of("patch", tell=tell)
    codes = windows(1, 40)
    x = model(codes)
    first, second = (torch.zeros_like(codes, dtype=torch.bool) for _ in range(2))
    first[0, 0:4], second[0, 20:24] = True, True
    weights = ones(codes)
    weights[0, 20:24] = 0.25

    def loss(asked: torch.Tensor, weights: torch.Tensor) -> float:
        return language_loss(model, x[model.asked(asked)], codes, asked, weights).item()

    alone = [loss(part, ones(codes)) for part in (first, second)]
    both = loss(first | second, weights)
    assert both == pytest.approx((alone[0] + 0.25 * alone[1]) / 1.25, rel=1e-5)
    assert loss(second, torch.zeros(codes.shape)) == 0


def test_partners_are_told_from_others() -> None:
    x = torch.randn(6, 16)
    assert contrastive_loss(x, x, 0.05).item() < 0.05
    assert contrastive_loss(x, x.roll(1, 0), 0.05).item() > 2
    assert contrastive_loss(torch.ones(6, 4), torch.ones(6, 4), 0.1).item() == pytest.approx(
        math.log(6), rel=1e-5
    )

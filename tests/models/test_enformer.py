"""Enformer: its size, its parts, and what its frozen layers do."""

import pytest
import torch
from torch import Tensor

from attendna.core.config import parse
from attendna.core.errors import ConfigError, UserError
from attendna.models import enformer
from attendna.models.enformer import Enformer, EnformerConfig
from attendna.models.track_model import TrackModel

SMALL = {
    "width": 48,
    "depth": 2,
    "stages": 4,
    "multiple": 8,
    "bins": 20,
    "attention": {"heads": 2, "key_width": 8},
}


def small(**settings: object) -> Enformer:
    torch.manual_seed(0)
    model = parse(EnformerConfig, SMALL | settings, "test").build({"human": 5, "mouse": 3})
    for block in model.blocks:
        torch.nn.init.normal_(block.attention.output.weight, std=0.1)
    return model


def codes(length: int, rows: int = 2) -> Tensor:
    random = torch.Generator().manual_seed(1)
    return torch.randint(0, 5, (rows, length), generator=random).to(torch.uint8)


@pytest.mark.parametrize("sparse", [None, {}])
def test_it_has_the_published_size(sparse: object) -> None:
    config = parse(EnformerConfig, {"attention": {"sparse": sparse}}, "test")
    with torch.device("meta"):
        model = config.build({"human": 5313, "mouse": 1643})
    assert model.parameter_count() == 251_221_292
    assert model.predicted_bins(196_608) == 896
    assert model.bin == 128


def test_every_head_predicts_the_middle() -> None:
    model = small().eval()
    bases = codes(16 * 32)
    whole = small(bins=None).eval()
    for head, tracks in (("human", 5), ("mouse", 3)):
        read = model(bases, head)
        assert read.shape == (2, 20, tracks)
        assert (read > 0).all()
        torch.testing.assert_close(read, whole(bases, head)[:, 6:26])


@pytest.mark.parametrize("sparse", [None, {"block": 4}])
def test_rows_of_a_batch_do_not_see_each_other(sparse: object) -> None:
    model = small(attention=SMALL["attention"] | {"sparse": sparse}).eval()
    bases = codes(16 * 40, rows=3)
    alone = torch.cat([model(row[None], "human") for row in bases])
    torch.testing.assert_close(model(bases, "human"), alone)


def test_tiles_and_checkpoints_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    bases = codes(16 * 32)
    model = small().eval()
    with_gradient = model(bases, "human")
    monkeypatch.setattr(enformer, "TILE", 5)
    with torch.no_grad():
        torch.testing.assert_close(model(bases, "human"), with_gradient)
    again = small(checkpointing=True).eval()
    expected = torch.autograd.grad(with_gradient.sum(), model.blocks[0].expand.weight)[0]
    found = torch.autograd.grad(again(bases, "human").sum(), again.blocks[0].expand.weight)[0]
    torch.testing.assert_close(found, expected)


def test_frozen_layers_stay_as_they_are() -> None:
    model = small()
    model.freeze_all_but_attention()
    model.train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=0.1)
    model(codes(16 * 32), "human").sum().backward()
    optimizer.step()
    changed = {n for n, value in model.state_dict().items() if not torch.equal(value, before[n])}
    assert changed
    assert all(".attention." in name for name in changed)


def test_every_weight_has_a_gradient() -> None:
    model = small(attention=SMALL["attention"] | {"sparse": {"block": 4}}).train()
    (model(codes(16 * 40), "human").sum() + model(codes(16 * 40), "mouse").sum()).backward()
    for name, value in model.named_parameters():
        assert value.grad is not None, name


@pytest.mark.parametrize(
    ("length", "complaint"),
    [(16 * 32 + 8, "no whole number of bins of 16; give 512 or 528"), (16 * 10, "20 are to be")],
)
def test_lengths_that_do_not_fit_are_refused(length: int, complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        small()(codes(length), "human")


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"width": 50}, "no multiple of twice 2 heads"),
        ({"width": 40}, "a multiple of 6, not 20"),
        ({"attention": {"heads": 2, "key_width": 7, "positions": "rotary"}}, "even key_width"),
        ({"attention": {"sparse": {"window": 2}}}, "must be odd"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings: dict[str, object], complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        small(**settings)


@pytest.mark.parametrize("batch", [3, 20])
def test_substitutions_are_predicted_as_if_the_whole_window_was(batch: int) -> None:
    model = small(width=24, bins=30).double().eval()
    window = codes(16 * 40, rows=1)[0]
    # At both ends, at both ends of a bin, and an N.
    places = torch.tensor([0, 0, 15, 16, 17, 300, 320, 639])
    letters = (window[places] + torch.tensor([0, 1, 2, 3, 4, 1, 2, 3])) % 5
    letters = letters.to(torch.uint8)
    with torch.no_grad():
        found = torch.cat(
            list(model.predict_substitutions(window, places, letters, "human", batch))
        )
        whole = list(TrackModel.predict_substitutions(model, window, places, letters, "human", 3))
    assert found.shape == (8, 30, 5)
    torch.testing.assert_close(found, torch.cat(whole), rtol=1e-12, atol=1e-12)
    assert (found[1:] != found[0]).any(2).all()

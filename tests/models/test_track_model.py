import torch

from attendna.models.track_model import TRACK_MODELS, one_hot


def test_an_n_is_no_base() -> None:
    found = one_hot(torch.tensor([[0, 3, 4]], dtype=torch.uint8), torch.float32)
    assert found[0].T.tolist() == [[1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0]]


def test_every_track_model_is_named_as_it_is_registered() -> None:
    for name in TRACK_MODELS:
        assert TRACK_MODELS[name]().name == name

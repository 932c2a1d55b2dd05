"""The CNN with an LSTM."""

import torch

from attendna.models.cnn_lstm import CNNLSTMConfig
from attendna.tokens.onehot import OneHotConfig

TOKENIZER = OneHotConfig().build()


def test_by_default_both_directions_make_the_representation() -> None:
    model = CNNLSTMConfig().build(TOKENIZER, 1)
    assert model.width == 512
    assert model.recurrence.onward.input_size == 1024


def test_it_reads_any_length_and_sees_order() -> None:
    config = CNNLSTMConfig(widths=(6, 8), kernels=(3,), hidden=4)
    model = config.build(TOKENIZER, 2).eval()
    codes = torch.randint(0, 4, (2, 3000), dtype=torch.uint8)
    tokens = TOKENIZER(codes, torch.tensor([3000, 17]))
    assert model(tokens).shape == (2, 2)
    assert model.embed(tokens).shape == (2, 8)
    turned = model(TOKENIZER(codes.flip(1), torch.tensor([3000, 3000])))
    assert not torch.allclose(turned[0], model(tokens)[0])

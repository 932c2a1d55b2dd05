"""The CNN with a fully connected layer."""

import pytest
import torch

from attendna.core.errors import UserError
from attendna.models.cnn_fc import CNNFC, CNNFCConfig
from attendna.tokens.onehot import OneHotConfig

TOKENIZER = OneHotConfig().build()
SMALL = {"widths": (6, 8), "kernels": (3,), "hidden": 5}


def logits(model: CNNFC, lengths: list[int], width: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    codes = torch.randint(0, 4, (1, width), generator=generator, dtype=torch.uint8)
    return model.eval()(TOKENIZER(codes.repeat(len(lengths), 1), torch.tensor(lengths)))


def test_by_default_it_reads_a_kilobase() -> None:
    model = CNNFCConfig().build(TOKENIZER, 1)
    assert model.places == 4
    assert model.connect.weight.shape == (512, 4 * 1024)


def test_it_sees_where_a_motif_lies() -> None:
    model = CNNFCConfig(**SMALL, longest=128).build(TOKENIZER, 1).eval()
    codes = torch.full((2, 128), 4, dtype=torch.uint8)
    motif = torch.tensor([3, 0, 3, 0, 0, 0], dtype=torch.uint8)
    codes[0, 16:22], codes[1, 80:86] = motif, motif
    seen = model(TOKENIZER(codes, torch.tensor([128, 128])))
    assert (seen[0] - seen[1]).abs() > 1e-4


def test_a_sequence_longer_than_it_was_made_for_is_a_user_error() -> None:
    model = CNNFCConfig(**SMALL, longest=64).build(TOKENIZER, 1)
    assert logits(model, [64], 64).shape == (1, 1)
    # Of padding there may be any amount.
    padded = logits(model, [64, 20], 200)
    torch.testing.assert_close(padded[0], logits(model, [64], 200)[0], atol=1e-6, rtol=0)
    for lengths in ([65 + 16], [20, 65 + 16]):
        with pytest.raises(UserError, match=r"81 tokens is longer than the 64 .*model\.longest"):
            logits(model, lengths, 90)

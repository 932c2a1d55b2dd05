"""Single bases."""

import torch

from attendna.genome.sequences import SequenceBatch
from attendna.tokens.onehot import OneHotConfig


def test_ids_are_the_codes_and_padding_is_unknown() -> None:
    codes, lengths = SequenceBatch.from_text(["ACGTN", "TG", ""]).padded()
    tokens = OneHotConfig().build()(torch.tensor(codes), torch.tensor(lengths))
    assert tokens.ids.tolist() == [[0, 1, 2, 3, 4], [3, 2, 4, 4, 4], [4] * 5]
    assert tokens.mask.sum(1).tolist() == [5, 2, 0]
    assert tokens.spans[1].tolist() == [[0, 1], [1, 2], [0, 0], [0, 0], [0, 0]]
    assert tokens.ids.dtype == torch.int32


def test_whatever_padding_holds_is_unknown() -> None:
    codes = torch.tensor([[0, 1, 255, 77]], dtype=torch.uint8)
    tokens = OneHotConfig().build()(codes, torch.tensor([2]))
    assert tokens.ids.tolist() == [[0, 1, 4, 4]]

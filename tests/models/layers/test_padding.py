"""What layers are told of padding."""

import torch

from attendna.models.layers.padding import hide_padding, real_tokens
from attendna.tokens.kmer import KmerConfig
from attendna.tokens.tokenizer import TokenBatch


def tokens(*lengths: int, width: int = 16) -> TokenBatch:
    codes = torch.randint(0, 4, (len(lengths), width), dtype=torch.uint8)
    return KmerConfig(k=3).build()(codes, torch.tensor(lengths))


def test_sequences_of_one_length_lose_their_padding() -> None:
    batch = tokens(11, 11)
    ids, mask = real_tokens(batch)
    assert mask is None
    assert torch.equal(ids, batch.ids[:, :9])


def test_ragged_sequences_keep_their_mask() -> None:
    batch = tokens(11, 12)
    ids, mask = real_tokens(batch)
    assert ids is batch.ids
    assert mask is batch.mask


def test_no_token_at_all_is_no_error() -> None:
    ids, mask = real_tokens(tokens(2, 2, width=2))
    assert ids.shape == (2, 0)
    assert mask is None


def test_padding_is_hidden() -> None:
    x = torch.ones(2, 3, 4)
    mask = torch.tensor([[True, True, False], [True, False, False]])
    assert hide_padding(x, mask).sum(2).tolist() == [[4, 4, 0], [4, 0, 0]]
    assert hide_padding(x, None) is x

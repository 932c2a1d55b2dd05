"""Language models: what a token tells, for every tokenizer, and how words become bases."""

from pathlib import Path

import pytest
import torch
from tests.words import config as words

from attendna.core.config import parse
from attendna.core.errors import ConfigError
from attendna.models.cnn import CNNConfig
from attendna.models.encoder import EncoderConfig
from attendna.models.language import LanguageModel, Words
from attendna.tokens.kmer import KmerConfig
from attendna.tokens.onehot import OneHotConfig
from attendna.tokens.patch import PatchConfig

CASES = {
    "onehot": (OneHotConfig(), "embedding"),
    "pooled": (OneHotConfig(), {"name": "convolution", "pool": 4, "channels": 8}),
    "unpooled": (OneHotConfig(), {"name": "convolution", "pool": 1, "channels": 8}),
    "5-mer": (KmerConfig(k=5), "embedding"),
    "strided": (KmerConfig(k=5, stride=2), "embedding"),
    "apart": (KmerConfig(k=3, stride=5), "embedding"),
    "patch": (PatchConfig(k=4), "embedding"),
}


def model_of(case: str, tell: str = "bases", **changes) -> LanguageModel:
    tokenizer, stem = CASES[case]
    tree = {"width": 8, "blocks": 1, "heads": 2, "dropout": 0.0, "stem": stem} | changes
    return LanguageModel(parse(EncoderConfig, tree, "test"), tokenizer.build(), tell).eval()


def windows(rows: int, length: int) -> torch.Tensor:
    return torch.randint(0, 4, (rows, length), dtype=torch.uint8)


@pytest.mark.parametrize("length", [40, 43, 61])
@pytest.mark.parametrize("case", CASES)
def test_each_base_is_told_by_one_token_that_reads_it(case: str, length: int) -> None:
    model = model_of(case)
    x = model(windows(2, length))
    places = model.owned(torch.arange(length)[None].expand(2, -1), fill=-1)
    assert places.shape[:2] == x.shape[:2]
    told = places[0][places[0] >= 0].flatten()
    assert len(told.unique()) == len(told)
    assert torch.equal(told, told.sort().values)
    gaps = {"apart": 2 * length // 5 + 2, "patch": 3}.get(case, 4)
    assert len(told) >= length - gaps
    if model.pool == 1:
        # The token's own word holds the base.
        starts = torch.arange(x.shape[1]) * model.words.stride
        inside = places[0] - starts[:, None]
        assert ((inside >= 0) & (inside < model.words.size)).all()


@pytest.mark.parametrize("case", CASES)
def test_a_prediction_depends_on_what_is_read(case: str) -> None:
    model = model_of(case)
    codes = windows(1, 40)
    hidden = codes.clone()
    hidden[0, 18:22] = 4
    before, after = model(codes), model(hidden)
    assert not torch.allclose(before, after)
    told = model.log_probabilities(after.flatten(0, 1))
    assert told.shape == (after.shape[1], model.count, 4)
    assert torch.allclose(told.exp().sum(2), torch.ones(told.shape[:2]), atol=1e-5)


@pytest.mark.parametrize("pooling", ["cls", "mean_max"])
@pytest.mark.parametrize("case", CASES)
def test_some_tokens_are_read_as_among_all(case: str, pooling: str) -> None:
    model, codes = model_of(case, pooling=pooling), windows(3, 44)
    asked = torch.zeros((3, 44), dtype=torch.bool)
    asked[0, 5:9], asked[2, 3], asked[2, 30:36] = True, True, True
    rows = model.asked(asked)
    assert 0 < rows.sum() < rows.numel()
    torch.testing.assert_close(model.read_some(codes, rows), model(codes)[rows])
    assert model.read_some(codes, rows & False).shape == (0, 8)


@pytest.mark.parametrize("case", ["onehot", "5-mer", "strided", "apart", "patch", "unpooled"])
def test_words_are_summed_up_to_bases(case: str) -> None:
    model = model_of(case, tell="words")
    x = torch.randn(3, 8)
    words = model.head(x).softmax(1)
    size = model.words.size
    told = model.log_probabilities(x).exp()
    for place in range(model.count):
        for base in range(4):
            shift = 2 * (size - 1 - model.first - place)
            having = (torch.arange(4**size) >> shift) % 4 == base
            assert torch.allclose(told[:, place, base], words[:, having].sum(1), atol=1e-5)


def test_what_a_pooling_adds_is_told_nothing() -> None:
    model = model_of("patch", pooling="cls")
    assert model(windows(2, 40)).shape[1] == 10
    assert "encoder.pooling.token" in model.state_dict()
    # A pooling that is not read is not stored.
    attention = model_of("patch", pooling="attention")
    assert not [n for n in attention.state_dict() if "pooling" in n or "encoder.head" in n]


@pytest.mark.parametrize(
    ("tokenizer", "size", "stride"),
    [(OneHotConfig(), 1, 1), (KmerConfig(k=6), 6, 1), (PatchConfig(k=4), 4, 4),
     (PatchConfig(k=4, remainder="pad"), 4, 4), (KmerConfig(k=3, stride=5), 3, 5)],
    ids=["onehot", "kmer", "patch", "padded", "apart"],
)  # fmt: skip
def test_how_a_tokenizer_reads_is_found_out(tokenizer, size: int, stride: int) -> None:
    assert Words.of(tokenizer.build()) == Words(size, stride)


def test_what_has_no_tokens_or_words_is_refused() -> None:
    with pytest.raises(ConfigError, match="only an encoder has tokens"):
        LanguageModel(CNNConfig(), OneHotConfig().build(), "bases")
    with pytest.raises(ConfigError, match="the stem makes one token of 4"):
        model_of("pooled", tell="words")


def test_words_of_no_fixed_length_are_refused() -> None:
    with pytest.raises(ConfigError, match="reads fixed words; set tokenizer to onehot, kmer"):
        Words.of(words().build())


def test_it_learns_what_stands_beside(tmp_path: Path) -> None:
    """A base that is its left neighbor's complement is told from it."""
    torch.manual_seed(0)
    model = model_of("onehot", width=16).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(150):
        left = windows(16, 20)
        codes = torch.stack([left, 3 - left], dim=2).flatten(1)
        read = codes.clone()
        read[:, 11] = 4
        told = model.log_probabilities(model(read)[:, 11])[:, 0]
        loss = torch.nn.functional.nll_loss(told, codes[:, 11].long())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.1

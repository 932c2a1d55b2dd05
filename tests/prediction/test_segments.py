"""Representations segment by segment."""

import numpy as np
import pytest
import torch

from attendna.core.errors import DataError
from attendna.genome.sequences import SequenceBatch
from attendna.models.checkpoint import Checkpoint, InputContract
from attendna.models.encoder import EncoderConfig
from attendna.prediction.predictor import Predictor
from attendna.prediction.segments import embed_segments
from attendna.tokens.onehot import OneHotConfig


@pytest.fixture(params=["single", "conjoined"])
def predictor(request: pytest.FixtureRequest) -> Predictor:
    torch.manual_seed(0)
    checkpoint = Checkpoint(
        run_id="test",
        tokenizer=OneHotConfig(),
        model=EncoderConfig(width=8, heads=2, blocks=1),
        strands=request.param,
        label_kind="binary",
        classes=("no", "yes"),
        input=InputContract(shortest=20, longest=20, task="test", split_hash="0"),
    )
    return Predictor(checkpoint, checkpoint.build(), "cpu")


def random(*lengths: int) -> SequenceBatch:
    bounds = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return SequenceBatch(np.random.default_rng(0).integers(0, 4, bounds[-1], np.uint8), bounds)


def test_segments_stand_side_by_side(predictor: Predictor) -> None:
    batch = random(60, 60)
    vectors = embed_segments(predictor, batch, 20)
    assert vectors.shape == (2, 3 * 16)
    pieces = SequenceBatch.from_codes([batch[1][20 * i : 20 * i + 20] for i in range(3)])
    np.testing.assert_allclose(vectors[1], predictor.embed(pieces).ravel(), atol=1e-6)


def test_the_mean_takes_any_lengths(predictor: Predictor) -> None:
    batch = random(60, 19, 101)
    told: list[int] = []
    with pytest.warns(UserWarning, match="were|have|trained"):
        vectors = embed_segments(predictor, batch, 20, join="mean", progress=told.append)
    assert vectors.shape == (3, 16)
    assert sum(told) == 3 + 1 + 6
    np.testing.assert_allclose(vectors[1], predictor.embed(batch.take([1]))[0], atol=1e-6)
    expected = embed_segments(predictor, batch.take([0]), 20).reshape(3, 16).mean(0)
    np.testing.assert_allclose(vectors[0], expected, atol=1e-6)


def test_unequal_numbers_of_segments_are_refused(predictor: Predictor) -> None:
    with pytest.raises(DataError, match=r"seqs\.fa, row 3: 4 segments of 20 bases, .* has 3"):
        embed_segments(predictor, random(60, 41, 61), 20, source="seqs.fa")


def test_nothing_gives_nothing(predictor: Predictor) -> None:
    assert len(embed_segments(predictor, random(), 20)) == 0

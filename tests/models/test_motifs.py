"""Occupancy of motifs against a plain loop over places."""

from pathlib import Path

import numpy as np
import pytest
import torch

from attendna.core.errors import ConfigError, DataError
from attendna.genome.alphabet import N
from attendna.genome.motif import Motif
from attendna.genome.sequences import SequenceBatch
from attendna.models.motifs import PRIOR, Motifs, MotifsConfig
from attendna.tokens.kmer import KmerConfig
from attendna.tokens.onehot import OneHotConfig
from attendna.tokens.tokenizer import TokenBatch

TOKENIZER = OneHotConfig().build()
TEXTS = ["ACGTTGACTCAGGN", "TTGNCTCA", "GATTACAGATTACAGATTACATGAGTCA", "AC"]


def random_motifs(count: int = 70) -> list[Motif]:
    generator = np.random.default_rng(0)
    return [
        Motif(str(number), generator.dirichlet(np.full(4, 0.3), size=1 + number % 9))
        for number in range(count)
    ]


def of(motifs: list[Motif], outputs: int = 1) -> Motifs:
    model = MotifsConfig.of(motifs).build(TOKENIZER, outputs)
    model.take(motifs)
    return model.double().eval()


def tokens(texts: list[str]) -> TokenBatch:
    codes, lengths = SequenceBatch.from_text(texts).padded()
    return TOKENIZER(torch.from_numpy(codes.copy()), torch.from_numpy(lengths.copy()))


def plain(motif: Motif, text: str) -> float:
    """Every place of both strands, base by base."""
    codes = SequenceBatch.from_text([text]).codes
    total = 0.0
    for read in (motif, motif.reverse_complement()):
        odds = (read.probabilities / 0.25 + PRIOR) / (1 + PRIOR)
        for start in range(len(codes) - len(motif) + 1):
            site = codes[start : start + len(motif)]
            if (site < N).all():
                total += float(np.prod(odds[np.arange(len(motif)), site]))
    return float(np.log2(1 + total))


@torch.no_grad()
def test_occupancy_is_the_sum_over_places_of_both_strands() -> None:
    # More motifs than are computed at once, of mixed lengths, some longer than a sequence.
    motifs = random_motifs()
    found = of(motifs).embed(tokens(TEXTS))
    expected = [[plain(motif, text) for motif in motifs] for text in TEXTS]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    too_long = [number for number, motif in enumerate(motifs) if len(motif) > 2]
    assert (found[3, too_long] == 0).all()


@torch.no_grad()
def test_both_strands_are_one() -> None:
    model = of(random_motifs(20))
    texts = [text.replace("N", "A") for text in TEXTS]
    turned = [text[::-1].translate(str.maketrans("ACGT", "TGCA")) for text in texts]
    torch.testing.assert_close(model.embed(tokens(texts)), model.embed(tokens(turned)))


def test_only_what_reads_occupancies_is_trained() -> None:
    model = MotifsConfig(motifs=30, longest=5).build(TOKENIZER, 2)
    assert model.parameter_count() == 2 * 30 + 30 * 2 + 2


def test_training_starts_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "own.jaspar"
    path.write_text(">a\nA [9 0 0]\nC [0 9 0]\nG [0 0 9]\nT [1 1 1]\n")
    config = MotifsConfig(source=str(path), motifs=1, longest=3)
    model = config.initialize(TOKENIZER, 1)
    assert model.bits[0, 0, :, :4].argmax(1).tolist() == [0, 1, 2]
    assert model.bits[0, 1, :, :4].argmax(1).tolist() == [1, 2, 3]
    with pytest.raises(ConfigError, match=r"own\.jaspar has 1 of up to 3 bases, not 256 of 12"):
        MotifsConfig(source=str(path)).initialize(TOKENIZER, 1)
    with pytest.raises(DataError, match="no such file"):
        MotifsConfig(source="no.meme").initialize(TOKENIZER, 1)


def test_words_are_refused() -> None:
    with pytest.raises(ConfigError, match="it reads single bases"):
        MotifsConfig().build(KmerConfig(k=3).build(), 1)

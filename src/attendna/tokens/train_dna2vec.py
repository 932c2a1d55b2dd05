"""Learn k-mer vectors from a genome, as dna2vec does.

The genome is cut into stretches of random length; at every base of a stretch begins one word, whose
length is drawn from ``k_min`` to ``k_max``; the words of a stretch are a sentence for word2vec's
skip-gram with negative sampling. Every epoch draws anew.

Source: Ng, "dna2vec: consistent vector representations of variable-length k-mers", 2017, and its
published settings (k 3-8, 100 dimensions, window 10, 10 epochs, either strand at random).

Shapes: ``n`` bases.
"""

import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray
from pydantic import Field, model_validator

import attendna
from attendna.core.config import Config, Seed, to_yaml
from attendna.core.errors import DataError, MissingExtraError
from attendna.core.files import publish_folder, refuse_existing, sha256
from attendna.core.outputs import OutputFolder
from attendna.genome.alphabet import reverse_complement
from attendna.genome.kmers import all_kmers, kmer_numbers, known_runs
from attendna.genome.reference import stream_contigs
from attendna.tokens.dna2vec import BINARY, TEXT

VECTORS = OutputFolder("dna2vec")
CARD = "card.yaml"
STRETCH = (2_500, 5_000)
"""Shortest and longest stretch of the genome that makes a sentence; word2vec takes up to 10,000
words."""

LONGEST_WORD = 8

Progress = Callable[[int, int], None]
"""Called now and then with the bases read so far and the bases to read in all epochs."""


class Dna2vecSettings(Config):
    """How vectors are learned; the defaults are dna2vec's published settings."""

    k_min: int = Field(default=3, ge=1, le=LONGEST_WORD)
    k_max: int = Field(default=8, ge=1, le=LONGEST_WORD)
    dimensions: int = Field(default=100, ge=1)
    window: int = Field(default=10, ge=1)
    """Words to either side that a word is asked to predict."""
    negative: int = Field(default=5, ge=1)
    """Random words it is asked not to predict, for each that it is."""
    epochs: int = Field(default=10, ge=1)
    min_count: int = Field(default=5, ge=1)
    """Words expected more rarely than this in the whole training get no vector."""
    both_strands: bool = True
    """Whether each stretch is read on either strand at random."""
    seed: Seed = 0
    workers: int = Field(default=1, ge=1)
    """Threads; only one gives the same vectors every time."""

    @model_validator(mode="after")
    def _ordered(self) -> "Dna2vecSettings":
        if self.k_min > self.k_max:
            raise ValueError(f"k_min {self.k_min} is more than k_max {self.k_max}")
        return self

    @property
    def sizes(self) -> range:
        """The word lengths."""
        return range(self.k_min, self.k_max + 1)


class Dna2vecCard(Config):
    """What lies beside the vectors as ``card.yaml``: where they come from."""

    genome: str
    sha256: str
    contigs: int
    bases: int
    """Without N."""
    words: dict[int, int]
    """Words with a vector, by length."""
    seconds: float
    settings: Dna2vecSettings
    attendna: str = attendna.__version__
    gensim: str


def train_dna2vec(
    genome: str | Path,
    out: str | Path,
    settings: Dna2vecSettings,
    *,
    file_format: Literal["text", "binary"] = "text",
    force: bool = False,
    progress: Progress | None = None,
) -> Dna2vecCard:
    """Learn vectors from a FASTA file and write them, in word2vec's format, with a card.

    The genome is read once to count words and once an epoch; memory holds its longest contig.

    Raises
    ------
    MissingExtraError
        gensim is not installed.
    DataError
        The genome cannot be read, or is too small for the settings.
    FolderError
        The folder exists.
    """
    model_class = _word2vec()
    refuse_existing(out, VECTORS, force=force)
    started = time.monotonic()
    corpus = Corpus(Path(genome), settings, progress)
    frequencies = corpus.frequencies()
    if not frequencies:
        raise DataError(
            genome,
            f"{corpus.bases:,} bases hold no word {settings.min_count} times",
            "give a larger genome, more epochs or a lower --min-count",
        )
    # Opened before the work, so that a folder that cannot be written is told at once.
    with publish_folder(out, VECTORS, force=force) as partial:
        model = model_class(
            sg=1,
            vector_size=settings.dimensions,
            window=settings.window,
            negative=settings.negative,
            min_count=1,
            seed=settings.seed % (1 << 32),
            workers=settings.workers,
        )
        model.build_vocab_from_freq(frequencies)
        model.train(corpus, total_words=corpus.words_an_epoch, epochs=settings.epochs)
        name = TEXT if file_format == "text" else BINARY
        model.wv.save_word2vec_format(str(partial / name), binary=file_format == "binary")
        card = Dna2vecCard(
            genome=Path(genome).name,
            sha256=sha256(genome),
            contigs=corpus.contigs,
            bases=corpus.bases,
            words={size: sum(len(word) == size for word in frequencies) for size in settings.sizes},
            seconds=round(time.monotonic() - started, 1),
            settings=settings,
            gensim=version("gensim"),
        )
        (partial / CARD).write_text(to_yaml(card.to_tree()), encoding="utf-8")
    return card


def _word2vec() -> Any:
    try:
        from gensim.models import Word2Vec
    except ImportError:
        raise MissingExtraError("gensim", "dna2vec", "learning k-mer vectors") from None
    return Word2Vec


class Corpus:
    """Sentences of a genome; every pass over it is one epoch, with draws of its own."""

    def __init__(
        self, genome: Path, settings: Dna2vecSettings, progress: Progress | None = None
    ) -> None:
        self.genome = genome
        self.settings = settings
        self.progress = progress
        self.contigs = 0
        self.bases = 0
        self.words_an_epoch = 0
        self._total = 0
        self._passes = 0
        sizes = settings.sizes
        # All words, short ones first; `_first` is where the words of a length begin.
        self._words = np.array(list(chain.from_iterable(map(all_kmers, sizes))), dtype=object)
        counts = 4 ** np.arange(LONGEST_WORD + 1) * np.isin(np.arange(LONGEST_WORD + 1), sizes)
        self._first = (np.cumsum(counts) - counts).astype(np.int32)

    def frequencies(self) -> dict[str, int]:
        """How often each word is expected in an epoch, of those frequent enough to learn."""
        settings = self.settings
        counts = np.zeros(len(self._words), dtype=np.int64)
        self.contigs = self.bases = self._total = 0
        for _, codes in stream_contigs(self.genome):
            self.contigs += 1
            self._total += codes.size
            for known in known_runs(codes):
                self.bases += known.size
                strands = (known, reverse_complement(known)) if settings.both_strands else (known,)
                for strand in strands:
                    self._count(strand, counts)
        # Each place holds one word of a length drawn at random, on a strand drawn at random.
        share = len(settings.sizes) * (2 if settings.both_strands else 1)
        expected = counts / share
        self.words_an_epoch = int(expected.sum())
        kept = np.flatnonzero(expected * settings.epochs >= settings.min_count)
        return {self._words[i]: max(1, round(expected[i])) for i in kept}

    def _count(
        self, codes: UInt8[ndarray, " n"], counts: "ndarray[Any, np.dtype[np.int64]]"
    ) -> None:
        longest = kmer_numbers(codes, self.settings.k_max)
        for size in self.settings.sizes:
            first, number = self._first[size], longest >> 2 * (self.settings.k_max - size)
            counts[first : first + 4**size] += np.bincount(number, minlength=4**size)

    def __iter__(self) -> Iterator[list[str]]:
        settings = self.settings
        generator = np.random.default_rng([settings.seed, self._passes])
        self._passes += 1
        done = (self._passes - 1) * self._total
        for _, codes in stream_contigs(self.genome):
            for stretch in _stretches(codes, generator):
                done += stretch.size
                for known in known_runs(self._strand(stretch, generator)):
                    sentence = self._sentence(known, generator)
                    if sentence:
                        yield sentence
                if self.progress is not None:
                    self.progress(done, self._total * settings.epochs)

    def _strand(
        self, stretch: UInt8[ndarray, " n"], generator: np.random.Generator
    ) -> UInt8[ndarray, " n"]:
        turn = self.settings.both_strands and generator.random() < 0.5
        return reverse_complement(stretch) if turn else stretch

    def _sentence(self, codes: UInt8[ndarray, " n"], generator: np.random.Generator) -> list[str]:
        """One word from every base where the longest would fit."""
        longest = kmer_numbers(codes, self.settings.k_max)
        sizes = generator.integers(
            self.settings.k_min, self.settings.k_max, longest.size, np.int32, endpoint=True
        )
        # A shorter word is the beginning of the longest one: its leading digits.
        places = self._first[sizes] + (longest >> 2 * (self.settings.k_max - sizes))
        return self._words[places].tolist()


def _stretches(
    codes: UInt8[ndarray, " n"], generator: np.random.Generator
) -> Iterator[UInt8[ndarray, " _"]]:
    most = codes.size // STRETCH[0] + 1
    ends = np.cumsum(generator.integers(*STRETCH, most))
    for start, end in pairwise([0, *ends[ends < codes.size].tolist(), codes.size]):
        yield codes[start:end]

"""Learn the words of a byte-pair encoding from genomes.

The genomes are cut into stretches, of which as many are drawn as hold the bases asked for, each
read on either strand; the two words that most often stand side by side become one, again and again,
until there are as many words as wanted. No word crosses an N.

Source: Sennrich et al. 2016; Zhou et al. 2023 (DNABERT-2) for DNA.

Shapes: ``n`` bases.
"""

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray
from pydantic import Field

import attendna
from attendna.core.config import Config, Seed, to_yaml
from attendna.core.errors import ConfigError, DataError, MissingExtraError
from attendna.core.files import publish_folder, refuse_existing, sha256
from attendna.core.outputs import OutputFolder
from attendna.genome.alphabet import decode, reverse_complement
from attendna.genome.kmers import known_runs
from attendna.genome.reference import stream_contigs
from attendna.tokens.bpe_vocabulary import (
    BASES,
    CLS,
    FILE,
    MASK,
    PADDING,
    SEP,
    SPECIAL,
    UNKNOWN,
    Vocabulary,
)

BPE = OutputFolder("vocabulary")
CARD = "card.yaml"
SETTINGS = "tokenizer_config.json"
"""What transformers reads beside the vocabulary."""

STRETCH = 512
"""Bases of a stretch. Counting goes through all stretches that a pair of words stands in, so short
ones are faster; words at their borders are lost."""


class BPESettings(Config):
    """How the words are learned."""

    vocabulary: int = Field(default=16_384, ge=len(SPECIAL) + len(BASES) + 1)
    """Words in all, special ones included."""
    bases: int = Field(default=20_000_000, ge=1)
    """Bases to learn from at most, drawn from all over the genomes; each takes about 80 bytes of
    memory."""
    min_count: int = Field(default=2, ge=1)
    """Pairs rarer than this make no word."""
    both_strands: bool = True
    """Whether each stretch is read on either strand at random."""
    seed: Seed = 0


class Genome(Config):
    """A genome that words were learned from."""

    name: str
    sha256: str
    bases: int
    """Without N."""


class BPECard(Config):
    """What lies beside the vocabulary as ``card.yaml``: where it comes from."""

    genomes: tuple[Genome, ...]
    bases_read: int
    """Bases that were drawn to learn from."""
    words: int
    """Words in all, special ones included; fewer than asked for where the genomes hold no more."""
    longest: str
    """The longest word."""
    bases_a_word: float
    """Bases of the mean word in what was read."""
    seconds: float
    settings: BPESettings
    attendna: str = attendna.__version__
    tokenizers: str


def train_bpe(
    genomes: Sequence[str | Path],
    out: str | Path,
    settings: BPESettings,
    *,
    force: bool = False,
) -> BPECard:
    """Learn words from FASTA or .2bit files and write them as ``tokenizer.json``, with a card.

    The genomes are read twice: once to count their bases, once to draw from them.

    Raises
    ------
    MissingExtraError
        tokenizers is not installed.
    ConfigError
        No genome is given.
    DataError
        A genome cannot be read or has no known base, or nothing in them occurs often enough.
    FolderError
        The folder exists.
    """
    library = _tokenizers()
    if not genomes:
        raise ConfigError("no genome is given", "add --genome FILE")
    refuse_existing(out, BPE, force=force)
    started = time.monotonic()
    paths = [Path(genome) for genome in genomes]
    known = [_known_bases(path) for path in paths]
    corpus = Corpus(paths, settings, min(1.0, settings.bases / sum(known)))
    with publish_folder(out, BPE, force=force) as partial:
        tokenizer = _learn(library, corpus, settings)
        read = corpus.bases
        tokenizer.save(str(partial / FILE))
        vocabulary = Vocabulary.read(partial / FILE)
        if not vocabulary.merges:
            raise DataError(
                paths[0],
                f"no two of {read:,} bases stand together {settings.min_count} times",
                "give a larger genome or a lower --min-count",
            )
        (partial / SETTINGS).write_text(json.dumps(_for_transformers(), indent=2), "utf-8")
        card = BPECard(
            genomes=tuple(
                Genome(name=path.name, sha256=sha256(path), bases=bases)
                for path, bases in zip(paths, known, strict=True)
            ),
            bases_read=read,
            words=len(vocabulary.words),
            longest=max(vocabulary.words[len(SPECIAL) :], key=len),
            bases_a_word=round(_bases_a_word(tokenizer, corpus), 2),
            seconds=round(time.monotonic() - started, 1),
            settings=settings,
            tokenizers=library.__version__,
        )
        (partial / CARD).write_text(to_yaml(card.to_tree()), encoding="utf-8")
    return card


def _tokenizers() -> Any:
    try:
        import tokenizers
    except ImportError:
        raise MissingExtraError("tokenizers", "bpe", "byte-pair encoding") from None
    return tokenizers


def _known_bases(path: Path) -> int:
    known = sum(run.size for _, codes in stream_contigs(path) for run in known_runs(codes))
    if not known:
        raise DataError(path, "there is no known base in it, only N", "give a genome with bases")
    return known


class Corpus:
    """Stretches of genomes; every pass over it gives the same ones.

    Parameters
    ----------
    share
        Share of all stretches that is drawn.
    """

    def __init__(self, genomes: Sequence[Path], settings: BPESettings, share: float) -> None:
        self.genomes = genomes
        self.settings = settings
        self.share = share
        self.bases = 0
        """Bases that the last pass gave."""

    def __iter__(self) -> Iterator[str]:
        generator = np.random.default_rng(self.settings.seed)
        self.bases = 0
        for genome in self.genomes:
            for _, codes in stream_contigs(genome):
                for known in known_runs(codes):
                    for stretch in self._draw(known, generator):
                        self.bases += stretch.size
                        yield decode(stretch)

    def _draw(
        self, known: UInt8[ndarray, " n"], generator: np.random.Generator
    ) -> Iterator[UInt8[ndarray, " _"]]:
        starts = np.arange(0, known.size, STRETCH)
        drawn = generator.random(len(starts)) < self.share
        turned = (generator.random(len(starts)) < 0.5) & self.settings.both_strands
        for start, turn in zip(starts[drawn].tolist(), turned[drawn].tolist(), strict=True):
            stretch = known[start : start + STRETCH]
            yield reverse_complement(stretch) if turn else stretch


def _learn(library: Any, corpus: Corpus, settings: BPESettings) -> Any:
    """A tokenizer whose words were learned from the corpus."""
    tokenizer = library.Tokenizer(library.models.BPE(unk_token=UNKNOWN))
    trainer = library.trainers.BpeTrainer(
        vocab_size=settings.vocabulary,
        min_frequency=settings.min_count,
        special_tokens=list(SPECIAL),
        initial_alphabet=list(BASES),
        limit_alphabet=len(BASES),
        show_progress=False,
    )
    tokenizer.train_from_iterator(corpus, trainer)
    ids = {word: place for place, word in enumerate(SPECIAL)}
    # As DNABERT-2 has it; attendna itself adds no special word to a sequence.
    tokenizer.post_processor = library.processors.TemplateProcessing(
        single=f"{CLS} $A {SEP}",
        pair=f"{CLS} $A {SEP} $B:1 {SEP}:1",
        special_tokens=[(word, ids[word]) for word in (CLS, SEP)],
    )
    return tokenizer


def _bases_a_word(tokenizer: Any, corpus: Corpus) -> float:
    """Of the first thousand stretches."""
    texts = [text for text, _ in zip(corpus, range(1_000), strict=False)]
    words = sum(len(one.ids) for one in tokenizer.encode_batch(texts, add_special_tokens=False))
    return sum(map(len, texts)) / words


def _for_transformers() -> dict[str, str]:
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "unk_token": UNKNOWN,
        "cls_token": CLS,
        "sep_token": SEP,
        "pad_token": PADDING,
        "mask_token": MASK,
    }

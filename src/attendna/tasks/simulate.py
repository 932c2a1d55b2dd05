"""Sequences with planted motif grammars, and the truth about every base.

A grammar is a row of motifs with a range of spacings, orientations and an order. Positive sequences
carry it; negatives lack it, each in one of several ways, so that what a model must have understood
can be chosen. Where motifs lie is stored beside the task and interpretation can be scored by it.

Shapes: ``r`` sequences, ``L`` bases of each, ``m`` motifs of the grammar, ``w`` bases of a motif,
``n`` bases of all sequences of a split.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

import numpy as np
import polars as pl
from jaxtyping import Bool, Float64, Int64, UInt8
from numpy import ndarray
from pydantic import Field, model_validator

from attendna.core.config import Config, Seed, to_yaml
from attendna.core.errors import ConfigError, DataError, FolderError
from attendna.core.files import refuse_existing, sha256
from attendna.core.parquet import read_parquet, write_parquet
from attendna.genome.alphabet import complement, reverse_complement
from attendna.genome.kmers import kmer_numbers, known_runs
from attendna.genome.motif import IUPAC, Motif, choose_motif, named_apart
from attendna.genome.motifs import read_motifs
from attendna.genome.reference import stream_contigs
from attendna.genome.sequences import SequenceBatch
from attendna.tasks.spec import TASK, Source, SplitName, TaskSpec
from attendna.tasks.store import Split, Task, write_task

TRUTH = "truth.parquet"
SETTINGS = "simulation.yaml"

Kind = Literal["background", "shuffled", "single", "spacing"]
"""What a negative sequence holds: ``background`` nothing; ``shuffled`` the grammar with the letters
of each motif in another order; ``single`` one motif of the grammar; ``spacing`` all of them, at
other distances."""

Orientation = Literal["forward", "either", "together"]
"""On which strand motifs lie: ``forward`` as they are given; ``either`` each on a strand of its
own; ``together`` the whole grammar on one of the two."""

_ROUNDS = 100


class SimulationSettings(Config):
    """A grammar, a background and numbers of sequences; the defaults suit a first look."""

    motifs: tuple[str, ...] = Field(default=("AP1=TGASTCA", "GATA=AGATAAG"), min_length=1)
    """In the order of the grammar, each as ``WORD`` or ``NAME=WORD`` of IUPAC letters, ``FILE`` or
    ``FILE:NAME`` of motifs (see ``genome.motifs``)."""
    spacing: tuple[int, int] = (5, 20)
    """Fewest and most bases between neighboring motifs."""
    order: Literal["fixed", "any"] = "fixed"
    orientation: Orientation = "either"
    negatives: tuple[Kind, ...] = Field(default=("shuffled", "single"), min_length=1)
    """Ways in which negatives lack the grammar, in equal shares."""
    chance: Literal["remove", "keep"] = "remove"
    """Whether matches of a motif that arise by chance are broken up; kept, the truth is what was
    planted and not all that is there."""
    length: int = Field(default=200, ge=1)
    train: int = Field(default=4_000, ge=2)
    valid: int = Field(default=500, ge=0)
    test: int = Field(default=1_000, ge=0)
    positive_fraction: float = Field(default=0.5, gt=0, lt=1)
    gc: float = Field(default=0.41, ge=0, le=1)
    """Share of G and C in a background of independent bases; not used with ``background``."""
    background: str | None = None
    """A FASTA file; the background follows the frequencies of its words, both strands counted."""
    markov_order: int = Field(default=2, ge=0, le=8)
    """How many bases before it decide a base of such a background."""
    seed: Seed = 0

    @model_validator(mode="after")
    def _is_range(self) -> Self:
        least, most = self.spacing
        if least < 0 or most < least:
            raise ValueError(f"spacing {least}-{most} is no range")
        return self

    @property
    def rows(self) -> dict[SplitName, int]:
        """Sequences of each split that has any."""
        rows: dict[SplitName, int] = {"train": self.train, "valid": self.valid, "test": self.test}
        return {split: count for split, count in rows.items() if count}


def simulate(folder: str | Path, settings: SimulationSettings, *, force: bool = False) -> Task:
    """Make a task of simulated sequences, with ``truth.parquet`` beside its splits.

    The truth has one row a planted motif: ``id`` of the sequence, ``motif``, ``start``, ``end``,
    ``strand``, and ``kind``, which is ``shuffled`` where the letters are in another order and
    ``motif`` elsewhere. Splits have a column ``kind``: ``grammar``, or how the negative was made.

    Raises
    ------
    ConfigError
        A motif cannot be read, or the grammar does not fit into the sequences.
    DataError
        A motif or background file cannot be used.
    FolderError
        The folder exists.
    """
    refuse_existing(folder, TASK, force=force)
    motifs = load_motifs(settings.motifs)
    background = (
        Background.of_gc(settings.gc)
        if settings.background is None
        else Background.of_genome(settings.background, settings.markov_order)
    )
    frames: dict[SplitName, pl.DataFrame] = {}
    truths: list[pl.DataFrame] = []
    for place, (split, count) in enumerate(settings.rows.items()):
        generator = np.random.default_rng([settings.seed, place])
        planted = plant(count, motifs, background, settings, generator)
        frames[split], truth = _tables(split, planted, motifs)
        truths.append(truth)

    def complete(partial: Path) -> None:
        write_parquet(pl.concat(truths), partial / TRUTH)
        (partial / SETTINGS).write_text(to_yaml(settings.to_tree()), encoding="utf-8")

    spec = _describe(Path(folder).name, settings, motifs)
    return write_task(folder, spec, frames, force=force, complete=complete)


def read_truth(task: Task) -> pl.DataFrame:
    """The planted motifs of a simulated task; columns as :func:`simulate` says."""
    path = task.folder / TRUTH
    if not path.is_file():
        raise FolderError(
            f"{task.folder} has no {TRUTH}", "only tasks of `data simulate` know where motifs are"
        )
    return read_parquet(path, "simulate it again")


def planted_bases(task: Task, split: Split) -> Bool[ndarray, " n"]:
    """Whether each base of a split is part of a planted motif, aligned with its flat codes.

    Where all sequences have one length, ``.reshape(len(split), -1)`` makes a row a sequence.
    """
    rows = pl.DataFrame({"id": split.ids, "offset": split.sequences.offsets[:-1]})
    real = read_truth(task).filter(pl.col("kind") == "motif").join(rows, on="id")
    # +1 where a motif begins, -1 behind its end: the running sum counts the motifs over a base.
    steps = np.zeros(split.sequences.codes.size + 1, dtype=np.int32)
    np.add.at(steps, (real["offset"] + real["start"]).to_numpy(), 1)
    np.add.at(steps, (real["offset"] + real["end"]).to_numpy(), -1)
    return np.cumsum(steps[:-1]) > 0


def load_motifs(texts: Sequence[str]) -> list[Motif]:
    """Motifs from words and files, see :class:`SimulationSettings`; names are made unique.

    Raises
    ------
    ConfigError
        A text is neither a word of IUPAC letters nor a file.
    DataError
        A file is broken or lacks the motif.
    """
    return named_apart([motif for text in texts for motif in _load(text)])


def _names_file(text: str) -> bool:
    return Path(text).is_file()


def _load(text: str) -> list[Motif]:
    if _names_file(text):
        return read_motifs(text)
    path, colon, chosen = text.rpartition(":")
    if colon and (_names_file(path) or "=" not in text):
        return [choose_motif(path, read_motifs(path), chosen.strip())]
    name, _, word = text.rpartition("=")
    word = word.strip()
    if not name and set(word.upper()) - set(IUPAC):
        raise ConfigError(
            f"motif {text!r} is no file and no word of IUPAC letters",
            "write NAME=WORD, FILE or FILE:NAME",
        )
    return [Motif.from_consensus(name.strip() or word, word)]


@dataclass(frozen=True, eq=False)
class Background:
    """A Markov chain: how likely each base is after the word before it.

    ``start`` are the probabilities of the words of the chain's order, ``following`` of the bases A,
    C, G, T after each.
    """

    start: Float64[ndarray, " c"]
    following: Float64[ndarray, "c 4"]

    @classmethod
    def of_gc(cls, gc: float) -> "Background":
        """Independent bases with a share ``gc`` of G and C."""
        return cls(np.ones(1), np.array([[1 - gc, gc, gc, 1 - gc]]) / 2)

    @classmethod
    def of_genome(cls, path: str | Path, order: int) -> "Background":
        """Fit to both strands of a FASTA file; words that never occur are counted once."""
        counts = np.ones(4 ** (order + 1))
        bases = 0
        for _, codes in stream_contigs(path):
            for known in known_runs(codes):
                bases += known.size
                for strand in (known, reverse_complement(known)):
                    counts += np.bincount(kmer_numbers(strand, order + 1), minlength=counts.size)
        if bases < counts.size:
            raise DataError(
                path,
                f"{bases:,} known bases are too few for an order of {order}",
                "give more sequence or a lower --markov-order",
            )
        words = counts.reshape(-1, 4)
        totals = words.sum(axis=1)
        return cls(totals / totals.sum(), words / totals[:, None])

    @property
    def bases(self) -> Float64[ndarray, "4"]:
        """Shares of A, C, G, T."""
        return self.start @ self.following

    def sample(
        self, rows: int, length: int, generator: np.random.Generator
    ) -> UInt8[ndarray, "r L"]:
        """Codes of sequences; where bases depend on others all of them grow by one at a time."""
        contexts = self.start.size
        if contexts == 1:
            bounds = np.cumsum(self.following[0])[:3]
            # The draws of the loop below, one for a context too: a seed has always these bases.
            generator.random(rows)
            drawn = generator.random((length, rows)).T
            return np.searchsorted(bounds, drawn).astype(np.uint8)
        order = (contexts.bit_length() - 1) // 2
        word = generator.choice(contexts, size=rows, p=self.start)
        bounds = np.cumsum(self.following, axis=1)[:, :3]
        codes = np.empty((rows, order + length), dtype=np.uint8)
        for place in range(order):
            codes[:, place] = word >> 2 * (order - 1 - place) & 3
        for place in range(order, order + length):
            base = (generator.random(rows)[:, None] > bounds[word]).sum(axis=1)
            codes[:, place] = base
            word = (word << 2 | base) % contexts
        return codes[:, :length]


@dataclass(frozen=True, eq=False)
class Planted:
    """Sequences with what was planted in them; motifs that a row lacks have ``present`` false."""

    codes: UInt8[ndarray, "r L"]
    labels: UInt8[ndarray, " r"]
    kinds: "ndarray"
    """Of each row: ``grammar`` or the kind of the negative."""
    starts: Int64[ndarray, "r m"]
    forward: Bool[ndarray, "r m"]
    present: Bool[ndarray, "r m"]


def plant(
    rows: int,
    motifs: Sequence[Motif],
    background: Background,
    settings: SimulationSettings,
    generator: np.random.Generator,
) -> Planted:
    """Draw backgrounds, lay out the grammar in each, and write its motifs into them.

    Raises
    ------
    ConfigError
        The grammar does not fit, or a motif cannot be shuffled or kept out of the background.
    """
    pairs_only = {"single", "spacing"} & set(settings.negatives)
    if len(motifs) < 2 and pairs_only:
        raise ConfigError(
            f"{min(pairs_only)} negatives need at least two motifs", "name two, or use --negatives"
        )
    labels, kinds = _deal(rows, settings, generator)
    starts, forward = _lay_out(kinds, motifs, settings, generator)
    present = np.ones((rows, len(motifs)), dtype=np.bool_)
    present[kinds == "background"] = False
    alone = np.flatnonzero(kinds == "single")
    present[alone] = np.eye(len(motifs), dtype=np.bool_)[
        generator.integers(len(motifs), size=alone.size)
    ]
    codes = background.sample(rows, settings.length, generator)
    for column, motif in enumerate(motifs):
        holds = np.flatnonzero(present[:, column])
        words = motif.sample(holds.size, generator)
        decoys = kinds[holds] == "shuffled"
        words[decoys] = _shuffle(words[decoys], motifs, motif.name, generator)
        back = ~forward[holds, column]
        words[back] = complement(words[back])[:, ::-1]
        places = starts[holds, column, None] + np.arange(len(motif))
        codes[holds[:, None], places] = words
    planted = Planted(codes, labels, kinds, starts, forward, present)
    if settings.chance == "remove":
        _remove_chance(planted, motifs, background, generator)
    return planted


def _deal(
    rows: int, settings: SimulationSettings, generator: np.random.Generator
) -> tuple[UInt8[ndarray, " r"], ndarray]:
    """Which rows are positive, and what kind each negative is, in shuffled order."""
    positives = min(max(round(rows * settings.positive_fraction), 1), rows - 1)
    negatives = np.resize(np.array(settings.negatives), rows - positives)
    kinds = generator.permutation(np.concatenate([np.repeat("grammar", positives), negatives]))
    return (kinds == "grammar").astype(np.uint8), kinds


def _lay_out(
    kinds: ndarray,
    motifs: Sequence[Motif],
    settings: SimulationSettings,
    generator: np.random.Generator,
) -> tuple[Int64[ndarray, "r m"], Bool[ndarray, "r m"]]:
    """Where each motif begins and whether it lies on the forward strand."""
    rows, count = kinds.size, len(motifs)
    widths = np.array([len(motif) for motif in motifs])
    free = settings.length - int(widths.sum())
    least, most = settings.spacing
    if free < most * (count - 1):
        raise ConfigError(
            f"{count} motifs of {widths.sum()} bases with up to {most} between them do not fit "
            f"into {settings.length} bases",
            "make sequences longer or the spacing smaller",
        )
    gaps = generator.integers(least, most, size=(rows, count - 1), endpoint=True)
    wrong = kinds == "spacing"
    if wrong.any():
        longest = free // (count - 1)
        outside = np.setdiff1d(np.arange(longest + 1), np.arange(least, most + 1))
        if not outside.size:
            raise ConfigError(
                f"no spacing but {least}-{most} fits into {settings.length} bases",
                "make sequences longer or the spacing smaller",
            )
        gaps[wrong] = generator.choice(outside, size=(int(wrong.sum()), count - 1))
    slots = np.tile(np.arange(count), (rows, 1))
    if settings.order == "any":
        slots = generator.permuted(slots, axis=1)
    # `slots[i, s]` is the motif in place s of row i: add up what lies before it.
    before = np.zeros((rows, count), dtype=np.int64)
    np.cumsum(widths[slots[:, :-1]] + gaps, axis=1, out=before[:, 1:])
    first = generator.integers(free - gaps.sum(axis=1), endpoint=True)
    starts = np.empty_like(before)
    np.put_along_axis(starts, slots, first[:, None] + before, axis=1)
    forward = np.ones((rows, count), dtype=np.bool_)
    if settings.orientation == "either":
        forward = generator.random((rows, count)) < 0.5
    elif settings.orientation == "together":
        turned = generator.random(rows) < 0.5
        forward[turned] = False
        starts[turned] = settings.length - (starts[turned] + widths)
    return starts, forward


def _shuffle(
    words: UInt8[ndarray, "r w"],
    motifs: Sequence[Motif],
    name: str,
    generator: np.random.Generator,
) -> UInt8[ndarray, "r w"]:
    """The letters of each word in an order that no motif matches on either strand."""
    strands = _both_strands(motifs)
    shuffled = words.copy()
    left = np.arange(len(words))
    for _ in range(_ROUNDS):
        shuffled[left] = generator.permuted(words[left], axis=1)
        tried = shuffled[left]
        matched = np.zeros(left.size, dtype=np.bool_)
        for strand in strands:
            matched |= strand.matches(tried).any(axis=1)
        left = left[matched]
        if not left.size:
            return shuffled
    raise ConfigError(
        f"the letters of motif {name} still match after {_ROUNDS} shuffles",
        "choose other --negatives or a longer motif",
    )


def _both_strands(motifs: Sequence[Motif]) -> list[Motif]:
    return [strand for motif in motifs for strand in (motif, motif.reverse_complement())]


def _remove_chance(
    planted: Planted,
    motifs: Sequence[Motif],
    background: Background,
    generator: np.random.Generator,
) -> None:
    """Redraw bases of the background until no motif matches where none was planted.

    What lies within planted bases altogether is left: it belongs to the motifs that were given.
    """
    strands = _both_strands(motifs)
    columns = np.arange(planted.codes.shape[1])
    fixed = np.zeros(planted.codes.shape, dtype=np.bool_)
    for column, motif in enumerate(motifs):
        offset = columns - planted.starts[:, column, None]
        fixed |= (offset >= 0) & (offset < len(motif)) & planted.present[:, column, None]
    left = np.arange(len(planted.codes))
    for _ in range(_ROUNDS):
        codes = planted.codes[left]
        doubtful = np.zeros(codes.shape, dtype=np.bool_)
        for strand in strands:
            row, start = np.nonzero(strand.matches(codes))
            doubtful[row[:, None], start[:, None] + np.arange(len(strand))] = True
        doubtful &= ~fixed[left]
        codes[doubtful] = generator.choice(4, size=int(doubtful.sum()), p=background.bases)
        planted.codes[left] = codes
        left = left[doubtful.any(axis=1)]
        if not left.size:
            return
    raise ConfigError(
        f"a motif still matches the background after {_ROUNDS} rounds of redrawing it",
        "choose a more specific motif, or --chance keep",
    )


def _tables(
    split: SplitName, planted: Planted, motifs: Sequence[Motif]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows of the split and rows of the truth."""
    rows, length = planted.codes.shape
    ids = pl.Series([f"{split}-{row}" for row in range(1, rows + 1)])
    sequences = SequenceBatch(planted.codes.ravel(), np.arange(rows + 1, dtype=np.int64) * length)
    frame = pl.DataFrame(
        {
            "id": ids,
            "sequence": sequences.to_series(),
            "label": planted.labels.astype(np.int8),
            "kind": pl.Series(planted.kinds.tolist()),
        }
    )
    row, column = np.nonzero(planted.present)
    start = planted.starts[row, column]
    widths = np.array([len(motif) for motif in motifs])
    truth = pl.DataFrame(
        {
            "id": ids.gather(row),
            "motif": pl.Series([motif.name for motif in motifs]).gather(column),
            "start": start.astype(np.int32),
            "end": (start + widths[column]).astype(np.int32),
            "strand": np.where(planted.forward[row, column], "+", "-").tolist(),
            "kind": np.where(planted.kinds[row] == "shuffled", "shuffled", "motif").tolist(),
        }
    )
    return frame, truth.sort("id", "start", maintain_order=True)


def _describe(name: str, settings: SimulationSettings, motifs: Sequence[Motif]) -> TaskSpec:
    names = " ".join(motif.name for motif in motifs)
    files = [Path(text) for text in settings.motifs if _names_file(text)]
    files += [Path(settings.background)] if settings.background else []
    return TaskSpec(
        name=name,
        title=f"Simulated: {names}, {settings.spacing[0]}-{settings.spacing[1]} bases apart",
        sources=tuple(Source(location=path.name, sha256=sha256(path)) for path in files),
        label_kind="binary",
        classes=("without", "with_grammar"),
        negatives=", ".join(settings.negatives),
        splits=f"drawn independently, seed {settings.seed}",
        notes=(f"simulated; settings in {SETTINGS}, planted motifs in {TRUTH}",),
    )

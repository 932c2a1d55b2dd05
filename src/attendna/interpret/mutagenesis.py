"""Saturation mutagenesis in silico: what every substitution of every base changes.

It asks nothing of a model but its logits, so its result is exact and at base resolution under every
tokenizer.

Shapes: ``N`` sequences, ``L`` bases of the longest, ``M`` mutants, ``T`` outputs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from jaxtyping import Bool, Float32, Int64, UInt8
from numpy import ndarray

from attendna.core.errors import ConfigError
from attendna.core.files import publish_folder
from attendna.core.outputs import OutputFolder
from attendna.core.parquet import write_parquet
from attendna.genome import alphabet
from attendna.genome.sequences import SequenceBatch
from attendna.models.hardware import Precision
from attendna.prediction.predictor import Predictor, Progress

ISM = OutputFolder("mutagenesis")
SCORES_FILE = "scores.parquet"
LOGO_FILE = "logo.svg"
DRAWN = 8
"""Sequences in the picture."""

BASES = alphabet.LETTERS[:4]

_MUTANTS_AT_A_TIME = 1 << 15


@dataclass(frozen=True, eq=False)
class Mutagenesis:
    """What was changed and what came of it, in natural log-odds of the class named.

    ``changes[n, i, b]`` is the log-odds of sequence ``n`` with base ``b`` at position ``i`` minus
    that of the sequence as it is: 0 for the base it has, NaN where it has none (an N, or beyond its
    end).
    """

    ids: tuple[str, ...]
    sequences: SequenceBatch
    classes: tuple[str, ...]
    """Of each sequence: the class whose log-odds are followed."""
    log_odds: Float32[ndarray, " N"]
    """Of each sequence as it is."""
    changes: Float32[ndarray, "N L 4"]
    run_id: str
    precision: Precision = "fp32"
    """What they were computed in."""

    def importance(self) -> Float32[ndarray, "N L"]:
        """How much each base holds the log-odds up: the mean fall over its three substitutions.

        Positive where the base speaks for the class, NaN where there is no base.
        """
        # The base itself changes nothing and adds nothing to the sum.
        return -self.changes.sum(axis=2) / 3

    def to_frame(self) -> pl.DataFrame:
        """One row a base: ``id, position`` (from 0), ``base, importance`` and the four changes."""
        lengths = self.sequences.lengths
        inside = np.arange(self.changes.shape[1]) < lengths[:, None]
        row, position = np.nonzero(inside)
        letters = np.array(list(alphabet.LETTERS))[self.sequences.codes]
        return pl.DataFrame(
            {
                "id": np.array(self.ids)[row],
                "position": position,
                "base": letters,
                "importance": self.importance()[inside],
            }
            | {f"to_{base}": self.changes[inside][:, b] for b, base in enumerate(BASES)}
        ).with_columns(pl.selectors.float().fill_nan(None))

    def write(
        self, folder: str | Path, truth: Bool[ndarray, "N L"] | None = None, *, force: bool = False
    ) -> None:
        """Write ``scores.parquet`` (:meth:`to_frame`) and ``logo.svg`` with the first sequences.

        Parameters
        ----------
        truth
            The bases known to matter, to be marked in the picture.
        """
        from attendna.interpret.logo import draw

        with publish_folder(folder, ISM, force=force) as partial:
            write_parquet(self.to_frame(), partial / SCORES_FILE, precision=self.precision)
            picture = draw(self, range(min(DRAWN, len(self.ids))), truth)
            (partial / LOGO_FILE).write_text(picture, encoding="utf-8")


def saturation_mutagenesis(
    predictor: Predictor,
    sequences: SequenceBatch,
    ids: Sequence[str] | None = None,
    *,
    target: str | None = None,
    source: str | Path = "the sequences",
    progress: Progress | None = None,
) -> Mutagenesis:
    """Substitute every base of every sequence by the other three.

    Parameters
    ----------
    target
        The class whose log-odds are followed. By default the positive class of a binary model, and
        of others the class each sequence is given.
    source
        The file they come from, for messages.
    progress
        Told how many sequences were predicted, three a base.

    Raises
    ------
    ConfigError
        The model has no class ``target``.
    UserError
        A sequence is none the model can read.
    """
    reference = predictor.predict(sequences, ids, scale="logit", source=source)
    followed = _followed(predictor, reference.values, target)
    base_odds = _log_odds(reference.values, followed)
    lengths = sequences.lengths
    changes = np.full((len(sequences), int(lengths.max(initial=0)), 4), np.nan, dtype=np.float32)
    for part in _portions(lengths):
        chosen = sequences.take(part)
        row, position, base, mutants = _mutants(chosen)
        logits = predictor.predict(mutants, scale="logit", progress=progress).values
        row = part[row]
        changes[row, position, base] = _log_odds(logits, followed[row]) - base_odds[row]
    known = sequences.codes < alphabet.N
    row = np.repeat(np.arange(len(sequences)), lengths)
    position = np.arange(sequences.codes.size) - np.repeat(sequences.offsets[:-1], lengths)
    changes[row[known], position[known], sequences.codes[known]] = 0
    classes = predictor.checkpoint.classes
    return Mutagenesis(
        reference.ids,
        sequences,
        tuple(classes[c] for c in followed.tolist()),
        base_odds,
        changes,
        reference.run_id,
        reference.precision,
    )


def _followed(
    predictor: Predictor, logits: Float32[ndarray, "N T"], target: str | None
) -> Int64[ndarray, " N"]:
    """The class of each sequence whose log-odds are followed."""
    classes = predictor.checkpoint.classes
    if target is not None:
        if target not in classes:
            raise ConfigError(
                f"the model has no class {target!r}", f"choose one of {', '.join(classes)}"
            )
        return np.full(len(logits), classes.index(target))
    if logits.shape[1] == 1:
        return np.ones(len(logits), dtype=np.int64)
    return logits.argmax(axis=1)


def _log_odds(
    logits: Float32[ndarray, "M T"], followed: Int64[ndarray, " M"]
) -> Float32[ndarray, " M"]:
    """Log-odds of one class a row against all others."""
    if logits.shape[1] == 1:
        return np.where(followed == 1, logits[:, 0], -logits[:, 0])
    rows = np.arange(len(logits))
    others = logits.copy()
    others[rows, followed] = -np.inf
    highest = others.max(axis=1)
    rest = highest + np.log(np.exp(others - highest[:, None]).sum(axis=1))
    return logits[rows, followed] - rest


def _portions(lengths: Int64[ndarray, " N"]) -> Iterator[Int64[ndarray, " _"]]:
    """Rows in portions of some ten thousand mutants, so that memory stays small."""
    portion = np.cumsum(3 * lengths) // _MUTANTS_AT_A_TIME
    for number in np.unique(portion):
        yield np.flatnonzero(portion == number)


def _mutants(
    sequences: SequenceBatch,
) -> tuple[Int64[ndarray, " M"], Int64[ndarray, " M"], UInt8[ndarray, " M"], SequenceBatch]:
    """All single substitutions: of which row, where, into what, and the sequences themselves."""
    known = np.flatnonzero(sequences.codes < alphabet.N)
    row = np.repeat(np.repeat(np.arange(len(sequences)), sequences.lengths)[known], 3)
    position = np.repeat(known, 3) - sequences.offsets[row]
    # Adding 1, 2, 3 to a code modulo 4 gives the three other bases.
    steps = np.tile(np.array([1, 2, 3], dtype=np.uint8), known.size)
    base = (np.repeat(sequences.codes[known], 3) + steps) & np.uint8(3)
    mutants = sequences.take(row)
    codes = mutants.codes.copy()
    codes[mutants.offsets[:-1] + position] = base
    return row, position, base, SequenceBatch(codes, mutants.offsets)

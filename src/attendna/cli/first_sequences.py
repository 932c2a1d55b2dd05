"""The sequences that a verb looks at one by one: the first of a file."""

from pathlib import Path
from typing import TYPE_CHECKING

from attendna.cli.output import say

if TYPE_CHECKING:
    from attendna.genome.alphabet import LetterPolicy
    from attendna.genome.sequences import SequenceBatch


def first_sequences(
    source: Path, letters: "LetterPolicy", limit: int
) -> "tuple[tuple[str, ...], SequenceBatch]":
    """Names and sequences, at most ``limit``; that there are more is told."""
    from attendna.prediction.sequences import read_sequences

    ids, sequences = read_sequences(source, letters)
    if len(ids) > limit:
        say(f"taking the first {limit} of {len(ids)} sequences; --limit takes more")
        ids, sequences = ids[:limit], sequences.take(range(limit))
    return ids, sequences

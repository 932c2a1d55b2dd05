"""The sequences that a verb looks at one by one: the first of its input."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from attendna.cli.output import say

if TYPE_CHECKING:
    from attendna.genome.alphabet import LetterPolicy
    from attendna.prediction.sequences import Input
    from attendna.tasks.spec import SplitName


def first_sequences(
    source: Path, letters: "LetterPolicy", split: "SplitName", limit: int
) -> "Input":
    """At most ``limit`` single sequences; that there are more is printed."""
    from attendna.prediction.sequences import read_input

    given = read_input(source, letters, split=split)
    given.refuse_pairs()
    if len(given.ids) <= limit:
        return given
    say(f"taking the first {limit} of {len(given.ids)} sequences; --limit takes more")
    labels = None if given.labels is None else given.labels[:limit]
    first = given.sequences.take(range(limit))
    return replace(given, ids=given.ids[:limit], sequences=first, labels=labels)

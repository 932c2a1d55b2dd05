"""What every builder is, the table of those there are, and what they share.

A builder is one file with one frozen settings class: its ``name``, its fields with a description
each (which become the options of ``attendna data build NAME``), and :meth:`BuilderConfig.build`.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from pydantic import Field

from attendna.core.config import Config, to_yaml
from attendna.core.content import plain_text, read_content
from attendna.core.delimited import parse_delimited
from attendna.core.errors import DataError
from attendna.core.execution import Execution
from attendna.core.files import sha256
from attendna.core.formats import DELIMITERS, ending_of
from attendna.core.registry import Registry
from attendna.genome.reference import Reference, Windows
from attendna.tasks.builders.cut import cut
from attendna.tasks.spec import Source
from attendna.tasks.splits import ChromosomeSplit
from attendna.tasks.store import Task
from attendna.tasks.tracks import TrackTask

MOST_MISSING = 0.5
"""Share of missing rows above which a genome must be known to be of the right build."""

MOST_BEYOND = 0.01
"""Share of rows that may lie beyond the end of their chromosome; a few rows of old files do."""

BEYOND = "beyond the end of their chromosome"
"""What is counted of such rows."""

SETTINGS_FILE = "build.yaml"
"""The settings of the build and what was counted on the way, beside ``task.yaml``."""


@dataclass(frozen=True)
class Built:
    """A task that was built, and what was counted on the way."""

    task: Task | TrackTask
    counts: Mapping[str, int]


class BuilderConfig(Config, ABC):
    """Base of every builder's settings: the name chooses the class."""

    name: str
    allow_partial: bool = Field(
        default=False,
        description="Leave out what the genome file does not hold; where that is most of it, "
        "--build-name has to name the build.",
    )
    build_name: str | None = Field(
        default=None, description="Build of the genome; recognized where it can be."
    )

    @abstractmethod
    def build(self, out: Path, execution: Execution, *, force: bool = False) -> Built:
        """Build the task and publish its folder, whole or not at all.

        Raises
        ------
        DataError
            A file is missing or damaged, a row of it is bad, or the genome does not hold all that
            is asked for and ``allow_partial`` is off.
        FolderError
            ``out`` exists.
        """

    def record(self, folder: Path, counts: Mapping[str, int]) -> None:
        """Write the settings and the counts into a task folder that is being made."""
        tree = {"settings": self.to_tree(), "counts": dict(counts)}
        (folder / SETTINGS_FILE).write_text(to_yaml(tree), encoding="utf-8")

    def name_build(self, reference: Reference) -> str | None:
        """The genome's build, as it was recognized or as the settings say.

        Raises
        ------
        DataError
            The genome is seen to be another one.
        """
        if self.build_name is not None:
            reference.require_build(self.build_name)
        return self.build_name or reference.build

    def fetch(
        self, reference: Reference, intervals: pl.DataFrame, *, execution: Execution, what: str
    ) -> Windows:
        """Sequences of the intervals that the genome holds.

        Parameters
        ----------
        execution
            Processes that share the chromosomes.
        what
            What the intervals are, in the plural.

        Raises
        ------
        DataError
            As of :meth:`refuse_partial`.
        """
        windows = cut(reference, intervals, execution, edge="drop")
        self.refuse_partial(
            reference, intervals.height, windows.missing, what=what, beyond=windows.beyond
        )
        return windows

    def refuse_partial(
        self, reference: Reference, asked: int, missing: int, *, what: str, beyond: int = 0
    ) -> None:
        """Refuse a genome that lacks what is asked for, unless it is known to be the right one.

        Parameters
        ----------
        beyond
            How many lie beyond the end of their contig, which those of another build do.

        Raises
        ------
        DataError
            Something is missing and ``allow_partial`` is off; most is, and nothing says which build
            the genome is of; everything is; or much lies beyond the end of its contig.
        """
        if missing == asked > 0:
            raise DataError(
                reference.path,
                f"it holds none of the {asked:,} {what}",
                "check that the build is the right one",
            )
        if beyond > MOST_BEYOND * asked:
            raise DataError(
                reference.path,
                f"{beyond:,} of {asked:,} {what} lie {BEYOND}",
                "they are of another build: give the genome they were made with",
            )
        held = f"it holds {asked - missing:,} of {asked:,} {what}"
        if missing and not self.allow_partial:
            raise DataError(
                reference.path,
                held,
                "give the whole genome, or add --allow-partial to build only these",
            )
        if missing > MOST_MISSING * asked and not (self.build_name or reference.build):
            raise DataError(
                reference.path,
                f"{held}, less than {1 - MOST_MISSING:.0%}, and its build cannot be recognized",
                "if it is a part of the right genome, name its build by --build-name",
            )


BUILDERS: Registry[type[BuilderConfig]] = Registry(
    "builder",
    {
        "causal_snp": "attendna.tasks.builders.causal_snp:CausalSnpConfig",
        "chromatin": "attendna.tasks.builders.chromatin:ChromatinConfig",
        "enhancers": "attendna.tasks.builders.enhancers:EnhancersConfig",
        "expression": "attendna.tasks.builders.expression:ExpressionConfig",
        "methylation": "attendna.tasks.builders.methylation:MethylationConfig",
        "mpra": "attendna.tasks.builders.mpra:MpraConfig",
        "peaks": "attendna.tasks.builders.peaks:PeaksConfig",
        "promoters": "attendna.tasks.builders.promoters:PromotersConfig",
        "tracks": "attendna.tasks.builders.tracks:TracksConfig",
    },
    group="attendna.builders",
)


def sources(*paths: Path) -> tuple[Source, ...]:
    """Names and checksums of the files a task is built from."""
    return tuple(Source(location=path.name, sha256=sha256(path)) for path in paths)


def listed_files(table: Path, column: str) -> list[tuple[str, Path]]:
    """Rows of a table with a column of names and a column ``file``, relative to the table.

    Raises
    ------
    DataError
        There is no such table, a column of it is missing, or a file.
    """
    if not table.is_file():
        raise DataError(table, "no such file or folder", "check the path")
    text = plain_text(table, read_content(table))
    rows = parse_delimited(table, text, DELIMITERS.get(ending_of(table), "\t"))
    for name in (column, "file"):
        if name not in rows.columns:
            raise DataError(
                table, f"there is no column {name}", f"begin with the line {column},file"
            )
    found: list[tuple[str, Path]] = []
    for row, (name, file) in enumerate(rows.select(column, "file").iter_rows(), start=1):
        path = table.parent / (file or "")
        if not name or not path.is_file():
            problem = f"no such file: {path}" if name else f"the {column} is missing"
            raise DataError(table, problem, "correct the row", row=row)
        found.append((name, path))
    return found


def chromosomes_asked_for(config: BuilderConfig) -> ChromosomeSplit:
    """The chromosomes that ``--valid`` and ``--test`` name, without those of their defaults.

    What is asked for must be there; of the defaults, what a genome has is taken.
    """
    given: dict[str, tuple[str, ...]] = {
        name: getattr(config, name) for name in ("valid", "test") if name in config.model_fields_set
    }
    return ChromosomeSplit(given.get("valid", ()), given.get("test", ()))

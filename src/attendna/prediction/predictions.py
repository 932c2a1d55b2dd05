"""What a model says about sequences: always one array, with names on both sides.

Shapes: ``N`` sequences, ``T`` outputs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
from jaxtyping import Float32
from numpy import ndarray
from scipy.special import expit, softmax

from attendna.core.delimited import harmless
from attendna.core.errors import ConfigError, DataError
from attendna.core.files import publish_output
from attendna.core.outputs import OutputFile, head_of
from attendna.core.parquet import kind_of, write_parquet
from attendna.models.hardware import Precision
from attendna.tasks.spec import LabelKind

_KIND = "predictions"


def _is_table(path: Path, names: Sequence[str] = ()) -> bool:
    if path.suffix == ".parquet":
        return kind_of(path) == _KIND
    # Text has no place for a mark but its header.
    header = head_of(path).splitlines()[0:1]
    columns = header[0].decode(errors="replace").split("\t") if header else []
    expected = harmless(pl.DataFrame(schema=["id", *names])).columns
    return len(columns) > 1 and columns[: len(expected)] == expected


PREDICTIONS = OutputFile("table of predictions", _is_table)
"""As far as it is known before the columns are."""

Scale = Literal["logit", "probability", "value"]
"""``value`` is a number as it was measured, which a model gives without a transformation."""


def on_scale(
    logits: Float32[ndarray, "N T"], kind: LabelKind, scale: Scale
) -> Float32[ndarray, "N T"]:
    """What a model gives, on the scale of its labels: the classes of a row share one probability,
    and each of several tracks has one of its own."""
    if scale != "probability":
        return logits
    return softmax(logits, axis=1) if kind == "multiclass" else expit(logits)


def refuse_undefined(
    values: Float32[ndarray, "N ..."], ids: Sequence[str], source: str | Path, *, first: int = 0
) -> None:
    """Refuse outputs that are no numbers: weights are damaged, or a precision too low for them.

    Parameters
    ----------
    first
        The row of ``source`` that ``values`` begin with.

    Raises
    ------
    DataError
        A row has NaN or an infinite number; the first is named.
    """
    undefined = ~np.isfinite(values)
    if undefined.any():
        row = int(np.argwhere(undefined)[0][0])
        raise DataError(
            source,
            f"the model gives {values[undefined][0]} for {ids[row]}",
            "train it again with a lower learning rate, or compute in fp32",
            row=first + row + 1,
        )


@dataclass(frozen=True, eq=False)
class Predictions:
    """One row a sequence, one column an output.

    A binary model has one column, named after its positive class; others have a column a class or
    track.
    """

    ids: tuple[str, ...]
    values: Float32[ndarray, "N T"]
    scale: Scale
    names: tuple[str, ...]
    run_id: str
    precision: Precision = "fp32"
    """What it was computed in."""

    def to_frame(self, **columns: Sequence[str]) -> pl.DataFrame:
        """A table with the column ``id``, one column an output, and ``columns`` of one's own."""
        outputs = {name: self.values[:, t] for t, name in enumerate(self.names)}
        return pl.DataFrame({"id": self.ids} | outputs | columns)

    def write(self, path: str | Path, *, force: bool = False, **columns: Sequence[str]) -> None:
        """Write :meth:`to_frame`, and what was computed in, as ``.parquet`` or ``.tsv``, by the
        file's ending.

        Text of a ``.tsv`` is made harmless, see :func:`attendna.core.delimited.harmless`.

        Raises
        ------
        ConfigError
            The ending is another.
        FolderError
            The file exists and ``force`` is off, or it is not a table of such predictions.
        """
        endings = (".parquet", ".tsv")
        if Path(path).suffix not in endings:
            raise ConfigError(f"{path}: the ending is not known", f"use {' or '.join(endings)}")
        frame = self.to_frame(**columns).with_columns(precision=pl.lit(self.precision))
        output = OutputFile(
            f"{PREDICTIONS.kind} of these columns", lambda path: _is_table(path, self.names)
        )
        with publish_output(path, output, force=force) as partial:
            if Path(path).suffix == ".parquet":
                write_parquet(frame, partial, _KIND)
            else:
                harmless(frame).write_csv(partial, separator="\t")

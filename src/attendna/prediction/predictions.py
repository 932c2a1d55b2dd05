"""What a model says about sequences: always one array, with names on both sides.

Shapes: ``N`` sequences, ``T`` outputs.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import polars as pl
from jaxtyping import Float32
from numpy import ndarray
from scipy.special import expit, softmax

from attendna.core.errors import ConfigError
from attendna.core.files import publish_file

Scale = Literal["logit", "probability"]


def probabilities_of(logits: Float32[ndarray, "N T"]) -> Float32[ndarray, "N T"]:
    """Sigmoid of one column, softmax of several."""
    if logits.shape[1] == 1:
        return expit(logits)
    return softmax(logits, axis=1)


@dataclass(frozen=True, eq=False)
class Predictions:
    """One row a sequence, one column an output.

    A binary model has one column, named after its positive class; a multiclass one has a column a
    class.
    """

    ids: tuple[str, ...]
    values: Float32[ndarray, "N T"]
    scale: Scale
    names: tuple[str, ...]
    run_id: str

    def probabilities(self) -> "Predictions":
        """The same on the probability scale: sigmoid of one column, softmax of several."""
        if self.scale == "probability":
            return self
        return replace(self, values=probabilities_of(self.values), scale="probability")

    def to_frame(self, **columns: Sequence[str]) -> pl.DataFrame:
        """A table with the column ``id``, one column an output, and ``columns`` of one's own."""
        outputs = {name: self.values[:, t] for t, name in enumerate(self.names)}
        return pl.DataFrame({"id": self.ids} | outputs | columns)

    def write(self, path: str | Path, *, force: bool = False, **columns: Sequence[str]) -> None:
        """Write :meth:`to_frame` as ``.parquet`` or ``.tsv``, by the file's ending.

        Raises
        ------
        ConfigError
            The ending is another.
        FolderError
            The file exists and ``force`` is off.
        """
        endings = (".parquet", ".tsv")
        if Path(path).suffix not in endings:
            raise ConfigError(f"{path}: the ending is not known", f"use {' or '.join(endings)}")
        with publish_file(path, force=force) as partial:
            if Path(path).suffix == ".parquet":
                self.to_frame(**columns).write_parquet(partial)
            else:
                self.to_frame(**columns).write_csv(partial, separator="\t")

"""What a task of tracks is: the card that lies beside its data as ``task.yaml``."""

from typing import Literal

from pydantic import Field, model_validator

from attendna.core.config import Config
from attendna.tasks.spec import FORMAT, Source, SplitName

TRACKS = "tracks"
"""The ``label_kind`` by which the card of a task of tracks is known."""

TargetType = Literal["float16", "float32"]


class TrackSpec(Config):
    """Everything about a task of tracks but its records.

    A record is a sequence of ``window`` bases and, for ``bins`` bins of ``bin_size`` bases each in
    its middle, the value of every track; ``crop`` bases at either end have none.
    """

    format: int = FORMAT
    label_kind: Literal["tracks"] = TRACKS
    name: str
    version: str = "1"
    title: str = ""
    build: str | None = None
    sources: tuple[Source, ...] = ()
    window: int = Field(gt=0)
    bin_size: int = Field(gt=0)
    bins: int = Field(gt=0)
    crop: int = Field(ge=0)
    tracks: int = Field(gt=0)
    target_type: TargetType = "float16"
    rows: dict[SplitName, int] = Field(default_factory=dict[SplitName, int])
    sha256: dict[str, str] = Field(default_factory=dict[str, str])
    """Of each table, by its name; entered when the folder is written."""
    splits: str = ""
    metric: str = "pearson"
    licence: str = ""
    citation: str = ""
    notes: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _bins_fit_window(self) -> "TrackSpec":
        if self.bins * self.bin_size + 2 * self.crop != self.window:
            raise ValueError(
                f"{self.bins} bins of {self.bin_size} bases and twice {self.crop} of crop are not "
                f"{self.window}"
            )
        return self

"""A trained model of tracks in one file that describes itself; see :mod:`.checkpoint`."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

import attendna
from attendna.core.config import Config, parse
from attendna.core.errors import FolderError
from attendna.models.hardware import Precision
from attendna.models.header import FORMAT
from attendna.models.model_file import fill, read_model, write_model
from attendna.models.track_model import AnyTrackModelConfig, TrackModel


class Track(Config):
    """One assay."""

    identifier: str
    description: str
    assay: str
    """Its type: DNase/ATAC, histone ChIP, TF ChIP, CAGE or another."""
    strand_pair: int | None = None
    """Number of the track that is the same assay's on the other strand."""


class TrackCheckpoint(Config):
    """The header of a trained model of tracks."""

    format: int = FORMAT
    attendna: str = Field(default_factory=lambda: attendna.__version__)
    run_id: str
    model: AnyTrackModelConfig
    window: int = Field(ge=1)
    """Bases that the model read in training."""
    bin_size: int = Field(ge=1)
    """Bases of the bins that it predicts."""
    heads: dict[str, Annotated[tuple[Track, ...], Field(min_length=1)]] = Field(min_length=1)
    """What each head predicts, in order."""
    tasks: dict[str, str] = Field(default_factory=dict[str, str])
    """Of each head, the name of the task it was trained on."""
    precision: Precision = "fp32"
    """What it was trained and chosen in, and is computed in unless another is asked for."""
    split_hash: str = ""
    """SHA-256 over the training and validation records."""

    def build(self) -> TrackModel:
        """The network, with fresh weights."""
        return self.model.build({head: len(tracks) for head, tracks in self.heads.items()})


def save_tracks(folder: str | Path, checkpoint: TrackCheckpoint, model: TrackModel) -> Path:
    """Write ``model.safetensors`` into ``folder``, whole or not at all."""
    return write_model(folder, checkpoint.to_tree(), model, model.parameter_count())


def load_tracks(folder: str | Path) -> tuple[TrackCheckpoint, TrackModel]:
    """Read a run folder (or the file itself) back: the header and the model in evaluation mode.

    Raises
    ------
    FolderError
        No model of tracks is there, the file is damaged, or another version wrote it.
    """
    path, tree, weights = read_model(folder)
    if "heads" not in tree:
        raise FolderError(f"{path} is a model of classes, not of tracks", "name a run of tracks")
    checkpoint = parse(TrackCheckpoint, tree, path)
    return checkpoint, fill(path, checkpoint.build, weights)

"""The settings of a training on tracks."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from attendna.core.config import Config, Seed, read_yaml
from attendna.core.recipes import find_settings
from attendna.models.track_model import TRACK_MODELS, AnyTrackModelConfig
from attendna.prediction.device import PrecisionChoice
from attendna.tasks.track_transforms import Pooling
from attendna.training.run import OptimizerConfig, SavedConfig


class TrackTrainerConfig(Config):
    """How long, in what portions, on what."""

    steps: int = Field(default=1000, ge=1)
    batch_size: int = Field(default=1, ge=1)
    """Records of a batch, which are all of one head; batches of the heads take turns."""
    validations: int = Field(default=10, ge=1)
    """How often the model is validated, evenly over the training."""
    monitor: Literal["loss", "pearson"] = "pearson"
    """What decides which model is best: the mean over heads of either."""
    patience: int | None = Field(default=None, ge=1)
    """Validations without a better model after which training stops; none for never."""
    ema: float = Field(default=0.0, ge=0, lt=1)
    """The weights that are validated and kept are a running average over about this share of all
    steps; 0 keeps the weights as they are."""
    save_every: float = Field(default=5.0, ge=0)
    """Minutes after which the state is saved even between two validations."""
    device: str = "auto"
    precision: PrecisionChoice = "auto"
    threads: int | None = Field(default=None, ge=1)
    devices: int = Field(default=1, ge=1)
    """Processes on each node, each with its own device and batches (DDP)."""
    nodes: int = Field(default=1, ge=1)


class TrackAugmentationConfig(Config):
    """What is changed at random in training; the paper's settings."""

    shift: int = Field(default=3, ge=0)
    """Bases by which a sequence is moved at most to either side; the targets stay."""
    reverse_complement: bool = True
    """Half of the records are read on the other strand: bins come in the other order, and tracks
    that have one for the other strand are swapped with it."""


class StartConfig(Config):
    """Weights to start from; what the model has none for stays fresh."""

    run: Path | None = None
    """A run of tracks."""
    port: Path | None = None
    """A file of the PyTorch port of Enformer."""
    heads: bool = True
    """Whether to take the heads, too."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.run is None) == (self.port is None):
            raise ValueError("give run or port, and one of them only")
        return self


class DistillationConfig(Config):
    """Learn what the attention of the model that was started from gives.

    Each layer reads what the dense model's layer reads, so that no layer waits for those before it.
    """

    weight: float = Field(default=1.0, gt=0)
    """Of the mean squared error of a layer's output, relative to the output's variance."""
    alone: bool = False
    """Leave the tracks aside: nothing but the attention is compared."""


class TrackRunConfig(SavedConfig):
    """All settings of a training on tracks."""

    model: AnyTrackModelConfig
    window: int | None = Field(default=None, ge=1)
    """Bases that the model reads; those of the records where none is given. Longer windows come
    from a genome, shorter ones are the middle of the records."""
    genomes: dict[str, Path] = Field(default_factory=dict[str, Path])
    """Of each head, the genome its records lie on; for windows longer than they are."""
    pooling: Pooling = "mean"
    """How the bins of the records become the model's, where those are wider."""
    start: StartConfig | None = None
    train: Literal["all", "attention"] = "all"
    """What is trained; everything else is frozen, its norms included."""
    distillation: DistillationConfig | None = None
    swap_every: int | None = Field(default=None, ge=1)
    """Steps after which one more layer's attention becomes sparse, from the first to the last; by
    default all are from the beginning."""
    optimizer: OptimizerConfig = OptimizerConfig(
        learning_rate=5e-4, weight_decay=0.0, warmup=0.1, floor=0.1, clip=0.2
    )
    trainer: TrackTrainerConfig = TrackTrainerConfig()
    augmentation: TrackAugmentationConfig = TrackAugmentationConfig()
    seed: Seed = 0

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.distillation is not None and self.start is None:
            raise ValueError("distillation needs the weights of a dense model: give start")
        return self


def is_track_run(path: str | Path) -> bool:
    """Whether a file of settings is one of a training on tracks, by its model."""
    model = read_yaml(find_settings(path)).get("model")
    return isinstance(model, dict) and model.get("name") in TRACK_MODELS  # pyright: ignore[reportUnknownMemberType]

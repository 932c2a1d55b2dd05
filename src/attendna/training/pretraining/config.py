"""The settings of a pretraining."""

from typing import Literal, Self

from pydantic import Field, model_validator

from attendna.core.config import Config, Names, Seed
from attendna.models.language import Told
from attendna.models.model import AnyModelConfig
from attendna.prediction.device import PrecisionChoice
from attendna.tokens.bpe import BPEConfig
from attendna.tokens.tokenizer import AnyTokenizerConfig
from attendna.training.run import OptimizerConfig, SavedConfig


class WindowsConfig(Config):
    """What is read of the genomes."""

    length: int = Field(default=1024, ge=16)
    """Bases of a window. Windows hold no unknown base: gaps are skipped."""
    sampling: Literal["tiled", "random"] = "tiled"
    """``tiled``: side by side, every epoch from other first bases; ``random``: anywhere."""
    both_strands: bool = True
    """Whether each window is read on a strand drawn at random."""
    soft_mask_weight: float = Field(default=1.0, ge=0, le=1)
    """Weight in the loss of bases that the genome file has in lower case, which are repeats."""
    held_out: Names = ()
    """Chromosomes on which nothing is learned, of all genomes that have them."""
    held_out_share: float = Field(default=0.05, gt=0, lt=0.5)
    """Where none is named, whole chromosomes are drawn until each genome has given about this
    share."""
    held_out_windows: int = Field(default=1000, ge=1)
    """Held-out windows that are measured at most, evenly spread."""


class MaskingConfig(Config):
    """What is hidden of a window.

    Bases are hidden, and with them every token that touches one: overlapping words next to a hidden
    base cannot give it away. Of a byte-pair encoding words are hidden.
    """

    rate: float = Field(default=0.3, gt=0, lt=1)
    """Share of bases, or of byte-pair words, that are hidden."""
    span: int | None = Field(default=None, ge=1)
    """Bases of a hidden stretch, which begins anywhere. By default a word that belongs to one token
    alone (a patch, a single base) is hidden whole, and of overlapping words a stretch as long as
    one; 1 hides single bases, and the patch around each is not read."""
    mask: float = Field(default=0.8, ge=0, le=1)
    """Share of hidden stretches that are read as N; of hidden words, as [MASK]."""
    random: float = Field(default=0.1, ge=0, le=1)
    """Share of hidden stretches that are read as random bases, of hidden words as other words; the
    rest is read as it is."""
    loss_on: Literal["masked", "all"] = "masked"
    """``masked`` is the text of the published work, ``all`` its code."""

    @model_validator(mode="after")
    def _shares(self) -> Self:
        if self.mask + self.random > 1:
            raise ValueError(f"mask {self.mask} and random {self.random} are more than all")
        return self


class ContrastiveConfig(Config):
    """A window and its reverse complement are to have alike representations, unlike others'.

    Source: Chen et al. 2020, SimCLR (normalized temperature-scaled cross entropy).
    """

    weight: float = Field(default=0.1, gt=0)
    temperature: float = Field(default=0.1, gt=0)


class PretrainingTrainerConfig(Config):
    """How long, in what portions, on what."""

    epochs: float = Field(default=10, gt=0)
    """Passes over the genomes."""
    max_steps: int | None = Field(default=None, ge=1)
    batch_size: int = Field(default=128, ge=1)
    """Windows of a batch, in each process."""
    warmup_steps: int | None = Field(default=None, ge=0)
    """Steps in which the learning rate rises; none for the share ``optimizer.warmup``."""
    validations: int = Field(default=20, ge=1)
    """How often the model is validated, evenly over the training."""
    save_every: float = Field(default=5.0, ge=0)
    """Minutes after which the state is saved even between two validations."""
    device: str = "auto"
    precision: PrecisionChoice = "auto"
    threads: int | None = Field(default=None, ge=1)
    devices: int = Field(default=1, ge=1)
    """Processes on each node, each with its own device and batches (DDP)."""
    nodes: int = Field(default=1, ge=1)
    sharded: bool = False
    """Each process keeps a share of weights, gradients and optimizer only (FSDP), for models that
    fill a device; all weights, without the rest, have to fit beside it for validation."""


class PretrainingConfig(SavedConfig):
    """All settings of a pretraining; with the genomes they decide its result."""

    tokenizer: AnyTokenizerConfig
    model: AnyModelConfig
    tell: Told = "bases"
    """What the language head predicts: the ``bases`` of a token, each for itself, or whole
    ``words``, out of all there are."""
    windows: WindowsConfig = WindowsConfig()
    masking: MaskingConfig = MaskingConfig()
    contrastive: ContrastiveConfig | None = None
    optimizer: OptimizerConfig = OptimizerConfig(learning_rate=1e-4)
    trainer: PretrainingTrainerConfig = PretrainingTrainerConfig()
    seed: Seed = 0

    @model_validator(mode="after")
    def _words_are_hidden_and_told_whole(self) -> Self:
        if isinstance(self.tokenizer, BPEConfig):
            if self.tell != "words":
                raise ValueError("tell: of a byte-pair encoding words are told, set tell: words")
            if self.masking.span is not None:
                raise ValueError("masking.span: byte pairs are hidden word by word, leave it out")
            if self.contrastive is not None:
                raise ValueError(
                    "contrastive: the strands have other words of a byte-pair encoding, leave it "
                    "out"
                )
        return self

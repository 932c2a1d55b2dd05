"""A trained model in one file that describes itself.

``model.safetensors`` holds the weights and, in its header, everything needed to use them:
tokenizer, model, classes, strands, decision threshold and what input it was made for. Nothing in it
is code, and loading it runs none.
"""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

import attendna
from attendna.core.config import Config, parse
from attendna.core.errors import FolderError
from attendna.genome.alphabet import LetterPolicy
from attendna.models.hardware import Precision
from attendna.models.header import FORMAT
from attendna.models.model import AnyModelConfig, SequenceModel
from attendna.models.model_file import fill, read_model, write_model
from attendna.tasks.spec import LabelKind
from attendna.tokens.tokenizer import AnyTokenizerConfig

Strands = Literal["single", "augment", "conjoined"]
"""How a model treats the two strands: ``single`` reads the sequence as given; ``augment`` also
trains on reverse complements; ``conjoined`` augments and averages the logits of both strands
whenever it predicts."""


class InputContract(Config):
    """What sequences the model was trained on; what contradicts it is refused or reported."""

    letters: LetterPolicy = "unknown"
    window: int | None = Field(default=None, ge=1)
    """Common length of the training sequences in bases, none when they differed."""
    shortest: int = Field(ge=1)
    longest: int = Field(ge=1)
    build: str | None = None
    task: str
    split_hash: str
    """SHA-256 over the training and validation files, to tell which rows the model has seen."""


class Checkpoint(Config):
    """The header of a trained model."""

    format: int = FORMAT
    attendna: str = Field(default_factory=lambda: attendna.__version__)
    run_id: str
    tokenizer: AnyTokenizerConfig
    model: AnyModelConfig
    strands: Strands | tuple[Strands, ...]
    """One for each member where the members of an ensemble differ."""
    label_kind: LabelKind
    classes: tuple[str, ...] = Field(min_length=1)
    """Names of the classes, or of the tracks."""
    scale: Literal["probability", "value"] = "probability"
    """What predictions are: probabilities (a methylated share is one), or numbers as measured."""
    paired: bool = False
    """Whether it predicts what changes from a sequence to its alternative."""
    threshold: float = Field(default=0.5, ge=0, le=1)
    """Probability from which a binary prediction counts as positive, chosen on validation data."""
    precision: Precision = "fp32"
    """What it was trained and chosen in, and is computed in unless another is asked for."""
    input: InputContract

    @model_validator(mode="after")
    def _classes_fit_kind(self) -> Self:
        count = len(self.classes)
        if len(set(self.classes)) < count:
            raise ValueError("two classes have the same name")
        if self.label_kind in ("binary", "multiclass") and count < 2:
            raise ValueError(f"{count} class, but label_kind is {self.label_kind}")
        if self.label_kind == "binary" and count > 2:
            raise ValueError(f"{count} classes, but label_kind is binary")
        return self

    @model_validator(mode="after")
    def _strands_fit_members(self) -> Self:
        members = getattr(self.model, "members", ())
        if isinstance(self.strands, tuple) and len(self.strands) != len(members):
            raise ValueError(
                f"{len(self.strands)} ways to read the strands for {len(members)} members"
            )
        return self

    @property
    def outputs(self) -> int:
        """Numbers the model predicts for a sequence."""
        return 1 if self.label_kind == "binary" else len(self.classes)

    def build(self) -> SequenceModel:
        """The network, with fresh weights."""
        return self.model.build(self.tokenizer.build(), self.outputs)


def save(folder: str | Path, checkpoint: Checkpoint, model: SequenceModel) -> Path:
    """Write ``model.safetensors`` into ``folder``, whole or not at all."""
    return write_model(folder, checkpoint.to_tree(), model, model.parameter_count())


def load(folder: str | Path) -> tuple[Checkpoint, SequenceModel]:
    """Read a run folder (or the file itself) back: the header and the model in evaluation mode.

    Raises
    ------
    FolderError
        No model is there, the file is damaged, or another version of attendna wrote it.
    """
    path, tree, weights = read_model(folder)
    if "tokenizer" not in tree:
        raise FolderError(f"{path} is a model of tracks, not of classes", "name a run of classes")
    if "tell" in tree:
        raise FolderError(
            f"{path} is a language model and has no classes", "fine-tune it: train --from"
        )
    checkpoint = parse(Checkpoint, tree, path)
    return checkpoint, fill(path, checkpoint.build, weights)

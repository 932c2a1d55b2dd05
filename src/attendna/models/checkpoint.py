"""A trained model in one file that describes itself.

``model.safetensors`` holds the weights and, in its header, everything needed to use them:
tokenizer, model, classes, strands, decision threshold and what input it was made for. Nothing in it
is code, and loading it runs none.
"""

import json
from pathlib import Path
from typing import Literal, Self, cast

from pydantic import Field, model_validator
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialize

import attendna
from attendna.core.config import Config, parse
from attendna.core.errors import FolderError
from attendna.core.files import publish_file
from attendna.genome.alphabet import LetterPolicy
from attendna.models.header import FILE, FORMAT, refuse_other_version
from attendna.models.model import AnyModelConfig, SequenceModel
from attendna.tokens.tokenizer import AnyTokenizerConfig

Strands = Literal["single", "augment", "conjoined"]
"""How a model treats the two strands: ``single`` reads the sequence as given; ``augment`` also
trains on reverse complements; ``conjoined`` augments and averages the logits of both strands
whenever it predicts."""


class InputContract(Config):
    """What sequences the model was trained on; what contradicts it is refused or reported."""

    letters: LetterPolicy = "unknown"
    window: int | None = None
    """Common length of the training sequences in bases, none when they differed."""
    shortest: int
    longest: int
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
    label_kind: Literal["binary", "multiclass"]
    classes: tuple[str, ...]
    threshold: float = 0.5
    """Probability from which a binary prediction counts as positive, chosen on validation data."""
    input: InputContract

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
    weights = {
        name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()
    }
    # The parameter count is for readers that have the file but not torch, such as the report. One
    # entry holds it all: several are written in an order drawn anew, and equal models would differ.
    header = checkpoint.to_tree() | {"parameters": model.parameter_count()}
    content = serialize(weights, metadata={"attendna": json.dumps(header)})
    with publish_file(Path(folder) / FILE) as partial:
        partial.write_bytes(content)
    return Path(folder) / FILE


def load(folder: str | Path) -> tuple[Checkpoint, SequenceModel]:
    """Read a run folder (or the file itself) back: the header and the model in evaluation mode.

    Raises
    ------
    FolderError
        No model is there, the file is damaged, or another version of attendna wrote it.
    """
    path = Path(folder)
    path = path / FILE if path.is_dir() else path
    if not path.exists():
        raise FolderError(f"{path}: no trained model is there", "finish it with train --resume")
    try:
        with safe_open(path, framework="pt") as stream:
            header = cast("dict[str, str]", stream.metadata() or {})
            weights = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118
        tree = json.loads(header["attendna"])
    except (SafetensorError, json.JSONDecodeError, KeyError) as error:
        raise FolderError(
            f"{path} is damaged or not a model of attendna", "train it again, or copy it again"
        ) from error
    refuse_other_version(path, tree)
    tree.pop("parameters", None)
    checkpoint = parse(Checkpoint, tree, path)
    model = checkpoint.build()
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise FolderError(
            f"{path}: the weights do not fit the model its header describes", "train it again"
        ) from error
    return checkpoint, model.eval()

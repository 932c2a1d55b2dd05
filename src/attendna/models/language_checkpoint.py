"""A pretrained language model in one file that describes itself; see :mod:`.checkpoint`."""

from pathlib import Path

from pydantic import Field

import attendna
from attendna.core.config import Config, parse
from attendna.core.errors import FolderError
from attendna.models.hardware import Precision
from attendna.models.header import FORMAT
from attendna.models.language import Told
from attendna.models.model import AnyModelConfig
from attendna.models.model_file import fill, read_model, write_model
from attendna.models.word_language import AnyLanguageModel, language_model
from attendna.tokens.tokenizer import AnyTokenizerConfig


class Genome(Config):
    """A genome that was learned from."""

    file: str
    """Name of its file."""
    digest: str
    """SHA-256 of its bases."""
    build: str | None = None


class LanguageCheckpoint(Config):
    """The header of a pretrained language model."""

    format: int = FORMAT
    attendna: str = Field(default_factory=lambda: attendna.__version__)
    run_id: str
    tokenizer: AnyTokenizerConfig
    model: AnyModelConfig
    tell: Told
    window: int = Field(ge=1)
    """Bases that the model read in training."""
    precision: Precision = "fp32"
    """What it was trained and chosen in, and is computed in unless another is asked for."""
    genomes: tuple[Genome, ...]
    held_out: tuple[str, ...]
    """Chromosomes on which nothing was learned, without what naming styles add."""

    def build(self) -> AnyLanguageModel:
        """The network, with fresh weights."""
        return language_model(self.model, self.tokenizer.build(), self.tell)


def save_language(
    folder: str | Path, checkpoint: LanguageCheckpoint, model: AnyLanguageModel
) -> Path:
    """Write ``model.safetensors`` into ``folder``, whole or not at all."""
    numbers = sum(parameter.numel() for parameter in model.parameters())
    return write_model(folder, checkpoint.to_tree(), model, numbers)


def load_language(folder: str | Path) -> tuple[LanguageCheckpoint, AnyLanguageModel]:
    """Read a run folder (or the file itself) back: the header and the model in evaluation mode.

    Raises
    ------
    FolderError
        No language model is there, the file is damaged, or another version wrote it.
    """
    path, tree, weights = read_model(folder)
    if "tell" not in tree:
        raise FolderError(f"{path} is no language model", "name a run of attendna pretrain")
    checkpoint = parse(LanguageCheckpoint, tree, path)
    return checkpoint, fill(path, checkpoint.build, weights)

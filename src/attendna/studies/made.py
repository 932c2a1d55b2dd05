"""What several runs of a study start from: a vocabulary, or a pretrained model."""

from collections.abc import Mapping
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from attendna.core.config import Config, Tree, parse
from attendna.studies.placeholders import fill
from attendna.tokens.train_bpe import BPESettings, train_bpe
from attendna.training.pretraining.config import PretrainingConfig
from attendna.training.pretraining.train import pretrain
from attendna.training.run import RunFolder


class Made(Config):
    """Exactly one of ``words``, a byte-pair encoding, and ``pretrain``, a language model."""

    genomes: tuple[str, ...] = Field(min_length=1)
    words: BPESettings | None = None
    pretrain: Tree | None = None
    """Settings as of ``attendna pretrain``."""
    exclude: tuple[str, ...] = ()
    """Tasks, as ``$TASK``, whose validation and test rows a language model shall not see."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.words is None) == (self.pretrain is None):
            raise ValueError("give either words or pretrain")
        if self.words is not None and self.exclude:
            raise ValueError("exclude belongs to pretrain")
        return self

    def check(self, paths: Mapping[str, str]) -> None:
        """Refuse settings that cannot be.

        Raises
        ------
        ConfigError
            One line names the key.
        """
        fill([*self.genomes, *self.exclude], paths)
        if self.pretrain is not None:
            parse(PretrainingConfig, self.pretrain, "pretrain")

    def make(self, out: Path, paths: Mapping[str, str]) -> Path:
        """Its folder; what is there is left as it is, and what was begun goes on.

        Raises
        ------
        UserError
            A genome is missing or bad, or the training cannot be.
        """
        genomes: list[str] = fill(self.genomes, paths)
        if self.words is not None:
            if not out.is_dir():
                train_bpe(genomes, out, self.words)
        elif not RunFolder(out).finished:
            config = parse(PretrainingConfig, self.pretrain or {}, "pretrain")
            pretrain(config, genomes, out, exclude=fill(self.exclude, paths), resume=True)
        return out

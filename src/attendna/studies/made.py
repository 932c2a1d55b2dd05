"""What runs of a study start from: words, vectors, a language model, a trained model, a genome."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from attendna.core.config import Config, Tree, parse
from attendna.studies.placeholders import fill
from attendna.tasks.regulation import RegulationSettings, simulate_regulation
from attendna.tokens.train_bpe import BPESettings, train_bpe
from attendna.tokens.train_dna2vec import Dna2vecSettings, train_dna2vec
from attendna.training.pretraining.config import PretrainingConfig
from attendna.training.pretraining.train import pretrain
from attendna.training.run import RunConfig, RunFolder
from attendna.training.train import train


class Maker(Config):
    """Something that is made once, before the runs."""

    def check(self, paths: Mapping[str, str]) -> None:
        """Refuse settings that cannot be.

        Raises
        ------
        ConfigError
            One line names the key.
        """
        fill(self.to_tree(), paths)

    def make(self, out: Path, paths: Mapping[str, str]) -> Path:
        """Its folder; what is there is left as it is, and what was begun goes on.

        Parameters
        ----------
        paths
            What the names in the texts stand for.

        Raises
        ------
        UserError
            A file is missing or bad, or a training cannot be.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say what it makes")


class Words(Maker):
    """A byte-pair encoding, as of ``attendna tokens train-bpe``."""

    name: Literal["bpe"]
    genomes: tuple[str, ...] = Field(min_length=1)
    settings: BPESettings = BPESettings()

    def make(self, out: Path, paths: Mapping[str, str]) -> Path:
        """The folder of a vocabulary."""
        if not out.is_dir():
            train_bpe(fill(self.genomes, paths), out, self.settings)
        return out


class Vectors(Maker):
    """Vectors of k-mers, as of ``attendna tokens train-dna2vec``."""

    name: Literal["dna2vec"]
    genome: str
    settings: Dna2vecSettings = Dna2vecSettings()

    def make(self, out: Path, paths: Mapping[str, str]) -> Path:
        """The folder of the vectors."""
        if not out.is_dir():
            train_dna2vec(fill(self.genome, paths), out, self.settings)
        return out


class Language(Maker):
    """A language model, as of ``attendna pretrain``."""

    name: Literal["language"]
    genomes: tuple[str, ...] = Field(min_length=1)
    settings: Tree
    exclude: tuple[str, ...] = ()
    """Tasks, as ``$TASK``, whose validation and test rows it shall not see."""

    def check(self, paths: Mapping[str, str]) -> None:
        """Refuse settings that cannot be, see the base class."""
        super().check(paths)
        parse(PretrainingConfig, fill(self.settings, paths), self.name)

    def make(self, out: Path, paths: Mapping[str, str]) -> Path:
        """Its run folder."""
        if not RunFolder(out).finished:
            config = parse(PretrainingConfig, fill(self.settings, paths), self.name)
            genomes: list[str] = fill(self.genomes, paths)
            pretrain(config, genomes, out, exclude=fill(self.exclude, paths), resume=True)
        return out


class Trained(Maker):
    """A model trained on a task, as of ``attendna train``."""

    name: Literal["run"]
    task: str
    settings: Tree

    def check(self, paths: Mapping[str, str]) -> None:
        """Refuse settings that cannot be, see the base class."""
        super().check(paths)
        parse(RunConfig, fill(self.settings, paths), self.name)

    def make(self, out: Path, paths: Mapping[str, str]) -> Path:
        """Its run folder."""
        if not RunFolder(out).finished:
            config = parse(RunConfig, fill(self.settings, paths), self.name)
            train(config, fill(self.task, paths), out, resume=True, progress=False)
        return out


class Regulation(Maker):
    """A simulated genome, as of ``attendna data simulate-regulation``."""

    name: Literal["regulation"]
    settings: RegulationSettings = RegulationSettings()

    def make(self, out: Path, paths: Mapping[str, str]) -> Path:
        """The folder of its files."""
        del paths
        if not out.is_dir():
            simulate_regulation(out, self.settings)
        return out


Made = Annotated[Words | Vectors | Language | Trained | Regulation, Field(discriminator="name")]

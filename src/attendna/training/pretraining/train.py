"""From settings and genomes to a run folder with a pretrained language model.

Shapes: ``B`` windows, ``L`` bases.
"""

import copy
import dataclasses
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import torch
from jaxtyping import UInt8
from rich.console import Console
from torch import Tensor

from attendna.core.files import publish_file
from attendna.core.memory import keep_freed_memory
from attendna.evaluation.evaluate import METRICS_FILE, Measurement
from attendna.evaluation.language import baselines, measure_language
from attendna.evaluation.markov import MarkovModel
from attendna.models.language_checkpoint import (
    Genome,
    LanguageCheckpoint,
    load_language,
    save_language,
)
from attendna.models.word_language import AnyLanguageModel, WordLanguageModel, language_model
from attendna.prediction.device import choose_device, describe
from attendna.training.batches import WEIGHTS, seed_of
from attendna.training.begin import Beginning
from attendna.training.pretraining.config import PretrainingConfig
from attendna.training.pretraining.corpus import Corpus
from attendna.training.pretraining.windows import WindowBatches
from attendna.training.pretraining.word_windows import WordBatches
from attendna.training.run import Environment, RunFolder


def pretrain(
    config: PretrainingConfig,
    genomes: Sequence[str | Path],
    out: str | Path,
    *,
    exclude: Sequence[str | Path] = (),
    resume: bool = False,
    force: bool = False,
    progress: bool = True,
) -> Path:
    """Train a language model on genomes and measure it on chromosomes that are held out.

    The same settings, genomes and machine give the same weights, bit for bit, however often the
    training was killed and resumed.

    Parameters
    ----------
    genomes
        FASTA or .2bit files, whole or in part, of any number of species.
    exclude
        Files of intervals, or task folders whose validation and test rows shall not be seen; see
        :class:`.Corpus`.

    Returns
    -------
    Path
        The run folder; see :mod:`attendna.training.run`.

    Raises
    ------
    UserError
        The genomes cannot be learned from with these settings, or the folder is not what it should
        be; nothing is written then.
    """
    processes = config.trainer.devices * config.trainer.nodes
    begin = Beginning(out, resume=resume, force=force, progress=progress, processes=processes)
    training = Pretraining(config, genomes, exclude)
    digest = training.corpus.digest
    if begin.is_over(config, digest):
        return begin.folder.path
    return begin.run(
        config,
        config.trainer,
        digest,
        ", ".join(genome.file for genome in training.header.genomes),
        lambda environment: training.run(begin.folder, environment, begin.console),
    )


class Pretraining:
    """What is pretrained, checked before anything is written.

    Raises
    ------
    UserError
        The genomes do not fit the settings.
    """

    def __init__(
        self,
        config: PretrainingConfig,
        genomes: Sequence[str | Path],
        exclude: Sequence[str | Path] = (),
    ) -> None:
        self.config = config
        self.corpus = Corpus(genomes, config.windows, exclude)
        self.windows = WindowBatches(
            self.corpus, batch_size=config.trainer.batch_size, seed=config.seed
        )
        with torch.random.fork_rng():
            torch.manual_seed(seed_of(config.seed, WEIGHTS))
            self.model = language_model(config.model, config.tokenizer.build(), config.tell)
        self.batches = (
            WordBatches(self.windows, self.model.tokenizer)
            if isinstance(self.model, WordLanguageModel)
            else self.windows
        )
        # The model may refuse the length of the windows.
        _read_one(copy.deepcopy(self.model).eval(), self.windows[0].codes[:1])
        self.header = LanguageCheckpoint(
            run_id=config.run_id(self.corpus.digest),
            tokenizer=config.tokenizer,
            model=config.model,
            tell=config.tell,
            window=config.windows.length,
            genomes=tuple(
                Genome(file=genome.path.name, digest=genome.digest, build=genome.build)
                for genome in self.corpus.genomes
            ),
            held_out=self.corpus.held_out,
        )

    def run(self, folder: RunFolder, environment: Environment, console: Console) -> None:
        """Train to the end, measure the best model beside those who only count, and publish it."""
        # Lightning takes seconds to import; errors in the settings need not wait for it.
        from attendna.training.loop import (
            Machine,
            Remaining,
            lightning_trainer,
            own_settings,
            run,
        )
        from attendna.training.pretraining.parts import held_out_of, module_of
        from attendna.training.progress import ProgressBar
        from attendna.training.record import Record
        from attendna.training.schedule import Schedule
        from attendna.training.sharding import gather

        keep_freed_memory()
        config, settings = self.config, self.config.trainer
        device = choose_device(settings.device)
        machine = Machine(device, environment.precision, environment.threads)
        self._tell(console, f"{describe(device)} in {machine.precision}, {machine.threads} threads")
        header = self.header.replace(precision=machine.precision)
        held_out = held_out_of(self.model, self.corpus.held_out_codes(), config, machine.precision)
        if isinstance(self.batches, WordBatches):
            console.print("encoding the genomes, or opening what was encoded of them")
            self.batches.encode()
        with own_settings(machine):
            model = self.model.to(device)
            processes = settings.devices * settings.nodes
            accumulate = config.optimizer.accumulate
            an_epoch = self.windows.batches_an_epoch / (processes * accumulate)
            steps = max(1, round(settings.epochs * an_epoch))
            steps = min(steps, settings.max_steps or steps)
            schedule = Schedule.of_steps(steps, settings.validations, config.optimizer, an_epoch)
            if settings.warmup_steps is not None:
                schedule = dataclasses.replace(schedule, warmup_steps=settings.warmup_steps)
            # What is in shares can only be trained; what measures and stores reads a whole copy.
            sharded = settings.sharded and processes > 1
            whole = copy.deepcopy(model) if sharded else model
            module = module_of(model, config, schedule)

            def measure() -> dict[str, float]:
                if sharded:
                    gather(model, whole)
                return held_out.measure(whole)

            record = Record(
                folder,
                schedule,
                measure,
                lambda: save_language(folder.best, header, whole),
                monitor="loss",
                lower_is_better=True,
                patience=None,
                save_every=60 * settings.save_every,
            )
            windows = settings.batch_size * accumulate * processes
            trainer = lightning_trainer(
                config.optimizer,
                machine,
                schedule,
                [record, ProgressBar(console, record, "pretraining", windows)],
                devices=settings.devices,
                nodes=settings.nodes,
                sharded=sharded,
            )
            loader = Remaining(self.batches, trainer, schedule.steps, accumulate)
            run(trainer, module, loader, folder)
            if trainer.is_global_zero:
                console.print("counting for the Markov models", soft_wrap=True)
                _, best = load_language(folder.best)
                tally = held_out.tally(best.to(device))
                counted = MarkovModel.of(self.corpus.read_training())
                others = baselines(counted, held_out.hidden)
                rows = measure_language(header.run_id, tally, others, seed=config.seed)
                _write_metrics(folder, rows)
                # Last, because its presence says that the run is finished.
                save_language(folder.path, header, best)
                console.print(_summary(folder, rows), soft_wrap=True)

    def _tell(self, console: Console, where: str) -> None:
        """Say what is trained on what, and where."""
        corpus = self.corpus
        numbers = sum(parameter.numel() for parameter in self.model.parameters())
        console.print(f"pretraining on {where}; {numbers:,} parameters", soft_wrap=True)
        left_out = f", {sum(corpus.left_out):,} left out" if any(corpus.left_out) else ""
        console.print(
            f"{len(corpus.genomes)} genomes: {corpus.train.bases:,} bases to learn, "
            f"{corpus.valid.bases:,} held out ({', '.join(corpus.held_out)}){left_out}; "
            f"{self.windows.windows_an_epoch:,} windows an epoch",
            soft_wrap=True,
        )


def _read_one(model: AnyLanguageModel, codes: UInt8[Tensor, "B L"]) -> None:
    with torch.inference_mode():
        if isinstance(model, WordLanguageModel):
            model(model.tokenizer(codes, torch.full((len(codes),), codes.shape[1])))
        else:
            model(codes)


def _write_metrics(folder: RunFolder, rows: Sequence[Measurement]) -> None:
    tree = [
        {key: None if value != value else value for key, value in asdict(row).items()}  # noqa: PLR0124 - NaN
        for row in rows
    ]
    with publish_file(folder.path / METRICS_FILE) as partial:
        lines = ",\n  ".join(json.dumps(row, allow_nan=False) for row in tree)
        partial.write_text(f"[\n  {lines}\n]\n", encoding="utf-8")


def _summary(folder: RunFolder, rows: Sequence[Measurement]) -> str:
    of_model = {row.metric: row.value for row in rows[:2]}
    found = ", ".join(f"{name} {value:.4f}" for name, value in of_model.items())
    return f"{found}, wrote {folder.path}"

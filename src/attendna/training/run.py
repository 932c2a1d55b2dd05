"""What a training is: its settings, and the folder that keeps all of it.

Run folder: ``run.yaml`` the settings, ``environment.json`` the machine, ``search.json`` what was
tried (where variants are declared), ``log.csv`` one row a validation, ``checkpoints/`` the state to
resume from and the best model so far, ``tensorboard/``, and, when training has ended,
``metrics.json``, ``predictions.parquet`` and ``model.safetensors``. Where several networks are
trained each has a log, checkpoints and pictures of its own in ``members/NAME``, and ``log.csv`` is
their mean.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import platform
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, Self, cast

import psutil
import torch
from pydantic import Field, PrivateAttr, field_validator, model_validator

import attendna
from attendna.core.config import (
    Config,
    Draft,
    Seed,
    Tree,
    change,
    is_within,
    leaves,
    parse,
    parse_assignments,
    read_yaml,
    refuse_other_kinds,
    to_yaml,
)
from attendna.core.content import read_json
from attendna.core.delimited import read_numbers
from attendna.core.errors import ConfigError, FolderError
from attendna.core.files import publish_file, publish_folder, refuse_existing
from attendna.core.outputs import OutputFolder
from attendna.core.provenance import command, commit
from attendna.core.recipes import find_settings
from attendna.evaluation.evaluate import read_metrics
from attendna.evaluation.measures import find_metric
from attendna.genome.alphabet import LetterPolicy
from attendna.models.checkpoint import Strands
from attendna.models.hardware import bf16_is_fast
from attendna.models.header import FILE as WEIGHTS_FILE
from attendna.models.model import AnyModelConfig
from attendna.prediction.device import Precision, PrecisionChoice, describe
from attendna.tokens.tokenizer import AnyTokenizerConfig
from attendna.training.start import with_its_model

FORMAT = 1
"""Version of the run folder; a folder of another version is refused."""

DEFAULT, RECIPE, START, COMMAND_LINE = "default", "recipe", "start.run", "command line"
"""Where a setting came from: nobody gave it, the file that was read, the model that training starts
from, or an assignment."""

MEASURED = ("metrics.json", "predictions.parquet", "track_*.parquet", "assay_metrics.parquet")
"""What `evaluate` writes into a run folder of any kind."""

SHOWN = ("report.html", "ism/scores.parquet", "ism/logo.svg")
"""What one makes of a run and keeps in its folder."""

_TRAINED = (
    "log.csv",
    "model.safetensors",
    "environment.json",
    "run.yaml",
    "search.json",
    "checkpoints/last.ckpt",
    "checkpoints/last.ckpt/*",
    "checkpoints/best/model.safetensors",
    "tensorboard/events.out.tfevents.*",
)
RUN = OutputFolder(
    "run",
    added=(
        *MEASURED,
        *SHOWN,
        *(f"{part}{name}" for part in ("", "search/*/", "members/*/") for name in _TRAINED),
        "finetuning.json",
        "finetuning.html",
        "before/metrics.json",
        "before/predictions.parquet",
    ),
)


class ObjectiveConfig(Config):
    """What training makes small."""

    loss: Literal["cross_entropy", "focal", "mse", "huber"] = "cross_entropy"
    """Cross entropy is for classes, tracks, and numbers that are shares from 0 to 1 (a methylated
    share); ``focal`` for classes and tracks; ``mse`` and ``huber`` for any numbers."""
    gamma: float = Field(default=2.0, ge=0)
    """Focal loss only: how much rows that are already right are played down."""
    alpha: float | None = Field(default=None, gt=0, lt=1)
    """Focal loss of a binary task or of tracks only: weight of the positives, negatives have the
    rest."""
    delta: float = Field(default=1.0, gt=0)
    """Huber loss only: the error from which on it grows linearly."""
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    class_weights: Literal["none", "balanced"] = "none"
    """``balanced`` gives every class the same weight in sum, however rare it is."""

    @model_validator(mode="after")
    def _weighted_once(self) -> Self:
        if self.alpha is not None and self.loss != "focal":
            raise ValueError("alpha belongs to loss: focal")
        if self.alpha is not None and self.class_weights == "balanced":
            raise ValueError("alpha and class_weights: balanced both weight the classes; take one")
        return self


class OptimizerConfig(Config):
    """AdamW, a linear warm-up and a cosine down to a floor."""

    learning_rate: float = Field(default=1e-3, gt=0)
    weight_decay: float = Field(default=0.01, ge=0)
    """Of matrices; biases, norms and other vectors are not decayed."""
    betas: tuple[float, float] = (0.9, 0.999)
    warmup: float = Field(default=0.1, ge=0, lt=1)
    """Share of all steps in which the learning rate rises."""
    floor: float = Field(default=0.01, ge=0, le=1)
    """Learning rate of the last step, as a share of the highest."""
    accumulate: int = Field(default=1, ge=1)
    """Batches whose gradients are averaged before each step."""
    clip: float | None = Field(default=1.0, gt=0)
    """Largest norm of the gradient."""
    layer_decay: float = Field(default=1.0, gt=0, le=1)
    """Each block learns so many times as fast as the one above it, the head at full speed."""

    @field_validator("betas")
    @classmethod
    def _below_one(cls, betas: tuple[float, float]) -> tuple[float, float]:
        if not all(0 <= beta < 1 for beta in betas):
            raise ValueError("each beta lies from 0 to below 1")
        return betas


class TrainerConfig(Config):
    """How long, in what portions, on what."""

    epochs: float = Field(default=10, gt=0)
    """Passes over the training rows."""
    min_steps: int = Field(default=1, ge=1)
    """A small set is passed over more often until there are so many steps."""
    max_steps: int | None = Field(default=None, ge=1)
    """A large set is not passed over as often as ``epochs`` says."""
    batch_size: int = Field(default=64, ge=1)
    validations: int | None = Field(default=None, ge=1)
    """How often the model is validated, evenly over the training; none for once an epoch."""
    monitor: str = "task"
    """What decides which model is best on the validation split: ``loss``, a metric, or ``task``
    for the metric the task is judged by."""
    patience: int | None = Field(default=None, ge=1)
    """Validations without a better model after which training stops; none for never."""
    ema: float = Field(default=0.05, ge=0, lt=1)
    """The weights that are validated and kept are a running average over about this share of all
    steps; 0 keeps the weights as they are."""
    save_every: float = Field(default=5.0, ge=0)
    """Minutes after which the state is saved even between two validations."""
    device: str = "auto"
    precision: PrecisionChoice = "auto"
    threads: int | None = Field(default=None, ge=1)
    """Processor threads; none for what OMP_NUM_THREADS says, else one a core."""

    @property
    def lower_is_better(self) -> bool:
        """Whether less of the monitored measure is better."""
        return self.monitor == "loss" or not find_metric(self.monitor).higher_is_better

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.max_steps is not None and self.max_steps < self.min_steps:
            raise ValueError(
                f"max_steps {self.max_steps} is below min_steps {self.min_steps}: "
                f"set min_steps to {self.max_steps} or less too"
            )
        if self.monitor not in ("loss", "task"):
            try:
                find_metric(self.monitor)
            except ConfigError as error:
                raise ValueError(f"monitor: {error}") from None
        return self


class AugmentationConfig(Config):
    """What is changed at random in the training sequences; the strand belongs to ``strands``."""

    shift: int = Field(default=0, ge=0)
    """Bases by which a sequence is moved at most to either side; N comes in."""
    mask: float = Field(default=0.0, ge=0, lt=1)
    """Share of bases that become N."""


class Variant(Config):
    """Other settings to try: ``set`` holds dotted keys and their values."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
    set: dict[str, Any]


class ProbeConfig(Config):
    """How the variants are tried before the training proper: each in a short one of its own."""

    share: float = Field(default=0.2, gt=0, le=1)
    """Steps of a probe, as a share of those of the training; with 1 the probes are trainings
    already and are not repeated."""
    tie: float = Field(default=0.0, ge=0)
    """Variants so many standard errors behind the best count as good as it, and members are made of
    each in turn; 0 takes the best alone."""


class Adaptation(Config):
    """What is different for a small set: ``set`` holds dotted keys and their values."""

    rows_below: int = Field(ge=1)
    """It applies where there are fewer training rows than this."""
    set: dict[str, Any]


class LoraConfig(Config):
    """Low-rank adapters beside the matrices of all blocks (:mod:`attendna.training.adapters`)."""

    rank: int = Field(default=8, ge=1)
    alpha: int = Field(default=16, ge=1)
    """What an adapter adds is multiplied by ``alpha / rank``."""
    dropout: float = Field(default=0.0, ge=0, lt=1)


class StartConfig(Config):
    """Weights to start from; what the model has none for, as the head, starts fresh."""

    run: Path
    """A run of ``pretrain`` or ``train``, whose model reads the same tokens; or, for ``model:
    huggingface``, the folder of a checkpoint or its name on the hub."""
    weights: str | None = None
    """SHA-256 of those weights; written down when a training begins."""
    hub: bool = False
    """Whether a checkpoint may be fetched from the Hugging Face hub."""
    allow_pickle: bool = False
    """Whether a checkpoint's weights may be read from a pickle, which could hold code; only numbers
    are read."""
    frozen: bool = False
    """Whether everything but the pooling and the head stays as it was learned there."""
    lora: LoraConfig | None = None
    """Adapters to train instead of the blocks themselves."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.frozen and self.lora is not None:
            raise ValueError("frozen and lora exclude each other; take one")
        return self


class SavedConfig(Config):  # noqa: PLW1641 - pydantic hashes what is frozen
    """All settings of a training, as its run folder keeps them."""

    format: Literal[1] = FORMAT

    _origins: dict[str, str] | None = PrivateAttr(default=None)
    """By what each dotted key was given; none for settings that were made in Python."""

    def __eq__(self, other: object) -> bool:
        """Equal settings are equal, wherever they came from."""
        return isinstance(other, type(self)) and self.to_tree() == other.to_tree()

    @classmethod
    def read(cls, path: str | Path, assignments: Sequence[str] = ()) -> Self:
        """Settings of a YAML file or a recipe, with ``"key.subkey=value"`` assignments applied.

        Assignments win over everything in the file: also over its ``adapt`` and ``variants``.

        Raises
        ------
        ConfigError
            The file or an assignment says something impossible; one line names the key.
        """
        tree = read_yaml(find_settings(path))
        return cls.of(tree, path, parse_assignments(assignments))

    @classmethod
    def of(
        cls,
        tree: Mapping[str, Any],
        source: str | Path,
        changes: Mapping[str, Any] | None = None,
        origin: str = COMMAND_LINE,
    ) -> Self:
        """Settings of a recipe, with ``changes`` of dotted keys that win over everything in it.

        Parameters
        ----------
        source
            Where the recipe came from, named in errors.
        origin
            Where the changes came from; see :meth:`origins`.
        """
        refuse_other_kinds(cls, tree, source)
        draft = cls._prevailing(Draft.given(tree, RECIPE), changes or {}, origin)
        if draft.tree.get("format", FORMAT) != FORMAT:
            raise ConfigError(
                f"{source} has format {draft.tree['format']}, attendna {attendna.__version__} "
                f"reads format {FORMAT}",
                "write the settings anew, or install the version that wrote it",
            )
        return cls._parsed(cls._completed(draft), source)

    @classmethod
    def _completed(cls, draft: Draft) -> Draft:
        """Settings with what follows from other files."""
        return draft

    @classmethod
    def _prevailing(cls, draft: Draft, changes: Mapping[str, Any], origin: str) -> Draft:
        """Settings in which changes win over everything that was there."""
        return draft.changed(changes, origin)

    @classmethod
    def _parsed(cls, draft: Draft, source: str | Path) -> Self:
        config = parse(cls, draft.tree, source)
        config._origins = dict(draft.origins)
        return config

    def changed(self, changes: Mapping[str, Any], origin: str) -> Self:
        """The settings with the values of dotted keys changed.

        Parameters
        ----------
        origin
            What changes them, named in errors and in :meth:`origins`.
        """
        draft = self._draft.changed(changes, origin)
        # What wins is also where it was given as a part of something else.
        won = {key: known for key, known in self._draft.origins.items() if known == COMMAND_LINE}
        return self._redrafted(Draft(draft.tree, {**draft.origins, **won}), origin)

    def prevailed(self, changes: Mapping[str, Any], origin: str) -> Self:
        """The same with changes that win over everything in the settings, as in :meth:`of`."""
        return self._redrafted(self._prevailing(self._draft, changes, origin), origin)

    @property
    def _draft(self) -> Draft:
        return Draft(self.to_tree(), self._origins or {})

    def _redrafted(self, draft: Draft, source: str) -> Self:
        config = self._parsed(draft, source)
        if self._origins is None:
            config._origins = None
        return config

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed, validated again."""
        config = super().replace(**changes)
        config._origins = self._origins
        return config

    def origins(self) -> dict[str, str]:
        """Of every value, by its dotted key, where it came from.

        ``default``, ``recipe`` (the file that was read), ``command line``, what adapted it, or a
        variant; nothing for settings that were made in Python.
        """
        known = self._origins
        if known is None:
            return {}
        # `model: encoder` in a file stands for `model: {name: encoder}`.
        return {
            key: known.get(key) or known.get(key.removesuffix(".name"), DEFAULT)
            for key, _ in leaves(self.to_tree())
        }

    def run_id(self, digest: str) -> str:
        """Name of the run that these settings make of the data with this digest."""
        content = json.dumps([self.to_tree(), digest], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:12]


class RunConfig(SavedConfig):
    """All settings of a training; with the rows it learns from they decide its result."""

    tokenizer: AnyTokenizerConfig
    model: AnyModelConfig
    members: int = Field(default=1, ge=1)
    """Networks trained one after the other from different seeds, whose logits are averaged."""
    strands: Strands = "augment"
    letters: LetterPolicy = "unknown"
    objective: ObjectiveConfig = ObjectiveConfig()
    optimizer: OptimizerConfig = OptimizerConfig()
    trainer: TrainerConfig = TrainerConfig()
    augmentation: AugmentationConfig = AugmentationConfig()
    start: StartConfig | None = None
    share: float = Field(default=1.0, gt=0, le=1)
    """Share of the training rows that is learned from, of each class alike, drawn by ``seed``."""
    variants: tuple[Variant, ...] = ()
    """The best of these on the validation split is trained; none to train what is written here."""
    probe: ProbeConfig = ProbeConfig()
    adapt: tuple[Adaptation, ...] = ()
    """Applied in this order, before the variants."""
    seed: Seed = 0

    @model_validator(mode="before")
    @classmethod
    def _model_is_started_from(cls, settings: Any) -> Any:
        return with_its_model(settings)

    @model_validator(mode="after")
    def _variants_are_runs(self) -> Self:
        names = [variant.name for variant in self.variants]
        if len(set(names)) < len(names):
            raise ValueError("two variants have the same name")
        try:
            for variant in self.variants:
                self.with_variant(variant)
            self.adapted(rows=0)
        except ConfigError as error:
            raise ValueError(str(error)) from None
        return self

    @classmethod
    def _prevailing(cls, draft: Draft, changes: Mapping[str, Any], origin: str) -> Draft:
        draft = draft.changed(changes, origin)
        tree = dict(draft.tree)
        for group in ("adapt", "variants"):
            entries = tree.get(group)
            # What the changes name themselves stays as they give it.
            if isinstance(entries, list) and not any(is_within(key, group) for key in changes):
                tree[group] = [_yielding(entry, changes) for entry in entries]
        variants, before = (one.get("variants") for one in (tree, draft.tree))
        draft = Draft(tree, draft.origins)
        if not isinstance(variants, list) or variants == before:
            return draft
        # Variants that differed in what is now fixed are one.
        left = [
            one
            for place, one in enumerate(variants)
            if _sets(one) not in map(_sets, variants[:place])
        ]
        if len(left) > 1:
            return Draft(tree | {"variants": left}, draft.origins)
        only = draft.changed(_sets(left[0]), f"variant {left[0]['name']}")
        return Draft(only.tree | {"variants": []}, only.origins)

    @classmethod
    def _completed(cls, draft: Draft) -> Draft:
        tree = with_its_model(draft.tree)
        if tree is draft.tree:
            return draft
        return Draft(tree, {key: START for key, _ in leaves(tree)} | dict(draft.origins))

    def with_variant(self, variant: Variant) -> "RunConfig":
        """The settings of one network of a variant, with nothing left to choose."""
        alone = self.replace(variants=[], members=1)
        return alone.changed(variant.set, f"variant {variant.name}")

    def adapted(self, rows: int) -> "RunConfig":
        """The settings for so many training rows, with nothing left to adapt."""
        config = self.replace(adapt=[]) if self.adapt else self
        for adaptation in self.adapt:
            if rows < adaptation.rows_below:
                place = f"adapt to fewer than {adaptation.rows_below} rows"
                config = config.changed(adaptation.set, place)
        return config

    def for_metric(self, metric: str) -> "RunConfig":
        """The settings with the metric of a task in place of ``trainer.monitor: task``."""
        if self.trainer.monitor != "task":
            return self
        return self.changed({"trainer.monitor": metric}, "the task's metric")

    def origins(self) -> dict[str, str]:
        """Of every value, by its dotted key, where it came from, and which variants change it."""
        found = super().origins()
        for variant in self.variants if found else ():
            for key in found:
                if any(is_within(key, set_) for set_ in variant.set):
                    found[key] += f"; variant {variant.name} sets it"
        return found


def _yielding(entry: Any, changes: Mapping[str, Any]) -> Any:
    """An entry of ``adapt`` or ``variants`` that changes nothing of ``changes``."""
    own = _sets(entry)
    kept: dict[str, Any] = {}
    for key, value in own.items():
        if not any(is_within(key, changed) for changed in changes):
            parts = {name: v for name, v in changes.items() if is_within(name, key)}
            whole = {name.replace(key, "whole", 1): v for name, v in parts.items()}
            kept[key] = change({"whole": value}, whole)["whole"]
    return entry | {"set": kept} if own else entry


def _sets(entry: Any) -> dict[str, Any]:
    """The changes of an entry as it is written; none of one that is written wrongly."""
    found = entry.get("set") if isinstance(entry, dict) else None  # pyright: ignore[reportUnknownMemberType]
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def differing_key(one: Mapping[str, Any], other: Mapping[str, Any]) -> str | None:
    """The first dotted key at which two trees of settings differ."""
    left, right = dict(leaves(one)), dict(leaves(other))
    return next((key for key in left | right if left.get(key, ...) != right.get(key, ...)), None)


@dataclass(frozen=True)
class Environment:
    """The machine a run was trained on; resuming uses the same precision and threads."""

    attendna: str
    task: str
    split_hash: str
    run_id: str
    device: str
    device_name: str
    precision: Precision
    threads: int
    cores: int
    bf16_hardware: bool
    system: str
    python: str
    packages: dict[str, str]
    command: str = ""
    """The command line; empty where Python called."""
    commit: str = ""
    """The commit of the code, empty if not known."""
    format: int = FORMAT

    @classmethod
    def of_this_machine(
        cls,
        device: torch.device,
        precision: Precision,
        threads: int,
        *,
        task: str,
        split_hash: str,
        run_id: str,
    ) -> "Environment":
        """What this machine is and does."""
        names = ("torch", "lightning", "numpy", "polars", "pyarrow", "scikit-learn")
        return cls(
            attendna=attendna.__version__,
            task=task,
            split_hash=split_hash,
            run_id=run_id,
            device=str(device),
            device_name=describe(device),
            precision=precision,
            threads=threads,
            cores=available_cores(),
            bf16_hardware=bf16_is_fast(device),
            system=f"{platform.system()} {platform.release()} {platform.machine()}",
            python=platform.python_version(),
            packages={name: version(name) for name in names},
            command=command(),
            commit=commit(),
        )


def default_threads() -> int:
    """Threads to compute with: what the environment says, else one a core."""
    said = os.environ.get("OMP_NUM_THREADS", "")
    return int(said) if said.isdigit() and int(said) > 0 else available_cores()


def available_cores() -> int:
    """Cores this process may use: hyper-threads of one core count once, and so do limits."""
    allowed = getattr(os, "sched_getaffinity", None)
    logical = len(allowed(0)) if allowed else (os.cpu_count() or 1)
    return min(logical, psutil.cpu_count(logical=False) or logical)


@dataclass(frozen=True)
class RunFolder:
    """Paths of a run folder, and what is written there before training begins."""

    path: Path

    @property
    def config(self) -> Path:
        """The settings."""
        return self.path / "run.yaml"

    @property
    def environment(self) -> Path:
        """The machine."""
        return self.path / "environment.json"

    @property
    def weights(self) -> Path:
        """The trained model; written last, so that it stands for a finished run."""
        return self.path / WEIGHTS_FILE

    @property
    def log(self) -> Path:
        """One row a validation."""
        return self.path / "log.csv"

    @property
    def last(self) -> Path:
        """The state of training to resume from."""
        return self.path / "checkpoints" / "last.ckpt"

    @property
    def best(self) -> Path:
        """The folder of the best model so far, readable like a finished run."""
        return self.path / "checkpoints" / "best"

    @property
    def tensorboard(self) -> Path:
        """The log as TensorBoard shows it."""
        return self.path / "tensorboard"

    @property
    def search(self) -> Path:
        """What the variants scored."""
        return self.path / "search.json"

    @property
    def finished(self) -> bool:
        """Whether training has ended and the model is there."""
        return self.weights.is_file()

    def probe(self, name: str) -> "RunFolder":
        """The folder in which a variant is tried."""
        return RunFolder(self.path / "search" / name)

    def member(self, name: str) -> "RunFolder":
        """The folder in which one network of several is trained."""
        return RunFolder(self.path / "members" / name)

    def create(self, config: SavedConfig, environment: Environment, *, force: bool = False) -> None:
        """Make the folder with its settings; what is there is replaced only if it is a run.

        Raises
        ------
        FolderError
            The folder exists and ``force`` is off, or it is not a run folder of ours alone.
        """
        with publish_folder(self.path, RUN, force=force) as partial:
            new = RunFolder(partial)
            new.config.write_text(to_yaml(config.to_tree(), config.origins()), encoding="utf-8")
            new.environment.write_text(json.dumps(vars(environment), indent=2), encoding="utf-8")

    def refuse_existing(self, *, force: bool = False) -> None:
        """Raise :class:`FolderError` unless the folder may be created."""
        refuse_existing(self.path, RUN, force=force)

    def resume(self, config: SavedConfig, split_hash: str) -> Environment:
        """Check that the folder holds the beginning of this very run.

        Raises
        ------
        FolderError
            It is no run folder, of another version, or of other settings or rows.
        """
        if not self.config.is_file() or not self.environment.is_file():
            raise FolderError(f"{self.path} is not a run folder", "choose another --out")
        environment = self._read_environment()
        then = read_yaml(self.config)
        key = differing_key(then, config.to_tree())
        if key is not None:
            was, now = (dict(leaves(tree)).get(key, "absent") for tree in (then, config.to_tree()))
            raise FolderError(
                f"{self.path} was begun with {key}={was}, not {now}",
                "resume with the same settings, or train into another --out",
            )
        if environment.split_hash != split_hash:
            raise FolderError(
                f"{self.path} was begun with other training or validation rows",
                "resume with the same task, or train into another --out",
            )
        return environment

    def _read_environment(self) -> Environment:
        try:
            tree: Tree = read_json(self.environment)
            writer, layout = tree.get("attendna", "?"), tree.get("format")
        except (OSError, ValueError, AttributeError) as error:
            raise FolderError(f"{self.environment} is damaged", "train again") from error
        if layout != FORMAT:
            raise FolderError(
                f"{self.path} was written by attendna {writer} in format {layout}, this is "
                f"attendna {attendna.__version__} with format {FORMAT}",
                f"install attendna {writer}, or train into another --out",
            )
        try:
            return Environment(**tree)
        except TypeError as error:
            raise FolderError(f"{self.environment} is damaged", "train again") from error

    @contextlib.contextmanager
    def locked(self) -> Generator[None]:
        """Keep other processes from training here; the lock ends with the process, however it ends.

        Raises
        ------
        FolderError
            Another process is training here.
        """
        handle = os.open(self.path, os.O_RDONLY)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise FolderError(
                    f"another process is training in {self.path}",
                    "wait for it, or choose another --out",
                ) from None
            except OSError:
                # A file system without locks: one has to be careful oneself.
                pass
            yield
        finally:
            os.close(handle)

    def summary(self) -> dict[str, Any]:
        """What a finished run has come to, for machines."""
        rows = read_metrics(self.path)
        validations = read_numbers(self.log, ("step",))
        return {
            "run": str(self.path),
            "run_id": self._read_environment().run_id,
            "steps": int(validations["step"].to_list()[-1]) if validations.height else 0,
            "validations": validations.height,
            "valid": {row["metric"]: row["value"] for row in rows if row["split"] == "valid"},
            "threshold": next((row["threshold"] for row in rows if row["split"] == "valid"), None),
        }

    def write_json(self, path: Path, value: Any) -> None:
        """Write one of the folder's JSON files, whole or not at all."""
        with publish_file(path) as partial:
            partial.write_text(json.dumps(value, indent=2), encoding="utf-8")

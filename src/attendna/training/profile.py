"""What models of tracks cost: peak memory and time of a step, each measured in its own process.

Shapes: ``B`` batch, ``W`` bases, ``b`` bins that are predicted, ``T`` tracks.
"""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

import polars as pl
import psutil
import torch
import torch.nn.functional as F

from attendna.core.alone import ProcessDiedError, run_alone
from attendna.core.config import Config, Tree, parse
from attendna.core.errors import ConfigError
from attendna.core.memory import keep_freed_memory
from attendna.core.resident import allow, peak, reset_peak, resident
from attendna.models.layers.sparse.layout import BlockConfig
from attendna.models.track_model import AnyTrackModelConfig, TrackModel, TrackModelConfig
from attendna.models.track_source import TrackSource
from attendna.prediction.device import (
    Precision,
    PrecisionChoice,
    autocast,
    choose_device,
    choose_precision,
    describe,
)

Attention = Literal["dense", "sparse"]
Mode = Literal["forward", "train"]
ATTENTION: tuple[Attention, ...] = get_args(Attention)
MODES: tuple[Mode, ...] = get_args(Mode)

Status = Literal["measured", "out of memory", "not tried", "failed"]

SCHEMA = {
    "mode": pl.String,
    "attention": pl.String,
    "layers": pl.Int64,
    "length": pl.Int64,
    "tokens": pl.Int64,
    "status": pl.String,
    "parameters": pl.Int64,
    "weights_bytes": pl.Int64,
    "peak_bytes": pl.Int64,
    "seconds": pl.Float64,
    "fastest_seconds": pl.Float64,
    "reason": pl.String,
}


class _Chosen(Config):
    model: AnyTrackModelConfig


@dataclass(frozen=True)
class Settings:
    """How points are measured, the same for all."""

    device: str = "cpu"
    precision: Precision = "fp32"
    batch: int = 1
    steps: int = 3
    """Steps that are timed, after one that is not."""
    memory: int = 1 << 62
    """Bytes that a point may use."""


@dataclass(frozen=True)
class Point:
    """One combination to be measured."""

    mode: Mode
    attention: Attention
    layers: int
    length: int
    model: TrackModelConfig
    tracks: dict[str, int]
    settings: Settings = Settings()

    @property
    def key(self) -> tuple[str, str, int]:
        """What tells lines apart, on which only the length differs."""
        return self.mode, self.attention, self.layers


@dataclass(frozen=True)
class Cost:
    """What one point costs."""

    status: Status
    parameters: int | None = None
    weights_bytes: int | None = None
    peak_bytes: int | None = None
    """Most memory beyond what the process held before there was a model."""
    seconds: float | None = None
    """Median of the steps."""
    fastest_seconds: float | None = None
    reason: str = ""


@dataclass(frozen=True)
class Sweep:
    """Lengths, layers, kinds of attention and modes, all of which are combined."""

    lengths: Sequence[int]
    layers: Sequence[int] = ()
    """The model's own number where none are given."""
    attention: Sequence[Attention] = ATTENTION
    modes: Sequence[Mode] = MODES

    def points(self, source: TrackSource, settings: Settings) -> list[Point]:
        """All combinations, the shorter first.

        Raises
        ------
        UserError
            The model reads no windows of one of the lengths, or has no such settings.
        """
        tree = source.config.to_tree()
        layers = sorted(set(self.layers)) or [int(tree.get("depth", 0))]
        points: list[Point] = []
        for mode in dict.fromkeys(self.modes):
            for attention in dict.fromkeys(self.attention):
                for depth in layers:
                    config = with_attention(source.config, attention, depth)
                    bins = _bins(config, dict(source.tracks))
                    for length in sorted(set(self.lengths)):
                        bins(length)
                        points.append(
                            Point(mode, attention, depth, length, config, dict(source.tracks),
                                  settings)
                        )  # fmt: skip
        return points


@dataclass(frozen=True)
class Profile:
    """What was measured, and on what."""

    facts: dict[str, Any]
    rows: pl.DataFrame = field(repr=False)
    """A row a point, by :data:`SCHEMA`."""


def profile(
    source: TrackSource,
    sweep: Sweep,
    *,
    memory: int | None = None,
    device: str = "auto",
    precision: PrecisionChoice = "auto",
    batch: int = 1,
    steps: int = 3,
    progress: Callable[[Point, Cost], None] | None = None,
) -> Profile:
    """Measure all points of a sweep, one process after the other.

    Parameters
    ----------
    memory
        Bytes a point may use; never more than the machine has to give.
    progress
        Told of each point.

    Raises
    ------
    UserError
        A length, a setting or the device cannot be used.
    """
    chosen = choose_device(device)
    there = available(chosen)
    settings = Settings(
        str(chosen), choose_precision(precision, chosen), batch, steps, min(memory or there, there)
    )
    points = sweep.points(source, settings)
    too_long: dict[tuple[str, str, int], int] = {}
    rows: list[dict[str, Any]] = []
    for point in points:
        if point.key in too_long:
            cost = Cost("not tried", reason=f"{too_long[point.key]:,} bases were too many")
        else:
            cost = measure_alone(point)
        if cost.status == "out of memory":
            too_long[point.key] = point.length
        if progress:
            progress(point, cost)
        rows.append(_row(point, cost))
    facts = {
        "model": source.name,
        "settings": source.config.to_tree(),
        "tracks": dict(source.tracks),
        "bin": _built(source.config, source.tracks).bin,
        "device": chosen.type,
        "device_name": describe(chosen),
        "threads": torch.get_num_threads(),
        "precision": settings.precision,
        "batch": batch,
        "steps": steps,
        "memory": memory or there,
        "torch": torch.__version__,
    }
    return Profile(facts, pl.DataFrame(rows, schema=SCHEMA))


def available(device: torch.device) -> int:
    """Bytes that the device has to give now."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return int(psutil.virtual_memory().available)


def with_attention(config: TrackModelConfig, kind: Attention, layers: int) -> TrackModelConfig:
    """The same model with another kind of attention, and another number of layers.

    Raises
    ------
    ConfigError
        The model has no such settings.
    """
    tree = config.to_tree()
    attention: Tree = dict(tree.get("attention", {}))
    if kind == "dense":
        attention["sparse"] = None
    elif not attention.get("sparse"):
        attention["sparse"] = BlockConfig().to_tree()
    changed = {"model": tree | {"depth": layers, "attention": attention}}
    return parse(_Chosen, changed, f"layers={layers}, attention={kind}").model


def measure_alone(point: Point) -> Cost:
    """Measure in a process of its own; one that the system kills was out of memory."""
    try:
        return run_alone(measure, point)
    except ProcessDiedError as error:
        if error.killed:
            return Cost("out of memory", reason="killed by the system")
        return Cost("failed", reason=error.problem)


def measure(point: Point) -> Cost:
    """Measure in this process, which is limited in memory from now on."""
    device = choose_device(point.settings.device)
    try:
        return _measure(point, device)
    except torch.OutOfMemoryError:
        reason = "the device has no more memory"
    except MemoryError:
        reason = "no more memory was given"
    except RuntimeError as error:
        if "can't allocate memory" not in str(error):
            raise
        reason = "no more memory was given"
    return Cost("out of memory", reason=reason)


def _measure(point: Point, device: torch.device) -> Cost:
    settings = point.settings
    _load_everything(device)
    if device.type == "cuda":
        total = torch.cuda.get_device_properties(device).total_memory
        torch.cuda.set_per_process_memory_fraction(min(1.0, settings.memory / total), device)
        torch.cuda.reset_peak_memory_stats(device)
    else:
        allow(settings.memory)
        if point.mode == "train":
            # As training does it: it is faster, and may keep more.
            keep_freed_memory()
    before = 0 if device.type == "cuda" else resident()
    model = point.model.build(point.tracks).to(device)
    if device.type != "cuda":
        reset_peak()
    step = _step(model, point, device)
    seconds = list(_times(step, settings.steps, device))
    most = torch.cuda.max_memory_allocated(device) if device.type == "cuda" else peak() - before
    held = [*model.parameters(), *model.buffers()]
    return Cost(
        "measured",
        model.parameter_count(),
        sum(x.numel() * x.element_size() for x in held),
        most,
        statistics.median(seconds),
        min(seconds),
    )


def _load_everything(device: torch.device) -> None:
    """A first step of next to nothing, for libraries are loaded when they are first used."""
    layers = torch.nn.Sequential(
        torch.nn.Conv1d(4, 8, 5), torch.nn.Flatten(), torch.nn.Linear(96, 1)
    )
    layers.to(device)
    optimizer = torch.optim.Adam(layers.parameters())
    layers(torch.zeros(2, 4, 16, device=device)).sum().backward()
    optimizer.step()


def _step(model: TrackModel, point: Point, device: torch.device) -> Callable[[], object]:
    """One forward pass, or one step of training, on random bases and counts."""
    settings = point.settings
    random = torch.Generator().manual_seed(0)
    shape = settings.batch, point.length
    codes = torch.randint(0, 4, shape, generator=random, dtype=torch.uint8).to(device)
    head = next(iter(point.tracks))
    if point.mode == "forward":
        model.eval()

        def forward() -> object:
            with torch.inference_mode(), autocast(device, settings.precision):
                return model(codes, head)

        return forward
    model.train()
    targets = torch.rand(
        settings.batch, model.predicted_bins(point.length), point.tracks[head], generator=random
    ).to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-6)

    def train() -> None:
        with autocast(device, settings.precision):
            said = model(codes, head)
        F.poisson_nll_loss(said.float(), targets, log_input=False).backward()
        optimizer.step()
        optimizer.zero_grad()

    return train


def _times(step: Callable[[], object], steps: int, device: torch.device) -> Iterator[float]:
    """Seconds of each step but the first, which makes what later ones find there."""
    for number in range(steps + 1):
        start = time.perf_counter()
        step()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        if number:
            yield time.perf_counter() - start


def _built(config: TrackModelConfig, tracks: Any) -> TrackModel:
    """The model without memory for its weights."""
    with torch.device("meta"):
        return config.build(tracks)


def _bins(config: TrackModelConfig, tracks: dict[str, int]) -> Callable[[int], int]:
    return _built(config, tracks).predicted_bins


def _row(point: Point, cost: Cost) -> dict[str, Any]:
    bin_size = _built(point.model, point.tracks).bin
    return {
        "mode": point.mode,
        "attention": point.attention,
        "layers": point.layers,
        "length": point.length,
        "tokens": point.length // bin_size,
        **asdict(cost),
    }


def choose(words: Sequence[str], known: Sequence[Any], what: str) -> list[Any]:
    """The words, each of which must be one of ``known``.

    Raises
    ------
    ConfigError
        One is none.
    """
    for word in words:
        if word not in known:
            raise ConfigError(f"there is no {what} {word!r}", f"choose from {', '.join(known)}")
    return list(words)

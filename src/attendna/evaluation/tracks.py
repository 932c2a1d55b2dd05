"""What a model of tracks is worth: correlation with what was observed, by track and by assay.

Shapes: ``n`` records, ``l`` bins, ``t`` tracks.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from jaxtyping import Float64
from numpy import ndarray
from scipy import stats

from attendna.core.errors import ConfigError, FolderError
from attendna.core.files import publish_file
from attendna.core.parquet import write_parquet
from attendna.evaluation.track_examples import examples
from attendna.evaluation.track_files import FILES, SCORES_FILE, read_table
from attendna.evaluation.track_sums import TrackSums
from attendna.models.hardware import Precision
from attendna.models.track_checkpoint import TrackCheckpoint, load_tracks
from attendna.models.track_model import TrackModel
from attendna.prediction.device import PrecisionChoice, choose_device, precision_of
from attendna.prediction.predictions import refuse_undefined
from attendna.prediction.track_records import Records, Window, predict_record
from attendna.tasks.spec import SplitName
from attendna.tasks.tracks import TrackTask, open_track_task, refuse_other_kind

MOST_RANKED = 200_000_000
"""Values beyond which ranks are not taken: they would have to be held in memory all at once."""


@dataclass(frozen=True, eq=False)
class TrackResult:
    """What was measured of one head on one split."""

    tracks: pl.DataFrame
    assays: pl.DataFrame
    scores: pl.DataFrame
    examples: pl.DataFrame


def evaluate_tracks(
    run: str | Path,
    tasks: Mapping[str, str | Path],
    split: SplitName = "test",
    *,
    genomes: Mapping[str, Path] | None = None,
    device: str = "auto",
    precision: PrecisionChoice = "auto",
    resamples: int = 1000,
    seed: int = 0,
    progress: Callable[[int], None] | None = None,
) -> dict[str, TrackResult]:
    """Measure a trained model of tracks and enter the results into its run folder.

    Parameters
    ----------
    tasks
        Of each head to be measured, the folder of a task with its tracks.
    genomes
        Of each head, the genome, where the model reads more than the records hold.
    progress
        Called with the number of records that are done.

    Raises
    ------
    UserError
        There is no such head, its tracks are others, or the task does not fit the model.
    """
    checkpoint, model = load_tracks(run)
    for folder in tasks.values():
        refuse_other_kind(run, folder, of_tracks=True)
    chosen = choose_device(device)
    model, computed = model.to(chosen), precision_of(precision, checkpoint.precision, chosen)
    window = Window.of(model, checkpoint.window)
    records = {
        head: Records(
            open_task_of(checkpoint, head, folder, split), split, window, (genomes or {}).get(head)
        )
        for head, folder in tasks.items()
    }
    done = 0
    found: dict[str, TrackResult] = {}
    for head, mine in records.items():

        def advance(count: int, before: int = done) -> None:
            if progress is not None:
                progress(before + count)

        found[head] = measure(
            model,
            mine,
            head,
            split,
            precision=computed,
            resamples=resamples,
            seed=seed,
            told=advance,
        )
        done += len(mine)
    if Path(run).is_dir():
        _enter(Path(run), list(found.values()), set(tasks), split)
    return found


def open_task_of(
    checkpoint: TrackCheckpoint, head: str, folder: str | Path, split: SplitName
) -> TrackTask:
    """The task of a head, which must have the head's tracks.

    Raises
    ------
    ConfigError
        There is no such head, or its tracks are others.
    FolderError
        The folder is not a task of tracks.
    """
    task = open_track_task(folder, splits=(split,))
    if head not in checkpoint.heads:
        known = ", ".join(checkpoint.heads)
        raise ConfigError(f"the model has no head {head}", f"it has {known}: write HEAD=DIR")
    wanted = [track.identifier for track in checkpoint.heads[head]]
    if task.targets["identifier"].to_list() != wanted:
        raise ConfigError(
            f"{folder} has other tracks than those the head {head} was trained on",
            "name the task it was trained on, or one built with the same table of targets",
        )
    return task


def measure(
    model: TrackModel,
    records: Records,
    head: str,
    split: SplitName,
    *,
    precision: Precision = "fp32",
    resamples: int = 1000,
    seed: int = 0,
    told: Callable[[int], None] | None = None,
) -> TrackResult:
    """All metrics of a head on the records of a split."""
    plain: list[TrackSums] = []
    logs: list[TrackSums] = []
    kept: list[tuple[ndarray, ndarray]] = []
    size = len(records) * records.window.bins * len(records.other_strand)
    for row in range(len(records)):
        predicted, observed = predict_record(model, records, head, row, precision)
        ids = [str(records.split.frame["id"][row])]
        refuse_undefined(predicted, ids, records.split.path, first=row)
        plain.append(TrackSums.of(predicted, observed))
        logs.append(TrackSums.of(predicted, observed, log=True))
        if size <= MOST_RANKED:
            kept.append((predicted[0], observed[0]))
        if told is not None:
            told(row + 1)
    targets = records.task.targets
    sums = {"pearson": TrackSums.joined(plain), "log_pearson": TrackSums.joined(logs)}
    values = {name: part.by_track() for name, part in sums.items()}
    draws = {name: part.resampled(resamples, seed) for name, part in sums.items()}
    if kept:
        values["spearman"] = _spearman(kept)
    about = {"head": head, "split": split, "n": len(records), "precision": precision}
    tracks = pl.concat(
        _track_rows(targets, name, value, draws.get(name), about) for name, value in values.items()
    )
    assays = pl.concat(
        _assay_rows(targets, name, value, draws.get(name), about) for name, value in values.items()
    )
    by_record = _mean_known(sums["pearson"].by_record())
    shown = examples(
        model,
        records,
        head,
        tracks=values["pearson"],
        scores=by_record,
        about=about,
        precision=precision,
    )
    return TrackResult(tracks, assays, _score_rows(records, sums["pearson"], about), shown)


def _spearman(kept: Sequence[tuple[ndarray, ndarray]]) -> Float64[ndarray, " t"]:
    predicted, observed = (np.concatenate(part) for part in zip(*kept, strict=True))
    found = np.full(observed.shape[1], np.nan)
    for track in range(found.size):
        known = ~np.isnan(observed[:, track])
        one, other = predicted[known, track], observed[known, track]
        if one.size > 1 and np.ptp(one) > 0 and np.ptp(other) > 0:
            ranks = [stats.rankdata(part) for part in (one, other)]
            found[track] = np.corrcoef(*ranks)[0, 1]
    return found


def _interval(draws: Float64[ndarray, "R k"] | None, count: int) -> dict[str, pl.Series]:
    """The middle 95 % of resamples; NaN where there are none."""
    low, high = np.full((2, count), np.nan)
    if draws is not None:
        defined = ~np.isnan(draws).all(axis=0)
        low[defined], high[defined] = np.nanquantile(draws[:, defined], [0.025, 0.975], axis=0)
    return {"low": pl.Series(low), "high": pl.Series(high)}


def _track_rows(
    targets: pl.DataFrame,
    metric: str,
    values: Float64[ndarray, " t"],
    draws: Float64[ndarray, "R t"] | None,
    about: Mapping[str, str | int],
) -> pl.DataFrame:
    return targets.select("index", "identifier", "description", "assay").with_columns(
        *(pl.lit(value).alias(name) for name, value in about.items()),
        metric=pl.lit(metric),
        value=pl.Series(values),
        **_interval(draws, values.size),
    )


def _assay_rows(
    targets: pl.DataFrame,
    metric: str,
    values: Float64[ndarray, " t"],
    draws: Float64[ndarray, "R t"] | None,
    about: Mapping[str, str | int],
) -> pl.DataFrame:
    """The mean over the tracks of each assay, and over all."""
    rows: list[pl.DataFrame] = []
    for assay in [*targets["assay"].unique(maintain_order=True), "all"]:
        mine = np.flatnonzero((targets["assay"] == assay).to_numpy() | (assay == "all"))
        defined = mine[~np.isnan(values[mine])]
        mean = float(values[defined].mean()) if defined.size else float("nan")
        of_draws = None
        if draws is not None and defined.size:
            of_draws = np.nanmean(draws[:, defined], axis=1)[:, None]
        rows.append(
            pl.DataFrame({"assay": [assay], "tracks": [defined.size]}).with_columns(
                *(pl.lit(value).alias(name) for name, value in about.items()),
                metric=pl.lit(metric),
                value=pl.lit(mean),
                **_interval(of_draws, 1),
            )
        )
    return pl.concat(rows)


def _score_rows(records: Records, sums: TrackSums, about: Mapping[str, str | int]) -> pl.DataFrame:
    """Of each record, the mean correlation of the tracks of each assay over its bins."""
    found = sums.by_record()
    assays = records.task.targets["assay"]
    parts: list[pl.DataFrame] = []
    for assay in assays.unique(maintain_order=True):
        mine = found[:, (assays == assay).to_numpy()]
        score = _mean_known(mine)
        parts.append(
            records.split.frame.select("id").with_columns(
                *(pl.lit(value).alias(name) for name, value in about.items() if name != "n"),
                assay=pl.lit(assay),
                score=pl.Series(score),
            )
        )
    return pl.concat(parts)


def _mean_known(values: Float64[ndarray, "n t"]) -> Float64[ndarray, " n"]:
    """Mean over what is defined of each row; NaN where nothing is."""
    known = ~np.isnan(values)
    count = known.sum(axis=1)
    total = np.where(known, values, 0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _enter(run: Path, results: Sequence[TrackResult], heads: set[str], split: SplitName) -> None:
    """Bring the run's tables up to date: rows of the same heads and split are replaced."""
    for name, part in FILES.items():
        path = run / name
        new = pl.concat([getattr(result, part) for result in results])
        old = read_table(run, name)
        if old is not None:
            others = ~(pl.col("head").is_in(heads) & (pl.col("split") == split))
            new = pl.concat([old.filter(others), new], how="diagonal")
        with publish_file(path) as partial:
            write_parquet(new, partial)


@dataclass(frozen=True)
class TrackComparison:
    """Two models on the same records, by head and assay."""

    rows: pl.DataFrame
    """``head, assay, n, first, second, difference, low, high`` (a bootstrap interval over records),
    ``correlation`` of the two models' scores, and ``as_good``: the share of records on which the
    second is at least as good as the first."""
    scores: pl.DataFrame
    """``head, assay, id, first, second``: what each model scored in each record."""


def compare_tracks(
    first: str | Path,
    second: str | Path,
    split: SplitName = "test",
    *,
    resamples: int = 2000,
    seed: int = 0,
) -> TrackComparison:
    """Compare what two runs were measured to be worth on the same records.

    Raises
    ------
    FolderError
        A run was not evaluated on the split, or they share no records.
    """
    tables = [_scores(Path(run), split) for run in (first, second)]
    keys = ["head", "assay", "id"]
    both = tables[0].join(tables[1], on=keys, suffix="_second").drop_nans(["score", "score_second"])
    if not both.height:
        raise FolderError(
            f"{first} and {second} were measured on no record in common",
            "evaluate both on the same task",
        )
    random = np.random.default_rng(seed)
    rows: list[dict[str, object]] = []
    for (head, assay), part in both.group_by("head", "assay", maintain_order=True):
        one, other = part["score"].to_numpy(), part["score_second"].to_numpy()
        gain = other - one
        draws = gain[random.integers(0, gain.size, (resamples, gain.size))].mean(axis=1)
        low, high = np.quantile(draws, [0.025, 0.975])
        varies = gain.size > 1 and np.ptp(one) > 0 and np.ptp(other) > 0
        rows.append(
            {
                "head": head,
                "assay": assay,
                "n": gain.size,
                "first": float(one.mean()),
                "second": float(other.mean()),
                "difference": float(gain.mean()),
                "low": float(low),
                "high": float(high),
                "correlation": float(np.corrcoef(one, other)[0, 1]) if varies else float("nan"),
                "as_good": float((gain >= 0).mean()),
            }
        )
    scores = both.select(*keys, first="score", second="score_second")
    return TrackComparison(pl.DataFrame(rows), scores)


def _scores(run: Path, split: SplitName) -> pl.DataFrame:
    table = read_table(run, SCORES_FILE)
    if table is None:
        raise FolderError(
            f"{run} was not evaluated: it has no {SCORES_FILE}", "run attendna evaluate first"
        )
    found = table.filter(pl.col("split") == split)
    if not found.height:
        raise FolderError(f"{run} was not evaluated on its {split} split", "run attendna evaluate")
    return found

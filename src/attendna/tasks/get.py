"""A data set of the catalogue, fetched from the network or a mirror folder, as a task folder."""

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from attendna.core.content import read_content
from attendna.core.errors import DataError, ResourceError, UserError
from attendna.core.files import refuse_existing
from attendna.genome.sequences import SequenceBatch
from attendna.tasks.catalogue import POOL, CatalogueEntry, PublishedFile, catalogue, find_entry
from attendna.tasks.spec import SPLITS, TASK, Source, SplitName, TaskSpec
from attendna.tasks.splits import FRACTIONS, group_by_sequence, split_groups
from attendna.tasks.store import Task, write_task
from attendna.tasks.table import parse_table

SEED = 0
"""Seed of the folds of sets that are published in one piece."""

TIMEOUT = 30
RETRIES = 3
CACHE = "ATTENDNA_CACHE"
"""Environment variable that names the folder downloads are kept in."""

Progress = Callable[[str], Any]
"""Makes the progress bar of the download of an address, as pooch understands it."""


@dataclass(frozen=True)
class Fetched:
    """The new task, and what must be known about it."""

    task: Task
    warnings: tuple[str, ...]


def get_task(
    entry: str | CatalogueEntry,
    folder: str | Path,
    *,
    mirror: str | Path | None = None,
    progress: Progress | None = None,
    force: bool = False,
) -> Fetched:
    """Fetch, verify and write a data set.

    Parameters
    ----------
    entry
        A set of the catalogue, or its name.
    mirror
        Folder to read the published files from; without it they are downloaded, each once, into a
        cache (``ATTENDNA_CACHE``).
    progress
        Called before each download.

    Raises
    ------
    UnknownNameError
        There is no set of that name.
    ResourceError
        A file is neither in the mirror nor to be had from the network.
    DataError
        A file is not the published one.
    FolderError
        The folder exists.
    """
    refuse_existing(folder, TASK, force=force)
    entry = find_entry(entry) if isinstance(entry, str) else entry
    mirror = None if mirror is None else Path(mirror)
    warnings: list[str] = []
    if entry.kind == "intervals":
        entry = _stand_in(entry)
        warnings.append(f"this is {entry.name}: {entry.title}; {entry.notes[0]}")
    if mirror is not None:
        _require_mirror(entry, mirror)
    tables: dict[str, pl.DataFrame] = {}
    for key, file in entry.files.items():
        path = _download(entry, file, progress) if mirror is None else _find(entry, file, mirror)
        try:
            tables[key] = _read_published(entry, file, path, key)
        except DataError:
            if mirror is None:  # A bad download must not be found in the cache again.
                path.unlink(missing_ok=True)
            raise
    task = write_task(folder, _describe(entry), _split(tables), force=force)
    return Fetched(task, tuple(warnings))


def _stand_in(entry: CatalogueEntry) -> CatalogueEntry:
    if entry.stand_in is None:
        raise UserError(
            f"{entry.name} is published as intervals of {entry.build}, not as sequences",
            f"cut them out of the genome and use `attendna data import`; see {entry.homepage}",
        )
    return catalogue()[entry.stand_in]


def _require_mirror(entry: CatalogueEntry, mirror: Path) -> None:
    """Refuse at once, with the whole list, when files are missing in the mirror."""
    if not mirror.is_dir():
        raise ResourceError(f"{mirror}: no such folder", "check --mirror")
    missing = [file for file in entry.files.values() if not _candidates(entry, file, mirror)]
    if missing:
        file = missing[0]
        raise ResourceError(
            f"the mirror has no {mirror / entry.mirror_path(file)}[.gz]"
            + (f" and {len(missing) - 1} more of {entry.name}" if missing[1:] else ""),
            f"put {entry.address(file)} there",
        )


def _candidates(entry: CatalogueEntry, file: PublishedFile, mirror: Path) -> list[Path]:
    path = mirror / entry.mirror_path(file)
    return [place for place in (path, path.with_name(path.name + ".gz")) if place.is_file()]


def _find(entry: CatalogueEntry, file: PublishedFile, mirror: Path) -> Path:
    return _candidates(entry, file, mirror)[0]


def _download(entry: CatalogueEntry, file: PublishedFile, progress: Progress | None) -> Path:
    """The file in the cache, downloaded unless it is there whole."""
    import pooch
    import requests

    url = entry.address(file)
    cache = os.environ.get(CACHE) or pooch.os_cache("attendna")
    pooch.get_logger().setLevel("ERROR")
    keeper = pooch.create(
        path=cache,
        base_url="",
        registry={entry.mirror_path(file): f"sha256:{file.sha256}" if file.sha256 else None},
        urls={entry.mirror_path(file): url},
        retry_if_failed=RETRIES,
    )
    bar = progress(url) if progress else False
    # pooch's own downloaders do not fit the protocol it declares for them.
    downloader: Any = pooch.HTTPDownloader(progressbar=bar, timeout=TIMEOUT)
    try:
        return Path(keeper.fetch(entry.mirror_path(file), downloader=downloader))
    except requests.RequestException as error:
        raise ResourceError(
            f"cannot download {url} ({_reason(error)})",
            f"put it at MIRROR/{entry.mirror_path(file)} and add --mirror MIRROR",
        ) from error
    except ValueError as error:  # pooch: the checksum does not fit
        raise ResourceError(
            f"{url} does not have the published content", "try again, or use --mirror"
        ) from error


def _reason(error: Any) -> str:
    """What the network said, in a few words."""
    response = getattr(error, "response", None)
    if response is not None:
        return f"HTTP {response.status_code}"
    kind = type(error).__name__.removesuffix("Error")
    return {"Connection": "no connection", "Connect": "no connection"}.get(kind, kind.lower())


def _read_published(
    entry: CatalogueEntry, file: PublishedFile, path: Path, key: str
) -> pl.DataFrame:
    """The rows of a file whose content and count are the published ones."""
    content = read_content(path)
    if not _is_published(file, content):
        raise DataError(
            path,
            "its content is not the published one",
            f"copy it again from {entry.address(file)}",
        )
    frame = parse_table(Path(file.path), content)
    if frame.height != file.rows:
        raise DataError(path, f"{frame.height} rows instead of {file.rows}", "copy it again")
    sequence, label = entry.columns
    return frame.select(
        id=pl.format(f"{key if key != POOL else 'row'}-{{}}", pl.int_range(1, pl.len() + 1)),
        sequence=sequence,
        label=pl.col(label).cast(pl.Int8),
    )


def _is_published(file: PublishedFile, content: bytes) -> bool:
    if file.sha256:
        return hashlib.sha256(content).hexdigest() == file.sha256
    blob = hashlib.sha1(b"blob %d\0" % len(content), usedforsecurity=False)
    blob.update(content)
    return blob.hexdigest() == file.git


def _split(tables: Mapping[str, pl.DataFrame]) -> dict[SplitName, pl.DataFrame]:
    """The published splits, or a pool dealt by sequence."""
    if POOL not in tables:
        return {split: tables[split] for split in SPLITS if split in tables}
    pool = tables[POOL]
    groups = group_by_sequence(SequenceBatch.from_text(pool["sequence"]))
    split = split_groups(groups, pool["label"].to_numpy(), FRACTIONS, SEED)
    return {name: pool.filter(np.equal(split, name)) for name in SPLITS}


def _describe(entry: CatalogueEntry) -> TaskSpec:
    return TaskSpec(
        name=entry.name,
        title=entry.title,
        build=entry.build,
        sources=tuple(
            Source(location=entry.address(file), sha256=file.sha256)
            for file in entry.files.values()
        ),
        window=entry.window,
        label_kind=entry.label_kind,
        classes=entry.classes,
        splits=entry.splits,
        metric=entry.metric,
        licence=entry.licence,
        citation=entry.citation,
        notes=entry.notes,
    )

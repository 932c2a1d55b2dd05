"""A genome as one array of codes on disk, mapped into memory and shared by all processes.

The cache of a genome file is a folder, named after the file's fingerprint, that holds ``codes.bin``
(one byte a base, contigs end to end) and ``contigs.json``. It appears whole or not at all.

Shapes: ``g`` bases of the genome, ``n`` of a contig.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from attendna.core.content import read_json
from attendna.core.errors import FolderError
from attendna.core.files import exclusive, replace_folder

FORMAT = 2
CODES_FILE = "codes.bin"
CONTIGS_FILE = "contigs.json"
_SAMPLES = 64
_SAMPLE_BYTES = 1 << 14


class Contig(NamedTuple):
    """One sequence of a genome."""

    name: str
    codes: UInt8[ndarray, " n"]


@dataclass(frozen=True, eq=False)
class GenomeCodes:
    """All contigs end to end, with their names and lengths in this order.

    ``digest`` is a SHA-256 over names, lengths and codes: the same for the same bases, whatever
    file format they came from.
    """

    codes: UInt8[ndarray, " g"]
    names: tuple[str, ...]
    lengths: tuple[int, ...]
    digest: str


def cache_folder(kind: str = "genomes") -> Path:
    """Where caches of a kind lie: in ``ATTENDNA_CACHE``, or else the user's cache folder."""
    chosen = os.environ.get("ATTENDNA_CACHE")
    if chosen:
        return Path(chosen) / kind
    import pooch

    return Path(pooch.os_cache("attendna")) / kind


def fingerprint(path: Path) -> str:
    """What distinguishes a file from an edited or another one.

    Its size, its place on the disk, both times of its last change (one of them cannot be set back),
    and samples of its bytes.
    """
    status = path.stat()
    times = f"{status.st_mtime_ns} {status.st_ctime_ns}"
    digest = hashlib.sha256(f"{FORMAT} {status.st_size} {status.st_ino} {times}".encode())
    with path.open("rb") as stream:
        for sample in range(_SAMPLES):
            stream.seek(sample * max(status.st_size - _SAMPLE_BYTES, 0) // (_SAMPLES - 1))
            digest.update(stream.read(_SAMPLE_BYTES))
    return digest.hexdigest()[:32]


def in_memory(contigs: Iterable[Contig]) -> GenomeCodes:
    """Join contigs without a cache."""
    parts = list(contigs)
    digest = hashlib.sha256()
    for part in parts:
        digest.update(_heading(part))
        digest.update(part.codes.data)
    return GenomeCodes(
        codes=np.concatenate([np.empty(0, np.uint8), *(part.codes for part in parts)]),
        names=tuple(part.name for part in parts),
        lengths=tuple(part.codes.size for part in parts),
        digest=digest.hexdigest(),
    )


def through_cache(
    path: Path, read: Callable[[], Iterable[Contig]], folder: Path | None = None
) -> GenomeCodes:
    """The codes of a genome file, from its cache if there is one, else from ``read`` into one.

    One process builds while others that want the same wait for it.
    """
    folder = folder or cache_folder()
    target = folder / fingerprint(path)
    found = _open(target)
    if found is None:
        try:
            with exclusive(folder / f"{target.name}.lock"):
                found = _open(target)
                if found is None:
                    _build(target, path, read())
                    found = _open(target)
        except FolderError as error:
            raise FolderError(
                error.problem, "set ATTENDNA_CACHE to a folder that can be written"
            ) from error
    if found is None:
        raise FolderError(f"{target} changed while it was read", "run again")
    return found


def _build(target: Path, source: Path, contigs: Iterable[Contig]) -> None:
    digest = hashlib.sha256()
    names: list[str] = []
    lengths: list[int] = []
    with replace_folder(target) as partial:
        with (partial / CODES_FILE).open("wb") as stream:
            for contig in contigs:
                stream.write(contig.codes.data)
                digest.update(_heading(contig))
                digest.update(contig.codes.data)
                names.append(contig.name)
                lengths.append(contig.codes.size)
        written = (partial / CODES_FILE).stat().st_mtime_ns
        card = {"source": str(source), "digest": digest.hexdigest(), "written": written}
        text = json.dumps(card | {"names": names, "lengths": lengths})
        (partial / CONTIGS_FILE).write_text(text, encoding="utf-8")


def damaged_caches(folder: Path | None = None) -> list[Path]:
    """The caches of genomes whose codes are not those that were written; all are read whole."""
    cards = sorted((folder or cache_folder()).glob(f"*/{CONTIGS_FILE}"))
    return [card.parent for card in cards if _open(card.parent, deep=True) is None]


def _open(target: Path, *, deep: bool = False) -> GenomeCodes | None:
    """The cache at ``target``; none if there is none or it is damaged.

    The codes are read whole, to see that they are those that were written, if something wrote to
    them since, or if ``deep`` is on.
    """
    try:
        card = read_json(target / CONTIGS_FILE)
        status = (target / CODES_FILE).stat()
        names, lengths = tuple(card["names"]), tuple(card["lengths"])
        digest, written = str(card["digest"]), int(card["written"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if status.st_size != sum(lengths):
        return None
    # Nothing can be mapped of an empty file.
    codes = (
        np.asarray(np.memmap(target / CODES_FILE, dtype=np.uint8, mode="r"))
        if status.st_size
        else np.empty(0, dtype=np.uint8)
    )
    found = GenomeCodes(codes, names, lengths, digest)
    touched = status.st_mtime_ns != written
    if (deep or touched) and _digest(found) != digest:
        return None
    if touched:
        # What was checked is not read whole again the next time.
        with contextlib.suppress(OSError):
            os.utime(target / CODES_FILE, ns=(status.st_atime_ns, written))
    return found


def _digest(genome: GenomeCodes) -> str:
    digest = hashlib.sha256()
    begin = 0
    for name, length in zip(genome.names, genome.lengths, strict=True):
        contig = Contig(name, genome.codes[begin : begin + length])
        digest.update(_heading(contig))
        digest.update(contig.codes.data)
        begin += length
    return digest.hexdigest()


def _heading(contig: Contig) -> bytes:
    return f">{contig.name} {contig.codes.size}\n".encode()

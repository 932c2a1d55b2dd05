"""The cache of a genome's codes: built once, whole, shared, and rebuilt when it must be."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from attendna.core.errors import DataError, FolderError
from attendna.genome import code_cache
from attendna.genome.code_cache import (
    Contig,
    cache_folder,
    damaged_caches,
    fingerprint,
    in_memory,
    through_cache,
)

CONTIGS = [
    Contig("one", np.array([0, 1, 2, 3, 4], np.uint8)),
    Contig("none", np.empty(0, np.uint8)),
    Contig("two", np.array([3, 3], np.uint8)),
]

READ_SLOWLY = """
import sys, time
from pathlib import Path
import numpy as np
from attendna.genome.code_cache import Contig, through_cache

def read():
    print("reading", flush=True)
    yield Contig("one", np.zeros(5, np.uint8))
    time.sleep(float(sys.argv[3]))
    yield Contig("two", np.ones(5, np.uint8))

genome = through_cache(Path(sys.argv[1]), read, Path(sys.argv[2]))
print(genome.names, genome.codes.tolist(), flush=True)
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "genome.fa"
    path.write_text(">one\nACGTN\n")
    return path


def never() -> Iterator[Contig]:
    pytest.fail("the file was read again")


def start(source: Path, cache: Path, seconds: float) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", READ_SLOWLY, str(source), str(cache), str(seconds)],
        stdout=subprocess.PIPE,
        text=True,
    )


def test_the_second_time_nothing_is_read(source: Path, tmp_path: Path) -> None:
    first = through_cache(source, lambda: CONTIGS, tmp_path / "cache")
    again = through_cache(source, never, tmp_path / "cache")
    for genome in (first, again, in_memory(CONTIGS)):
        assert genome.codes.tolist() == [0, 1, 2, 3, 4, 3, 3]
        assert (genome.names, genome.lengths) == (("one", "none", "two"), (5, 0, 2))
        assert genome.digest == first.digest
    assert not again.codes.flags.writeable


def test_the_digest_tells_names_lengths_and_bases_apart() -> None:
    one, _, two = CONTIGS
    variants = [
        CONTIGS,
        [one, two],
        [Contig("uno", one.codes), *CONTIGS[1:]],
        [Contig("one", one.codes[:4]), Contig("none", one.codes[4:]), two],
        [Contig("one", one.codes[::-1].copy()), *CONTIGS[1:]],
    ]
    assert len({in_memory(variant).digest for variant in variants}) == len(variants)


def test_an_edited_file_has_another_fingerprint(source: Path) -> None:
    before = fingerprint(source)
    assert fingerprint(source) == before
    status = source.stat()
    source.write_text(">one\nACGTA\n")
    os.utime(source, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert fingerprint(source) != before
    source.write_text(">one\nACGTN\n")
    os.utime(source, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert fingerprint(source) != before


def test_a_file_put_in_the_place_of_another_has_another_fingerprint(
    source: Path, tmp_path: Path
) -> None:
    before, status = fingerprint(source), source.stat()
    copy = tmp_path / "copy.fa"
    copy.write_bytes(source.read_bytes())
    os.utime(copy, ns=(status.st_atime_ns, status.st_mtime_ns))
    copy.replace(source)
    assert fingerprint(source) != before


def test_codes_that_something_wrote_to_are_checked(source: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    through_cache(source, lambda: CONTIGS, cache)
    (folder,) = [path for path in cache.iterdir() if path.is_dir()]
    codes = folder / code_cache.CODES_FILE
    whole, status = codes.read_bytes(), codes.stat()
    assert damaged_caches(cache) == []
    # Touched, and the same: it is checked once.
    os.utime(codes)
    through_cache(source, never, cache)
    assert codes.stat().st_mtime_ns == status.st_mtime_ns
    # Another base at another time is noticed at once, at the same time by a deep look.
    codes.write_bytes(whole[:-1] + b"\0")
    os.utime(codes, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert damaged_caches(cache) == [folder]
    os.utime(codes)
    assert through_cache(source, lambda: CONTIGS, cache).codes.tolist() == list(whole)
    assert damaged_caches(cache) == []


def test_an_empty_genome_is_cached_too(source: Path, tmp_path: Path) -> None:
    for read in (list[Contig], never):
        assert through_cache(source, read, tmp_path / "cache").codes.size == 0


@pytest.mark.parametrize(
    "damage", ["codes cut", "codes gone", "card cut", "card of another format"]
)
def test_a_damaged_cache_is_built_again(source: Path, tmp_path: Path, damage: str) -> None:
    through_cache(source, lambda: CONTIGS, tmp_path / "cache")
    (folder,) = [path for path in (tmp_path / "cache").iterdir() if path.is_dir()]
    codes, card = folder / code_cache.CODES_FILE, folder / code_cache.CONTIGS_FILE
    if damage == "codes cut":
        codes.write_bytes(codes.read_bytes()[:3])
    elif damage == "codes gone":
        codes.unlink()
    elif damage == "card cut":
        card.write_text(card.read_text()[:20])
    else:
        card.write_text(json.dumps({"contigs": []}))
    genome = through_cache(source, lambda: CONTIGS, tmp_path / "cache")
    assert genome.codes.tolist() == [0, 1, 2, 3, 4, 3, 3]


def test_a_reader_that_fails_leaves_no_cache(source: Path, tmp_path: Path) -> None:
    def read() -> Iterator[Contig]:
        yield CONTIGS[0]
        raise DataError(source, "cut short")

    with pytest.raises(DataError, match="cut short"):
        through_cache(source, read, tmp_path / "cache")
    assert [path for path in (tmp_path / "cache").iterdir() if path.is_dir()] == []
    assert through_cache(source, lambda: CONTIGS, tmp_path / "cache").names == (
        "one",
        "none",
        "two",
    )


def test_of_many_processes_one_builds_and_all_read_the_same(source: Path, tmp_path: Path) -> None:
    processes = [start(source, tmp_path / "cache", 0.5) for _ in range(4)]
    outputs = [process.communicate(timeout=120)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * 4
    assert sum(output.count("reading") for output in outputs) == 1
    last_lines = {output.splitlines()[-1] for output in outputs}
    assert last_lines == {"('one', 'two') [0, 0, 0, 0, 0, 1, 1, 1, 1, 1]"}


def test_a_killed_build_leaves_nothing_and_the_next_succeeds(source: Path, tmp_path: Path) -> None:
    process = start(source, tmp_path / "cache", 600)
    assert process.stdout is not None
    assert process.stdout.readline() == "reading\n"
    time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert through_cache(source, lambda: CONTIGS, tmp_path / "cache").codes.size == 7
    names = {path.suffix for path in (tmp_path / "cache").iterdir()}
    assert names == {"", ".lock"}


def _sum_of_codes(codes: np.ndarray) -> int:
    return int(codes.sum())


def test_forked_processes_share_the_mapped_codes(source: Path, tmp_path: Path) -> None:
    codes = np.random.default_rng(0).integers(0, 5, 100_000, dtype=np.uint8)
    genome = through_cache(source, lambda: [Contig("c", codes)], tmp_path / "cache")
    with multiprocessing.get_context("fork").Pool(3) as pool:
        sums = pool.map(_sum_of_codes, [genome.codes[i : i + 1000] for i in range(0, 99_000, 1000)])
    assert sums == [int(codes[i : i + 1000].sum()) for i in range(0, 99_000, 1000)]


def test_the_folder_is_chosen_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATTENDNA_CACHE", "/some/where")
    assert cache_folder() == Path("/some/where/genomes")
    monkeypatch.delenv("ATTENDNA_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/else/where")
    assert cache_folder().parts[-2:] == ("attendna", "genomes")


def test_a_folder_that_cannot_be_written_names_the_way_out(source: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FolderError, match="set ATTENDNA_CACHE to a folder that can be written"):
        through_cache(source, lambda: CONTIGS, tmp_path / "file" / "cache")

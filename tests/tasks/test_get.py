"""Data sets come from a mirror or over HTTP, verified, and nothing comes of what is not right."""

import gzip
import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from attendna.core.errors import DataError, FolderError, ResourceError, UserError
from attendna.genome.sequences import SequenceBatch
from attendna.tasks.catalogue import CatalogueEntry, PublishedFile, catalogue, find_entry
from attendna.tasks.get import get_task
from attendna.tasks.splits import group_by_sequence
from attendna.tasks.store import open_task

COMPLETE = (
    *(f"gue/tf{i}" for i in range(4)),
    *(f"gue/mouse{i}" for i in (0, 2, 3)),
    *(f"gue/prom_{name}" for name in ("core_all", "core_notata", "core_tata", "300_tata")),
)


def content(seed: int, count: int = 20) -> bytes:
    letters = np.array(list("ACGT"))[np.random.default_rng(seed).integers(4, size=(count, 12))]
    lines = [f"{''.join(row)},{i % 2}" for i, row in enumerate(letters)]
    return "\n".join(["sequence,label", *lines, ""]).encode()


CONTENTS = {f"{split}.csv": content(seed) for seed, split in enumerate(("train", "dev", "test"))}


def published(name: str, *, git: bool = False) -> PublishedFile:
    data = CONTENTS[name]
    blob = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
    sums = {"git": blob} if git else {"sha256": hashlib.sha256(data).hexdigest()}
    return PublishedFile(path=name, rows=20, **sums)


def entry(url: str = "http://127.0.0.1:9/{path}", *, git: bool = False) -> CatalogueEntry:
    return CatalogueEntry(
        name="toy/set",
        title="A toy",
        collection="Toys",
        homepage="http://example.org",
        url=url,
        mirror="toy/{path}",
        columns=("sequence", "label"),
        files={
            "train": published("train.csv", git=git),
            "valid": published("dev.csv"),
            "test": published("test.csv"),
        },
        classes=("negative", "positive"),
        metric="mcc",
        splits="as published",
        licence="none",
        citation="none",
    )


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    folder = tmp_path / "mirror" / "toy"
    folder.mkdir(parents=True)
    for name, data in CONTENTS.items():
        (folder / f"{name}.gz").write_bytes(gzip.compress(data))
    return tmp_path / "mirror"


@pytest.mark.parametrize("git", [False, True])
def test_a_mirror_is_read_and_verified(tmp_path: Path, mirror: Path, git: bool) -> None:
    fetched = get_task(entry(git=git), tmp_path / "task", mirror=mirror)
    task = open_task(tmp_path / "task")
    assert task == fetched.task
    assert task.spec.rows == {"train": 20, "valid": 20, "test": 20}
    assert task.spec.window == 12
    assert task.spec.sources[1].location == "http://127.0.0.1:9/dev.csv"
    assert task.read("valid").ids[:2] == ("valid-1", "valid-2")
    assert task.read("train").labels.tolist() == [0, 1] * 10


def test_files_of_a_mirror_need_not_be_packed(tmp_path: Path, mirror: Path) -> None:
    packed = mirror / "toy" / "dev.csv.gz"
    (mirror / "toy" / "dev.csv").write_bytes(gzip.decompress(packed.read_bytes()))
    packed.unlink()
    assert get_task(entry(), tmp_path / "task", mirror=mirror).task.splits == (
        "train",
        "valid",
        "test",
    )


@pytest.mark.parametrize("git", [False, True])
def test_a_changed_file_is_refused(tmp_path: Path, mirror: Path, git: bool) -> None:
    changed = CONTENTS["train.csv"].replace(b"A", b"C", 1)
    (mirror / "toy" / "train.csv.gz").write_bytes(gzip.compress(changed))
    with pytest.raises(DataError, match=r"train\.csv\.gz: its content is not the published one"):
        get_task(entry(git=git), tmp_path / "task", mirror=mirror)
    assert not (tmp_path / "task").exists()
    assert (mirror / "toy" / "train.csv.gz").exists()


def test_a_missing_file_is_named_with_its_place_and_source(tmp_path: Path, mirror: Path) -> None:
    (mirror / "toy" / "train.csv.gz").unlink()
    (mirror / "toy" / "test.csv.gz").unlink()
    with pytest.raises(ResourceError) as caught:
        get_task(entry(), tmp_path / "task", mirror=mirror)
    assert str(caught.value) == (
        f"the mirror has no {mirror}/toy/train.csv[.gz] and 1 more of toy/set; "
        "put http://127.0.0.1:9/train.csv there"
    )
    with pytest.raises(ResourceError, match="no such folder; check --mirror"):
        get_task(entry(), tmp_path / "task", mirror=tmp_path / "nowhere")


def test_an_existing_folder_is_kept(tmp_path: Path, mirror: Path) -> None:
    (tmp_path / "task").mkdir()
    with pytest.raises(FolderError, match="exists"):
        get_task(entry(), tmp_path / "task", mirror=mirror)
    assert get_task(entry(), tmp_path / "task", mirror=mirror, force=True).task.splits


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ATTENDNA_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


class Server(http.server.ThreadingHTTPServer):
    """Serves the files; ``broken`` counts how often it first breaks off in the middle."""

    broken = 0
    served = 0
    swapped: bytes | None = None


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        data = self.server.swapped or CONTENTS.get(self.path.lstrip("/"))
        if data is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.server.broken:
            self.server.broken -= 1
            self.wfile.write(data[: len(data) // 2])
            self.close_connection = True
            return
        self.server.served += 1
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def address(server: Server) -> str:
    return f"http://127.0.0.1:{server.server_port}/{{path}}"


class Bar:
    """What pooch asks of a progress bar."""

    total = 0
    done = 0

    def update(self, size: int) -> None:
        self.done += size

    def reset(self) -> None:
        self.done = 0

    def close(self) -> None:
        pass


@pytest.mark.parametrize("git", [False, True])
def test_files_are_downloaded_once(tmp_path: Path, cache: Path, server: Server, git: bool) -> None:
    bars: dict[str, Bar] = {}
    published = entry(address(server), git=git)
    task = get_task(
        published, tmp_path / "a", progress=lambda url: bars.setdefault(url, Bar())
    ).task
    assert task.spec.rows == {"train": 20, "valid": 20, "test": 20}
    assert server.served == 3
    assert [bar.done for bar in bars.values()] == [len(data) for data in CONTENTS.values()]
    get_task(published, tmp_path / "b")
    assert server.served == 3
    assert sorted(path.name for path in (cache / "toy").iterdir()) == sorted(CONTENTS)


def test_a_broken_download_is_tried_again(tmp_path: Path, cache: Path, server: Server) -> None:
    server.broken = 1
    get_task(entry(address(server)), tmp_path / "task")
    assert server.served == 3


@pytest.mark.parametrize("git", [False, True])
def test_a_download_of_other_content_is_refused_and_forgotten(
    tmp_path: Path, cache: Path, server: Server, git: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("attendna.tasks.get.RETRIES", 0)
    server.swapped = content(99)
    with pytest.raises(UserError, match="published") as caught:
        get_task(entry(address(server), git=git), tmp_path / "task")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "task").exists()
    server.swapped = None
    assert get_task(entry(address(server), git=git), tmp_path / "task").task.splits


def test_without_network_the_place_of_the_file_is_told(
    tmp_path: Path, cache: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("attendna.tasks.get.RETRIES", 0)
    with pytest.raises(ResourceError) as caught:
        get_task(entry(), tmp_path / "task")
    assert str(caught.value) == (
        "cannot download http://127.0.0.1:9/train.csv (no connection); "
        "put it at MIRROR/toy/train.csv and add --mirror MIRROR"
    )
    gone = address(server).replace("{path}", "gone/{path}")
    with pytest.raises(ResourceError, match=r"\(HTTP 404\)"):
        get_task(entry(gone), tmp_path / "task")
    assert not (tmp_path / "task").exists()


def test_intervals_cannot_be_fetched() -> None:
    with pytest.raises(UserError, match="published as intervals of GRCh38, not as sequences"):
        get_task(find_entry("human_ocr_ensembl"), "task")


@pytest.mark.parametrize("name", COMPLETE)
def test_complete_sets_come_from_the_real_mirror(shared: Path, tmp_path: Path, name: str) -> None:
    found = find_entry(name)
    task = get_task(found, tmp_path / "task", mirror=shared).task
    assert task.spec.rows == found.rows
    assert task.spec.window == found.window
    assert sum(len(task.read(split)) for split in task.splits) == sum(found.rows.values())


def test_incomplete_sets_say_which_file_is_missing(shared: Path, tmp_path: Path) -> None:
    incomplete = [
        entry
        for entry in catalogue().values()
        if entry.name.startswith("gue/") and entry.name not in COMPLETE
    ]
    assert len(incomplete) == 17
    for found in incomplete:
        with pytest.raises(ResourceError, match=r"the mirror has no .*/train\.csv\[\.gz\]"):
            get_task(found, tmp_path / "task", mirror=shared)


@pytest.mark.parametrize("name", ["human_enhancers_cohn", "human_nontata_promoters"])
def test_test_folds_share_no_sequence(shared: Path, tmp_path: Path, name: str) -> None:
    fetched = get_task(name, tmp_path / "task", mirror=str(shared))
    task = fetched.task
    assert task.spec.name == f"genomic_benchmarks/{name}_test_folds"
    assert fetched.warnings[0].startswith(f"this is genomic_benchmarks/{name}_test_folds")
    splits = [task.read(split) for split in ("train", "valid", "test")]
    sizes = [len(split) for split in splits]
    assert sum(sizes) == find_entry(f"{name}_test_folds").rows["pool"]
    assert sizes[0] / sum(sizes) == pytest.approx(0.8, abs=0.002)
    texts = [text for split in splits for text in split.sequences.to_text()]
    groups = group_by_sequence(SequenceBatch.from_text(texts))
    train, valid, test = map(set, np.split(groups, np.cumsum(sizes)[:-1]))
    assert not (train & valid) | (train & test) | (valid & test)
    balance = [split.labels.mean() for split in splits]
    assert max(balance) - min(balance) < 0.01

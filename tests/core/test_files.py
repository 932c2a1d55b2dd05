"""Files and folders that are whole or absent, whatever happens to their process and disk."""

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests import disks

from attendna.core.errors import FolderError, ResourceError, UserError
from attendna.core.files import (
    open_or_build,
    publish_file,
    publish_folder,
    publish_output,
    replace_folder,
    sha256,
)
from attendna.core.outputs import MARK_FILE, OutputFile, OutputFolder

Publish = Callable[[Path], AbstractContextManager[Path]]
TASK = OutputFolder("task")
NOTES = OutputFile("notes", lambda path: path.read_text() == "old")
BUILD = """
import sys, time
from pathlib import Path
from attendna.core.files import replace_folder
with replace_folder(Path(sys.argv[1])) as partial:
    (partial / "half").write_text("half")
    print(partial.name, flush=True)
    time.sleep(600)
"""


def everything_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != MARK_FILE)


def start_build(target: Path) -> "subprocess.Popen[str]":
    """A process that is in the middle of building ``target``."""
    process = subprocess.Popen(
        [sys.executable, "-c", BUILD, str(target)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline().endswith(".partial\n")
    return process


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB; where none can be mounted the test is skipped."""
    with disks.small_disk(tmp_path / "disk", "256k") as disk:
        yield disk


def test_a_folder_appears_when_it_is_complete(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "er" / "task"
    with publish_folder(target, TASK) as partial:
        assert everything_in(partial) == []
        (partial / "a").write_text("whole")
        assert not target.exists()
    assert (target / "a").read_text() == "whole"
    assert everything_in(target.parent) == ["task"]


@pytest.mark.parametrize("kind", [ValueError, UserError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize(
    "publish", [replace_folder, publish_file, lambda target: publish_folder(target, TASK)]
)
def test_an_exception_leaves_nothing(
    tmp_path: Path, publish: Publish, kind: type[BaseException]
) -> None:
    def build() -> None:
        with publish(tmp_path / "target") as partial:
            half = partial / "half" if partial.is_dir() else partial
            half.write_text("half")
            assert half.exists()
            raise kind("stop")

    with pytest.raises(kind, match="stop"):
        build()
    assert everything_in(tmp_path) == []


def test_what_exists_is_refused_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("precious")
    (tmp_path / "dangling").symlink_to("nowhere")
    for name in ("empty", "file", "dangling"):
        with (
            pytest.raises(FolderError, match="--force to replace it"),
            publish_folder(tmp_path / name, TASK),
        ):
            pytest.fail("the work began")
        with pytest.raises(FolderError), publish_output(tmp_path / name, NOTES):
            pytest.fail("the work began")
    assert everything_in(tmp_path) == ["dangling", "empty", "file"]


def test_with_force_the_old_stays_until_the_new_is_complete(tmp_path: Path) -> None:
    with publish_folder(tmp_path / "task", TASK) as partial:
        (partial / "old").write_text("old")
    with (
        pytest.raises(ValueError, match="stop"),
        publish_folder(tmp_path / "task", TASK, force=True),
    ):
        raise ValueError("stop")
    assert everything_in(tmp_path / "task") == ["old"]
    with publish_folder(tmp_path / "task", TASK, force=True) as partial:
        (partial / "new").write_text("new")
    assert everything_in(tmp_path / "task") == ["new"]


def test_what_came_while_the_work_went_on_is_not_replaced(tmp_path: Path) -> None:
    with publish_folder(tmp_path / "task", TASK) as partial:
        (partial / "old").write_text("old")
    with (
        pytest.raises(FolderError, match=r"holds notes\.txt"),
        publish_folder(tmp_path / "task", TASK, force=True),
    ):
        (tmp_path / "task" / "notes.txt").write_text("precious")
    assert everything_in(tmp_path / "task") == ["notes.txt", "old"]


def test_backups_with_names_like_ours_are_kept(tmp_path: Path) -> None:
    (tmp_path / ".task.20251201.old").mkdir()
    with publish_folder(tmp_path / "task", TASK):
        pass
    with publish_folder(tmp_path / "task", TASK, force=True):
        pass
    assert everything_in(tmp_path) == [".task.20251201.old", "task"]


def test_a_file_keeps_its_ending_while_it_is_written(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "table.csv.gz"
    with publish_file(target) as partial:
        assert partial.name == target.name
        partial.write_text("whole")
        assert not target.exists()
    with publish_file(target) as partial:
        partial.write_text("new")
    assert target.read_text() == "new"
    assert everything_in(target.parent) == ["table.csv.gz"]


def test_a_killed_build_leaves_nothing_half_and_the_next_cleans_up(tmp_path: Path) -> None:
    (tmp_path / ".task.mine.partial.notes").write_text("a user's own file")
    process = start_build(tmp_path / "task")
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "task").exists()
    assert len(everything_in(tmp_path)) == 2
    with publish_folder(tmp_path / "task", TASK) as partial:
        (partial / "a").write_text("whole")
    assert everything_in(tmp_path) == [".task.mine.partial.notes", "task"]
    assert everything_in(tmp_path / "task") == ["a"]


def test_a_build_that_another_process_is_busy_with_is_left_alone(tmp_path: Path) -> None:
    process = start_build(tmp_path / "task")
    try:
        with publish_folder(tmp_path / "task", TASK) as partial:
            (partial / "a").write_text("whole")
        (busy,) = [name for name in everything_in(tmp_path) if name != "task"]
        assert (tmp_path / busy / "half").read_text() == "half"
    finally:
        process.kill()
        process.wait()


def test_a_build_killed_between_its_two_renames_gives_the_old_back(tmp_path: Path) -> None:
    (tmp_path / ".task.0badcafe.attendna.old").mkdir()
    (tmp_path / ".task.0badcafe.attendna.old" / "old").write_text("old")
    (tmp_path / ".task.0badcafe.attendna.partial").mkdir()
    with pytest.raises(FolderError, match="task exists"), publish_folder(tmp_path / "task", TASK):
        pytest.fail("the work began")
    assert everything_in(tmp_path) == ["task"]
    assert everything_in(tmp_path / "task") == ["old"]


def test_a_build_killed_after_its_renames_is_swept(tmp_path: Path) -> None:
    (tmp_path / ".task.0badcafe.attendna.old").mkdir()
    (tmp_path / "task").mkdir()
    with replace_folder(tmp_path / "task") as partial:
        (partial / "new").write_text("new")
    assert everything_in(tmp_path) == ["task"]


def test_names_that_look_like_patterns_are_only_names(tmp_path: Path) -> None:
    (tmp_path / ".tasks.0badcafe.attendna.partial").mkdir()
    with publish_folder(tmp_path / "task[s]*", TASK):
        pass
    assert everything_in(tmp_path) == [".tasks.0badcafe.attendna.partial", "task[s]*"]


def test_many_builds_of_one_target_at_once_leave_one_whole_result(tmp_path: Path) -> None:
    failures: list[BaseException] = []

    def build(number: int) -> None:
        try:
            with replace_folder(tmp_path / "task") as partial:
                for part in range(3):
                    (partial / f"{part}").write_text(f"{number}")
                    time.sleep(0.001)
        except FolderError:
            pass  # another was faster: a plain answer, nothing broken
        except BaseException as error:  # noqa: BLE001 - handed to the main thread
            failures.append(error)

    threads = [threading.Thread(target=build, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert everything_in(tmp_path / "task") == ["0", "1", "2"]
    assert len({(tmp_path / "task" / f"{part}").read_text() for part in range(3)}) == 1


def fill_plainly(path: Path) -> None:
    path.write_bytes(b"0" * 1_000_000)


def fill_by_polars_parquet(path: Path) -> None:
    pl.DataFrame({"x": np.random.default_rng(0).random(200_000)}).write_parquet(path)


def fill_by_polars_text(path: Path) -> None:
    pl.DataFrame({"x": np.random.default_rng(0).random(200_000)}).write_csv(path)


def fill_by_safetensors(path: Path) -> None:
    from safetensors.numpy import save_file

    save_file({"x": np.zeros(200_000)}, path)


@pytest.mark.parametrize(
    "fill", [fill_plainly, fill_by_polars_parquet, fill_by_polars_text, fill_by_safetensors]
)
def test_a_full_disk_is_said_in_one_line_and_leaves_nothing(
    small_disk: Path, fill: Callable[[Path], None]
) -> None:
    def fill_folder() -> None:
        with publish_folder(small_disk / "task", TASK) as partial:
            fill(partial / "rows")

    def fill_file() -> None:
        with publish_file(small_disk / "task") as partial:
            fill(partial)

    for build in (fill_folder, fill_file):
        with pytest.raises(
            ResourceError, match=r"the disk is full while writing \S*/task; free some"
        ):
            build()
        assert everything_in(small_disk) == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_quotas_and_limits_are_full_disks_too(tmp_path: Path, number: int) -> None:
    with (
        pytest.raises(ResourceError, match="the disk is full"),
        publish_folder(tmp_path / "task", TASK),
    ):
        raise OSError(number, os.strerror(number))
    assert everything_in(tmp_path) == []


def test_places_that_cannot_be_written_are_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for target in (tmp_path / "file" / "task", tmp_path / ("x" * 300)):
        with pytest.raises(FolderError) as caught, publish_folder(target, TASK):
            pytest.fail("the work began")
        assert f"cannot write {target}" in str(caught.value)
    with pytest.raises(FolderError, match="Is a directory"), publish_file(tmp_path) as partial:
        partial.write_text("")


def test_errors_of_other_files_are_not_blamed_on_the_target(tmp_path: Path) -> None:
    with pytest.raises(NotADirectoryError), publish_folder(tmp_path / "task", TASK):
        Path("/dev/null/input.csv").read_text()
    with pytest.raises(FileNotFoundError), publish_folder(tmp_path / "task", TASK):
        (tmp_path / "input.csv").read_text()
    assert everything_in(tmp_path) == []


def test_sha256_is_that_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256(tmp_path / "abc") == expected


def test_a_cache_is_built_once_and_again_when_it_is_damaged(tmp_path: Path) -> None:
    built: list[Path] = []

    def read(folder: Path) -> str | None:
        file = folder / "text"
        return file.read_text() or None if file.is_file() else None

    def build(partial: Path) -> None:
        built.append(partial)
        (partial / "text").write_text("whole")

    target = tmp_path / "cache" / "thing"
    assert open_or_build(target, read, build) == "whole"
    assert open_or_build(target, read, build) == "whole"
    assert len(built) == 1
    (target / "text").write_text("")
    assert open_or_build(target, read, build) == "whole"
    assert len(built) == 2
    assert open_or_build(target, read, lambda partial: None) == "whole"
    (target / "text").write_text("")
    assert open_or_build(target, read, lambda partial: None) is None

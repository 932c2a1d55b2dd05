"""What --force may replace: folders and files of the same kind that hold nothing else."""

import json
import os
from pathlib import Path

import pytest

from attendna.core.errors import ConfigError, FolderError
from attendna.core.files import publish_folder, publish_output, refuse_existing
from attendna.core.outputs import MARK_FILE, PAGE, OutputFolder, reading

RUN = OutputFolder("run", added=("log.csv", "checkpoints/*.ckpt"))
TASK = OutputFolder("task")


def make(folder: Path, kind: OutputFolder = RUN) -> Path:
    with publish_folder(folder, kind) as partial:
        (partial / "run.yaml").write_text("a: 1")
        (partial / "deep").mkdir()
        (partial / "deep" / "rows.csv").write_text("id\n")
        (partial / "train.zarr" / "c").mkdir(parents=True)
        (partial / "train.zarr" / "c" / "0.0").write_bytes(b"0")
    return folder


def refused(target: Path, kind: OutputFolder = RUN) -> str:
    before = {path: path.is_file() and path.read_bytes() for path in target.rglob("*")}
    with pytest.raises(FolderError) as caught:
        refuse_existing(target, kind, force=True)
    assert {path: path.is_file() and path.read_bytes() for path in target.rglob("*")} == before
    assert str(target) in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_folder_of_the_same_kind_is_replaced_also_when_it_has_grown(tmp_path: Path) -> None:
    run = make(tmp_path / "run")
    (run / "log.csv").write_text("step\n")
    (run / "checkpoints").mkdir()
    (run / "checkpoints" / "last.ckpt").write_bytes(b"0")
    # An array grows by chunks, and a killed process leaves its own.
    (run / "train.zarr" / "c" / "0.1").write_bytes(b"0")
    (run / ".log.csv.0badcafe.attendna.partial").mkdir()
    (run / ".log.csv.0badcafe.attendna.partial" / "log.csv").write_text("")
    (run / ".DS_Store").write_bytes(b"0")
    with publish_folder(run, RUN, force=True):
        pass
    assert [path.name for path in run.iterdir()] == [MARK_FILE]
    assert json.loads((run / MARK_FILE).read_text()) == {"kind": "run", "files": []}


def test_an_empty_folder_is_as_good_as_none(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    refuse_existing(tmp_path / "run", RUN, force=True)


@pytest.mark.parametrize("name", ["notes.txt", "deep/notes.txt", "checkpoints/notes.txt", ".env"])
def test_what_the_user_put_there_is_named(tmp_path: Path, name: str) -> None:
    run = make(tmp_path / "run")
    (run / name).parent.mkdir(exist_ok=True)
    (run / name).write_text("precious")
    assert f"holds {name}, which attendna did not write" in refused(run)


def test_a_link_within_is_named_and_not_followed(tmp_path: Path) -> None:
    run = make(tmp_path / "run")
    (tmp_path / "data").mkdir()
    (run / "data").symlink_to(tmp_path / "data")
    assert "holds data, which" in refused(run)


def test_foreign_and_other_folders_are_refused(tmp_path: Path) -> None:
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "run.yaml").write_text("mine: 1")
    assert "was not written by attendna" in refused(foreign)
    assert "is a run folder and no task folder" in refused(make(tmp_path / "run"), TASK)
    for text in ("", "[]", "{}", '{"kind": "run"}', "\xff", "[" * 100_000):
        (foreign / MARK_FILE).write_text(text, encoding="latin-1")
        assert "was not written by attendna" in refused(foreign)


def test_files_and_links_are_no_folders(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("precious")
    assert "is a file" in refused(tmp_path / "file")
    (tmp_path / "link").symlink_to(make(tmp_path / "run"))
    assert "is a link" in refused(tmp_path / "link")
    (tmp_path / "dangling").symlink_to("nowhere")
    assert "is a link" in refused(tmp_path / "dangling")


def test_places_to_work_in_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make(tmp_path / "run")
    with pytest.raises(FolderError, match="a place to work in"):
        refuse_existing("/", RUN, force=True)
    monkeypatch.setenv("HOME", str(run))
    assert "a place to work in" in refused(run)
    monkeypatch.delenv("HOME")
    monkeypatch.chdir(run / "deep")
    for place in (run, Path(".."), Path(), run / "deep" / ".."):
        with pytest.raises(FolderError, match="a place to work in"):
            refuse_existing(place, RUN, force=True)


def test_what_a_command_reads_is_not_replaced_by_what_it_writes(tmp_path: Path) -> None:
    run = make(tmp_path / "run")
    (tmp_path / "alias").symlink_to(run)
    for source in (run, run / "run.yaml", tmp_path / "alias" / "run.yaml"):
        with reading(tmp_path / "other", source):
            assert "input of this command" in refused(run)
    with reading(tmp_path / "runs"):
        refuse_existing(run, RUN, force=True)


def test_a_page_is_recognized_by_its_generator(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_text('<head><meta name="generator" content="attendna 1.0"></head>')
    with publish_output(page, PAGE, force=True) as partial:
        partial.write_text("<p>")
    for text in ("<p>", "", '<meta name="generator" content="word">'):
        page.write_text(text)
        with pytest.raises(FolderError, match=r"report\.html is no page that attendna wrote"):
            refuse_existing(page, PAGE, force=True)
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe.html")
    for name, problem in (("folder", "is a folder"), ("pipe.html", "is no page")):
        with pytest.raises(FolderError, match=problem):
            refuse_existing(tmp_path / name, PAGE, force=True)


@pytest.mark.parametrize("name", ["page.pdf", "page.txt", "page", "page.html.gz"])
def test_a_page_is_written_under_no_other_ending(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=r"ending is not known; use \.html or \.htm"):
        refuse_existing(tmp_path / name, PAGE)
    refuse_existing(tmp_path / "PAGE.HTM", PAGE)

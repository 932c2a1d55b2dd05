"""The page about a run of tracks."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.report.test_html import Parsed
from tests.training.track_tasks import SMALL, write_task

from attendna.core.config import parse
from attendna.core.errors import ConfigError, FolderError
from attendna.evaluation.tracks import compare_tracks, evaluate_tracks
from attendna.report.html import write_report
from attendna.report.run import Run
from attendna.report.track_comparison import TrackComparisonPage
from attendna.report.track_run import TrackRunPage, title_of
from attendna.training.tracks.config import TrackRunConfig
from attendna.training.tracks.train import train_tracks

pytest.importorskip("zarr")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tracks")
    write_task(folder / "human")
    for name, seed in (("one", 0), ("two", 1)):
        config = parse(TrackRunConfig, SMALL | {"seed": seed}, "test")
        train_tracks(config, {"human": folder / "human"}, folder / name, progress=False)
        if name == "one":
            before = TrackRunPage(Run(folder / "one")).sheet()
            assert "has not been evaluated yet" in before.lead
        evaluate_tracks(folder / name, {"human": folder / "human"}, resamples=20)
    return folder


def test_numbers_pictures_and_settings_are_on_the_page(folder: Path, tmp_path: Path) -> None:
    sheet = TrackRunPage(Run(folder / "one")).sheet()
    assert [section.id for section in sheet.sections] == [
        "result-human-test", "seen-human-test", "training", "settings",
    ]  # fmt: skip
    result, seen = sheet.sections[:2]
    assert {row[0] for row in result.tables[0].rows} == {"CAGE", "DNase/ATAC", "all"}
    points = [trace for trace in result.charts[0].figure.data if trace.mode == "markers"]
    assert [len(trace.x) for trace in points] == [2, 1]
    # Three records, of which two CAGE tracks and one of DNase are shown.
    assert len(seen.charts) == 9
    titles = {chart.title for chart in seen.charts}
    assert titles == {"CAGE:liver (A+)", "CAGE:liver (A-)", "DNASE:liver (B)"}
    assert {chart.figure.layout.yaxis.title.text for chart in seen.charts} == {"signal per 8 bp"}
    observed, predicted = seen.charts[0].figure.data
    assert len(observed.x) == len(predicted.x) == 32
    assert "over 3 tracks and 4 test records" in sheet.lead
    page = write_report(folder / "one", tmp_path / "page.html").read_text(encoding="utf-8")
    assert "block-sparse" in Parsed(page).prose
    code = (
        "import sys; from attendna.report.html import write_report\n"
        "write_report(*sys.argv[1:])\n"
        "assert 'torch' not in sys.modules"
    )
    words = [str(folder / "one"), str(tmp_path / "other.html")]
    subprocess.run([sys.executable, "-c", code, *words], check=True)


def test_a_run_that_has_not_ended_is_told(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.yaml").write_bytes((folder / "one" / "run.yaml").read_bytes())
    with pytest.raises(FolderError, match=r"is not finished; go on with attendna train --resume"):
        write_report(tmp_path / "run", tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()


def test_two_runs_are_drawn_record_by_record(folder: Path, tmp_path: Path) -> None:
    found = compare_tracks(folder / "one", folder / "two")
    assert found.scores.columns == ["head", "assay", "id", "first", "second"]
    sheet = TrackComparisonPage("one", "two", "test", found.rows, found.scores).sheet()
    assert len(sheet.sections[0].tables[0].rows) == 2
    diagonal, points = sheet.sections[1].charts[0].figure.data
    assert list(diagonal.x) == list(diagonal.y)
    assert list(points.x) == found.scores.filter(assay="CAGE")["first"].to_list()
    sheet.write(tmp_path / "page.html")
    assert "two against one" in (tmp_path / "page.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("description", "title"),
    [("CAGE:liver", "CAGE:liver (A+)"), ("liver A+", "liver A+"), ("", "A+"), (None, "A+")],
)
def test_tracks_of_one_description_have_titles_of_their_own(
    description: str | None, title: str
) -> None:
    assert title_of({"description": description, "identifier": "A+"}) == title


def test_a_task_beside_a_run_of_tracks_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="a run of tracks: its page shows no task"):
        write_report(folder / "one", tmp_path / "page.html", folder / "human")
    assert not (tmp_path / "page.html").exists()

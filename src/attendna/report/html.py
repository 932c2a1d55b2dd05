"""One self-contained page about a run: works offline, prints, follows a light or a dark theme."""

from pathlib import Path

from attendna.core.errors import ConfigError
from attendna.core.files import publish_output, refuse_existing
from attendna.core.outputs import PAGE
from attendna.report.data_card import describe
from attendna.report.importance import Importance
from attendna.report.language_run import LanguageRunPage
from attendna.report.measured_run import MeasuredRunPage
from attendna.report.page import Page
from attendna.report.run import Run
from attendna.report.sheet import Sheet
from attendna.report.template import bundle, environment, part
from attendna.report.track_run import TrackRunPage
from attendna.tasks.audit.audit import read_audit
from attendna.tasks.store import Task, open_task
from attendna.tasks.tracks import refuse_other_kind


def write_report(
    run_folder: str | Path,
    out: str | Path,
    task_folder: str | Path | None = None,
    *,
    ism_folder: str | Path | None = None,
    force: bool = False,
) -> Path:
    """Write the page about a run.

    Parameters
    ----------
    run_folder
        What ``train`` made, finished or not; of tracks, finished.
    out
        The HTML file.
    task_folder
        The task, for the data card and the sequences of the examples.
    ism_folder
        What ``interpret ism`` made, for the importance of bases; by default ``ism`` of the run
        folder, if it is there.
    force
        Replace an existing file.

    Raises
    ------
    FolderError
        A folder is none or is damaged, or ``out`` exists.
    DataError
        The task cannot be read.
    ConfigError
        The run was trained on another task, or its page shows none.
    """
    out = Path(out)
    refuse_existing(out, PAGE, force=force)
    run = Run(Path(run_folder))
    task = None if task_folder is None else _own_task(run, task_folder)
    sheet = sheet_of(run)
    if sheet is not None:
        with publish_output(out, PAGE, force=force) as partial:
            sheet.write(partial)
        return out
    if ism_folder is None and (run.path / "ism").is_dir():
        ism_folder = run.path / "ism"
    text = render(
        run,
        task,
        Importance.read(ism_folder) if ism_folder else None,
    )
    with publish_output(out, PAGE, force=force) as partial:
        partial.write_text(text, encoding="utf-8")
    return out


def _own_task(run: Run, folder: str | Path) -> Task:
    """The task that the run was trained on."""
    if run.of_tracks or run.of_language:
        kind = "tracks" if run.of_tracks else "a language model"
        raise ConfigError(f"{run.path} is a run of {kind}: its page shows no task", "leave it out")
    refuse_other_kind(run.path, folder, of_tracks=False)
    task = open_task(folder)
    run.refuse_other_task(task)
    return task


def sheet_of(run: Run) -> Sheet | None:
    """The page of a run that is not a training on classes."""
    if run.of_language:
        return LanguageRunPage(run).sheet()
    if run.of_tracks:
        return TrackRunPage(run).sheet()
    return None if run.of_classes else MeasuredRunPage(run).sheet()


def render(run: Run, task: Task | None = None, importance: Importance | None = None) -> str:
    """The text of the page."""
    audit = read_audit(task.folder) if task else None
    page = Page(run, task, describe(task) if task else None, importance, audit)
    template = environment().get_template("report.html.j2")
    return template.render(page=page, plotly=bundle(), css=part("css"), script=part("js"))

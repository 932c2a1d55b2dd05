"""The parts that the pages of all runs share: how training went, and the settings."""

from collections.abc import Iterator

from attendna.core.config import to_yaml
from attendna.report import figures
from attendna.report.page import Chart
from attendna.report.run import Run
from attendna.report.sheet import Section


def training(run: Run, column: str = "", title: str = "", note: str = "") -> Iterator[Section]:
    """Loss, one validation metric and the learning rate; nothing where there is no log.

    Parameters
    ----------
    column, title, note
        The metric's column of ``log.csv``, what it is called, and what is said of it.
    """
    log = run.log
    if log is None:
        return
    charts = [Chart("Loss", "", figures.training_curves(log))]
    if column in log.columns:
        charts.append(Chart("Validation", note, figures.validation_curve(log, column, title)))
    charts.append(Chart("Learning rate", "", figures.learning_rate(log)))
    yield Section("training", "Training", charts=charts)


def settings(run: Run) -> Section:
    """The settings, and the command and the machine where they are known."""
    return Section(
        "settings",
        "Settings",
        facts=list(run.environment_facts()),
        code=[(f"All settings ({run.file})", to_yaml(run.config))],
    )

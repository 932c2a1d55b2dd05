import io
from pathlib import Path

import pytest
import torch
from rich.console import Console
from tests.training.conftest import small

from attendna.training.examples import Examples
from attendna.training.fit import fit
from attendna.training.loop import Machine
from attendna.training.run import RunFolder


@pytest.mark.parametrize("terminal", [True, False])
def test_a_terminal_shows_a_bar_and_everything_shows_lines(
    task: Path, tmp_path: Path, terminal: bool
) -> None:
    text = io.StringIO()
    console = Console(file=text, force_terminal=terminal, width=120, highlight=False)
    folder = RunFolder(tmp_path)
    machine = Machine(torch.device("cpu"), "fp32", 1)
    record = fit(
        small(), Examples.read(task), folder, machine, run_id="test", title="here", console=console
    )
    shown = text.getvalue()
    for row in record.rows:
        assert f"step {row['step']:g}/24" in shown
        assert f"valid_mcc {row['valid_mcc']:.4f}" in shown
    assert shown.count("best so far") >= 1
    assert "here" in shown
    # An unfinished bar says how long it will take.
    assert ("0:00:0" in shown) is terminal


def test_a_log_without_a_bar_is_never_silent_for_long(
    task: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("attendna.training.progress.LINE_EVERY", 0.0)
    text = io.StringIO()
    console = Console(file=text, force_terminal=False, width=120)
    machine = Machine(torch.device("cpu"), "fp32", 1)
    data, folder = Examples.read(task), RunFolder(tmp_path)
    fit(small(), data, folder, machine, run_id="test", title="here", console=console)
    assert "step 1/24\n" in text.getvalue()
    assert "step 5/24\n" in text.getvalue()

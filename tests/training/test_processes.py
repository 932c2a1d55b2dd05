from pathlib import Path

import pytest

from attendna.core.errors import ConfigError, ResourceError
from attendna.training.begin import Beginning
from attendna.training.processes import process_rank, refuse_launched, wait_for


def test_the_launcher_says_which_process_this_is(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "SLURM_PROCID", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    assert process_rank() == 0
    monkeypatch.setenv("LOCAL_RANK", "1")
    monkeypatch.setenv("RANK", "3")
    assert process_rank() == 3


def test_a_first_process_that_fails_is_not_waited_for_forever(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match="was not made by the first process"):
        wait_for(tmp_path / "run.yaml", seconds=0.2)


def test_processes_that_would_all_do_the_same_are_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    for rank in range(2):
        monkeypatch.setenv("WORLD_SIZE", "2")
        monkeypatch.setenv("RANK", str(rank))
        refuse_launched(2)
        with pytest.raises(ConfigError, match="torchrun started 2 processes, and 1 trains this"):
            Beginning(tmp_path / "run", resume=False, force=False, progress=False)
    monkeypatch.delenv("TORCHELASTIC_RUN_ID")
    refuse_launched(1)

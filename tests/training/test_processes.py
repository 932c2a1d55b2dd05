from pathlib import Path

import pytest

from attendna.core.errors import ResourceError
from attendna.training.processes import process_rank, wait_for


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

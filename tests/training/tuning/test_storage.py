import sys
import threading
import time
from pathlib import Path

import pytest

from attendna.core.errors import ConfigError, MissingExtraError
from attendna.training.tuning.storage import JournalLock, open_storage, optuna


def test_a_torn_line_is_dropped(tmp_path: Path) -> None:
    journal, lock = tmp_path / "journal.jsonl", tmp_path / "lock"
    study = optuna().create_study(storage=open_storage(None, journal, lock), study_name="one")
    study.ask()
    whole = journal.read_bytes()
    journal.write_bytes(whole + whole.splitlines()[-1][:9])
    again = optuna().load_study(storage=open_storage(None, journal, lock), study_name="one")
    assert journal.read_bytes() == whole
    again.ask()
    assert [trial.number for trial in again.get_trials()] == [0, 1]


def test_one_at_a_time_writes_the_journal(tmp_path: Path) -> None:
    one, other = (JournalLock(tmp_path / "lock") for _ in range(2))
    one.acquire()
    order: list[str] = []

    def wait() -> None:
        other.acquire()
        order.append("other")
        other.release()

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.1)
    order.append("one")
    one.release()
    thread.join()
    assert order == ["one", "other"]


def test_a_database_may_keep_the_trials(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'trials.db'}"
    storage = open_storage(url, tmp_path / "journal.jsonl", tmp_path / "lock")
    optuna().create_study(storage=storage, study_name="one").ask()
    assert not (tmp_path / "journal.jsonl").exists()


@pytest.mark.parametrize("url", ["nonsense", "sqlite:////no/such/folder/trials.db"])
def test_no_such_database_is_one_line(url: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--storage") as caught:
        open_storage(url, tmp_path / "journal.jsonl", tmp_path / "lock")
    assert "\n" not in str(caught.value)


def test_a_missing_package_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingExtraError, match=r"attendna\[tune\]"):
        optuna()

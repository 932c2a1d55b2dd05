from pathlib import Path

import pytest

from attendna.core.errors import FolderError, ResourceError
from attendna.models.huggingface.hub import find_checkpoint


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty cache, and a network that leads nowhere."""
    import huggingface_hub.constants as constants
    import huggingface_hub.file_download as download

    for module in (constants, download):
        monkeypatch.setattr(module, "HF_HUB_CACHE", str(tmp_path / "hub"), raising=False)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("HF_HUB_DOWNLOAD_TIMEOUT", "1")


def test_a_folder_is_where_it_is(tmp_path: Path) -> None:
    assert find_checkpoint(tmp_path) == tmp_path
    assert find_checkpoint(str(tmp_path), hub=True) == tmp_path


@pytest.mark.usefixtures("closed")
def test_a_name_is_looked_up_only_when_asked_for() -> None:
    with pytest.raises(FolderError, match=r"the network is not used unless .* add --hub"):
        find_checkpoint("attendna-nobody/nothing")


@pytest.mark.usefixtures("closed")
def test_what_was_fetched_before_is_found_without_the_network(tmp_path: Path) -> None:
    held = tmp_path / "hub" / "models--attendna-nobody--nothing"
    (held / "refs").mkdir(parents=True)
    (held / "refs" / "main").write_text("0" * 40)
    snapshot = held / "snapshots" / ("0" * 40)
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").write_text("{}")
    assert find_checkpoint("attendna-nobody/nothing") == snapshot


@pytest.mark.usefixtures("closed")
def test_a_hub_that_cannot_be_reached_is_one_line() -> None:
    with pytest.raises(ResourceError, match="cannot be fetched") as caught:
        find_checkpoint("attendna-nobody/nothing", hub=True)
    assert "\n" not in str(caught.value)


def test_what_can_be_no_name_is_a_folder_that_is_missing(tmp_path: Path) -> None:
    for name in (tmp_path / "nowhere", "../nowhere", "a/b/c", "nowhere"):
        with pytest.raises(FolderError, match="no such folder"):
            find_checkpoint(name)

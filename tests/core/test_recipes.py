from pathlib import Path

import pytest

from attendna.core.errors import ConfigError, UnknownNameError
from attendna.core.recipes import about, find_settings, recipe, recipes


def test_a_file_comes_before_a_recipe_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_settings("classify") == recipes()["classify"]
    (tmp_path / "classify").mkdir()
    assert find_settings(Path("classify")) == recipes()["classify"]
    (tmp_path / "cnn").write_text("model: cnn\n")
    assert find_settings("cnn") == Path("cnn")
    other = tmp_path / "searches" / "search.yaml"
    other.parent.mkdir()
    (other.parent / "base.yaml").write_text("model: cnn\n")
    assert find_settings("base.yaml", beside=other) == other.parent / "base.yaml"
    assert find_settings("finetune", beside=other) == recipes()["finetune"]


@pytest.mark.parametrize("name", ["clasify", "clasify.yaml", "recipes/clasify.yaml"])
def test_what_is_neither_is_one_line(name: str) -> None:
    with pytest.raises(ConfigError, match=f"{name}: no such file, and no recipe; did you mean cla"):
        find_settings(name)
    with pytest.raises(UnknownNameError, match="no recipe 'clasify'; did you mean classify"):
        recipe("clasify")


def test_every_recipe_says_what_it_is_and_is_in_the_folder_of_the_checkout(
    repository: Path,
) -> None:
    assert all(20 < len(about(path)) < 180 for path in recipes().values()), "a first sentence"
    in_checkout = {path.stem: path.resolve() for path in (repository / "recipes").glob("*.yaml")}
    assert in_checkout == {name: path.resolve() for name, path in recipes().items()}

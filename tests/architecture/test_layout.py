"""A file is one noun or one verb, and what is in it is tested in the file of the same name."""

from pathlib import Path

LONG = 30
"""Lines from which a source file has a test file of its own."""


def sources(repository: Path) -> list[Path]:
    folder = repository / "src" / "attendna"
    return sorted(path.relative_to(folder) for path in folder.rglob("*.py"))


def test_tests_mirror_the_tree(repository: Path) -> None:
    untested = [
        str(path)
        for path in sources(repository)
        if path.name != "__init__.py"
        and len((repository / "src" / "attendna" / path).read_text().splitlines()) > LONG
        and not (repository / "tests" / path.parent / f"test_{path.name}").is_file()
    ]
    assert untested == []


def test_no_file_is_a_drawer_for_odds_and_ends(repository: Path) -> None:
    drawers = {"utils", "util", "helpers", "helper", "common", "misc", "tools"}
    assert [path for path in sources(repository) if path.stem in drawers] == []


def test_every_package_says_what_it_is(repository: Path) -> None:
    for path in sources(repository):
        if path.name == "__init__.py":
            text = (repository / "src" / "attendna" / path).read_text()
            assert text.startswith('"""'), path

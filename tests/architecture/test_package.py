"""What the package promises those who install it: declared imports, types, recipes, a page."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

OTHER_NAMES = {"xgboost-cpu": "xgboost"}
"""Packages that stand in for another."""


@pytest.fixture(scope="module")
def project(repository: Path) -> dict[str, Any]:
    return tomllib.loads((repository / "pyproject.toml").read_text())["project"]


def named(requirements: list[str]) -> set[str]:
    found = {Requirement(text).name.lower().replace("_", "-") for text in requirements}
    return found | {OTHER_NAMES[name] for name in found & OTHER_NAMES.keys()}


def imported(tree: ast.AST) -> Iterator[tuple[str, bool]]:
    """Top-level names that are imported, and whether a module imports them as it is loaded."""
    at_once = set(map(id, ast.iter_child_nodes(tree)))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module or ""]
        else:
            continue
        for name in names:
            yield name.partition(".")[0], id(node) in at_once


def test_every_import_is_declared(repository: Path, project: dict[str, Any]) -> None:
    needed = named(project["dependencies"])
    extras = {name: named(given) for name, given in project["optional-dependencies"].items()}
    optional = set().union(*(extras[name] for name in extras.keys() - {"test", "check"}))
    known = packages_distributions()
    undeclared: list[str] = []
    for path in sorted((repository / "src").rglob("*.py")):
        for name, at_once in imported(ast.parse(path.read_text(encoding="utf-8"))):
            if name == "attendna" or name in sys.stdlib_module_names:
                continue
            packages = {one.lower().replace("_", "-") for one in known.get(name, [name])}
            if not packages & (needed if at_once else needed | optional):
                undeclared.append(f"{path.name}: {name}")
    assert undeclared == []


def test_tests_are_run_with_every_extra(repository: Path, project: dict[str, Any]) -> None:
    installed = re.search(r"-e \"\.\[(.*)\]\"", (repository / "Makefile").read_text())
    assert installed
    assert set(installed[1].split(",")) == set(project["optional-dependencies"])


def test_extras_are_pinned(repository: Path, project: dict[str, Any]) -> None:
    pinned = (repository / "constraints.txt").read_text().splitlines()
    names = {line.partition("==")[0] for line in pinned if not line.startswith("#")}
    declared = named(project["dependencies"]).union(
        *map(named, project["optional-dependencies"].values())
    )
    assert declared - names - {"xgboost"} == set()


def test_types_are_seen_by_those_who_import_it(repository: Path) -> None:
    # What a wheel takes is the whole folder; see [tool.hatch.build.targets.wheel].
    assert (repository / "src" / "attendna" / "py.typed").is_file()


def test_links_of_the_readme_lead_somewhere_from_a_package_index(repository: Path) -> None:
    text = (repository / "README.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert len(links) > 3
    for link in links:
        place = re.fullmatch(
            r"https://(?:raw\.githubusercontent|github)\.com/attendna/attendna/(?:blob/)?main/([^#]+).*",
            link,
        )
        assert link.startswith(("https://", "#")), link
        assert place is None or (repository / place[1]).exists(), link

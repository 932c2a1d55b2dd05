"""What may be imported where, seen in a fresh interpreter: import-linter reads, this runs."""

import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("torch", "lightning", "sklearn", "plotly", "polars", "pandas", "transformers", "numba")


def modules_of(package: str, repository: Path) -> list[str]:
    """Dotted names of all modules in a package of attendna, found without importing them."""
    folder = repository.joinpath("src", *package.split("."))
    found = pkgutil.walk_packages([str(folder)], prefix=f"{package}.")
    return [package, *(module.name for module in found)]


def loaded_by(modules: list[str], watched: tuple[str, ...]) -> list[str]:
    """Which of the ``watched`` packages are in memory after importing ``modules``."""
    code = (
        "import importlib, sys\n"
        f"for name in {modules!r}: importlib.import_module(name)\n"
        f"print(*[name for name in {watched!r} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return done.stdout.split()


@pytest.mark.parametrize("floor", ["core", "genome", "tasks", "report"])
def test_light_floors_never_load_torch(floor: str, repository: Path) -> None:
    modules = modules_of(f"attendna.{floor}", repository)
    assert len(modules) > 2
    assert loaded_by(modules, ("torch", "lightning")) == []


def test_importing_the_package_is_light() -> None:
    assert loaded_by(["attendna"], (*HEAVY, "numpy", "pydantic")) == []


def test_no_file_of_the_command_line_loads_what_is_heavy(repository: Path) -> None:
    modules = modules_of("attendna.cli", repository)
    assert "attendna.cli.main" in modules
    assert loaded_by(modules, HEAVY) == []


def test_the_probe_sees_what_is_loaded() -> None:
    assert loaded_by(["polars", "json"], HEAVY) == ["polars"]

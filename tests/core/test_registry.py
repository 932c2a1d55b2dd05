"""Registries: lazy, closed to collisions, helpful with names."""

import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from attendna.core import registry as registry_module
from attendna.core.errors import UnknownNameError
from attendna.core.registry import Registry, near_misses

PARTS = {
    "counter": "collections:Counter",
    "deque": "collections:deque",
    "ordered_dict": "collections:OrderedDict",
}
Plug = Callable[..., None]


@pytest.fixture
def plug(monkeypatch: pytest.MonkeyPatch) -> Plug:
    """Pretend that installed packages declare entry points of the group ``test.parts``."""

    def plug(*points: tuple[str, str]) -> None:
        declared = [EntryPoint(name, target, "test.parts") for name, target in points]
        monkeypatch.setattr(
            registry_module,
            "entry_points",
            lambda group: [point for point in declared if point.group == group],
        )

    return plug


def test_names_give_the_things_they_stand_for() -> None:
    from collections import Counter

    parts = Registry("part", PARTS)
    assert parts["counter"] is Counter
    assert list(parts) == sorted(PARTS)
    assert len(parts) == 3
    assert "deque" in parts
    assert "queue" not in parts
    assert 3 not in parts


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("countr", "did you mean counter?"),
        ("Counter", "did you mean counter?"),
        ("ordered-dict", "did you mean ordered_dict?"),
        ("zzz", "known: counter, deque, ordered_dict"),
    ],
)
def test_an_unknown_name_says_what_is_near(name: str, hint: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        Registry("part", PARTS)[name]
    assert str(caught.value) == f"there is no part {name!r}; {hint}"


def test_near_misses_names_all_that_are_close_in_their_own_spelling() -> None:
    assert near_misses("tf1", ["tf/1", "tf1b", "mouse"]) == "did you mean tf1b or tf/1?"
    assert near_misses("GC", {"gc": 1, "N50": 2}) == "did you mean gc?"


def test_plug_ins_are_found_by_their_entry_points(plug: Plug) -> None:
    plug(("namedtuple", "collections:namedtuple"), ("deque", "collections:deque"))
    parts = Registry("part", PARTS, group="test.parts")
    from collections import namedtuple

    assert parts["namedtuple"] is namedtuple
    assert len(parts) == 4
    assert "namedtuple" not in Registry("part", PARTS)


@pytest.mark.parametrize(
    "points",
    [[("deque", "other:deque")], [("new", "one:thing"), ("new", "two:thing")]],
    ids=["own name", "each other's name"],
)
def test_colliding_plug_ins_are_refused(plug: Plug, points: list[tuple[str, str]]) -> None:
    plug(*points)
    with pytest.raises(UnknownNameError, match=r"two packages register the part .*; uninstall one"):
        list(Registry("part", PARTS, group="test.parts"))


@pytest.mark.parametrize("target", ["no_such_package:thing", "collections:no_such_thing"])
def test_a_broken_plug_in_is_named_and_breaks_nothing_else(plug: Plug, target: str) -> None:
    plug(("broken", target))
    parts = Registry("part", PARTS, group="test.parts")
    assert callable(parts["deque"])
    with pytest.raises(UnknownNameError, match=f"'broken' cannot be imported from {target}"):
        parts["broken"]


def test_own_entries_that_do_not_import_are_a_bug_and_say_so() -> None:
    with pytest.raises(ModuleNotFoundError):
        Registry("part", {"gone": "no_such_package:thing"})["gone"]


def test_register_adds_once_and_refuses_another_target() -> None:
    parts = Registry("part", PARTS)
    parts.register("fraction", "fractions:Fraction")
    parts.register("fraction", "fractions:Fraction")
    assert parts["fraction"].__name__ == "Fraction"
    with pytest.raises(UnknownNameError, match="the part 'deque' is already collections:deque"):
        parts.register("deque", "other:deque")


def test_listing_imports_nothing(repository: Path) -> None:
    code = (
        "import sys\n"
        "from attendna.core.registry import Registry\n"
        "parts = Registry('part', {'fraction': 'fractions:Fraction'})\n"
        "assert list(parts) == ['fraction'] and 'fraction' in parts and len(parts) == 1\n"
        "assert 'fractions' not in sys.modules\n"
        "parts['fraction']\n"
        "assert 'fractions' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=repository)


def test_an_installed_plug_in_is_found(tmp_path: Path) -> None:
    """The real route: a package's metadata on the path, found by importlib."""
    metadata = tmp_path / "plug-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: plug\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[attendna.parts]\nmine = plug:Mine\n")
    (tmp_path / "plug.py").write_text("class Mine: pass\n")
    code = (
        "from attendna.core.registry import Registry\n"
        "print(Registry('part', {}, group='attendna.parts')['mine'].__name__)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(tmp_path)},
    )
    assert done.stdout.strip() == "Mine"

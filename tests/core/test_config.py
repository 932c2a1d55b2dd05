"""Configurations: what a user can write wrongly, and the line that says so."""

from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, SerializeAsAny, ValidationError, model_validator

from attendna.core.config import (
    LISTED,
    Config,
    Names,
    Seed,
    chosen_from,
    override,
    parse,
    read_yaml,
    to_yaml,
)
from attendna.core.errors import ConfigError
from attendna.core.registry import Registry


class Shape(Config):
    name: str


class Circle(Shape):
    name: str = "circle"
    radius: float = 1.0


class Box(Shape):
    name: str = "box"
    width: int = Field(gt=0)
    height: int = 1

    @model_validator(mode="after")
    def _is_wide(self) -> "Box":
        if self.height > self.width:
            raise ValueError("a box is at least as wide as high")
        return self


SHAPES: Registry[type[Shape]] = Registry(
    "shape", {"circle": f"{__name__}:Circle", "box": f"{__name__}:Box"}
)
AnyShape = Annotated[SerializeAsAny[Shape], chosen_from(SHAPES)]


class Source(Config):
    location: str
    checksum: str | None = None


class Drawing(Config):
    title: str
    shape: AnyShape
    members: tuple[AnyShape, ...] = ()
    sources: tuple[Source, ...] = ()
    by_name: dict[str, Source] | None = None
    rate: float = 1e-3
    size: int | Literal["auto"] = "auto"


GOOD = {"title": "t", "shape": {"name": "box", "width": 2}}


def complaint(**changes: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        parse(Drawing, GOOD | changes, "run.yaml")
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith("run.yaml: ")
    return message.removeprefix("run.yaml: ")


def test_a_name_chooses_the_class() -> None:
    drawing = parse(Drawing, GOOD | {"members": ["circle", {"name": "box", "width": 5}]}, "x")
    assert drawing.shape == Box(width=2)
    assert drawing.members == (Circle(), Box(width=5))
    assert parse(Drawing, GOOD | {"shape": Circle(radius=3)}, "x").shape == Circle(radius=3)


def test_a_tree_holds_every_default_and_the_fields_of_the_chosen_class() -> None:
    drawing = parse(Drawing, GOOD, "x")
    tree = drawing.to_tree()
    assert tree["shape"] == {"name": "box", "width": 2, "height": 1}
    assert tree["rate"] == 1e-3
    assert parse(Drawing, tree, "x") == drawing


def test_yaml_brings_a_configuration_back(tmp_path: Path) -> None:
    drawing = parse(Drawing, GOOD | {"rate": 3e-14, "title": "Größe: 1"}, "x")
    path = tmp_path / "drawing.yaml"
    path.write_text(to_yaml(drawing.to_tree()), encoding="utf-8")
    assert list(read_yaml(path)) == list(Drawing.model_fields)
    assert parse(Drawing, read_yaml(path), path) == drawing


def test_configurations_do_not_change_but_make_changed_copies() -> None:
    drawing = parse(Drawing, GOOD, "x")
    with pytest.raises(ValidationError, match="frozen"):
        drawing.title = "other"  # type: ignore[misc]
    assert drawing.replace(title="other").title == "other"
    assert drawing.title == "t"
    with pytest.raises(ValidationError):
        drawing.replace(titel="other")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"titel": 1}, "titel is not a setting, did you mean title?"),
        ({"zzzzz": 1}, "zzzzz is not a setting, known: by_name, members, rate"),
        (
            {"shape": {"name": "box", "widht": 3, "width": 2}},
            "shape.widht is not a setting, did you mean width?",
        ),
        ({"shape": {"name": "box"}}, "shape.width is missing"),
        (
            {"shape": {"name": "bix", "width": 1}},
            "shape: there is no shape 'bix'; did you mean box?",
        ),
        ({"shape": "bocks"}, "shape: there is no shape 'bocks'"),
        ({"shape": {"width": 3}}, "shape: needs a `name`, one of box, circle"),
        ({"shape": 3}, "shape: needs a `name`, one of box, circle"),
        (
            {"shape": {"name": "box", "width": "wide"}},
            "shape.width: Input should be a valid integer",
        ),
        (
            {"shape": {"name": "box", "width": 0}},
            "shape.width: Input should be greater than 0 (got 0)",
        ),
        (
            {"shape": {"name": "box", "width": 1, "height": 2}},
            "shape: a box is at least as wide as high",
        ),
        (
            {"members": ["circle", {"name": "circle", "raduis": 1}]},
            "members.1.raduis is not a setting, did you mean radius?",
        ),
        (
            {"sources": [{"location": "x", "chksum": "1"}]},
            "sources.0.chksum is not a setting, did you mean checksum?",
        ),
        (
            {"by_name": {"a": {"location": "x", "chksum": "1"}}},
            "by_name.a.chksum is not a setting, did you mean checksum?",
        ),
        ({"rate": "fast"}, "rate: Input should be a valid number"),
        ({"size": "big"}, "size."),
    ],
)
def test_what_is_wrong_is_named_with_what_was_meant(
    changes: Mapping[str, Any], expected: str
) -> None:
    assert expected in complaint(**changes)


def test_all_complaints_come_at_once() -> None:
    message = complaint(titel=1, rate="fast", shape={"name": "box", "widht": 1})
    for part in ("titel is not", "rate: ", "shape.widht is not", "shape.width is missing"):
        assert part in message


@pytest.mark.parametrize("text", ["3e-4", "3E-4", "+3e-4", ".3e-3", "3.e-4", "0.0003"])
def test_numbers_are_numbers_however_they_are_written(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.yaml").write_text(f"rate: {text}\n")
    assert read_yaml(tmp_path / "a.yaml") == {"rate": pytest.approx(3e-4)}
    assert override({}, [f"rate={text}"]) == {"rate": pytest.approx(3e-4)}
    assert parse(Drawing, GOOD | {"rate": text}, "x").rate == pytest.approx(3e-4)


@pytest.mark.parametrize("text", ["e5", "3e", "1e5x", "chr1", "0x1F.e2"])
def test_what_only_looks_like_a_number_stays_text(text: str) -> None:
    assert override({}, [f"a={text}"]) == {"a": text}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: [1, 2\nc: 3\n", "line 3: "),
        ("a: 1\n b: 2\n", "line 2: "),
        ("a: b: c\n", "line 1: mapping values are not allowed here"),
        ("a: 1\n\tb: 2\n", "line 2: "),
        ("a: 1\nb:\n  c: 1\n  c: 2\n", "line 4: c is given twice"),
        ("a: !!python/object:os.system {}\n", "line 1: could not determine a constructor"),
        ("a: 0x_\n", ": invalid literal for int() with base 16"),
        ("a: !!binary aGk=\n", "line 1: could not determine a constructor for the tag"),
        ("a: \x00\n", ": "),
        ("- 1\n- 2\n", "holds no settings; write `key: value` lines"),
        ("only words\n", "holds no settings"),
    ],
)
def test_broken_yaml_is_named_with_its_line(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "run.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_yaml(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    assert expected in message


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "picture.yaml").write_bytes(b"\x89PNG\xff\xfe")
    for path, expected in (
        (tmp_path / "absent.yaml", "no such file"),
        (tmp_path, "Is a directory"),
        (tmp_path / "picture.yaml", "is not a UTF-8 text file"),
        (tmp_path / "picture.yaml" / "a.yaml", "Not a directory"),
    ):
        with pytest.raises(ConfigError) as caught:
            read_yaml(path)
        assert f"{path}" in str(caught.value)
        assert expected in str(caught.value)


def test_an_empty_file_is_an_empty_mapping_and_merges_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("# nothing\n")
    assert read_yaml(path) == {}
    path.write_text("base: &base {x: 1, y: 2}\nmore:\n  <<: *base\n  y: 3\n")
    assert read_yaml(path)["more"] == {"x": 1, "y": 3}


def test_set_reaches_mappings_and_lists_and_leaves_the_original() -> None:
    members = [{"width": 1}, {"width": 2}]
    tree = {"a": {"b": 1}, "members": members, "empty": None, "model": "cnn"}
    before = deepcopy(tree)
    changed = override(
        tree,
        [
            "a.b=2",
            "a.c= [1, two]",
            "members.1.width=64",
            "empty.deep.er=true",
            "new={x: 3e-4}",
            "a.d=",
            "model.width=3",
        ],
    )
    assert changed == {
        "a": {"b": 2, "c": [1, "two"], "d": None},
        "members": [{"width": 1}, {"width": 64}],
        "empty": {"deep": {"er": True}},
        "new": {"x": 3e-4},
        "model": {"name": "cnn", "width": 3},
    }
    assert tree == before


@pytest.mark.parametrize(
    ("assignment", "expected"),
    [
        ("a", "write --set key.subkey=value"),
        ("=3", "write --set key.subkey=value"),
        ("a..b=3", "write --set key.subkey=value"),
        ("a.=3", "write --set key.subkey=value"),
        ("a.b=[1", "the value is not YAML"),
        ("members.2=1", "members is a list of 1, which has no part 2"),
        ("members.-1=1", "members is a list of 1, which has no part -1"),
        ("members.first.x=1", "members is a list of 1, which has no part first"),
        ("members.0.width.x=1", "members.0.width is 1, which has no part x"),
    ],
)
def test_set_says_what_is_wrong_with_an_assignment(assignment: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        override({"model": "cnn", "members": [{"width": 1}]}, [assignment])
    assert assignment.partition("=")[0] in str(caught.value)
    assert expected in str(caught.value)


@pytest.mark.parametrize("text", ["12e3", "1e-9", "3E+4", "7", "1.5", "null", "yes", "abc", ""])
def test_texts_that_look_like_numbers_stay_texts(text: str, tmp_path: Path) -> None:
    (tmp_path / "tree.yaml").write_text(to_yaml({"text": text, "number": 3e-4}))
    assert read_yaml(tmp_path / "tree.yaml") == {"text": text, "number": 3e-4}


class Lists(Config):
    names: Names = ()
    shares: Annotated[tuple[float, float] | None, LISTED] = None


@pytest.mark.parametrize("given", ["a,b", "a, b", ["a", "b"], ["a,b"], ("a", "b"), "a,,b,"])
def test_lists_are_read_with_commas_and_one_by_one(given: object) -> None:
    assert parse(Lists, {"names": given}, "test").names == ("a", "b")


def test_lists_of_numbers_are_read_like_those_of_names() -> None:
    for given in ("0.8,.2", ["0.8", "0.2"], [0.8, 0.2], ["0.8,0.2"]):
        assert parse(Lists, {"shares": given}, "test").shares == (0.8, 0.2)
    assert parse(Lists, {"names": [], "shares": None}, "test") == Lists()


@pytest.mark.parametrize(
    ("given", "names"), [([1, "X"], ("1", "X")), (1, ("1",)), ("1,2", ("1", "2"))]
)
def test_names_that_yaml_reads_as_numbers_are_names(given: object, names: tuple) -> None:
    assert parse(Lists, {"names": given}, "test").names == names
    with pytest.raises(ConfigError, match="names"):
        parse(Lists, {"names": [True]}, "test")


@pytest.mark.parametrize("given", ["", " , ", [""], [","]])
def test_a_list_that_names_nothing_is_refused(given: object) -> None:
    with pytest.raises(ConfigError, match="names: the list is empty"):
        parse(Lists, {"names": given}, "test")


LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
MERGES = "a: &a {x: 1}\n" + "".join(
    f"{name}: &{name} {{<<: [{', '.join([f'*{before}'] * 9)}]}}\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (LAUGHS, "its aliases stand for more than 1"),
        (MERGES, "its aliases stand for more than 1"),
        ("a: &a [*a]\n", "line 1: an alias within itself"),
        ("a: " + "[" * 100 + "]" * 100, "line 1: nested too deep"),
        ("a: " + "[" * 50_000, "nested too deep"),
        ("a: " + '{"a": ' * 50_000, "nested too deep"),
        ("a: " + "9" * 5_000, "Exceeds the limit"),
    ],
)
def test_what_would_fill_the_memory_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "run.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=expected) as caught:
        read_yaml(path)
    assert "\n" not in str(caught.value)


def test_aliases_that_repeat_little_are_read(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("a: &a {width: 3}\nb: [*a, *a]\nc: {<<: *a, height: 2}\nd: 2024-01-02\n")
    assert read_yaml(path) == {
        "a": {"width": 3},
        "b": [{"width": 3}] * 2,
        "c": {"width": 3, "height": 2},
        "d": "2024-01-02",
    }


class Numbers(Config):
    rate: float = 0.0
    count: int = 0
    counts: tuple[int, ...] = ()
    seed: Seed = 0


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        ({"rate": float("inf")}, "rate: Input should be a finite number"),
        ({"rate": float("nan")}, "rate: Input should be a finite number"),
        ({"rate": "-inf"}, "rate: Input should be a finite number"),
        ({"count": 1 << 70}, "count: the number has more than 64 bits"),
        ({"counts": [1, -(1 << 70)]}, "counts: the number has more than 64 bits"),
        ({"seed": -1}, "seed: "),
        ({"seed": 1 << 63}, "seed: "),
    ],
)
def test_numbers_are_finite_and_have_64_bits(tree: dict[str, Any], expected: str) -> None:
    with pytest.raises(ConfigError, match=expected):
        parse(Numbers, tree, "run.yaml")


def test_a_deep_tree_is_one_line() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(ConfigError, match=r"^run\.yaml: ") as caught:
        parse(Numbers, {"rate": deep}, "run.yaml")
    assert "\n" not in str(caught.value)

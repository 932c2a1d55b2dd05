"""What a task card admits."""

import pytest
from pydantic import ValidationError

from attendna.core.config import parse, to_yaml
from attendna.core.errors import ConfigError
from attendna.tasks.spec import TaskSpec


def test_a_card_is_the_same_after_writing_and_reading() -> None:
    import yaml

    spec = TaskSpec(
        name="planted",
        label_kind="multiclass",
        classes=("none", "one", "two"),
        sources=({"location": "a.csv", "sha256": "00"},),
        rows={"train": 5, "test": 2},
        window=101,
    )
    again = parse(TaskSpec, yaml.safe_load(to_yaml(spec.to_tree())), "task.yaml")
    assert again == spec
    assert again.outputs == 3


def test_a_binary_task_has_two_classes_and_one_output() -> None:
    assert TaskSpec(name="a", label_kind="binary", classes=("no", "yes")).outputs == 1
    with pytest.raises(ValidationError, match="two classes"):
        TaskSpec(name="a", label_kind="binary", classes=("no", "yes", "maybe"))
    with pytest.raises(ValidationError, match="two classes have the same name"):
        TaskSpec(name="a", label_kind="multiclass", classes=("no", "yes", "no"))


def test_a_key_that_is_none_is_named_with_what_is_near() -> None:
    tree = {"name": "a", "label_kind": "binary", "classes": ["no", "yes"], "licens": "MIT"}
    with pytest.raises(ConfigError, match=r"task.yaml: licens .*did you mean licence\?"):
        parse(TaskSpec, tree, "task.yaml")

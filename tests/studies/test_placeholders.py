import pytest

from attendna.core.errors import ConfigError
from attendna.studies.placeholders import fill, named_in


def test_names_are_replaced_wherever_they_stand() -> None:
    tree = {"a": ["$data/x", 3, None], "b": {"c": "${Task}s"}, "d": "5 $$"}
    assert fill(tree, {"data": "/d", "Task": "t"}) == {
        "a": ["/d/x", 3, None],
        "b": {"c": "ts"},
        "d": "5 $",
    }
    assert sorted(named_in(tree)) == ["Task", "data"]


@pytest.mark.parametrize(
    ("text", "said"),
    [("$dta/x", "did you mean data"), ("a $ b", "names nothing")],
)
def test_what_names_nothing_is_refused(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        fill([text], {"data": "d"})

"""Errors are one line, say where, and travel between processes."""

import copy
import inspect
import pickle
from pathlib import Path

import pytest

from attendna.core import errors
from attendna.core.errors import AttendnaError, DataError, MissingExtraError, UserError
from attendna.genome.alphabet import LetterError
from attendna.genome.sequences import SequenceError


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    kinds = [
        kind
        for _, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, AttendnaError)
    ]
    assert len(kinds) > 5
    for kind in kinds:
        assert kind.__name__ in (errors.__doc__ or "")
        assert kind is AttendnaError or issubclass(kind, UserError)


def test_problem_and_remedy_make_one_line() -> None:
    error = UserError("two\nlines", "mend\r\nit")
    assert str(error) == "two lines; mend it"
    assert (error.problem, error.remedy) == ("two\nlines", "mend\r\nit")
    assert str(UserError("only a problem")) == "only a problem"


def test_a_data_error_names_file_row_and_remedy() -> None:
    error = DataError("a/b.csv", "the label 7 is none of 0, 1", "correct it", row=3)
    assert str(error) == "a/b.csv, row 3: the label 7 is none of 0, 1; correct it"
    assert (error.file, error.row) == (Path("a/b.csv"), 3)
    assert str(DataError("b.csv", "is empty")) == "b.csv: is empty"


def test_a_missing_extra_says_what_to_install() -> None:
    error = MissingExtraError("gensim", "dna2vec", "training dna2vec")
    assert (
        str(error) == "training dna2vec needs the package gensim; pip install 'attendna[dna2vec]'"
    )


@pytest.mark.parametrize(
    "error",
    [
        UserError("a", "b"),
        DataError("f.csv", "wrong", "mend", row=2),
        MissingExtraError("p", "e", "x"),
        LetterError("!", 4),
        SequenceError(2, LetterError("!", 4)),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_come_back_whole_from_another_process(error: UserError) -> None:
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(twin) is type(error)
        assert str(twin) == str(error)
        assert vars(twin) == vars(error)

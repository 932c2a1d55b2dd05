"""Workers that are forked: what they inherit works as if they had imported it."""

import os
from pathlib import Path

import polars as pl
import pytest
import torch

from attendna.core.alone import run_alone
from attendna.core.execution import Execution

NAME = "ATTENDNA_TEST_OF_WORKERS"


def total(path: str) -> int:
    # More rows than one thread of Polars takes.
    grouped = pl.read_parquet(path).group_by("key").agg(pl.col("value").sum())
    return grouped["value"].sum()


def product(threads: int) -> float:
    torch.set_num_threads(threads)
    one = torch.ones(300, 300, requires_grad=True)
    (one @ one).sum().backward()
    assert one.grad is not None
    return float(one.grad.sum())


def variable(name: str) -> str | None:
    return os.environ.get(name)


def test_polars_and_torch_use_threads_in_a_fork_of_what_imported_them(tmp_path: Path) -> None:
    # The threads of this process are none of the server's.
    rows = 200_000
    path = str(tmp_path / "rows.parquet")
    pl.DataFrame({"key": [row % 97 for row in range(rows)], "value": [1] * rows}).write_parquet(
        path
    )
    assert total(path) == rows
    imported = ["attendna.training.fit"]
    assert list(Execution(workers=2).map(total, [path] * 4, imported)) == [rows] * 4
    assert list(Execution(workers=2).map(product, [2, 2], imported)) == [2.0 * 300**3] * 2


@pytest.mark.parametrize("value", ["one", "two", None])
def test_workers_have_the_environment_of_now(
    value: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if value is None:
        monkeypatch.delenv(NAME, raising=False)
    else:
        monkeypatch.setenv(NAME, value)
    assert run_alone(variable, NAME) == value
    assert list(Execution(workers=2).map(variable, [NAME])) == [value]

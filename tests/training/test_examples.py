from pathlib import Path

import polars as pl
import pytest
from tests.planted import forget_digests, plant
from tests.training.conftest import small

from attendna.core.errors import ConfigError, DataError, FolderError
from attendna.training.examples import Examples


def rewrite(folder: Path, split: str, change: pl.Expr, row: int) -> None:
    """Change one row of a split on disk, counted from 1."""
    path = folder / f"{split}.parquet"
    frame = pl.read_parquet(path)
    here = pl.int_range(pl.len()) == row - 1
    name = change.meta.output_name()
    frame.with_columns(
        pl.when(here).then(change).otherwise(pl.col(name)).alias(name)
    ).write_parquet(path)
    forget_digests(folder)


def test_rows_counts_and_contract(task: Path) -> None:
    examples = Examples.read(task)
    assert (len(examples.train), len(examples.valid)) == (240, 120)
    assert examples.counts.tolist() == [120, 120]
    contract = examples.contract(small(letters="error"))
    assert contract.letters == "error"
    assert (contract.shortest, contract.longest, contract.window) == (24, 48, None)
    assert contract.split_hash == examples.split_hash


def test_the_test_rows_are_out_of_reach(task: Path) -> None:
    with pytest.raises(FolderError, match="not test"):
        Examples.read(task).task.read("test")


def test_a_task_without_validation_rows_is_refused(tmp_path: Path) -> None:
    folder = plant(tmp_path / "task").folder
    (folder / "valid.parquet").unlink()
    with pytest.raises(FolderError, match="valid"):
        Examples.read(folder)


@pytest.mark.parametrize("split", ["train", "valid"])
def test_a_sequence_too_short_for_the_tokens_is_named(tmp_path: Path, split: str) -> None:
    folder = plant(tmp_path / "task").folder
    rewrite(folder, split, pl.lit("ACG").alias("sequence"), row=7)
    examples = Examples.read(folder)
    examples.check(small())
    with pytest.raises(DataError, match=rf"{split}.parquet, row 7: .*has 3 bases.*need 6"):
        examples.check(small(tokenizer={"name": "kmer", "k": 6}))


def test_an_unknown_base_is_named_where_they_are_refused(tmp_path: Path) -> None:
    folder = plant(tmp_path / "task").folder
    rewrite(folder, "valid", pl.lit("ACGTNACGTACGT").alias("sequence"), row=3)
    examples = Examples.read(folder)
    examples.check(small())
    with pytest.raises(DataError, match=r"valid.parquet, row 3: .*position 5"):
        examples.check(small(letters="error"))


def test_a_validation_split_of_one_class_is_refused(tmp_path: Path) -> None:
    folder = plant(tmp_path / "task").folder
    path = folder / "valid.parquet"
    frame = pl.read_parquet(path)
    frame.with_columns(label=pl.lit(0, pl.Int8)).write_parquet(path)
    forget_digests(folder)
    with pytest.raises(DataError, match=r"valid.parquet: no row has the class 'bound'"):
        Examples.read(folder).check(small())


def test_a_monitor_that_is_not_defined_on_the_validation_rows_is_refused(tmp_path: Path) -> None:
    folder = plant(tmp_path / "task", classes=("none", "ap1", "sp1")).folder
    path = folder / "valid.parquet"
    frame = pl.read_parquet(path)
    frame.with_columns(pl.col("label").clip(0, 1)).write_parquet(path)
    forget_digests(folder)
    examples = Examples.read(folder)
    examples.check(small())
    with pytest.raises(ConfigError, match="auroc is not defined on these validation rows"):
        examples.check(small(trainer={"monitor": "auroc"}))


def test_a_shift_longer_than_a_sequence_is_refused(task: Path) -> None:
    with pytest.raises(ConfigError, match=r"augmentation.shift 24"):
        Examples.read(task).check(small(augmentation={"shift": 24}))


def test_alpha_is_for_two_classes(tmp_path: Path) -> None:
    folder = plant(tmp_path / "task", classes=("none", "ap1", "sp1")).folder
    with pytest.raises(ConfigError, match=r"objective.alpha is for two classes"):
        Examples.read(folder).check(small(objective={"loss": "focal", "alpha": 0.3}))


def test_a_share_of_the_training_rows_keeps_the_classes_and_the_other_rows(task: Path) -> None:
    examples = Examples.read(task)
    few = examples.sharing(0.1, 3)
    assert few.counts.tolist() == [12, 12]
    assert few.valid is examples.valid
    assert few.split_hash == examples.split_hash
    assert few.train.ids == examples.sharing(0.1, 3).train.ids != examples.sharing(0.1, 4).train.ids
    text = dict(zip(examples.train.ids, examples.train.sequences.to_text(), strict=True))
    assert few.train.sequences.to_text() == [text[one] for one in few.train.ids]

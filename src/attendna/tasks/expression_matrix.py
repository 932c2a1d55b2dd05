"""Matrices of expression: a gene a row, a tissue a column.

Shapes: ``g`` genes, ``t`` tissues.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from jaxtyping import Bool, Float64
from numpy import ndarray

from attendna.core.content import plain_text, read_content
from attendna.core.delimited import column_names, header_start, parse_delimited
from attendna.core.errors import DataError
from attendna.tasks.gene_sites import without_version

_GENE = ("gene_id", "id", "gene", "name", "geneid", "ensid", "")


@dataclass(frozen=True, eq=False)
class ExpressionMatrix:
    """``values`` of each gene (row) in each tissue (column), NaN where not known."""

    genes: pl.Series
    tissues: tuple[str, ...]
    values: Float64[ndarray, "g t"]


def read_expression(path: str | Path, *, tissues: str | Path | None = None) -> ExpressionMatrix:
    """Read a matrix whose first columns may be text: the one of them that names genes is used.

    Parameters
    ----------
    tissues
        A list of what the columns are called, one a line, or a table with a column ``Tissue``.

    Raises
    ------
    DataError
        The file is missing or damaged, no column names the genes, one stands there twice, a value
        is no number, or there are not as many tissues as names.
    """
    path = Path(path)
    text = plain_text(path, read_content(path))
    text = _same_widths(path, text[header_start(text) :])
    frame = parse_delimited(path, text, "\t")
    if not frame.height:
        raise DataError(path, "there is a header but no row", "check that the file is complete")
    gene = next((name for name in frame.columns if name.lower() in _GENE), None)
    if gene is None:
        raise DataError(
            path,
            f"no column names the genes among {', '.join(frame.columns[:4])}, …",
            "call it gene_id",
        )
    genes = frame.select(without_version(pl.col(gene)).alias("gene")).to_series()
    _refuse_rows(path, genes.is_null(), "the gene has no name", "fill it in")
    again = ~genes.is_first_distinct()
    named = str(genes[int(again.arg_max() or 0)])
    _refuse_rows(path, again, f"a second row of {named}", "keep one row a gene")
    names, values = _numbers(path, frame.drop(gene))
    if tissues is not None:
        told = read_tissues(tissues)
        if len(told) != len(names):
            raise DataError(
                tissues,
                f"it names {len(told)} tissues, but {path.name} has {len(names)}",
                "give the list that goes with the matrix",
            )
        names = told
    return ExpressionMatrix(genes, tuple(names), values)


def read_tissues(path: str | Path) -> list[str]:
    """Names of tissues, one a line, or from the column ``Tissue`` of a table.

    Raises
    ------
    DataError
        The file is missing or empty, or a name stands there twice.
    """
    path = Path(path)
    lines = [line.split("\t") for line in plain_text(path, read_content(path)).decode().split("\n")]
    rows = [[field.strip() for field in line] for line in lines if any(map(str.strip, line))]
    header = [name.lower() for name in rows[0]] if rows else []
    place = header.index("tissue") if "tissue" in header else 0
    rows = rows[1:] if "tissue" in header else rows
    names = [row[place] if place < len(row) else "" for row in rows]
    if not names:
        raise DataError(path, "it names no tissue", "write one a line")
    for row, name in enumerate(names, start=1):
        if not name or name in names[: row - 1]:
            problem = f"a second {name}" if name else "the tissue has no name"
            raise DataError(path, problem, "give every tissue a name of its own", row=row)
    return names


def _same_widths(path: Path, text: bytes) -> bytes:
    """The text without a delimiter at the end of every row, as Roadmap's matrices have.

    A row without its last columns is refused: it would read as values that are not known.
    """
    delimiter = column_names(text, "\t")[1].encode()
    lines = text.rstrip(b"\n").split(b"\n")
    if b'"' in text:
        return text
    width = lines[0].count(delimiter)
    if all(line.count(delimiter) == width + 1 for line in lines[1:]) and all(
        line.endswith(delimiter) for line in lines[1:]
    ):
        return b"\n".join([lines[0], *(line.removesuffix(delimiter) for line in lines[1:])])
    for row, line in enumerate(lines[1:], start=1):
        if line.count(delimiter) < width:
            raise DataError(
                path,
                f"{line.count(delimiter) + 1} fields where the header has {width + 1}",
                "complete the row, or write NA where a value is not known",
                row=row,
            )
    return text


def _numbers(path: Path, frame: pl.DataFrame) -> tuple[list[str], Float64[ndarray, "g t"]]:
    """The columns that hold numbers; those before the first of them may be text."""
    columns: list[ndarray] = []
    names: list[str] = []
    for name in frame.columns:
        text = frame[name]
        known = text.is_not_null()
        number = text.cast(pl.Float64, strict=False)
        wrong = known & ~(number.is_finite().fill_null(value=False))
        if wrong.all() and not columns:
            continue
        if wrong.any():
            row = int(wrong.arg_max() or 0)
            problem = f"{text[row]!r}, of {name}, is no number"
            raise DataError(path, problem, "correct it, or write NA", row=row + 1)
        if name and known.any():
            names.append(name)
            columns.append(number.fill_null(float("nan")).to_numpy())
    if not columns:
        raise DataError(path, "no column holds numbers", "give a gene a row and a tissue a column")
    return names, np.stack(columns, axis=1)


def _refuse_rows(path: Path, wrong: pl.Series, problem: str, remedy: str) -> None:
    if wrong.any():
        raise DataError(path, problem, remedy, row=int(wrong.arg_max() or 0) + 1)


def logarithm(path: Path, matrix: ExpressionMatrix, pseudocount: float) -> Float64[ndarray, "g t"]:
    """The natural logarithm of every value and a little more.

    Raises
    ------
    DataError
        A value is negative: it is no expression, or a logarithm already.
    """
    negative: Bool[ndarray, "g t"] = matrix.values < 0
    if negative.any():
        row, column = np.argwhere(negative)[0].tolist()
        raise DataError(
            path,
            f"{matrix.values[row, column]:g}, of {matrix.tissues[column]}, is negative",
            "give the values before any logarithm, or add --transform none",
            row=row + 1,
        )
    return np.log(matrix.values + pseudocount)

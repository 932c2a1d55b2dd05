"""``attendna predict``: what a trained model says of sequences of your own."""

import warnings
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from attendna.cli.options import Device, Force, Json, Precision, RunFolder, Source, SplitOption
from attendna.cli.output import counter, print_json, say
from attendna.core.errors import ConfigError
from attendna.core.formats import ANNOTATIONS, PEAKS, ending_of

OUTPUTS = (".parquet", ".tsv")


def predict(
    run: RunFolder,
    source: Source,
    *,
    out: Annotated[Path, typer.Option("--out", help="Where to write: .parquet or .tsv.")],
    split: SplitOption = "test",
    sequence_column: Annotated[
        str | None, typer.Option("--sequence-column", help="Column of the sequences.")
    ] = None,
    id_column: Annotated[
        str | None, typer.Option("--id-column", help="Column of the ids; `none` numbers the rows.")
    ] = None,
    device: Device = "auto",
    precision: Precision = "auto",
    force: Force = False,
    json: Json = False,
) -> None:
    """Predict for every sequence: its id, what is predicted, and the class called."""
    _check_names(source, out)
    from attendna.core.files import refuse_existing
    from attendna.prediction.predictions import PREDICTIONS
    from attendna.prediction.predictor import InputWarning
    from attendna.prediction.sequences import read_input
    from attendna.prediction.transfer import load_predictor

    refuse_existing(out, PREDICTIONS, force=force)
    predictor = load_predictor(run, device, precision)
    letters = predictor.checkpoint.input.letters
    given = read_input(
        source, letters, split=split, sequence_column=sequence_column, id_column=id_column
    )
    with (
        counter("predicting") as advance,
        warnings.catch_warnings(record=True, category=InputWarning) as caught,
    ):
        predictions = predictor.predict(
            given.sequences,
            given.ids,
            alternatives=given.alternatives,
            source=given.source,
            progress=advance,
        )
    for warning in caught:
        say(f"warning: {warning.message}")
    if predictor.checkpoint.label_kind in ("multilabel", "regression"):
        predictions.write(out, force=force)
        if json:
            print_json(
                {
                    "out": str(out),
                    "rows": len(given.ids),
                    "tracks": len(predictions.names),
                    "precision": predictions.precision,
                }
            )
        else:
            told = f"{len(predictions.names):,} tracks, in {predictions.precision}"
            say(f"wrote {out}: {len(given.ids):,} rows, {told}")
        return
    called = predictor.call(predictions)
    predictions.write(out, force=force, call=called)
    counts = Counter(called)
    if json:
        print_json(
            {
                "out": str(out),
                "rows": len(given.ids),
                "called": counts,
                "precision": predictions.precision,
            }
        )
    else:
        told = ", ".join(f"{count} {name}" for name, count in counts.most_common())
        say(f"wrote {out}: {told}, in {predictions.precision}")


def _check_names(source: Path, out: Path) -> None:
    """Refuse by the names of the files, before anything slow is imported."""
    if not source.is_dir() and ending_of(source) in (*PEAKS, *ANNOTATIONS):
        raise ConfigError(
            f"{source}: intervals need a genome, which predict does not read yet",
            "extract the sequences to FASTA, e.g. with bedtools getfasta",
        )
    if out.suffix not in OUTPUTS:
        raise ConfigError(f"--out {out}: the ending is not known", f"use {' or '.join(OUTPUTS)}")

"""``attendna interpret ism``: mutate every base in silico and see what changes."""

import math
from pathlib import Path
from typing import Annotated, Any

import typer

from attendna.cli.first_sequences import first_sequences
from attendna.cli.options import (
    Device,
    FinePrecision,
    Force,
    Json,
    Out,
    RunFolder,
    Source,
    SplitOption,
)
from attendna.cli.output import counter, print_json, say, spell_number


def interpret_ism(
    run: RunFolder,
    source: Source,
    *,
    out: Out,
    target: Annotated[
        str | None, typer.Option("--target", help="Class to follow; by default the predicted one.")
    ] = None,
    split: SplitOption = "test",
    limit: Annotated[
        int, typer.Option("--limit", min=1, help="Sequences to take from the start of INPUT.")
    ] = 100,
    truth: Annotated[
        Path | None,
        typer.Option("--truth", help="truth.parquet of `data simulate`, to score against."),
    ] = None,
    device: Device = "auto",
    precision: FinePrecision = "fp32",
    force: Force = False,
    json: Json = False,
) -> None:
    """Substitute every base of every sequence by the other three and predict again.

    Writes scores.parquet with a row a base (its importance, and the change of the log-odds by each
    substitution) and logo.svg with the first sequences. With two classes the positive one is
    followed.
    """
    from attendna.core.files import refuse_existing
    from attendna.interpret.mutagenesis import ISM, saturation_mutagenesis

    refuse_existing(out, ISM, force=force)
    import numpy as np

    from attendna.interpret.truth import base_auroc, read_truth
    from attendna.prediction.predictor import Predictor

    predictor = Predictor.load(run, device, precision)
    given = first_sequences(source, predictor.checkpoint.input.letters, split, limit)
    ids, sequences = given.ids, given.sequences
    known = None if truth is None else read_truth(truth, ids, int(sequences.lengths.max()))
    with counter("mutating") as advance:
        result = saturation_mutagenesis(
            predictor, sequences, ids, target=target, source=given.source, progress=advance
        )
    result.write(out, known, force=force)
    summary: dict[str, Any] = {"out": out, "sequences": len(ids), "bases": sequences.codes.size}
    summary["precision"] = predictor.precision
    if known is not None:
        scored = base_auroc(result.importance(), known)
        summary["scored"] = int(np.isfinite(scored).sum())
        summary["base_auroc"] = float(np.nanmean(scored)) if summary["scored"] else math.nan
    if json:
        print_json(summary)
        return
    told = f"{len(ids)} sequences, in {predictor.precision}"
    say(f"wrote {out}: scores.parquet and logo.svg of {told}")
    if known is not None:
        say(
            f"mean base-level AUROC {spell_number(summary['base_auroc'], '.3f')} over "
            f"{summary['scored']} sequences that hold known motifs"
        )

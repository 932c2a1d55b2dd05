"""``attendna interpret motifs``: which motifs a model reads, and which its predictions follow."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from attendna.cli.first_sequences import first_sequences
from attendna.cli.options import (
    Device,
    Force,
    Json,
    Out,
    Resamples,
    RunFolder,
    Seed,
    Source,
    SplitOption,
)
from attendna.cli.output import counter, print_json, say
from attendna.core.outputs import OutputFolder

if TYPE_CHECKING:
    from attendna.genome.motif import Motif
    from attendna.genome.motif_matches import MotifMatches
    from attendna.report.motifs import MotifsPage

MOTIFS = OutputFolder("motifs")
PAGE_FILE = "motifs.html"
MOTIFS_FILE = "motifs.parquet"
MATCHES_FILE = "matches.parquet"
DRAWN = 8
"""Motifs in the picture."""


def interpret_motifs(
    run: RunFolder,
    source: Source,
    *,
    out: Out,
    motifs: Annotated[
        str,
        typer.Option(
            "--motifs",
            metavar="FILE",
            help="A MEME, JASPAR, HOMER, HOCOMOCO or TRANSFAC file; jaspar, or "
            "jaspar:TAXON (plants, insects, …).",
        ),
    ] = "jaspar",
    p_value: Annotated[
        float, typer.Option("--p-value", min=1e-12, max=0.01, help="Of a match, at most.")
    ] = 1e-4,
    split: SplitOption = "test",
    limit: Annotated[
        int, typer.Option("--limit", min=1, help="Sequences to take from the start of INPUT.")
    ] = 100,
    mutate: Annotated[
        int, typer.Option("--mutate", min=1, help="Sequences whose bases are mutated.")
    ] = 100,
    truth: Annotated[
        Path | None,
        typer.Option("--truth", help="truth.parquet of `data simulate`, to score against."),
    ] = None,
    resamples: Resamples = 2000,
    seed: Seed = 0,
    device: Device = "auto",
    force: Force = False,
    json: Json = False,
) -> None:
    """Find which motifs attract attention, and which of them predictions depend on.

    Writes motifs.parquet with a row a motif and score (attention, rollout, importance by mutating
    bases): how much more of it lies on the motif's matches than elsewhere, and than on matches of
    its shuffled columns; matches.parquet; and motifs.html. Attention is not attribution: how well
    it finds what matters is told beside it.
    """
    from attendna.core.files import publish_folder, refuse_existing

    refuse_existing(out, MOTIFS, force=force)
    import numpy as np

    from attendna.core.parquet import write_parquet
    from attendna.genome.motif_matches import find_matches
    from attendna.genome.motif_source import open_motifs
    from attendna.interpret.attention_profiles import attention_profiles
    from attendna.interpret.base_scores import agreement, base_scores, found, share_of_bases
    from attendna.interpret.motif_reading import LEVEL, SHUFFLES, read_in_motifs, shuffled_matches
    from attendna.interpret.truth import read_truth
    from attendna.prediction.predictor import Predictor
    from attendna.report.motifs import MotifsPage

    opened = open_motifs(motifs)
    chosen, told = opened.motifs, opened.told
    # Small differences between nearly equal numbers: bf16 would round them away.
    predictor = Predictor.load(run, device, precision="fp32")
    given = first_sequences(source, predictor.checkpoint.input.letters, split, limit)
    ids, sequences = given.ids, given.sequences
    known = None if truth is None else read_truth(truth, ids, int(sequences.lengths.max()))
    with counter("looking") as advance:
        profiles = attention_profiles(
            predictor, sequences, ids, maps=0, source=given.source, progress=advance
        )
    say(f"matching {len(chosen):,} motifs; the first time ever this takes a minute more")
    matches = find_matches(chosen, sequences, p_value)
    _refuse_none(matches, p_value)
    generator = np.random.default_rng(seed)
    shuffled = shuffled_matches(chosen, sequences, p_value, generator)
    with counter("mutating") as advance:
        scores = base_scores(
            predictor, profiles, mutate=mutate, source=given.source, progress=advance
        )
    table = read_in_motifs(scores, matches, shuffled, generator, resamples)
    page = MotifsPage(
        run.name,
        len(ids),
        table,
        LEVEL,
        agreement(scores, generator, resamples),
        None if known is None else found(scores, known, generator, resamples),
        math.nan if known is None else share_of_bases(scores, known),
        _logos(chosen, table),
        [
            ("Motifs", told),
            ("Matches", f"by FIMO's p-values (memelite), {p_value:g} at most, on both strands"),
            ("Mutated", f"every base of {min(mutate, len(ids)):,} sequences"),
            ("Shuffled columns", f"{SHUFFLES} orders of each motif, seed {seed}"),
            ("Intervals", f"95 %, bootstrap over sequences, {resamples:,} resamples"),
            ("Tests", "Student's t of the difference, corrected by Benjamini and Hochberg"),
        ],
    )
    with publish_folder(out, MOTIFS, force=force) as partial:
        write_parquet(table, partial / MOTIFS_FILE, precision=predictor.precision)
        write_parquet(matches.to_frame(ids), partial / MATCHES_FILE)
        page.sheet().write(partial / PAGE_FILE)
    summary = _summary(page, matches)
    if json:
        print_json({"out": out, "sequences": len(ids), "source": told, **summary})
        return
    _tell(out, page, summary)


def _refuse_none(matches: "MotifMatches", p_value: float) -> None:
    from attendna.core.errors import ConfigError

    if not matches.counts().any():
        raise ConfigError(
            f"no motif matches at a p-value of {p_value:g}",
            "raise --p-value (a word of 6 bases has 0.00024, of 7 bases 0.00006), or give other "
            "motifs",
        )


def _logos(motifs: list["Motif"], table: Any) -> str:
    """The motifs of most attention, drawn."""
    from attendna.interpret.motif_logo import draw_motifs

    named = {motif.name: motif for motif in motifs}
    tested = table.filter(score="attention").drop_nulls("difference").head(DRAWN)
    notes = [
        f"attention: AUROC {row['auroc']:.3f}, shuffled {row['shuffled_auroc']:.3f}; "
        f"{row['matches']:,} matches"
        for row in tested.iter_rows(named=True)
    ]
    return draw_motifs([named[name] for name in tested["motif"]], notes) if notes else ""


def _summary(page: "MotifsPage", matches: "MotifMatches") -> dict[str, Any]:
    from attendna.interpret.attention_profiles import WAYS
    from attendna.interpret.base_scores import IMPORTANCE

    standing = {score: page.standing_out(score) for score in (*WAYS, IMPORTANCE)}
    truth = page.truth and {
        name: {key: value._asdict() for key, value in each.items()}
        for name, each in page.truth.items()
    }
    return {
        "motifs": len(matches.motifs),
        "matched": int((matches.counts() > 0).sum()),
        "matches": len(matches.row),
        "standing_out": {score: rows["motif"].to_list() for score, rows in standing.items()},
        "agreement": {way: value._asdict() for way, value in page.agreement.items()},
        "planted": truth and {"share": page.chance, **truth},
        "warning": page.warning,
    }


def _tell(out: Path, page: "MotifsPage", summary: dict[str, Any]) -> None:
    say(f"wrote {out}: {MOTIFS_FILE}, {MATCHES_FILE} and {PAGE_FILE}")
    say(f"{summary['matched']:,} of {summary['motifs']:,} motifs match, in all at "
        f"{summary['matches']:,} places")  # fmt: skip
    for score, names in summary["standing_out"].items():
        first = f", first {', '.join(names[:3])}" if names else ""
        say(f"standing out by {score}, above their shuffled columns: {len(names)}{first}")
    say(f"warning: {page.warning}")

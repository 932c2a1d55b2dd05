"""``attendna data audit``: can a data set be solved without learning any biology?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from attendna.cli.options import Force, Json, Seed
from attendna.cli.output import console, print_json, say

if TYPE_CHECKING:
    from attendna.tasks.audit.audit import Audit

COLORS = {"clean": "green", "take care": "yellow", "leaks": "red"}


def data_audit(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DIR", help="A task folder, or a folder SPLIT/CLASS.csv.gz of intervals."
        ),
    ],
    *,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Where to write the audit; by default into a task folder."),
    ] = None,
    seed: Seed = 0,
    force: Force = False,
    json: Json = False,
) -> None:
    """Look for what the splits share, and for leak rules that are right without learning anything.

    What a regression on k-mers learns is listed apart: a model must beat it, and it says nothing
    against the data.

    audit.json is written into a task folder, where reports and `data show` find it.
    """
    from attendna.core.files import refuse_existing
    from attendna.tasks.audit.audit import AUDIT, AUDIT_FILE, audit
    from attendna.tasks.store import SPEC_FILE

    target = out or (folder / AUDIT_FILE if (folder / SPEC_FILE).is_file() else None)
    # The audit of a task folder is brought up to date.
    replace = force or out is None
    if target is not None:
        refuse_existing(target, AUDIT, force=replace)
    found = audit(folder, seed=seed)
    if target is not None:
        found.write(target, force=replace)
    if json:
        print_json(found.model_dump())
        return
    show(found)
    if target is not None:
        say(f"wrote {target}")
    if found.level == "leaks":
        say("`attendna data clean` writes a version whose splits share nothing")


def show(audit: "Audit") -> None:
    """Print an audit: the verdict of each split, its findings, its rules and baselines."""
    from rich.table import Table
    from rich.text import Text

    out = console()
    out.print(f"{audit.name}: {audit.rows:,} rows", markup=False)
    for split in audit.splits:
        level = (split.level, f"bold {COLORS[split.level]}")
        out.print(Text.assemble("\n", (split.split, "bold"), f", {split.n:,} rows: ", level))
        for finding in split.findings:
            out.print(f"  - {finding}", markup=False)
        for omission in split.left_out:
            out.print(f"  not looked for: {omission}", markup=False)
        for title, results in (
            ("leak rule", split.of_kind("reference", "leak rule")),
            ("learning baseline", split.of_kind("baseline")),
        ):
            if not results:
                continue
            table = Table(title, "predicts", results[0].measure, "95 % interval")
            for one in results:
                found = one.found
                ends = f"{found.low:.4f} to {found.high:.4f}"
                table.add_row(one.rule, one.says, f"{found.value:.4f}", ends)
            out.print(table)

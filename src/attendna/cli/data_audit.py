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
    """Look for what the splits share, and for rules that are right without learning anything.

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
    """Print an audit: the verdict of each split, its findings, and how often rules are right."""
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
        if not (split.rules or split.scores):
            continue
        table = Table("rule", "says", "Spearman" if split.scores else "right", "95 % interval")
        for score in split.scores:
            said = score.spearman
            table.add_row(
                score.rule, score.says, f"{said.value:.4f}", f"{said.low:.4f} to {said.high:.4f}"
            )
        for rule in split.rules:
            right = rule.accuracy
            table.add_row(
                rule.rule, rule.says, f"{right.value:.4f}", f"{right.low:.4f} to {right.high:.4f}"
            )
        out.print(table)

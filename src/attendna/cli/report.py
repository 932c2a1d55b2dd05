"""``attendna report``: the page that shows a run."""

from pathlib import Path
from typing import Annotated

import typer

from attendna.cli.options import Force, Json, RunFolder
from attendna.cli.output import print_json, say


def report(
    run: RunFolder,
    *,
    out: Annotated[Path, typer.Option("--out", help="The HTML file to write.")],
    task: Annotated[
        Path | None,
        typer.Option("--task", help="Its task folder, for the data card and the examples."),
    ] = None,
    ism: Annotated[
        Path | None,
        typer.Option(
            "--ism", help="What `interpret ism` made of this run; by default RUN/ism, if there."
        ),
    ] = None,
    force: Force = False,
    json: Json = False,
) -> None:
    """Write one self-contained HTML page: data, training, measures, curves, examples, model."""
    from attendna.report.html import write_report

    page = write_report(run, out, task, ism_folder=ism, force=force)
    size = page.stat().st_size
    if json:
        print_json({"report": page, "bytes": size})
    else:
        say(f"wrote {page} ({size / 1e6:.1f} MB); open it in a browser")

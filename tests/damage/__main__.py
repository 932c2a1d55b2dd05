"""Damage files of every kind and read them: ``python -m tests.damage --count 2000 --seed 0``.

Each kind is read in a process of its own that may have 8 GB. What is counted: processes that
crashed or hung, errors that are no UserError, and files whose end is missing and that were read as
if they were whole. Of the first of each, the file is kept.
"""

import argparse
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table
from tests.damage.campaign import OUTCOMES, Campaign, work
from tests.damage.kinds import KINDS


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.damage", description=__doc__)
    parser.add_argument("--count", type=int, default=1000, help="damaged files a kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kind", action="append", choices=[*KINDS], help="only this, repeatable")
    parser.add_argument("--keep", type=Path, help="folder for files that did harm")
    parser.add_argument("--gigabytes", type=float, default=8.0, help="memory of a process")
    parser.add_argument("--work", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        work(options.work)
        return 0
    table = Table(title=f"{options.count:,} damaged files a kind, seed {options.seed}")
    table.add_column("kind")
    for name in OUTCOMES:
        table.add_column(name, justify="right")
    log, harm = Console(stderr=True, highlight=False), 0
    for name in options.kind or KINDS:
        campaign = Campaign(name, options.count, options.seed, options.gigabytes, options.keep)
        campaign.run()
        harm += campaign.harm
        table.add_row(name, *campaign.cells())
        log.print(name, *campaign.cells(), *campaign.told, markup=False, soft_wrap=True)
    Console(width=120).print(table)
    return int(harm > 0)


if __name__ == "__main__":
    sys.exit(main())

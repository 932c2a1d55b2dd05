"""The whole route of a DNABERT of one's own, from genomes to confusion matrices before and after.

    python recipes/dnabert.py --data ../shared/data --out runs/dnabert

A BERT of overlapping 6-mers is pretrained on yeast and regions of two human and one mouse assembly
(33 Mb; wherever validation and test rows of the task lie is left out), exported in the layout of
Hugging Face, read again as the checkpoint of a stranger, and tried at the four published learning
rates on 500 rows a class; with the best it learns all training rows. What it says of the test rows
before and after is in OUT/run/finetuning.html, the search in OUT/rates/tune.html.

Each step is a command of attendna, which is printed; what is done already is not done again.
"""

import argparse
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

GENOMES = ("sacCer3", "hg38_regions", "hg19_regions", "mm10_regions")
TASK = "genomic_benchmarks/human_enhancers_cohn_test_folds"


def attendna(*words: str | Path) -> None:
    """Run one command of attendna."""
    command = ["attendna", *map(str, words)]
    print("$", shlex.join(command), flush=True)
    subprocess.run([sys.executable, "-m", *command], check=True)


def route(
    genomes: Sequence[Path],
    task: Path,
    out: Path,
    *,
    pretraining: Path,
    changes: Sequence[str],
    rows: int,
) -> None:
    """From genomes and a task to a model that is measured before and after."""
    language, checkpoint, rates, run = (
        out / name for name in ("language", "checkpoint", "rates", "run")
    )
    given = [word for genome in genomes for word in ("--genome", genome)]
    attendna("pretrain", pretraining, *given, "--exclude", task, "--out", language, "--resume",
             *changes)  # fmt: skip
    if not checkpoint.exists():
        attendna("export", language, "--out", checkpoint)
    # What finetune does with the best, the search need not do before it.
    attendna("tune", "tune_learning_rate", "--from", checkpoint, "--task", task,
             "--out", rates, "--trials", "4", "--set", f"subset.rows_a_class={rows}",
             "--set", "subset.best=0")  # fmt: skip
    attendna("finetune", rates / "best.yaml", "--from", checkpoint, "--task", task, "--out", run,
             "--resume")  # fmt: skip


def main() -> None:
    """Do what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the shared data")
    parser.add_argument("--out", type=Path, default=Path("runs/dnabert"))
    parser.add_argument("--task", type=Path, help="another task folder than enhancers of Cohn")
    parser.add_argument("--genome", type=Path, nargs="+", help="other genomes than those in data")
    parser.add_argument("--pretraining", type=Path, default=Path("pretrain_bert"))
    parser.add_argument("--set", action="append", default=[], help="override of the pretraining")
    parser.add_argument("--rows", type=int, default=500, help="rows a class to try the rates on")
    options = parser.parse_args()
    genomes = options.genome or [options.data / "genome" / f"{name}.fa.gz" for name in GENOMES]
    task = options.task or options.out / "task"
    if not task.exists():
        attendna("data", "get", TASK, "--mirror", options.data, "--out", task)
    changes = [word for change in options.set for word in ("--set", change)]
    route(
        genomes, task, options.out,
        pretraining=options.pretraining, changes=changes, rows=options.rows,
    )  # fmt: skip


if __name__ == "__main__":
    main()

"""Train the recipe ``classify`` on the complete GUE sets, and write the table of test MCC.

    python recipes/gue.py --mirror ../shared/data --out runs/gue

Every set is fetched, trained and evaluated once on its test split, by the command line as a user
would. Two sets run side by side by default, each on one thread; a set that is done stays as it is.
The table goes to ``OUT/table.md``.

The published numbers are test MCC x 100 as the papers print them: DNABERT-2 and DNABERT
(Zhou et al. 2024), CNN and Caduceus (Lindsey et al. 2024); "best" is the best of all models there.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# set: (CNN from scratch, DNABERT, Caduceus, DNABERT-2, best published)
PUBLISHED = {
    "tf0": (58.24, 66.57, 66.37, 71.99, 71.99),
    "tf1": (64.33, 70.26, 71.57, 76.06, 76.06),
    "tf2": (54.22, 65.37, 70.47, 66.52, 70.47),
    "tf3": (35.74, 55.14, 53.89, 58.54, 58.54),
    "mouse0": (29.40, 45.23, 61.00, 56.76, 64.23),
    "mouse2": (57.42, 72.59, 84.49, 79.32, 84.49),
    "mouse3": (38.55, 65.30, 82.75, 66.47, 82.75),
    "prom_core_all": (61.70, 70.75, 65.64, 69.37, 70.75),
    "prom_core_notata": (61.59, 70.83, 67.46, 68.04, 71.58),
    "prom_core_tata": (76.11, 76.41, 59.46, 74.17, 78.50),
    "prom_300_tata": (71.18, 67.50, 58.11, 71.59, 79.43),
}


def attendna(*words: str, environment: dict[str, str]) -> None:
    """Run one command of attendna."""
    subprocess.run(
        [sys.executable, "-m", "attendna.cli.main", *words],
        check=True, env=environment, stdout=subprocess.DEVNULL,
    )  # fmt: skip


def run_set(name: str, out: Path, mirror: str, threads: int, overrides: list[str]) -> None:
    """Fetch, train and evaluate one set; what is there already is kept."""
    task, run, seconds = out / name / "task", out / name / "run", out / name / "seconds.json"
    environment = os.environ | {"OMP_NUM_THREADS": str(threads), "OMP_WAIT_POLICY": "passive"}
    started = time.time()
    if not task.exists():
        attendna("data", "get", f"gue/{name}", "--mirror", mirror, "--out", str(task),
                 environment=environment)  # fmt: skip
    if not (run / "model.safetensors").exists():
        settings = [f"trainer.threads={threads}", *overrides]
        words = [word for setting in settings for word in ("--set", setting)]
        attendna("train", "classify", "--task", str(task), "--out", str(run), "--resume", *words,
                 environment=environment)  # fmt: skip
        seconds.write_text(json.dumps(round(time.time() - started)))
        attendna("evaluate", str(run), "--task", str(task), "--split", "test",
                 environment=environment)  # fmt: skip
    print(name, *(f"{value:.3f}" for value in test_mcc(run)), flush=True)


def test_mcc(run: Path) -> tuple[float, float, float]:
    """Value and 95 % interval of the test split's MCC."""
    rows = json.loads((run / "metrics.json").read_text())
    row = next(row for row in rows if (row["split"], row["metric"]) == ("test", "mcc"))
    return row["value"], row["low"], row["high"]


def table(out: Path) -> str:
    """The table in Markdown, of the sets that are there."""
    head = ["set", "n", "attendna (95 % interval)", "variant", "parameters", "minutes"]
    head += ["CNN", "DNABERT", "Caduceus", "DNABERT-2", "best"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    ours: list[float] = []
    for name, published in PUBLISHED.items():
        run = out / name / "run"
        if not (run / "metrics.json").exists():
            continue
        value, low, high = test_mcc(run)
        rows = json.loads((run / "metrics.json").read_text())
        n = next(row["n"] for row in rows if row["split"] == "test")
        chosen = " + ".join(json.loads((run / "search.json").read_text())["chosen"])
        minutes = json.loads((out / name / "seconds.json").read_text()) / 60
        mark = "**" if 100 * value > published[-1] else ""
        mcc = f"{mark}{100 * value:.1f}{mark} ({100 * low:.1f} to {100 * high:.1f})"
        cells = [name, f"{n:,}", mcc, chosen, f"{parameters(run):,}", f"{minutes:.1f}"]
        cells += [f"{number:.1f}" for number in published]
        lines.append("| " + " | ".join(cells) + " |")
        ours.append(value)
    means = [sum(column) / len(ours) for column in zip(*PUBLISHED.values(), strict=True)]
    if len(ours) == len(PUBLISHED):
        mean = f"**{100 * sum(ours) / len(ours):.1f}**"
        cells = ["mean", "", mean, "", "", "", *(f"{value:.1f}" for value in means)]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def parameters(run: Path) -> int:
    """Trainable numbers of all members together, as the head of the weights says."""
    from attendna.models.checkpoint import load

    return load(run)[1].parameter_count()


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mirror", required=True, help="folder with the GUE files")
    parser.add_argument("--out", type=Path, default=Path("runs/gue"))
    parser.add_argument("--sets", nargs="+", choices=PUBLISHED, default=list(PUBLISHED))
    parser.add_argument("--lanes", type=int, default=2, help="sets trained at a time")
    parser.add_argument("--threads", type=int, default=1, help="threads of each")
    parser.add_argument("--set", action="append", default=[], help="override of the recipe")
    options = parser.parse_args()
    with ThreadPoolExecutor(options.lanes) as lanes:
        for future in [
            lanes.submit(run_set, n, options.out, options.mirror, options.threads, options.set)
            for n in options.sets
        ]:
            future.result()
    text = table(options.out)
    (options.out / "table.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()

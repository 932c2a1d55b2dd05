"""``attendna demo``: the whole way on simulated data, in minutes on two cores."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from attendna.cli.options import Force, Json, Out, Seed
from attendna.cli.output import print_json, say
from attendna.core.outputs import PAGE, OutputFolder

SIMULATION: dict[str, Any] = {"length": 150, "negatives": ["shuffled", "single"]}
"""Positives hold two motifs; negatives one of them, or both with their letters in another order."""

SETTINGS: dict[str, Any] = {
    "tokenizer": "onehot",
    "model": {
        "name": "encoder",
        "stem": {"name": "convolution", "channels": 64, "kernel": 15, "pool": 4},
        "width": 64,
        "blocks": 1,
    },
    "strands": "conjoined",
    "optimizer": {"learning_rate": 4e-3},
    "trainer": {"epochs": 9, "batch_size": 128, "monitor": "auroc"},
}

EXPLAINED = 24
"""Test sequences that are mutated base by base."""

PARTS = ("simulated", "run", "ism", "report.html")
DEMO = OutputFolder("demo", added=("simulated/*", "run/*", "ism/*", "report.html"))
"""Its parts are looked at each by itself."""

SHOWN = ("auroc", "auprc", "mcc", "accuracy", "ece")


def demo(
    out: Out,
    *,
    sequences: Annotated[
        int, typer.Option("--sequences", min=100, help="Training sequences to simulate.")
    ] = 4000,
    seed: Seed = 0,
    force: Force = False,
    json: Json = False,
) -> None:
    """Run every step on simulated data: train, evaluate, compare, interpret, report.

    Motifs are planted in random sequences, a small attention model learns to tell them, and
    mutagenesis in silico shows which bases it looks at; since the truth is known, so is how many of
    them are right.
    """
    from attendna.core.files import publish_folder

    _refuse_existing(out, force=force)
    begun = time.monotonic()
    with publish_folder(out, DEMO, force=force):
        # The steps fill it in view.
        pass
    result = run_demo(out, sequences, seed)
    result["seconds"] = round(time.monotonic() - begun, 1)
    say(f"done in {result['seconds']:.0f} s; open {result['report']} in a browser")
    if json:
        print_json(result)


def _refuse_existing(out: Path, *, force: bool) -> None:
    from attendna.core.files import refuse_existing

    refuse_existing(out, DEMO, force=force)
    if out.exists():
        from attendna.interpret.mutagenesis import ISM
        from attendna.tasks.spec import TASK
        from attendna.training.run import RUN

        for part, kind in zip(PARTS, (TASK, RUN, ISM, PAGE), strict=True):
            refuse_existing(out / part, kind, force=force)


def run_demo(out: Path, sequences: int, seed: int) -> dict[str, Any]:
    """All steps in an empty folder."""
    from attendna.core.config import parse
    from attendna.evaluation.compare import BASELINE, compare
    from attendna.evaluation.evaluate import evaluate
    from attendna.report.html import write_report
    from attendna.tasks.simulate import SimulationSettings, simulate
    from attendna.training.run import RunConfig
    from attendna.training.train import train

    task, run, ism, report = (out / part for part in PARTS)

    simulation = SimulationSettings(
        **SIMULATION, train=sequences, valid=sequences // 8, test=sequences // 4, seed=seed
    )
    say(f"1 of 6  simulate {sequences} sequences with {' and '.join(simulation.motifs)}: {task}")
    simulate(task, simulation)

    say(f"2 of 6  train a model with one layer of attention: {run}")
    train(parse(RunConfig, SETTINGS | {"seed": seed}, "demo"), task, run)

    say("3 of 6  evaluate it on test rows that it has never seen")
    evaluated = evaluate(run, task)
    for row in evaluated.rows:
        if row.metric in SHOWN:
            say(f"        {row.metric} {row.value:.3f} ({row.low:.3f} to {row.high:.3f})")

    say("4 of 6  compare it with a logistic regression on 5-mers")
    comparison = compare([run], task, baseline=True)
    mcc = next(t for t in comparison.tests if t.metric == "mcc")
    baseline = next(r for r in comparison.rows if (r.run, r.metric) == (BASELINE, "mcc"))
    say(
        f"        mcc of the regression {baseline.value:.3f}; the model is better by "
        f"{-mcc.difference:+.3f} ({-mcc.high:+.3f} to {-mcc.low:+.3f}), p {mcc.p_value:.2g}"
    )

    say(f"5 of 6  mutate every base of {EXPLAINED} sequences: {ism}")
    recovered = explain(run, task, ism)
    say(f"        base-level AUROC of the planted motifs {recovered:.3f}")

    say(f"6 of 6  write the report: {report}")
    write_report(run, report, task, ism_folder=ism)
    return {
        "task": task,
        "run": run,
        "ism": ism,
        "report": report,
        "test": {row.metric: row.value for row in evaluated.rows},
        "baseline_mcc": baseline.value,
        "base_auroc": recovered,
    }


def explain(run: Path, task: Path, out: Path) -> float:
    """Mutate positive test sequences; gives the mean base-level AUROC of the planted motifs."""
    import numpy as np

    from attendna.interpret.mutagenesis import saturation_mutagenesis
    from attendna.interpret.truth import base_auroc
    from attendna.prediction.predictor import Predictor
    from attendna.tasks.simulate import planted_bases
    from attendna.tasks.store import open_task

    simulated = open_task(task, ("test",))
    split = simulated.read("test")
    rows = np.flatnonzero(split.labels == 1)[:EXPLAINED]
    truth = planted_bases(simulated, split).reshape(len(split), -1)[rows]
    # Small differences between nearly equal numbers: bf16 would round them away.
    predictor = Predictor.load(run, precision="fp32")
    result = saturation_mutagenesis(
        predictor, split.sequences.take(rows), [split.ids[row] for row in rows]
    )
    result.write(out, truth)
    return float(np.nanmean(base_auroc(result.importance(), truth)))

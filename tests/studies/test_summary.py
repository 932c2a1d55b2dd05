import math

import numpy as np
import pytest
from tests.studied import Done

from attendna.evaluation.compare import BASELINE, compare
from attendna.evaluation.evaluate import read_metrics
from attendna.studies.execute import StudyFolder
from attendna.studies.results import runs_of
from attendna.studies.study import Study
from attendna.studies.summary import Line, summarize


def line_of(studied: Done, row: str, metric: str) -> Line:
    lines = studied.result.summaries[0].lines
    return next(line for line in lines if (line.row, line.metric) == (row, metric))


@pytest.mark.parametrize("row", ["narrow", "wide"])
@pytest.mark.parametrize("metric", ["auroc", "mcc", "accuracy"])
def test_means_and_spreads_are_those_of_the_runs(studied: Done, row: str, metric: str) -> None:
    values = [
        measured["value"]
        for seed in (3, 5)
        for measured in read_metrics(studied.out / "runs" / "Planted" / row / str(seed))
        if (measured["split"], measured["metric"]) == ("test", metric)
    ]
    line = line_of(studied, row, metric)
    assert line.value == pytest.approx(np.mean(values))
    assert line.sd == pytest.approx(np.std(values, ddof=1))
    assert line.low <= line.value <= line.high
    assert line.runs == 2


def test_of_one_seed_the_test_is_that_of_compare(studied: Done) -> None:
    study: Study = studied.result.study
    folder = StudyFolder(studied.out)
    runs = [run for run in runs_of(study, folder) if run.seed == 5]
    (summary,) = summarize(study, runs, {"Planted": studied.task.folder}, folder)
    line = next(one for one in summary.lines if (one.row, one.metric) == ("wide", "auroc"))
    mine = [studied.out / "runs" / "Planted" / row / "5" for row in ("narrow", "wide")]
    test = compare(mine, studied.task.folder, device="cpu").tests[0]
    assert (test.metric, test.test) == ("auroc", "bootstrap")
    assert line.difference == pytest.approx(test.difference)
    assert line.difference_low == pytest.approx(test.low, abs=0.02)
    assert line.difference_high == pytest.approx(test.high, abs=0.02)
    assert math.isnan(line.sd)


def test_baselines_and_the_paper_stand_beside(studied: Done) -> None:
    assert line_of(studied, "wide", "auroc").paper == 0.75
    assert math.isnan(line_of(studied, "narrow", "auroc").paper)
    assert math.isnan(line_of(studied, "narrow", "auroc").difference)
    assert line_of(studied, BASELINE, "auroc").kind == "baseline"
    majority = line_of(studied, "majority", "accuracy")
    assert majority.kind == "reference"
    assert line_of(studied, "look-up", "accuracy").kind == "leak rule"
    assert not [line for line in studied.result.summaries[0].lines if line.row == "k-mers"]
    assert majority.value == 0.5
    summary = studied.result.summaries[0]
    assert summary.n == 60
    assert summary.level in ("clean", "take care", "leaks")
    assert "wild" not in summary.to_frame()["row"]

from tests.studied import Done

from attendna.studies.table import by_metric, cells, costs, markdown, told_failures, verdict


def test_all_of_a_study_is_in_the_table(studied: Done) -> None:
    result = studied.result
    text = markdown(result.study, result.summaries, result.results)
    (summary,) = result.summaries
    line = next(one for one in summary.lines if (one.row, one.metric) == ("wide", "auroc"))
    assert text.startswith("# Widths\n\nIs wide better?\n")
    assert "The difference is from narrow" in text
    assert verdict(summary) in text
    row = f"| wide | {line.value:.4f} | {line.sd:.4f} | {line.low:.4f} to {line.high:.4f} | "
    assert row in text
    assert " | 0.75 | 2 |\n" in text
    assert "| *majority (reference)* | 0.5000 |" in text
    assert "| *5-mer regression (baseline)* |" in text
    assert "| *look-up (leak rule)* |" in text
    assert "| Planted | wild | 0 of 2 | – | – |  |" in text
    assert "- Planted wild seed 3 diverged: the prediction of row 1" in text


def test_cells_are_text(studied: Done) -> None:
    (summary,) = studied.result.summaries
    assert list(by_metric(summary.lines)) == ["auroc", "mcc", "accuracy"]
    line = by_metric(summary.lines)["auroc"][0]
    assert cells(line)[0] == "narrow"
    assert cells(line)[4:8] == ("", "", "", "")
    assert costs(studied.result.results, {"Planted": "auroc"})[0][:3] == (
        "Planted",
        "narrow",
        "2 of 2",
    )
    assert len(list(told_failures(studied.result.results))) == 2

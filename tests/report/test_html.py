import base64
import gzip
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import plotly.graph_objects as go
import polars as pl
import pytest
from plotly.offline import get_plotlyjs
from tests.report.conftest import metric_rows

from attendna.core.errors import FolderError
from attendna.interpret.mutagenesis import saturation_mutagenesis
from attendna.prediction.predictor import Predictor
from attendna.report.html import write_report
from attendna.report.template import measure
from attendna.tasks.spec import Source, TaskSpec
from attendna.tasks.store import Task, open_task, write_task

LOADS = {"src", "srcset", "href", "action", "poster", "background", "formaction", "data"}
HOSTILE = "<script>alert(1)</script>"


class Parsed(HTMLParser):
    """The page's elements, its text, and the data values of its tables."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.values: dict[tuple[str, str, str], list[str]] = {}
        self._cell: tuple[str, str, str] | None = None
        self._raw: str | None = None
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.elements.append((tag, found))
        self._raw = tag if tag in ("script", "style") else None
        if tag == "script":
            self.scripts.append((found, ""))
        if tag == "td":
            keys = [found.get(f"data-{key}") for key in ("task", "split", "metric")]
            self._cell = tuple(keys) if all(keys) else None  # type: ignore[assignment]
        if tag == "data" and self._cell:
            self.values.setdefault(self._cell, []).append(str(found["value"]))

    def handle_endtag(self, tag: str) -> None:
        self._raw = None if tag == self._raw else self._raw

    def handle_data(self, data: str) -> None:
        if self._raw == "script":
            self.scripts[-1] = (self.scripts[-1][0], self.scripts[-1][1] + data)
        elif self._raw is None:
            self.text.append(data)

    @property
    def prose(self) -> str:
        """What a reader sees, on one line."""
        return re.sub(r"\s+", " ", "".join(self.text))

    @property
    def charts(self) -> list[dict[str, object]]:
        """The figures."""
        return [
            json.loads(text)
            for found, text in self.scripts
            if found.get("type") == "application/json"
        ]


@pytest.fixture(scope="module")
def full(trained: Path, task: Task, tmp_path_factory: pytest.TempPathFactory) -> str:
    out = write_report(trained, tmp_path_factory.mktemp("page") / "report.html", task.folder)
    return out.read_text(encoding="utf-8")


def page_of(run: Path, task: Path | None = None) -> Parsed:
    return Parsed(write_report(run, run / "report.html", task, force=True).read_text("utf-8"))


def test_nothing_is_loaded_from_elsewhere(full: str) -> None:
    parsed = Parsed(full)
    for tag, attributes in parsed.elements:
        for name in LOADS & set(attributes):
            assert str(attributes[name]).startswith(("#", "data:")), (tag, name, attributes[name])
        assert tag not in ("link", "iframe", "object", "embed", "base")
    css = full[full.index("<style>") : full.index("</style>")]
    assert "url(" not in css
    assert "@import" not in css
    policy = next(a["content"] for t, a in parsed.elements if a.get("http-equiv"))
    assert str(policy).startswith("default-src 'none'")


def test_plotly_is_there_once_and_whole(full: str) -> None:
    bundles = [text for found, text in Parsed(full).scripts if found.get("id") == "plotly"]
    assert len(bundles) == 1
    assert gzip.decompress(base64.b64decode(bundles[0])).decode() == get_plotlyjs()
    assert len(full) < 3_000_000


def test_numbers_on_the_page_are_those_of_the_metrics_file(full: str, trained: Path) -> None:
    values = Parsed(full).values
    rows = metric_rows(trained)
    assert len(values) == len(rows) > 20
    for row in rows:
        shown = values[row["task"], row["split"], row["metric"]]
        expected = [row[key] for key in ("value", "low", "high") if row[key] is not None]
        assert [float(text) for text in shown] == expected


def test_the_headline_says_the_numbers(full: str, trained: Path) -> None:
    test = {row["metric"]: row for row in metric_rows(trained) if row["split"] == "test"}
    prose = Parsed(full).prose
    mcc = test["mcc"]
    interval = f"{measure(mcc['low'])} to {measure(mcc['high'])}"
    assert f"with MCC {measure(mcc['value'])} (95 % interval {interval})" in prose
    assert "on the 60 sequences of the test split, 50.0 % of them labeled bound." in prose
    assert "Measured on test data." in prose
    assert "cnn model distinguishes bound from background" in prose


def test_every_chart_is_a_figure(full: str) -> None:
    charts = Parsed(full).charts
    assert len(charts) == full.count('class="chart"') == 10
    for chart in charts:
        assert set(chart) == {"data", "layout", "config"}
        assert chart["data"]
        go.Figure(data=chart["data"], layout=chart["layout"])


def test_every_link_has_its_place(full: str) -> None:
    parsed = Parsed(full)
    ids = [attributes["id"] for _, attributes in parsed.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = [str(a["href"])[1:] for tag, a in parsed.elements if tag == "a" and "download" not in a]
    assert len(links) == 8
    assert set(links) <= set(ids)


def test_the_whole_run_is_told(full: str) -> None:
    prose = Parsed(full).prose
    for told in (
        "Variants tried",
        "both-strands",
        "Confusion matrix",
        "Worst mistakes",
        "Packages",
        "model: name: cnn",
        "No sequence occurs in two splits",
    ):
        assert told in prose
    assert 'class="absent"' not in full


def test_sequences_are_shown_base_by_base(full: str, task: Task) -> None:
    shown = re.findall(r'<p class="sequence">(.*?)</p>', full, re.DOTALL)
    assert len(shown) > 5
    known = set(task.read("test").frame["sequence"])
    assert all(re.sub(r"<[^>]*>|\s", "", text) in known for text in shown)


def test_the_same_run_gives_the_same_page(
    full: str, trained: Path, task: Task, tmp_path: Path
) -> None:
    again = write_report(trained, tmp_path / "again.html", task.folder)
    assert again.read_text(encoding="utf-8") == full


def test_without_the_task_its_absence_is_told(trained: Path, tmp_path: Path) -> None:
    page = Parsed(write_report(trained, tmp_path / "page.html").read_text("utf-8"))
    assert "The task folder was not given" in page.prose
    assert "Their bases are not shown" in page.prose
    assert "Worst mistakes" in page.prose


def test_a_run_that_only_began_is_told(tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text("seed: 1\n")
    prose = page_of(tmp_path).prose
    for told in (
        "Training has not ended",
        "There is no log yet",
        "Nothing has been measured yet",
        "There are no predictions yet",
        "There is no model yet",
        "The task folder was not given",
        "environment.json is missing",
    ):
        assert told in prose
    assert not page_of(tmp_path).charts


def test_a_run_without_test_rows_warns(make_run, task: Task) -> None:
    page = page_of(make_run(task, {"valid": np.linspace(0, 1, 120)}), task.folder)
    assert "Validation data only. The test split has not been looked at." in page.prose
    assert "sequences of the validation split" in page.prose


def test_a_model_that_was_never_measured(make_run, task: Task) -> None:
    page = page_of(make_run(task, {}), task.folder)
    assert "Not measured yet" in page.prose
    assert "Architecture" in page.prose


def test_several_classes(make_run, three_classes: Task) -> None:
    said = np.random.default_rng(0).dirichlet(np.ones(3), 120)
    run = make_run(three_classes, {"valid": said, "test": said[:60]})
    page = page_of(run, three_classes.folder)
    assert "distinguishes 3 classes" in page.prose
    assert "Prevalence of the most frequent class" in page.prose
    assert "called two" in page.prose or "called one" in page.prose


def test_a_split_of_one_class_and_few_rows(make_run, tmp_path: Path) -> None:
    rows = {
        "train": pl.DataFrame({"id": ["a", "b"], "sequence": ["ACGT", "GGCC"], "label": [0, 1]}),
        "test": pl.DataFrame({"id": ["c"], "sequence": ["TTTT"], "label": [1]}),
    }
    spec = TaskSpec(name="tiny", label_kind="binary", classes=("no", "yes"))
    tiny = write_task(tmp_path / "tiny", spec, rows)
    page = page_of(make_run(tiny, {"test": np.array([0.9])}), tiny.folder)
    assert "not defined: a class has no row" in page.prose
    assert "no interval" not in page.prose or "accuracy" in page.prose
    titles = [a.get("aria-label") for _, a in page.elements if a.get("role") == "img"]
    assert "Calibration" in titles
    assert "ROC" not in titles
    assert "There are none." in page.prose


def test_shared_sequences_are_told_loudly(make_run, tmp_path: Path) -> None:
    rows = pl.DataFrame({"sequence": ["ACGT", "GGCC", "AAAA"], "label": [0, 1, 1]})
    frames = {
        split: rows.with_columns(id=pl.format("{}{}", pl.lit(split), pl.int_range(3)))
        for split in ("train", "test")
    }
    spec = TaskSpec(name="leaky", label_kind="binary", classes=("no", "yes"))
    leaky = write_task(tmp_path / "leaky", spec, frames)
    page = page_of(make_run(leaky, {"test": np.array([0.1, 0.6, 0.7])}), leaky.folder)
    assert "3 of the 3 test sequences occur in the training split too" in page.prose


def test_hostile_names_are_text(make_run, tmp_path: Path) -> None:
    spec = TaskSpec(
        name=HOSTILE,
        title=f"{HOSTILE}</title><h1 onclick=alert(1)>",
        label_kind="binary",
        classes=("</script><script>alert(2)</script>", '" onmouseover="alert(3)'),
        licence=HOSTILE,
        citation="<img src=x onerror=alert(4)>",
        sources=(Source(location="javascript:alert(5)"),),
        notes=("</dd><iframe src=//evil>",),
    )
    frame = pl.DataFrame(
        {"id": ["<img src=//evil>", "b"], "sequence": ["AC", "GT"], "label": [0, 1]}
    )
    frames = {"train": frame.with_columns(id=pl.lit("t") + pl.col("id")), "test": frame}
    folder = write_task(tmp_path / "task", spec, frames).folder
    run = make_run(open_task(folder), {"test": np.array([0.9, 0.8])})
    search = {"monitor": HOSTILE, "chosen": HOSTILE}
    variant = {"set": {HOSTILE: HOSTILE}, "score": 0.5, "step": 1, "steps": 1}
    (run / "search.json").write_text(json.dumps(search | {"variants": {HOSTILE: variant}}))
    (run / "environment.json").write_text(
        json.dumps({"device": HOSTILE, "packages": {HOSTILE: "1"}})
    )
    page = page_of(run, folder)
    tags = [tag for tag, _ in page.elements]
    assert not {"img", "iframe"} & set(tags)
    assert tags.count("h1") == 1
    # The charts, the bundle, and our own script; nothing a name brought along.
    assert tags.count("script") == len(page.charts) + 2
    for _, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on")]
    assert HOSTILE in page.prose
    assert "alert(2)" in page.prose


def test_an_existing_page_is_kept_without_force(trained: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    earlier = '<meta name="generator" content="attendna 0">'
    out.write_text(earlier)
    with pytest.raises(FolderError, match="exists"):
        write_report(trained, out)
    assert out.read_text() == earlier
    write_report(trained, out, force=True)
    assert out.read_text("utf-8").startswith("<!doctype html>")
    with pytest.raises(FolderError, match="is a folder"):
        write_report(trained, tmp_path, force=True)


def test_torch_is_never_loaded(trained: Path, task: Task, tmp_path: Path) -> None:
    code = (
        "import sys; from attendna.report.html import write_report\n"
        "write_report(*sys.argv[1:])\n"
        "loaded = {'torch', 'lightning'} & set(sys.modules)\n"
        "assert not loaded, loaded"
    )
    arguments = [str(trained), str(tmp_path / "page.html"), str(task.folder)]
    subprocess.run([sys.executable, "-c", code, *arguments], check=True)


def test_importance_is_shown_where_it_is_known(trained: Path, task: Task, tmp_path: Path) -> None:
    split = task.read("test")
    result = saturation_mutagenesis(Predictor.load(trained), split.sequences.take(range(4)))
    result.write(tmp_path / "ism")
    page = write_report(trained, tmp_path / "page.html", ism_folder=tmp_path / "ism").read_text()
    parsed = Parsed(page)
    assert "Rows are 4 sequences." in parsed.prose
    logo = next(str(a["src"]) for tag, a in parsed.elements if tag == "img")
    kind, _, packed = logo.partition(",")
    assert kind == "data:image/svg+xml;base64"
    assert base64.b64decode(packed) == (tmp_path / "ism" / "logo.svg").read_bytes()
    assert ("a", {"href": "#importance"}) in parsed.elements


def test_importance_in_the_run_folder_is_found(make_run, task: Task) -> None:
    run = make_run(task, {})
    predictor = Predictor.load(run)
    sequences = task.read("valid").sequences.take(range(2))
    saturation_mutagenesis(predictor, sequences).write(run / "ism")
    assert "Rows are 2 sequences." in page_of(run).prose


def test_what_the_page_shows_can_be_saved(full: str, trained: Path) -> None:
    saved = {
        str(attributes["download"]): unquote(str(attributes["href"]).partition(",")[2])
        for tag, attributes in Parsed(full).elements
        if tag == "a" and "download" in attributes
    }
    assert {"data.csv", "Loss.csv", "variants.csv", "measures.csv", "ROC.csv"} < set(saved)
    measures = pl.read_csv(saved["measures.csv"].encode())
    rows = {(row["split"], row["metric"]): row["value"] for row in metric_rows(trained)}
    for split, metric, value in measures.select("split", "metric", "value").iter_rows():
        assert value == pytest.approx(rows[split, metric], nan_ok=True)
    log = pl.read_csv(trained / "log.csv")
    losses = pl.read_csv(saved["Loss.csv"].encode())
    assert losses.filter(series="training")["loss"].to_list() == pytest.approx(
        log["train_loss"].to_list(), rel=1e-6
    )
    matrix = pl.read_csv(saved["confusion_matrix.csv"].encode())
    assert matrix.select(pl.sum_horizontal(pl.exclude("true class"))).sum().item() == 60

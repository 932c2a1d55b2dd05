"""Mutagenesis against changing one base after the other."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.planted import MOTIFS, plant

from attendna.core.errors import ConfigError, FolderError
from attendna.genome.sequences import SequenceBatch
from attendna.interpret import mutagenesis
from attendna.interpret.mutagenesis import BASES, saturation_mutagenesis
from attendna.prediction.predictor import Predictor
from attendna.tasks.store import Task
from attendna.training.run import RunConfig
from attendna.training.train import train

TEXTS = ["TTGACTCATCCGTAGGCATTACGACT", "ACGNNATTGACTCAGGGTTACCATTACGTT"]


def one_by_one(predictor: Predictor, text: str, class_number: int = 1) -> np.ndarray:
    def odds(sequence: str) -> float:
        logits = predictor.predict(SequenceBatch.from_text([sequence]), scale="logit").values[0]
        if len(logits) == 1:
            return float(logits[0]) if class_number == 1 else -float(logits[0])
        share = np.exp(logits - logits.max())
        share /= share.sum()
        return float(np.log(share[class_number] / (1 - share[class_number])))

    before = odds(text)
    changes = np.full((len(text), 4), np.nan)
    for place, base in enumerate(text):
        if base == "N":
            continue
        for number, other in enumerate(BASES):
            same = other == base
            changes[place, number] = (
                0 if same else odds(text[:place] + other + text[place + 1 :]) - before
            )
    return changes


@pytest.mark.parametrize("portion", [20, 1 << 15])
def test_changes_are_those_of_one_substitution_after_the_other(
    runs: tuple[Path, Path], portion: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mutagenesis, "_MUTANTS_AT_A_TIME", portion)
    predictor = Predictor.load(runs[0], "cpu", precision="fp32")
    result = saturation_mutagenesis(predictor, SequenceBatch.from_text(TEXTS))
    for row, text in enumerate(TEXTS):
        expected = one_by_one(predictor, text)
        np.testing.assert_allclose(result.changes[row, : len(text)], expected, atol=1e-4)
        assert np.isnan(result.changes[row, len(text) :]).all()
        fall = -expected.sum(axis=1) / 3
        np.testing.assert_allclose(result.importance()[row, : len(text)], fall, atol=1e-4)
    assert result.classes == ("bound", "bound")
    against = saturation_mutagenesis(predictor, SequenceBatch.from_text(TEXTS), target="background")
    np.testing.assert_allclose(against.changes, -result.changes, atol=1e-5)


def test_with_several_classes_the_predicted_one_is_followed(tmp_path: Path) -> None:
    task = plant(tmp_path / "task", classes=("none", "one", "two"))
    settings = {
        "tokenizer": "onehot",
        "model": {"name": "cnn", "width": 8, "blocks": 1},
        "trainer": {"epochs": 2, "batch_size": 32, "threads": 1, "device": "cpu"},
    }
    run = train(RunConfig.model_validate(settings), task.folder, tmp_path / "run", progress=False)
    predictor = Predictor.load(run, "cpu", precision="fp32")
    batch = SequenceBatch.from_text([TEXTS[0]])
    best = int(predictor.predict(batch, scale="logit").values[0].argmax())
    result = saturation_mutagenesis(predictor, batch)
    assert result.classes == (task.spec.classes[best],)
    np.testing.assert_allclose(result.changes[0], one_by_one(predictor, TEXTS[0], best), atol=1e-4)


def test_an_unknown_class_is_refused(runs: tuple[Path, Path]) -> None:
    with pytest.raises(ConfigError, match="no class 'bond'; choose one of background, bound"):
        saturation_mutagenesis(
            Predictor.load(runs[0], "cpu"), SequenceBatch.from_text(TEXTS), target="bond"
        )


def test_what_is_written_is_what_was_found(
    runs: tuple[Path, Path], planted: Task, tmp_path: Path
) -> None:
    predictor = Predictor.load(runs[0], "cpu", precision="fp32")
    result = saturation_mutagenesis(predictor, SequenceBatch.from_text(TEXTS), ["a", "b"])
    result.write(tmp_path / "ism")
    scores = pl.read_parquet(tmp_path / "ism" / "scores.parquet")
    assert scores.columns == ["id", "position", "base", "importance", *(f"to_{b}" for b in BASES)]
    for row, (name, text) in enumerate(zip("ab", TEXTS, strict=True)):
        rows = scores.filter(id=name)
        assert "".join(rows["base"]) == text
        assert rows["position"].to_list() == list(range(len(text)))
        assert rows["importance"].is_null().to_list() == [base == "N" for base in text]
        np.testing.assert_array_equal(
            rows["to_C"].to_numpy(), result.changes[row, : len(text), 1].astype(np.float64)
        )
    assert (tmp_path / "ism" / "logo.svg").read_text().startswith("<svg")
    with pytest.raises(FolderError, match="exists"):
        result.write(tmp_path / "ism")


def test_the_planted_motif_is_what_matters(runs: tuple[Path, Path], planted: Task) -> None:
    test = planted.read("test")
    rows = np.flatnonzero(test.labels == 1)
    result = saturation_mutagenesis(
        Predictor.load(runs[0], "cpu", precision="fp32"), test.sequences.take(rows)
    )
    importance, motif = result.importance(), MOTIFS[1]
    inside = np.zeros(importance.shape, dtype=bool)
    for row, text in enumerate(test.sequences.take(rows).to_text()):
        inside[row, text.index(motif) : text.index(motif) + len(motif)] = True
    known = ~np.isnan(importance)
    assert importance[inside].mean() > 3 * np.abs(importance[known & ~inside]).mean()

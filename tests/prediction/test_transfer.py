from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit, softmax

from attendna.core.errors import FolderError, UserError
from attendna.genome.sequences import SequenceBatch
from attendna.models.checkpoint import InputContract
from attendna.models.learners.columns import learn
from attendna.models.learners.forest import RandomForestConfig
from attendna.prediction.backbone import load_backbone
from attendna.prediction.predictor import Predictor
from attendna.prediction.representations import Reading, Representations
from attendna.prediction.transfer import TransferCheckpoint, TransferPredictor, load_predictor
from attendna.tasks.spec import LabelKind

RANDOM = np.random.default_rng(0)
SEQUENCES = SequenceBatch.from_text(["".join(RANDOM.choice(list("ACGT"), 30)) for _ in range(40)])


def learned_from(run: Path, kind: LabelKind, classes: tuple[str, ...], paired: bool = False):
    backbone = load_backbone(run, "cpu")
    vectors = Representations(backbone, Reading())
    checkpoint = TransferCheckpoint(
        **{
            name: getattr(backbone.checkpoint, name)
            for name in ("tokenizer", "model", "strands", "precision")
        },
        run_id="abc",
        label_kind=kind,
        classes=classes,
        scale="value" if kind == "regression" else "probability",
        paired=paired,
        input=InputContract(shortest=30, longest=30, task="t", split_hash=""),
        learner=RandomForestConfig(trees=20),
        reading=Reading(),
        backbone="",
    )
    features = vectors.of(SEQUENCES, SEQUENCES if paired else None)
    numbers = kind == "regression"
    targets = RANDOM.normal(size=(40, 1)) if numbers else np.arange(40.0)[:, None] % len(classes)
    count = checkpoint.learned_classes
    learned = learn(checkpoint.learner, features, targets, count, seed=0, threads=1)
    return TransferPredictor(checkpoint, learned, vectors)


def test_logits_are_those_of_the_probabilities(runs: tuple[Path, Path]) -> None:
    two = learned_from(runs[0], "binary", ("no", "yes"))
    sure = two.predict(SEQUENCES).values.clip(1e-6, 1 - 1e-6)
    logits = two.predict(SEQUENCES, scale="logit").values
    np.testing.assert_allclose(expit(logits), sure, atol=1e-5)
    assert two.call(two.predict(SEQUENCES)) == two.call(two.predict(SEQUENCES, scale="logit"))
    three = learned_from(runs[0], "multiclass", ("a", "b", "c"))
    found = three.predict(SEQUENCES)
    np.testing.assert_allclose(found.values.sum(1), 1, atol=1e-5)
    logits = three.predict(SEQUENCES, scale="logit").values
    np.testing.assert_allclose(softmax(logits, axis=1), found.values, atol=1e-4)


def test_pairs_and_single_sequences_are_not_mixed(runs: tuple[Path, Path]) -> None:
    pairs = learned_from(runs[0], "regression", ("effect",), paired=True)
    assert pairs.predict(SEQUENCES, alternatives=SEQUENCES).names == ("effect",)
    with pytest.raises(UserError, match="not trained on single sequences"):
        pairs.predict(SEQUENCES)


def test_a_folder_says_itself_what_predicts_there(runs: tuple[Path, Path], tmp_path: Path) -> None:
    predictor = learned_from(runs[0], "binary", ("no", "yes"))
    predictor.save(tmp_path)
    with pytest.raises(FolderError, match="no such run folder"):
        load_predictor(tmp_path, "cpu")
    (tmp_path / "backbone").mkdir()
    model = (runs[0] / "model.safetensors").read_bytes()
    (tmp_path / "backbone" / "model.safetensors").write_bytes(model)
    again = load_predictor(tmp_path, "cpu")
    assert isinstance(again, TransferPredictor)
    wanted = predictor.predict(SEQUENCES).values
    np.testing.assert_array_equal(again.predict(SEQUENCES).values, wanted)
    assert type(load_predictor(runs[0], "cpu")) is Predictor
    with pytest.raises(FolderError, match="is a run of transfer"):
        load_backbone(tmp_path)

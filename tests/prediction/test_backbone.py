from pathlib import Path

import numpy as np
import pytest
import torch
from tests.models.test_language import model_of
from tests.models.test_language_checkpoint import header_of

from attendna.core.errors import FolderError
from attendna.genome.sequences import SequenceBatch
from attendna.models.language_checkpoint import save_language
from attendna.prediction.backbone import load_backbone
from attendna.prediction.predictor import Predictor

SEQUENCES = SequenceBatch.from_text(["ACGTACGTAGCTAGCTAGCA", "TTTTACGATCGACTAGCTACGACTACGACTAC"])


def test_of_a_trained_run_vectors_are_what_its_head_reads(runs: tuple[Path, Path]) -> None:
    found = load_backbone(runs[0], "cpu").embed(SEQUENCES)
    np.testing.assert_array_equal(found, Predictor.load(runs[0], "cpu").embed(SEQUENCES))


def test_of_a_language_model_a_sequence_is_the_mean_of_its_tokens(tmp_path: Path) -> None:
    model = model_of("patch", "words").eval()
    save_language(tmp_path, header_of(model), model)
    backbone = load_backbone(tmp_path, "cpu", "fp32")
    found = backbone.embed(SEQUENCES)
    for row, vector in enumerate(found):
        one = SEQUENCES.take([row])
        codes = torch.from_numpy(one.padded()[0].copy())
        with torch.no_grad():
            x, _ = model.encoder.read(model.tokenizer(codes, torch.tensor([codes.shape[1]])))
        np.testing.assert_allclose(vector, x[0].mean(0).numpy(), atol=1e-5)


def test_no_model_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match="no trained model is there"):
        load_backbone(tmp_path, "cpu")

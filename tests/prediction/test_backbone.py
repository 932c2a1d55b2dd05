import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.models.huggingface import checkpoints
from tests.models.test_language import model_of
from tests.models.test_language_checkpoint import header_of

from attendna.core.errors import FolderError
from attendna.genome.sequences import SequenceBatch
from attendna.models.language_checkpoint import save_language
from attendna.prediction.backbone import digest_of, files_of, load_backbone
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


@torch.no_grad()
def test_of_a_checkpoint_of_others_a_sequence_is_the_mean_of_its_tokens(tmp_path: Path) -> None:
    theirs = checkpoints.dnabert(tmp_path, 3).base_model
    sequences = ["ACGTTGCAAGG", "TTGACCAGTTACGA"]
    found = load_backbone(tmp_path, "cpu").embed(SequenceBatch.from_text(sequences))
    lines = checkpoints.kmers(3)
    for sequence, vector in zip(sequences, found, strict=True):
        ids = [lines.index(word) for word in checkpoints.text_of(sequence)]
        states = theirs(torch.tensor([[2, *ids, 3]])).last_hidden_state[0, 1:-1]
        np.testing.assert_allclose(vector, states.mean(0).numpy(), atol=1e-5)
    # What it is loaded from is all that another folder needs.
    (tmp_path / "copy").mkdir()
    for file in files_of(tmp_path):
        shutil.copyfile(file, tmp_path / "copy" / file.name)
    again = load_backbone(tmp_path / "copy", "cpu").embed(SequenceBatch.from_text(sequences))
    assert np.array_equal(again, found)
    assert digest_of(tmp_path / "copy") == digest_of(tmp_path)
    change = {"num_hidden_layers": 1}
    config = json.loads((tmp_path / "config.json").read_text()) | change
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(FolderError, match="code of its own is not run"):
        load_backbone(tmp_path)

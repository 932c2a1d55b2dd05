import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.models.huggingface import checkpoints
from tests.models.test_language import model_of
from tests.models.test_language_checkpoint import header_of

from attendna.core.errors import ConfigError, DataError, FolderError
from attendna.genome.sequences import SequenceBatch
from attendna.models.language_checkpoint import save_language
from attendna.models.motifs import PRIOR
from attendna.prediction.backbone import digest_of, keep_backbone, load_backbone
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
    # What is kept is all that another folder needs.
    (tmp_path / "copy").mkdir()
    keep_backbone(tmp_path, tmp_path / "copy")
    again = load_backbone(tmp_path / "copy", "cpu").embed(SequenceBatch.from_text(sequences))
    assert np.array_equal(again, found)
    assert digest_of(tmp_path / "copy") == digest_of(tmp_path)
    change = {"num_hidden_layers": 1}
    config = json.loads((tmp_path / "config.json").read_text()) | change
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(FolderError, match="code of its own is not run"):
        load_backbone(tmp_path)


MEME = """MEME version 4
ALPHABET= ACGT
MOTIF one
letter-probability matrix: alength= 4 w= 3
 0.7 0.1 0.1 0.1
 0.0 1.0 0.0 0.0
 0.2 0.2 0.3 0.3
MOTIF two
letter-probability matrix: alength= 4 w= 2
 0 0 0 1
 0 0 1 0
"""


def test_a_file_of_motifs_is_a_model_of_them(tmp_path: Path) -> None:
    source = tmp_path / "own.meme"
    source.write_text(MEME)
    backbone = load_backbone(source, "cpu")
    found = backbone.embed(SEQUENCES)
    assert found.shape == (2, 2)
    # The word TG, or CA, and nothing else fits the second: counted, it gives the odds of each site.
    words = [text.count("TG") + text.count("CA") for text in SEQUENCES.to_text()]
    certain = (4 + PRIOR) / (1 + PRIOR)
    never = PRIOR / (1 + PRIOR)
    for text, count, value in zip(SEQUENCES.to_text(), words, found[:, 1], strict=True):
        half = sum((a == "T") != (b == "G") for a, b in pairwise(text))
        half += sum((a == "C") != (b == "A") for a, b in pairwise(text))
        none = 2 * (len(text) - 1) - count - half
        odds = count * certain**2 + half * certain * never + none * never**2
        assert value == pytest.approx(np.log2(1 + odds), abs=1e-5)
    # It is kept without its file, and is then the same.
    (tmp_path / "kept").mkdir()
    digest = digest_of(source)
    keep_backbone(source, tmp_path / "kept")
    source.write_text(MEME.replace("0.7 0.1", "0.1 0.7"))
    assert np.array_equal(load_backbone(tmp_path / "kept", "cpu").embed(SEQUENCES), found)
    assert digest_of(source) != digest
    source.write_text("nothing")
    with pytest.raises(DataError, match="begins neither with"):
        load_backbone(source, "cpu")


def test_jaspar_is_a_model_unless_a_folder_has_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pyjaspar", reason="pyjaspar (extra motifs) is not installed")
    monkeypatch.chdir(tmp_path)
    assert load_backbone("jaspar:diatoms", "cpu").embed(SEQUENCES).shape[1] > 0
    with pytest.raises(ConfigError, match="no taxon 'cats'"):
        load_backbone(Path("jaspar:cats"), "cpu")
    (tmp_path / "jaspar").mkdir()
    with pytest.raises(FolderError, match="no trained model is there"):
        load_backbone("jaspar", "cpu")

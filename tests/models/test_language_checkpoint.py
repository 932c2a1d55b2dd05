from pathlib import Path

import pytest
import torch
from tests.models.test_language import model_of, windows

from attendna.core.errors import FolderError
from attendna.models.checkpoint import load
from attendna.models.language_checkpoint import (
    Genome,
    LanguageCheckpoint,
    load_language,
    save_language,
)
from attendna.tokens.patch import PatchConfig


def header_of(model) -> LanguageCheckpoint:
    tree = {"name": "encoder", "width": 8, "blocks": 1, "heads": 2, "stem": "embedding"}
    return LanguageCheckpoint(
        run_id="abc",
        tokenizer=PatchConfig(k=4),
        model=tree,
        tell=model.tell,
        window=40,
        genomes=(Genome(file="hg38.fa", digest="0", build="hg38"),),
        held_out=("8",),
    )


def test_a_model_is_read_back_to_the_same_bits(tmp_path: Path) -> None:
    model = model_of("patch", "words")
    save_language(tmp_path, header_of(model), model)
    header, again = load_language(tmp_path)
    assert header == header_of(model)
    codes = windows(3, 40)
    assert torch.equal(model(codes), again(codes))
    assert not again.training


def test_it_is_no_model_of_classes(tmp_path: Path, runs: tuple[Path, Path]) -> None:
    model = model_of("patch")
    save_language(tmp_path, header_of(model), model)
    with pytest.raises(FolderError, match="is a language model and has no classes; fine-tune it"):
        load(tmp_path)
    with pytest.raises(FolderError, match="is no language model"):
        load_language(runs[0])

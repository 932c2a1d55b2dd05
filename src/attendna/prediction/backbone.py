"""What a run has learned to make of sequences, whatever it was trained for.

Shapes: ``B`` batch, ``D`` width of a representation.
"""

import hashlib
import shutil
import sys
from pathlib import Path

from jaxtyping import Float
from torch import Tensor, nn

from attendna.core.config import parse
from attendna.core.errors import FolderError
from attendna.core.files import sha256
from attendna.genome.motif_source import is_jaspar, open_motifs
from attendna.models.checkpoint import Checkpoint, InputContract, load, save
from attendna.models.huggingface.checkpoint import (
    NOT_STANDARD,
    HuggingfaceCheckpoint,
    is_checkpoint,
)
from attendna.models.huggingface.model import HuggingfaceConfig
from attendna.models.language_checkpoint import load_language
from attendna.models.layers.pooling import MeanPooling
from attendna.models.learners.learner_file import LEARNER_FILE
from attendna.models.model import ModelConfig, SequenceModel, TokenModel
from attendna.models.model_file import read_model, shapes_of
from attendna.models.motifs import Motifs, MotifsConfig
from attendna.prediction.device import PrecisionChoice
from attendna.prediction.predictor import Predictor
from attendna.tokens.onehot import OneHotConfig
from attendna.tokens.tokenizer import TOKENIZERS, TokenBatch, TokenizerConfig


class LanguageBackbone(SequenceModel):
    """An encoder that nobody taught classes; a sequence is the mean of its tokens.

    Masked bases teach tokens. What a pooling would add to them was taught nothing.
    """

    def __init__(self, encoder: TokenModel) -> None:
        super().__init__()
        self.encoder = encoder
        self.width = encoder.token_width
        self.mean = MeanPooling(self.width)

    def embed(self, tokens: TokenBatch) -> Float[Tensor, "B D"]:
        """The mean."""
        return self.mean(*self.encoder.read(tokens))

    def forward(self, tokens: TokenBatch) -> Float[Tensor, "B D"]:
        """The representation: there is no head."""
        return self.embed(tokens)


def load_backbone(
    run: str | Path, device: str = "auto", precision: PrecisionChoice = "auto"
) -> Predictor:
    """The model of a run of ``train`` or ``pretrain``, or a checkpoint of others, for its vectors.

    A file of motifs, or ``jaspar``, is a model of these motifs (:mod:`attendna.models.motifs`).
    These and checkpoints of others are computed in fp32 unless bf16 is asked for: how they were
    trained is not known, and published numbers are those of fp32.

    Raises
    ------
    UserError
        No finished model of sequences is there, and no motifs are.
    """
    if _is_of_motifs(run):
        return Predictor(*_of_motifs(run), device, precision)
    others = _others(run)
    if others is not None:
        return _of_others(others, device, precision)
    if (Path(run) / LEARNER_FILE).is_file():
        raise FolderError(f"{run} is a run of transfer", "name the run whose vectors it learned")
    path, tree, _ = read_model(run)
    if "heads" in tree:
        raise FolderError(f"{path} is a model of tracks", "name a run of sequences")
    if "tell" not in tree:
        return Predictor(*load(run), device, precision)
    language, model = load_language(run)
    backbone = LanguageBackbone(model.encoder)
    checkpoint = _as_checkpoint(
        language.run_id, language.tokenizer, language.model, backbone.width, language.window
    ).replace(precision=language.precision)
    return Predictor(checkpoint, backbone, device, precision)


def keep_backbone(run: str | Path, folder: Path) -> None:
    """Put into a folder what it must hold to be loaded as this backbone."""
    if _is_of_motifs(run):
        save(folder, *_of_motifs(run))
        return
    others = _others(run)
    for file in (read_model(run)[0],) if others is None else others.files:
        shutil.copyfile(file, folder / file.name)


def digest_of(run: str | Path) -> str:
    """SHA-256 of the weights of a run or a checkpoint, or of motifs."""
    if _is_of_motifs(run):
        _, model = _of_motifs(run)
        return hashlib.sha256(model.bits.numpy().tobytes()).hexdigest()
    others = _others(run)
    return sha256(read_model(run)[0]) if others is None else others.digest


def _is_of_motifs(run: str | Path) -> bool:
    return is_jaspar(run) or (Path(run).is_file() and Path(run).suffix != ".safetensors")


def _of_motifs(source: str | Path) -> tuple[Checkpoint, Motifs]:
    """A model of the motifs of a source, whose line nobody has learned."""
    motifs = open_motifs(source).motifs
    config, tokenizer = MotifsConfig.of(motifs, str(source)), OneHotConfig()
    model = config.build(tokenizer.build(), 1)
    model.take(motifs)
    for value in model.head.parameters():
        nn.init.zeros_(value)
    run_id = hashlib.sha256(model.bits.numpy().tobytes()).hexdigest()[:12]
    return _as_checkpoint(run_id, tokenizer, config, 1, None), model


def _others(run: str | Path) -> HuggingfaceCheckpoint | None:
    """The checkpoint of others in a folder; none where there is a run of ours, or nothing."""
    there = Path(run).is_dir() and is_checkpoint(run)
    return HuggingfaceCheckpoint.find(run) if there else None


def _of_others(found: HuggingfaceCheckpoint, device: str, precision: PrecisionChoice) -> Predictor:
    """A sequence is the mean of its tokens, as of a language model of ours."""
    tokenizer = parse(TOKENIZERS[found.tokenizer["name"]], found.tokenizer, found.folder)
    config = parse(HuggingfaceConfig, found.settings, found.folder)
    weights = found.weights()
    body = {name: value for name, value in weights.items() if name.startswith("body.")}
    try:
        wanted = shapes_of(lambda: config.build(tokenizer.build(), 1), len(weights))
    except ValueError as error:
        raise FolderError(
            f"{found.folder}: config.json describes no model", "copy it again"
        ) from error
    if {name: value.shape for name, value in body.items()} != {
        name: shape for name, shape in wanted.items() if name.startswith("body.")
    }:
        raise FolderError(f"{found.folder}: the weights do not fit", NOT_STANDARD)
    model = config.build(tokenizer.build(), 1)
    model.load_state_dict(body, strict=False)
    backbone = LanguageBackbone(model)
    checkpoint = _as_checkpoint(found.digest[:12], tokenizer, config, backbone.width, None)
    return Predictor(checkpoint, backbone, device, precision)


def _as_checkpoint(
    run_id: str, tokenizer: TokenizerConfig, model: ModelConfig, width: int, window: int | None
) -> Checkpoint:
    """What a predictor needs to know of a model whose outputs are the vector itself."""
    return Checkpoint(
        run_id=run_id,
        tokenizer=tokenizer,
        model=model,
        strands="single",
        label_kind="regression",
        classes=tuple(map(str, range(width))),
        scale="value",
        input=InputContract(
            window=window, shortest=1, longest=window or sys.maxsize, task="", split_hash=""
        ),
    )

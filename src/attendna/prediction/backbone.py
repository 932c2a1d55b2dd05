"""What a run has learned to make of sequences, whatever it was trained for.

Shapes: ``B`` batch, ``D`` width of a representation.
"""

from pathlib import Path

from jaxtyping import Float
from torch import Tensor

from attendna.core.errors import FolderError
from attendna.models.checkpoint import Checkpoint, InputContract, load
from attendna.models.language_checkpoint import LanguageCheckpoint, load_language
from attendna.models.layers.pooling import MeanPooling
from attendna.models.learners.learner_file import LEARNER_FILE
from attendna.models.model import SequenceModel, TokenModel
from attendna.models.model_file import read_model
from attendna.prediction.device import PrecisionChoice
from attendna.prediction.predictor import Predictor
from attendna.tokens.tokenizer import TokenBatch


class LanguageBackbone(SequenceModel):
    """The encoder of a language model; a sequence is the mean of its tokens.

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
    """The model of a run of ``train`` or ``pretrain``, for its representations.

    Raises
    ------
    FolderError
        No finished model of sequences is there.
    """
    if (Path(run) / LEARNER_FILE).is_file():
        raise FolderError(f"{run} is a run of transfer", "name the run whose vectors it learned")
    path, tree, _ = read_model(run)
    if "heads" in tree:
        raise FolderError(f"{path} is a model of tracks", "name a run of sequences")
    if "tell" not in tree:
        return Predictor(*load(run), device, precision)
    language, model = load_language(run)
    backbone = LanguageBackbone(model.encoder)
    return Predictor(_as_checkpoint(language, backbone.width), backbone, device, precision)


def _as_checkpoint(language: LanguageCheckpoint, width: int) -> Checkpoint:
    """What a predictor needs to know of a language model, whose outputs are the vector itself."""
    return Checkpoint(
        run_id=language.run_id,
        tokenizer=language.tokenizer,
        model=language.model,
        strands="single",
        label_kind="regression",
        classes=tuple(map(str, range(width))),
        scale="value",
        input=InputContract(
            window=language.window, shortest=1, longest=language.window, task="", split_hash=""
        ),
    )

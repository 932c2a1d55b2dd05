"""A classic learner on frozen representations, which predicts as any model does.

Its run folder holds ``learner.safetensors``, and the backbone as it was under ``backbone``.

Shapes: ``N`` sequences, ``T`` outputs.
"""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Self

import numpy as np
from jaxtyping import Float32
from numpy import ndarray
from scipy.special import logit

from attendna.core.config import parse
from attendna.models.checkpoint import Checkpoint
from attendna.models.learners.columns import predict
from attendna.models.learners.learner import AnyLearnerConfig, Arrays
from attendna.models.learners.learner_file import LEARNER_FILE, read_learner, write_learner
from attendna.prediction.backbone import load_backbone
from attendna.prediction.device import PrecisionChoice, SlowPrecisionWarning
from attendna.prediction.predictions import Predictions, Scale, refuse_undefined
from attendna.prediction.predictor import Predictor, Progress, Texts
from attendna.prediction.representations import Reading, Representations

BACKBONE = "backbone"

LEAST = 1e-6
"""Probabilities of trees are often 0, of which there is no logit."""


Targets = Literal["values", "roots"]
"""What is learned of numbers: themselves, or their signed square roots, in which few large ones
decide less. What is told are numbers again."""


class TransferCheckpoint(Checkpoint):
    """The header of ``learner.safetensors``: the task's labels, and what reads its sequences."""

    learner: AnyLearnerConfig
    targets: Targets = "values"
    reading: Reading
    backbone: str
    """SHA-256 of the backbone's file."""

    @property
    def learned_classes(self) -> int:
        """Classes of every column that was learned; 0 of numbers."""
        if self.label_kind == "regression":
            return 0
        return len(self.classes) if self.label_kind == "multiclass" else 2


class TransferPredictor(Predictor):
    """A learner, and the backbone whose vectors it reads."""

    checkpoint: TransferCheckpoint

    def __init__(
        self, checkpoint: TransferCheckpoint, learned: Arrays, vectors: Representations
    ) -> None:
        backbone = vectors.backbone
        # Its warnings were given by the backbone.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SlowPrecisionWarning)
            super().__init__(checkpoint, backbone.model, str(backbone.device), backbone.precision)
        self.checkpoint = checkpoint
        self.learned = learned
        self.vectors = vectors

    @classmethod
    def load(
        cls, run_folder: str | Path, device: str = "auto", precision: PrecisionChoice = "auto"
    ) -> Self:
        """The learner and the backbone of a run folder.

        Raises
        ------
        FolderError
            A file is missing or damaged, or another version of attendna wrote it.
        """
        path, tree, learned = read_learner(run_folder)
        checkpoint = parse(TransferCheckpoint, tree, path)
        chosen = checkpoint.precision if precision == "auto" else precision
        backbone = load_backbone(Path(run_folder) / BACKBONE, device, chosen)
        return cls(checkpoint, learned, Representations(backbone, checkpoint.reading))

    def save(self, folder: str | Path) -> Path:
        """Write ``learner.safetensors``; the backbone is left to be copied."""
        return write_learner(folder, self.checkpoint.to_tree(), self.learned)

    def predict(
        self,
        sequences: Texts,
        ids: Sequence[str] | None = None,
        scale: Literal["logit"] | None = None,
        *,
        alternatives: Texts | None = None,
        source: str | Path = "the sequences",
        progress: Progress | None = None,
    ) -> Predictions:
        """Predict for every sequence, in the given order; see :meth:`Predictor.predict`."""
        batch = self.batch(sequences)
        others = None if alternatives is None else self.batch(alternatives)
        names = self._admit(batch, ids, source)
        self._refuse_unpaired(others, source)
        features = self.vectors.of(batch, others, source=source, progress=progress)
        values = self.read(features)
        refuse_undefined(values, names, source)
        wanted: Scale = scale or self.checkpoint.scale
        if wanted == "logit" and self.checkpoint.scale == "probability":
            values = self._logits(values)
        return Predictions(
            names, values, wanted, self.names, self.checkpoint.run_id, self.precision
        )

    def read(self, features: Float32[ndarray, "N F"]) -> Float32[ndarray, "N T"]:
        """What was learned of vectors, on the scale of the labels."""
        checkpoint = self.checkpoint
        told = predict(checkpoint.learner, self.learned, features, checkpoint.learned_classes)
        return told if checkpoint.targets == "values" else np.sign(told) * told**2

    def _logits(self, values: Float32[ndarray, "N T"]) -> Float32[ndarray, "N T"]:
        sure = values.clip(LEAST, 1 - LEAST)
        return np.log(sure) if self.checkpoint.label_kind == "multiclass" else logit(sure)


def load_predictor(
    run: str | Path, device: str = "auto", precision: PrecisionChoice = "auto"
) -> Predictor:
    """What predicts in a run folder, of ``train`` or ``transfer``.

    Raises
    ------
    FolderError
        No finished model is there, or another version of attendna wrote it.
    """
    of_transfer = (Path(run) / LEARNER_FILE).is_file()
    return (TransferPredictor if of_transfer else Predictor).load(run, device, precision)

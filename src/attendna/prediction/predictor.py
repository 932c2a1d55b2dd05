"""A trained model that reads sequences: the one place where logits become predictions.

Shapes: ``B`` batch, ``L`` bases, ``N`` sequences, ``T`` outputs, ``D`` width of a representation.
"""

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch
from jaxtyping import Float32
from numpy import ndarray
from torch import Tensor

from attendna.core.errors import UserError
from attendna.genome.sequences import SequenceBatch
from attendna.models.checkpoint import Checkpoint, InputContract, Strands, load
from attendna.models.model import SequenceModel
from attendna.prediction.device import (
    Precision,
    PrecisionChoice,
    autocast,
    choose_device,
    choose_precision,
)
from attendna.prediction.predictions import Predictions, Scale
from attendna.prediction.sequences import refuse_short, refuse_unknown_bases
from attendna.tokens.buffer import CodeBuffer, bucketed_batches
from attendna.tokens.strand import reverse_complement
from attendna.tokens.tokenizer import TokenBatch, Tokenizer

Progress: TypeAlias = Callable[[int], object]
"""Told after every batch how many sequences it had."""

LARGEST_BATCH = 512
BASES_A_BATCH = 1 << 17
"""A batch holds about this many bases at most, so that long sequences fit into memory."""


class InputWarning(UserWarning):
    """The sequences are unlike those the model was trained on, so trust it less."""


def predict_logits(
    model: SequenceModel,
    tokenizer: Tokenizer,
    buffer: CodeBuffer,
    *,
    strands: Strands,
    precision: Precision = "fp32",
    progress: Progress | None = None,
) -> Float32[ndarray, "N T"]:
    """Logits of every sequence of a buffer, in its order.

    With ``conjoined`` strands they are the mean over the sequence and its reverse complement. The
    model is put into evaluation mode and afterwards back into the mode it had. Training validates
    with this same function.
    """
    return _read_all(
        model, tokenizer, buffer, model, strands=strands, precision=precision, progress=progress
    )


def _read_all(
    model: SequenceModel,
    tokenizer: Tokenizer,
    buffer: CodeBuffer,
    read: Callable[[TokenBatch], Tensor],
    *,
    strands: Strands,
    precision: Precision,
    progress: Progress | None,
) -> Float32[ndarray, "N T"]:
    """Apply ``read`` to all sequences in batches of similar length."""
    was_training = model.training
    model.eval()
    longest = int(buffer.lengths.max()) if len(buffer) else 1
    batches = bucketed_batches(
        buffer.lengths, max(1, min(LARGEST_BATCH, BASES_A_BATCH // max(1, longest)))
    )
    parts: list[Tensor] = []
    try:
        with torch.no_grad(), autocast(buffer.device, precision):
            for rows in batches:
                codes, lengths = buffer.gather(rows)
                values = read(tokenizer(codes, lengths)).float()
                if strands == "conjoined":
                    opposite = reverse_complement(codes, lengths)
                    values = (values + read(tokenizer(opposite, lengths)).float()) / 2
                parts.append(values)
                if progress is not None:
                    progress(rows.numel())
    finally:
        model.train(was_training)
    if not parts:
        return np.empty((0, 0), dtype=np.float32)
    # One copy from the device at the end: asking for each batch would wait for it.
    values = torch.cat(parts).cpu().numpy()
    result = np.empty_like(values)
    result[torch.cat(batches).numpy()] = values
    return result


class Predictor:
    """A trained model on a device.

    Parameters
    ----------
    checkpoint
        What the model is and what input it was made for.
    model
        The network with its weights.
    device
        ``auto``, ``cpu``, ``cuda`` or ``cuda:1``.
    precision
        ``auto`` takes bf16 where the device has hardware for it.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        model: SequenceModel,
        device: str = "auto",
        precision: PrecisionChoice = "auto",
    ) -> None:
        self.checkpoint = checkpoint
        self.device = choose_device(device)
        self.precision: Precision = choose_precision(precision, self.device)
        self.model = model.to(self.device).eval()
        self.tokenizer = checkpoint.tokenizer.build()
        self._warned = False

    @classmethod
    def load(
        cls, run_folder: str | Path, device: str = "auto", precision: PrecisionChoice = "auto"
    ) -> "Predictor":
        """The model of a run folder.

        Raises
        ------
        FolderError
            No finished model is there, or another version of attendna wrote it.
        """
        checkpoint, model = load(run_folder)
        return cls(checkpoint, model, device, precision)

    @property
    def names(self) -> tuple[str, ...]:
        """What each column of the predictions is: the positive class, or every class."""
        classes = self.checkpoint.classes
        return classes[1:] if self.checkpoint.label_kind == "binary" else classes

    def predict(
        self,
        sequences: SequenceBatch,
        ids: Sequence[str] | None = None,
        scale: Scale = "probability",
        *,
        source: str | Path = "the sequences",
        progress: Progress | None = None,
    ) -> Predictions:
        """Predict for every sequence, in the given order.

        Parameters
        ----------
        ids
            Their names; 1, 2, 3, … when none are given.
        source
            The file they come from, for messages.

        Raises
        ------
        DataError
            A sequence is too short for the tokens, or has an N where the model was trained without.

        Warns
        -----
        InputWarning
            Once, where lengths lie outside those of the training; nothing is cut off.
        """
        names = self._admit(sequences, ids, source)
        logits = self._values(sequences, self.model, len(self.names), progress)
        predictions = Predictions(names, logits, "logit", self.names, self.checkpoint.run_id)
        return predictions if scale == "logit" else predictions.probabilities()

    def call(self, predictions: Predictions) -> list[str]:
        """The class each sequence is given: by the threshold if binary, else the most probable."""
        classes = self.checkpoint.classes
        values = predictions.probabilities().values
        if self.checkpoint.label_kind == "binary":
            called = (values[:, 0] >= self.checkpoint.threshold).astype(np.int64)
        else:
            called = values.argmax(axis=1)
        return [classes[place] for place in called.tolist()]

    def embed(
        self,
        sequences: SequenceBatch,
        ids: Sequence[str] | None = None,
        *,
        source: str | Path = "the sequences",
        progress: Progress | None = None,
    ) -> Float32[ndarray, "N D"]:
        """The representation the head reads, of every sequence; the mean over conjoined strands."""
        self._admit(sequences, ids, source)
        return self._values(sequences, self.model.embed, 0, progress)

    def _values(
        self,
        sequences: SequenceBatch,
        read: Callable[[TokenBatch], Tensor],
        width: int,
        progress: Progress | None,
    ) -> Float32[ndarray, "N T"]:
        if not len(sequences):
            return np.empty((0, width), dtype=np.float32)
        buffer = CodeBuffer(sequences, self.device)
        return _read_all(
            self.model,
            self.tokenizer,
            buffer,
            read,
            strands=self.checkpoint.strands,
            precision=self.precision,
            progress=progress,
        )

    def _admit(
        self, sequences: SequenceBatch, ids: Sequence[str] | None, source: str | Path
    ) -> tuple[str, ...]:
        """Hold the sequences against the model's contract; gives their names."""
        names = tuple(ids) if ids is not None else tuple(map(str, range(1, len(sequences) + 1)))
        if len(names) != len(sequences):
            raise UserError(f"{len(names)} ids for {len(sequences)} sequences", "give one each")
        refuse_short(sequences, names, self.tokenizer.minimum_length, source)
        if self.checkpoint.input.letters == "error":
            refuse_unknown_bases(sequences, names, source)
        unusual = unusual_lengths(sequences, self.checkpoint.input)
        if unusual and not self._warned:
            self._warned = True
            warnings.warn(unusual, InputWarning, stacklevel=3)
        return names


def unusual_lengths(sequences: SequenceBatch, contract: InputContract) -> str | None:
    """One line if some sequences are shorter or longer than all of the training, else none."""
    lengths = sequences.lengths
    outside = (lengths < contract.shortest) | (lengths > contract.longest)
    if not outside.any():
        return None
    return (
        f"{int(outside.sum())} of {len(sequences)} sequences have "
        f"{_span(int(lengths[outside].min()), int(lengths[outside].max()))} bases, the model was trained on "
        f"{_span(contract.shortest, contract.longest)}; they are read whole"
    )


def _span(low: int, high: int) -> str:
    return f"{low}" if low == high else f"{low} to {high}"

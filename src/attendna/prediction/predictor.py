"""A trained model that reads sequences: the one place where logits become predictions.

Shapes: ``B`` batch, ``L`` bases, ``N`` sequences, ``T`` outputs, ``D`` width of a representation,
``C`` columns of either.
"""

import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Literal, TypeAlias, cast

import numpy as np
import torch
from jaxtyping import Float, Float32, Int64, UInt8
from numpy import ndarray
from torch import Tensor

from attendna.core.errors import ConfigError, DataError, UserError
from attendna.genome.sequences import SequenceBatch
from attendna.models.checkpoint import Checkpoint, InputContract, Strands, load
from attendna.models.model import SequenceModel
from attendna.prediction.device import (
    Precision,
    PrecisionChoice,
    autocast,
    choose_device,
    precision_of,
)
from attendna.prediction.predictions import Predictions, Scale, on_scale, refuse_undefined
from attendna.prediction.sequences import refuse_long, refuse_short, refuse_unknown_bases
from attendna.tokens.buffer import CodeBuffer, bucketed_batches
from attendna.tokens.strand import reverse_complement
from attendna.tokens.tokenizer import TokenBatch, Tokenizer

Progress: TypeAlias = Callable[[int], object]

Texts: TypeAlias = SequenceBatch | Sequence[str]
"""Sequences as a batch, or as texts of bases."""
"""Told after every batch how many sequences it had."""

StrandsOfAll: TypeAlias = Strands | tuple[Strands, ...]
"""How a model reads the strands; one way for each member of an ensemble where they differ."""

LARGEST_BATCH = 512
BASES_A_BATCH = 1 << 17
"""A batch holds about this many bases at most, so that long sequences fit into memory."""


class InputWarning(UserWarning):
    """The sequences are unlike those the model was trained on, so trust it less."""


def logits_of(
    model: SequenceModel,
    tokenizer: Tokenizer,
    codes: UInt8[Tensor, "B L"],
    lengths: Int64[Tensor, " B"],
    strands: StrandsOfAll,
) -> Float[Tensor, "B T"]:
    """Logits of padded codes, with the strands read as the model reads them.

    ``conjoined`` takes the mean over the sequence and its reverse complement. Neither the model's
    mode nor the gradients are touched.
    """
    each = [
        _on_strands(network, tokenizer, codes, lengths, way)
        for network, way in _networks(model, strands)
    ]
    return each[0] if len(each) == 1 else torch.stack(each).mean(0)


def representations_of(
    model: SequenceModel,
    tokenizer: Tokenizer,
    codes: UInt8[Tensor, "B L"],
    lengths: Int64[Tensor, " B"],
    strands: StrandsOfAll,
) -> Float[Tensor, "B D"]:
    """What the heads read, of padded codes; the networks of an ensemble side by side."""
    each = [
        _on_strands(network.embed, tokenizer, codes, lengths, way)
        for network, way in _networks(model, strands)
    ]
    return each[0] if len(each) == 1 else torch.cat(each, dim=1)


def _networks(model: SequenceModel, strands: StrandsOfAll) -> list[tuple[SequenceModel, Strands]]:
    """The networks that differ in how they read the strands, each with its way."""
    if not isinstance(strands, tuple):
        return [(model, strands)]
    members = cast("Iterable[SequenceModel]", model.members)
    return list(zip(members, strands, strict=True))


def _on_strands(
    read: Callable[[TokenBatch], Tensor],
    tokenizer: Tokenizer,
    codes: UInt8[Tensor, "B L"],
    lengths: Int64[Tensor, " B"],
    strands: Strands,
) -> Float[Tensor, "B C"]:
    # The mean is taken in float32, whatever the model computes in.
    values = read(tokenizer(codes, lengths)).float()
    if strands == "conjoined":
        opposite = reverse_complement(codes, lengths)
        values = (values + read(tokenizer(opposite, lengths)).float()) / 2
    return values


def predict_logits(
    model: SequenceModel,
    tokenizer: Tokenizer,
    buffer: CodeBuffer,
    *,
    alternatives: CodeBuffer | None = None,
    strands: StrandsOfAll,
    precision: Precision = "fp32",
    progress: Progress | None = None,
) -> Float32[ndarray, "N T"]:
    """Logits of every sequence of a buffer, in its order; of its alternative less its own, where
    there are alternatives.

    The model is put into evaluation mode and afterwards back into the mode it had. Training
    validates with this same function.
    """

    def read(codes: Tensor, lengths: Tensor) -> Tensor:
        return logits_of(model, tokenizer, codes, lengths, strands)

    logits = _read_all(model, buffer, read, precision, progress)
    if alternatives is not None:
        logits = _read_all(model, alternatives, read, precision, None) - logits
    return logits


def _read_all(
    model: SequenceModel,
    buffer: CodeBuffer,
    read: Callable[[Tensor, Tensor], Tensor],
    precision: Precision,
    progress: Progress | None,
) -> Float32[ndarray, "N C"]:
    """Apply ``read`` to all sequences in batches of similar length, without gradients."""
    if not len(buffer):
        return np.empty((0, 0), dtype=np.float32)
    was_training = model.training
    model.eval()
    longest = max(1, int(buffer.lengths.max()))
    size = max(1, min(LARGEST_BATCH, BASES_A_BATCH // longest))
    batches = bucketed_batches(buffer.lengths, size)
    parts: list[Tensor] = []
    try:
        with torch.no_grad(), autocast(buffer.device, precision):
            for rows in batches:
                parts.append(read(*buffer.gather(rows)))
                if progress is not None:
                    progress(rows.numel())
    finally:
        model.train(was_training)
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
        ``auto`` is the one it was trained and chosen in, on every machine.
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
        self.precision: Precision = precision_of(precision, checkpoint.precision, self.device)
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
        sequences: Texts,
        ids: Sequence[str] | None = None,
        scale: Literal["logit"] | None = None,
        *,
        alternatives: Texts | None = None,
        source: str | Path = "the sequences",
        progress: Progress | None = None,
    ) -> Predictions:
        """Predict for every sequence, in the given order.

        Parameters
        ----------
        sequences
            A batch, or texts of bases.
        alternatives
            Of each, the sequence with the other allele; a model of pairs needs them.
        ids
            Their names; 1, 2, 3, … when none are given.
        scale
            The scale of the labels unless logits are asked for.
        source
            The file they come from, for messages.

        Raises
        ------
        DataError
            A sequence is too short for the tokens, too long for the model or for its training, or
            has an N where the model was trained without; or the model gives no number for it.

        Warns
        -----
        InputWarning
            Once, where lengths lie outside those of the training; nothing is cut off.
        """
        batch = self.batch(sequences)
        others = None if alternatives is None else self.batch(alternatives)
        names = self._admit(batch, ids, source)
        self._refuse_unpaired(others, source)
        logits = predict_logits(
            self.model,
            self.tokenizer,
            CodeBuffer(batch, self.device),
            alternatives=None if others is None else CodeBuffer(others, self.device),
            strands=self.checkpoint.strands,
            precision=self.precision,
            progress=progress,
        ).reshape(len(batch), len(self.names))
        refuse_undefined(logits, names, source)
        wanted: Scale = scale or self.checkpoint.scale
        values = on_scale(logits, self.checkpoint.label_kind, wanted)
        return Predictions(
            names, values, wanted, self.names, self.checkpoint.run_id, self.precision
        )

    def call(self, predictions: Predictions) -> list[str]:
        """The class each sequence is given: by the threshold if binary, else the most probable.

        Raises
        ------
        ConfigError
            The model predicts tracks, which are no classes.
        """
        classes, kind = self.checkpoint.classes, self.checkpoint.label_kind
        if kind in ("multilabel", "regression"):
            raise ConfigError(f"the model predicts {kind} tracks, no classes", "take its values")
        values = predictions.values
        if predictions.scale == "logit":
            values = on_scale(values, kind, "probability")
        if kind == "binary":
            called = (values[:, 0] >= self.checkpoint.threshold).astype(np.int64)
        else:
            called = values.argmax(axis=1)
        return [classes[place] for place in called.tolist()]

    def embed(
        self,
        sequences: Texts,
        ids: Sequence[str] | None = None,
        *,
        source: str | Path = "the sequences",
        progress: Progress | None = None,
    ) -> Float32[ndarray, "N D"]:
        """The representation the head reads, of every sequence; the mean over conjoined strands."""
        batch = self.batch(sequences)
        names = self._admit(batch, ids, source)

        def read(codes: Tensor, lengths: Tensor) -> Tensor:
            return representations_of(
                self.model, self.tokenizer, codes, lengths, self.checkpoint.strands
            )

        buffer = CodeBuffer(batch, self.device)
        vectors = _read_all(self.model, buffer, read, self.precision, progress)
        refuse_undefined(vectors, names, source)
        return vectors

    def batch(self, sequences: Texts) -> SequenceBatch:
        """The sequences as codes, unknown letters by the model's rule."""
        if isinstance(sequences, SequenceBatch):
            return sequences
        return SequenceBatch.from_text(sequences, self.checkpoint.input.letters)

    def _refuse_unpaired(self, alternatives: SequenceBatch | None, source: str | Path) -> None:
        if (alternatives is not None) != self.checkpoint.paired:
            alone = "single sequences" if self.checkpoint.paired else "pairs"
            raise UserError(
                f"{source}: the model was not trained on {alone}",
                "give a paired task" if self.checkpoint.paired else "train on a paired task",
            )

    def _admit(
        self, sequences: SequenceBatch, ids: Sequence[str] | None, source: str | Path
    ) -> tuple[str, ...]:
        """Hold the sequences against the model's contract; gives their names."""
        names = tuple(ids) if ids is not None else tuple(map(str, range(1, len(sequences) + 1)))
        if len(names) != len(sequences):
            raise UserError(f"{len(names)} ids for {len(sequences)} sequences", "give one each")
        refuse_short(sequences, names, self.tokenizer.minimum_length, source)
        refuse_long(sequences, names, self.checkpoint.input.longest, source)
        if self.checkpoint.input.letters == "error":
            refuse_unknown_bases(sequences, names, source)
        unusual = unusual_lengths(sequences, self.checkpoint.input)
        if unusual:
            refuse_unreadable(self.model, self.tokenizer, sequences, source)
        if unusual and not self._warned:
            self._warned = True
            warnings.warn(unusual, InputWarning, stacklevel=3)
        return names


def refuse_unreadable(
    model: SequenceModel, tokenizer: Tokenizer, sequences: SequenceBatch, source: str | Path
) -> None:
    """Have the model read the longest sequence: it may be beyond the positions it has learned.

    Raises
    ------
    DataError
        It refuses; before hours were spent on the shorter ones.
    """
    row = int(np.argmax(sequences.lengths))
    device = next(model.parameters()).device
    buffer = CodeBuffer(sequences.take([row]), device)
    try:
        with torch.no_grad():
            model(tokenizer(*buffer.gather(torch.tensor([0]))))
    except UserError as error:
        raise DataError(source, error.problem, error.remedy, row=row + 1) from error


def unusual_lengths(sequences: SequenceBatch, contract: InputContract) -> str | None:
    """One line if some sequences are shorter or longer than all of the training, else none."""
    lengths = sequences.lengths
    outside = (lengths < contract.shortest) | (lengths > contract.longest)
    if not outside.any():
        return None
    found = _span(int(lengths[outside].min()), int(lengths[outside].max()))
    return (
        f"{int(outside.sum())} of {len(sequences)} sequences have {found} bases, the model was "
        f"trained on {_span(contract.shortest, contract.longest)}; they are read whole"
    )


def _span(low: int, high: int) -> str:
    return f"{low}" if low == high else f"{low} to {high}"

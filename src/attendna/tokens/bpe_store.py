"""Every sequence encoded once: what was, is kept in memory and, where asked for, on disk.

Shapes: ``B`` batch, ``L`` bases, ``S`` tokens.
"""

import hashlib
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int32, Int64, UInt8
from numpy import ndarray

from attendna.core.errors import MissingExtraError, UserError
from attendna.core.files import open_or_build
from attendna.genome.code_cache import cache_folder
from attendna.genome.sequences import SequenceBatch
from attendna.tokens.bpe_vocabulary import BASES, PADDING, UNKNOWN, Vocabulary
from attendna.tokens.encoded import Encoded
from attendna.tokens.sequence_keys import Keys, keys_of

FORMAT = 1
IDS_KEPT = 1 << 26
"""Ids of sequences met on the way that are kept in memory at most."""


class BPEStore:
    """The ids of a vocabulary's words in sequences.

    What the encoder wrote in Rust gives for a sequence depends on the sequence alone, so it is
    asked once; it works through a batch on all cores.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.padding = vocabulary.ids[PADDING]
        self.encoder = encoder_of(vocabulary)
        self.digest = hashlib.sha256(f"{FORMAT} {vocabulary}".encode()).hexdigest()[:32]
        small = len(vocabulary.words) <= np.iinfo(np.uint16).max
        self.dtype = np.dtype(np.uint16 if small else np.int32)
        """Of ids on disk and in memory."""
        self._ahead: dict[str, Encoded] = {}
        self._met: list[Encoded] = []

    def read(
        self, codes: UInt8[ndarray, "B L"], lengths: Int64[ndarray, " B"]
    ) -> tuple[Int32[ndarray, "B S"], Int64[ndarray, " B"]]:
        """Ids of padded codes, padded on the right, and how many each sequence has."""
        counts = np.zeros(len(codes), dtype=np.int64)
        found: list[tuple[Encoded, Int64[ndarray, " _"], Int64[ndarray, " _"]]] = []
        for held, rows, places in self._look_up(codes, lengths):
            counts[rows] = held.counts(places)
            found.append((held, rows, places))
        table = np.full((len(codes), int(counts.max(initial=0))), self.padding, dtype=np.int32)
        for held, rows, places in found:
            held.fill(table, rows, places, self.padding)
        return table, counts

    def _look_up(
        self, codes: UInt8[ndarray, "B L"], lengths: Int64[ndarray, " B"]
    ) -> Iterator[tuple[Encoded, Int64[ndarray, " _"], Int64[ndarray, " _"]]]:
        """Where the ids of every row are: rows of the batch, and their places there."""
        keys = keys_of(codes, lengths)
        missing = np.arange(len(codes))
        for held in chain(self._ahead.values(), self._met):
            places = held.find(Keys(keys.first[missing], keys.second[missing]))
            there = places >= 0
            if there.any():
                yield held, missing[there], places[there]
                missing = missing[~there]
            if not missing.size:
                return
        while missing.size:
            inside = np.arange(codes.shape[1]) < lengths[missing, None]
            bounds = np.concatenate([[0], lengths[missing].cumsum()])
            new = Encoded.of(SequenceBatch(codes[missing][inside], bounds), self.encode)
            places = new.find(Keys(keys.first[missing], keys.second[missing]))
            there = places >= 0
            yield new, missing[there], places[there]
            missing = missing[~there]
            self._keep(new)

    def _keep(self, new: Encoded) -> None:
        """Remember what was met, as few tables of ever larger size."""
        if sum(len(held.ids) for held in self._met) + len(new.ids) > IDS_KEPT:
            return
        while self._met and len(self._met[-1]) <= 2 * len(new):
            new = Encoded.joined([self._met.pop(), new])
        self._met.append(new)

    def read_ahead(self, sequences: SequenceBatch, *, both_strands: bool) -> None:
        """Encode many sequences, or map what an earlier run encoded of the very same ones.

        They lie in the user's cache folder; where that cannot be written they stay in memory.
        """
        if not len(sequences):
            return
        content = hashlib.sha256(sequences.codes.data)
        content.update(np.ascontiguousarray(sequences.offsets).data)
        name = f"{content.hexdigest()[:32]}-{'both' if both_strands else 'given'}"
        if name in self._ahead:
            return

        def encode() -> Encoded:
            strands = [sequences]
            if both_strands:
                strands.append(sequences.reverse_complement())
            return Encoded.of(SequenceBatch.joined(strands), self.encode)

        folder = cache_folder("tokens") / self.digest
        try:
            self._ahead[name] = _through_cache(folder / name, encode)
        except (UserError, OSError):
            self._ahead[name] = encode()

    def encode(self, sequences: SequenceBatch) -> tuple[ndarray, Int64[ndarray, " n"]]:
        """Ids of sequences, one after the other, and how many each has; nothing is kept."""
        read = self.encoder.encode_batch_fast(sequences.to_text(), add_special_tokens=False)
        lists = [one.ids for one in read]
        counts = np.fromiter(map(len, lists), np.int64, len(lists))
        return np.fromiter(chain.from_iterable(lists), self.dtype, int(counts.sum())), counts


def _through_cache(target: Path, encode: Callable[[], Encoded]) -> Encoded:
    found = open_or_build(target, Encoded.open, lambda partial: encode().save(partial))
    return encode() if found is None else found


def encoder_of(vocabulary: Vocabulary) -> Any:
    """The encoder of Hugging Face tokenizers that reads A, C, G and T; all else is unknown.

    Raises
    ------
    MissingExtraError
        tokenizers is not installed.
    """
    try:
        from tokenizers import Tokenizer
        from tokenizers.models import BPE
    except ImportError:
        raise MissingExtraError("tokenizers", "bpe", "byte-pair encoding") from None
    ids = vocabulary.ids
    words = {word: ids[word] for word in ids if not word.strip(BASES)}
    merges = [pair for pair in vocabulary.merges if not "".join(pair).strip(BASES)]
    # Its own cache of words would only fill up: no sequence is asked for twice.
    model = BPE(
        vocab=words | {UNKNOWN: ids[UNKNOWN]},
        merges=merges,
        unk_token=UNKNOWN,
        fuse_unk=False,
        cache_capacity=0,
    )
    return Tokenizer(model)


@lru_cache(maxsize=8)
def store_of(packed: str) -> BPEStore:
    """The one store of a packed vocabulary in this process."""
    return BPEStore(Vocabulary.unpack(packed))

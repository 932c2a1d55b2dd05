"""A checkpoint that others trained: a folder of the layout of Hugging Face, read as data.

``config.json`` says what it is, ``vocab.txt`` or ``tokenizer.json`` what it reads, and
``model.safetensors`` what it has learned. Code in it is never run.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from torch import Tensor

from attendna.core.config import Tree, parse
from attendna.core.content import read_json
from attendna.core.errors import DataError, FolderError
from attendna.core.files import sha256
from attendna.models.header import FILE
from attendna.models.huggingface.architecture import ArchitectureConfig
from attendna.models.huggingface.hub import find_checkpoint, is_hub_name
from attendna.models.huggingface.words import KmerVocabulary
from attendna.models.model_file import read_plain
from attendna.tokens.bpe_vocabulary import FILE as TOKENIZER_FILE
from attendna.tokens.bpe_vocabulary import Vocabulary, checked_ids

CONFIG_FILE = "config.json"
VOCABULARY_FILE = "vocab.txt"
INDEX_FILE = f"{FILE}.index.json"
PICKLE_FILE = "pytorch_model.bin"

NOT_STANDARD = (
    "its class is not the standard one that its config.json names; code of its own is not run"
)
"""What is said of a checkpoint whose weights are not those of its class."""

_HARMLESS = {
    "normalizer": ("NFC", "NFD", "NFKC", "NFKD"),
    "pre_tokenizer": ("Whitespace", "WhitespaceSplit", "BertPreTokenizer", "ByteLevel"),
}
"""Steps of a tokenizer that leave A, C, G and T as they are."""

_RUN_FILE = "run.yaml"


@dataclass(frozen=True)
class HuggingfaceCheckpoint:
    """A folder with a checkpoint.

    Parameters
    ----------
    folder
        Where it is.
    allow_pickle
        Whether weights may be read from a pickle; of one, too, only numbers are read.
    """

    folder: Path
    allow_pickle: bool = False

    @classmethod
    def find(
        cls, name: str | Path, *, hub: bool = False, allow_pickle: bool = False
    ) -> "HuggingfaceCheckpoint":
        """The checkpoint of a folder, or of a name on the hub; see :func:`find_checkpoint`."""
        folder = find_checkpoint(name, hub=hub, allow_pickle=allow_pickle)
        if not (folder / CONFIG_FILE).is_file():
            raise FolderError(
                f"{folder} has no {CONFIG_FILE}", "name the folder of a checkpoint, or a run"
            )
        return cls(folder, allow_pickle)

    @cached_property
    def settings(self) -> Tree:
        """Settings of the model: ``name``, ``config`` and ``vocabulary``.

        Raises
        ------
        UserError
            It is of a class that is not read, or its vocabulary is missing or another's.
        """
        words, vocabulary = self._words, None
        if isinstance(words, KmerVocabulary):
            vocabulary = words.pack()
        config = self._config
        count = len(words.words)
        if config.vocab_size != count:
            raise DataError(
                self.folder / CONFIG_FILE,
                f"vocab_size is {config.vocab_size}, {self._words_file.name} has {count} words",
                "give the vocabulary that belongs to the model",
            )
        return {"name": "huggingface", "config": config.to_tree(), "vocabulary": vocabulary}

    @cached_property
    def tokenizer(self) -> Tree:
        """Settings of the tokenizer that it was trained with."""
        words = self._words
        if isinstance(words, KmerVocabulary):
            return {"name": "kmer", "k": words.k}
        return {"name": "bpe", "vocabulary": words.pack()}

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the weights; of several files, of their digests."""
        digests = [sha256(path) for path in self._files]
        return (
            digests[0]
            if len(digests) == 1
            else hashlib.sha256("".join(digests).encode()).hexdigest()
        )

    @property
    def files(self) -> tuple[Path, ...]:
        """All that is read of the folder."""
        index = self.folder / INDEX_FILE
        parts = (index,) if index.is_file() else ()
        return (self.folder / CONFIG_FILE, self._words_file, *self._files, *parts)

    def weights(self) -> dict[str, Tensor]:
        """Weights of the body and the pooling, under the names that our model has for them.

        Raises
        ------
        UserError
            There are none, they are damaged, or only in a pickle, which nobody allowed.
        """
        held: dict[str, Tensor] = {}
        for path in self._files:
            held |= _read(path)
        prefix = f"{self._config.model_type}."
        if any(name.startswith(prefix) for name in held):
            # What tells words or classes stands beside the encoder, and is of no use here.
            held = {
                name.removeprefix(prefix): value
                for name, value in held.items()
                if name.startswith(prefix)
            }
        return {_own_name(name): value.float() for name, value in held.items() if _is_learned(name)}

    @cached_property
    def _config(self) -> ArchitectureConfig:
        path = self.folder / CONFIG_FILE
        try:
            said = dict(read_json(path))
        except (ValueError, TypeError) as error:
            raise DataError(path, "not the JSON of a configuration", "copy it again") from error
        kind = said.get("model_type")
        if kind not in ("bert", "electra", "roberta"):
            raise DataError(
                path,
                f"model_type is {kind!r}, of which the class is not known here",
                "give a checkpoint of bert, electra or roberta",
            )
        for key, plain in (("is_decoder", False), ("position_embedding_type", "absolute")):
            if said.get(key, plain) != plain:
                raise DataError(
                    path, f"{key} is {said[key]!r}", "give a checkpoint of a plain encoder"
                )
        known = {key: said[key] for key in ArchitectureConfig.model_fields if key in said}
        return parse(ArchitectureConfig, known, path)

    @property
    def _words_file(self) -> Path:
        for name in (VOCABULARY_FILE, TOKENIZER_FILE):
            if (self.folder / name).is_file():
                return self.folder / name
        raise FolderError(
            f"{self.folder} has neither {VOCABULARY_FILE} nor {TOKENIZER_FILE}",
            "copy the tokenizer's files there too",
        )

    @cached_property
    def _words(self) -> KmerVocabulary | Vocabulary:
        path = self._words_file
        if path.name == VOCABULARY_FILE:
            return _kmers(path, path.read_text(encoding="utf-8", errors="replace").split())
        try:
            tree = dict(read_json(path))
            model = dict(tree["model"])
            kind, ids = model.get("type"), checked_ids(model["vocab"])
            if kind in ("WordPiece", "WordLevel"):
                return _kmers(path, sorted(ids, key=lambda word: ids[word]))
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(path, "no tokenizer can be read from it", "copy it again") from error
        _refuse_rewriting(path, tree)
        return Vocabulary.read(path)

    @cached_property
    def _files(self) -> tuple[Path, ...]:
        folder = self.folder
        if (folder / FILE).is_file():
            return (folder / FILE,)
        if (folder / INDEX_FILE).is_file():
            try:
                parts = read_json(folder / INDEX_FILE)["weight_map"]
                # A name is a file of this folder, whatever the index says.
                names = sorted({Path(part).name for part in parts.values()})
                absent = [name for name in names if not (folder / name).is_file()]
            except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
                raise DataError(folder / INDEX_FILE, "damaged", "copy it again") from error
            if absent:
                raise DataError(folder / absent[0], "no such file", "copy all files of the weights")
            return tuple(folder / name for name in names)
        path = folder / PICKLE_FILE
        if not path.is_file():
            raise FolderError(f"{folder} has no {FILE}", "copy the weights there too")
        if not self.allow_pickle:
            raise FolderError(
                f"{path} is a pickle, which can hold code, and there is no {FILE}",
                "if you trust it add --allow-pickle; only numbers are then read from it",
            )
        return (path,)


def is_checkpoint(name: str | Path) -> bool:
    """Whether a name stands for a checkpoint of others, and not for a run of ours."""
    path = Path(name)
    if path.exists():
        return (path / CONFIG_FILE).is_file() and not (path / _RUN_FILE).is_file()
    return is_hub_name(str(name))


def _kmers(path: Path, words: list[str]) -> KmerVocabulary:
    try:
        return KmerVocabulary(tuple(words))
    except ValueError as error:
        raise DataError(path, str(error), "give the vocabulary of a DNABERT model") from error


def _mapping(path: Path, part: Any) -> Mapping[str, Any]:
    if not isinstance(part, dict):
        raise DataError(path, f"{part!r:.40} is no JSON object", "copy it again")
    return cast("Mapping[str, Any]", part)


def _refuse_rewriting(path: Path, tree: Mapping[str, Any]) -> None:
    """Refuse byte pairs that are not of the sequence as it stands: its letters, from the first."""
    for part, harmless in _HARMLESS.items():
        step = _mapping(path, tree.get(part) or {})
        if step.get("type") not in (None, *harmless) or step.get("add_prefix_space"):
            raise DataError(
                path,
                f"its {part} {step['type']} changes what is read",
                "give a checkpoint whose byte pairs are of plain A, C, G, T",
            )
    model = _mapping(path, tree["model"])
    for key in ("continuing_subword_prefix", "end_of_word_suffix", "dropout", "byte_fallback"):
        if model.get(key):
            raise DataError(path, f"it has a {key}", "give a checkpoint of plain byte pairs")


def _read(path: Path) -> dict[str, Tensor]:
    try:
        held = dict(read_plain(path))
        return {str(name): value for name, value in held.items() if isinstance(value, Tensor)}
    except (ValueError, TypeError) as error:
        raise DataError(
            path, "damaged, or it holds more than numbers", "copy it again, or do not trust it"
        ) from error


def _is_learned(name: str) -> bool:
    """Whether it is a weight: old versions stored the numbers of positions beside them."""
    return not name.endswith(("position_ids", "token_type_ids"))


def _own_name(name: str) -> str:
    """Old versions called what a norm has learned by other names."""
    name = name.replace("LayerNorm.gamma", "LayerNorm.weight")
    name = name.replace("LayerNorm.beta", "LayerNorm.bias")
    part, _, rest = name.partition(".")
    return f"pooling.{rest}" if part == "pooler" else f"body.{name}"

"""Small checkpoints such as others publish, written by transformers itself."""

import itertools
import json
from pathlib import Path
from typing import Any

import torch
from tests.words import vocabulary
from transformers import (
    AutoModelForMaskedLM,
    BertConfig,
    ElectraConfig,
    PreTrainedModel,
    RobertaConfig,
)

SIZES: dict[str, Any] = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 24,
}
CONFIGS = {"bert": BertConfig, "electra": ElectraConfig, "roberta": RobertaConfig}
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def kmers(k: int, order: str = "ATCG") -> list[str]:
    """The words of DNABERT, written out."""
    return [*SPECIAL, *map("".join, itertools.product(order, repeat=k))]


def network(vocabulary: int, kind: str = "bert", **settings: Any) -> PreTrainedModel:
    """A masked language model of the standard class, whose every number is drawn."""
    torch.manual_seed(7)
    made = AutoModelForMaskedLM.from_config(
        CONFIGS[kind](vocab_size=vocabulary, **SIZES | settings)
    )
    with torch.no_grad():
        for name, parameter in made.named_parameters():
            parameter.normal_(1 if name.endswith("LayerNorm.weight") else 0, 0.5)
    return made.eval()


def dnabert(folder: Path, k: int = 3, *, order: str = "ATCG", **settings: Any) -> PreTrainedModel:
    """A checkpoint laid out as those of DNABERT are."""
    words = kmers(k, order)
    made = network(len(words), **settings)
    made.save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(words) + "\n")
    (folder / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": False}))
    return made


def pairs(folder: Path, merges: int = 60, **settings: Any) -> PreTrainedModel:
    """A checkpoint with byte pairs of its own, in the order of DNABERT-2."""
    words = vocabulary(merges)
    made = network(len(words.words), pad_token_id=words.ids["[PAD]"], **settings)
    made.save_pretrained(folder)
    tokenizer(merges).save(str(folder / "tokenizer.json"))
    return made


def tokenizer(merges: int = 60) -> Any:
    """The tokenizer of these pairs, by the package tokenizers."""
    from tokenizers import Tokenizer, models, processors

    words = vocabulary(merges)
    made = Tokenizer(models.BPE(words.ids, list(words.merges), unk_token="[UNK]"))
    made.add_special_tokens(list(words.special))
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[(w, words.ids[w]) for w in ("[CLS]", "[SEP]")]
    )
    return made


def text_of(sequence: str, k: int = 3, stride: int = 1) -> list[str]:
    """The words of a sequence, as scripts for DNABERT make them."""
    return [sequence[at : at + k] for at in range(0, len(sequence) - k + 1, stride)]

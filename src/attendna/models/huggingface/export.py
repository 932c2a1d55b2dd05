"""Write what was learned in the layout of Hugging Face, for whoever has no attendna.

``AutoModelForSequenceClassification.from_pretrained`` gives the same logits as the run did; of two
classes one logit was learned, and its halves are those of the two. A language model is written as
the bare encoder. The tokenizer's files lie beside it, and ``README.md`` says how to use both.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from safetensors.torch import save_file
from torch import Tensor

import attendna
from attendna.core.errors import ConfigError
from attendna.core.files import publish_folder, refuse_existing
from attendna.core.outputs import OutputFolder
from attendna.models.checkpoint import Checkpoint, load
from attendna.models.header import FILE, read_header
from attendna.models.huggingface.architecture import ArchitectureConfig, transformers
from attendna.models.huggingface.card import card_of
from attendna.models.huggingface.checkpoint import VOCABULARY_FILE
from attendna.models.huggingface.model import HuggingfaceConfig, HuggingfaceModel
from attendna.models.huggingface.words import KmerVocabulary
from attendna.models.language_checkpoint import LanguageCheckpoint, load_language
from attendna.tokens.bpe import BPEConfig
from attendna.tokens.bpe_vocabulary import CLS, MASK, PADDING, SEP, UNKNOWN, Vocabulary
from attendna.tokens.tokenizer import TokenizerConfig

EXPORT = OutputFolder("export")

_PROBLEMS = {
    "binary": "single_label_classification",
    "multiclass": "single_label_classification",
    "multilabel": "multi_label_classification",
    "regression": "regression",
}
_SPECIAL = {
    "unk_token": UNKNOWN,
    "cls_token": CLS,
    "sep_token": SEP,
    "pad_token": PADDING,
    "mask_token": MASK,
}


def export(run: str | Path, out: str | Path, *, force: bool = False) -> Path:
    """Write a run of a huggingface model as a folder that transformers reads.

    Raises
    ------
    UserError
        The run is unfinished or of another model, or the folder exists.
    """
    out = Path(out)
    refuse_existing(out, EXPORT, force=force)
    header = read_header(run)
    name = dict(header.get("model", {})).get("name", "one of tracks")
    if name != "huggingface":
        raise ConfigError(
            f"{run} is a model {name}, for which transformers has no class",
            "export a run of model: huggingface, of one network",
        )
    learned = _language(run) if "tell" in header else _classifier(run)
    with publish_folder(out, EXPORT, force=force) as partial:
        config = learned.network.config
        config.architectures = [type(learned.network).__name__]
        config.attendna = learned.facts
        config.save_pretrained(partial)
        weights = {n: value.contiguous() for n, value in learned.network.state_dict().items()}
        save_file(weights, partial / FILE, metadata={"format": "pt"})
        _write_tokenizer(partial, learned.tokenizer, learned.model.vocabulary, learned.model.config)
        (partial / "README.md").write_text(
            card_of(learned.facts, learned.tokenizer, learned.model.config), encoding="utf-8"
        )
    return out


@dataclass(frozen=True, eq=False)
class Learned:
    """What is exported."""

    network: Any
    model: HuggingfaceConfig
    tokenizer: TokenizerConfig
    facts: dict[str, Any]
    """What transformers has no place for."""


def _classifier(run: str | Path) -> Learned:
    checkpoint, model = load(run)
    config, ours = cast("HuggingfaceConfig", checkpoint.model), cast("HuggingfaceModel", model)
    labels = dict(enumerate(checkpoint.classes))
    said = _said(
        config,
        ours,
        id2label=labels,
        label2id={name: number for number, name in labels.items()},
        problem_type=_PROBLEMS[checkpoint.label_kind],
    )
    network = transformers().AutoModelForSequenceClassification.from_config(said)
    prefix = network.base_model_prefix
    weights = {_their_name(name, prefix): value for name, value in ours.state_dict().items()}
    if checkpoint.label_kind == "binary":
        weights |= _halved(weights)
    network.load_state_dict(weights)
    return Learned(network.eval(), config, checkpoint.tokenizer, _facts(checkpoint))


def _language(run: str | Path) -> Learned:
    checkpoint, model = load_language(run)
    config, ours = cast("HuggingfaceConfig", checkpoint.model), model.encoder
    bare = {} if config.config.model_type == "electra" else {"add_pooling_layer": False}
    said = _said(config, cast("HuggingfaceModel", ours))
    network = transformers().AutoModel.from_config(said, **bare)
    network.load_state_dict({n.removeprefix("body."): w for n, w in ours.state_dict().items()})
    return Learned(network.eval(), config, checkpoint.tokenizer, _facts(checkpoint))


def _said(config: HuggingfaceConfig, model: HuggingfaceModel, **more: Any) -> Any:
    spelling = model.spelling
    return config.config.to_transformers(spelling.size, spelling.special[PADDING], **more)


def _their_name(name: str, prefix: str) -> str:
    part, _, rest = name.partition(".")
    if part == "head":
        # Ours is a dropout and a layer, or holds the head that is theirs.
        return f"classifier.{rest.partition('.')[2]}"
    return f"{prefix}.{rest}" if part == "body" else f"{prefix}.pooler.{rest}"


def _halved(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The last layer with a row for each of two classes, whose difference is the one it had."""
    last = "classifier.out_proj" if "classifier.out_proj.weight" in weights else "classifier"
    names = (f"{last}.weight", f"{last}.bias")
    return {name: torch.cat([-weights[name] / 2, weights[name] / 2]) for name in names}


def _facts(checkpoint: Checkpoint | LanguageCheckpoint) -> dict[str, Any]:
    facts: dict[str, Any] = {"version": attendna.__version__, "run_id": checkpoint.run_id}
    if not isinstance(checkpoint.tokenizer, BPEConfig):
        facts["tokenizer"] = checkpoint.tokenizer.to_tree()
    if isinstance(checkpoint, Checkpoint):
        facts |= {"strands": checkpoint.strands, "threshold": checkpoint.threshold}
        facts |= {"task": checkpoint.input.task, "paired": checkpoint.paired}
        facts |= {"labels": checkpoint.label_kind}
    return facts


def _write_tokenizer(
    folder: Path, tokenizer: TokenizerConfig, packed: str | None, config: ArchitectureConfig
) -> None:
    package, most = transformers(), config.longest + 2
    if isinstance(tokenizer, BPEConfig):
        made = _byte_pairs(Vocabulary.unpack(tokenizer.vocabulary))
        fast = package.PreTrainedTokenizerFast(
            tokenizer_object=made, model_max_length=most, **_SPECIAL
        )
        fast.save_pretrained(folder)
        return
    k = getattr(tokenizer, "k", 1)
    words = KmerVocabulary.unpack(packed) if packed else KmerVocabulary.dnabert(k)
    file = folder / VOCABULARY_FILE
    text = "".join(f"{word}\n" for word in words.words)
    file.write_text(text, encoding="utf-8")
    package.BertTokenizer(str(file), do_lower_case=False, model_max_length=most).save_pretrained(
        folder
    )
    # Newer versions keep the words in tokenizer.json alone; older readers look for the text.
    file.write_text(text, encoding="utf-8")


def _byte_pairs(vocabulary: Vocabulary) -> Any:
    from tokenizers import Tokenizer
    from tokenizers.models import BPE
    from tokenizers.processors import TemplateProcessing

    ids = vocabulary.ids
    made = Tokenizer(BPE(vocab=ids, merges=list(vocabulary.merges), unk_token=UNKNOWN))
    made.add_special_tokens(list(vocabulary.special))
    made.post_processor = TemplateProcessing(
        single=f"{CLS} $A {SEP}",
        pair=f"{CLS} $A {SEP} $B:1 {SEP}:1",
        special_tokens=[(word, ids[word]) for word in (CLS, SEP)],
    )
    return made

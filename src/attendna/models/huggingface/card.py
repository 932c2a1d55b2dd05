"""What stands beside an exported model for those who have no attendna: ``README.md``."""

from collections.abc import Iterator, Mapping
from typing import Any

import attendna
from attendna.models.huggingface.architecture import ArchitectureConfig
from attendna.tokens.bpe import BPEConfig
from attendna.tokens.tokenizer import TokenizerConfig


def card_of(
    facts: Mapping[str, Any], tokenizer: TokenizerConfig, config: ArchitectureConfig
) -> str:
    """How to use the model, and what the run did beyond it.

    Parameters
    ----------
    facts
        ``run_id``, and of a model of classes ``task``, ``labels``, ``strands``, ``paired`` and
        ``threshold``.
    """
    kind = "AutoModelForSequenceClassification" if "labels" in facts else "AutoModel"
    lines = [
        f"# {facts.get('task') or 'A language model of DNA'}",
        "",
        f"Written by attendna {attendna.__version__} from the run {facts['run_id']}.",
        "",
        "```python",
        f"from transformers import AutoTokenizer, {kind}",
        "",
        'tokenizer = AutoTokenizer.from_pretrained("FOLDER")',
        f'model = {kind}.from_pretrained("FOLDER").eval()',
        f"text = {_text(tokenizer)}  # of a sequence in upper case",
        'output = model(**tokenizer(text, return_tensors="pt"))',
        "```",
        "",
        *(f"- {note}" for note in _notes(facts, config)),
    ]
    return "\n".join(lines) + "\n"


def _text(tokenizer: TokenizerConfig) -> str:
    """Python that makes of a sequence what the tokenizer of transformers reads."""
    if isinstance(tokenizer, BPEConfig):
        return "sequence"
    k = getattr(tokenizer, "k", 1)
    stride = k if tokenizer.name == "patch" else getattr(tokenizer, "stride", 1)
    whole = getattr(tokenizer, "remainder", "drop") == "pad"
    end = "len(sequence)" if whole or k == 1 else f"len(sequence) - {k - 1}"
    return f'" ".join(sequence[i : i + {k}] for i in range(0, {end}, {stride}))'


def _notes(facts: Mapping[str, Any], config: ArchitectureConfig) -> Iterator[str]:
    yield f"Up to {config.longest} tokens are read at once."
    if "labels" in facts:
        yield (
            "The tokens of a longer sequence were cut evenly into as few windows as fit, and the "
            "logits of the windows averaged."
        )
    if facts.get("strands") == "conjoined":
        yield "The logits of a sequence and of its reverse complement were averaged."
    if facts.get("paired"):
        yield "The logits of the reference were taken from those of the alternative."
    if facts.get("labels") == "binary":
        yield f"A sequence was called positive from a probability of {facts['threshold']:.4f}."

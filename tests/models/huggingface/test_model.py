"""The model computes what plain transformers computes of the same words."""

from pathlib import Path
from typing import Any

import pytest
import torch
from tests.models.huggingface import checkpoints
from tests.models.huggingface.checkpoints import CONFIGS, SIZES, kmers, text_of
from torch import Tensor
from transformers import AutoModelForSequenceClassification, BertTokenizer

from attendna.core.config import parse
from attendna.core.errors import ConfigError
from attendna.genome.sequences import SequenceBatch
from attendna.models.huggingface.checkpoint import HuggingfaceCheckpoint
from attendna.models.huggingface.model import HuggingfaceConfig, HuggingfaceModel
from attendna.tokens.kmer import KmerConfig
from attendna.tokens.patch import PatchConfig
from attendna.tokens.tokenizer import TOKENIZERS, Tokenizer

SEQUENCES = ["ACGTTGCAAGGCT", "TTGACCA", "GGGNACCATTT", "acgtacgtttgac"]


def read(tokenizer: Tokenizer, sequences: list[str]) -> Any:
    codes, lengths = SequenceBatch.from_text(sequences).padded()
    return tokenizer(torch.tensor(codes), torch.tensor(lengths))


def opened(folder: Path, **tokens: Any) -> tuple[HuggingfaceModel, Tokenizer]:
    """The model of a checkpoint with its weights, as a training starts from them."""
    found = HuggingfaceCheckpoint.find(folder)
    tree = found.tokenizer | tokens
    tokenizer = TOKENIZERS[tree["name"]].model_validate(tree).build()
    model = parse(HuggingfaceConfig, found.settings, folder).build(tokenizer, 2)
    weights = found.weights()
    missing, unexpected = model.load_state_dict(weights, strict=False)
    assert not unexpected
    assert all(name.startswith(("head.", "pooling.")) for name in missing)
    with torch.no_grad():
        # Large enough that sequences differ by more than what is let through.
        for name in missing:
            model.get_parameter(name).normal_()
    return model.eval(), tokenizer


def plain(folder: Path, model: HuggingfaceModel) -> Any:
    """Transformers' own classifier from the folder, with the head and pooler of ours."""
    made = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=2)
    state = {}
    for name, value in model.state_dict().items():
        part, _, rest = name.partition(".")
        if part == "pooling":
            state[f"bert.pooler.{rest}"] = value
        elif part == "head":
            state["classifier." + rest.removeprefix("1.").removeprefix("classifier.")] = value
    _, unexpected = made.load_state_dict(state, strict=False)
    assert not unexpected
    return made.eval()


@torch.no_grad()
@pytest.mark.parametrize("kind", CONFIGS)
@pytest.mark.parametrize("k", [3, 4])
def test_logits_and_states_are_those_of_transformers(tmp_path: Path, k: int, kind: str) -> None:
    checkpoints.dnabert(tmp_path, k, kind=kind)
    model, tokenizer = opened(tmp_path)
    theirs = plain(tmp_path, model)
    vocabulary = str(tmp_path / "vocab.txt")
    words = [" ".join(text_of(sequence.upper(), k)) for sequence in SEQUENCES]
    encoded = BertTokenizer(vocabulary, do_lower_case=False)(
        words, padding=True, return_tensors="pt", return_token_type_ids=False
    )
    tokens = read(tokenizer, SEQUENCES)
    assert torch.equal(model._windows(tokens).ids, encoded["input_ids"])
    expected = theirs(**encoded, output_hidden_states=True)
    torch.testing.assert_close(model(tokens), expected.logits, atol=1e-5, rtol=0)
    states, mask = model.read(tokens)
    inside = expected.hidden_states[-1][:, 1:-1]
    torch.testing.assert_close(states[mask], inside[mask], atol=1e-5, rtol=0)
    assert (model(tokens).std(0) > 1e-2).all()


@torch.no_grad()
def test_byte_pairs_are_read_as_transformers_reads_them(tmp_path: Path) -> None:
    checkpoints.pairs(tmp_path)
    model, tokenizer = opened(tmp_path)
    theirs = plain(tmp_path, model)
    library = checkpoints.tokenizer()
    for sequence in ("TATAAAGGGCGGCACGTG", "ACGTTTGCA", "TATAAATATAAAC"):
        ids = library.encode(sequence).ids
        tokens = read(tokenizer, [sequence])
        assert model._windows(tokens).ids[0].tolist() == ids
        expected = theirs(torch.tensor([ids])).logits
        torch.testing.assert_close(model(tokens), expected, atol=1e-5, rtol=0)


@torch.no_grad()
def test_the_papers_tokens_lie_side_by_side_and_the_rest_is_unknown(tmp_path: Path) -> None:
    checkpoints.dnabert(tmp_path, 3)
    model, tokenizer = opened(tmp_path, name="patch", remainder="pad")
    lines = kmers(3)
    sequence = "ACGTTGCAAGGCT"
    words = [*text_of(sequence, 3, 3), "T"]
    expected = [lines.index("[CLS]"), *(lines.index(w) for w in words[:-1])]
    expected += [lines.index("[UNK]"), lines.index("[SEP]")]
    assert model._windows(read(tokenizer, [sequence])).ids[0].tolist() == expected


def windows(model: HuggingfaceModel, ids: Tensor, count: int) -> list[Tensor]:
    """The tokens of one sequence in so many windows, as even as can be, framed."""
    size = len(ids)
    edges = [place * size // count for place in range(count + 1)]
    cls, sep = (torch.tensor([model.spelling.special[word]]) for word in ("[CLS]", "[SEP]"))
    return [torch.cat([cls, ids[edges[n] : edges[n + 1]], sep])[None] for n in range(count)]


@torch.no_grad()
@pytest.mark.parametrize(("length", "count"), [(12, 1), (20, 1), (21, 2), (38, 2), (92, 5)])
def test_more_tokens_than_positions_are_read_in_windows(
    tmp_path: Path, length: int, count: int
) -> None:
    checkpoints.dnabert(tmp_path, 3, max_position_embeddings=20)
    model, tokenizer = opened(tmp_path)
    theirs = plain(tmp_path, model)
    sequences = [
        "".join("ACGT"[(place * place + place // 7) % 4] for place in range(length)),
        "ACGTAC",
    ]
    tokens = read(tokenizer, sequences)
    ids = model.ids[tokens.ids[0, : int(tokens.mask[0].sum())].long()]
    expected = torch.cat([theirs(part).logits for part in windows(model, ids, count)]).mean(0)
    torch.testing.assert_close(model(tokens)[0], expected, atol=1e-5, rtol=0)
    alone = model(read(tokenizer, sequences[1:]))
    torch.testing.assert_close(model(tokens)[1], alone[0], atol=1e-5, rtol=0)
    # And every token has a vector, in its place.
    states, mask = model.read(tokens)
    laid = [theirs.bert(part).last_hidden_state[0, 1:-1] for part in windows(model, ids, count)]
    own = states[0] if mask is None else states[0][mask[0]]
    torch.testing.assert_close(own, torch.cat(laid), atol=1e-5, rtol=0)


def test_spans_name_the_bases_of_every_token(tmp_path: Path) -> None:
    checkpoints.dnabert(tmp_path, 4)
    model, tokenizer = opened(tmp_path)
    sequence = "ACGTTGCAAGG"
    tokens = read(tokenizer, [sequence])
    lines = kmers(4)
    for token, (start, end) in zip(tokens.ids[0], tokens.spans[0].tolist(), strict=True):
        assert lines[int(model.ids[token])] == sequence[start:end]


def test_a_language_model_reads_what_is_hidden_as_the_mask() -> None:
    config = parse(HuggingfaceConfig, {"config": {"model_type": "bert", **SIZES}}, "test")
    tokenizer = KmerConfig(k=3).build()
    tokens = read(tokenizer, ["ACGNACG"])
    lines = kmers(3)
    for model, word in (
        (config.build(tokenizer, 1), "[UNK]"),
        (config.backbone(tokenizer), "[MASK]"),
    ):
        found = [lines[place] for place in model._windows(tokens).ids[0].tolist()]
        assert found == ["[CLS]", "ACG", word, word, word, "ACG", "[SEP]"]
    parts = {name.partition(".")[0] for name in config.backbone(tokenizer).state_dict()}
    assert parts == {"body"}


def test_tokens_of_another_kind_or_length_are_refused(tmp_path: Path) -> None:
    checkpoints.dnabert(tmp_path, 3)
    settings = parse(HuggingfaceConfig, HuggingfaceCheckpoint.find(tmp_path).settings, "test")
    for tokenizer in (KmerConfig(k=4), PatchConfig(k=2)):
        with pytest.raises(ConfigError, match="vocab_size is 69, the tokens have"):
            settings.build(tokenizer.build(), 1)

import pytest
from tests.words import config as pairs

from attendna.models.huggingface.architecture import ArchitectureConfig
from attendna.models.huggingface.card import card_of
from attendna.tokens.kmer import KmerConfig
from attendna.tokens.onehot import OneHotConfig
from attendna.tokens.patch import PatchConfig

FACTS = {"run_id": "0123", "task": "enhancers", "labels": "binary", "threshold": 0.4}
FACTS |= {"strands": "conjoined", "paired": False}
CONFIG = ArchitectureConfig(model_type="bert")


@pytest.mark.parametrize(
    ("tokenizer", "words"),
    [
        (KmerConfig(k=3), "ACG CGT GTT TTG"),
        (KmerConfig(k=3, stride=2), "ACG GTT"),
        (PatchConfig(k=4), "ACGT"),
        (PatchConfig(k=4, remainder="pad"), "ACGT TG"),
        (OneHotConfig(), "A C G T T G"),
        (pairs(3), "ACGTTG"),
    ],
)
def test_the_text_it_tells_to_make_is_that_of_the_tokens(tokenizer: KmerConfig, words: str) -> None:
    lines = card_of(FACTS, tokenizer, CONFIG).splitlines()
    said = next(line for line in lines if line.startswith("text = "))
    found: dict[str, str] = {"sequence": "ACGTTG"}
    exec(said, found)
    assert found["text"] == words


def test_it_says_what_the_run_did_beyond_the_network() -> None:
    card = card_of(FACTS, KmerConfig(), CONFIG)
    assert card.startswith("# enhancers\n")
    assert "AutoModelForSequenceClassification" in card
    for said in ("510 tokens", "reverse complement", "0.4000"):
        assert said in card
    language = card_of({"run_id": "0"}, KmerConfig(), CONFIG)
    assert "AutoModel.from_pretrained" in language
    assert "positive" not in language

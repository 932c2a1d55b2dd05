import pytest
from tests.models.test_language import model_of as bases
from tests.models.test_language import windows
from tests.models.test_word_language import model_of as words
from tests.training.pretraining.genomes import settings
from tests.words import vocabulary

from attendna.core.config import parse
from attendna.training.pretraining.config import PretrainingConfig
from attendna.training.pretraining.module import PretrainingModule
from attendna.training.pretraining.parts import held_out_of, module_of
from attendna.training.pretraining.validation import HeldOut
from attendna.training.pretraining.word_module import WordPretrainingModule
from attendna.training.pretraining.word_validation import HeldOutWords
from attendna.training.schedule import Schedule

PAIRS = {"tokenizer": {"name": "bpe", "vocabulary": vocabulary().pack()}, "tell": "words"}


@pytest.mark.parametrize("of_words", [False, True], ids=["bases", "words"])
def test_each_kind_of_model_has_its_own(of_words: bool) -> None:
    config = parse(PretrainingConfig, settings(**(PAIRS if of_words else {})), "test")
    model = words() if of_words else bases("onehot")
    schedule = Schedule.of_steps(10, 2, config.optimizer, 10.0)
    module = module_of(model, config, schedule)
    assert isinstance(module, WordPretrainingModule if of_words else PretrainingModule)
    assert module.model is model
    codes = windows(6, 64).numpy()
    held_out = held_out_of(model, codes, config, "fp32")
    assert isinstance(held_out, HeldOutWords if of_words else HeldOut)
    assert held_out.measure(model)["perplexity"] > 1

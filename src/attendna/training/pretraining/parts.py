"""What trains and what measures a language model: bases of fixed words, or words of byte pairs."""

from typing import Any, Protocol, runtime_checkable

from jaxtyping import UInt8
from numpy import ndarray

from attendna.evaluation.language import Hidden, Tally
from attendna.models.word_language import AnyLanguageModel, WordLanguageModel
from attendna.prediction.device import Precision
from attendna.training.pretraining.config import PretrainingConfig
from attendna.training.pretraining.module import PretrainingModule
from attendna.training.pretraining.validation import HeldOut
from attendna.training.pretraining.word_module import WordPretrainingModule
from attendna.training.pretraining.word_validation import HeldOutWords
from attendna.training.schedule import Schedule


@runtime_checkable
class Measured(Protocol):
    """Held-out windows with some bases hidden, for models of one kind."""

    hidden: Hidden

    def tally(self, model: Any) -> Tally:
        """How a model fared in each window."""
        ...

    def measure(self, model: Any) -> dict[str, float]:
        """The loss in nats a base, and what follows from it."""
        ...


def held_out_of(
    model: AnyLanguageModel,
    codes: UInt8[ndarray, "w L"],
    config: PretrainingConfig,
    precision: Precision,
) -> Measured:
    """What measures the model on held-out windows."""
    if isinstance(model, WordLanguageModel):
        return HeldOutWords(codes, model.tokenizer, config.masking, config.seed, precision)
    return HeldOut(codes, model, config.masking, config.seed, precision)


def module_of(
    model: AnyLanguageModel, config: PretrainingConfig, schedule: Schedule
) -> PretrainingModule | WordPretrainingModule:
    """What Lightning trains of it."""
    if isinstance(model, WordLanguageModel):
        return WordPretrainingModule(
            model,
            masking=config.masking,
            optimizer=config.optimizer,
            schedule=schedule,
            seed=config.seed,
        )
    return PretrainingModule(
        model,
        masking=config.masking,
        contrastive=config.contrastive,
        optimizer=config.optimizer,
        schedule=schedule,
        seed=config.seed,
    )

"""Low-rank adapters: what was learned stays, and small matrices beside it learn the task.

Source: Hu et al. 2021, LoRA; by the package peft. When a model is stored the adapters are added to
the weights they stand beside, so that a trained model is like any other.
"""

import copy
from typing import Any, TypeVar, cast

from torch import nn

from attendna.core.errors import ConfigError, MissingExtraError
from attendna.models.model import SequenceModel
from attendna.training.module import depth_of
from attendna.training.run import LoraConfig
from attendna.training.transfer import OWN, learned_parts

Network = TypeVar("Network", bound=nn.Module)


def add_adapters(model: SequenceModel, settings: LoraConfig) -> None:
    """Freeze all but the pooling and the head, and set adapters beside all matrices of the blocks.

    They are drawn from torch's generator: seed it before.

    Raises
    ------
    MissingExtraError
        peft is not installed.
    ConfigError
        The model has no blocks with matrices.
    """
    try:
        import peft
    except ImportError:
        raise MissingExtraError("peft", "lora", "start.lora") from None
    linear = [n for n, m in model.named_modules() if isinstance(m, nn.Linear)]
    targets = [name for name in linear if depth_of(name)]
    if not targets:
        raise ConfigError("start.lora: the model has no blocks of linear layers", "leave it out")
    adapters = peft.LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules=targets,
    )
    peft.inject_adapter_in_model(adapters, model)
    for part in OWN:
        model.get_submodule(part).requires_grad_(True)
    adapted = {name.partition(".")[0] for name in targets}
    model.freeze(part for part in learned_parts(model) if part not in adapted)


def merged(model: Network) -> Network:
    """The model with its adapters added to the weights beside them; itself if it has none."""
    if not any("lora_" in name for name, _ in model.named_modules()):
        return model
    plain = copy.deepcopy(model)
    for name, module in list(plain.named_modules()):
        if hasattr(module, "base_layer"):
            layer = cast("Any", module)
            layer.merge()
            above, _, own = name.rpartition(".")
            setattr(plain.get_submodule(above), own, layer.base_layer)
    return plain

import pytest
import torch

from attendna.core.errors import ConfigError
from attendna.models.hardware import bf16_is_fast
from attendna.prediction.device import (
    autocast,
    choose_device,
    choose_precision,
    describe,
    processor_name,
)

CPU = torch.device("cpu")


def test_auto_takes_a_gpu_if_there_is_one() -> None:
    assert choose_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    assert choose_device("cpu") == CPU


@pytest.mark.parametrize("name", ["cuda:99", "abacus", "meta"])
def test_a_device_that_is_not_there_is_refused_in_one_line(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        choose_device(name)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_auto_precision_follows_the_hardware() -> None:
    assert choose_precision("auto", CPU) == ("bf16" if bf16_is_fast(CPU) else "fp32")
    assert choose_precision("bf16", CPU) == "bf16"
    assert choose_precision("fp32", CPU) == "fp32"


def test_autocast_computes_products_in_the_precision_asked_for() -> None:
    a = torch.ones(4, 4)
    with autocast(CPU, "bf16"):
        assert (a @ a).dtype == torch.bfloat16
    with autocast(CPU, "fp32"):
        assert (a @ a).dtype == torch.float32


def test_the_processor_has_a_name() -> None:
    assert describe(CPU) == processor_name()
    assert processor_name().strip()

"""Where and how precisely a model is computed: device, number format, and what the machine has."""

import platform
import warnings
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Literal

import torch

from attendna.core.errors import ConfigError
from attendna.models.hardware import Precision, bf16_is_fast

PrecisionChoice = Literal["auto", "fp32", "bf16"]
"""``auto`` is, of a training, what the hardware multiplies fastest; of a trained model, the
precision it was trained and chosen in."""


class SlowPrecisionWarning(UserWarning):
    """The machine only imitates the precision that is computed in."""


def choose_device(name: str = "auto") -> torch.device:
    """The device called ``name``; ``auto`` is the first GPU, else the processor.

    Raises
    ------
    ConfigError
        There is no such device on this machine.
    """
    if name == "auto":
        return torch.device("cuda", 0) if torch.cuda.is_available() else torch.device("cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ConfigError(
            f"device {name!r} is unknown", "write auto, cpu, cuda or cuda:1"
        ) from None
    if not _is_present(device):
        raise ConfigError(f"there is no device {name} on this machine", "use device=auto or cpu")
    return device


def _is_present(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count()
    if device.type == "mps":
        return torch.backends.mps.is_available()
    return device.type == "cpu"


def choose_precision(choice: PrecisionChoice, device: torch.device) -> Precision:
    """``auto`` is bf16 where the hardware multiplies it faster than float32, else fp32."""
    if choice != "auto":
        return choice
    return "bf16" if bf16_is_fast(device) else "fp32"


def precision_of(choice: PrecisionChoice, trained: Precision, device: torch.device) -> Precision:
    """What a model that was ``trained`` in a precision is computed in: in the same, unless another
    is chosen.

    Warns
    -----
    SlowPrecisionWarning
        It is bf16, for which the device has no units.
    """
    precision = trained if choice == "auto" else choice
    if precision == "bf16" and not bf16_is_fast(device):
        warnings.warn(
            "computing in bf16, which this machine has no units for: it is slower than fp32 "
            "(--precision fp32 gives slightly other numbers than the model was chosen by)",
            SlowPrecisionWarning,
            stacklevel=3,
        )
    return precision


def autocast(device: torch.device, precision: Precision) -> AbstractContextManager[object]:
    """The context in which a model computes with ``precision``."""
    if precision == "fp32":
        return nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)


def describe(device: torch.device) -> str:
    """The device as people know it, e.g. ``NVIDIA H200`` or ``Intel Xeon 2.50GHz``."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return processor_name()


def processor_name() -> str:
    """The processor's name as the operating system gives it."""
    listing = Path("/proc/cpuinfo")
    if listing.is_file():
        for line in listing.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()

"""What the machine multiplies fast."""

import os
from typing import Literal

import torch

from attendna.core.errors import ConfigError

Precision = Literal["fp32", "bf16"]
"""``bf16`` computes matrix products in bfloat16; weights and losses stay float32."""

BF16 = "ATTENDNA_BF16"
"""Environment variable: ``on`` or ``off`` makes everything run as on a machine that has matrix
units for bfloat16, or has none, whatever this machine has."""


def bf16_is_fast(device: torch.device) -> bool:
    """Whether the device has matrix units for bfloat16: AMX on x86, tensor cores on NVIDIA.

    Emulated or vector-only bfloat16 gains nothing in training and is not counted.

    Raises
    ------
    ConfigError
        ``ATTENDNA_BF16`` is neither ``on`` nor ``off``.
    """
    wanted = bf16_setting()
    return has_bf16_units(device) if wanted is None else wanted == "on"


def bf16_setting() -> str | None:
    """What ``ATTENDNA_BF16`` says, none where it is unset or empty.

    Raises
    ------
    ConfigError
        It is neither ``on`` nor ``off``.
    """
    value = os.environ.get(BF16, "")
    if value not in ("", "on", "off"):
        raise ConfigError(f"{BF16}={value} is unknown", "write on or off, or unset it")
    return value or None


def has_bf16_units(device: torch.device) -> bool:
    """Whether the hardware itself has the units, whatever ``ATTENDNA_BF16`` says."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    return device.type == "cpu" and bool(_processor().get("amx_bf16", False))


def _processor() -> "dict[str, object]":
    """What torch knows of the processor; empty before torch 2.11, which does not say."""
    capabilities = getattr(torch.cpu, "get_capabilities", None)
    if capabilities is not None:
        return dict(capabilities())
    amx = getattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    return {"amx_bf16": amx()}

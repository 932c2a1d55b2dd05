"""What the machine multiplies fast."""

import torch


def bf16_is_fast(device: torch.device) -> bool:
    """Whether the device has matrix units for bfloat16: AMX on x86, tensor cores on NVIDIA.

    Emulated or vector-only bfloat16 gains nothing in training and is not counted.
    """
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

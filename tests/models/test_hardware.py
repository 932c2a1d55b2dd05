from pathlib import Path

import pytest
import torch

from attendna.models.hardware import bf16_is_fast

CPU = torch.device("cpu")


def test_bf16_counts_only_where_the_processor_says_so() -> None:
    listing = Path("/proc/cpuinfo")
    if not listing.is_file():
        pytest.skip("no /proc/cpuinfo to compare with")
    flags = listing.read_text()
    assert bf16_is_fast(CPU) == ("amx_bf16" in flags)

from pathlib import Path

import pytest
import torch

from attendna.cli.main import run
from attendna.core.errors import ConfigError
from attendna.models.hardware import BF16, bf16_is_fast, has_bf16_units

CPU = torch.device("cpu")


def test_bf16_counts_only_where_the_processor_has_units(monkeypatch: pytest.MonkeyPatch) -> None:
    listing = Path("/proc/cpuinfo")
    if not listing.is_file():
        pytest.skip("no /proc/cpuinfo to compare with")
    monkeypatch.delenv(BF16, raising=False)
    flags = listing.read_text()
    assert bf16_is_fast(CPU) == has_bf16_units(CPU) == ("amx_bf16" in flags)


def test_the_environment_decides_over_the_hardware(monkeypatch: pytest.MonkeyPatch) -> None:
    for value, fast in {"on": True, "off": False, "": has_bf16_units(CPU)}.items():
        monkeypatch.setenv(BF16, value)
        assert bf16_is_fast(CPU) == fast


@pytest.mark.parametrize("value", ["1", "ON", "bf16"])
def test_another_value_is_refused_in_one_line(
    value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(BF16, value)
    with pytest.raises(ConfigError, match=f"ATTENDNA_BF16={value}.*on or off"):
        bf16_is_fast(CPU)
    assert run(["doctor"]) == 2
    assert capsys.readouterr().err.count("\n") == 1

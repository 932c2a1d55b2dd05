import json
import os
from pathlib import Path

import pytest
import torch

import attendna
from attendna.cli.doctor import advice, examine, show
from attendna.cli.main import run


def test_what_is_said_is_what_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["attendna"] == attendna.__version__
    assert found["packages"]["torch"] == torch.__version__
    assert found["processor"]["usable_cores"] == len(os.sched_getaffinity(0))
    assert 0 < found["memory"]["available_bytes"] <= found["memory"]["total_bytes"]
    assert found["device"]["precision"] in ("fp32", "bf16")
    assert found["extras"]["test"]["missing"] == []
    # Every extra of the package says what it gives.
    assert all(extra["gives"] for extra in found["extras"].values())


def test_it_is_said_in_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor"]) == 0
    shown = capsys.readouterr().out
    for name in ("attendna", "device", "processor", "memory", "packages", "extra dna2vec"):
        assert f"\n{name}" in f"\n{shown}"


def test_advice_follows_from_what_is_found() -> None:
    found = examine()
    found["device"] |= {"name": "cpu", "cuda_build": None}
    found["processor"] |= {"bf16_hardware": True, "bf16_setting": None, "load": 0.0}
    found["memory"]["available_bytes"] = 8 << 30
    for place in found["disk"].values():
        place["free_bytes"] = 8 << 30
    usual = advice(found)
    found["processor"] |= {"bf16_hardware": False, "load": 1000.0}
    found["memory"]["available_bytes"] = 1 << 30
    found["disk"]["here"]["free_bytes"] = 1
    said = "\n".join(line for line in advice(found) if line not in usual)
    for hint in ("fp32", "OMP_WAIT_POLICY=passive", "smaller trainer.batch_size", "make space"):
        assert hint in said


def test_the_units_for_bf16_that_the_environment_sets_are_printed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for value, precision in {"on": "bf16", "off": "fp32"}.items():
        monkeypatch.setenv("ATTENDNA_BF16", value)
        assert run(["doctor"]) == 0
        shown = capsys.readouterr().out
        assert f"ATTENDNA_BF16={value}" in shown
        assert f"precision {precision}" in shown


def test_a_deep_look_names_damaged_caches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ATTENDNA_CACHE", str(tmp_path))
    assert run(["doctor", "--deep"]) == 0
    assert "as it was written" in capsys.readouterr().err
    (tmp_path / "genomes" / "abc").mkdir(parents=True)
    (tmp_path / "genomes" / "abc" / "contigs.json").write_text("{}")
    assert run(["doctor", "--deep"]) == 2
    assert "abc is damaged; delete it" in capsys.readouterr().err


def test_extras_are_printed_as_they_are_installed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = examine()
    found["extras"]["motifs"]["missing"] = ["memelite"]
    show(found)
    assert "pip install 'attendna[motifs]'" in " ".join(capsys.readouterr().out.split())

"""JASPAR's matrices as the package that carries them gives them."""

import sys

import numpy as np
import pytest

from attendna.core.errors import ConfigError, MissingExtraError
from attendna.genome.jaspar import read_jaspar

REASON = "pyjaspar (extra motifs) is not installed"


def test_matrices_are_those_of_the_package() -> None:
    package = pytest.importorskip("pyjaspar", reason=REASON)
    found = read_jaspar("diatoms")
    expected = package.jaspardb(release=found.release).fetch_motifs(
        collection="CORE", tax_group="diatoms"
    )
    assert {m.name for m in found.motifs} == {f"{m.matrix_id} {m.name}" for m in expected}
    named = {motif.name: motif.probabilities for motif in found.motifs}
    for motif in expected:
        counts = np.array([motif.counts[base] for base in "ACGT"]).T
        ours = named[f"{motif.matrix_id} {motif.name}"]
        assert ours == pytest.approx(counts / counts.sum(axis=1, keepdims=True))


def test_vertebrates_are_many_and_told_apart() -> None:
    pytest.importorskip("pyjaspar", reason=REASON)
    found = read_jaspar()
    assert found.release.startswith("JASPAR20")
    names = [motif.name for motif in found.motifs]
    assert len(set(names)) == len(names) > 800
    assert any(name.endswith(" CTCF") for name in names)


def test_what_is_not_there_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyjaspar", reason=REASON)
    with pytest.raises(ConfigError, match="no taxon 'insect'; did you mean insects"):
        read_jaspar("insect")


def test_a_missing_package_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyjaspar", None)
    with pytest.raises(MissingExtraError, match=r"attendna\[motifs\]"):
        read_jaspar()

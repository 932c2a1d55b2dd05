"""Motifs by one word."""

from pathlib import Path

import pytest

from attendna.core.errors import ConfigError
from attendna.genome.motif_source import is_jaspar, open_motifs


def test_a_file_whose_motifs_share_a_name(tmp_path: Path) -> None:
    path = tmp_path / "two.jaspar"
    path.write_text(">a\n1 0\n0 1\n0 0\n0 0\n" * 2)
    found = open_motifs(path)
    assert [motif.name for motif in found.motifs] == ["a.1", "a.2"]
    assert found.told == "2 of two.jaspar"


def test_a_taxon_of_jaspar() -> None:
    pytest.importorskip("pyjaspar", reason="pyjaspar (extra motifs) is not installed")
    found = open_motifs("jaspar:diatoms")
    assert found.told.endswith(" CORE, diatoms")
    assert len(open_motifs("jaspar").motifs) > 800 > len(found.motifs)
    with pytest.raises(ConfigError, match="did you mean diatoms"):
        open_motifs("jaspar:diatom")


def test_a_file_called_jaspar_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert is_jaspar("jaspar")
    Path("jaspar").touch()
    assert not is_jaspar("jaspar")
    assert not is_jaspar("own.meme")

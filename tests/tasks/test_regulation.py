"""The grammar of a simulated genome, found again in its files by plain counting."""

import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from attendna.core.errors import ConfigError, FolderError
from attendna.core.execution import Execution
from attendna.tasks.builders.causal_snp import CausalSnpConfig
from attendna.tasks.builders.expression import ExpressionConfig
from attendna.tasks.regulation import RegulationSettings, simulate_regulation

SETTINGS = RegulationSettings(
    motifs=("AP1=TGASTCA", "CREB=TGACGTCA"),
    tissues=2,
    share=0.5,
    chromosomes=3,
    genes=12,
    spacing=600,
    reach=150,
    noise=0.0,
    effect=0.5,
)
WORDS = {"AP1": ("TGACTCA", "TGAGTCA"), "CREB": ("TGACGTCA",)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return simulate_regulation(tmp_path_factory.mktemp("regulation") / "made", SETTINGS)


def genome(folder: Path) -> dict[str, str]:
    parts = (folder / "genome.fa").read_text().split(">")[1:]
    return {name: "".join(lines) for name, *lines in (part.split("\n") for part in parts)}


def heard(bases: str, start: int, weights: dict[str, float]) -> float:
    """The sum of a gene, motif by motif and place by place. Both motifs are their own reverse
    complements, all spellings counted."""
    total = 0.0
    for motif, words in WORDS.items():
        for at in range(start - SETTINGS.reach, start + SETTINGS.reach + 1):
            if bases[at : at + len(words[0])] in words:
                total += weights[motif] * math.exp(-abs(at - start) / SETTINGS.decay)
    return total


def weights_of(folder: Path, tissue: str) -> dict[str, float]:
    table = pl.read_csv(folder / "grammar.tsv", separator="\t")
    return dict(zip(table["motif"], table[tissue], strict=True))


def test_genes_express_what_is_near_their_start(folder: Path) -> None:
    bases = genome(folder)
    genes = pl.read_csv(folder / "genes.tsv", separator="\t")
    values = pl.read_csv(folder / "expression.tsv", separator="\t")
    assert genes["id"].to_list() == values["gene_id"].to_list()
    for tissue in ("tissue1", "tissue2"):
        weights = weights_of(folder, tissue)
        assert sorted(map(bool, weights.values())) == [False, True]
        wanted = [
            heard(bases[gene["seqnames"]], gene["TSS"] - 1, weights)
            for gene in genes.iter_rows(named=True)
        ]
        assert np.ptp(wanted) > 0.5
        np.testing.assert_allclose(np.log(values[tissue]), wanted, atol=1e-9)


def test_variants_change_what_is_said(folder: Path) -> None:
    bases = genome(folder)
    starts = dict(pl.read_csv(folder / "genes.tsv", separator="\t").select("id", "TSS").iter_rows())
    effects = pl.read_csv(folder / "effects.tsv", separator="\t")
    said = pl.read_csv(folder / "variants.tsv", separator="\t")
    assert effects.drop("effect").equals(said.drop("variant_pip"))
    for row, pip in zip(effects.iter_rows(named=True), said["variant_pip"], strict=True):
        chrom, place, ref, alt, _ = row["variant_id"].split("_")
        at, text = int(place) - 1, bases[chrom]
        assert text[at] == ref != alt
        changed = text[:at] + alt + text[at + 1 :]
        weights, start = weights_of(folder, row["tissue_id"]), starts[row["gene_id"]] - 1
        effect = heard(changed, start, weights) - heard(text, start, weights)
        assert row["effect"] == pytest.approx(effect, abs=1e-9)
        assert pip == (0.99 if abs(effect) >= 0.5 else 0.5 if abs(effect) > 1e-9 else 0.001)
    assert set(said["variant_pip"]) == {0.99, 0.5, 0.001}


def test_builders_read_the_files(folder: Path, tmp_path: Path) -> None:
    common = {"genome": folder / "genome.fa"}
    expression = ExpressionConfig(
        tss=folder / "genes.tsv",
        expression=folder / "expression.tsv",
        window=400,
        valid=("chr2",),
        test=("chr3",),
        **common,
    )
    assert expression.build(tmp_path / "e", Execution()).task.spec.rows == dict.fromkeys(
        ("train", "valid", "test"), 12
    )
    snp = CausalSnpConfig(variants=folder / "variants.tsv", window=200, **common)
    built = snp.build(tmp_path / "v", Execution())
    assert built.counts["variants whose reference is the genome's"] > 50
    assert built.counts["causal"] > 10


def test_a_seed_makes_the_same_files(folder: Path, tmp_path: Path) -> None:
    again = simulate_regulation(tmp_path / "again", SETTINGS)
    other = simulate_regulation(tmp_path / "other", SETTINGS.replace(seed=1))
    for name in ("genome.fa", "expression.tsv", "variants.tsv"):
        assert (again / name).read_bytes() == (folder / name).read_bytes()
        assert (other / name).read_bytes() != (folder / name).read_bytes()


def test_what_cannot_be_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"spacing 300.* make it 316 or more"):
        simulate_regulation(tmp_path / "out", SETTINGS.replace(spacing=300))
    with pytest.raises(FolderError):
        simulate_regulation(folder, SETTINGS)
    assert not (tmp_path / "out").exists()

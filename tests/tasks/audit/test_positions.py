from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.stats import spearmanr

from attendna.tasks.audit.positions import smooth_by_position

PROMOTERS = ("F9", "FOXE1", "GP1BA", "HBB", "HBG1", "HNF4A", "LDLR", "MSMB", "PKLR", "TERT")


def test_it_is_the_weighted_mean_of_known_neighbors() -> None:
    elements = np.array(["a", "a", "a", "b"])
    positions = np.array([10, 11, 14, 11])
    effects = np.array([1.0, 7.0, 3.0, 100.0])
    known = np.array([True, False, True, True])
    said = smooth_by_position(elements, positions, effects, known, bandwidth=2.0)
    weights = np.exp(-0.5 * (np.array([1, 3]) / 2) ** 2)
    assert said[1] == pytest.approx((weights @ [1.0, 3.0]) / weights.sum(), abs=1e-6)
    assert np.isnan(said[known]).all()


def test_random_positions_are_told_by_their_neighbors_and_new_elements_are_not(
    shared: Path,
) -> None:
    """Kircher et al. 2019: ten promoters, substitutions, both ways to split them."""
    table = (
        pl.read_csv(
            shared / "mpra_saturation/elements.tsv.gz",
            separator="\t",
            null_values="NA",
            infer_schema_length=None,
        )
        .with_columns(gene=pl.col("Element").str.replace(r"[-.].*", ""))
        .filter(
            pl.col("gene").is_in(PROMOTERS), pl.col("Alt") != "-", pl.col("Release") == "GRCh38"
        )
        .drop_nulls("Chrom")
    )
    elements, effects = table["Element"].to_numpy(), table["Coefficient"].to_numpy()
    positions = table["Pos"].to_numpy().astype(np.int64)
    place = table.select(pl.struct("Element", "Pos").rank("dense")).to_series().to_numpy()
    at_random: list[float] = []
    for seed in range(5):
        known = (np.random.default_rng(seed).random(place.max() + 1) < 0.8)[place]
        said = smooth_by_position(elements, positions, effects, known)
        at_random.append(float(spearmanr(said[~known], effects[~known])[0]))
    assert np.mean(at_random) == pytest.approx(0.30, abs=0.05)

    genes = table["gene"].to_numpy()
    left_out: list[float] = []
    for gene in np.unique(genes):
        known = genes != gene
        said = smooth_by_position(elements, positions, effects, known)
        left_out.append(float(spearmanr(said[~known], effects[~known])[0]))
    assert abs(np.mean(left_out)) < 0.1

"""A simulated genome whose genes obey a known grammar, in the files a laboratory would have.

Each tissue gives each motif a weight. What a gene expresses in a tissue is the sum of these weights
over the motifs near its start, less the farther they lie, and a little noise. All matches count,
those that arise by chance as well as those that were planted. A variant changes expression by what
it takes from that sum or adds to it, which can be counted: those that change much are causal.

Shapes: ``b`` bases of a chromosome, ``g`` genes, ``m`` motifs, ``t`` tissues, ``v`` variants,
``w`` bases of a stretch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from jaxtyping import Bool, Float64, Int64, UInt8
from numpy import ndarray
from pydantic import Field

from attendna.core.config import Config, Seed, to_yaml
from attendna.core.errors import ConfigError
from attendna.core.files import publish_folder
from attendna.core.outputs import OutputFolder
from attendna.genome.alphabet import complement, decode
from attendna.genome.motif import Motif
from attendna.tasks.simulate import Background, load_motifs

SIMULATED = OutputFolder("simulated genome")
GENOME, GENES, EXPRESSION = "genome.fa", "genes.tsv", "expression.tsv"
VARIANTS, EFFECTS, GRAMMAR = "variants.tsv", "effects.tsv", "grammar.tsv"
SETTINGS = "regulation.yaml"

_LINE = 100
_CAUSAL, _UNSURE, _SPURIOUS = 0.99, 0.5, 0.001
"""What fine-mapping would say of variants with a large effect, a small one, and none."""
_ROUNDING = 1e-9


class RegulationSettings(Config):
    """How large the genome is, and how its genes are regulated."""

    motifs: tuple[str, ...] = Field(
        default=(
            "AP1=TGASTCA",
            "GATA=AGATAAG",
            "CREB=TGACGTCA",
            "ETS=CCGGAAGT",
            "NRF1=GCGCATGCGC",
            "RUNX=TGTGGTTT",
        ),
        min_length=1,
    )
    """Each as ``WORD`` or ``NAME=WORD`` of IUPAC letters, ``FILE`` or ``FILE:NAME``."""
    tissues: int = Field(default=4, ge=1)
    share: float = Field(default=0.6, gt=0, le=1)
    """Share of the motifs that a tissue heeds."""
    chromosomes: int = Field(default=10, ge=1)
    genes: int = Field(default=200, ge=1)
    """Genes of a chromosome."""
    spacing: int = Field(default=3_000, ge=100)
    """Bases from one start to the next."""
    sites: float = Field(default=4.0, ge=0)
    """Motifs planted near a start, on average."""
    reach: int = Field(default=400, ge=20)
    """Bases from a start within which motifs count."""
    decay: float = Field(default=200.0, gt=0)
    """Bases over which the weight of a motif falls to a share of 1/e."""
    noise: float = Field(default=0.3, ge=0)
    """Standard deviation of the logarithm of expression, but for the motifs."""
    effect: float = Field(default=0.5, gt=0)
    """Change of the logarithm from which on a variant is causal."""
    gc: float = Field(default=0.41, ge=0, le=1)
    """Share of G and C between motifs."""
    seed: Seed = 0


@dataclass(frozen=True, eq=False)
class Grammar:
    """What motifs do."""

    motifs: Sequence[Motif]
    weights: Float64[ndarray, "m t"]
    reach: int
    decay: float

    @property
    def widest(self) -> int:
        """Bases of the longest motif."""
        return max(len(motif) for motif in self.motifs)

    def matched(self, codes: UInt8[ndarray, "v w"], motif: Motif) -> Bool[ndarray, "v _"]:
        """Where a motif begins, on either strand."""
        return motif.matches(codes) | motif.reverse_complement().matches(codes)

    def strength(self, distance: Int64[ndarray, "..."]) -> Float64[ndarray, "..."]:
        """What a motif counts that begins so far from a start."""
        distance = np.abs(distance)
        return np.where(distance <= self.reach, np.exp(-distance / self.decay), 0.0)

    def heard(
        self, codes: UInt8[ndarray, "v w"], distance: Int64[ndarray, "v w"]
    ) -> Float64[ndarray, "v t"]:
        """The sum for each stretch, whose bases lie so far from the start of a gene."""
        counted = np.zeros((len(codes), len(self.motifs)))
        for column, motif in enumerate(self.motifs):
            matched = self.matched(codes, motif)
            counted[:, column] = (matched * self.strength(distance[:, : matched.shape[1]])).sum(1)
        return counted @ self.weights


@dataclass(frozen=True, eq=False)
class Chromosome:
    """Bases, and where genes start on them."""

    name: str
    codes: UInt8[ndarray, " b"]
    starts: Int64[ndarray, " g"]
    forward: Bool[ndarray, " g"]

    def around(
        self, places: Int64[ndarray, " v"], before: int, after: int
    ) -> tuple[UInt8[ndarray, "v w"], Int64[ndarray, "v w"]]:
        """Stretches from ``before`` bases ahead of places to ``after`` behind, and their bases'
        numbers."""
        at = places[:, None] + np.arange(-before, after + 1)
        return self.codes[at], at


def simulate_regulation(
    folder: str | Path, settings: RegulationSettings, *, force: bool = False
) -> Path:
    """Write ``genome.fa``, ``genes.tsv``, ``expression.tsv`` and ``variants.tsv``.

    They are what the builders ``expression`` and ``causal_snp`` read. The truth is beside them:
    ``grammar.tsv`` has the weight of each motif in each tissue, ``effects.tsv`` what each variant
    changes.

    Raises
    ------
    UserError
        A motif cannot be read, genes are too close, or the folder exists.
    """
    generator = np.random.default_rng(settings.seed)
    motifs = load_motifs(settings.motifs)
    needed = 2 * (settings.reach + max(map(len, motifs)))
    if settings.spacing < needed:
        raise ConfigError(
            f"spacing {settings.spacing}: motifs near one gene would be near the next",
            f"make it {needed} or more",
        )
    weights = _weights(len(motifs), settings, generator)
    grammar = Grammar(motifs, weights, settings.reach, settings.decay)
    tissues = [f"tissue{number + 1}" for number in range(settings.tissues)]
    tables: dict[str, list[pl.DataFrame]] = {
        name: [] for name in (GENES, EXPRESSION, VARIANTS, EFFECTS)
    }
    with publish_folder(folder, SIMULATED, force=force) as partial:
        with (partial / GENOME).open("w", encoding="ascii") as genome:
            for number in range(settings.chromosomes):
                chromosome = _draw(f"chr{number + 1}", motifs, settings, generator)
                text = decode(chromosome.codes)
                lines = (text[at : at + _LINE] for at in range(0, len(text), _LINE))
                genome.write(f">{chromosome.name}\n" + "\n".join(lines) + "\n")
                tables[GENES].append(_genes(chromosome))
                tables[EXPRESSION].append(
                    _expressed(chromosome, grammar, tissues, settings.noise, generator)
                )
                said, effects = _varied(chromosome, grammar, tissues, settings.effect, generator)
                tables[VARIANTS].append(said)
                tables[EFFECTS].append(effects)
        for name, parts in tables.items():
            pl.concat(parts).write_csv(partial / name, separator="\t")
        _told(grammar, tissues).write_csv(partial / GRAMMAR, separator="\t")
        (partial / SETTINGS).write_text(to_yaml(settings.to_tree()), encoding="utf-8")
    return Path(folder)


def _weights(
    motifs: int, settings: RegulationSettings, generator: np.random.Generator
) -> Float64[ndarray, "m t"]:
    """Weights of either sign for the motifs that a tissue heeds, 0 for the others."""
    shape = (motifs, settings.tissues)
    heeded = np.arange(motifs)[:, None] < max(1, round(settings.share * motifs))
    heeded = generator.permuted(np.broadcast_to(heeded, shape), axis=0)
    drawn = generator.choice((-1.0, 1.0), shape) * generator.uniform(0.5, 1.5, shape)
    return np.where(heeded, drawn, 0.0)


def _draw(
    name: str,
    motifs: Sequence[Motif],
    settings: RegulationSettings,
    generator: np.random.Generator,
) -> Chromosome:
    """A chromosome with motifs near the starts of its genes."""
    genes, spacing = settings.genes, settings.spacing
    starts = np.arange(genes, dtype=np.int64) * spacing + spacing // 2
    codes = Background.of_gc(settings.gc).sample(1, genes * spacing, generator)[0]
    of_gene = np.repeat(starts, generator.poisson(settings.sites, genes))
    chosen = generator.integers(len(motifs), size=of_gene.size)
    for number, motif in enumerate(motifs):
        near = of_gene[chosen == number]
        begin = near + generator.integers(-settings.reach, settings.reach, size=near.size)
        words = motif.sample(near.size, generator)
        back = generator.random(near.size) < 0.5
        words[back] = complement(words[back])[:, ::-1]
        codes[begin[:, None] + np.arange(len(motif))] = words
    return Chromosome(name, codes, starts, generator.random(genes) < 0.5)


def _genes(chromosome: Chromosome) -> pl.DataFrame:
    strands = np.where(chromosome.forward, "+", "-")
    return pl.DataFrame(
        {
            "id": _names(chromosome),
            "seqnames": [chromosome.name] * len(strands),
            "strand": strands,
            "TSS": chromosome.starts + 1,
        }
    )


def _names(chromosome: Chromosome) -> list[str]:
    return [f"{chromosome.name}g{number + 1}" for number in range(len(chromosome.starts))]


def _expressed(
    chromosome: Chromosome,
    grammar: Grammar,
    tissues: Sequence[str],
    noise: float,
    generator: np.random.Generator,
) -> pl.DataFrame:
    """What each gene expresses: not the logarithm, as matrices have it."""
    reach = grammar.reach
    codes, at = chromosome.around(chromosome.starts, reach, reach + grammar.widest)
    signal = grammar.heard(codes, at - chromosome.starts[:, None])
    values = np.exp(signal + noise * generator.normal(size=signal.shape))
    columns = {tissue: values[:, place] for place, tissue in enumerate(tissues)}
    return pl.DataFrame({"gene_id": _names(chromosome)} | columns)


def _varied(
    chromosome: Chromosome,
    grammar: Grammar,
    tissues: Sequence[str],
    least: float,
    generator: np.random.Generator,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """A variant in each motif near a start and as many elsewhere: what is said of them in each
    tissue, and what they change."""
    gene, place = _places(chromosome, grammar, generator)
    reference = chromosome.codes[place]
    other = (reference + generator.integers(1, 4, size=place.size)) % 4
    far = grammar.widest - 1
    codes, at = chromosome.around(place, far, far)
    distance = at - chromosome.starts[gene][:, None]
    before = grammar.heard(codes, distance)
    codes[:, far] = other
    effect = grammar.heard(codes, distance) - before
    size = np.abs(effect)
    said = np.where(size >= least, _CAUSAL, np.where(size > _ROUNDING, _UNSURE, _SPURIOUS))
    letters = np.array(list("ACGT"))
    rows = pl.DataFrame(
        {
            "gene_id": np.array(_names(chromosome))[gene],
            "variant_id": [
                f"{chromosome.name}_{at + 1}_{ref}_{alt}_b38"
                for at, ref, alt in zip(place, letters[reference], letters[other], strict=True)
            ],
        }
    )
    parts = [
        rows.select(
            pl.lit(tissue).alias("tissue_id"),
            "gene_id",
            "variant_id",
            variant_pip=pl.Series(said[:, column]),
            effect=pl.Series(effect[:, column]),
        )
        for column, tissue in enumerate(tissues)
    ]
    table = pl.concat(parts)
    return table.drop("effect"), table.drop("variant_pip")


def _places(
    chromosome: Chromosome, grammar: Grammar, generator: np.random.Generator
) -> tuple[Int64[ndarray, " v"], Int64[ndarray, " v"]]:
    """Genes, and bases near their starts: one of each motif, and as many of all."""
    reach, starts = grammar.reach, chromosome.starts
    codes, at = chromosome.around(starts, reach, reach)
    genes: list[ndarray] = []
    places: list[ndarray] = []
    for motif in grammar.motifs:
        gene, begin = np.nonzero(grammar.matched(codes, motif))
        genes.append(gene)
        places.append(at[gene, begin] + generator.integers(len(motif), size=gene.size))
    count = sum(map(len, genes))
    genes.append(generator.integers(starts.size, size=count))
    places.append(starts[genes[-1]] + generator.integers(-reach, reach, size=count))
    # Of the same base only one variant is known.
    place, first = np.unique(np.concatenate(places), return_index=True)
    return np.concatenate(genes)[first], place


def _told(grammar: Grammar, tissues: Sequence[str]) -> pl.DataFrame:
    names = {
        "motif": [motif.name for motif in grammar.motifs],
        "consensus": [motif.consensus for motif in grammar.motifs],
    }
    weights = {tissue: grammar.weights[:, place] for place, tissue in enumerate(tissues)}
    return pl.DataFrame(names | weights)

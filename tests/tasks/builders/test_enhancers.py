"""Sequences of interval sets."""

from pathlib import Path

import polars as pl
import pytest

from attendna.core.config import parse
from attendna.core.errors import ConfigError, DataError, UserError
from attendna.core.execution import Execution
from attendna.core.files import sha256
from attendna.tasks.builders.builder import Built
from attendna.tasks.builders.enhancers import EnhancersConfig
from attendna.tasks.store import open_task

GENOME = ">chr1\nAACCGGTTNNACGTACGTTTGGCCAA\n>chr2\nTTTTTTTTTTCCCCCCCCCC\n"


def build(out: Path, **settings: object) -> Built:
    config = parse(EnhancersConfig, settings, "test")
    return config.build(out, Execution())


@pytest.fixture
def genome(tmp_path: Path) -> Path:
    path = tmp_path / "genome.fa"
    path.write_text(GENOME)
    return path


def table(path: Path, rows: list[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("id,region,start,end,strand\n" + "\n".join(rows) + "\n")
    return path


def test_a_folder_of_splits_and_classes(tmp_path: Path, genome: Path) -> None:
    folder = tmp_path / "set"
    table(folder / "train" / "positive.csv", [f"p{i},chr1,{i},{i + 4},-" for i in range(4)])
    table(folder / "train" / "negative.csv", [f"n{i},2,{i},{i + 4},+" for i in range(0, 16, 4)])
    table(folder / "test" / "positive.csv", ["q,chr1,10,16,", "r,chr1,7,11,+"])
    table(folder / "test" / "negative.csv", ["s,chr2,9,13,-", "t,chr2,18,23,-"])
    built = build(
        tmp_path / "out", intervals=[str(folder)], genome=[str(genome)], valid_fraction=0.3
    )
    task = open_task(tmp_path / "out")
    assert task.spec.classes == ("negative", "positive")
    assert built.counts == {
        "intervals": 12,
        "not in the genome": 0,
        "over the end of a contig": 1,
        "too short or with N": 0,
    }
    test = task.read("test").frame.sort("id")
    assert test["sequence"].to_list() == ["GGGA", "ACGTAC", "TNNA"]
    assert test["label"].to_list() == [0, 1, 1]
    assert test["name"].to_list() == ["s", "q", "r"]
    assert task.spec.rows["train"] + task.spec.rows["valid"] == 8
    learned = pl.concat([task.read("train").frame, task.read("valid").frame])
    assert dict(learned.select("name", "sequence").iter_rows())["p0"] == "GGTT"
    assert {source.location for source in task.spec.sources} == {
        "positive.csv",
        "negative.csv",
        "genome.fa",
    }
    assert task.spec.sources[-1].sha256 == sha256(genome)


def test_intervals_with_unknown_bases_can_be_left_out(tmp_path: Path, genome: Path) -> None:
    a = table(tmp_path / "a.csv", [f"a{i},chr1,{i},{i + 4},+" for i in range(12)])
    b = table(tmp_path / "b.csv", [f"b{i},chr2,{i},{i + 4},+" for i in range(8, 12)])
    options = {"intervals": [f"a={a}", f"b={b}"], "genome": [str(genome)]}
    built = build(tmp_path / "out", **options, drop_unknown=True)
    assert built.counts["too short or with N"] == 5
    rows = pl.concat([open_task(tmp_path / "out").read(s).frame for s in built.task.splits])
    assert not rows["sequence"].str.contains("N").any()


def test_two_classes_may_lie_on_two_genomes(tmp_path: Path, genome: Path) -> None:
    worm = tmp_path / "worm.fa"
    worm.write_text(">chr1\nGGGGGGGGGGGGGGGGGGGG\n")
    a = table(tmp_path / "a.csv", [f"a{i},chr1,{i},{i + 4},+" for i in range(12, 16)])
    b = table(tmp_path / "b.csv", [f"b{i},chr1,{i},{i + 4},+" for i in range(4)])
    built = build(
        tmp_path / "out",
        intervals=[f"human={a}", f"worm={b}"],
        genome=[f"human={genome}", f"worm={worm}"],
    )
    rows = pl.concat([built.task.read(split).frame for split in built.task.splits])
    worms = rows.filter(pl.col("label") == 1)["sequence"].unique().to_list()
    assert worms == ["GGGG"]


@pytest.mark.parametrize(
    ("intervals", "genome_option", "complaint"),
    [
        (["missing"], None, r"missing: no such folder"),
        (["a="], None, r"--intervals a=: no class or no file"),
        (["a=A", "a=A"], None, r"a second file of a"),
        (["a=A"], None, r"one class only"),
        (["a=A", "b=A"], ["a=G"], r"--genome: b is not a class and a genome both"),
        (["a=A", "b=nothing.bed"], None, r"nothing\.bed: no such file"),
        (["a=A", "b=BAD"], None, r"bad\.csv: 1 bad row: line 2: the end 4 lies before"),
    ],
)
def test_wrong_input_is_one_line(
    tmp_path: Path,
    genome: Path,
    intervals: list[str],
    genome_option: list[str] | None,
    complaint: str,
) -> None:
    files = {
        "A": table(tmp_path / "a.csv", ["x,chr1,0,4,+", "y,chr1,3,7,+"]),
        "BAD": table(tmp_path / "bad.csv", ["x,chr1,9,4,+"]),
        "G": genome,
    }
    told = [
        f"{label}{equals}{files.get(path, path)}"
        for label, equals, path in (text.partition("=") for text in intervals)
    ]
    genomes = [f"a={genome}"] if genome_option else [str(genome)]
    with pytest.raises(UserError, match=complaint) as caught:
        build(tmp_path / "out", intervals=told, genome=genomes)
    assert isinstance(caught.value, ConfigError | DataError)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("human_enhancers_ensembl", 633),
        ("human_ocr_ensembl", 676),
        ("human_ensembl_regulatory", 1_163),
        ("human_nontata_promoters", 236),
        ("human_enhancers_cohn", 110),
    ],
)
def test_published_sequences_are_rebuilt_base_for_base(
    tmp_path: Path, shared: Path, name: str, expected: int
) -> None:
    folder = shared / "genomic_benchmarks"
    options = {
        "intervals": [str(folder / "intervals" / name)],
        "genome": [str(shared / "genome" / "hg38_regions.fa.gz")],
        "build_name": "hg38",
        "drop_unknown": True,
    }
    with pytest.raises(DataError, match=r"it holds [\d,]+ of [\d,]+ intervals"):
        build(tmp_path / "out", **options)
    built = build(tmp_path / "out", **options, allow_partial=True)
    key = ["test", "class", "chrom", "start", "end", "sequence"]
    names = dict(enumerate(built.task.spec.classes))
    ours = pl.concat(
        [
            built.task.read(split).frame.with_columns(
                pl.col("label").replace_strict(names, return_dtype=pl.String).alias("class"),
                test=pl.lit(split == "test"),
            )
            for split in built.task.splits
        ]
    )
    published = pl.read_csv(
        folder / "from_regions" / f"{name}.tsv.gz",
        separator="\t",
        schema_overrides={"id": pl.String},
    ).select(
        pl.col("label").alias("class"),
        "chrom",
        "start",
        "end",
        "sequence",
        test=pl.col("split") == "test",
    )
    assert ours.height == expected == published.height
    assert ours.select(key).sort(key).equals(published.select(key).sort(key))
    if name == "human_enhancers_ensembl":
        assert built.counts["intervals"] == 154_842


def test_chromosomes_are_called_as_the_genome_calls_them(tmp_path: Path, genome: Path) -> None:
    """Where train and test write names differently, too, so that overlaps between them are seen."""
    folder = tmp_path / "set"
    for split, chrom in (("train", "chr1"), ("test", "1")):
        table(folder / split / "positive.csv", [f"p{i},{chrom},{i},{i + 4},+" for i in range(4)])
        table(folder / split / "negative.csv", [f"n{i},{chrom},1{i},2{i},+" for i in range(4)])
    build(tmp_path / "out", intervals=[str(folder)], genome=[str(genome)], valid_fraction=0.3)
    task = open_task(tmp_path / "out")
    names = pl.concat([task.read(split).frame["chrom"] for split in task.splits])
    assert set(names) == {"chr1"}

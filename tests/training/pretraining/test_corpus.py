from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.genome.genome_files import write_genome
from tests.training.pretraining.genomes import patterned

from attendna.core.errors import ConfigError, DataError
from attendna.genome.alphabet import decode
from attendna.genome.reference import open_reference
from attendna.tasks.spec import TaskSpec
from attendna.tasks.store import write_task
from attendna.training.pretraining.config import WindowsConfig
from attendna.training.pretraining.corpus import Corpus

RANDOM = np.random.default_rng(0)


def random_genome(folder: Path, sizes: dict[str, int]) -> tuple[Path, dict[str, str]]:
    letters = {n: decode(RANDOM.integers(0, 4, s, dtype=np.uint8)) for n, s in sizes.items()}
    folder.mkdir(parents=True, exist_ok=True)
    return write_genome(folder, letters, "fa"), letters


def task_of(folder: Path, rows: dict[str, list[str]]) -> Path:
    frames = {}
    for split, sequences in rows.items():
        ids = [f"{split}{row}" for row in range(len(sequences))]
        labels = [row % 2 for row in range(len(sequences))]
        frames[split] = pl.DataFrame({"id": ids, "sequence": sequences, "label": labels})
    spec = TaskSpec(name="t", label_kind="binary", classes=("a", "b"))
    return write_task(folder, spec, frames).folder


def test_named_chromosomes_are_held_out_of_every_genome(tmp_path: Path) -> None:
    paths = [patterned(tmp_path / name) for name in ("one", "other")]
    corpus = Corpus(paths, WindowsConfig(length=64, held_out=("2",)))
    assert corpus.held_out == ("2",)
    assert corpus.valid.genome.tolist() == [0, 0, 1, 1]
    # 40 N at the start, 10 from 500 on.
    assert corpus.valid.length.tolist() == [460, 990] * 2
    assert corpus.train.bases == 2 * (6_000 + 3_000 - 2 * 50)


def test_a_share_is_drawn_by_name(tmp_path: Path) -> None:
    sizes = {f"chr{number}": 2_000 for number in range(1, 21)}
    one, _ = random_genome(tmp_path / "one", sizes)
    other, _ = random_genome(tmp_path / "other", dict.fromkeys(sizes, 3_000))
    config = WindowsConfig(length=64, held_out_share=0.1)
    corpus = Corpus([one, other], config)
    assert len(corpus.held_out) == 2
    assert corpus.valid.bases == 2 * 2_000 + 2 * 3_000
    assert Corpus([one], config).held_out == corpus.held_out
    with pytest.raises(ConfigError, match=r"name some with windows\.held_out"):
        Corpus([patterned(tmp_path / "p")], WindowsConfig(length=64, held_out_share=0.05))


def test_intervals_are_left_out(tmp_path: Path) -> None:
    path = patterned(tmp_path)
    (tmp_path / "out.bed").write_text("chr1\t1000\t2000\nchr9\t5\t10\n")
    config = WindowsConfig(length=64, held_out=("chr2",))
    corpus = Corpus([path], config, [tmp_path / "out.bed"])
    assert corpus.left_out == [1000]
    assert corpus.train.bases == Corpus([path], config).train.bases - 1000
    (tmp_path / "none.bed").write_text("chr9\t5\t10\n")
    with pytest.raises(DataError, match="nothing of it lies in the genomes"):
        Corpus([path], config, [tmp_path / "none.bed"])


def test_test_rows_of_a_task_are_left_out_wherever_they_lie(tmp_path: Path) -> None:
    path, letters = random_genome(tmp_path, {"chr1": 5_000, "chr2": 2_000})
    chrom = letters["chr1"]
    reverse = chrom[3_000:3_200][::-1].translate(str.maketrans("ACGT", "TGCA"))
    rows = {
        "train": [chrom[100:300], chrom[4_000:4_200]],
        "valid": [chrom[1_000:1_200], letters["chr2"][:200]],
        "test": [reverse, "ACGTTGCA" * 25],
    }
    task = task_of(tmp_path / "task", rows)
    corpus = Corpus([path], WindowsConfig(length=64, held_out=("chr2",)), [task])
    assert corpus.left_out == [600]
    runs = zip(corpus.train.offset.tolist(), corpus.train.length.tolist(), strict=True)
    assert list(runs) == [(0, 1_000), (1_200, 1_800), (3_200, 1_800)]


def test_windows_are_those_of_the_genomes(tmp_path: Path) -> None:
    path = patterned(tmp_path)
    corpus = Corpus([path, path], WindowsConfig(length=32, held_out=("chr2",)))
    codes = corpus.codes(np.array([1, 0, 1]), np.array([100, 3_000, 7_000]))
    genome = open_reference(path)
    for row, offset in enumerate((100, 3_000, 7_000)):
        assert np.array_equal(codes[row], genome.codes[offset : offset + 32])
    held_out = corpus.held_out_codes()
    assert (held_out < 4).all()
    assert len(held_out) == 2 * (460 // 32 + 990 // 32)
    fewer = Corpus([path], WindowsConfig(length=32, held_out=("chr2",), held_out_windows=5))
    assert len(fewer.held_out_codes()) == 5


def test_the_digest_knows_what_is_learned(tmp_path: Path) -> None:
    path = patterned(tmp_path)
    digests = {
        Corpus([path], WindowsConfig(length=64, held_out=(name,))).digest
        for name in ("chr2", "chr3")
    }
    assert len(digests) == 2
    again = Corpus(
        [patterned(tmp_path / "copy", kind="fa.gz")], WindowsConfig(length=64, held_out=("chr2",))
    )
    assert again.digest in digests


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        ({"length": 8_000, "held_out": ["chr2"]}, "no 8000 known bases lie side by side"),
        ({"length": 64, "held_out": ["chr7"]}, "no genome has a chromosome chr7 .* chr1, chr2"),
        ({"length": 64, "held_out": ["chr1", "chr2", "chr3"]}, "no window is left to learn from"),
    ],
    ids=["long", "unknown", "all"],
)
def test_what_leaves_nothing_is_refused(tmp_path: Path, config: dict, complaint: str) -> None:
    with pytest.raises((ConfigError, DataError), match=complaint):
        Corpus([patterned(tmp_path)], WindowsConfig.model_validate(config))


def test_real_genomes_hold_out_the_same_chromosomes(shared: Path) -> None:
    genome = shared / "genome"
    paths = [genome / f"{name}.fa.gz" for name in ("hg38_regions", "hg19_regions", "mm10_regions")]
    corpus = Corpus([*paths, genome / "sacCer3.fa.gz"], WindowsConfig(length=512))
    share = corpus.valid.bases / (corpus.valid.bases + corpus.train.bases)
    assert 0.03 < share < 0.12
    assert corpus.train.bases + corpus.valid.bases > 32_000_000

"""Planted grammars: what is planted is there, what is not planted is not, and the truth says so."""

import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from attendna.core.config import parse, read_yaml
from attendna.core.errors import ConfigError, DataError, FolderError
from attendna.genome.alphabet import decode, encode
from attendna.tasks.simulate import (
    Background,
    SimulationSettings,
    load_motifs,
    planted_bases,
    read_truth,
    simulate,
)
from attendna.tasks.spec import TaskSpec
from attendna.tasks.store import Task, open_task, write_task

SMALL = SimulationSettings(train=160, valid=20, test=20, length=120)
# AP1 as a word of letters; GATA has but one spelling.
SPELLED = {"AP1": "TGA[CG]TCA", "GATA": "AGATAAG"}


def opposite(text: str) -> str:
    return text.translate(str.maketrans("ACGT", "TGCA"))[::-1]


def spellings(sequence: str, pattern: str) -> set[tuple[int, int]]:
    """Where a motif is spelled on either strand, overlaps included."""
    found: set[tuple[int, int]] = set()
    for match in re.finditer(f"(?=({pattern}))", sequence):
        found.add((match.start(), match.start() + len(match[1])))
    for match in re.finditer(f"(?=({pattern}))", opposite(sequence)):
        end = len(sequence) - match.start()
        found.add((end - len(match[1]), end))
    return found


def rows(task: Task) -> list[tuple[dict, list[dict]]]:
    """Every row of all splits with the planted motifs of it."""
    truth = read_truth(task).partition_by("id", as_dict=True)
    held = []
    for split in task.splits:
        for row in task.read(split).frame.to_dicts():
            planted = truth.get((row["id"],))
            held.append((row, [] if planted is None else planted.to_dicts()))
    return held


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Task]:
    def run(**changes: object) -> Task:
        return simulate(tmp_path / "task", SMALL.replace(**changes))

    return run


def test_the_folder_is_a_task_with_truth_and_settings(make: Callable[..., Task]) -> None:
    task = make()
    assert open_task(task.folder).spec == task.spec
    assert task.spec.rows == {"train": 160, "valid": 20, "test": 20}
    assert task.spec.window == 120
    assert task.spec.label_kind == "binary"
    stored = read_yaml(task.folder / "simulation.yaml")
    assert parse(SimulationSettings, stored, "simulation.yaml") == SMALL
    assert read_truth(task).schema == {
        "id": pl.String, "motif": pl.String, "start": pl.Int32, "end": pl.Int32,
        "strand": pl.String, "kind": pl.String,
    }  # fmt: skip
    for split in task.splits:
        labels = task.read(split).labels
        assert labels.mean() == 0.5
    # Classes are shuffled, not laid end to end.
    assert 0.3 < (np.diff(task.read("train").labels) != 0).mean() < 0.7


@pytest.mark.parametrize("orientation", ["forward", "either", "together"])
@pytest.mark.parametrize("order", ["fixed", "any"])
@pytest.mark.parametrize("kind", ["background", "shuffled", "single", "spacing"])
def test_positives_carry_the_grammar_and_negatives_lack_it(
    make: Callable[..., Task], orientation: str, order: str, kind: str
) -> None:
    task = make(orientation=orientation, order=order, negatives=[kind])
    strands: list[str] = []
    orders: set[str] = set()
    for row, planted in rows(task):
        sequence = row["sequence"]
        spelled = {name: spellings(sequence, word) for name, word in SPELLED.items()}
        real = [motif for motif in planted if motif["kind"] == "motif"]
        # Nothing is spelled by chance: what is there is what was planted.
        for name, places in spelled.items():
            assert places == {(m["start"], m["end"]) for m in real if m["motif"] == name}
        for motif in real:
            word = sequence[motif["start"] : motif["end"]]
            word = word if motif["strand"] == "+" else opposite(word)
            assert re.fullmatch(SPELLED[motif["motif"]], word)
        names = "".join(motif["motif"] for motif in planted)
        gaps = [right["start"] - left["end"] for left, right in pairwise(planted)]
        assert row["kind"] == ("grammar" if row["label"] else kind)
        if row["label"]:
            assert len(real) == 2
            assert 5 <= gaps[0] <= 20
            strands.append("".join(motif["strand"] for motif in planted))
            orders.add(names)
        elif kind == "background":
            assert not planted
        elif kind == "shuffled":
            assert len(planted) == 2
            assert not real
            assert 5 <= gaps[0] <= 20
        elif kind == "single":
            assert len(real) == 1
        else:
            assert len(real) == 2
            assert gaps[0] >= 0
            assert not 5 <= gaps[0] <= 20
    seen = {
        "forward": {"++"},
        "either": {"++", "+-", "-+", "--"},
        "together": {"++", "--"},
    }
    assert set(strands) == seen[orientation]
    turned = order == "any" or orientation == "together"
    assert orders == ({"AP1GATA", "GATAAP1"} if turned else {"AP1GATA"})


def test_a_grammar_turned_as_a_whole_reads_the_same_on_the_other_strand(
    make: Callable[..., Task],
) -> None:
    for row, planted in rows(make(orientation="together", negatives=["background"])):
        if row["label"]:
            turned = planted[0]["strand"] == "-"
            assert [motif["motif"] for motif in planted] == (
                ["GATA", "AP1"] if turned else ["AP1", "GATA"]
            )


def test_shuffled_decoys_keep_the_letters(make: Callable[..., Task]) -> None:
    for row, planted in rows(make(negatives=["shuffled"], orientation="forward")):
        for decoy in planted if row["kind"] == "shuffled" else []:
            word = row["sequence"][decoy["start"] : decoy["end"]]
            letters = {"GATA": ["AAAAGGT"], "AP1": ["AACCGTT", "AACGGTT", "AACTTGC"]}
            assert "".join(sorted(word)) in ["".join(sorted(w)) for w in letters[decoy["motif"]]]


def test_places_and_spacings_are_spread_over_all_there_are(make: Callable[..., Task]) -> None:
    planted = [
        p
        for row, p in rows(make(train=4_000, valid=0, test=0, negatives=["background"]))
        if row["label"]
    ]
    gaps = np.array([right["start"] - left["end"] for left, right in planted])
    counts = np.bincount(gaps)[5:]
    assert counts.size == 16
    assert counts.min() > 0.5 * counts.mean()
    starts = np.array([left["start"] for left, _ in planted])
    assert starts.min() == 0
    assert max(right["end"] for _, right in planted) == 120
    share = np.histogram(starts, bins=4, range=(0, 80))[0] / len(starts)
    assert abs(share - 0.24).max() < 0.05


def test_negatives_are_dealt_in_equal_shares(make: Callable[..., Task]) -> None:
    kinds = ["background", "shuffled", "single", "spacing"]
    task = make(negatives=kinds, positive_fraction=0.2, train=400)
    counts = dict(task.read("train").frame["kind"].value_counts().iter_rows())
    assert counts == {"grammar": 80} | dict.fromkeys(kinds, 80)


def test_the_mask_marks_planted_bases_and_no_decoy(make: Callable[..., Task]) -> None:
    task = make(negatives=["shuffled", "single"])
    for name in task.splits:
        split = task.read(name)
        mask = planted_bases(task, split)
        assert mask.shape == split.sequences.codes.shape
        expected = np.zeros((len(split), 120), dtype=bool)
        place = {key: row for row, key in enumerate(split.ids)}
        for motif in read_truth(task).filter(kind="motif").to_dicts():
            if motif["id"] in place:
                expected[place[motif["id"]], motif["start"] : motif["end"]] = True
        assert np.array_equal(mask.reshape(len(split), -1), expected)
        assert (expected[split.labels == 1].sum(axis=1) == 14).all()


def test_only_a_simulated_task_knows_its_truth(tmp_path: Path) -> None:
    frame = pl.DataFrame({"id": ["a", "b"], "sequence": ["ACGT", "AAAA"], "label": [0, 1]})
    spec = TaskSpec(name="t", label_kind="binary", classes=("no", "yes"))
    task = write_task(tmp_path / "task", spec, {"train": frame})
    with pytest.raises(FolderError, match="only tasks of `data simulate`"):
        read_truth(task)


def test_a_seed_decides_everything(tmp_path: Path) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        simulate(tmp_path / name, SMALL.replace(seed=seed))
    for file in ("train.parquet", "valid.parquet", "test.parquet", "truth.parquet"):
        a, b, c = ((tmp_path / name / file).read_bytes() for name in "abc")
        assert a == b != c


def test_splits_are_drawn_apart(make: Callable[..., Task]) -> None:
    task = make(train=400, valid=400, test=400)
    held = [set(task.read(split).frame["sequence"]) for split in task.splits]
    assert len(set.union(*held)) == 1_200


def test_an_empty_split_is_left_out(make: Callable[..., Task]) -> None:
    assert make(valid=0).splits == ("train", "test")


@pytest.mark.parametrize("gc", [0.2, 0.41, 0.7])
def test_gc_of_the_background(make: Callable[..., Task], gc: float) -> None:
    task = make(gc=gc, length=2_000, chance="keep")
    codes = task.read("train").sequences.codes
    assert abs(np.isin(codes, (1, 2)).mean() - gc) < 0.01


def test_matches_by_chance_are_kept_on_request(make: Callable[..., Task]) -> None:
    task = make(motifs=["TGASTCA", "ACGT"], negatives=["background"], chance="keep", train=800)
    spelled = [
        bool(spellings(row["sequence"], "ACGT")) for row, _ in rows(task) if not row["label"]
    ]
    # 1 - (1 - 0.41^2 * 0.59^2 / 16)^117 of the sequences, about 0.35.
    assert 0.2 < np.mean(spelled) < 0.5


def test_a_markov_background_has_the_words_of_its_genome(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    # A chain that nearly always goes A -> C -> G -> T -> A.
    steps = np.where(generator.random(50_000) < 0.9, 1, generator.integers(0, 4, 50_000))
    text = decode((np.cumsum(steps) % 4).astype(np.uint8))
    path = tmp_path / "genome.fa"
    path.write_text(f">x\n{text[:20_000]}NNNN{text[20_000:]}\n")
    background = Background.of_genome(path, order=1)
    assert np.isclose(background.start.sum(), 1)
    assert np.allclose(background.following.sum(axis=1), 1)
    drawn = background.sample(500, 200, generator)
    both = text + "N" + opposite(text)
    for word in ("AC", "CG", "GT", "TA", "AA", "CA", "TG"):
        expected = len(re.findall(f"(?={word})", both)) / len(both)
        seen = sum(len(re.findall(f"(?={word})", decode(row))) for row in drawn) / drawn.size
        assert abs(seen - expected) < 0.01, word
    # The first base of a sequence is no different from the rest.
    shares = np.bincount(drawn[:, 0], minlength=4) / 500
    assert abs(shares - background.bases).max() < 0.08


def test_a_background_of_the_yeast_genome(shared: Path, make: Callable[..., Task]) -> None:
    genome = shared / "genome" / "sacCer3.fa.gz"
    task = make(background=str(genome), markov_order=3, length=2_000, chance="keep")
    codes = task.read("train").sequences.codes
    assert abs(np.isin(codes, (1, 2)).mean() - 0.381) < 0.01
    assert [source.location for source in task.spec.sources] == ["sacCer3.fa.gz"]


def test_motifs_come_from_words_and_files(tmp_path: Path) -> None:
    path = tmp_path / "motifs.jaspar"
    path.write_text(
        ">M1 ONE\nA [9 0]\nC [1 0]\nG [0 0]\nT [0 5]\n>M2 TWO\nA [0]\nC [0]\nG [1]\nT [0]\n"
    )
    motifs = load_motifs(["TGASTCA", "G=gata", str(path), f"{path}:TWO", "G=GATT", f"{path}:M2"])
    names = ["TGASTCA", "G.1", "M1 ONE", "M2 TWO.1", "M2 TWO.2", "G.2", "M2 TWO.3"]
    assert [motif.name for motif in motifs] == names
    assert [motif.consensus for motif in motifs[1:4]] == ["GATA", "AT", "G"]


def test_a_matrix_is_planted_as_it_is(tmp_path: Path) -> None:
    counts = np.random.default_rng(2).dirichlet(np.full(4, 0.3), size=9).T.round(3)
    path = tmp_path / "motif.jaspar"
    lines = [
        f"{base} [ {' '.join(map(str, row))} ]" for base, row in zip("ACGT", counts, strict=True)
    ]
    path.write_text("\n".join([">M", *lines, ""]))
    settings = SMALL.replace(
        motifs=[str(path)],
        negatives=["background"],
        orientation="forward",
        train=2_000,
        valid=0,
        test=0,
    )
    task = simulate(tmp_path / "task", settings)
    held = [row["sequence"][p[0]["start"] : p[0]["end"]] for row, p in rows(task) if row["label"]]
    codes = np.stack([encode(word) for word in held])
    shares = np.stack([(codes == base).mean(axis=0) for base in range(4)])
    assert np.abs(shares - counts / counts.sum(axis=0)).max() < 0.05
    assert task.spec.sources[0].location == "motif.jaspar"


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"length": 20}, ConfigError, "2 motifs of 14 bases .* do not fit into 20 bases"),
        ({"motifs": ["TGASTCA"]}, ConfigError, "single negatives need at least two motifs"),
        ({"motifs": ["TGASTCA", "X"]}, ConfigError, "'X' is no file and no word"),
        ({"motifs": ["A", "B=TGAX"]}, ConfigError, "'X' is no IUPAC letter"),
        ({"motifs": ["none.meme:CTCF", "A"]}, DataError, "none.meme: no such file"),
        ({"motifs": ["AAAAAA", "CCGCC"]}, ConfigError, "AAAAAA still match"),
        ({"motifs": ["R", "GGC"], "negatives": ["single"]}, ConfigError, "still matches the back"),
        ({"background": "none.fa"}, DataError, "none.fa: no such file"),
        ({"spacing": [0, 106], "negatives": ["spacing"]}, ConfigError, "no spacing but 0-106"),
    ],
)
def test_what_cannot_be_is_told_in_one_line_and_leaves_nothing(
    tmp_path: Path, changes: dict, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message) as caught:
        simulate(tmp_path / "task", SMALL.replace(**changes))
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_genome_too_small_for_the_order_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "genome.fa"
    path.write_text(">x\nACGTACGTACGT\n")
    with pytest.raises(DataError, match="12 known bases are too few for an order of 3"):
        Background.of_genome(path, order=3)


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ({"spacing": [9, 3]}, "spacing 9-3 is no range"),
        ({"spacing": [-1, 3]}, "spacing -1-3 is no range"),
        ({"negatives": ["none"]}, "negatives.0"),
        ({"motifs": []}, "motifs"),
        ({"gc": 1.5}, "gc"),
        ({"lenght": 9}, "did you mean length"),
    ],
)
def test_impossible_settings_are_refused(tree: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse(SimulationSettings, tree, "options")


def test_an_existing_folder_is_kept_without_force(tmp_path: Path) -> None:
    simulate(tmp_path / "task", SMALL)
    with pytest.raises(FolderError, match="exists"):
        simulate(tmp_path / "task", SMALL)
    simulate(tmp_path / "task", SMALL.replace(train=20), force=True)
    assert open_task(tmp_path / "task").spec.rows["train"] == 20

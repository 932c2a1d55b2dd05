"""The lists of public sets are complete, well formed and agree with the files that are at hand."""

import gzip
import hashlib
from pathlib import Path

import pytest

from attendna.core.errors import UnknownNameError
from attendna.tasks.catalogue import catalogue, find_entry

ENTRIES = list(catalogue().values())
GUE = [entry for entry in ENTRIES if entry.name.startswith("gue/")]
BENCHMARKS = [entry for entry in ENTRIES if entry.name.startswith("genomic_benchmarks/")]


def test_all_sets_are_there() -> None:
    assert len(GUE) == 28
    assert sum(entry.kind == "intervals" for entry in BENCHMARKS) == 9
    assert all(entry.given_splits == ("train", "valid", "test") for entry in GUE)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_entries_say_what_a_user_must_know(entry) -> None:
    assert entry.licence
    assert "20" in entry.citation
    assert entry.label_kind == ("binary" if len(entry.classes) == 2 else "multiclass")
    for file in entry.files.values():
        assert file.rows > 0
        assert entry.address(file).startswith("https://raw.githubusercontent.com/")
        assert "{" not in entry.address(file) + entry.mirror_path(file)
        sum_, digits = (file.sha256, 64) if file.sha256 else (file.git, 40)
        assert len(bytes.fromhex(sum_)) * 2 == digits


def test_no_two_files_are_the_same_by_mistake() -> None:
    # Ensembl's open chromatin regions are published in two of the sets.
    sums = [f.sha256 or f.git for e in ENTRIES for f in e.files.values()]
    repeated = {sum_ for sum_ in sums if sums.count(sum_) > 1}
    owners = {e.name for e in ENTRIES for f in e.files.values() if (f.sha256 or f.git) in repeated}
    assert owners == {
        "genomic_benchmarks/human_ocr_ensembl",
        "genomic_benchmarks/human_ensembl_regulatory",
    }


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("gue/tf0", "gue/tf0"),
        ("tf/0", "gue/tf0"),
        ("TF_0", "gue/tf0"),
        ("GUE/tf/0", "gue/tf0"),
        ("mouse3", "gue/mouse3"),
        ("H3", "gue/emp_H3"),
        ("EMP/H3K4me1", "gue/emp_H3K4me1"),
        ("gue/prom/prom_core_all", "gue/prom_core_all"),
        ("splice", "gue/splice_reconstructed"),
        ("virus/covid", "gue/virus_covid"),
        ("human_enhancers_cohn", "genomic_benchmarks/human_enhancers_cohn"),
        ("worm", "genomic_benchmarks/demo_human_or_worm"),
    ],
)
def test_near_names_are_understood(name: str, meant: str) -> None:
    assert find_entry(name).name == meant


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("gue/tf9", r"did you mean gue/tf\d or gue/tf\d or gue/tf\d\?$"),
        ("human_enhancer_cohn", "did you mean .*human_enhancers_cohn"),
        ("prom_core", "did you mean gue/prom_core_all or gue/prom_core_notata or"),
        ("imagenet", "`attendna data list` shows what there is"),
        ("", "`attendna data list` shows what there is"),
    ],
)
def test_other_names_are_refused_with_a_hint(name: str, hint: str) -> None:
    with pytest.raises(UnknownNameError, match=hint):
        find_entry(name)


def test_the_lists_agree_with_the_real_files(shared: Path) -> None:
    seen = 0
    for entry in ENTRIES:
        for file in entry.files.values():
            path = shared / (entry.mirror_path(file) + ".gz")
            if not path.exists():
                continue
            seen += 1
            content = gzip.decompress(path.read_bytes())
            assert hashlib.sha256(content).hexdigest() == file.sha256, path
            lines = content.replace(b"\r\n", b"\n").rstrip(b"\n").count(b"\n")
            assert lines == file.rows, path
    assert seen > 90

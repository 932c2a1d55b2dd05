"""Files of motifs: each format known by its header, and every fault one line."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from attendna.core.errors import DataError
from attendna.genome.motif import Motif
from attendna.genome.motifs import read_motifs

JASPAR = """\
>MA0001.1 ONE
A  [ 8  0  1 ]
C  [ 0 10  1 ]
G  [ 2  0  1 ]
T  [ 0  0  1 ]

>MA0002.1\tTWO
0 10
0 0
10 0
0 0
"""
MEME = """\
MEME version 4

ALPHABET= ACGT

strands: + -

Background letter frequencies
A 0.25 C 0.25 G 0.25 T 0.25

MOTIF MA0001.1 ONE
letter-probability matrix: alength= 4 w= 2 nsites= 20 E= 0
 0.8 0.0 0.2 0.0
 0.0 1.0 0.0 0.0
URL http://example.org

MOTIF two
letter-probability matrix: alength= 4 w= 1 nsites= 20 E= 0
 0.1 0.2 0.3 0.4
"""
FULL_MEME = """\
********************************************************************************
MEME - Motif discovery tool
********************************************************************************
MEME version 5.0.2 (Release date)

TRAINING SET
ALPHABET= ACGT
Sequence name            Weight Length  Sequence name            Weight Length
SEQUENCE NAME            POSITION P-VALUE  MOTIF DIAGRAM

MOTIF CA MEME-1\twidth =   2  sites =  20  llr = 12  E-value = 1.0e-003
--------------------------------------------------------------------------------
\tMotif CA MEME-1 Description
--------------------------------------------------------------------------------
Simplified        A  :a
pos.-specific     C  a:
log-odds matrix: alength= 4 w= 2 n= 20 bayes= 2
  -400   190  -400  -400
   190  -400  -400  -400
--------------------------------------------------------------------------------
letter-probability matrix: alength= 4 w= 2 nsites= 20 E= 1.0e-003
 0.000000  1.000000  0.000000  0.000000
 1.000000  0.000000  0.000000  0.000000
--------------------------------------------------------------------------------
\tMotif CA MEME-1 regular expression
"""
DNA_LIKE = """\
ALPHABET "DNA" DNA-LIKE
A "Adenine" CC0000 ~ T "Thymine = T" 008000
C "Cytosine" 0000CC ~ G "Guanine" FFB300
N "Any base" = ACGT
END ALPHABET
"""
HOMER = """\
>AACC\tCTCF(Zf)/CD4+-CTCF-ChIP-Seq/Homer\t6.0\t-100\t0\tT:1
0.97\t0.01\t0.01\t0.01
0.97\t0.01\t0.01\t0.01
0.01\t0.97\t0.01\t0.01
0.01\t0.97\t0.01\t0.01
"""
TRANSFAC = """\
VV  TRANSFAC MATRIX TABLE
XX
//
AC  M00001
XX
ID  V$ONE_01
XX
P0      A      C      G      T
01      8      0      2      0      A
02      0     10      0      0      C
03      1      1      1      1      N
04      0      0     10      0      G
XX
//
"""
COUNTS = [[8, 0, 2, 0], [0, 10, 0, 0], [3, 3, 3, 1], [0, 0, 10, 0], [1, 7, 1, 1]]


def read(path: Path, content: str | bytes) -> list[Motif]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_motifs(path)


def of_positions(width: int) -> str:
    return "\n".join("\t".join(map(str, row)) for row in COUNTS[:width]) + "\n"


def of_bases(width: int) -> str:
    return "\n".join(" ".join(map(str, row)) for row in zip(*COUNTS[:width], strict=True)) + "\n"


def test_jaspar_counts_become_probabilities(tmp_path: Path) -> None:
    one, two = read(tmp_path / "motifs.jaspar", JASPAR)
    assert one.name == "MA0001.1 ONE"
    expected = [[0.8, 0, 0.2, 0], [0, 1, 0, 0], [0.25, 0.25, 0.25, 0.25]]
    assert np.allclose(one.probabilities, expected)
    assert (two.name, two.consensus) == ("MA0002.1 TWO", "GA")


@pytest.mark.parametrize("row", ["{0}  [{1}]", "{0} {1}", "{0}[ {1} ]", "{0}| {1}", "{0}: {1}"])
def test_jaspar_rows_begin_with_their_base_in_any_style(tmp_path: Path, row: str) -> None:
    rows = of_bases(4).splitlines()
    text = "\n".join(row.format(base, counts) for base, counts in zip("ACGT", rows, strict=True))
    (motif,) = read(tmp_path / "m", f">x\n{text}\n")
    assert motif.consensus == "ACAG"


def test_meme_probabilities_are_read(tmp_path: Path) -> None:
    one, two = read(tmp_path / "motifs.meme", MEME)
    assert one.name == "MA0001.1 ONE"
    assert np.allclose(one.probabilities, [[0.8, 0, 0.2, 0], [0, 1, 0, 0]])
    assert np.allclose(two.probabilities, [[0.1, 0.2, 0.3, 0.4]])


@pytest.mark.parametrize(
    "text",
    [
        MEME.replace(" alength= 4 w= 2 nsites= 20 E= 0", "").replace(" w= 1", ""),
        MEME.replace("w= 2", "w=2").replace("alength= 4", "alength=4"),
        "a banner\n\n" + MEME,
        MEME.replace("ALPHABET= ACGT\n", DNA_LIKE),
        MEME.replace("ALPHABET= ACGT\n", ""),
        "\ufeff" + MEME,
        MEME.replace("\n", "\r\n"),
        MEME.replace("0.8 0.0 0.2 0.0", "16 0 4 0").replace("0.0 1.0 0.0 0.0", "0 20 0 0"),
        MEME.rstrip("\n"),
    ],
    ids=["no_width", "tight", "banner", "dna_like", "no_alphabet", "bom", "crlf", "counts", "cut"],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_every_way_to_write_meme_gives_the_same(tmp_path: Path, text: str, pack: type) -> None:
    plain = read(tmp_path / "plain", MEME)
    motifs = read(tmp_path / "motifs", pack(text.encode()))
    assert [motif.name for motif in motifs] == [motif.name for motif in plain]
    for motif, other in zip(motifs, plain, strict=True):
        assert np.allclose(motif.probabilities, other.probabilities)


def test_what_the_program_meme_writes_is_read(tmp_path: Path) -> None:
    (motif,) = read(tmp_path / "meme.txt", FULL_MEME)
    assert (motif.name, motif.consensus) == ("CA MEME-1", "CA")


@pytest.mark.parametrize("header", [">AACC\tCTCF\t6.0", ">\tCTCF\t6.0\t-100", ">AACC CTCF 6.0"])
def test_rows_of_homer_are_positions_also_at_width_4(tmp_path: Path, header: str) -> None:
    text = HOMER.replace(HOMER.partition("\n")[0], header)
    (motif,) = read(tmp_path / "m.motif", text)
    assert motif.consensus == "AACC"
    assert "CTCF" in motif.name
    assert "CTCF 6.0" not in motif.name
    assert read(tmp_path / "m.motif", HOMER)[0].name == "CTCF(Zf)/CD4+-CTCF-ChIP-Seq/Homer"


def test_three_words_with_a_number_are_not_yet_homer(tmp_path: Path) -> None:
    (motif,) = read(tmp_path / "m", f">AHR isoform 2\n{of_bases(3)}")
    assert (motif.name, motif.consensus) == ("AHR isoform 2", "ACA")


def test_transfac_is_read_whatever_the_order_of_its_columns(tmp_path: Path) -> None:
    (motif,) = read(tmp_path / "m.dat", TRANSFAC)
    assert (motif.name, motif.consensus) == ("M00001 V$ONE_01", "ACAG")
    swapped = TRANSFAC.replace("A      C      G      T", "T\tG\tC\tA").replace("P0", "PO")
    assert read(tmp_path / "m.dat", swapped)[0].consensus == "TGAC"


@pytest.mark.parametrize("width", [1, 2, 3, 4, 5])
def test_counts_without_letters_are_read_either_way(tmp_path: Path, width: int) -> None:
    expected = "ACAGC"[:width]
    (positions,) = read(tmp_path / "m.pcm", ">AHR_HUMAN.H11MO.0.B\n" + of_positions(width))
    (bases,) = read(tmp_path / "m.pfm", ">AHR_HUMAN.H11MO.0.B\n" + of_bases(width))
    assert (positions.consensus, bases.consensus) == (expected, expected)


def test_a_width_of_4_follows_the_other_motifs_of_its_file(tmp_path: Path) -> None:
    square = "\t1\t9\t2\t3\n" * 3 + "1\t1\t1\t1\n"
    text = f">one\n{square}>two\n{of_positions(5)}"
    assert read(tmp_path / "m.pcm", text)[0].consensus == "CCCA"
    with pytest.raises(DataError, match=r"row 1: the rows of one could be bases or positions"):
        read(tmp_path / "m.pcm", f">one\n{square}")
    with pytest.raises(DataError, match="others a row for each position"):
        read(tmp_path / "m.pcm", f">one\n{of_bases(3)}>two\n{of_positions(3)}")
    # An identifier of JASPAR has rows of bases.
    assert read(tmp_path / "m", f">MA0001.1 x\n{square}")[0].consensus == "AAAA"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("hello\n", "neither"),
        ("MEME version 4\n", "no motif"),
        (JASPAR.replace("T  [ 0  0  1 ]\n", ""), "row 1: 3 lines of counts"),
        (JASPAR.replace("[ 0 10  1 ]", "[ 0 10 ]"), "row 3: 2 counts of C, but 3 of A"),
        (JASPAR.replace("C  [", "T  ["), "row 3: the counts of C were expected"),
        (JASPAR.replace("10  1", "ten  1"), "row 3: not a line of numbers"),
        (JASPAR.replace("0 10\n0 0", "0 0\n0 0"), "row 7: the matrix of MA0002.1 TWO"),
        (JASPAR.replace("[ 8", "[ -8"), "row 1: .* negative number -8: these are log-odds"),
        (JASPAR.replace("[ 8", "[ nan"), "row 1: .* impossible numbers"),
        (MEME.replace("ACGT\n", "ACDEFGHIKLMNPQRSTVWY\n"), "row 3: the alphabet"),
        (MEME.replace("ALPHABET= ACGT\n", DNA_LIKE + "\n").replace('N "Any', 'm "x"\nN "Any'),
         "row 3: the alphabet is ACGTM"),
        (MEME.replace("alength= 4", "alength= 20"), "row 11: alength= 20"),
        (MEME.replace("w= 2", "w= x"), "row 11: w= x is no whole number"),
        (MEME.replace("w= 2", "w= 3"), "row 11: w= 3, but 2 lines of numbers"),
        (MEME.replace("w= 2", "w= 1"), "row 11: w= 1, but 2 lines of numbers"),
        (MEME.replace("w= 1 ", "w= 9 "), "row 17: w= 9, but 1 lines"),
        (MEME.replace(" w= 2", "").replace("0.0 1.0 0.0 0.0", "O.0 1.0 0.0 0.0"), "row 13: not a"),
        (MEME.replace(" 0.1 0.2 0.3 0.4", " 0.1 0.2 0.3"), "row 18: 3 numbers"),
        (MEME.replace(" 0.1 0.2 0.3 0.4", " 0.1 0.2 0.3 0.9"), "row 18: .* the sum 1.5, not 1"),
        (MEME.replace(" 0.1 0.2 0.3 0.4", " -1.1 0.2 0.3 0.4"), "row 18: .* log-odds"),
        (MEME.replace("letter-probability matrix: alength= 4 w= 2", "log-odds matrix:"),
         "row 10: the motif MA0001.1 ONE has no letter-probability matrix"),
        (HOMER.replace("0.97\t0.01\t0.01\t0.01\n", "0.97\t0.01\t0.01\n", 1), "row 2: 3 numbers"),
        (HOMER.replace("0.97\t0.01", "0.97\t0.91", 1), "row 2: .* the sum 1.9, not 1"),
        (">AHR.pwm\n" + "-1.2\t0.5\t0.1\t0.3\n" * 5, "row 2: .* negative number -1.2"),
        (">x\n1 2 3\n", "row 1: x has neither"),
        (">x\n", "row 1: x has neither"),
        (TRANSFAC.replace("03 ", "05 "), "row 11: position 05 is out of order"),
        (TRANSFAC.replace("G      T\n", "G      U\n"), "row 8: the alphabet is ACGU"),
        (TRANSFAC.replace("02      0", "02      -"), "row 10: not a line of numbers"),
        (TRANSFAC.removesuffix("XX\n//\n"), "row 8: the matrix has no end"),
        (TRANSFAC.partition("P0")[0], "no motif"),
    ],
)  # fmt: skip
def test_a_broken_file_is_refused_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(tmp_path / "motifs.txt", text)


def test_a_missing_or_binary_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        read_motifs(tmp_path / "none")
    with pytest.raises(DataError, match="line 1 holds a NUL byte"):
        read(tmp_path / "binary", b"\xf0\xff\x00")


def test_a_consensus_before_rows_of_positions_is_no_base(tmp_path: Path) -> None:
    """ENCODE writes the consensus before each position; of ACGT it looks like JASPAR's bases."""
    path = tmp_path / "motifs.txt"
    rows = ("A .7 .1 .1 .1", "C .1 .7 .1 .1", "G .1 .05 .8 .05", "T .25 .1 .05 .6")
    path.write_text("\n".join([">AHR_known1 AHR", *rows]) + "\n")
    with pytest.raises(DataError, match=r"row 1: .* look like positions"):
        read_motifs(path)

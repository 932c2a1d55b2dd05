"""Variants of VCF files and tables, by hand and from real files."""

import gzip
from pathlib import Path

import polars as pl
import pysam
import pytest

from attendna.core.errors import DataError
from attendna.genome.preflight import BadRowsError
from attendna.genome.variants import SCHEMA, Variants, read_variants

HEADER = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"

NAMES = {"chrom": "c", "pos": "p", "ref": "r", "alt": "a"}


def read(folder: Path, name: str, text: str, **options: object) -> Variants:
    (folder / name).write_text(text)
    return read_variants(folder / name, **options)


def rows(variants: Variants) -> list[tuple]:
    assert dict(variants.frame.schema) == {name: kind() for name, kind in SCHEMA.items()}
    return variants.frame.drop("line").rows()


@pytest.mark.parametrize("header", [HEADER, "##fileformat=VCFv4.2\n", ""])
@pytest.mark.parametrize("packing", ["plain", "gzip", "bgzip"])
def test_vcf_becomes_zero_based_with_one_allele_a_row(
    tmp_path: Path, header: str, packing: str
) -> None:
    text = header + "1\t10\trs1\ta\tg,TT\t.\t.\t.\nX\t1\t.\tAC\tA\t.\t.\t.\n"
    path = tmp_path / ("a.vcf" if packing == "plain" else "a.vcf.gz")
    if packing == "bgzip":
        with pysam.BGZFile(str(path), "w") as stream:
            stream.write(text.encode())
    else:
        path.write_bytes(
            text.encode() if packing == "plain" else gzip.compress(text.encode(), mtime=0)
        )
    found = read_variants(path)
    assert rows(found) == [
        ("1", 9, "A", "G", "rs1"),
        ("1", 9, "A", "TT", "rs1"),
        ("X", 0, "AC", "A", None),
    ]
    first = header.count("\n") + 1
    assert found.frame["line"].to_list() == [first, first, first + 1]


def test_alleles_that_are_no_sequence_are_counted_and_left_out(tmp_path: Path) -> None:
    alts = ["<DEL>", "*", "<*>", ".", "G]17:198982]", "]13:12]T", ".A", "C,<NON_REF>", "<INS:ME>,*"]
    text = HEADER + "".join(f"1\t{n}\t.\tA\t{alt}\t.\t.\t.\n" for n, alt in enumerate(alts, 1))
    found = read(tmp_path, "a.vcf", text)
    assert rows(found) == [("1", 7, "A", "C", None)]
    assert found.left_out == {"none": 1, "star": 4, "symbolic": 2, "breakend": 3}
    assert found.complaints.height == 0


def test_every_bad_row_is_listed_with_its_fix(tmp_path: Path) -> None:
    text = HEADER + "\n".join(
        [
            "1\t5\t.\tA\tG\t.\t.\t.",
            "1\tx\t.\tA\tG\t.\t.\t.",
            "1\t0\t.\tA\tG\t.\t.\t.",
            "1\t-5\t.\tA\tG\t.\t.\t.",
            "1\t5\t.\tA",
            "1\t5\t.\t\tG\t.\t.\t.",
            "1\t5\t.\tA\tG,A\t.\t.\t.",
            "1\t5\t.\tA\tG-\t.\t.\t.",
            "1\t5\t.\t7\tG\t.\t.\t.",
            "1\t9999999999999999\t.\tA\tG\t.\t.\t.",
            "1\t6\t.\tR\tG\t.\t.\t.",
        ]
    )
    found = read(tmp_path, "a.vcf", text, bad="drop")
    assert rows(found) == [("1", 4, "A", "G", None), ("1", 5, "N", "G", None)]
    assert [(line, problem) for line, problem, _ in found.complaints.rows()] == [
        (4, "the pos 'x' is no whole number"),
        (5, "the position 0 lies before the chromosome"),
        (6, "the position -5 lies before the chromosome"),
        (7, "it has 4 columns where there should be 8"),
        (8, "the ref is missing"),
        (9, "ref and alt are both 'A'"),
        (10, "the alt allele 'G-' is no sequence"),
        (11, "the ref allele '7' is no sequence"),
        (12, "the position 9999999999999999 lies beyond any chromosome"),
    ]
    with pytest.raises(BadRowsError, match=r"a\.vcf: 9 bad rows: line 4: the pos 'x'"):
        read(tmp_path, "a.vcf", text)


@pytest.mark.parametrize(
    ("name", "text", "options"),
    [
        ("a.tsv", "#chr\tpos\tref\talt\n1\t10\tA\tG\n", {}),
        ("a.csv", "Chromosome,Position,REF,ALT,snp\n1,10,a,g,x\n", {}),
        ("a.tsv", "chr\tstart\tend\tref\talt\n1\t9\t10\tA\tG\n", {}),
        ("a.tsv", "chr\tstart\tref\talt\n1\t10\tA\tG\n", {"one_based": True}),
        ("a.tsv", "variant_id\tpip\n1_10_A_G_b38\t0.9\n", {}),
        ("a.tsv", "variant\n1:10:A:G\n", {}),
        ("a.csv", "c,p,r,a\n1,10,A,G\n", {"columns": NAMES}),
    ],
)
def test_tables_of_named_columns(tmp_path: Path, name: str, text: str, options: dict) -> None:
    found = read(tmp_path, name, text, **options)
    assert rows(found)[0][:4] == ("1", 9, "A", "G")
    assert found.frame["line"].to_list() == [2]


def test_ids_that_spell_the_variant_out_may_hold_underscores(tmp_path: Path) -> None:
    text = "id\tpip\nchr1_KI270706v1_random_12_A_GT_b38\t.5\nrs12\t.5\n\t.5\n"
    found = read(tmp_path, "a.tsv", text, keep=["pip"], bad="drop")
    assert found.frame.drop("line", "id").rows() == [
        ("chr1_KI270706v1_random", 11, "A", "GT", ".5")
    ]
    assert found.complaints["problem"].to_list() == [
        "the id 'rs12' spells out no variant",
        "the id '' spells out no variant",
    ]


def test_named_columns_are_kept_where_asked(tmp_path: Path) -> None:
    found = read(tmp_path, "a.vcf", HEADER + "1\t5\t.\tA\tC,G\t.\tPASS\tAF=.1\n", keep=["INFO"])
    assert found.frame.columns == [*SCHEMA, "INFO"]
    assert found.frame["INFO"].to_list() == ["AF=.1"] * 2
    table = "chr,pos,ref,alt,width,kind\n1,5,A,C,7,x\n"
    found = read(tmp_path, "a.csv", table, keep=["kind", "width"])
    assert found.frame.select("kind", "width").rows() == [("x", "7")]
    with pytest.raises(DataError, match="there is no column GT to keep"):
        read(tmp_path, "a.vcf", HEADER + "1\t5\t.\tA\tC\t.\t.\t.\n", keep=["GT"])
    with pytest.raises(DataError, match="there is no tissue column among chr"):
        read(tmp_path, "a.csv", table, keep=["tissue"])
    with pytest.raises(DataError, match="ref cannot be kept"):
        read(tmp_path, "a.csv", table, keep=["ref"])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.vcf", b"", "the file is empty"),
        ("a.vcf", HEADER.encode(), "there is no row in it"),
        ("a.vcf", HEADER.encode("utf-16"), "the text is UTF-16"),
        ("a.vcf.gz", gzip.compress(HEADER.encode(), mtime=0)[:-4], "the gzip is truncated"),
        ("a.vcf", HEADER.encode() + b"1\t5\t.\tA\t\0", "line 3 holds a NUL byte"),
        ("a.bcf", gzip.compress(b"BCF\2\2", mtime=0), "this is BCF; convert it: bcftools view"),
        ("a.bed", b"1\t5\t6", "name it .vcf, .tsv or .csv"),
        ("a.csv", b"chrom,pos\n1,5\n", "there are neither columns chrom, pos"),
        ("a.csv", b"chrom,pos,ref,alt\n", "there is no row in it"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_in_one_line(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_variants(tmp_path / name)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


REAL = {
    "variants/1000g_chr22_hg19.vcf.gz": (10_376, 10_376),
    "variants/PG_NA12878_hg38_chr21.vcf.gz": (66_050, 65_370),
    "variants/baskerville_eqtl_chr1_hg38.vcf": (8, 8),
    "variants/allelic_imbalance_HepG2_dnase_hg38.tsv.gz": (15_047, 15_047),
    "variants/allelic_imbalance_K562_atac_hg38.tsv.gz": (9_293, 9_293),
}


@pytest.mark.parametrize("name", REAL)
def test_real_files_are_read_whole(shared: Path, name: str) -> None:
    found = read_variants(shared / name)
    assert (found.frame.height, found.frame["line"].n_unique()) == REAL[name]
    assert sum(found.left_out.values()) == 0


def test_symbolic_alleles_of_the_thousand_genomes(shared: Path) -> None:
    found = read_variants(shared / "genome/originals/1000g_chr20_1Mb_relative.vcf.gz")
    assert found.frame.height == 29_120
    assert found.left_out == {"none": 0, "star": 0, "symbolic": 24, "breakend": 0}


def test_a_variant_of_clinvar_without_a_change_is_told(shared: Path) -> None:
    path = shared / "variants/clinvar_splice_chr22_hg19.vcf"
    with pytest.raises(BadRowsError, match="1 bad row: line 247: ref and alt are both 'A'"):
        read_variants(path)
    vcf = read_variants(path, bad="drop").frame
    table = read_variants(
        shared / "variants/clinvar_splice_annotated_chr22_hg19.csv.gz", one_based=True, bad="drop"
    ).frame
    assert vcf.height == 418
    assert vcf.drop("id", "line").equals(table.drop("id", "line"))


def test_vcf_is_read_as_pysam_reads_it(shared: Path) -> None:
    path = shared / "variants/PG_NA12878_hg38_chr21.vcf.gz"
    verbosity = pysam.set_verbosity(0)
    with pysam.VariantFile(str(path)) as records:
        told = [(r.chrom, r.start, r.ref, alt) for r in records for alt in r.alts or ()]
    pysam.set_verbosity(verbosity)
    got = read_variants(path).frame.select("chrom", "start", "ref", "alt")
    assert got.equals(pl.DataFrame(told, schema=got.schema, orient="row"))

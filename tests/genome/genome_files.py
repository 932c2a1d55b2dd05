"""Genomes written in every format that can be read, for the tests of those who read them."""

import gzip
import struct
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path

import pysam

FORMATS = ("fa", "fa.gz", "bgz.fa.gz", "2bit")


def write_genome(folder: Path, contigs: Mapping[str, str], kind: str) -> Path:
    """Write ``contigs`` (name to letters) as ``folder/genome.KIND``."""
    path = folder / f"genome.{kind}"
    if kind == "2bit":
        path.write_bytes(two_bit(contigs))
        return path
    lines = [
        f">{name} a comment\n" + "".join(f"{text[i : i + 60]}\n" for i in range(0, len(text), 60))
        for name, text in contigs.items()
    ]
    fasta = "".join(lines).encode()
    if kind == "fa":
        path.write_bytes(fasta)
    elif kind == "fa.gz":
        path.write_bytes(gzip.compress(fasta))
    else:
        with pysam.BGZFile(str(path), "w") as stream:
            stream.write(fasta)
    return path


def two_bit(contigs: Mapping[str, str]) -> bytes:
    """The bytes of a .2bit file, by the format's description (UCSC)."""
    records = [_two_bit_record(text) for text in contigs.values()]
    offset = 16 + sum(5 + len(name) for name in contigs)
    index = b""
    for name, record in zip(contigs, records, strict=True):
        index += struct.pack("<B", len(name)) + name.encode() + struct.pack("<I", offset)
        offset += len(record)
    header = struct.pack("<IIII", 0x1A412743, 0, len(records), 0)
    return header + index + b"".join(records)


def _two_bit_record(text: str) -> bytes:
    packed = bytearray()
    for start in range(0, len(text), 4):
        byte = 0
        for letter in text[start : start + 4].upper().ljust(4, "T"):
            byte = byte << 2 | "TCAG".find(letter if letter in "TCAG" else "T")
        packed.append(byte)
    return b"".join(
        [
            struct.pack("<I", len(text)),
            _blocks([letter in "Nn" for letter in text]),
            _blocks([letter.islower() for letter in text]),
            struct.pack("<I", 0),
            bytes(packed),
        ]
    )


def _blocks(marks: list[bool]) -> bytes:
    starts, sizes, position = [], [], 0
    for mark, run in groupby(marks):
        length = len(list(run))
        if mark:
            starts.append(position)
            sizes.append(length)
        position += length
    return struct.pack(f"<I{len(starts)}I{len(sizes)}I", len(starts), *starts, *sizes)

"""A small whole file of every kind that is read, and the function by which the tool reads it."""

import gzip
import json
import re
import shutil
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.random import Generator
from tests.damage import mutations

ROOT = Path(__file__).parents[2]

Change = Callable[[bytes, Generator], bytes]


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Parameters
    ----------
    make
        Writes a file of it into an empty folder.
    read
        Reads it as the tool does.
    ends
        Whether its end can be known: of plain text that stops at any line nobody can tell.
    inner
        Further ways to change it, which know its format.
    cut
        How it loses its end.
    trained
        Whether it is of a run folder, which takes seconds to make.
    """

    make: Callable[[Path], Path]
    read: Callable[[Path], object]
    ends: bool = True
    inner: tuple[Change, ...] = ()
    cut: Change = mutations.truncate
    trained: bool = False


def _write(name: str, content: bytes | Callable[[], bytes]) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(content if isinstance(content, bytes) else content())
        return path

    return make


def _blocks(content: bytes) -> bytes:
    """A bgzip file of several blocks, as longer ones are."""
    parts = [content[start : start + 200] for start in range(0, len(content), 200)]
    return b"".join(map(_block, [*parts, b""]))


def _block(content: bytes) -> bytes:
    deflate = zlib.compressobj(wbits=-15)
    packed = deflate.compress(content) + deflate.flush()
    extra = b"BC" + struct.pack("<HH", 2, len(packed) + 25)
    end = struct.pack("<II", zlib.crc32(content), len(content))
    return b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x06\0" + extra + packed + end


def _between_blocks(content: bytes, random: Generator) -> bytes:
    """A bgzip file that was cut just behind a block."""
    ends = [found.start() for found in re.finditer(rb"\x1f\x8b\x08\x04", content)][1:]
    return content[: ends[int(random.integers(len(ends)))]]


def _under_gzip(content: bytes, random: Generator) -> bytes:
    return gzip.compress(mutations.mutate(gzip.decompress(content), random), mtime=0)


def _under_zlib(content: bytes, random: Generator) -> bytes:
    return zlib.compress(mutations.mutate(zlib.decompress(content), random))


# ------------------------------------------------------------------------------ genomes


def _bases(length: int, seed: int = 0) -> str:
    random = np.random.default_rng(seed)
    text = random.choice(list("ACGTacgtN"), length, p=[0.2] * 4 + [0.04] * 4 + [0.04])
    text[length // 3 : length // 3 + 40] = "N"
    return "".join(text)


CONTIGS = {"chr1": _bases(700), "chr2": _bases(431, 1), "chrM": _bases(50, 2)}


def _genome(kind: str, folder: Path) -> Path:
    from tests.genome.genome_files import write_genome

    return write_genome(folder, CONTIGS, kind)


def _bgzip_genome(folder: Path) -> Path:
    plain = _genome("fa", folder)
    return _write("genome.fa.gz", _blocks(plain.read_bytes()))(folder)


def _read_genome(path: Path) -> object:
    from attendna.genome.reference import stream_letters

    return list(stream_letters(path))


def _fasta_table(path: Path) -> object:
    from attendna.prediction.sequences import read_sequences

    ids, sequences = read_sequences(path)
    return ids, sequences.to_text()


FASTA = "".join(f">s{i} x\n{_bases(60, i).replace('N', 'A')}\n" for i in range(9)).encode()

# ------------------------------------------------------------------------------ signal


def _big_wig(folder: Path) -> Path:
    import pybigtools

    random = np.random.default_rng(0)
    edges = np.cumsum(random.integers(1, 9, 900))
    records = [
        (chrom, int(a), int(b), float(v))
        for chrom in ("chr1", "chr2")
        for a, b, v in zip(edges[:-1:2], edges[1::2], random.normal(size=450), strict=True)
    ]
    path = folder / "track.bw"
    pybigtools.open(str(path), "w").write({"chr1": 6000, "chr2": 5000, "chr3": 9}, iter(records))
    return path


def _read_signal(path: Path) -> object:
    from attendna.genome.signal import open_signal

    signal = open_signal(path)
    lengths = dict(signal.lengths)
    windows = pl.DataFrame(
        {
            "chrom": list(lengths),
            "start": [0] * len(lengths),
            "end": [min(length, 10_000) for length in lengths.values()],
        }
    ).filter(pl.col("end") > 0)
    return lengths, signal.bins(windows, 1).values, signal.bins(windows.head(1)).values


# ------------------------------------------------------------------------------ rows


def _rows(width: int, count: int = 40) -> bytes:
    random = np.random.default_rng(0)
    lines = []
    for row in range(count):
        start = int(random.integers(0, 9000))
        more = [f"p{row}", "7", "+-."[row % 3], "1.5", "2", "3", "20"]
        fields = ["chr1", str(start), str(start + 200), *more][:width]
        lines.append("\t".join(fields))
    return ("\n".join(lines) + "\n").encode()


GTF = "".join(
    f'chr1\ta\tgene\t{1 + 100 * g}\t{90 + 100 * g}\t.\t{"+-"[g % 2]}\t.\tgene_id "G{g}"; '
    f'gene_name "N{g}";\n'
    for g in range(20)
).encode()
METHYL = "".join(
    f"chr1\t{s}\t{s + 1}\tm\t9\t+\t{s}\t{s + 1}\t255,0,0\t{s % 9 + 1}\t{s % 100}\n"
    for s in range(0, 400, 7)
).encode()
BISMARK = "".join(f"chr1\t{s}\t{s}\t50.0\t{s % 9}\t{s % 9}\n" for s in range(1, 400, 7)).encode()
GENES = "gene,chrom,tss,strand\n" + "".join(f"G{g},chr1,{g * 9 + 1},+\n" for g in range(30))
MATRIX = "gene\tliver\tlung\n" + "".join(f"G{g}\t{g / 3:.3f}\t{g % 5}\n" for g in range(30))
MPRA = "Chrom\tPos\tRef\tAlt\tTags\tCoefficient\tElement\tRelease\n" + "".join(
    f"1\t{p}\tA\tC\t12\t0.{p}\tLDLR\tGRCh38\n" for p in range(100, 140)
)
VCF = (
    "##fileformat=VCFv4.2\n##contig=<ID=chr1,length=700>\n"
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
    + "".join(f"chr1\t{p}\trs{p}\tA\tC,AT\t50\tPASS\tAF=0.1\n" for p in range(3, 300, 11))
).encode()
TARGETS = (
    b"\tidentifier\tfile\tclip\tscale\tsum_stat\tstrand_pair\tdescription\n"
    b"0\tA+\ta.bw\t32\t1\tsum\t1\tCAGE:liver\n1\tA-\tb.bw\t32\t1\tsum\t0\tCAGE:liver\n"
)


def _intervals(path: Path) -> object:
    from attendna.genome.intervals import read_intervals

    return read_intervals(path).frame


def _peaks(path: Path) -> object:
    from attendna.tasks.peak_bins import read_peaks

    found = read_peaks(path, lambda name: 0 if name == "chr1" else -1)
    return found.start, found.end


def _variants(path: Path) -> object:
    from attendna.genome.variants import read_variants

    return read_variants(path).frame


def _calls(path: Path) -> object:
    from attendna.tasks.methylation_calls import read_calls

    return read_calls(path)


def _sites(path: Path) -> object:
    from attendna.tasks.gene_sites import read_gene_sites

    return read_gene_sites(path)


def _expression(path: Path) -> object:
    from attendna.tasks.expression_matrix import read_expression

    found = read_expression(path)
    return found.genes, found.tissues, found.values


def _mutagenesis(path: Path) -> object:
    from attendna.tasks.mutagenesis_table import read_mutagenesis

    return read_mutagenesis(path, release="GRCh38")


def _targets(path: Path) -> object:
    from attendna.tasks.track_targets import read_targets

    return read_targets(path)


def _pairs(path: Path) -> object:
    from attendna.tokens.neighbors import read_pairs

    return read_pairs(path)


# ------------------------------------------------------------------------------ labels


def _frame() -> pl.DataFrame:
    text = [_bases(60, row).upper() for row in range(30)]
    return pl.DataFrame(
        {"id": [f"s{row}" for row in range(30)], "sequence": text, "label": [0, 1] * 15}
    )


def _csv(separator: str) -> bytes:
    return _frame().write_csv(separator=separator).encode()


def _parquet() -> bytes:
    import io

    stream = io.BytesIO()
    _frame().write_parquet(stream)
    return stream.getvalue()


def _import(path: Path) -> object:
    from attendna.tasks.ingest import ImportOptions, import_tables

    out = path.parent / "imported"
    shutil.rmtree(out, ignore_errors=True)
    import_tables(out, {"train": path}, ImportOptions())
    return pl.read_parquet(out / "train.parquet").sort("id")


def _task(name: str, folder: Path) -> Path:
    from tests.planted import plant

    plant(folder / "task", rows=(12, 6, 4))
    return folder / "task" / name


def _read_task(path: Path) -> object:
    from attendna.tasks.audit.audit import read_audit
    from attendna.tasks.store import open_task

    task = open_task(path.parent)
    read_audit(path.parent)
    splits = [task.read(split) for split in task.splits]
    return [(one.ids, one.sequences.to_text(), one.labels) for one in splits]


def _track_task(name: str, folder: Path) -> Path:
    from tests.tasks.track_folders import write_track_task

    write_track_task(folder / "task")
    return folder / "task" / name


def _read_track_task(path: Path) -> object:
    from attendna.tasks.tracks import open_track_task

    folder = next(parent for parent in path.parents if parent.name == "task")
    task = open_track_task(folder)
    found = []
    for split in task.splits:
        one = task.read(split).read(range(len(task.read(split))))
        found.append((one.sequences, one.targets, task.read(split).frame))
    return found, task.targets


# ------------------------------------------------------------------------------ TFRecords


def _records(name: str, folder: Path) -> Path:
    from tests.tasks.track_folders import write_records

    write_records(folder / "records")
    return folder / "records" / name


def _plain_records(folder: Path) -> Path:
    path = _records("tfrecords/train-0.tfr", folder)
    path.write_bytes(zlib.decompress(path.read_bytes()))
    return path


def _read_records(path: Path) -> object:
    from attendna.tasks.tfrecord import read_examples
    from attendna.tasks.track_records import decode, find_records

    found = find_records(next(p for p in path.parents if p.name == "records"))
    shape = found.shape
    counts: dict[str, int] = {}
    decoded = []
    for file in found.files:
        for row, example in enumerate(read_examples(file.path), start=1):
            decoded.append(decode(example, shape, file.path, row))
            counts[file.group] = counts.get(file.group, 0) + 1
    found.places(counts)
    return decoded


# ------------------------------------------------------------------------------ words


def _vectors_npy() -> bytes:
    import io

    stream = io.BytesIO()
    np.save(stream, np.random.default_rng(0).normal(size=(64, 5)).astype(np.float32))
    return stream.getvalue()


def _vectors_text() -> bytes:
    from attendna.genome.kmers import all_kmers

    random = np.random.default_rng(0)
    lines = [f"{w} " + " ".join(f"{x:.4f}" for x in random.normal(size=5)) for w in all_kmers(3)]
    return ("64 5\n" + "\n".join(lines) + "\n").encode()


def _vectors_binary() -> bytes:
    from attendna.genome.kmers import all_kmers

    random = np.random.default_rng(0)
    rows = [f"{w} ".encode() + random.normal(size=5).astype("<f4").tobytes() for w in all_kmers(3)]
    return b"64 5\n" + b"\n".join(rows) + b"\n"


def _vectors(path: Path) -> object:
    from attendna.tokens.dna2vec import read_vectors

    return read_vectors(path, 3).matrix


def _tokenizer_json() -> bytes:
    words = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]", "A", "C", "G", "T", "AC", "ACG", "TT"]
    model = {
        "type": "BPE",
        "vocab": {word: place for place, word in enumerate(words)},
        "merges": ["A C", "AC G", "T T"],
    }
    return json.dumps({"version": "1.0", "normalizer": None, "model": model}).encode()


def _vocabulary(path: Path) -> object:
    from attendna.tokens.bpe_vocabulary import Vocabulary

    return Vocabulary.read(path).words


def _huggingface(name: str, folder: Path) -> Path:
    import torch
    from safetensors.torch import save_file

    from attendna.models.huggingface.words import KmerVocabulary

    words = KmerVocabulary.dnabert(2).words
    config = {
        "model_type": "bert", "vocab_size": len(words), "hidden_size": 8, "num_hidden_layers": 1,
        "num_attention_heads": 2, "intermediate_size": 8, "max_position_embeddings": 32,
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "vocab.txt").write_text("\n".join(words) + "\n")
    if name == "tokenizer.json":
        (folder / "vocab.txt").unlink()
        (folder / name).write_bytes(_tokenizer_json())
        (folder / "config.json").write_text(json.dumps(config | {"vocab_size": 12}))
    weights = {"bert.embeddings.word_embeddings.weight": torch.randn(len(words), 8)}
    if name == "pytorch_model.bin":
        torch.save(weights, folder / name)
    elif name == "model.safetensors.index.json":
        save_file(weights, folder / "part-1.safetensors")
        names = dict.fromkeys(weights, "part-1.safetensors")
        (folder / name).write_text(json.dumps({"weight_map": names}))
    else:
        save_file(weights, folder / "model.safetensors")
    return folder / name


def _read_huggingface(path: Path) -> object:
    from attendna.models.huggingface.checkpoint import HuggingfaceCheckpoint

    found = HuggingfaceCheckpoint.find(path.parent, allow_pickle=True)
    weights = {name: value.numpy() for name, value in found.weights().items()}
    return found.settings, found.tokenizer, found.digest and weights


def _port(path: Path) -> object:
    from attendna.models.enformer_port import read_port

    return {name: value.numpy() for name, value in read_port(path).items()}


def _port_file(ending: str, folder: Path) -> Path:
    import torch
    from safetensors.torch import save_file

    state = {"stem.0.weight": torch.randn(4, 4, 15), "stem.0.bias": torch.randn(4)}
    path = folder / f"enformer.{ending}"
    save_file(state, path) if ending == "safetensors" else torch.save(state, path)
    return path


# ------------------------------------------------------------------------------ motifs

JASPAR = (
    b">MA0139.1 CTCF\nA [ 87 167 281 56 8 ]\nC [ 291 145 49 800 903 ]\nG [ 76 414 449 21 0 ]\n"
    b"T [ 459 187 134 36 2 ]\n>MA1 X\nA [ 1 2 3 4 ]\nC [ 4 3 2 1 ]\nG [ 1 1 1 1 ]\nT [ 2 2 2 2 ]\n"
)
MEME = (
    b"MEME version 4\n\nALPHABET= ACGT\n\nstrands: + -\n\nMOTIF M1 one\n"
    b"letter-probability matrix: alength= 4 w= 3 nsites= 20 E= 0\n 0.1 0.2 0.3 0.4\n"
    b" 0.25 0.25 0.25 0.25\n 0.7 0.1 0.1 0.1\n\nMOTIF M2 two\n"
    b"letter-probability matrix: alength= 4 w= 2\n 0.5 0.5 0.0 0.0\n 0 0 0 1\n"
)


def _motifs(path: Path) -> object:
    from attendna.genome.motif_source import open_motifs

    found = open_motifs(path)
    return [(m.name, m.probabilities, m.match_score) for m in found.motifs]


# ------------------------------------------------------------------------------ models


def _label_model(settings: Mapping[str, Any], folder: Path) -> Path:
    import torch

    from attendna.models.checkpoint import Checkpoint, save

    contract = {"shortest": 60, "longest": 60, "task": "t", "split_hash": "x", "window": 60}
    header = Checkpoint.model_validate(
        {
            "run_id": "r",
            "strands": "augment",
            "label_kind": "binary",
            "classes": ["no", "yes"],
            "input": contract,
            **settings,
        }
    )
    torch.manual_seed(0)
    return save(folder, header, header.build())


CNN = {"tokenizer": "onehot", "model": {"name": "cnn", "width": 4, "blocks": 1}}
ENCODER = {
    "tokenizer": {"name": "kmer", "k": 3},
    "model": {"name": "encoder", "width": 8, "blocks": 1, "heads": 2},
}
ENSEMBLE = {
    "tokenizer": "onehot",
    "strands": ["augment", "conjoined"],
    "label_kind": "multiclass",
    "classes": ["a", "b", "c"],
    "model": {"name": "ensemble", "members": [CNN["model"], CNN["model"]]},
}


def _sequences() -> Any:
    from attendna.genome.sequences import SequenceBatch

    return SequenceBatch.from_text(_frame()["sequence"].head(3))


def _predict(path: Path) -> object:
    from attendna.models.header import is_of_tracks, read_header
    from attendna.prediction.transfer import load_predictor
    from attendna.report.run import _read_header

    predictor = load_predictor(path.parent, "cpu", "fp32")
    if path.name == "model.safetensors":
        read_header(path)
        is_of_tracks(path)
        _read_header(path)
    return predictor.predict(_sequences()).values


def _language_model(folder: Path) -> Path:
    import torch

    from attendna.models.language_checkpoint import LanguageCheckpoint, save_language

    header = LanguageCheckpoint.model_validate(
        {
            "run_id": "r",
            "tell": "bases",
            "window": 60,
            "held_out": ["1"],
            "genomes": [{"file": "g.fa", "digest": "d"}],
            **ENCODER,
        }
    )
    torch.manual_seed(0)
    return save_language(folder, header, header.build())


def _read_language(path: Path) -> object:
    from attendna.models.language_checkpoint import load_language
    from attendna.prediction.backbone import load_backbone

    load_language(path.parent)
    return load_backbone(path.parent, "cpu", "fp32").model.state_dict()


def _track_model(folder: Path) -> Path:
    import torch

    from attendna.models.track_checkpoint import TrackCheckpoint, save_tracks

    model = {
        "name": "enformer", "width": 24, "depth": 1, "stages": 3, "multiple": 4, "bins": None,
        "attention": {"heads": 2, "key_width": 4, "sparse": {"block": 4}},
    }  # fmt: skip
    tracks = [{"identifier": "i", "description": "d", "assay": "CAGE"}] * 2
    header = TrackCheckpoint.model_validate(
        {"run_id": "r", "model": model, "window": 800, "bin_size": 8, "heads": {"x": tracks}}
    )
    torch.manual_seed(0)
    return save_tracks(folder, header, header.build())


def _read_track_model(path: Path) -> object:
    import torch

    from attendna.models.track_checkpoint import load_tracks

    header, model = load_tracks(path.parent)
    with torch.no_grad():
        return {
            head: model(torch.zeros((1, 800), dtype=torch.uint8), head).numpy()
            for head in header.heads
        }


def _learner(folder: Path) -> Path:
    import torch

    from attendna.models.learners.columns import learn
    from attendna.models.learners.learner_file import write_learner
    from attendna.models.learners.linear import RidgeConfig
    from attendna.prediction.transfer import TransferCheckpoint

    (folder / "backbone").mkdir()
    _label_model(CNN, folder / "backbone")
    header = TransferCheckpoint.model_validate(
        {
            "run_id": "r",
            "strands": "augment",
            "label_kind": "binary",
            "classes": ["no", "yes"],
            "input": {"shortest": 60, "longest": 60, "task": "t", "split_hash": "x"},
            "learner": {"name": "random_forest", "trees": 3},
            "backbone": "b",
            "reading": {},
            **CNN,
        }
    )
    torch.manual_seed(0)
    random = np.random.default_rng(0)
    from attendna.prediction.backbone import load_backbone
    from attendna.prediction.representations import Representations

    vectors = Representations(load_backbone(folder / "backbone", "cpu", "fp32"), header.reading)
    from attendna.genome.sequences import SequenceBatch

    features = vectors.of(SequenceBatch.from_text(_frame()["sequence"]))
    targets = random.integers(0, 2, (30, 1)).astype(np.float64)
    learned = learn(header.learner, features, targets, 2, seed=0, threads=1)
    del RidgeConfig
    return write_learner(folder, header.to_tree(), learned)


# ------------------------------------------------------------------------------ settings


def _recipe(name: str, folder: Path) -> Path:
    shutil.copy(ROOT / "recipes" / name, folder / name)
    return folder / name


def _read_settings(kind: str, path: Path) -> object:
    from attendna.training.pretraining.config import PretrainingConfig
    from attendna.training.run import RunConfig
    from attendna.training.tracks.config import TrackRunConfig, is_track_run

    kinds = {"run": RunConfig, "tracks": TrackRunConfig, "pretrain": PretrainingConfig}
    is_track_run(path)
    return kinds[kind].read(path).to_tree()


def _search_file(folder: Path) -> Path:
    for name in ("enhancer_attention.yaml", "classify.yaml"):
        _recipe(name, folder)
    return _recipe("tune_enhancer.yaml", folder)


def _read_search(path: Path) -> object:
    from attendna.training.tuning.search import Search

    return Search.read(path).to_tree()


def _study(folder: Path) -> Path:
    from attendna.studies.study import library

    path = sorted(library().values())[0]
    shutil.copy(path, folder / "study.yaml")
    return folder / "study.yaml"


def _read_study(path: Path) -> object:
    from attendna.studies.study import read_study

    study = read_study(path)
    study.check()
    return study.to_tree()


def _transfer_yaml(folder: Path) -> Path:
    path = folder / "transfer.yaml"
    path.write_text("run: x\nlearner: {name: random_forest, trees: 30}\nseed: 3\ntrials: 2\n")
    return path


def _read_transfer(path: Path) -> object:
    from attendna.core.config import parse, read_yaml
    from attendna.training.frozen import TransferConfig

    return parse(TransferConfig, read_yaml(path), path).to_tree()


# ------------------------------------------------------------------------------ run folders


def _train(folder: Path) -> Path:
    from tests.planted import plant

    from attendna.training.run import RunConfig
    from attendna.training.train import train

    plant(folder / "task", rows=(24, 12, 6))
    settings = {
        **CNN,
        "trainer": {
            "epochs": 1,
            "batch_size": 12,
            "threads": 1,
            "device": "cpu",
            "precision": "fp32",
        },
    }
    return train(
        RunConfig.model_validate(settings), folder / "task", folder / "run", progress=False
    )


def _run(name: str, folder: Path) -> Path:
    run = _train(folder)
    if name == "checkpoints/last.ckpt":
        (run / "model.safetensors").unlink()
    return run / name


def _resume(path: Path) -> object:
    from attendna.training.run import RunConfig
    from attendna.training.train import train

    folder = path.parents[2]
    run = folder / "run"
    (run / "model.safetensors").unlink(missing_ok=True)
    train(RunConfig.read(run / "run.yaml"), folder / "task", run, resume=True, progress=False)
    return (run / "model.safetensors").read_bytes()


def _read_run(path: Path) -> object:
    from attendna.report.run import Run
    from attendna.training.run import RunFolder

    run = Run(path.parent)
    of = RunFolder(path.parent)
    return (
        run.log, run.metrics, run.environment, run.search, run.config, of.summary(),
        {split: (e.ids, e.sample.labels) for split, e in run.evaluated("planted").items()},
    )  # fmt: skip


def _pickled(content: bytes, random: Generator) -> bytes:
    """Of torch's zip of parts one is changed, and the zip is whole."""
    import io

    read, made = zipfile.ZipFile(io.BytesIO(content)), io.BytesIO()
    names = read.namelist()
    chosen = names[int(random.integers(len(names)))] if random.random() < 0.5 else names[0]
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as out:
        for name in names:
            part = read.read(name)
            out.writestr(name, mutations.mutate(part, random) if name == chosen else part)
    return made.getvalue()


# ------------------------------------------------------------------------------ all

JSON, YAML, HEADER = (mutations.change_json,), (mutations.change_yaml,), (mutations.change_header,)

KINDS: dict[str, Kind] = {
    "fasta": Kind(partial(_genome, "fa"), _read_genome, ends=False),
    "fasta.gz": Kind(partial(_genome, "fa.gz"), _read_genome, inner=(_under_gzip,)),
    "fasta.bgz": Kind(_bgzip_genome, _read_genome, cut=_between_blocks),
    "2bit": Kind(partial(_genome, "2bit"), _read_genome),
    "bigwig": Kind(_big_wig, _read_signal),
    "bed": Kind(_write("a.bed", _rows(6)), _intervals, ends=False),
    "bed.gz": Kind(_write("a.bed.gz", _blocks(_rows(6))), _intervals, cut=_between_blocks),
    "narrowpeak": Kind(_write("a.narrowPeak", _rows(10)), _peaks, ends=False),
    "narrowpeak.gz": Kind(
        _write("a.narrowPeak.gz", gzip.compress(_rows(10))), _peaks, inner=(_under_gzip,)
    ),
    "gtf": Kind(_write("a.gtf", GTF), _sites, ends=False),
    "bedmethyl": Kind(_write("a.bed", METHYL), _calls, ends=False),
    "bismark": Kind(_write("a.cov", BISMARK), _calls, ends=False),
    "genes": Kind(_write("a.csv", GENES.encode()), _sites, ends=False),
    "expression": Kind(_write("a.tsv", MATRIX.encode()), _expression, ends=False),
    "mpra": Kind(_write("a.tsv", MPRA.encode()), _mutagenesis, ends=False),
    "vcf": Kind(_write("a.vcf", VCF), _variants, ends=False),
    "vcf.gz": Kind(_write("a.vcf.gz", _blocks(VCF)), _variants, cut=_between_blocks),
    "targets": Kind(_write("targets.txt", TARGETS), _targets, ends=False),
    "pairs": Kind(_write("a.csv", b"kmer1,kmer2\nACG,ACT\nAA,AC\nTTT,TTA\n"), _pairs, ends=False),
    "sequences.fa": Kind(_write("a.fa", FASTA), _fasta_table, ends=False),
    "sequences.fa.gz": Kind(_write("a.fa.gz", _blocks(FASTA)), _fasta_table, cut=_between_blocks),
    "csv": Kind(_write("a.csv", lambda: _csv(",")), _import, ends=False),
    "tsv.gz": Kind(
        _write("a.tsv.gz", lambda: gzip.compress(_csv("\t"))), _import, inner=(_under_gzip,)
    ),
    "parquet": Kind(_write("a.parquet", _parquet), _import),
    "task.parquet": Kind(partial(_task, "train.parquet"), _read_task),
    "task.yaml": Kind(partial(_task, "task.yaml"), _read_task, ends=False, inner=YAML),
    "tracks.yaml": Kind(
        partial(_track_task, "task.yaml"), _read_track_task, ends=False, inner=YAML
    ),
    "tracks.parquet": Kind(partial(_track_task, "train.parquet"), _read_track_task),
    "tracks.targets": Kind(partial(_track_task, "targets.parquet"), _read_track_task),
    "zarr.json": Kind(
        partial(_track_task, "train.zarr/target/zarr.json"), _read_track_task, inner=JSON
    ),
    "zarr.group": Kind(partial(_track_task, "train.zarr/zarr.json"), _read_track_task, inner=JSON),
    "zarr.chunk": Kind(partial(_track_task, "train.zarr/target/c.1.0.0"), _read_track_task),
    "zarr.codes": Kind(partial(_track_task, "train.zarr/sequence/c.1.0"), _read_track_task),
    "tfrecord": Kind(_plain_records, _read_records),
    "tfrecord.zlib": Kind(
        partial(_records, "tfrecords/train-0.tfr"), _read_records, inner=(_under_zlib,)
    ),
    "statistics.json": Kind(partial(_records, "statistics.json"), _read_records, inner=JSON),
    "npy": Kind(_write("a.npy", _vectors_npy), _vectors),
    "npy.gz": Kind(
        _write("a.npy.gz", lambda: gzip.compress(_vectors_npy())), _vectors, inner=(_under_gzip,)
    ),
    "w2v": Kind(_write("a.w2v", _vectors_text), _vectors, ends=False),
    "w2v.bin": Kind(_write("a.bin", _vectors_binary), _vectors),
    "tokenizer.json": Kind(_write("tokenizer.json", _tokenizer_json), _vocabulary, inner=JSON),
    "hf.config": Kind(partial(_huggingface, "config.json"), _read_huggingface, inner=JSON),
    "hf.vocab": Kind(partial(_huggingface, "vocab.txt"), _read_huggingface),
    "hf.tokenizer": Kind(partial(_huggingface, "tokenizer.json"), _read_huggingface, inner=JSON),
    "hf.safetensors": Kind(partial(_huggingface, "model.safetensors"), _read_huggingface),
    "hf.index": Kind(
        partial(_huggingface, "model.safetensors.index.json"), _read_huggingface, inner=JSON
    ),
    "hf.bin": Kind(
        partial(_huggingface, "pytorch_model.bin"), _read_huggingface, inner=(_pickled,)
    ),
    "port.safetensors": Kind(partial(_port_file, "safetensors"), _port),
    "port.bin": Kind(partial(_port_file, "bin"), _port, inner=(_pickled,)),
    "jaspar": Kind(_write("a.jaspar", JASPAR), _motifs, ends=False),
    "meme": Kind(_write("a.meme", MEME), _motifs, ends=False),
    "model": Kind(partial(_label_model, CNN), _predict, inner=HEADER),
    "model.encoder": Kind(partial(_label_model, ENCODER), _predict, inner=HEADER),
    "model.ensemble": Kind(partial(_label_model, ENSEMBLE), _predict, inner=HEADER),
    "model.language": Kind(_language_model, _read_language, inner=HEADER),
    "model.tracks": Kind(_track_model, _read_track_model, inner=HEADER),
    "learner": Kind(_learner, _predict, inner=HEADER),
    **{
        f"recipe.{name}": Kind(
            partial(_recipe, f"{name}.yaml"), partial(_read_settings, kind), ends=False, inner=YAML
        )
        for name, kind in {
            "classify": "run",
            "enhancer_attention": "run",
            "pretrain_small": "pretrain",
            "s_enformer_small": "tracks",
        }.items()
    },
    "tune.yaml": Kind(_search_file, _read_search, ends=False, inner=YAML),
    "study.yaml": Kind(_study, _read_study, ends=False, inner=YAML),
    "transfer.yaml": Kind(_transfer_yaml, _read_transfer, ends=False, inner=YAML),
    "last.ckpt": Kind(
        partial(_run, "checkpoints/last.ckpt"), _resume, inner=(_pickled,), trained=True
    ),
    "log.csv": Kind(partial(_run, "log.csv"), _read_run, ends=False, trained=True),
    "metrics.json": Kind(partial(_run, "metrics.json"), _read_run, inner=JSON, trained=True),
    "environment.json": Kind(
        partial(_run, "environment.json"), _read_run, inner=JSON, trained=True
    ),
    "run.yaml": Kind(partial(_run, "run.yaml"), _read_run, ends=False, inner=YAML, trained=True),
    "predictions.parquet": Kind(partial(_run, "predictions.parquet"), _read_run, trained=True),
}

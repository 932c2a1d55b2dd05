"""``attendna doctor``: what this machine offers and what is missing."""

import os
import platform
import re
import shutil
import tempfile
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from packaging.markers import Marker
from packaging.requirements import Requirement

from attendna.cli.options import Json
from attendna.cli.output import console, print_json, say

GIVES = {
    "bpe": "attendna tokens train-bpe, and models that read its words",
    "cluster": "data build --engine ray",
    "fast": "encoding and k-mers at the speed of memory",
    "dna2vec": "attendna tokens train-dna2vec",
    "huggingface": "checkpoints of the BERT family, such as DNABERT",
    "lora": "fine-tuning by low-rank adapters",
    "motifs": "interpret motifs: matching, and the motifs of JASPAR",
    "signal": "bigWig files",
    "tracks": "tasks of tracks: TFRecords and Zarr",
    "trees": "transfer by gradient-boosted trees (XGBoost)",
    "tune": "attendna tune",
    "twobit": ".2bit genomes",
    "umap": "interpret embeddings --projection umap",
    "test": "make test",
    "check": "make check",
}
"""What each extra is for, by its name in pyproject.toml."""

SHOWN = (
    "torch", "lightning", "numpy", "polars", "pyarrow", "scikit-learn", "scipy", "pydantic",
    "safetensors", "plotly",
)  # fmt: skip
"""Packages whose versions matter when two machines disagree."""

FEATURES = ("avx2", "avx512f", "avx512_bf16", "amx_bf16", "amx_int8")
"""Instructions that decide how fast a model is computed, as Linux calls them."""


def doctor(
    *,
    deep: Annotated[
        bool, typer.Option("--deep", help="Read the cached genomes whole, to find damage.")
    ] = False,
    json: Json = False,
) -> None:
    """Print what this machine offers: device, processor, memory, versions, and what is missing."""
    found = examine()
    damaged = _damaged() if deep else []
    if deep:
        found["damaged"] = damaged
    if json:
        print_json(found)
    else:
        show(found)
    for folder in damaged:
        say(f"{folder} is damaged; delete it, it is made again when it is needed")
    if damaged:
        raise typer.Exit(2)
    if deep and not json:
        say("every genome in the cache is as it was written")


def _damaged() -> list[Path]:
    from attendna.genome.code_cache import damaged_caches

    return damaged_caches()


def examine() -> dict[str, Any]:
    """Everything the doctor knows, as plain values."""
    import attendna

    return {
        "attendna": attendna.__version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "device": _device(),
        "processor": _processor(),
        "memory": _memory(),
        "disk": {"here": _free(Path.cwd()), "temporary": _free(Path(tempfile.gettempdir()))},
        "allocator": _allocator(),
        "packages": {name: _version(name) for name in SHOWN},
        "extras": _extras(),
    }


def _device() -> dict[str, Any]:
    """What a model would be computed on, and how precisely, if nothing is asked for."""
    import torch

    from attendna.prediction.device import choose_device, choose_precision, describe

    device = choose_device()
    found: dict[str, Any] = {
        "name": str(device),
        "description": describe(device),
        "precision": choose_precision("auto", device),
        "cuda_build": torch.version.cuda,
        "gpus": [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())],
    }
    if device.type == "cuda":
        found["memory_bytes"] = torch.cuda.get_device_properties(device).total_memory
    return found


def _processor() -> dict[str, Any]:
    import psutil
    import torch

    from attendna.models.hardware import bf16_is_fast, bf16_setting
    from attendna.prediction.device import processor_name

    flags = re.search(r"^flags\s*:(.*)$", _read(Path("/proc/cpuinfo")), re.MULTILINE)
    known = flags[1].split() if flags else []
    allowed = getattr(os, "sched_getaffinity", None)
    return {
        "name": processor_name(),
        "cores": psutil.cpu_count(logical=False),
        "logical_cores": psutil.cpu_count(),
        "usable_cores": len(allowed(0)) if allowed else psutil.cpu_count(),
        "threads": torch.get_num_threads(),
        "load": psutil.getloadavg()[0],
        "features": {name: name in known for name in FEATURES},
        "bf16_hardware": bf16_is_fast(torch.device("cpu")),
        "bf16_setting": bf16_setting(),
    }


def _memory() -> dict[str, Any]:
    import psutil

    memory = psutil.virtual_memory()
    limits = [
        Path("/sys/fs/cgroup/memory.max"),
        Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
    ]
    limit = next((int(text) for path in limits if (text := _read(path)).isdigit()), memory.total)
    return {
        "total_bytes": memory.total,
        "available_bytes": memory.available,
        "limit_bytes": min(limit, memory.total),
    }


def _free(folder: Path) -> dict[str, Any]:
    return {"folder": str(folder), "free_bytes": shutil.disk_usage(folder).free}


def _allocator() -> dict[str, Any]:
    """Who hands out memory, by which settings, in which pages."""
    from attendna.core.memory import preloaded_allocator, user_settings

    pages = re.search(r"\[(\w+)\]", _read(Path("/sys/kernel/mm/transparent_hugepage/enabled")))
    return {
        "name": preloaded_allocator() or f"{platform.libc_ver()[0] or 'system'} malloc",
        "settings": user_settings(),
        "transparent_huge_pages": pages[1] if pages else None,
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _extras() -> dict[str, Any]:
    """Of each extra: what it gives, what is missing of it, how to install it."""
    found: dict[str, Any] = {}
    for text in requires("attendna") or ():
        requirement = Requirement(text)
        extra = re.search(r"extra == ['\"]([\w-]+)['\"]", text)
        # Some packages go by another name on other systems.
        if not extra or not cast(Marker, requirement.marker).evaluate({"extra": extra[1]}):
            continue
        entry = found.setdefault(
            extra[1],
            {
                "gives": GIVES.get(extra[1], ""),
                "missing": [],
                "install": f"pip install 'attendna[{extra[1]}]'",
            },
        )
        if _version(requirement.name) is None:
            entry["missing"].append(requirement.name)
    return found


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def show(found: dict[str, Any]) -> None:
    """Print what was found, a line each, and advice at the end."""
    from rich.table import Table

    processor, device, memory = found["processor"], found["device"], found["memory"]
    features = [name for name, there in processor["features"].items() if there]
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    rows = {
        "attendna": f"{found['attendna']}, Python {found['python']}, {found['system']}",
        "device": f"{device['name']} ({device['description']}), precision {device['precision']}",
        "processor": f"{processor['name']}, {processor['usable_cores']} of "
        f"{processor['logical_cores']} cores usable, {processor['threads']} threads, "
        f"load {processor['load']:.1f}",
        "features": ", ".join(features) or "none that matters",
        "memory": f"{_gib(memory['available_bytes'])} available of {_gib(memory['limit_bytes'])}",
        "disk": ", ".join(
            f"{_gib(place['free_bytes'])} free in {place['folder']}"
            for place in found["disk"].values()
        ),
        "allocator": _spell_allocator(found["allocator"]),
        "packages": ", ".join(f"{name} {v or 'missing'}" for name, v in found["packages"].items()),
    }
    for name, extra in found["extras"].items():
        state = f"missing {', '.join(extra['missing'])}: {extra['install']}"
        rows[f"extra {name}"] = f"{extra['gives']}; {state if extra['missing'] else 'installed'}"
    for name, value in rows.items():
        table.add_row(name, value)
    out = console()
    out.print(table)
    for line in advice(found):
        out.print(f"- {line}")


def _spell_allocator(found: dict[str, Any]) -> str:
    # core.memory.keep_freed_memory leaves other allocators and the user's settings alone.
    plain = found["name"] == "glibc malloc" and not found["settings"]
    kept = "training keeps freed memory" if plain else "left as it is"
    settings = f" with {', '.join(found['settings'])}" if found["settings"] else ""
    pages = found["transparent_huge_pages"] or "unknown"
    return f"{found['name']}{settings}, {kept}; transparent huge pages {pages}"


def advice(found: dict[str, Any]) -> list[str]:
    """What would make work on this machine faster or safer, a line each."""
    processor, device = found["processor"], found["device"]
    lines: list[str] = []
    if processor["bf16_setting"]:
        lines.append(
            f"ATTENDNA_BF16={processor['bf16_setting']}: the units for bf16 are taken from it, "
            "not from the hardware"
        )
    if device["name"] == "cpu":
        if not processor["bf16_hardware"] and not processor["bf16_setting"]:
            lines.append("the processor has no bf16 matrix units: models are computed in fp32")
        if device["cuda_build"] is None and shutil.which("nvidia-smi"):
            lines.append("there is an NVIDIA driver but this torch has no CUDA: see README, GPU")
        if processor["load"] > processor["usable_cores"]:
            lines.append(
                "other programs keep the cores busy: set OMP_WAIT_POLICY=passive, or use one thread"
            )
    if found["memory"]["available_bytes"] < 2 * _GIB:
        lines.append("less than 2 GiB of memory is free: use a smaller trainer.batch_size")
    lines += [
        f"less than 1 GiB is free in {place['folder']}: make space before fetching data"
        for place in found["disk"].values()
        if place["free_bytes"] < _GIB
    ]
    return lines


_GIB = 1 << 30


def _gib(count: int) -> str:
    return f"{count / _GIB:.1f} GiB"

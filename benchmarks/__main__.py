"""Run the benchmarks and print their tables: ``python -m benchmarks [NAME ...] [--quick]``."""

import argparse
import os
import pkgutil
import platform
from importlib import import_module
from pathlib import Path

from rich.console import Console
from rich.table import Table

import benchmarks


def available() -> list[str]:
    """Names of the modules here that can be run."""
    names = [module.name for module in pkgutil.iter_modules(benchmarks.__path__)]
    return [name for name in names if name not in {"__main__", "measure"}]


def machine() -> str:
    """One line naming the processor, how much of it is ours, and the versions that matter."""
    import numpy as np
    import torch

    processor = platform.processor() or platform.machine()
    try:
        with Path("/proc/cpuinfo").open() as stream:
            named = [line.partition(":")[2].strip() for line in stream if "model name" in line]
        processor = named[0] if named else processor
    except OSError:
        pass
    gpu = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    load = os.getloadavg()[0]
    return (
        f"{processor}, {os.cpu_count()} cores (load {load:.1f}){gpu}, {torch.get_num_threads()} "
        f"torch threads, Python {platform.python_version()}, torch {torch.__version__}, "
        f"NumPy {np.__version__}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(available()))
    parser.add_argument("--quick", action="store_true", help="smaller inputs, fewer repeats")
    options = parser.parse_args()
    unknown = set(options.names) - set(available())
    if unknown:
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; known: {', '.join(available())}")
    console = Console()
    if not console.is_terminal:
        console = Console(width=120)
    console.print(machine(), highlight=False)
    for name in options.names or available():
        result = import_module(f"benchmarks.{name}").run(options.quick)
        for table in [result] if isinstance(result, Table) else result:
            console.print()
            console.print(table)


if __name__ == "__main__":
    main()

"""Many damaged files of one kind, read one after the other in a process that may die of one."""

import contextlib
import hashlib
import json
import os
import resource
import selectors
import subprocess
import sys
import tempfile
import traceback
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from tests.damage import mutations
from tests.damage.kinds import KINDS, Kind

OUTCOMES = ("refused", "read", "short", "foreign", "crashed", "hung")
"""What becomes of a damaged file. ``short``: its end is missing, and it was read as another whole
file. ``foreign``: an error that is none of ours."""

HARM = ("short", "foreign", "crashed", "hung")
SECONDS = 60
"""After which a file counts as hung."""


def digest(value: Any) -> str:
    """The same text for the same content, whatever it is."""
    found = hashlib.sha256()

    def add(part: Any) -> None:
        if isinstance(part, pl.DataFrame):
            add({name: part[name].to_list() for name in part.columns})
        elif isinstance(part, np.ndarray):
            found.update(
                f"{part.dtype}{part.shape}".encode() + np.ascontiguousarray(part).tobytes()
            )
        elif isinstance(part, dict):
            for key, inner in part.items():
                found.update(repr(key).encode())
                add(inner)
        elif isinstance(part, list | tuple):
            found.update(f"[{len(part)}".encode())
            for inner in part:
                add(inner)
        elif hasattr(part, "numpy"):
            add(part.numpy())
        else:
            found.update(part if isinstance(part, bytes) else repr(part).encode())

    add(value)
    return found.hexdigest()


def damaged(kind: Kind, content: bytes, seed: int, number: int) -> tuple[bytes, bool]:
    """The file of a number, and whether nothing but its end is missing."""
    random = np.random.default_rng([seed, number])
    way = random.random()
    if way < 0.25:
        cut = kind.cut if random.random() < 0.5 else mutations.truncate
        return cut(content, random), True
    if kind.inner and way < 0.75:
        return kind.inner[int(random.integers(len(kind.inner)))](content, random), False
    return mutations.mutate(content, random), False


def judge(kind: Kind, path: Path, content: bytes, whole: str, *, cut: bool) -> tuple[str, str]:
    """What becomes of a file, and what is said of it."""
    from attendna.core.errors import UserError

    path.write_bytes(content)
    try:
        found = kind.read(path)
    except UserError as error:
        return "refused", str(error)
    except BaseException as error:  # noqa: BLE001 - panics of Rust are no Exceptions
        frames = traceback.extract_tb(error.__traceback__)
        where = next((f for f in reversed(frames) if "attendna" in f.filename), frames[-1])
        place = f"{Path(where.filename).name}:{where.lineno}"
        return "foreign", f"{place} {type(error).__name__}: {str(error)[:150]}"
    if cut and kind.ends and digest(found) != whole:
        return "short", f"{len(content)} bytes"
    return "read", ""


def work(packed: str) -> None:
    """Read files from a number on; a line of JSON before and after each goes to standard output."""
    name, folder, seed, first, count, memory = json.loads(packed)
    out = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    warnings.simplefilter("ignore")
    kind = KINDS[name]
    with tempfile.TemporaryDirectory(dir=folder) as place:
        os.environ["ATTENDNA_CACHE"] = f"{place}/cache"
        (Path(place) / "files").mkdir()
        path = kind.make(Path(place) / "files")
        content = path.read_bytes()
        whole = digest(kind.read(path))
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        print("ready", file=out, flush=True)
        for number in range(first, count):
            print(json.dumps([number]), file=out, flush=True)
            changed, cut = damaged(kind, content, seed, number)
            outcome, told = judge(kind, path, changed, whole, cut=cut)
            print(json.dumps([number, outcome, told]), file=out, flush=True)


class Campaign:
    """All damaged files of a kind."""

    def __init__(
        self, name: str, count: int, seed: int, gigabytes: float, keep: Path | None = None
    ) -> None:
        self.name = name
        self.count = count
        self.seed = seed
        self.memory = int(gigabytes * (1 << 30))
        self.keep = keep
        self.found: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.first: dict[str, int] = {}

    @property
    def harm(self) -> int:
        return sum(self.found[name] for name in HARM)

    @property
    def told(self) -> list[str]:
        """What did harm, the most frequent first."""
        return [f"\n    {n} x #{self.first[r]} {r}" for r, n in self.reasons.most_common(12)]

    def cells(self) -> list[str]:
        ends = KINDS[self.name].ends
        return ["-" if n == "short" and not ends else str(self.found[n]) for n in OUTCOMES]

    def run(self) -> None:
        """Read them all; a process that dies is followed by another."""
        with tempfile.TemporaryDirectory() as folder:
            number = 0
            while number < self.count:
                number = self._part(folder, number)

    def _part(self, folder: str, first: int) -> int:
        packed = json.dumps([self.name, folder, self.seed, first, self.count, self.memory])
        command = [sys.executable, "-m", "tests.damage", "--work", packed]
        environment = os.environ | {"OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1"}
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as child:
            at, reason = self._listen(child)
            child.kill()
        if at is None:
            raise RuntimeError(f"{self.name}: the whole file is not read ({reason})")
        if at < self.count:
            outcome = "hung" if reason == "hung" else "crashed"
            self._count(at, outcome, reason)
        return at + 1

    def _listen(self, child: "subprocess.Popen[str]") -> tuple[int | None, str]:
        """The number that was not come back from, and why."""
        at: int | None = None
        assert child.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(child.stdout, selectors.EVENT_READ)
            while True:
                if not selector.select(timeout=SECONDS if at is not None else 300):
                    return at, "hung"
                line = child.stdout.readline()
                if not line:
                    code = child.wait()
                    return (self.count if code == 0 else at), f"exit {code}"
                if not line.startswith("["):
                    continue
                at, *rest = json.loads(line)
                if rest:
                    self._count(at, *rest)

    def _count(self, number: int, outcome: str, reason: str) -> None:
        self.found[outcome] += 1
        if outcome not in HARM:
            return
        reason = f"{outcome}: {reason}" if outcome != "short" else outcome
        if reason not in self.reasons:
            self.first[reason] = number
            self._keep(number, outcome)
        self.reasons[reason] += 1

    def _keep(self, number: int, outcome: str) -> None:
        if self.keep is None:
            return
        self.keep.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as folder, contextlib.suppress(OSError):
            path = KINDS[self.name].make(Path(folder))
            content, _ = damaged(KINDS[self.name], path.read_bytes(), self.seed, number)
            (self.keep / f"{self.name}-{outcome}-{number}-{path.name}").write_bytes(content)

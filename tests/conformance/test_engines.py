"""Whatever takes an engine makes the same with processes of this machine and with Ray."""

import hashlib
import logging
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from tests.conformance.test_builders import CONTIGS, LENGTH, RECIPES, genome_of
from tests.tasks.track_folders import write_records

from attendna.cli.main import app, run
from attendna.core.config import to_yaml
from attendna.core.execution import Execution
from attendna.tasks.store import Task

ray = pytest.importorskip("ray")


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    """One Ray for all of this file: it takes seconds to start."""
    answer = signal.getsignal(signal.SIGTERM)
    ray.init(num_cpus=2, log_to_driver=False, logging_level=logging.ERROR, include_dashboard=False)
    signal.signal(signal.SIGTERM, answer)
    yield
    ray.shutdown()
    signal.signal(signal.SIGTERM, answer)


def multiply(number: int, factor: int) -> int:
    return number * factor


@dataclass(frozen=True)
class Adder:
    summand: int

    def __call__(self, number: int) -> int:
        return number + self.summand

    def add(self, number: int) -> int:
        return self(number)


@pytest.mark.parametrize(
    ("work", "results"),
    [
        (partial(multiply, factor=3), [0, 3, 6]),
        (Adder(5), [5, 6, 7]),
        (Adder(5).add, [5, 6, 7]),
        (abs, [0, 1, 2]),
        (str, ["0", "1", "2"]),
    ],
)
def test_any_work_that_can_be_pickled_is_done(work: Any, results: list[Any]) -> None:
    assert list(Execution(engine="ray", workers=2).map(work, range(3))) == results


def record_tracks(folder: Path, genome: Path) -> list[str]:
    write_records(folder / "records")
    return ["--records", str(folder / "records")]


def signal_tracks(folder: Path, genome: Path) -> list[str]:
    pybigtools = pytest.importorskip("pybigtools")
    random = np.random.default_rng(1)
    writer = pybigtools.open(str(folder / "a.bw"), "w")
    rows = [
        (name, at, at + 10, float(random.random()))
        for name in CONTIGS
        for at in range(0, LENGTH, 10)
    ]
    writer.write(dict.fromkeys(CONTIGS, LENGTH), iter(rows))
    (folder / "targets.txt").write_text(
        "index\tidentifier\tfile\tdescription\n0\ta\ta.bw\tCAGE:a\n"
    )
    shape = ["--window", "512", "--stride", "512", "--bin-size", "32", "--genome", str(genome)]
    shape += ["--no-data", "zero", "--crop", "0"]
    chromosomes = ["--valid", "chr7", "--test", "chr8"]
    return ["--targets", str(folder / "targets.txt"), *shape, *chromosomes]


BUILDS = RECIPES | {"tracks": record_tracks, "tracks from signal": signal_tracks}


def contents(folder: Path) -> dict[str, str]:
    """The digest of every file that holds rows."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix not in (".yaml", ".json", ".html")
    }


@pytest.mark.parametrize("name", sorted(BUILDS))
def test_every_builder_makes_the_same_on_ray(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    genome = genome_of(tmp_path)
    words = ["data", "build", name.split(maxsplit=1)[0]]
    given = BUILDS[name](tmp_path, genome)
    if name != "tracks" and "--genome" not in given:
        given += ["--genome", str(genome)]
    for engine in ("local", "ray"):
        where = ["--out", str(tmp_path / engine / "task"), "--engine", engine]
        assert run([*words, *given, *where]) == 0, capsys.readouterr().err
    local, on_ray = (contents(tmp_path / engine / "task") for engine in ("local", "ray"))
    assert local
    assert on_ray == local


def test_every_verb_that_takes_an_engine_is_tried_here() -> None:
    def verbs(command: Any, path: str) -> Iterator[str]:
        for name in command.list_commands(None) if hasattr(command, "list_commands") else ():
            yield from verbs(command.get_command(None, name), f"{path} {name}".strip())
        if any("--engine" in option.opts for option in command.params):
            yield path

    found = set(verbs(typer.main.get_command(app), ""))
    assert found == {f"data build {name.split()[0]}" for name in BUILDS} | {"study run"}


@pytest.mark.slow
def test_a_study_makes_the_same_on_ray(
    study_tree: dict[str, Any], planted: Task, tmp_path: Path
) -> None:
    del study_tree["axes"]["width"][1:]
    study_tree |= {"seeds": [3], "paper": {}}
    study_tree["base"]["trainer"] |= {"epochs": 1, "batch_size": 128}
    (tmp_path / "study.yaml").write_text(to_yaml(study_tree))
    words = ["study", "run", str(tmp_path / "study.yaml"), "--data", str(planted.folder)]
    for engine in ("local", "ray"):
        assert run([*words, "--out", str(tmp_path / engine), "--engine", engine]) == 0
    model = "runs/Planted/narrow/3/model.safetensors"
    assert (tmp_path / "ray" / model).read_bytes() == (tmp_path / "local" / model).read_bytes()

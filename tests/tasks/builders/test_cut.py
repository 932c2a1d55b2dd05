"""Windows cut chromosome by chromosome."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from attendna.core.execution import Execution
from attendna.genome.reference import open_reference
from attendna.tasks.builders import cut as module
from attendna.tasks.builders.cut import cut


@pytest.fixture
def genome(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    path = tmp_path / "genome.fa"
    contigs = [("chr1", 900), ("chr2", 500), ("chrX", 300)]
    path.write_text(
        "".join(f">{name}\n{''.join(random.choice(list('ACGT'), n))}\n" for name, n in contigs)
    )
    return path


def test_processes_give_what_one_gives(genome: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_ROWS", 7)
    random = np.random.default_rng(1)
    start = random.integers(-40, 900, 60)
    frame = pl.DataFrame(
        {
            "chrom": random.choice(["chr1", "chr2", "chrX", "chr9"], 60),
            "start": start,
            "end": start + 50,
            "strand": random.choice(["+", "-"], 60),
        }
    )
    reference = open_reference(genome)
    one = cut(reference, frame, Execution(), edge="drop")
    assert one.missing > 0
    assert one.dropped > 0
    many = cut(reference, frame, Execution(workers=2), edge="drop")
    assert many.rows.tolist() == one.rows.tolist()
    assert many.sequences.to_text() == one.sequences.to_text()
    assert (many.missing, many.dropped, many.padded) == (one.missing, one.dropped, one.padded)

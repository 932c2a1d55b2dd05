"""What every test stands on: shapes enforced, real data found, arithmetic repeatable."""

import os
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from jaxtyping import install_import_hook
from tests import type_checks
from tests.nursery import nursery
from tests.studied import studied, study_tree
from tests.trained import light, planted, runs

__all__ = ["light", "nursery", "planted", "runs", "studied", "study_tree"]

# Waiting threads that spin steal the cores from the tests that work; read when torch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

# Every annotated shape and type of attendna is checked at each call. Only modules imported from now
# on are instrumented, so nothing of attendna may have been imported before.
if any(name.partition(".")[0] == "attendna" for name in sys.modules):
    raise RuntimeError("attendna was imported before tests/conftest.py: its shapes go unchecked")
install_import_hook("attendna", f"{type_checks.__name__}.check")

# A shared machine makes any single example late now and then; that is no failure.
settings.register_profile(
    "attendna", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("attendna")

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real genomic data; the test is skipped where it is absent."""
    root = Path(os.environ.get("ATTENDNA_SHARED", REPOSITORY.parent / "shared"))
    data = root / "data"
    if not (data / "MANIFEST.tsv").is_file():
        pytest.skip(f"no real data at {data}: set ATTENDNA_SHARED to the folder that holds data/")
    return data


@pytest.fixture(autouse=True)
def repeatable_torch() -> None:
    """One thread, a fixed seed and deterministic kernels, for tests that loaded torch."""
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)
        torch.manual_seed(0)
        torch.use_deterministic_algorithms(True)

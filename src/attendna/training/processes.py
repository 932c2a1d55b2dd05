"""Several processes that train one model: which one this is, and waiting for the first."""

import os
import time
from pathlib import Path

from attendna.core.errors import ConfigError, ResourceError


def process_rank() -> int:
    """Number of this process among those of one training, as its launcher says."""
    for name in ("RANK", "SLURM_PROCID", "LOCAL_RANK"):
        if os.environ.get(name, "").isdigit():
            return int(os.environ[name])
    return 0


def refuse_launched(processes: int) -> None:
    """Refuse to be one of more processes than the training has, all of which would do the same.

    Raises
    ------
    ConfigError
        torchrun started another number of processes.
    """
    launched = os.environ.get("WORLD_SIZE", "")
    if "TORCHELASTIC_RUN_ID" in os.environ and launched.isdigit() and int(launched) != processes:
        raise ConfigError(
            f"torchrun started {launched} processes, and {processes} "
            + ("trains this model" if processes == 1 else "train this model"),
            "start attendna without torchrun; models of tracks and of language train in as many as "
            "trainer.devices times trainer.nodes says",
        )


def wait_for(path: Path, seconds: float = 300.0) -> None:
    """Wait until another process has made a file.

    Raises
    ------
    ResourceError
        It did not.
    """
    end = time.monotonic() + seconds
    while not path.is_file():
        if time.monotonic() > end:
            raise ResourceError(f"{path} was not made by the first process", "see what it said")
        time.sleep(0.1)

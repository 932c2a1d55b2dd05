"""Options that several verbs share, so that they read and behave the same everywhere."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]

Force = Annotated[bool, typer.Option("--force", help="Replace an older --out of the same kind.")]


def _set(example: str) -> Any:
    said = f"Change one setting, e.g. {example}; wins over everything in a file."
    return typer.Option("--set", metavar="KEY=VALUE", help=said)


Set = Annotated[list[str] | None, _set("model.width=64")]
SetTracks = Annotated[list[str] | None, _set("model.depth=4")]
SetLearner = Annotated[list[str] | None, _set("learner.leaf=4")]
SetGenome = Annotated[list[str] | None, _set("genes=200")]

Out = Annotated[Path, typer.Option("--out", help="Where to write; must not exist.")]

TaskFolder = Annotated[Path, typer.Option("--task", help="A task folder, as `data get` makes.")]

RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="A run folder, as `train` makes.")]

Source = Annotated[
    Path,
    typer.Argument(
        metavar="INPUT",
        help="Sequences: .fa, .csv, .tsv or .parquet, or .gz; or a task folder, its rows of "
        "--split.",
    ),
]

SplitOption = Annotated[
    Literal["train", "valid", "test"], typer.Option("--split", help="Which rows of the task.")
]

Device = Annotated[str, typer.Option("--device", help="auto, cpu, cuda or cuda:1.")]

Precision = Annotated[
    Literal["auto", "fp32", "bf16"],
    typer.Option(
        "--precision",
        help="Number format of matrix products: auto is the one the model was trained and chosen "
        "in, fp32 of models of others.",
    ),
]

FinePrecision = Annotated[
    Literal["auto", "fp32", "bf16"],
    typer.Option(
        "--precision",
        help="Number format of matrix products. Not the model's own (auto) by default: bf16 rounds "
        "away small differences between nearly equal numbers.",
    ),
]

OtherSplit = Annotated[
    bool,
    typer.Option("--other-split", help="Accept that the model may have seen the rows in training."),
]

Hub = Annotated[
    bool, typer.Option("--hub", help="Fetch a checkpoint from the Hugging Face hub if need be.")
]

AllowPickle = Annotated[
    bool,
    typer.Option("--allow-pickle", help="Read a checkpoint's numbers from a pickle, if trusted."),
]

Resamples = Annotated[
    int, typer.Option("--resamples", min=1, help="Bootstrap resamples behind each interval.")
]

LARGEST_SEED = (1 << 63) - 1

Seed = Annotated[
    int,
    typer.Option("--seed", min=0, max=LARGEST_SEED, help="Seed of everything drawn at random."),
]

TaskFolders = Annotated[
    list[str],
    typer.Option(
        "--task",
        metavar="DIR",
        help="A task folder, as `data get` and `data build` make. Models of tracks have a head for "
        "each: HEAD=DIR, again for every head.",
    ),
]


def words(given: list[str] | None, option: str) -> list[str]:
    """The values of an option that takes commas and repetition alike."""
    from attendna.core.config import comma_separated
    from attendna.core.errors import ConfigError

    try:
        return comma_separated(given or [])
    except ValueError as error:
        raise ConfigError(f"{option}: {error}", "write --help behind the command") from None


def whole_numbers(given: list[str] | None, option: str) -> list[int]:
    """Whole numbers of such an option: ``131072,196_608``."""
    from attendna.core.errors import ConfigError

    bare = [word.replace("_", "") for word in words(given, option)]
    for word in bare:
        if not word.isdecimal() or len(word) > 18:
            raise ConfigError(
                f"{option} {word} is no whole number", "write digits, with commas between numbers"
            )
    return [int(word) for word in bare]


def only_task(given: list[str]) -> Path:
    """The one task folder of a verb that takes no more."""
    from attendna.core.errors import ConfigError

    if not given:
        raise ConfigError("--task is missing", "name the task folder with --task")
    if len(given) > 1:
        raise ConfigError(f"--task is given {len(given)} times", "give one task folder")
    head, equals, folder = given[0].partition("=")
    if equals and head.isidentifier() and not Path(given[0]).exists() and Path(folder).is_dir():
        raise ConfigError(
            f"--task {given[0]} names the head of a model of tracks", "give one task of labels: DIR"
        )
    return Path(given[0])


def tasks_of_heads(given: list[str]) -> dict[str, Path]:
    """Of each head, the folder of its task; a folder alone is that of the head ``tracks``."""
    from attendna.core.errors import ConfigError

    found: dict[str, Path] = {}
    for text in given:
        head, equals, folder = text.partition("=")
        head, folder = (head, folder) if equals else ("tracks", text)
        if not head.isidentifier() or not folder:
            raise ConfigError(f"--task {text}: no head or no folder", "write HEAD=DIR")
        if head in found:
            raise ConfigError(f"--task {text}: a second task of {head}", "give one a head")
        found[head] = Path(folder)
    return found

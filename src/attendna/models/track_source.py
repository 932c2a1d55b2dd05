"""Where a model of tracks comes from: a run that trained one, or settings that describe one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import torch
from torch import nn

from attendna.core.config import Config, Tree, override, parse, read_yaml
from attendna.core.errors import ConfigError
from attendna.core.recipes import find_settings, recipes
from attendna.models.track_checkpoint import load_tracks
from attendna.models.track_model import AnyTrackModelConfig, TrackModel, TrackModelConfig

ENFORMER_TRACKS = {"human": 5313, "mouse": 1643}
"""Heads that settings are given which name none."""

SETTINGS = (".yaml", ".yml")


class _Described(Config):
    model: AnyTrackModelConfig


@dataclass(frozen=True, eq=False)
class TrackSource:
    """A model of tracks, trained or only described."""

    name: str
    config: TrackModelConfig
    tracks: Mapping[str, int]
    """Tracks of every head."""
    window: int | None = None
    """Bases that it was trained on; none where it was not."""
    trained: TrackModel | None = None

    @classmethod
    def open(
        cls,
        path: str | Path,
        *,
        tracks: Sequence[str] = (),
        assignments: Sequence[str] = (),
    ) -> Self:
        """Read a run folder, or a YAML file or recipe: settings of a model, or with a ``model``.

        Parameters
        ----------
        tracks
            ``HEAD=NUMBER`` for each head of a model that is only described; Enformer's if none.
        assignments
            ``model.KEY=VALUE`` settings to change of such a model.

        Raises
        ------
        FolderError
            It is a run of another kind, or damaged.
        ConfigError
            The settings are wrong.
        """
        path = Path(path)
        if not path.is_dir() and (path.suffix in SETTINGS or str(path) in recipes()):
            tree = read_yaml(find_settings(path))
            described: Tree = {"model": tree.get("model", tree)}
            config = parse(_Described, override(described, assignments), path).model
            return cls(path.stem, config, _counts(tracks) or ENFORMER_TRACKS)
        if tracks or assignments:
            option = "--tracks" if tracks else "--set"
            raise ConfigError(f"{path} is a run, which has its own settings", f"drop {option}")
        checkpoint, model = load_tracks(path)
        name = path.resolve().name
        return cls(name, checkpoint.model, model.tracks, checkpoint.window, model)

    def with_random_weights(self, seed: int) -> TrackModel:
        """A model of these settings with weights drawn by ``seed``, in evaluation mode.

        Every weight is drawn as in a fresh model, and the layers that a fresh model holds at zero
        (Enformer's attention outputs, without which no bin knows of another) as torch draws a
        linear layer.
        """
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            model = self.config.build(self.tracks)
            for layer in model.modules():
                if isinstance(layer, nn.Linear) and not layer.weight.any():
                    layer.reset_parameters()
        return model.eval()

    def choose_head(self, head: str | None) -> str:
        """The head of that name, the first if none is given.

        Raises
        ------
        ConfigError
            There is no such head.
        """
        if head is not None and head not in self.tracks:
            raise ConfigError(
                f"the model has no head {head!r}", f"choose one of {', '.join(self.tracks)}"
            )
        return head or next(iter(self.tracks))


def _counts(tracks: Sequence[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for word in tracks:
        head, _, number = word.partition("=")
        if not head.isidentifier() or not number.isdecimal() or not int(number):
            raise ConfigError(f"--tracks {word} is no head", "write HEAD=NUMBER, as human=5313")
        counts[head] = int(number)
    return counts

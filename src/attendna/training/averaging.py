"""The running average of a model's weights, which is what is validated and kept."""

import copy
from typing import Any, Generic, TypeVar

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor, nn

Network = TypeVar("Network", bound=nn.Module)

WARMUP = 10
"""As long as fewer steps than a few times this are done the average reaches back less far, so that
it does not remember the first weights."""


class WeightAverage(Callback, Generic[Network]):
    """An exponential moving average of the weights after each step, batch statistics included.

    Lightning's own averages a copy of the whole training module and swaps it in for its validation
    loop; this one averages the model alone and hands it out as ``model``.

    Parameters
    ----------
    model
        The model in training, on the device where it is trained.
    horizon
        Steps the average reaches back; at 1 or less it is the weights themselves.
    """

    def __init__(self, model: Network, horizon: float) -> None:
        self.horizon = max(1.0, horizon)
        self.model = copy.deepcopy(model).requires_grad_(False)
        self._steps = 0
        self._averages, self._currents = _numbers(self.model), _numbers(model)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, *_: Any, **__: Any
    ) -> None:
        """Take in the weights."""
        del pl_module
        self.update(trainer.global_step)

    @torch.no_grad()
    def update(self, steps: int) -> None:
        """Take in the weights as they are after ``steps`` steps; once only after each."""
        if steps == self._steps:
            return
        keep = min(1 - 1 / self.horizon, self._steps / (WARMUP + self._steps))
        torch._foreach_lerp_(self._averages, self._currents, 1 - keep)  # pyright: ignore[reportPrivateUsage, reportPrivateImportUsage]
        self._steps = steps

    def state_dict(self) -> dict[str, Any]:
        """The average, for the checkpoint."""
        return {"steps": self._steps, "weights": self.model.state_dict()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self._steps = state_dict["steps"]
        self.model.load_state_dict(state_dict["weights"])


def _numbers(model: nn.Module) -> list[Tensor]:
    """All that can be averaged in a model; what cannot, such as a counter, decides nothing."""
    tensors = [*model.parameters(), *model.buffers()]
    return [tensor.detach() for tensor in tensors if tensor.is_floating_point()]

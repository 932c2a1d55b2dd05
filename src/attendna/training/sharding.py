"""A model in shares: each process keeps its part of weights, gradients and the optimizer's state.

Source: Zhao et al. 2023, PyTorch FSDP; the second version of it, which shards parameter by
parameter.
"""

import torch
from torch import nn
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import fully_shard, register_fsdp_forward_method
from torch.distributed.tensor import DTensor


def shard(module: nn.Module, mesh: DeviceMesh) -> None:
    """Leave each process of a mesh its share of a module's parameters.

    The blocks of a stack are put together one at a time, when one is computed, and everything else
    for the whole of ``training_step``.
    """
    for part in module.modules():
        if isinstance(part, nn.ModuleList):
            for block in part:
                fully_shard(block, mesh=mesh)
    fully_shard(module, mesh=mesh)
    register_fsdp_forward_method(module, "training_step")


@torch.no_grad()
def gather(model: nn.Module, whole: nn.Module) -> None:
    """Bring a copy up to date that is not in shares; every process of the mesh has to take part."""
    targets = whole.state_dict()
    for name, value in model.state_dict().items():
        targets[name].copy_(value.full_tensor() if isinstance(value, DTensor) else value)

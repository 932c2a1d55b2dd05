"""Models in shares: each process keeps its part, and together they are the model."""

import copy
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh

from attendna.training.sharding import gather, shard

PROCESSES = 2


class Stack(nn.Module):
    """A stem, two blocks and a running mean; read by ``training_step`` only."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Linear(4, 8)
        self.blocks = nn.ModuleList(nn.Linear(8, 8) for _ in range(2))
        self.norm = nn.BatchNorm1d(8)

    def read(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for block in self.blocks:
            x = x + torch.tanh(block(x))
        return self.norm(x)

    def training_step(self, x: Tensor) -> Tensor:
        return self.read(x).square().mean()


def take_a_step(rank: int, folder: str) -> None:
    """What each process does, and writes down for the test to look at."""
    dist.init_process_group(
        "gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=PROCESSES
    )
    torch.manual_seed(0)
    model = Stack()
    whole = copy.deepcopy(model)
    shard(model, init_device_mesh("cpu", (PROCESSES,)))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    # Both have the same rows, so that the mean over processes is the gradient of one.
    x = torch.randn(16, 4, generator=torch.Generator().manual_seed(1))
    model.training_step(x).backward()
    optimizer.step()
    gather(model, whole)
    kept = sum(parameter.to_local().numel() for parameter in model.parameters())
    torch.save({"kept": kept, "whole": whole.state_dict()}, f"{folder}/{rank}.pt")
    dist.destroy_process_group()


@pytest.mark.slow
def test_shares_are_learned_as_the_whole_is(tmp_path: Path) -> None:
    mp.spawn(take_a_step, (str(tmp_path),), nprocs=PROCESSES)
    found = [torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(PROCESSES)]
    torch.manual_seed(0)
    alone = Stack()
    optimizer = torch.optim.SGD(alone.parameters(), lr=0.1)
    x = torch.randn(16, 4, generator=torch.Generator().manual_seed(1))
    alone.training_step(x).backward()
    optimizer.step()
    numbers = sum(parameter.numel() for parameter in alone.parameters())
    assert [part["kept"] for part in found] == [numbers // 2] * PROCESSES
    for part in found:
        assert part["whole"].keys() == alone.state_dict().keys()
        for name, value in alone.state_dict().items():
            torch.testing.assert_close(part["whole"][name], value)

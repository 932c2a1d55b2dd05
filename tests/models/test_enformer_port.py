"""Weights of the PyTorch port, and outputs equal to its own."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from attendna.core.config import parse
from attendna.core.errors import DataError
from attendna.models.enformer import EnformerConfig
from attendna.models.enformer_port import load_port

OURS = {
    "width": 96,
    "depth": 2,
    "stages": 5,
    "multiple": 8,
    "bins": 20,
    "attention": {"key_width": 16, "gamma_scale": "features"},
}


def config(**settings: object) -> EnformerConfig:
    return parse(EnformerConfig, OURS | settings, "test")


@pytest.fixture(scope="module")
def port() -> torch.nn.Module:
    package = pytest.importorskip("enformer_pytorch")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = package.Enformer.from_hparams(
            dim=96, depth=2, heads=8, attn_dim_key=16, output_heads={"human": 7, "mouse": 3},
            target_length=20, dim_divisible_by=8, num_downsamples=5,
        )  # fmt: skip
        with torch.no_grad():
            for value in model.parameters():
                value.add_(0.05 * torch.randn_like(value))
            for module in model.modules():
                if isinstance(module, torch.nn.BatchNorm1d):
                    module.running_mean.normal_()
                    module.running_var.uniform_(0.5, 2.0)
    return model.eval()


@pytest.fixture
def path(port: torch.nn.Module, tmp_path: Path) -> Path:
    torch.save(port.state_dict(), tmp_path / "port.pt")
    return tmp_path / "port.pt"


def test_outputs_are_the_ports(port: torch.nn.Module, path: Path) -> None:
    model = load_port(path, config()).eval()
    bases = torch.randint(0, 4, (2, 32 * 40), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = port(torch.nn.functional.one_hot(bases, 4).float())
        for head in ("human", "mouse"):
            read = model(bases.to(torch.uint8), head)
            torch.testing.assert_close(read, expected[head], atol=1e-4, rtol=0)


def test_sparse_attention_takes_them_too(path: Path) -> None:
    sparse = OURS["attention"] | {"sparse": {"block": 4}}
    one, other = (load_port(path, config(attention=a)).eval() for a in (OURS["attention"], sparse))
    assert one.state_dict().keys() == other.state_dict().keys()
    everything = OURS["attention"] | {"sparse": {"block": 4, "random": 100}}
    bases = torch.zeros(1, 32 * 40, dtype=torch.uint8)
    whole = load_port(path, config(attention=everything)).eval()
    torch.testing.assert_close(whole(bases, "human"), one(bases, "human"))


def test_safetensors_without_heads(port: torch.nn.Module, tmp_path: Path) -> None:
    state = {k: v.clone() for k, v in port.state_dict().items() if not k.startswith("_trunk")}
    save_file(state, tmp_path / "port.safetensors")
    assert load_port(tmp_path / "port.safetensors", config(), heads=False).tracks == {}


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"width": 192}, "is 48 x 4 x 15, and the model's is 96 x 4 x 15"),
        ({"depth": 3}, r"there is no blocks\.2"),
        ({"depth": 1}, r"it has blocks\.1.*beyond model.depth 1"),
    ],
)
def test_weights_of_another_size_are_refused(
    path: Path, settings: dict[str, object], complaint: str
) -> None:
    with pytest.raises(DataError, match=complaint):
        load_port(path, config(**settings))


def test_files_of_something_else_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    for content, complaint in (
        (b"", "damaged, or it holds more than weights"),
        (b"not weights at all", "it holds more than weights|damaged"),
    ):
        path.write_bytes(content)
        with pytest.raises(DataError, match=complaint):
            load_port(path, config())
    torch.save({"a": torch.zeros(1)}, path)
    with pytest.raises(DataError, match="no weights of enformer-pytorch"):
        load_port(path, config())
    torch.save({"a": Path("x")}, path)
    with pytest.raises(DataError, match="it holds more than weights"):
        load_port(path, config())
    with pytest.raises(DataError, match="no such file"):
        load_port(tmp_path / "none.pt", config())

"""The LSTM in both directions against one written out."""

import torch
from torch import Tensor, nn

from attendna.models.layers.recurrence import BothWays


def by_hand(layer: nn.LSTM, x: Tensor) -> Tensor:
    """The last state of one sequence, gate by gate."""
    state, cell = torch.zeros(2, layer.hidden_size, dtype=x.dtype)
    for place in x:
        gates = layer.weight_ih_l0 @ place + layer.bias_ih_l0
        gates = gates + layer.weight_hh_l0 @ state + layer.bias_hh_l0
        enter, forget, new, out = gates.chunk(4)
        cell = forget.sigmoid() * cell + enter.sigmoid() * new.tanh()
        state = out.sigmoid() * cell.tanh()
    return state


def test_it_equals_the_gates_written_out() -> None:
    layer = BothWays(5, 3).double()
    x, lengths = torch.randn(4, 7, 5, dtype=torch.float64), [7, 3, 1, 5]
    mask = torch.arange(7) < torch.tensor(lengths)[:, None]
    read = layer(x.masked_fill(~mask[..., None], 9.0), mask)
    assert read.shape == (4, layer.width)
    for row, length in enumerate(lengths):
        real = x[row, :length]
        expected = torch.cat([by_hand(layer.onward, real), by_hand(layer.back, real.flip(0))])
        torch.testing.assert_close(read[row], expected, rtol=0, atol=1e-14)


def test_without_a_mask_all_places_are_real() -> None:
    layer, x = BothWays(5, 3), torch.randn(2, 6, 5)
    everything = torch.ones(2, 6, dtype=torch.bool)
    assert torch.equal(layer(x), layer(x, everything))
    both = nn.LSTM(5, 3, batch_first=True, bidirectional=True)
    weights = {f"{n}": w for n, w in layer.onward.state_dict().items()}
    weights |= {f"{n}_reverse": w for n, w in layer.back.state_dict().items()}
    both.load_state_dict(weights)
    states = both(x)[0]
    expected = torch.cat([states[:, -1, :3], states[:, 0, 3:]], dim=1)
    torch.testing.assert_close(layer(x), expected)

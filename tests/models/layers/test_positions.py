"""Ways of knowing positions: what each promises."""

import math

import pytest
import torch
from torch import Tensor

from attendna.core.config import parse
from attendna.core.errors import ConfigError, UserError
from attendna.models.layers.positions import (
    POSITIONS,
    Distances,
    RelativeConfig,
    RotaryConfig,
    Rotation,
    rotate,
)

HERE = torch.device("cpu")


def rotary(length: int, base: float = 100.0, width: int = 8) -> Rotation:
    return RotaryConfig(base=base).build(2 * width, width).places(length, HERE)


def scores(query: Tensor, key: Tensor, length: int) -> Tensor:
    """Products of one query and one key vector put at every pair of positions."""
    turned = [rotate(x.expand(length, -1), rotary(length)) for x in (query, key)]
    return turned[0] @ turned[1].T


def test_rotary_scores_depend_on_distance_alone() -> None:
    query, key = torch.randn(2, 8, dtype=torch.float64)
    table = scores(query, key, 12)
    for distance in range(-11, 12):
        diagonal = table.diagonal(distance)
        torch.testing.assert_close(diagonal, diagonal[:1].expand_as(diagonal), rtol=0, atol=1e-5)
    assert table[0].std() > 0.1
    torch.testing.assert_close(table[5, 5], query @ key, rtol=0, atol=1e-5)


def test_a_rotation_keeps_lengths_and_can_be_undone() -> None:
    x = torch.randn(3, 2, 20, 8)
    turned = rotate(x, rotary(20))
    torch.testing.assert_close(turned.norm(dim=-1), x.norm(dim=-1))
    torch.testing.assert_close(turned[..., 0, :], x[..., 0, :])
    torch.testing.assert_close(rotate(turned, rotary(20).inverse()), x)


def test_each_pair_turns_at_its_own_speed() -> None:
    x = torch.zeros(10, 4)
    x[:, 1] = 1
    turned = rotate(x, rotary(10, base=16.0, width=4))
    # The second of two pairs turns by 16 ** (-1/2) = 1/4 a token.
    expected = [[0, math.cos(s / 4), 0, math.sin(s / 4)] for s in range(10)]
    torch.testing.assert_close(turned, torch.tensor(expected))


def test_angles_stay_exact_in_half_precision() -> None:
    layer = RotaryConfig().build(16, 8).to(torch.bfloat16)
    far = layer.rotation(3000, HERE)
    # The first pair turns by one radian a token; bfloat16 cannot hold 2,999.
    assert far.cosine[2999, 0].item() == pytest.approx(math.cos(2999), abs=1e-4)


def test_learned_positions_are_added_and_end() -> None:
    layer = POSITIONS["absolute"].model_validate({"longest": 6}).build(4, 4)
    x = torch.randn(2, 5, 4)
    difference = layer(x) - x
    torch.testing.assert_close(difference[0], difference[1])
    assert difference[0].std() > 0
    with pytest.raises(UserError, match=r"7 tokens .* the 6 positions .*positions\.longest"):
        layer(torch.zeros(1, 7, 4))


@pytest.mark.parametrize("width", [6, 7])
def test_sinusoidal_positions_follow_the_formula(width: int) -> None:
    layer = POSITIONS["sinusoidal"]().build(width, width)
    added = layer(torch.zeros(1, 50, width))[0]
    half = math.ceil(width / 2)
    for place in (0, 1, 49):
        waves = [place / 10_000 ** (i / half) for i in range(half)]
        expected = [math.sin(w) for w in waves] + [math.cos(w) for w in waves]
        torch.testing.assert_close(added[place], torch.tensor(expected[:width]))


def test_none_changes_nothing() -> None:
    layer, x = POSITIONS["none"]().build(8, 4), torch.randn(2, 5, 8)
    assert torch.equal(layer(x), x)
    assert layer.places(5, HERE) is None
    assert layer.distance_scores(8, 2) is None


def test_odd_heads_cannot_rotate() -> None:
    with pytest.raises(ValueError, match="even width, not 5"):
        RotaryConfig().check(5)
    RotaryConfig().check(6)


def test_a_distance_has_a_vector_up_to_the_span() -> None:
    layer = RelativeConfig(span=3).build(4, 2)
    rows = layer.rows(torch.arange(-5, 6))
    assert rows.tolist() == [0, 0, 0, 1, 2, 3, 4, 5, 5, 5, 5]
    distances = layer.places(4, HERE)
    # From a query three places behind its key to one three places ahead.
    torch.testing.assert_close(distances.vectors, layer.table[[5, 5, 4, 3, 2, 1, 0]])
    torch.testing.assert_close(distances.behind, layer.table[[3, 2, 1, 0]])
    torch.testing.assert_close(distances.ahead, layer.table[[3, 4, 5, 5]])


def test_far_distances_share_vectors_in_growing_stretches() -> None:
    layer = RelativeConfig(span=8, reach=100).build(4, 2)
    rows = layer.rows(torch.arange(0, 130)).tolist()
    assert rows[:5] == [8, 9, 10, 11, 12]
    assert rows == sorted(rows)
    # Steps of (99 / 4) ** (1 / 3) from 4 on: 11.6, 33.9, 99.
    sizes = [rows.count(row) for row in range(13, 16)]
    assert sizes == [7, 22, 130 - 5 - 7 - 22]
    back = layer.rows(-torch.arange(0, 130)).tolist()
    assert [16 - row for row in back][1:12] == rows[1:12]


def test_distance_scores_equal_the_formula_pair_by_pair() -> None:
    positions = RelativeConfig(span=3).build(8, 4).double()
    layer = positions.distance_scores(8, 2).double()
    query, key = torch.randn(2, 2, 2, 6, 4, dtype=torch.float64)
    scores = layer(query, key, positions.places(6, HERE))
    table = positions.table
    for head in range(2):
        part = slice(4 * head, 4 * head + 4)
        for i in range(6):
            for j in range(6):
                there, back = (min(max(d + 3, 0), 5) for d in (i - j, j - i))
                to_key = (layer.key.weight @ table[there])[part]
                to_query = (layer.query.weight @ table[back])[part]
                expected = (query[:, head, i] @ to_key + key[:, head, j] @ to_query) / 12**0.5
                torch.testing.assert_close(scores[:, head, i, j], expected, rtol=0, atol=1e-14)


def test_layers_share_the_vectors_and_project_them_on_their_own() -> None:
    positions = RelativeConfig(span=4).build(8, 4)
    assert [name for name, _ in positions.named_parameters()] == ["table"]
    layers = [positions.distance_scores(8, 2) for _ in range(2)]
    assert not torch.equal(layers[0].key.weight, layers[1].key.weight)
    assert isinstance(positions.places(3, HERE), Distances)


@pytest.mark.parametrize("settings", [{"span": 3, "reach": 9}, {"span": 8, "reach": 8}])
def test_a_reach_within_the_span_is_refused(settings: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match="reach must be beyond a span of 4 or more"):
        parse(RelativeConfig, settings, "run.yaml")

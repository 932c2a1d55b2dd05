"""Enformer's features of distance against their definitions."""

import math

import pytest
import torch
from scipy import stats

from attendna.models.layers.relative import relative_features


def test_every_kind_is_what_it_says() -> None:
    features = relative_features(5, 12, 64)
    assert features.shape == (9, 12)
    distances = torch.arange(-4, 5)
    for row, distance in enumerate(distances.tolist()):
        apart = abs(distance)
        decays = [2 ** (-apart / 2**h) for h in (3.0, math.log2(64))]
        masks = [float(w > apart) for w in (1, 3)]
        torch.testing.assert_close(features[row, :4], torch.tensor([*decays, *masks]))
        sign = (distance > 0) - (distance < 0)
        torch.testing.assert_close(features[row, 6:], sign * features[row, :6])


@pytest.mark.parametrize("scale", ["distances", "features"])
def test_bumps_are_densities_of_gamma_distributions(scale: str) -> None:
    span, each = 48, 4
    features = relative_features(40, 24, span, scale)
    deviation = span / (2 * each)
    apart = torch.arange(-39, 40).abs().double()
    columns = []
    for mean in torch.linspace(span / each, span, each).tolist():
        shape, rate = (mean / deviation) ** 2, mean / deviation**2
        density = stats.gamma.pdf(apart.numpy(), shape, scale=1 / rate) + 1e-8
        columns.append(torch.from_numpy(density))
    table = torch.stack(columns, dim=1)
    most = table.amax(0 if scale == "distances" else 1, keepdim=True)
    torch.testing.assert_close(features[:, 8:12].double(), table / most, atol=2e-4, rtol=2e-3)


def test_a_span_keeps_the_features_of_another_length() -> None:
    short, long = relative_features(10, 12, 10), relative_features(30, 12, 10)
    torch.testing.assert_close(long[20:39, :4], short[:, :4])


def test_a_count_that_does_not_divide_is_refused() -> None:
    with pytest.raises(ValueError, match="13 features are no multiple of 6"):
        relative_features(5, 13, 5)

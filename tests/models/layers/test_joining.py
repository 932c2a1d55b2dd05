"""Ways to join segments."""

import pytest
import torch

from attendna.core.errors import UserError
from attendna.models.layers.joining import JOINS, ConcatConfig, MeanJoinConfig

X = torch.randn(3, 4, 6)
MASK = torch.arange(4) < torch.tensor([4, 1, 3])[:, None]
SMALL = {"transformer": {"width": 8, "heads": 2, "blocks": 1}}


@pytest.mark.parametrize("name", sorted(JOINS))
def test_each_way_gives_its_width_and_reads_real_segments_only(name: str) -> None:
    join = JOINS[name].model_validate({"name": name} | SMALL.get(name, {})).build(6).eval()
    read = join(X, MASK)
    assert read.shape == (3, join.width)
    torch.testing.assert_close(join(X.masked_fill(~MASK[..., None], 7.0), MASK), read)
    torch.testing.assert_close(join(X[1:2, :1], None), read[1:2])
    assert not torch.allclose(join(X + 1, MASK), read)


def test_concatenation_lays_segments_in_their_places() -> None:
    read = ConcatConfig(segments=5).build(6)(X, MASK)
    torch.testing.assert_close(read[0], torch.cat([X[0].flatten(), torch.zeros(6)]))
    torch.testing.assert_close(read[1], torch.cat([X[1, 0], torch.zeros(24)]))
    with pytest.raises(UserError, match=r"4 segments is longer than the 3 .*model\.join\.segments"):
        ConcatConfig(segments=3).build(6)(X, None)


def test_the_mean_is_over_real_segments() -> None:
    read = MeanJoinConfig().build(6)(X, MASK)
    torch.testing.assert_close(read[2], X[2, :3].mean(0))

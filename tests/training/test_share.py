import numpy as np

from attendna.training.share import take_share


def test_each_class_gives_its_share_and_one_row_at_least() -> None:
    classes = np.repeat([0, 1, 2], [900, 97, 3]).astype(np.int8)
    rows = take_share(1000, 0.1, 0, classes)
    assert np.bincount(classes[rows]).tolist() == [90, 10, 1]
    assert (np.diff(rows) > 0).all()


def test_the_seed_decides_which() -> None:
    first, again, other = (take_share(200, 0.2, seed).tolist() for seed in (0, 0, 1))
    assert first == again != other
    assert len(first) == 40
    assert take_share(200, 1.0, 3).tolist() == list(range(200))

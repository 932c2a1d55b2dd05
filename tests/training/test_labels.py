"""Labels taken by batch."""

import numpy as np
import torch

from attendna.tasks.labels import Labels
from attendna.training.labels import LabelBuffer

ROWS = torch.tensor([3, 0, 0, 2])


def test_classes_and_numbers_are_taken_by_row() -> None:
    classes = LabelBuffer(Labels(np.array([0, 1, 2, 1], dtype=np.int8)))
    assert len(classes) == 4
    assert classes.gather(ROWS).tolist() == [1, 0, 0, 2]
    assert classes.gather(ROWS).dtype == torch.int64
    values = np.array([[0.5, np.nan], [1, 2], [3, 4], [5, 6]], dtype=np.float32)
    taken = LabelBuffer(Labels(values), 2).gather(ROWS)
    torch.testing.assert_close(taken, torch.from_numpy(values)[ROWS], equal_nan=True)


def test_lists_of_tracks_are_spread_out_as_the_task_spreads_them() -> None:
    random = np.random.default_rng(0)
    rows = [np.flatnonzero(random.random(30) < share) for share in (0.0, 0.2, 1.0, 0.1, 0.0)]
    offsets = np.cumsum([0, *map(len, rows)])
    labels = Labels(np.concatenate(rows).astype(np.uint16), offsets)
    buffer = LabelBuffer(labels, 30)
    assert len(buffer) == 5
    for asked in ([4, 1, 2, 0, 3], [0, 4], [2, 2]):
        taken = buffer.gather(torch.tensor(asked))
        np.testing.assert_array_equal(taken.numpy(), labels.dense(np.array(asked), 30))

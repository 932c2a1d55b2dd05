import numpy as np
import pytest
import torch
import torch.nn.functional as F

from attendna.training.objectives import Objective, objective_of
from attendna.training.run import ObjectiveConfig

CPU = torch.device("cpu")
EVEN = np.array([5, 5])
LABELS = torch.tensor([0, 1, 1, 0, 1])
BINARY = torch.tensor([[[0.3], [-1.2], [2.0], [0.0], [5.0]]])


def objective(counts: np.ndarray = EVEN, **settings: object) -> Objective:
    return objective_of(ObjectiveConfig(**settings), "binary", counts, CPU)


def test_binary_cross_entropy_is_that_of_torch() -> None:
    wanted = F.binary_cross_entropy_with_logits(BINARY[0, :, 0], LABELS.float())
    torch.testing.assert_close(objective()(BINARY, LABELS), wanted)


def test_smoothed_binary_labels_lie_between_zero_and_one() -> None:
    soft = torch.where(LABELS == 1, 0.95, 0.05)
    wanted = F.binary_cross_entropy_with_logits(BINARY[0, :, 0], soft)
    torch.testing.assert_close(objective(label_smoothing=0.1)(BINARY, LABELS), wanted)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_cross_entropy_of_classes_is_that_of_torch(smoothing: float) -> None:
    logits = torch.randn(1, 5, 3)
    labels = torch.tensor([0, 1, 2, 1, 0])
    made = objective(np.array([2, 2, 1]), label_smoothing=smoothing)(logits, labels)
    torch.testing.assert_close(made, F.cross_entropy(logits[0], labels, label_smoothing=smoothing))


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_focal_loss_plays_down_what_is_right(gamma: float) -> None:
    # Lin et al. 2017, equation 4, written out.
    p = torch.sigmoid(BINARY[0, :, 0])
    true = torch.where(LABELS == 1, p, 1 - p)
    wanted = (-((1 - true) ** gamma) * true.log()).mean()
    made = objective(loss="focal", gamma=gamma)(BINARY, LABELS)
    torch.testing.assert_close(made, wanted)


def test_focal_alpha_weights_the_positive_class() -> None:
    p = torch.sigmoid(BINARY[0, :, 0])
    true = torch.where(LABELS == 1, p, 1 - p)
    alpha = torch.where(LABELS == 1, 0.25, 0.75)
    wanted = 2 * (-alpha * (1 - true) ** 2 * true.log()).mean()
    torch.testing.assert_close(objective(loss="focal", alpha=0.25)(BINARY, LABELS), wanted)


def test_focal_loss_of_classes_agrees_with_that_of_two_classes() -> None:
    logits = BINARY[..., 0]
    both = torch.stack([torch.zeros_like(logits), logits], dim=-1)
    settings = {"loss": "focal", "gamma": 1.5}
    torch.testing.assert_close(
        objective(**settings)(both, LABELS), objective(**settings)(BINARY, LABELS)
    )


def test_balanced_classes_weigh_the_same_in_sum() -> None:
    balanced = objective(np.array([90, 10]), class_weights="balanced")
    assert balanced.weights is not None
    torch.testing.assert_close(
        balanced.weights * torch.tensor([90.0, 10.0]), torch.full((2,), 50.0)
    )
    plain = F.binary_cross_entropy_with_logits(BINARY[0, :, 0], LABELS.float(), reduction="none")
    wanted = (plain * torch.where(LABELS == 1, 5.0, 100 / 180)).mean()
    torch.testing.assert_close(balanced(BINARY, LABELS), wanted)


def test_members_are_trained_as_if_alone() -> None:
    logits = torch.randn(3, 5, 1)
    alone = torch.stack([objective()(member[None], LABELS) for member in logits])
    together = objective()(logits, LABELS)
    torch.testing.assert_close(together, alone.mean())
    averaged = objective()(logits.mean(0, keepdim=True), LABELS)
    assert not torch.allclose(together, averaged)


def test_half_precision_logits_are_computed_in_float32() -> None:
    made = objective(label_smoothing=0.1)(BINARY.bfloat16(), LABELS)
    assert made.dtype == torch.float32
    wanted = objective(label_smoothing=0.1)(BINARY.bfloat16().float(), LABELS)
    torch.testing.assert_close(made, wanted)


def test_a_certain_right_answer_has_a_gradient_of_numbers() -> None:
    logits = torch.tensor([[[80.0], [-80.0]]], requires_grad=True)
    objective(loss="focal", gamma=0.5)(logits, torch.tensor([1, 1])).backward()
    assert torch.isfinite(logits.grad).all()


TRACKS = torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
LOGITS = torch.tensor([[[0.3, -1.0, 2.0], [4.0, 0.1, -2.0]]])


def of_kind(kind: str, **settings: object) -> Objective:
    return objective_of(ObjectiveConfig(**settings), kind, np.zeros(3, dtype=np.int64), CPU)


def test_tracks_are_each_a_question_of_yes_or_no() -> None:
    made = of_kind("multilabel")(LOGITS, TRACKS)
    torch.testing.assert_close(made, F.binary_cross_entropy_with_logits(LOGITS[0], TRACKS))
    made = of_kind("multilabel", loss="focal", alpha=0.8, gamma=2.0)(LOGITS, TRACKS)
    p = torch.sigmoid(LOGITS[0])
    true = torch.where(TRACKS == 1, p, 1 - p)
    alpha = torch.where(TRACKS == 1, 0.8, 0.2)
    torch.testing.assert_close(made, 2 * (-alpha * (1 - true) ** 2 * true.log()).mean())


@pytest.mark.parametrize(
    ("loss", "plain"),
    [
        ("cross_entropy", F.binary_cross_entropy_with_logits),
        ("mse", F.mse_loss),
        ("huber", lambda x, y: F.huber_loss(x, y, delta=0.5)),
    ],
)
def test_numbers_that_are_missing_are_left_out(loss: str, plain: object) -> None:
    values = torch.tensor([[0.2, float("nan"), 0.9], [float("nan"), 0.4, 0.0]])
    known = ~values.isnan()
    logits = LOGITS.clone().requires_grad_()
    made = of_kind("regression", loss=loss, delta=0.5)(logits, values)
    torch.testing.assert_close(made, plain(LOGITS[0][known], values[known]))
    made.backward()
    assert (logits.grad[0][~known] == 0).all()
    assert (logits.grad[0][known] != 0).all()


def test_members_are_averaged_and_nothing_known_costs_nothing() -> None:
    values = torch.tensor([[0.2, float("nan"), 0.9], [float("nan"), 0.4, 0.0]])
    two = torch.cat([LOGITS, LOGITS + 1])
    made = of_kind("regression")(two, values)
    alone = [of_kind("regression")(part[None], values) for part in two]
    torch.testing.assert_close(made, torch.stack(alone).mean())
    nothing = torch.full((2, 3), float("nan"))
    assert of_kind("regression", loss="mse")(two, nothing) == 0

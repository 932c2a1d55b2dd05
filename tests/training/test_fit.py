import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.planted import plant
from tests.training.conftest import SMALL, small

from attendna.evaluation.metrics import METRICS, Sample
from attendna.models.checkpoint import load
from attendna.prediction.predictor import Predictor
from attendna.training.batches import Batch, TrainingBatches
from attendna.training.examples import Examples
from attendna.training.fit import checkpoint_of, fit, start
from attendna.training.loop import Machine
from attendna.training.record import Record
from attendna.training.run import RunConfig, RunFolder

CPU = Machine(torch.device("cpu"), "fp32", 1)
UNTIMED = ("sequences_per_second", "seconds")


class PowerCut(Exception):
    pass


def run(config: RunConfig, examples: Examples, path: Path) -> Record:
    path.mkdir(exist_ok=True)
    return fit(config, examples, RunFolder(path), CPU, run_id="test")


def best_bytes(path: Path) -> bytes:
    return (RunFolder(path).best / "model.safetensors").read_bytes()


def untimed(record: Record) -> list[dict[str, float]]:
    return [{k: v for k, v in row.items() if k not in UNTIMED} for row in record.rows]


def cut_at(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Break off when the batch of this number is asked for."""
    whole = TrainingBatches.__getitem__

    def get(self: TrainingBatches, asked: int) -> Batch:
        if asked == number:
            raise PowerCut
        return whole(self, asked)

    monkeypatch.setattr(TrainingBatches, "__getitem__", get)


@pytest.fixture(scope="module")
def examples(task: Path) -> Examples:
    return Examples.read(task)


def test_a_planted_motif_is_learned(tmp_path: Path) -> None:
    examples = Examples.read(plant(tmp_path / "task", rows=(600, 200, 10)).folder)
    config = small(
        model={"name": "cnn", "width": 16, "blocks": 1},
        optimizer={"learning_rate": 1e-2},
        trainer={"epochs": 8, "monitor": "auroc"},
    )
    record = run(config, examples, tmp_path / "run")
    assert record.best["valid_auroc"] > 0.95
    assert record.rows[0]["train_loss"] > record.rows[-1]["train_loss"]


FEATURES: dict[str, dict[str, Any]] = {
    "plain": {},
    "all that draws": {
        "model": {"name": "ensemble", "members": [SMALL["model"], SMALL["model"]]},
        "strands": "conjoined",
        "augmentation": {"shift": 3, "mask": 0.1},
    },
    "saved after every step": {
        "optimizer": {"accumulate": 2},
        "trainer": {"save_every": 0, "validations": 2, "epochs": 4},
    },
}


@pytest.mark.parametrize("name", FEATURES)
def test_a_training_that_broke_off_ends_with_the_same_bits(
    name: str, examples: Examples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = small(**FEATURES[name])
    whole = run(config, examples, tmp_path / "whole")
    # Before the first state, in the middle, and in what was resumed.
    for number in (3, 13, 22):
        with monkeypatch.context() as patch:
            cut_at(patch, number)
            with pytest.raises(PowerCut):
                run(config, examples, tmp_path / "broken")
    resumed = run(config, examples, tmp_path / "broken")
    assert best_bytes(tmp_path / "broken") == best_bytes(tmp_path / "whole")
    assert untimed(resumed) == untimed(whole)
    log = (tmp_path / "broken" / "log.csv").read_text().splitlines()
    assert [line.split(",")[1] for line in log[1:]] == [str(s) for s in whole.schedule.ends]


def test_bfloat16_is_used_stays_near_and_is_resumed_exactly(
    examples: Examples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(path: Path) -> Record:
        path.mkdir(exist_ok=True)
        machine = Machine(torch.device("cpu"), "bf16", 1)
        return fit(small(), examples, RunFolder(path), machine, run_id="test")

    whole = half(tmp_path / "whole")
    exact = run(small(), examples, tmp_path / "exact")
    assert whole.best["valid_loss"] != exact.best["valid_loss"]
    assert whole.best["valid_loss"] == pytest.approx(exact.best["valid_loss"], rel=0.02)
    state = torch.load(whole.folder.last, weights_only=True)
    assert {value.dtype for value in state["state_dict"].values()} <= {torch.float32, torch.int64}
    with monkeypatch.context() as patch:
        cut_at(patch, 13)
        with pytest.raises(PowerCut):
            half(tmp_path / "broken")
    half(tmp_path / "broken")
    assert best_bytes(tmp_path / "broken") == best_bytes(tmp_path / "whole")


def test_the_state_is_plain_numbers_and_tensors(examples: Examples, tmp_path: Path) -> None:
    run(small(), examples, tmp_path / "run")
    state = torch.load(RunFolder(tmp_path / "run").last, weights_only=True)
    assert {"WeightAverage", "Record"} <= {key.partition("{")[0] for key in state["callbacks"]}


def test_what_is_done_is_not_done_again(
    examples: Examples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run(small(), examples, tmp_path / "run")
    cut_at(monkeypatch, 0)
    second = run(small(), examples, tmp_path / "run")
    assert second.rows == first.rows


def test_the_seed_decides_the_weights(examples: Examples, tmp_path: Path) -> None:
    for name, seed in (("one", 0), ("two", 0), ("other", 1)):
        run(small(seed=seed), examples, tmp_path / name)
    assert best_bytes(tmp_path / "one") == best_bytes(tmp_path / "two")
    assert best_bytes(tmp_path / "one") != best_bytes(tmp_path / "other")


def test_what_is_validated_is_what_will_be_predicted(examples: Examples, tmp_path: Path) -> None:
    record = run(small(strands="conjoined"), examples, tmp_path / "run")
    predictor = Predictor(*load(record.folder.best), "cpu", "fp32")
    values = predictor.predict(examples.valid.sequences).values
    sample = Sample.of(examples.valid.labels, values)
    for name in ("auroc", "mcc", "accuracy"):
        assert record.best[f"valid_{name}"] == METRICS[name].value(sample)


def test_the_best_model_is_that_of_the_best_row(examples: Examples, tmp_path: Path) -> None:
    config = small(trainer={"epochs": 6, "monitor": "loss"}, optimizer={"learning_rate": 0.05})
    record = run(config, examples, tmp_path / "run")
    assert record.best["valid_loss"] == min(row["valid_loss"] for row in record.rows)
    predictor = Predictor(*load(record.folder.best), "cpu", "fp32")
    values = predictor.predict(examples.valid.sequences).values[:, 0].astype(np.float64)
    true = np.where(examples.valid.labels == 1, values, 1 - values)
    assert -np.log(true).mean() == pytest.approx(record.best["valid_loss"], rel=1e-4)


def test_patience_ends_a_training(examples: Examples, tmp_path: Path) -> None:
    # Nothing is learned at this rate, so no validation is better than the first.
    config = small(
        optimizer={"learning_rate": 1e-12}, trainer={"epochs": 9, "patience": 2, "monitor": "mcc"}
    )
    record = run(config, examples, tmp_path / "run")
    assert len(record.rows) == 3
    assert record.best is record.rows[0]


def test_the_average_of_weights_is_what_is_kept(examples: Examples, tmp_path: Path) -> None:
    losses = {}
    for ema in (0.0, 0.9):
        config = small(trainer={"ema": ema, "epochs": 1}, optimizer={"learning_rate": 0.05})
        losses[ema] = run(config, examples, tmp_path / str(ema)).best["valid_loss"]
    assert losses[0.0] != losses[0.9]


def test_several_classes_are_learned(tmp_path: Path) -> None:
    folder = plant(tmp_path / "task", classes=("none", "ap1", "sp1", "oct")).folder
    examples = Examples.read(folder)
    config = small(objective={"class_weights": "balanced", "label_smoothing": 0.1})
    record = run(config, examples, tmp_path / "run")
    assert load(record.folder.best)[0].outputs == 4
    assert np.isfinite(list(record.best.values())).all()


def test_a_part_of_the_steps_can_be_trained(examples: Examples, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    record = fit(small(), examples, RunFolder(tmp_path / "run"), CPU, run_id="test", share=0.5)
    assert record.rows[-1]["step"] == 12


def test_the_callers_settings_are_left_as_they_were(examples: Examples, tmp_path: Path) -> None:
    torch.manual_seed(11)
    before = (torch.random.get_rng_state(), torch.get_num_threads())
    run(small(), examples, tmp_path / "run")
    assert torch.equal(torch.random.get_rng_state(), before[0])
    assert torch.get_num_threads() == before[1]


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_being_told_to_stop_is_passed_on_and_the_training_can_be_resumed(
    examples: Examples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sent: signal.Signals
) -> None:
    whole = run(small(), examples, tmp_path / "whole")
    get: Callable[..., Batch] = TrainingBatches.__getitem__

    def interrupted(self: TrainingBatches, number: int) -> Batch:
        if number == 13:
            signal.raise_signal(sent)
        return get(self, number)

    # A shell that starts the tests in the background has the signal ignored.
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    with monkeypatch.context() as patch:
        patch.setattr(TrainingBatches, "__getitem__", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(small(), examples, tmp_path / "run")
    assert signal.signal(signal.SIGINT, handler) is signal.default_int_handler
    if sent == signal.SIGTERM:
        # The round is half done; batches are fetched one ahead.
        state = torch.load(RunFolder(tmp_path / "run").last, weights_only=True)
        assert state["global_step"] == 13
    assert untimed(run(small(), examples, tmp_path / "run")) == untimed(whole)


def test_nothing_is_said_without_a_console(
    examples: Examples, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run(small(), examples, tmp_path / "run")
    assert capfd.readouterr() == ("", "")


def test_first_weights_do_not_depend_on_the_torch_generator(examples: Examples) -> None:
    first = start(small(), examples, torch.device("cpu"))
    torch.manual_seed(99)
    second = start(small(), examples, torch.device("cpu"))
    for one, other in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(one, other)


def test_the_header_says_what_was_trained(examples: Examples) -> None:
    header = checkpoint_of(small(strands="conjoined"), examples, "abc", "bf16")
    assert (header.run_id, header.strands, header.classes) == (
        "abc", "conjoined", ("background", "bound"),
    )  # fmt: skip
    assert header.precision == "bf16"
    assert header.model == small().model
    assert header.input.longest == 48

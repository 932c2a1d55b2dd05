"""Pretraining: it learns, resumes to the same bits, and says what it is."""

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl
import psutil
import pytest
import torch
import yaml
from polars.testing import assert_frame_equal
from tests.nursery import Nursery
from tests.training.pretraining.genomes import patterned, settings
from tests.words import vocabulary

from attendna.core.config import parse
from attendna.core.errors import ConfigError, FolderError, UserError
from attendna.models.language_checkpoint import load_language
from attendna.training.pretraining.config import PretrainingConfig
from attendna.training.pretraining.train import pretrain
from attendna.training.pretraining.windows import WindowBatch, WindowBatches
from attendna.training.pretraining.word_windows import WordBatches
from attendna.training.run import RunFolder

PAIRS = {"tokenizer": {"name": "bpe", "vocabulary": vocabulary().pack()}, "tell": "words"}


def config_of(**changes) -> PretrainingConfig:
    return parse(PretrainingConfig, settings(**changes), "test")


@pytest.fixture(scope="module")
def genome(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return patterned(tmp_path_factory.mktemp("genome"), lower=True)


@pytest.fixture(scope="module")
def learned(genome: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = config_of(trainer={"max_steps": 120, "epochs": 100})
    return pretrain(config, [genome], tmp_path_factory.mktemp("r") / "run", progress=False)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_language(folder)[1].state_dict()


def test_it_tells_what_those_who_count_do_not(learned: Path) -> None:
    rows = {
        (row["run"], row["metric"]): row
        for row in json.loads((learned / "metrics.json").read_text())
    }
    run = load_language(learned)[0].run_id
    own = rows[run, "masked_accuracy"]
    # A pattern of 7 bases with a tenth of noise, both strands: what is beside a base tells it.
    assert own["value"] > 0.8
    assert own["low"] <= own["value"] <= own["high"]
    assert rows["markov_0", "masked_accuracy_gain"]["low"] > 0.3
    assert rows["markov_11_told", "masked_accuracy"]["value"] > 0.7
    assert rows[run, "perplexity"]["value"] < 2


def test_words_of_a_pattern_are_told_as_its_bases_are(genome: Path, tmp_path: Path) -> None:
    config = config_of(**PAIRS, trainer={"max_steps": 120, "epochs": 100})
    out = pretrain(config, [genome], tmp_path / "run", progress=False)
    run, rows = load_language(out)[0].run_id, json.loads((out / "metrics.json").read_text())
    found = {(row["run"], row["metric"]): row["value"] for row in rows}
    # A tenth of all bases is noise, and what is not is told by what stands on either side.
    assert found[run, "masked_accuracy"] > 0.7 > found["markov_0", "masked_accuracy"] + 0.3
    assert found[run, "perplexity"] < found["markov_5", "perplexity"]
    assert len({row["n"] for row in rows}) == 1
    assert len(rows) == 2 + 3 * 28


def test_a_run_says_what_it_is(learned: Path) -> None:
    header, model = load_language(learned)
    assert [genome.file for genome in header.genomes] == ["genome.fa"]
    assert (header.held_out, header.window, header.tell) == (("2",), 64, "bases")
    log = pl.read_csv(learned / "log.csv")
    assert log["step"].to_list() == [40, 80, 120]
    assert log["valid_masked_accuracy"][-1] > log["valid_masked_accuracy"][0]
    assert log["valid_loss"][-1] == pytest.approx(
        float(log["valid_perplexity"].log()[-1]), rel=1e-6
    )
    assert RunFolder(learned).summary()["steps"] == 120
    assert model.encoder.blocks


@pytest.mark.parametrize("number", [5, 9])
@pytest.mark.parametrize("batches", [WindowBatches, WordBatches], ids=["bases", "words"])
def test_it_goes_on_to_the_same_bits(
    genome: Path, tmp_path: Path, number: int, batches: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    get: Callable[..., WindowBatch] = batches.__getitem__

    def broken(self: WindowBatches, wanted: int) -> WindowBatch:
        if wanted == number:
            raise RuntimeError("the lights went out")
        return get(self, wanted)

    changes = {
        "model": {"dropout": 0.2},
        "trainer": {"save_every": 0.0},
        "windows": {"soft_mask_weight": 0.5},
    }
    changes |= PAIRS if batches is WordBatches else {"contrastive": {"weight": 0.1}}
    config = config_of(**changes)
    with monkeypatch.context() as patch:
        patch.setattr(batches, "__getitem__", broken)
        with pytest.raises(RuntimeError, match="the lights went out"):
            pretrain(config, [genome], tmp_path / "run", progress=False)
    again = pretrain(config, [genome], tmp_path / "run", resume=True, progress=False)
    whole = pretrain(config, [genome], tmp_path / "whole", progress=False)
    for name, value in weights(whole).items():
        assert torch.equal(value, weights(again)[name]), name
    assert (whole / "metrics.json").read_bytes() == (again / "metrics.json").read_bytes()
    assert pretrain(config, [genome], again, resume=True, progress=False) == again
    with pytest.raises(FolderError, match=r"was begun with masking\.rate=0\.15, not 0\.2"):
        pretrain(config_of(**changes, masking={"rate": 0.2}), [genome], again, resume=True)


@pytest.mark.parametrize(
    "changes",
    [
        {"tokenizer": {"name": "kmer", "k": 3}, "tell": "words", "windows": {"sampling": "random"}},
        {"tokenizer": {"name": "patch", "k": 4}, "tell": "words", "masking": {"loss_on": "all"}},
        {"tokenizer": {"name": "patch", "k": 4}, "masking": {"span": 1}},
        {"model": {"stem": {"name": "convolution", "channels": 8}, "pooling": "cls"}},
    ],
    ids=["3-mer", "patch", "bases of patches", "pooled"],
)
def test_every_kind_of_token_is_learned(genome: Path, tmp_path: Path, changes: dict) -> None:
    changes = {"trainer": {"max_steps": 30, "epochs": 10}} | changes
    out = pretrain(config_of(**changes), [genome, genome], tmp_path / "run", progress=False)
    losses = pl.read_csv(out / "log.csv")["valid_loss"]
    assert losses[-1] < losses[0]
    rows = json.loads((out / "metrics.json").read_text())
    assert len(rows) == 2 + 3 * 28


def test_what_diverges_is_reported(genome: Path, tmp_path: Path) -> None:
    config = config_of(optimizer={"learning_rate": 1e30, "warmup": 0.0, "clip": None})
    with pytest.raises(ConfigError, match="diverged"):
        pretrain(config, [genome], tmp_path / "run", progress=False)
    assert not RunFolder(tmp_path / "run").finished


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"model": {"name": "cnn", "stem": None}}, "only an encoder has tokens"),
        ({"trainer": {"batch_size": 5_000}}, "windows, a batch 5,000"),
        (
            {"model": {"positions": {"name": "absolute", "longest": 10}}},
            "longer than the 10 positions",
        ),
    ],
    ids=["cnn", "batch", "positions"],
)
def test_what_cannot_be_learned_is_refused(
    genome: Path, tmp_path: Path, changes: dict, complaint: str
) -> None:
    tree = settings(**changes)
    if tree["model"]["name"] == "cnn":
        tree["model"] = {"name": "cnn"}
    with pytest.raises(UserError, match=complaint):
        pretrain(parse(PretrainingConfig, tree, "test"), [genome], tmp_path / "run", progress=False)
    assert not (tmp_path / "run").exists()


def begin(nursery: Nursery, genome: Path, folder: Path, **trainer) -> int:
    """A pretraining by two processes, each of which takes half of every step; just begun."""
    tree = settings(trainer={"devices": 2} | trainer)
    (folder / "run.yaml").write_text(yaml.safe_dump(tree))
    words = ("pretrain", "run.yaml", "--genome", genome, "--out", "run", "--resume")
    return nursery.start(*words, folder=folder, ranks=2)


def finish(nursery: Nursery) -> None:
    """Wait until all went well."""
    code, _ = nursery.wait()
    said = nursery.errors.read_text()
    assert code == 0, said
    assert said.count("pretraining on") == 1


@pytest.mark.slow
def test_two_processes_train_one_model_whole_or_in_shares(
    genome: Path, tmp_path: Path, nursery: Nursery
) -> None:
    steps = {"max_steps": 40, "epochs": 100, "validations": 4}
    whole, shares = tmp_path / "whole", tmp_path / "shares"
    whole.mkdir()
    shares.mkdir()
    begin(nursery, genome, whole, **steps)
    finish(nursery)
    launcher = psutil.Process(begin(nursery, genome, shares, **steps, sharded=True))
    run = RunFolder(shares / "run")
    end = time.monotonic() + 300
    while not run.last.is_file():
        assert launcher.status() != psutil.STATUS_ZOMBIE, nursery.errors.read_text()
        assert time.monotonic() < end
        time.sleep(0.05)
    for process in (launcher, *launcher.children(recursive=True)):
        process.kill()
    assert nursery.wait()[0] == -signal.SIGKILL
    assert not run.finished
    begin(nursery, genome, shares, **steps, sharded=True)
    finish(nursery)
    # Sums over processes are taken in another order, and that is all.
    learned, other = weights(whole / "run"), weights(run.path)
    for name, value in learned.items():
        torch.testing.assert_close(other[name], value, rtol=1e-3, atol=1e-4)
    logs = [pl.read_csv(folder / "run" / "log.csv") for folder in (whole, shares)]
    measured = [log.select("epoch", "step", "^.*(loss|perplexity)$") for log in logs]
    assert measured[0]["step"].to_list() == [10, 20, 30, 40]
    assert_frame_equal(measured[0], measured[1], rel_tol=1e-3)

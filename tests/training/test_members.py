from pathlib import Path

import numpy as np
import pytest
import torch
from tests.training.conftest import small

from attendna.models.checkpoint import load, save
from attendna.models.ensemble import Ensemble
from attendna.prediction.predictor import Predictor
from attendna.training.examples import Examples
from attendna.training.fit import checkpoint_of, start
from attendna.training.members import Member, join, member_seed, plan_members
from attendna.training.run import RunFolder

VARIANTS = (
    {"name": "one", "set": {"strands": "conjoined"}},
    {"name": "two", "set": {"strands": "single", "model.width": 16}},
)


def test_a_single_network_is_trained_in_the_run_folder(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    (member,) = plan_members(small(), (), folder)
    assert (member.folder, member.config) == (folder, small())


def test_members_differ_in_nothing_but_their_seeds(tmp_path: Path) -> None:
    members = plan_members(small(members=3), (), RunFolder(tmp_path))
    assert [member.name for member in members] == ["1", "2", "3"]
    assert len({member.config.seed for member in members}) == 3
    assert members[0].config.seed == 0
    assert all(member.config.replace(seed=0) == small() for member in members)
    assert len({member.folder.path for member in members}) == 3


def test_members_are_made_of_each_variant_in_turn(tmp_path: Path) -> None:
    config = small(members=3, variants=VARIANTS)
    members = plan_members(config, config.variants, RunFolder(tmp_path))
    assert [member.name for member in members] == ["one-1", "two-1", "one-2"]
    assert [member.config.strands for member in members] == ["conjoined", "single", "conjoined"]
    assert [member.config.seed for member in members] == [0, 0, member_seed(0, 1)]


def test_the_seeds_of_members_are_those_of_no_other_run() -> None:
    seeds = [member_seed(seed, place) for seed in range(50) for place in range(5)]
    assert len(set(seeds)) == 250


@pytest.mark.parametrize("same", [True, False])
def test_joined_members_predict_the_mean_of_what_each_predicts(
    task: Path, tmp_path: Path, same: bool
) -> None:
    examples = Examples.read(task)
    config = small(members=3, variants=VARIANTS[:1] if same else VARIANTS)
    members = plan_members(config, config.variants, RunFolder(tmp_path))
    alone = []
    for member in members:
        model = start(member.config, examples, torch.device("cpu"))
        save(member.folder.best, checkpoint_of(member.config, examples, "run", "fp32"), model)
        predictor = Predictor(*load(member.folder.best), "cpu", "fp32")
        alone.append(predictor.predict(examples.valid.sequences, scale="logit").values)
    header, model = join(members)
    assert isinstance(model, Ensemble)
    assert header.strands == ("conjoined" if same else ("conjoined", "single", "conjoined"))
    # Stored and read again, as whoever gets the model will.
    save(tmp_path, header, model)
    together = Predictor.load(tmp_path, "cpu", "fp32")
    values = together.predict(examples.valid.sequences, scale="logit").values
    np.testing.assert_allclose(values, np.mean(alone, axis=0), atol=1e-5)
    assert not np.allclose(alone[0], alone[1], atol=1e-3)
    assert len(together.embed(examples.valid.sequences)) == len(values)


def test_one_member_is_joined_as_it_is(task: Path, tmp_path: Path) -> None:
    examples = Examples.read(task)
    folder = RunFolder(tmp_path)
    header = checkpoint_of(small(), examples, "run", "fp32")
    save(folder.best, header, start(small(), examples, torch.device("cpu")))
    assert join([Member("1", small(), folder)])[0] == header

"""``data list``: every set there is, for people and for machines."""

import json

from attendna.cli.main import run


def test_every_set_is_listed_by_a_name_that_get_takes(capsys) -> None:
    from attendna.tasks.catalogue import catalogue, find_entry

    assert run(["data", "list"]) == 0
    listed = capsys.readouterr().out
    for entry in catalogue().values():
        short = entry.name.partition("/")[2]
        assert f"{short} " in listed
        assert find_entry(short) is entry
    assert max(map(len, listed.splitlines())) <= 80


def test_json_holds_the_counts(capsys) -> None:
    assert run(["data", "list", "--json"]) == 0
    sets = {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)}
    assert sets["gue/tf0"]["rows"] == {"train": 32378, "valid": 1000, "test": 1000}
    assert sets["genomic_benchmarks/human_enhancers_ensembl"]["kind"] == "intervals"
    assert len(sets) == 39

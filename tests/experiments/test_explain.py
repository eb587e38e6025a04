"""`undertow explain`: every key of the configuration has a meaning, and unknown ones get close matches."""

import dataclasses

import pytest

from engine.book.parameters import Parameters
from experiments import tasks
from experiments.config import explain, schema


@pytest.fixture(scope="module")
def config():
    schema.register(tasks.groups())
    return explain.composed([])


def test_every_key_of_the_composed_configuration_is_explained(config):
    composed = {f"{group}.{key}" for group, values in config.items() for key in values}
    assert composed == set(explain.keys()) and len(composed) > 200
    assert [key for key in explain.keys() if not explain.meaning(key)] == []
    for key in explain.keys():
        rows = dict(explain.explanation(key, config, tasks.every()))
        assert rows["read by"] and rows["meaning"] and (rows.get("unit") or rows["kind"]), key


def test_a_modelling_number_has_its_unit_range_grade_and_greek(config):
    for group in dataclasses.fields(Parameters):
        for field in dataclasses.fields(getattr(Parameters(), group.name)):
            rows = dict(explain.explanation(f"{group.name}.{field.name}", config, tasks.every()))
            assert rows.get("unit") == field.metadata.get("unit")
            assert ("grade" in rows) == ("grade" in field.metadata)
            assert ("range" in rows) == (field.metadata.get("low") is not None)
            assert "task=" in rows["read by"].partition(";")[2]


def test_a_key_is_explained_with_its_value_under_overrides(undertow):
    answer = undertow("explain", "chips.life", "chips.life=5", "target")
    assert answer.code == 0 and "5.0, where the default is 6.0" in answer.out
    assert "3 to 8" in answer.out and "reverse_stress.target" in answer.out
    assert "task=greeks ranks its effect" in " ".join(answer.out.split())


@pytest.mark.parametrize(
    ("text", "near"),
    [("lgd", "credit.worst_lgd"), ("chips.lif", "chips.life"), ("haircut", ""), ("run.path", "run.paths")],
)
def test_an_unknown_key_gets_close_matches(text, near, undertow, untouched):
    with untouched():
        answer = undertow("explain", text)
    assert answer.code == 2 and f"{text}: no key of this name" in answer.err
    assert near in answer.err and answer.out == ""


def test_a_group_lists_its_keys_and_options(undertow):
    answer = undertow("explain", "network", "scenario")
    assert "network=gibbs" in answer.out and "network.density = 0.3" in answer.out
    assert "scenario=bust" in answer.out


def test_no_key_is_bad_input(undertow):
    assert "explain: got None, expected a key" in undertow("explain").err
    answer = undertow("explain", "chips.life", "chips.lif=3")
    assert answer.code == 2 and "1 problem" in answer.err and "did you mean chips.life?" in answer.err

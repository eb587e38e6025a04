"""The limits of sense hold the defaults and the defensible ranges, and agree with the engine's own."""

import dataclasses

import pytest

from engine.book import limits
from engine.book.parameters import Parameters
from experiments.config.checks import WHOLE_RUN

NUMBERS = [
    (f"{group.name}.{field.name}", group.default_factory, field)
    for group in dataclasses.fields(Parameters)
    for field in dataclasses.fields(group.default_factory)
    if field.metadata.get("low") is not None
]


def test_the_defaults_are_inside():
    assert limits.problems_of(Parameters()) == []


@pytest.mark.parametrize(("name", "group", "field"), NUMBERS, ids=[name for name, *_ in NUMBERS])
def test_the_defensible_range_is_inside(name, group, field):
    rule = limits.BY_NAME.get(name, limits.BY_UNIT.get(field.metadata["unit"], limits.SHARE))
    assert rule.hold(field.metadata["low"])
    assert rule.hold(field.metadata["high"])


def test_no_rule_is_for_a_number_that_is_gone():
    names = {
        f"{g.name}.{f.name}"
        for g in dataclasses.fields(Parameters)
        for f in dataclasses.fields(g.default_factory)
    }
    assert set(limits.BY_NAME) <= names
    assert {part.partition("[")[0] for pair in limits.ORDERED for part in pair} <= names


def test_the_regimes_are_the_engine_s():
    from engine.vocabulary import REGIMES

    assert limits.REGIMES == REGIMES


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("key", ["paths", "block", "seed"])
def test_the_engine_accepts_the_ends_of_the_run_s_numbers(key, place):
    from engine.run.plan import Plan

    numbers = {"paths": 1, "block": 512, "seed": 0} | {key: WHOLE_RUN[key][place]}
    Plan(**numbers)


def test_the_engine_s_plan_refuses_what_the_door_refuses():
    from engine.run.plan import CHUNK, Plan

    assert WHOLE_RUN["block"][2] == CHUNK
    for change in ({"paths": 0}, {"block": 1000}, {"block": 0}, {"seed": -1}, {"seed": 2**64}):
        with pytest.raises(ValueError, match=next(iter(change))):
            Plan(**({"paths": 1, "block": 512, "seed": 0} | change))

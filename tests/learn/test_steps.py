"""Every number of the model is moved or left out by name; what is moved stays inside its limits."""

import dataclasses

import pytest

from engine.book.limits import limits_of, problems_of
from engine.book.parameters import Economy, Parameters
from engine.learn.greeks.steps import EXCLUDED, across, move, steps_of


def within(name, unit):
    found = limits_of(name, unit)
    return found.low, found.high


@pytest.fixture(scope="module")
def steps():
    return steps_of(Parameters(), 0.05, within)


def test_every_number_is_moved_or_left_out_by_name(steps):
    """A new field of Parameters appears here by itself, or has its reason in EXCLUDED."""
    found = {step.name.partition("[")[0] for step in steps}
    parameters = Parameters()
    for group in dataclasses.fields(Parameters):
        for field in dataclasses.fields(getattr(parameters, group.name)):
            name = f"{group.name}.{field.name}"
            assert (name in found) != (name in EXCLUDED or group.name in EXCLUDED), name
    for name in EXCLUDED:
        group, _, field = name.partition(".")
        assert hasattr(getattr(parameters, group), field) if field else hasattr(parameters, group), name
    lengths = sum(len(getattr(parameters.economy, f.name)) for f in dataclasses.fields(Economy)
                  if isinstance(getattr(parameters.economy, f.name), list))  # fmt: skip
    assert sum(step.group == "economy" and step.place is not None for step in steps) == lengths


def test_one_number_moves_and_nothing_else(steps):
    base = dataclasses.asdict(Parameters())
    for place, step in enumerate(steps):
        signs = [0.0] * len(steps)
        signs[place] = side = -1.0 if step.centre < step.value else 1.0
        other = dataclasses.asdict(move(Parameters(), steps, signs))
        fields = [(group, field) for group in base for field in base[group]]
        apart = [(group, field) for group, field in fields if base[group][field] != other[group][field]]
        assert apart == [(step.group, step.field)]
        now = other[step.group][step.field]
        now = now if step.place is None else now[step.place]
        assert now == pytest.approx(step.centre + side * step.size)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_step_stays_inside_the_limits(steps, sign):
    assert problems_of(move(Parameters(), steps, [sign] * len(steps))) == []


def test_sizes_and_centres(steps):
    found = {step.name: step for step in steps}
    assert found["chips.ageing"].size == pytest.approx(0.005) == 0.05 * found["chips.ageing"].value
    assert found["economy.growth[2]"].size == pytest.approx(0.0125)
    assert found["credit.waiver_months"].size == 1.0 and found["credit.waiver_months"].tenth == 0.9
    edge = found["contracts.equity_floor[0]"]
    assert (edge.value, edge.centre, edge.size) == (1.0, 0.95, 0.05)
    zero = found["credit.look_through[0]"]
    assert (zero.value, zero.centre, zero.tenth) == (0.0, 0.05, 0.1)


def test_a_step_across_leads_from_low_to_high(steps):
    step = next(step for step in steps if step.name == "lenders.supply_loss")
    wide = across(step)
    for sign, end in ((1.0, 30.0), (-1.0, 5.0)):
        assert move(Parameters(), [wide], [sign]).lenders.supply_loss == end
    with pytest.raises(ValueError, match="expected low and high"):
        across(next(step for step in steps if step.low is None))

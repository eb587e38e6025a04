"""Levers of policy over whole paths: off is off, which way they push, and what they may cost at most."""

import functools

import numpy as np
import pytest

from tests.reference import example, path, policy
from tests.reference.by_hand import LEVERS, MONTHS, path_of, pull, stressed
from tests.reference.example import CLOUD

PATHS = 9
PULLED = 13
"""Month of the levers that are pulled on the way."""


@functools.cache
def paths(*levers: str, month: float = 1.0):
    """Stressed paths with levers pulled from a month on; each month passed the audit."""
    return [path_of(pull(stressed(), *levers, month=month), seed) for seed in range(PATHS)]


def months(results):
    """All months of all paths."""
    return [month for result in results for month in result["months"]]


def costs(results) -> np.ndarray:
    """USD bn by path, month and lever."""
    return np.array([[month["policy_cost"] for month in result["months"]] for result in results])


def total(results, name: str) -> float:
    """Sum of a quantity over all months of all paths."""
    return sum(month[name].sum() for month in months(results))


def same(left, right) -> bool:
    """Whether two months are the same to the bit."""
    return all(np.array_equal(left[name], right[name], equal_nan=True) for name in left)


def test_levers_that_are_never_pulled_change_nothing_to_the_bit():
    """Whatever their sizes, and if they are pulled after the last month or by nothing."""
    sizes = {"backstop": 1.0, "bailout": 200.0, "capital_rule": 1.0, "savers": 0.3, "advance_cap": 0.3}
    nothing = dict.fromkeys(("backstop", "bailout", "capital_rule", "disclosure", "savers"), 0.0)
    variants = [
        pull(stressed(), **sizes), pull(stressed(), *LEVERS, month=MONTHS + 1.0),
        pull(stressed(), *LEVERS, **nothing, advance_cap=1.0),
    ]  # fmt: skip
    for system in variants:
        for seed in range(4):
            got, plain = path_of(system, seed)["months"], paths()[seed]["months"]
            assert all(same(*both) for both in zip(got, plain, strict=True))
    assert not costs(paths()).any()


@pytest.mark.parametrize("lever", LEVERS)
def test_a_lever_acts_from_its_month_on_and_only_it_costs(lever):
    number, changed = LEVERS.index(lever), False
    pulled = paths(lever, month=PULLED)
    for got, plain in zip(pulled, paths(), strict=True):
        assert all(same(got["months"][t], plain["months"][t]) for t in range(PULLED - 1))
        changed = changed or not same(got["months"][-1], plain["months"][-1])
    assert changed
    found = costs(pulled)
    assert not np.delete(found, number, axis=2).any() and not found[:, : PULLED - 1].any()
    # In a bust no neocloud builds with debt that a cap could take.
    assert lever == "advance_cap" or found.any() == (lever != "disclosure")


def test_backstop_and_bailout_end():
    """From month 12: the backstop for six months, to 17, the bailout for four, to 15; savers stay barred."""
    limited = {"backstop_months": 6.0, "bailout_months": 4.0}
    system = pull(stressed(), "backstop", "bailout", "savers", month=12.0, **limited)
    found = costs([path_of(system, seed) for seed in range(PATHS)]).sum(axis=0)
    paid = [(np.flatnonzero(found[:, number]) + 1).tolist() for number in (0, 1, 4)]
    assert paid == [list(range(12, 18)), list(range(12, 16)), list(range(12, MONTHS + 1))]


def test_under_a_backstop_credit_is_felt_and_less_is_lost():
    backed = months(paths("backstop"))
    assert min(month["felt_supply"] for month in backed) == pytest.approx(0.85)
    assert min(month["supply"] for month in backed) < 0.5, "private supply falls all the same"
    assert total(paths("backstop"), "system_loss") < total(paths(), "system_loss")
    assert total(paths("backstop"), "new_money") > total(paths(), "new_money")


def test_a_bailout_saves_labs_and_never_exceeds_its_size():
    labs = [[result["cause"][example.LAB] > 0 for result in found] for found in (paths("bailout"), paths())]
    assert sum(labs[0]) < sum(labs[1])
    assert total(paths("bailout"), "system_loss") < total(paths(), "system_loss")
    small = pull(stressed(), "bailout", bailout=1.2)
    found = costs([path_of(small, seed) for seed in range(PATHS)])[:, :, 1]
    assert found.max() == pytest.approx(0.1) and 0.0 < costs(paths("bailout"))[:, :, 1].max() <= 50.0 / 12.0


def test_rule_and_savers_shrink_new_lending_and_funds_pay_out_less():
    for lever in ("capital_rule", "savers"):
        assert total(paths(lever), "new_money") < total(paths(), "new_money"), lever
    # Funds want to pay out 0.02 a month and reach a line of 0.2 of capital where half of it is taken.
    wide, narrow = (pull(stressed(), *names) for names in ((), ("capital_rule",)))
    for system in (wide, narrow):
        system.lenders.withdrawal_slope[:2], system.lenders.gate[:2] = 20.0, 0.2
    most = [max(month["withdrawn"][0] for month in months([path_of(system, seed) for seed in range(8)]))
            for system in (wide, narrow)]  # fmt: skip
    assert most[1] <= 0.5 * 0.4 < most[0]


def test_disclosed_losses_wait_for_nobody():
    for month in months(paths("disclosure")):
        assert month["belief"] == 1.0 and np.abs(month["pending"]).max() <= 1e-12
        assert np.array_equal(month["counted"], month["hidden"])
    assert max(month["pending"].max() for month in months(paths())) > 0.1


def test_a_cap_on_advances_takes_debt_from_neoclouds():
    def building(*names):
        system = pull(example.small_system(), *names)
        system.firms.cash[CLOUD] = 0.45
        return [path_of(system, seed) for seed in range(8)]

    capped, free = building("advance_cap"), building()
    assert total(capped, "capex_debt") < total(free, "capex_debt")
    assert costs(capped)[:, :, 5].sum() > 0.0 and not np.delete(costs(capped), 5, axis=2).any()
    first = capped[0]["months"][0]
    # What is lent anew in the first month of a boom comes with a little less collateral than documented.
    assert 0.45 < first["ltv"][1] < 0.69 and 0.70 < free[0]["months"][0]["ltv"][1] < 0.70 * (
        1.0 + 0.05 / 12.0
    )


def test_all_levers_together_pass_the_audit_and_cost_something():
    found = costs(paths(*LEVERS)).sum(axis=(0, 1))
    assert (found[[0, 1, 2, 4]] > 0.0).all() and found[3] == 0.0
    assert total(paths(*LEVERS), "system_loss") < total(paths(), "system_loss")


def test_a_path_that_goes_on_from_a_state_knows_the_month_of_its_levers():
    system = pull(stressed(), *LEVERS, month=12.0)
    fate, shocks = example.random_draws(system, MONTHS, 3)
    whole = path.simulate_path(system, fate, shocks, MONTHS)
    first = path.simulate_path(system, fate, {name: rows[:9] for name, rows in shocks.items()}, 9)
    rest = {name: rows[9:] for name, rows in shocks.items()}
    second = path.simulate_path(system, fate, rest, MONTHS - 9, start=first["final"])
    assert all(same(*both) for both in zip(second["months"], whole["months"][9:], strict=True))


def test_the_audit_sees_lending_that_is_neither_lent_nor_counted(monkeypatch):
    monkeypatch.setattr(policy, "left_by_funds", lambda levers, share: 1.0 - 2.0 * levers.funds * share)
    with pytest.raises(AssertionError, match="lending that is forgone is not what levers cost"):
        path_of(pull(stressed(), "capital_rule"), 0)


def test_the_audit_sees_aid_that_nobody_granted(monkeypatch):
    monkeypatch.setattr(policy, "aid", lambda limit, missing: list(missing))
    with pytest.raises(AssertionError, match="more aid is paid than there is"):
        for seed in range(PATHS):
            path_of(stressed(), seed)

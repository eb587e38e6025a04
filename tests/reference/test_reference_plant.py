"""The reference against numbers worked by hand: plants, delivery, renewal, life and scrap."""

import math

import numpy as np
import pytest

from tests.reference import chips, contracts, credit, example, path, plant
from tests.reference.book import plain
from tests.reference.by_hand import calm, near
from tests.reference.example import CLOUD, GIANT, HOST, LAB, SOFTWARE

FIRST = np.array([0.06, 0.05, 0.0, 0.0])
"""Units of two generations that the neocloud has in pledge."""
A_YEAR = 8.76 * 0.7
"""Hours of a unit, thousands, at normal utilisation."""
PLEDGED = A_YEAR * (0.06 * 1.7 + 0.05 * 3.6)
"""Their capacity, USD bn a year."""
COST = (0.3 * 36.0 + 0.7 * 55.0) / (A_YEAR * (0.3 * 3.6 + 0.7 * 5.9))
"""Chips of today's mix for a USD bn a year."""
LN = math.log(0.7 * 5.9 / 0.9)


def test_the_plant_of_month_zero_serves_what_contracts_pay_then():
    """The neocloud is paid 1.2 and 3.0 and has 1.729224 in pledge: 2.470776 in the same mix is its own. The
    software house is paid 1.5 and has the mix of the fleet. Hosts and outside firms are no operators.
    """
    book = plain(example.whole_system())
    owned, online = plant.start_owned(book), plant.start_online(book)
    assert PLEDGED == pytest.approx(1.729224) and owned[CLOUD] == near(FIRST * (4.2 - PLEDGED) / PLEDGED)
    fleet = np.array([3.0, 2.6, 2.0, 0.0])
    assert owned[SOFTWARE] == near(fleet * 1.5 / (A_YEAR * (3.0 * 1.7 + 2.6 * 3.6 + 2.0 * 5.9)))
    assert online == near([0.0, 4.2, 0.0, 1.5, 0.0, 0.0])
    assert not any(owned[LAB] + owned[HOST] + owned[GIANT])
    assert plant.capacity(book, owned[CLOUD]) + PLEDGED == near(4.2)


def test_pledged_chips_beyond_the_contracts_of_month_zero_are_being_installed():
    """A contract of 1.2 alone: 1.729224 is in pledge, nothing is owned beside it, a sixth of the rest comes
    online in month 1. The other contract starts in month 12 and needs nothing yet.
    """
    system = example.whole_system()
    system.contracts.start_month[2] = 12.0
    assert not any(plant.start_owned(plain(system))[CLOUD])
    month = calm(system, 1)["months"][0]
    assert month["installed"][CLOUD] == near(PLEDGED) and month["need"][CLOUD] == near(1.4)
    assert month["online"][CLOUD] == near(1.2 + (PLEDGED - 1.2) / 6.0)
    assert month["delivered"][CLOUD] == near(month["online"][CLOUD] / 1.4)
    # More than is installed cannot be online, as after chips have failed.
    start = calm(system, 1)["final"] | {"online": [0.0, 5.0, 0.0, 0.0, 0.0, 0.0]}
    shocks, fate = example.calm_shocks(system, 1), example.calm_fate(system)
    month = path.simulate_path(system, fate, shocks, 1, start=start)["months"][0]
    assert month["online"][CLOUD] == month["installed"][CLOUD] < 5.0


def test_customers_pay_for_what_is_delivered():
    """1.4 and 3.0 are needed in month 1, 4.2 is online. Of the software house's 1.5 + 18.5/36 it is 1.5."""
    month = calm(example.whole_system(), 1)["months"][0]
    share = 4.2 / 4.4
    flex = 0.5 + 0.5 * min(1.0, month["revenue"] / (60.0 + 58.0 / 12.0))
    assert month["delivered"][[LAB, CLOUD, HOST, GIANT]] == near([1.0, share, 1.0, 1.0])
    assert month["obligation"][[0, 2]] == near([1.4 * share * flex / 12.0, 3.0 * share / 12.0])
    assert month["received"][2] == month["served"][2] == near(3.0 * share / 12.0)
    assert month["obligation"][4] == near((0.5 + 0.2 * 7.0 / 12.0) / 12.0), "a lease is no compute"
    software = 1.5 / (1.5 + 18.5 / 36.0)
    assert month["delivered"][SOFTWARE] == near(software)
    assert month["short_delivery"].tolist() == [0, 0, 0, 1, 0, 0], "a tenth is tolerated"
    system = example.whole_system()
    system.numbers.mechanisms.plant = 0.5
    assert calm(system, 1)["months"][0]["delivered"][CLOUD] == near(0.5 + 0.5 * share)
    # What is sold in a year is expected at the share that is delivered today.
    core = 0.2 * 1.02 ** (1 / 12) * math.exp(-0.3 * month["stress"]) - 0.9 * 1.15 ** (1 / 12)
    sold = (0.75 * (1.2 + 4.8 * 13.0 / 24.0) + 0.7 * 3.0) * share
    assert month["forward"][CLOUD] == near(core + sold - 0.7)
    assert month["spot"][CLOUD] == month["spot_ahead"][CLOUD] == 0.0


def test_a_customer_leaves_what_was_not_delivered_for_more_than_six_months():
    """Half of what is missing in month 7, when delivery has been short for 7 months."""
    months = calm(example.whole_system(), 7)["months"]
    assert all(month["delivered"][SOFTWARE] < 0.9 for month in months)
    assert months[6]["short_delivery"][SOFTWARE] == 7.0 and months[5]["size"][1] == 1.0
    assert months[6]["size"][1] == near(1.0 - (1.0 - months[6]["delivered"][SOFTWARE]) / 2.0)
    assert months[6]["size"][0] == 1.0 and months[6]["need"][SOFTWARE] == near(1.5 + 18.5 * 7.0 / 36.0)
    system = example.whole_system()
    system.numbers.chips.delivery_tolerance = 0.5
    assert calm(system, 7)["months"][6]["size"][1] == 1.0


def test_compute_is_renewed_at_the_rent_of_the_day_and_leases_are_not():
    """The contract of 3.0 ends in month 18; nine tenths are renewed at what the plant's chips fetch then."""
    months = calm(example.whole_system(), 19)["months"]
    units = months[17]["owned"][CLOUD] + months[17]["pledged"].sum(axis=0)
    first = np.array([1.7, 3.6, 5.9, 8.9])
    ratio = (units @ months[18]["rent"]) / (units @ first)
    assert 0.1 < ratio < 1.0 and months[18]["rent_ratio"][CLOUD] == near(ratio)
    assert months[17]["full_size"][2] == 3.0 and months[18]["full_size"][2] == near(0.9 * ratio * 3.0)
    assert months[5]["size_ahead"][2] == 3.0
    assert months[6]["size_ahead"][2] == near(0.9 * months[6]["rent_ratio"][CLOUD] * 3.0)
    book, now = plain(example.whole_system()), {"rent_ratio": [1.0, 0.4, 0.4, 0.4, 0.4, 0.4]}
    contracts.sizes(book, now, {"regime": 1}, 73)
    assert now["full_size"][0] == near(0.6 * 0.4 * 6.0) and now["full_size"][4] == near(0.6 * 0.7)


def shrinking():
    """The lab's contract falls from 6.0 to 1.2 a year: the neocloud has capacity to let."""
    system = example.whole_system()
    system.contracts.start_annual[0], system.contracts.annual[0] = 6.0, 1.2
    return system


def test_free_capacity_earns_the_spot_rent_less_running_cost():
    """9.0 is installed, 5.8 and 3.0 are needed in month 1: 0.2/9 is free, in a year (9.0 - 3.4 - 3.0)/9."""
    month = calm(shrinking(), 1)["months"][0]
    units = FIRST * 9.0 / PLEDGED
    income = 8.76 * (month["hours"] * month["rent"] - np.array([0.5, 0.65, 0.9, 1.2]))
    earned = (units @ income).item()
    assert month["installed"][CLOUD] == near(9.0) and month["delivered"][CLOUD] == 1.0
    assert month["spot"][CLOUD] == near(0.2 / 9.0 * earned) and earned > 0.0
    ahead = 2.6 / 9.0 * earned * math.exp(-LN / 6.0)
    assert month["spot_ahead"][CLOUD] == near(ahead)
    core = 0.2 * 1.02 ** (1 / 12) * math.exp(-0.3 * month["stress"]) - 0.9 * 1.15 ** (1 / 12)
    paid = 0.75 * month["received"][0] + 0.7 * month["received"][2] - month["paid"][4]
    assert month["ebitda"][CLOUD] == near((core + 0.2 / 9.0 * earned) / 12.0 + paid)
    assert month["forward"][CLOUD] == near(core + ahead + 0.75 * 3.4 + 0.7 * 3.0 - 0.7)
    system = shrinking()
    system.numbers.mechanisms.plant = 0.5
    assert calm(system, 1)["months"][0]["spot"][CLOUD] == near(0.1 / 9.0 * earned)


def test_chips_fail_and_free_ones_that_do_not_earn_their_cost_are_retired():
    """At a running cost of 1.3 generation 0 earns less than 1.05 of it: of what the neocloud owns the free
    0.2/9 goes at 0.6 a year, the rest at 0.05. Pledged chips fail only. Its price is scrap.
    """
    system = shrinking()
    system.chips.operating_cost[0] = 1.3
    system.firms.cash[CLOUD], system.firms.equity_value[CLOUD], system.numbers.mechanisms.build_up = (
        0.0,
        0.0,
        0.0,
    )
    month = calm(system, 1)["months"][0]
    owned = FIRST * (9.0 - PLEDGED) / PLEDGED
    assert month["plant_bought"][CLOUD] == near(
        0.67 * month["own_capex"][CLOUD] * np.array([0, 0.3 / 36, 0.7 / 55, 0])
    )
    left = month["owned"][CLOUD] - month["plant_bought"][CLOUD]
    free = 0.2 / 9.0
    assert left == near(owned * (1.0 - np.array([0.05 + free * 0.55, 0.05, 0.05, 0.05]) / 12.0))
    assert month["pledged"][0, 0] == near(0.06 * (1.0 - 0.05 / 12.0))
    assert month["price"][0] == near(0.03 * 25.0) and month["fleet"][0] == near(3.0 * (1.0 - 0.6 / 12.0))


def test_an_operator_builds_what_contracts_need_and_replaces_what_fails():
    """In a year 1.2 + 4.8 * 13/24 and 3.0 are needed, 6.8; 4.2 is installed: a twelfth of the rest at its
    cost in chips, two thirds of all capex, is more than the plan of 2/12. Of 4.2 in use 0.05 a year fail.
    """
    system = example.whole_system()
    system.firms.cash[CLOUD] = 0.45
    month = calm(system, 1)["months"][0]
    grow, keep = 2.6 * COST / 12.0 / 0.67, 0.05 / 12.0 * 4.2 * COST / 0.67
    assert grow > 2.0 / 12.0 and month["want"][CLOUD] == near(grow + keep)
    # The host is no operator and has no plan; the software house plans 20 a year and needs less.
    assert month["want"][HOST] == 0.0 and month["want"][SOFTWARE] == near(
        20.0 / 12.0 + month["replacement"][SOFTWARE]
    )
    spent = month["spent"][CLOUD]
    assert month["own_capex"][CLOUD] < spent == near(grow + keep)
    chips_paid = 0.67 * spent - 0.84 * month["capex_debt"][CLOUD]
    assert month["capex_debt"][CLOUD] > 0.0 and chips_paid > 0.0
    assert month["plant_bought"][CLOUD] == near(chips_paid * np.array([0.0, 0.3 / 36.0, 0.7 / 55.0, 0.0]))
    owned = FIRST * (4.2 - PLEDGED) / PLEDGED
    assert month["owned"][CLOUD] == near((1.0 - 0.05 / 12.0) * owned + month["plant_bought"][CLOUD])
    # Bonds of the software house have no chips in pledge.
    spent = month["spent"][SOFTWARE]
    assert month["plant_bought"][SOFTWARE, 2] == near(0.67 * spent * 0.7 / 55.0) and spent > 0.0


def test_an_exchange_leaves_the_plant_whole_and_a_default_loses_it():
    system = example.whole_system()
    system.firms.debt_multiple[CLOUD], system.firms.equity_value[CLOUD] = 0.0, 0.0
    system.loans.committed[2], system.loans.maturity_month[0] = 0.0, 1.0
    month = calm(system, 1)["months"][0]
    assert month["cause"][CLOUD] == 6 and not month["pledged"].any() and not month["held"].any()
    assert month["owned"][CLOUD, 0] == near((1.0 - 0.05 / 12.0) * 0.06 * 4.2 / PLEDGED)
    fate = example.calm_fate(system) | {"threshold_firms": np.array([1e9, 0.0, 1e9, 1e9, 1e9, 1e9])}
    first, second = calm(example.whole_system(), 2, fate=fate)["months"]
    assert (
        first["held"][0] == near((1.0 - 0.05 / 12.0) * 0.06 * 4.2 / PLEDGED)
        and not first["owned"][CLOUD].any()
    )
    assert second["installed"][CLOUD] == second["online"][CLOUD] == 0.0 and second["delivered"][CLOUD] == 1.0


@pytest.mark.parametrize("life", [3.0, 6.0, 8.0])
def test_rents_meet_running_costs_after_a_life(life):
    """ln of 0.7 * 5.9/0.9 over the life, less 0.22 of ln 2.2 in ten months that releases bring."""
    system = example.small_system()
    system.numbers.chips.life = life
    book = plain(system)
    pace = LN / life - 0.22 * math.log(2.2) * 1.2
    assert chips.ageing(book) == near(pace) and chips.decline(book) == near(LN / 6.0)
    aged = calm(system, 9)["months"][8]["obsolescence"]
    assert aged == near([0.75 * pace] * 3 + [0.0])
    # By then releases have brought the rest: rent is back at running cost.
    assert pace * life + 0.22 * math.log(2.2) * 1.2 * life == near(LN)


@pytest.mark.parametrize("life", [3.0, 6.0, 8.0])
def test_lenders_advance_less_and_want_it_back_sooner_on_chips_that_live_less_long(life):
    """Documents say 6 years. With 3 the rent falls at twice the pace: e^(-2.5 * 0.2539) is advanced, and new
    loans are repaid at twice the rate. With 8 nothing changes. Contracts count less of the chips.
    """
    system = example.small_system()
    system.numbers.chips.underwritten_life = life
    system.loans.new_money[1], system.loans.amortisation_from_month[1] = 1.0, 0.0
    system.loans.drawn[1], system.firms.cash[CLOUD] = 0.6, 0.45
    system.loans.pledged[1, 1] = 0.02
    system.loans.interest_from_month[1] = 1.0
    month = calm(system, 1)["months"][0]
    d = LN / life
    assert chips.decline(plain(system)) == near(d)
    assert month["stress"] == near(-math.log(month["rent"][0] / 1.7) - d / 12.0)
    assert month["amortisation"][:2] == near([6.4 * 0.2 / 12.0, 0.6 * 0.2 * max(1.0, 6.0 / life) / 12.0])
    advance = min(1.0, math.exp(-2.5 * (d - LN / 6.0)))
    assert plant.advance(plain(system), CLOUD) == near(advance) and plant.advance(plain(system), HOST) == 1.0
    need = month["want"][CLOUD] - month["own_capex"][CLOUD] - month["capex_stock"][CLOUD]
    assert need > 0.0 and month["capex_debt"][CLOUD] == near(advance * need)


def test_scrap_is_added_to_what_a_chip_earns():
    """Generation 2 is observed at 46, 1.65 of it scrap: 44.35 moves with its income and forced sales."""
    system = example.small_system()
    book = plain(system)
    start = chips.start(book)
    value = chips.income_value(5.9, 0.9, 0.7, 0.127, LN / 6.0)
    assert start["price_scale"][2] == near(44.35 / value) and start["price_start"][2] == near(46.0)
    assert chips.price_of(book, 2, 44.35, math.log(2.0)) == near(44.35 / 2.0 + 1.65)
    assert chips.price_of(book, 2, 0.0, 0.0) == near(1.65)
    system.chips.observed_price[2] = 1.0
    assert chips.start(plain(system))["price_start"][2] == near(1.65), "nobody sells below scrap"
    assert chips.income_value(1.0, 1.0, 0.7, 0.127, 0.25) == 0.0
    assert chips.income_value(1.0, 0.0, 0.7, 0.127, 0.25) == near(8.76 * 0.7 / 0.377)


def test_contracts_are_worth_to_lenders_what_is_delivered_of_them():
    month = calm(example.whole_system(), 1)["months"][0]
    paid = [(1.2 + 4.8 * min(s / 24.0, 1.0)) / 12.0 for s in range(2, 61)]
    lab = sum(cash * math.exp(-0.1 * s / 12.0) for s, cash in enumerate(paid, 1))
    giant = sum(3.0 / 12.0 * math.exp(-0.1 * s / 12.0) for s in range(1, 18))
    worth = 4.2 / 4.4 * (0.6 * 0.75 * lab + 0.5 * 0.7 * giant)
    assert month["quality"][[0, 2]] == near([1.0, 1.0]) and month["secured_value"][0] == near(worth)


def test_a_firm_without_access_of_its_own_is_insolvent_where_assets_do_not_cover_half_of_its_debt():
    book = plain(example.small_system())
    now = {"firm_access": [1.0] * 6, "access": 0.6, "forward": [0.0] * 6, "price": [0.0] * 4}
    new = {"pledged": [[0.0] * 4] * 2, "cash": [1.0] * 6, "trailing": [0.0] * 6}
    assert not credit.insolvent(book, now, new, CLOUD, 3.0)
    now["firm_access"][CLOUD], now["access"] = 0.6, 1.0
    assert credit.insolvent(book, now, new, CLOUD, 3.0) and not credit.insolvent(book, now, new, CLOUD, 1.9)

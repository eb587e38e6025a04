"""The reference against numbers worked by hand: plants, delivery, renewal, life and scrap."""

import math

import numpy as np
import pytest

from tests.reference import chips, contracts, credit, example, path, plant
from tests.reference.book import plain
from tests.reference.by_hand import calm, near
from tests.reference.example import CLOUD, CONTRACTS, GIANT, HOST, LAB, PROJECT, SOFTWARE

RENT = CONTRACTS.index("RENT")
FIRST = np.array([0.06, 0.05, 0.0, 0.0])
"""Units of two generations that the neocloud has in pledge."""
A_YEAR = 8.76 * 0.7
"""Hours of a unit, thousands, at normal utilisation."""
PLEDGED = A_YEAR * (0.06 * 1.7 + 0.05 * 3.6)
"""Their capacity, USD bn a year."""
COST = (0.3 * 36.0 + 0.7 * 55.0) / (A_YEAR * (0.3 * 3.6 + 0.7 * 5.9))
"""Chips of today's mix for a USD bn a year."""
LN = math.log(0.7 * 5.9 / 0.9)


def test_what_contracts_pay_in_a_year_has_been_bought_and_growth_is_being_installed():
    """The neocloud is paid 1.2 and 3.0, in a year 3.6 and 3.0, and has 1.729224 in pledge: the rest of 6.6 is
    its own in the same mix, 4.2 is online. The software house is paid 1.5, in a year 1.5 + 18.5/3, in the mix
    of the fleet. Hosts and outside firms are no operators.
    """
    book = plain(example.whole_system())
    owned, online = plant.start_owned(book), plant.start_online(book)
    assert PLEDGED == pytest.approx(1.729224) and owned[CLOUD] == near(FIRST * (6.6 - PLEDGED) / PLEDGED)
    fleet = np.array([3.0, 2.6, 2.0, 0.0])
    software = 1.5 + 18.5 / 3.0
    assert owned[SOFTWARE] == near(fleet * software / (A_YEAR * (3.0 * 1.7 + 2.6 * 3.6 + 2.0 * 5.9)))
    assert online == near([0.0, 4.2, 0.0, 1.5, 0.0, 0.0])
    assert not any(owned[LAB] + owned[HOST] + owned[GIANT])
    assert plant.capacity(book, owned[CLOUD]) + PLEDGED == near(6.6)


def test_pledged_chips_beyond_contracts_are_online_and_a_cloud_without_contracts_is_an_operator():
    system = example.whole_system()
    system.contracts.start_annual[0] = system.contracts.annual[0] = 1.2
    system.contracts.start_annual[2] = system.contracts.annual[2] = 0.3
    book = plain(system)
    assert not any(plant.start_owned(book)[CLOUD]) and plant.start_online(book)[CLOUD] == near(PLEDGED)
    system.contracts.compute[[0, 2]] = 0.0
    book = plain(system)
    assert plant.is_operator(book, CLOUD) and not plant.is_operator(book, HOST)
    assert not any(plant.start_owned(book)[CLOUD]) and plant.start_online(book)[CLOUD] == near(PLEDGED)
    system.firms.neocloud[CLOUD] = 0.0
    assert not plant.is_operator(plain(system), CLOUD) and plant.start_online(plain(system))[CLOUD] == 0.0


def test_what_was_bought_comes_online_in_months():
    """A contract of 1.2 alone that grows to 3.6 in a year, all of it bought: a sixth of the rest comes online
    in month 1. The other contract starts in month 12 and needs nothing yet.
    """
    system = example.whole_system()
    system.contracts.start_month[2] = 12.0
    assert plant.start_owned(plain(system))[CLOUD] == near(FIRST * (3.6 - PLEDGED) / PLEDGED)
    month = calm(system, 1)["months"][0]
    assert month["installed"][CLOUD] == near(3.6) and month["need"][CLOUD] == near(1.4)
    assert month["online"][CLOUD] == near(1.2 + (3.6 - 1.2) / 6.0) and month["delivered"][CLOUD] == 1.0
    system.numbers.chips.installation_months = 24.0
    month = calm(system, 1)["months"][0]
    assert month["online"][CLOUD] == near(1.3) and month["delivered"][CLOUD] == near(1.3 / 1.4)
    # More than is installed cannot be online, as after chips have failed.
    start = calm(system, 1)["final"] | {"online": [0.0, 5.0, 0.0, 0.0, 0.0, 0.0]}
    shocks, fate = example.calm_shocks(system, 1), example.calm_fate(system)
    month = path.simulate_path(system, fate, shocks, 1, start=start)["months"][0]
    assert month["online"][CLOUD] == month["installed"][CLOUD] < 5.0


def slow():
    """It takes 240 months to install what was bought."""
    system = example.whole_system()
    system.numbers.chips.installation_months = 240.0
    return system


def test_customers_pay_for_what_is_delivered():
    """1.4 and 3.0 are needed in month 1, 4.2 and a part of 2.4 is online. Of the software house's
    1.5 + 18.5/36 it is 1.5 and a part of 18.5/3.
    """
    month = calm(slow(), 1)["months"][0]
    share = 4.21 / 4.4
    flex = 0.5 + 0.5 * min(1.0, month["revenue"] / (60.0 + 58.0 / 12.0))
    assert month["delivered"][[LAB, CLOUD, HOST, GIANT]] == near([1.0, share, 1.0, 1.0])
    assert month["obligation"][[0, 2]] == near([1.4 * share * flex / 12.0, 3.0 * share / 12.0])
    assert month["received"][2] == month["served"][2] == near(3.0 * share / 12.0)
    assert month["obligation"][4] == near((0.5 + 0.2 * 7.0 / 12.0) / 12.0), "a lease is no compute"
    software = (1.5 + 18.5 / 720.0) / (1.5 + 18.5 / 36.0)
    assert month["delivered"][SOFTWARE] == near(software)
    assert month["short_delivery"].tolist() == [0, 0, 0, 1, 0, 0], "a tenth is tolerated"
    system = slow()
    system.numbers.mechanisms.plant = 0.5
    assert calm(system, 1)["months"][0]["delivered"][CLOUD] == near(0.5 + 0.5 * share)
    # What is sold in a year is expected at the share that is delivered today.
    core = 0.2 * 1.02 ** (1 / 12) * math.exp(-0.3 * month["stress"]) - 0.9 * 1.15 ** (1 / 12)
    sold = (0.75 * (1.2 + 4.8 * 13.0 / 24.0) + 0.7 * 3.0) * share
    assert month["forward"][CLOUD] == near(core + sold - 0.7)
    assert month["spot"][CLOUD] == month["spot_ahead"][CLOUD] == 0.0


def test_a_customer_leaves_what_was_not_delivered_for_more_than_six_months():
    """Half of what is missing in month 7, when delivery has been short for 7 months."""
    months = calm(slow(), 7)["months"]
    assert all(month["delivered"][SOFTWARE] < 0.9 for month in months)
    assert months[6]["short_delivery"][SOFTWARE] == 7.0 and months[5]["size"][1] == 1.0
    assert months[6]["size"][1] == near(1.0 - (1.0 - months[6]["delivered"][SOFTWARE]) / 2.0)
    assert months[6]["size"][0] == 1.0 and months[6]["need"][SOFTWARE] == near(1.5 + 18.5 * 7.0 / 36.0)
    system = slow()
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


def a_quarter_left(system):
    """Month 1 after the lab has left three quarters of its contract: the neocloud has capacity to let."""
    state = path.start_state(plain(system))
    state["size"][0] = 0.25
    shocks, fate = example.calm_shocks(system, 1), example.calm_fate(system)
    return path.simulate_path(system, fate, shocks, 1, start=state)["months"][0]


def test_free_capacity_earns_the_spot_rent_less_running_cost():
    """6.6 is installed, 4.6 online; 0.25 * 1.4 and 3.0 are needed in month 1, in a year 0.25 * 3.8 and 3.0.
    Of what the lab has left the backstop will pay 1.5.
    """
    month = a_quarter_left(example.whole_system())
    units = FIRST * 6.6 / PLEDGED
    income = 8.76 * (month["hours"] * month["rent"] - np.array([0.5, 0.65, 0.9, 1.2]))
    earned = (units @ income).item()
    assert month["installed"][CLOUD] == near(6.6) and month["delivered"][CLOUD] == 1.0
    assert month["spot"][CLOUD] == near(1.25 / 6.6 * earned) and earned > 0.0
    ahead = 0.65 / 6.6 * earned * math.exp(-LN / 6.0)
    assert month["spot_ahead"][CLOUD] == near(ahead)
    core = 0.2 * 1.02 ** (1 / 12) * math.exp(-0.3 * month["stress"]) - 0.9 * 1.15 ** (1 / 12)
    paid = 0.75 * month["received"][0] + 0.7 * month["received"][2] - month["paid"][4]
    assert month["ebitda"][CLOUD] == near((core + 1.25 / 6.6 * earned) / 12.0 + paid)
    assert month["forward"][CLOUD] == near(core + ahead + 0.75 * 0.25 * 3.8 + 0.7 * 3.0 - 0.7 + 0.8 * 1.5)
    system = example.whole_system()
    system.numbers.mechanisms.plant = 0.5
    assert a_quarter_left(system)["spot"][CLOUD] == near(0.625 / 6.6 * earned)


def test_chips_fail_and_free_ones_that_do_not_earn_their_cost_are_retired():
    """At a running cost of 1.3 generation 0 earns less than 1.05 of it: of what the neocloud owns the free
    1.25/6.6 goes at 0.6 a year, the rest at 0.05. Pledged chips fail only. Its price is scrap.
    """
    system = example.whole_system()
    system.chips.operating_cost[0] = 1.3
    system.firms.cash[CLOUD], system.firms.equity_value[CLOUD], system.numbers.mechanisms.build_up = (
        0.0,
        0.0,
        0.0,
    )
    month = a_quarter_left(system)
    owned = FIRST * (6.6 - PLEDGED) / PLEDGED
    assert month["plant_bought"][CLOUD] == near(
        0.67 * month["own_capex"][CLOUD] * np.array([0, 0.3 / 36, 0.7 / 55, 0])
    )
    left = month["owned"][CLOUD] - month["plant_bought"][CLOUD]
    free = 1.25 / 6.6
    assert left == near(owned * (1.0 - np.array([0.05 + free * 0.55, 0.05, 0.05, 0.05]) / 12.0))
    assert month["pledged"][0, 0] == near(0.06 * (1.0 - 0.05 / 12.0))
    assert month["price"][0] == near(0.03 * 25.0) and month["fleet"][0] == near(3.0 * (1.0 - 0.6 / 12.0))
    # The mechanism half on: half of it is free, and no more is retired than of that.
    system.numbers.mechanisms.plant = 0.5
    month = a_quarter_left(system)
    left = month["owned"][CLOUD, 0] - month["plant_bought"][CLOUD, 0]
    assert left == near(owned[0] * (1.0 - (0.05 + 0.5 * free * 0.55) / 12.0))


def test_an_operator_builds_what_contracts_need_and_replaces_what_fails():
    """In a year 1.2 + 18.8 * 13/24 and 3.0 are needed, of which a month's growth is not installed: a sixth of
    it at its cost in chips, two thirds of all capex, is more than the plan of 0.5/12. Of what contracts need
    now 0.05 a year fail.
    """
    system = example.whole_system()
    system.firms.cash[CLOUD], system.contracts.annual[0] = 0.45, 20.0
    system.calendar.firm_capex[:, CLOUD] = 0.5
    month = calm(system, 1)["months"][0]
    need = 1.2 + 18.8 / 24.0 + 3.0
    grow, keep = 18.8 / 24.0 * COST / 6.0 / 0.67, 0.05 / 12.0 * need * COST / 0.67
    assert grow > 0.5 / 12.0 and month["want"][CLOUD] == near(grow + keep)
    # The host is no operator and has no plan; the software house plans 20 a year and needs less.
    assert month["want"][HOST] == 0.0 and month["want"][SOFTWARE] == near(
        20.0 / 12.0 + month["replacement"][SOFTWARE]
    )
    spent = month["spent"][CLOUD]
    assert month["own_capex"][CLOUD] < spent == near(grow + keep)
    chips_paid = 0.67 * spent - 0.84 * month["capex_debt"][CLOUD]
    assert month["capex_debt"][CLOUD] > 0.0 and chips_paid > 0.0
    assert month["plant_bought"][CLOUD] == near(chips_paid * np.array([0.0, 0.3 / 36.0, 0.7 / 55.0, 0.0]))
    owned = FIRST * (1.2 + 18.8 / 2.0 + 3.0 - PLEDGED) / PLEDGED
    assert month["owned"][CLOUD] == near((1.0 - 0.05 / 12.0) * owned + month["plant_bought"][CLOUD])
    # Bonds of the software house have no chips in pledge.
    spent = month["spent"][SOFTWARE]
    assert month["plant_bought"][SOFTWARE, 2] == near(0.67 * spent * 0.7 / 55.0) and spent > 0.0


def test_half_of_what_contracts_will_need_is_owed_and_cancelled_at_a_fee():
    """Without cash, equity or lenders the cloud cancels half of the month's growth for a tenth of it."""
    system = example.whole_system()
    system.contracts.annual[0], system.calendar.firm_capex[:, CLOUD] = 20.0, 0.0
    system.firms.minimum_cash[CLOUD], system.firms.equity_capex_share[CLOUD] = 1e3, 0.0
    system.firms.debt_multiple[CLOUD] = 0.0
    month = calm(system, 1)["months"][0]
    grow = 18.8 / 24.0 * COST / 6.0 / 0.67
    assert month["spent"][CLOUD] == 0.0 and month["ordered"][CLOUD] == near(0.5 * grow)
    assert month["fees"][CLOUD] == near(0.1 * 0.5 * grow)


def test_an_exchange_leaves_the_plant_whole_and_a_default_loses_it():
    system = example.whole_system()
    system.firms.debt_multiple[CLOUD], system.firms.equity_value[CLOUD] = 1e-9, 0.0
    system.numbers.credit.standstill_months = 1.0
    system.loans.committed[2], system.loans.maturity_month[0] = 0.0, 1.0
    month = calm(system, 1)["months"][0]
    assert month["cause"][CLOUD] == 6 and not month["held"].any()
    assert month["owned"][CLOUD, 0] == near((1.0 - 0.05 / 12.0) * 0.06 * (6.6 - PLEDGED) / PLEDGED)
    assert month["pledged"][0, 0] == near((1.0 - 0.05 / 12.0) * 0.06)
    fate = example.calm_fate(system) | {"threshold_firms": np.array([1e9, 0.0, 1e9, 1e9, 1e9, 1e9])}
    first, second = calm(example.whole_system(), 2, fate=fate)["months"]
    assert (
        first["held"][0] == near((1.0 - 0.05 / 12.0) * 0.06 * 6.6 / PLEDGED)
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
    month = calm(slow(), 1)["months"][0]
    paid = [(1.2 + 4.8 * min(s / 24.0, 1.0)) / 12.0 for s in range(2, 61)]
    lab = sum(cash * math.exp(-0.1 * s / 12.0) for s, cash in enumerate(paid, 1))
    giant = sum(3.0 / 12.0 * math.exp(-0.1 * s / 12.0) for s in range(1, 18))
    worth = 4.21 / 4.4 * (0.6 * 0.75 * lab + 0.5 * 0.7 * giant)
    assert month["quality"][[0, 2]] == near([1.0, 1.0]) and month["secured_value"][0] == near(worth)


def test_a_firm_without_access_of_its_own_is_insolvent_where_assets_do_not_cover_half_of_its_debt():
    book = plain(example.small_system())
    now = {"firm_access": [1.0] * 6, "access": 0.6, "forward": [0.0] * 6, "price": [0.0] * 4}
    new = {"pledged": [[0.0] * 4] * 2, "cash": [1.0] * 6, "trailing": [0.0] * 6}
    assert not credit.insolvent(book, now, new, CLOUD, 3.0)
    now["firm_access"][CLOUD], now["access"] = 0.6, 1.0
    assert credit.insolvent(book, now, new, CLOUD, 3.0) and not credit.insolvent(book, now, new, CLOUD, 1.9)


def test_the_site_of_a_project_is_as_large_as_what_was_lent_for_it():
    """5 of 16 are drawn at month 0, 11/18 a month after that. The lease runs from month 12: it pays for what
    is built, and so does its forward EBITDA; a project is never late.
    """
    system = example.whole_system()
    months = calm(system, 14)["months"]
    for t in (1, 13, 14):
        share = months[t - 2]["peak"][4] / 16.0 if t > 1 else 5.0 / 16.0
        assert months[t - 1]["delivered"][PROJECT] == near(share) and 0.0 < share < 1.0
    last = months[13]
    assert last["served"][RENT] == near(1.6 * 2.0 / 6.0 * last["delivered"][PROJECT] / 12.0)
    assert last["paid"][RENT] == near(last["served"][RENT]) and last["short_delivery"][PROJECT] == 0.0
    assert last["forward"][PROJECT] == near(0.95 * 1.6 * last["delivered"][PROJECT])
    system.numbers.mechanisms.plant = 0.5
    assert calm(system, 1)["months"][0]["delivered"][PROJECT] == near(0.5 + 0.5 * 5.0 / 16.0)
    system.loans.planned[4] = 0.0
    assert calm(system, 1)["months"][0]["delivered"][PROJECT] == 1.0


def test_new_lending_goes_to_the_loans_of_its_year():
    """A vintage takes its share of the second year alone, and the reference reads no other share."""
    system = example.whole_system()
    system.calendar.origination[:, 5] = np.where(np.arange(60) // 12 == 1, 0.05, 0.0)
    months = calm(system, 25)["months"]
    for t, share in ((12, 0.0), (13, 0.05), (24, 0.05), (25, 0.0)):
        month = months[t - 1]
        lent = month["borrowed"][5] - month["draw"][5] - month["capex_debt"][SOFTWARE]
        assert lent == near(share * month["origination"]) and month["origination"] > 0.0


def test_prices_follow_what_chips_earn_with_a_lag():
    """A quarter of the way each month; with no lag they are what chips earn."""
    system = example.small_system()
    start = chips.start(plain(system))
    months = calm(system, 2)["months"]
    value = start["price_start"][1] - 0.03 * 36.0
    for month in months:
        yield_ = 0.037 + 0.09 * month["spread"]
        earned = chips.income_value(month["rent"][1], 0.65 * month["power"], month["hours"], yield_, LN / 6.0)
        value += (start["price_scale"][1] * earned - value) / 4.0
        assert month["price_before_sales"][1] == near(value + 0.03 * 36.0)
    system.numbers.chips.appraisal_months = 1.0
    month = calm(system, 1)["months"][0]
    earned = chips.income_value(
        month["rent"][1], 0.65 * month["power"], month["hours"], 0.037 + 0.09, LN / 6.0
    )
    assert month["price_before_sales"][1] == near(start["price_scale"][1] * earned + 0.03 * 36.0)

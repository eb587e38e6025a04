"""The reference against numbers worked by hand: economy, chips, contracts and pools."""

import math
from types import SimpleNamespace as Table

import numpy as np
import pytest
from scipy.integrate import quad

from tests.reference import chips, contracts, economy, example, path, pools
from tests.reference.book import plain
from tests.reference.by_hand import calm, near

DECLINE = math.log(0.7 * 5.9 / 0.9) / 6.0
"""Of rents a year, if the newest chip of month 0 earns its running cost for 6 years."""
AGEING = DECLINE - 0.22 * math.log(2.2) / (10.0 / 12.0)
"""Of it what releases do not bring: one of 2.2 times the performance comes in month 10."""


def test_economy_of_a_month_without_shocks():
    month = calm(example.small_system(), 1)["months"][0]
    growth = (1.0986 * (1.0 - 60.0 / 900.0) - 0.2**2 / 2.0) / 12.0
    assert month["log_revenue"] == near(math.log(60.0) + growth)
    assert month["log_equity"] == near((0.05 - (0.0625 + 0.01 + 0.03) / 2.0) / 12.0)
    assert month["short_rate"] == near(0.037)
    assert month["spread"] == near(1.0) and month["access"] == near(1.15)


def test_a_demand_shock_moves_credit_and_equity_by_their_correlation():
    normals = np.zeros((1, 6))
    normals[0, 0] = 1.0
    month = calm(example.small_system(), 1, normals=normals)["months"][0]
    still = calm(example.small_system(), 1)["months"][0]
    root = math.sqrt(1.0 / 12.0)
    assert month["log_revenue"] - still["log_revenue"] == near(0.2 * root)
    assert month["log_equity"] - still["log_equity"] == near(0.1 * root + 0.25 * root * 0.6)
    assert month["log_spread"] == near(-0.4 * 0.35 * math.sqrt((1.0 - math.exp(-1.0 / 6.0)) / 2.0))


def test_missing_supply_slows_revenue_whatever_the_funding_loop_does():
    """Supply of 0.7 takes 0.2 * 0.3 = 0.06 a year from growth, half of it where the switch is a half."""
    system = example.small_system()
    start = calm(system, 1)["final"] | {"supply": 0.7}
    shocks, fate = example.calm_shocks(system, 1), example.calm_fate(system)
    system.numbers.mechanisms.funding_loop = 0.0
    revenue = {}
    for switch in (0.0, 0.5, 1.0):
        system.numbers.mechanisms.recession = switch
        month = path.simulate_path(system, fate, shocks, 1, start=start)["months"][0]
        revenue[switch] = month["log_revenue"]
    assert revenue[0.0] - revenue[1.0] == near(0.06 / 12.0)
    assert revenue[0.0] - revenue[0.5] == near(0.03 / 12.0)


def test_transition_is_the_exponential_series_and_regimes_jump():
    system = example.small_system()
    rates = np.array([[-0.36, 0.30, 0.06], [0.22, -0.36, 0.14], [0.08, 0.45, -0.53]]) / 12.0
    series, power = np.eye(3), np.eye(3)
    for order in range(1, 20):
        power = power @ rates / order
        series = series + power
    probability = economy.transition(plain(system))
    assert probability == near(series)
    stay = series[0, 0]
    chosen = [economy.next_regime(probability, 0, u) for u in (0.0, stay * 0.999, stay * 1.001, 0.9999)]
    assert chosen == [0, 0, 1, 2]
    bust = calm(system, 1, regime=np.array([0.9999]))["months"][0]
    still = calm(system, 1)["months"][0]
    assert bust["log_equity"] - still["log_equity"] == near(-0.55)


def test_income_value_is_the_integral_until_running_costs_eat_the_rent():
    gross, running, decline, discount = 8.76 * 0.7 * 5.9, 8.76 * 0.9, 0.24, 0.127
    years = math.log(gross / running) / decline

    def income(after: float) -> float:
        return (gross * math.exp(-decline * after) - running) * math.exp(-discount * after)

    expected, error = quad(income, 0.0, years)
    found = chips.income_value(rent=5.9, cost=0.9, hours=0.7, discount=0.127, d=0.24)
    # 36.1788 (1 - e^(-2.3299)) / 0.367 - 7.884 (1 - e^(-0.8063)) / 0.127
    assert found == pytest.approx(54.63, abs=0.01) and found == pytest.approx(expected, abs=10 * error)


def test_prices_and_capacity_of_month_zero_are_the_books():
    system = example.small_system()
    start = chips.start(plain(system))
    assert start["price_start"][:3] == near([9.0, 25.0, 46.0])
    assert start["capacity_start"] == near(8.76 * (3.0 * 1.7 + 2.6 * 3.6 + 2.0 * 5.9))
    assert start["price_scale"][3] == near(sum(start["price_scale"][:3]) / 3.0)


def test_utilisation_rent_and_stress_of_the_first_month():
    month = calm(example.small_system(), 1)["months"][0]
    # Half of 710 / 12 buys the newest two generations, which work in the month they are bought.
    bought = [0.0, 0.5 * 710.0 / 12.0 * 0.3 / 36.0, 0.5 * 710.0 / 12.0 * 0.7 / 55.0]
    assert month["bought"][:3] == near(bought)
    built = 1.7 * 3.0 + 3.6 * (2.6 + bought[1]) + 5.9 * (2.0 + bought[2])
    growth = built / (1.7 * 3.0 + 3.6 * 2.6 + 5.9 * 2.0)
    # All three generations age alike; demand grows by 0.8 times log growth of revenue.
    demand = math.exp(0.8 * (month["log_revenue"] - math.log(60.0)))
    assert month["utilisation"] == near(0.7 * demand * math.exp(AGEING / 12.0) / growth)
    assert month["rent"][:3] == near([r * demand / growth for r in (1.7, 3.6, 5.9)])
    assert month["stress"] == near(-math.log(demand / growth) - DECLINE / 12.0)
    assert month["fleet"][2] == near((2.0 + bought[2]) * (1.0 - 0.05 / 12.0))


def test_capex_answers_the_utilisation_of_the_month_before():
    first, second = calm(example.small_system(), 2)["months"]
    assert first["capex"] == near(710.0) and first["utilisation"] != near(0.7)
    assert second["capex"] == near(710.0 * math.sqrt(first["utilisation"] / 0.7))


def test_a_release_may_slip_and_keeps_its_order():
    system = example.small_system()
    fate = example.calm_fate(system)
    assert chips.release_months(plain(system), fate)[3] == 10
    fate["slip"][3] = 0.2
    # Median of the triangular law on 2, 4, 9: 9 - sqrt(0.5 * 7 * 5) = 4.82, five months.
    assert chips.release_months(plain(system), fate)[3] == 15
    system.chips.release_month = np.array([-40, -20, 16, 15])
    assert chips.release_months(plain(system), fate | {"slip": np.ones(4)})[2:] == [16, 17]


def test_a_release_makes_older_chips_obsolete():
    months = calm(example.small_system(), 11)["months"]
    jump = months[9]["obsolescence"] - months[8]["obsolescence"]
    effect = 0.22 * math.log(2.2) * math.exp(-(0.35**2) / 2.0)
    assert jump == near([AGEING / 12.0 + effect] * 3 + [0.0])
    assert months[10]["obsolescence"][3] == near(AGEING / 12.0)


def test_the_ramp_and_present_value_of_a_contract():
    book = plain(example.small_system())
    assert contracts.term(book, 0, 12) == near(1.2 + 4.8 * 0.5) and contracts.term(book, 0, 61) == 0.0
    assert contracts.after(book, 0, 61) == 6.0 and contracts.after(book, 5, 31) == 0.0
    # The hyperscaler pays 3 a year for 18 months: an annuity at 10%.
    decay = math.exp(-0.1 / 12.0)
    assert contracts.present_value(book, 2, 6) == near(0.25 * decay * (1.0 - decay**12) / (1.0 - decay))
    assert contracts.term(book, 7, 5) == 0.0, "a plan binds nobody"


def triangle():
    """A owes B 10, B owes C 8, C owes A 4; A has 4, B 1, C nothing; half of what is received is margin."""
    book = Table(
        firms=Table(cash=[4.0, 1.0, 0.0], outside=[0.0, 0.0, 0.0]),
        contracts=Table(
            buyer=[0, 1, 2], seller=[1, 2, 0], senior=[0.0] * 3, margin=[0.5] * 3, operating=[1.0] * 3
        ),
        numbers=Table(mechanisms=Table(circular_contracts=1.0)),
    )
    now = {
        "obligation": [10.0, 8.0, 4.0],
        "liquid": [4.0, 1.0, 0.0],
        "raised": [0.0] * 3,
        "backup": [0.0] * 3,
        "operating": [1.0] * 3,
        "flags": 0,
        "served": [10.0, 8.0, 5.0],
    }
    return book, now


def test_four_rounds_of_a_clearing_triangle():
    book, now = triangle()
    contracts.clear(book, now)
    # Rounds from (10, 8, 4): (6, 6, 4), (6, 4, 3), (5.5, 4, 2), (5, 3.75, 2); the last still moved by 0.5.
    assert now["paid"] == near([5.0, 3.75, 2.0])
    assert now["flags"] == 1


def test_without_circular_contracts_sellers_clear_on_full_size():
    book, now = triangle()
    book.numbers.mechanisms.circular_contracts = 0.0
    contracts.clear(book, now)
    # Half of 60/12, 120/12 and 96/12 a month, though C owes A only 4: W = 6.5, 6 and 4.
    assert now["paid"] == near([6.5, 6.0, 4.0]) and now["flags"] == 0
    book.contracts.operating[2] = 0.0
    contracts.clear(book, now)
    assert now["paid"][0] == near(4.0), "only operating flows are received in full"
    book.contracts.operating[2] = 1.0
    book.numbers.mechanisms.circular_contracts = 0.5
    contracts.clear(book, now)
    # Half way between: rounds (6.25, 6, 4), (6.25, 5.0625, 3.5), (6.125, 5.0625, 3.265625), ...
    assert now["paid"] == near([4.0 + 1.25 + 3.265625 / 4.0, 1.0 + 2.5 + 6.125 / 4.0, 2.0 + 5.0625 / 4.0])
    now["operating"] = [0.0, 1.0, 1.0]
    contracts.clear(book, now)
    assert now["paid"][0] == 0.0 and now["theta"][0] == {1: 0.0, 2: 0.0}


def test_seniors_are_paid_first_and_the_dead_pay_nothing():
    book, now = triangle()
    book.contracts.buyer, book.contracts.senior = [0, 0, 2], [1.0, 0.0, 0.0]
    now["obligation"], now["operating"] = [3.0, 4.0, 4.0], [1.0, 1.0, 0.0]
    contracts.clear(book, now)
    assert now["theta"][0] == {1: 1.0, 2: 0.25} and now["paid"] == near([3.0, 1.0, 0.0])


def test_only_circular_contracts_make_a_claim_on_a_dead_buyer_worth_less():
    for switch, worth in ((1.0, 0.4), (0.5, 0.7), (0.0, 1.0)):
        system = example.small_system()
        system.numbers.mechanisms.circular_contracts, system.contracts.cover[4] = switch, 0.4
        fate = example.calm_fate(system) | {"threshold_firms": np.array([1e9, 0.0, 1e9, 1e9, 1e9, 1e9])}
        month = calm(system, 2, fate=fate)["months"][1]
        assert month["quality"][4] == near(worth)
        core = 0.5 * math.exp(-0.5 * month["stress"]) - 0.12 * 1.15 ** (2.0 / 12.0)
        assert month["forward"][example.HOST] == near(core + 0.9 * 0.7 * worth)


def test_a_buyer_expects_to_pay_nothing_to_a_dead_seller():
    system = example.small_system()
    fate = example.calm_fate(system) | {"threshold_firms": np.array([1e9, 0.0, 1e9, 1e9, 1e9, 1e9])}
    month = calm(system, 2, fate=fate)["months"][1]
    result = 0.3 * month["revenue"] * 0.55 - 6.0 * 1.15 ** (2.0 / 12.0)
    assert month["forward"][example.LAB] == near(result - (1.5 + 18.5 * 14.0 / 36.0))


def test_a_loss_runs_through_the_waterfall():
    tranches = Table(attachment=[0.0, 0.3], detachment=[0.3, 1.0])
    assert [pools.written_off(tranches, k, 0.2) for k in (0, 1)] == near([0.2, 0.0])
    assert [pools.written_off(tranches, k, 0.5) for k in (0, 1)] == near([0.3, 0.2])


def test_a_pool_of_rents_uses_its_reserve_then_loses_what_the_site_does_not_fetch():
    system = example.small_system()
    fate = example.calm_fate(system)
    fate["threshold_obligors"][3] = 0.0
    system.firms.hazard[example.HOST], fate["threshold_firms"][example.HOST] = 1.0, 0.0
    system.pools.relet[1], system.pools.dscr[1] = 0.0, 1.6
    system.numbers.lenders.supply_loss = 0.0
    months = path.simulate_path(system, fate, example.calm_shocks(system, 8), 8)["months"]
    # Three tenths and fifteen hundredths of the rent are gone: DSCR 1.6 * 0.55 = 0.88 until month 7.
    assert months[0]["pool_dscr"][1] == near(0.88)
    assert months[5]["pool_loss"][1] == 0.0 and months[6]["pool_debt"][1] == 0.0
    loss = 1.0 - 0.55 * 0.9 / 0.68
    assert months[6]["pool_loss"][1] == near(loss)
    notional = 6.0 + months[5]["new_money"][1]
    assert months[6]["tranche_loss"] == near([min(loss, 0.3) * notional, max(loss - 0.3, 0.0) * notional])
    assert months[7]["tranche_loss"] == near([0.0, 0.0])


def test_a_dead_obligor_loses_its_share_of_the_pool_once():
    system = example.small_system()
    fate = example.calm_fate(system)
    frailty = math.exp(-(0.3**2) / 2.0)
    fate["threshold_obligors"][1] = 1.5 * 0.04 * frailty / 12.0
    months = path.simulate_path(system, fate, example.calm_shocks(system, 3), 3)["months"]
    assert months[0]["pool_hazard"][0] == near(0.04 * frailty / 12.0)
    assert [month["obligor_loss"][1] for month in months[::2]] == [0.0, 0.0]
    lgd = 0.45 * (1.0 + 0.5 * max(months[1]["stress"], 0.0)) + 0.25 * months[1]["price_gap"]
    assert months[1]["obligor_loss"][1] == near(0.3 * (12.0 + months[0]["new_money"][0]) * lgd)


def test_exposure_counts_what_lives_and_growth_never_falls():
    system = example.small_system()
    system.pools.origination_share[:] = 0.0
    fate = example.calm_fate(system)
    fate["threshold_obligors"][0] = 1.5 * 0.04 * math.exp(-(0.3**2) / 2.0) / 12.0
    first, second = calm(system, 2, fate=fate)["months"]
    start = example.small_lenders().exposure_start
    assert first["exposure"] == near(sum(first["balance"]) + 12.0 + 6.0)
    assert sum(start) == near(6.4 + 3.0 + 5.0 + 108.0 + 60.0 + 5.0 + 12.0 + 6.0)
    assert first["growth"] == near(np.maximum(first["held_exposure"] / start, 1.0))
    assert first["held_exposure"].sum() == near(first["exposure"]) and max(first["growth"]) > 1.0
    assert second["exposure"] == near(sum(second["balance"]) + 0.5 * 12.0 + 6.0)
    assert second["exposure"] < first["exposure"] and (second["growth"] >= first["growth"]).all()


def test_a_firm_dies_in_the_month_its_hazard_integral_passes_its_threshold():
    system = example.small_system()
    fate = example.calm_fate(system)
    rates = [month["hazard_rate"][example.HOST] for month in calm(system, 3)["months"]]
    fate["threshold_firms"][example.HOST] = (rates[0] + rates[1] / 2.0) / 12.0
    result = calm(system, 3, fate=fate)
    assert result["default_month"][example.HOST] == 2 and result["cause"][example.HOST] == 5

"""The reference against numbers worked by hand: earnings, funding, collateral and credit."""

import math

import numpy as np

from tests.reference import chips, collateral, example
from tests.reference.book import plain
from tests.reference.by_hand import calm, near
from tests.reference.example import CLOUD, GIANT, HOST, LAB, SOFTWARE


def test_earnings_of_a_host_and_the_cash_a_lab_keeps():
    system = example.small_system()
    system.firms.cash[LAB] = 0.5
    month = calm(system, 1)["months"][0]
    core = 0.5 * math.exp(-0.5 * month["stress"]) - 0.12 * 1.15 ** (1.0 / 12.0)
    rent = 0.5 + 0.2 * 7.0 / 12.0
    assert month["ebitda"][HOST] == near((core + 0.9 * rent) / 12.0)
    assert month["forward"][HOST] == near(core + 0.9 * 0.7)
    owed = month["obligation"][0] + month["obligation"][1]
    sized_on = 60.0 + 58.0 / 12.0
    spent = 1.2 + 4.8 / 24.0 + 1.5 + 18.5 / 36.0
    assert owed == near(spent * min(1.0, 0.5 + 0.5 * month["revenue"] / sized_on) / 12.0)
    result = 0.3 * month["revenue"] * 0.55 - 6.0 * 1.15 ** (1.0 / 12.0)
    liquid = 0.5 + result / 12.0 - 5.0 * 0.11 / 12.0 + min(1.0, month["equity"])
    assert month["raised"][LAB] == near(7.0 * owed - liquid) and month["raised"][LAB] > 0.0


def test_a_guarantor_pays_for_a_dead_tenant_and_half_of_the_rest_is_relet():
    system = example.small_system()
    system.contracts.cover[4] = 0.4
    fate = example.calm_fate(system) | {"threshold_firms": np.array([1e9, 0.0, 1e9, 1e9, 1e9, 1e9])}
    months = calm(system, 2, fate=fate)["months"]
    rent = (0.5 + 0.2 * 8.0 / 12.0) / 12.0
    assert months[0]["cause"][CLOUD] == 5 and months[1]["paid"][4] == 0.0
    assert months[1]["guarantee"][4] == near(0.4 * rent)
    assert months[1]["relet"][4] == near(0.5 * 0.6 * rent)


def test_interest_amortisation_and_the_share_of_bonds_that_falls_due():
    month = calm(example.small_system(), 1)["months"][0]
    assert month["interest"][0] == near(6.4 * (0.06 + 0.037) / 12.0)
    assert month["interest"][5] == near(108.0 * 0.05 / 12.0)
    assert month["interest"][4] == 0.0, "interest during construction is in the budget"
    assert month["amortisation"][0] == near(6.4 * 0.2 / 12.0)
    assert month["due"][6] == near(60.0 * 0.1 / 12.0)


def test_capex_is_paid_from_cash_then_equity_then_debt():
    system = example.small_system()
    system.firms.cash[CLOUD] = 0.45
    month = calm(system, 1)["months"][0]
    flow = month["ebitda"][CLOUD] - month["interest"][:3].sum() - month["amortisation"][:3].sum()
    assert 0.0 < 0.45 + flow < 0.5, "all of the cash is below the minimum"
    assert month["own_capex"][SOFTWARE] == near(20.0 / 12.0) and month["capex_debt"][SOFTWARE] == 0.0
    want = 2.0 / 12.0
    assert month["own_capex"][CLOUD] == 0.0 and month["capex_stock"][CLOUD] == near(0.3 * want)
    assert month["capex_debt"][CLOUD] == near(0.7 * want)
    origination = 0.004 * 0.3 * month["capex"] / 12.0
    assert month["balance"][1] == near(0.7 * want + 4.0 / 12.0 + origination)
    # Half a year of issuance at 12% of today's market value, less what was issued for capex.
    assert month["headroom"][CLOUD] == near(0.12 * 0.5 * 40.0 * month["equity"] - 0.3 * want)


def test_what_cash_equity_and_revolver_do_not_cover_is_bridged_within_the_room():
    system = example.small_system()
    system.firms.cash[CLOUD], system.firms.equity_value[CLOUD], system.loans.committed[2] = 0.0, 0.0, 0.0
    system.firms.fixed_cost[CLOUD] = 2.0
    system.contracts.annual[4], system.contracts.start_annual[4] = 0.0, 0.0
    month = calm(system, 1)["months"][0]
    gap = month["interest"][:3].sum() + month["amortisation"][:3].sum() - month["ebitda"][CLOUD]
    assert month["bridged"][CLOUD] == near(gap) and month["balance"][2] == near(gap) and gap > 0.0
    system.firms.debt_multiple[CLOUD] = 0.0
    refused = calm(system, 1)["months"][0]
    assert refused["bridged"][CLOUD] == 0.0 and refused["cause"][CLOUD] == 2


def test_hazard_rises_with_leverage_and_dead_peers():
    system = example.small_system()
    fate = example.calm_fate(system) | {"threshold_firms": np.array([1e9, 0.0, 1e9, 1e9, 1e9, 1e9])}
    first, second = calm(system, 2, fate=fate)["months"]
    debt = first["balance_at_default"][:3].sum()
    leverage = 0.5 * (debt / first["limit"][CLOUD] - 0.75)
    assert first["hazard_rate"][CLOUD] == near(0.03 * math.exp(leverage))
    assert second["hazard_rate"][GIANT] == near(0.001 * math.e * math.sqrt(second["spread"]))


def test_a_waiver_lasts_nine_months_and_is_then_asked_for_again():
    system = example.small_system()
    credit = system.numbers.credit
    credit.ltv_covenant, credit.ltv_cure, credit.dscr_trap = 0.4, 0.5, 0.8
    system.firms.cash[CLOUD] = 20.0
    waiver = np.full((10, len(system.loans.borrower)), 0.95)
    waiver[0] = 0.5
    months = calm(system, 10, waiver=waiver)["months"]
    assert months[0]["waived_until"][0] == 9 and not any(month["cured"].any() for month in months[:9])
    cured = months[9]["cured"][0]
    before = months[9]["balance"][0] + cured
    value = before / months[9]["ltv"][0]
    assert cured == near(before - 0.5 * value) and cured > 0.0


def test_trapped_cash_sweeps_half_of_the_surplus():
    months = calm(example.small_system(), 6)["months"]
    assert months[0]["dscr"][0] < 1.0 and months[0]["swept"][0] == 0.0
    owed = months[5]["interest"][0] + months[5]["amortisation"][0]
    assert 1.0 < months[5]["dscr"][0] < 1.3
    assert months[5]["swept"][0] == near(0.5 * (months[5]["dscr"][0] - 1.0) * owed)


def test_notes_that_mature_are_rolled_at_the_new_coupon():
    months = calm(example.small_system(), 15)["months"]
    assert months[13]["due"][3] == 0.0 and months[14]["due"][3] == 3.0
    assert months[14]["balance"][3] == near(3.0) and months[14]["maturity"][3] == 15 + 48
    assert months[14]["coupon"][3] == near(0.055 + 0.037)


def test_notes_that_find_no_refinancing_are_paid_extended_exchanged_or_default():
    results = {}
    for name, uniform in (("extended", 0.1), ("exchange", 0.5), ("default", 0.9)):
        system = example.small_system()
        system.firms.debt_multiple[HOST] = 0.0
        extension = np.full((15, len(system.loans.borrower)), uniform)
        results[name] = calm(system, 15, extension=extension)
    before = results["extended"]["months"][13]
    for result in results.values():
        assert result["months"][13]["cash"][HOST] == before["cash"][HOST]
    extended, exchange, default = (result["months"][14] for result in results.values())
    assert extended["maturity"][3] == 15 + 24 and extended["cause"][HOST] == 0
    # All cash above the minimum of 0.1, equity capacity, and nothing else.
    assert extended["cash"][HOST] == near(0.1)
    assert 0.0 < extended["balance"][3] < 3.0 and extended["headroom"][HOST] == near(0.0)
    assert exchange["cause"][HOST] == 6
    assert exchange["loan_loss"][3] == near(0.25 * extended["balance"][3])
    assert default["cause"][HOST] == 2 and default["balance"][3] == 0.0
    own = 0.35 * math.exp(-0.35 * max(default["stress"], 0.0))
    assert default["recovery"][3] == near(own + 0.6 * (0.95 - own))


def test_scale_of_collateral_sets_the_loan_to_value_of_month_zero():
    book = plain(example.small_system())
    first, second = collateral.start_scales(book, chips.start(book)["price_start"])
    lab = sum((1.2 + 4.8 * min(s / 24.0, 1.0)) / 12.0 * math.exp(-0.1 * s / 12.0) for s in range(1, 61))
    giant = sum(3.0 / 12.0 * math.exp(-0.1 * s / 12.0) for s in range(1, 19))
    secured = 0.6 * 0.75 * lab + 0.5 * 0.7 * giant
    years = (0.6 * 6.0 * 5.0 + 0.5 * 3.0 * 1.5) / (0.6 * 6.0 + 0.5 * 3.0)
    stock = 0.06 * 9.0 + 0.05 * 25.0
    assert first == near(6.4 / 0.65 / (0.85 * secured + math.exp(-0.24 * years) * stock))
    assert second == 0.0, "nothing is drawn yet"


def test_every_draw_brings_collateral_at_the_documented_loan_to_value():
    month = calm(example.small_system(), 1)["months"][0]
    assert month["ltv"][1] == near(0.70)
    units = np.array([0.06, 0.05, 0.0, 0.0])
    lab = sum((1.2 + 4.8 * min(s / 24.0, 1.0)) / 12.0 * math.exp(-0.1 * (s - 1) / 12.0) for s in range(2, 61))
    giant = sum(3.0 / 12.0 * math.exp(-0.1 * (s - 1) / 12.0) for s in range(2, 19))
    years = (0.6 * 6.0 * 59.0 + 0.5 * 3.0 * 17.0) / 12.0 / (0.6 * 6.0 + 0.5 * 3.0)
    secured = 0.6 * 0.75 * lab + 0.5 * 0.7 * giant
    before = 0.85 * secured + math.exp(-0.24 * years) * (units @ month["price"])
    book = plain(example.small_system())
    scale, _ = collateral.start_scales(book, chips.start(book)["price_start"])
    assert month["balance"][0] / month["ltv"][0] == near(scale * before + 0.1 / 0.65)


def foreclosed():
    """The neocloud's first loan is called in month 1 and nothing can cure it."""
    system = example.small_system()
    credit = system.numbers.credit
    credit.waiver, credit.ltv_covenant, credit.ltv_cure, credit.step_in = 0.0, 0.3, 0.2, 0.3
    system.firms.cash[CLOUD], system.firms.equity_value[CLOUD] = 0.3, 0.0
    system.numbers.chips.depth = 0.01
    system.loans.draw_months[1], system.loans.origination_share[1] = 0.0, 0.0
    system.calendar.firm_capex[:, CLOUD] = 0.0
    return system


def test_a_foreclosure_sells_a_month_of_chips_into_the_depth():
    system = foreclosed()
    month = calm(system, 1)["months"][0]
    assert month["cause"][CLOUD] == 1 and month["foreclosed"].tolist() == [True, False]
    meter = 1.0 - 0.67 ** (1.0 / 3.0)
    # The draw of 0.1 bought chips of the newest two generations, three tenths of it the older one.
    units = [0.06, 0.05 + 0.84 * 0.1 * 0.3 / 36.0, 0.84 * 0.1 * 0.7 / 55.0, 0.0]
    assert month["sold"] == near([meter * number for number in units])
    busy = month["utilisation"] / 0.7
    depth = 0.01 * 0.9 * 3.0 * sum(month["bought"]) * (0.5 + 0.5 * busy)
    assert month["depth"][0] == near(depth)
    assert month["fire_sale"][0] == near(0.8 * meter * 0.06 / depth) and month["fire_sale"][0] < 0.8
    cheaper = month["price_before_sales"][0] * math.exp(-month["fire_sale"][0])
    assert month["price"][0] == near(max(cheaper, 2.5))
    assert month["held"] == near([number - meter * number for number in units])


def test_recovery_of_a_foreclosed_loan_is_chips_contract_and_base():
    month = calm(foreclosed(), 1)["months"][0]
    balance = 6.4 + 0.1 - 6.4 * 0.2 / 12.0
    units = [0.06, 0.05 + 0.84 * 0.1 * 0.3 / 36.0, 0.84 * 0.1 * 0.7 / 55.0, 0.0]
    stock = sum(units * month["price"])
    lab = sum((1.2 + 4.8 * min(s / 24.0, 1.0)) / 12.0 * math.exp(-0.1 * (s - 1) / 12.0) for s in range(2, 61))
    giant = sum(3.0 / 12.0 * math.exp(-0.1 * (s - 1) / 12.0) for s in range(2, 19))
    secured = 0.6 * 0.75 * lab + 0.5 * 0.7 * giant
    assert month["recovery"][0] == near((0.9 * stock + 0.3 * secured) / balance + 0.05)
    assert month["loan_loss"][0] == near(balance * (1.0 - month["recovery"][0]))

"""The reference against numbers worked by hand: earnings, funding, collateral and credit."""

import math
from types import SimpleNamespace

import numpy as np

from tests.reference import chips, collateral, example, funding, path
from tests.reference.book import plain
from tests.reference.by_hand import calm, near
from tests.reference.example import CLOUD, GIANT, HOST, LAB, SOFTWARE
from tests.reference.scalars import EXCHANGE, FORECLOSURE, LIQUIDITY

DECLINE = math.log(0.7 * 5.9 / 0.9) / 6.0
KEPT = 1.0 - 0.05 / 12.0
"""Of chips, those that do not fail in a month."""


def test_earnings_of_a_host_and_the_cash_a_lab_keeps():
    system = example.small_system()
    system.firms.cash[LAB], system.firms.fixed_cost[LAB] = 0.5, 24.0
    month = calm(system, 1)["months"][0]
    core = 0.5 * math.exp(-0.5 * month["stress"]) - 0.12 * 1.15 ** (1.0 / 12.0)
    rent = 0.5 + 0.2 * 7.0 / 12.0
    assert month["ebitda"][HOST] == near((core + 0.9 * rent) / 12.0)
    assert month["forward"][HOST] == near(core + 0.9 * 0.7)
    owed = month["obligation"][0] + month["obligation"][1]
    sized_on = 60.0 + 58.0 / 12.0
    spent = 1.2 + 4.8 / 24.0 + 1.5 + 18.5 / 36.0
    assert owed == near(spent * min(1.0, 0.5 + 0.5 * month["revenue"] / sized_on) / 12.0)
    result = 0.3 * month["revenue"] * 0.55 - 24.0 * 1.15 ** (1.0 / 12.0)
    flow = result / 12.0 - 5.0 * 0.11 / 12.0 + min(1.0, month["equity"])
    assert month["burn"][LAB] == near(owed - flow) and month["burn"][LAB] > 0.0
    # A round pays what is owed and 18 months of burn, less what there is.
    assert month["raised"][LAB] == near(owed + 18.0 * month["burn"][LAB] - 0.5 - flow)


def test_a_guarantor_pays_for_a_dead_tenant_and_half_of_the_rest_is_relet():
    system = example.small_system()
    system.contracts.cover[4] = 0.4
    fate = example.calm_fate(system) | {"threshold_firms": np.array([1e9, 0.0, 1e9, 1e9, 1e9, 1e9])}
    months = calm(system, 2, fate=fate)["months"]
    rent = (0.5 + 0.2 * 8.0 / 12.0) / 12.0
    assert months[0]["cause"][CLOUD] == 5 and months[1]["paid"][4] == 0.0
    assert months[1]["guarantee"][4] == near(0.4 * rent)
    assert months[1]["relet"][4] == near(0.5 * 0.6 * rent * math.exp(-max(months[1]["stress"], 0.0)))


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


def needy():
    """The neocloud has neither cash nor equity nor an undrawn revolver, loses money and owes rent."""
    system = example.small_system()
    system.firms.cash[CLOUD], system.firms.equity_value[CLOUD], system.loans.committed[2] = 0.0, 0.0, 0.0
    system.firms.fixed_cost[CLOUD] = 2.0
    system.loans.pik_share[:] = 0.0
    return system


def test_what_cash_equity_and_revolver_do_not_cover_is_lent_in_need_and_pays_contracts():
    month = calm(needy(), 1)["months"][0]
    gap = month["interest"][:3].sum() + month["amortisation"][:3].sum() - month["ebitda"][CLOUD]
    assert month["paid"][4] == month["obligation"][4] and 0.0 < month["obligation"][4]
    assert month["bridged"][CLOUD] == near(gap) and month["balance"][2] == near(gap) and gap > 0.0
    assert month["cause"][CLOUD] == 0
    # Spare at month 0 is 5 * 0.7 * 1.15 of trailing EBITDA less 6.4 drawn: here half of the gap.
    system = needy()
    system.firms.ebitda_ttm[CLOUD] = (6.4 + gap / 2.0) / (5.0 * 0.7 * 1.15)
    short = calm(system, 1)["months"][0]
    assert short["obligation"][4] - short["paid"][4] == near(min(gap / 2.0, short["obligation"][4]))
    assert short["arrears"][CLOUD] > 0.0 and short["bridged"][CLOUD] <= gap / 2.0 * (1.0 + 1e-12)
    assert short["cause"][CLOUD] == LIQUIDITY and short["spare"][CLOUD] == 0.0


def test_new_debt_in_need_goes_to_the_growth_loan_where_there_is_no_revolver():
    system = needy()
    system.firms.revolver[:, CLOUD] = 0.0
    system.calendar.firm_capex[:, CLOUD] = 0.0
    month = calm(system, 1)["months"][0]
    origination = 0.004 * 0.3 * month["capex"] / 12.0
    assert month["bridged"][CLOUD] > 0.0 and month["balance"][2] == 0.0
    assert month["balance"][1] == near(month["bridged"][CLOUD] + 4.0 / 12.0 + origination)
    assert month["borrowed"][1] == near(4.0 / 12.0 + origination), "debt in need buys no chips"


def test_spare_debt_of_month_zero_is_capacity_on_trailing_earnings_and_value():
    system = example.small_system()
    system.firms.value_multiple[CLOUD] = 0.1
    spare = funding.start_spare(plain(system))
    cloud = (5.0 * 0.7 * 3.0 + 0.1 * 40.0) * 1.15 - 6.4
    assert spare == near([0.0, cloud, 0.0, 6.5 * 0.7 * 26.0 * 1.15 - 108.0, 0.0, 0.0])
    system.firms.ebitda_ttm[CLOUD], system.firms.value_multiple[CLOUD] = -3.0, 0.5
    system.firms.growth_loan[6, GIANT] = 1.0
    system.firms.ebitda_ttm[SOFTWARE] = 1.0
    assert funding.start_spare(plain(system)) == near([0.0, 20.0 * 1.15 - 6.4, 0.0, 0.0, 0.0, 0.0])


def test_spare_debt_is_what_the_limit_leaves_after_capex_times_supply():
    system = example.small_system()
    system.firms.cash[CLOUD] = 0.45
    start = calm(system, 1)["final"]
    start["supply"] = 0.8
    shocks = example.calm_shocks(system, 1)
    month = path.simulate_path(system, example.calm_fate(system), shocks, 1, start=start)["months"][0]
    origination = 0.004 * month["origination"]
    owed = month["balance"][:3].sum() + month["swept"].sum() - origination
    assert month["capex_debt"][CLOUD] > 0.0
    assert month["spare"][CLOUD] == near(0.8 * (month["limit"][CLOUD] - owed))
    assert month["spare"][[LAB, HOST, GIANT]].tolist() == [0.0, 0.0, 0.0]


def test_hazard_rises_with_leverage_and_dead_peers():
    system = example.small_system()
    fate = example.calm_fate(system) | {"threshold_firms": np.array([1e9, 0.0, 1e9, 1e9, 1e9, 1e9])}
    first, second = calm(system, 2, fate=fate)["months"]
    debt = first["balance_at_default"][:3].sum()
    leverage = 0.5 * (debt / first["limit"][CLOUD] - 0.75)
    stress = [0.6 * max(month["stress"], 0.0) for month in (first, second)]
    assert first["hazard_rate"][CLOUD] == near(0.03 * math.exp(leverage + stress[0]))
    assert second["hazard_rate"][GIANT] == near(0.001 * math.exp(1.0 + stress[1]) * second["spread"] ** 0.5)


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


def test_beyond_the_ceiling_lenders_lend_less_and_not_dearer():
    """Lenders ask for 0.055 and take 0.022: two fifths of the notes are refinanced, the rest is extended."""
    system = example.small_system()
    system.numbers.credit.margin_ceiling = 0.022
    month = calm(system, 15, extension=np.full((15, len(system.loans.borrower)), 0.99))["months"][14]
    assert month["due"][3] == 3.0 and month["rolled"][3] == near(1.2)
    assert month["loan_unpaid"][3] > 0.0 and month["limit"][HOST] > 3.0
    weight = 1.2 / (1.2 + month["loan_unpaid"][3])
    assert month["coupon"][3] == near(0.09 + weight * (0.022 + 0.037 - 0.09))


def test_new_debt_and_debt_in_need_are_rationed_by_the_margin_of_their_loan():
    """At two fifths of what its growth loan asks for, a cloud borrows two fifths of what it would."""
    shares = {}
    for ceiling in (1.0, 0.4):
        system = example.small_system()
        system.firms.cash[CLOUD], system.firms.equity_volatility[CLOUD] = 0.45, 0.0
        system.numbers.credit.margin_ceiling = ceiling * float(system.loans.refinancing_margin[1])
        month = calm(system, 1)["months"][0]
        shares[ceiling] = month["capex_debt"][CLOUD], month["spare"][CLOUD]
    assert shares[0.4][0] == near(0.4 * shares[1.0][0]) and shares[1.0][0] > 0.0
    revolver = system.loans.refinancing_margin[1] / system.loans.refinancing_margin[2]
    unused = shares[1.0][1] / min(1.0, revolver) + shares[1.0][0] - shares[0.4][0]
    assert shares[0.4][1] == near(min(1.0, 0.4 * revolver) * unused)


def test_notes_that_find_no_refinancing_are_paid_extended_exchanged_or_default():
    results = {}
    for name, uniform in (("extended", 0.1), ("exchange", 0.5), ("default", 0.9)):
        system = example.small_system()
        system.firms.debt_multiple[HOST] = 1e-9
        system.numbers.credit.standstill_months = 1.0
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
    assert extended["coupon"][3] == near(0.055 + 0.037), "lenders extend at the terms of the month"
    assert exchange["cause"][HOST] == 6
    assert exchange["loan_loss"][3] == near(0.25 * extended["balance"][3])
    assert default["cause"][HOST] == 2 and default["balance"][3] == 0.0
    own = 0.35 * math.exp(-0.35 * max(default["stress"], 0.0))
    assert default["recovery"][3] == near(own + 0.6 * (0.95 - own))


def test_a_loan_whose_tenant_pays_is_extended_as_agreed_where_lenders_would_ask_for_more():
    """The notes bear 9%. Lenders ask for 9.2% and they are extended, or for 8.7% and they are refinanced."""
    for margin, coupon, tenor in ((0.055, 0.09, 24), (0.05, 0.087, 48)):
        system = example.small_system()
        system.loans.has_tenant[3], system.loans.tenant[3] = 1.0, SOFTWARE
        system.loans.refinancing_margin[3] = margin
        last = calm(system, 15)["months"][14]
        assert last["balance"][3] == near(3.0) and last["maturity"][3] == 15 + tenor
        assert last["coupon"][3] == near(coupon) and last["rolled"][3] == (3.0 if tenor == 48 else 0.0)
        system.numbers.credit.refinance_months = 3.0
        assert (calm(system, 12)["months"][11]["ahead"][3] > 0.0) == (tenor == 48)
    # A tenant that has left business gives nobody a right, nor does a lease that has ended.
    system.loans.refinancing_margin[3], system.numbers.credit.refinance_months = 0.055, 0.0
    fate = example.calm_fate(system) | {"threshold_firms": np.array([1e9, 1e9, 1e9, 0.0, 1e9, 1e9])}
    assert calm(system, 15, fate=fate)["months"][14]["rolled"][3] > 0.0
    assert calm(system, 15)["months"][14]["rolled"][3] == 0.0
    system.contracts.end_month[system.contracts.seller == HOST] = 14.0
    assert calm(system, 15)["months"][14]["rolled"][3] > 0.0


def test_a_right_to_extend_is_used_once():
    """Extended as agreed in month 15, refinanced at what lenders ask for in month 39, with a new right."""
    system = example.small_system()
    system.loans.has_tenant[3], system.loans.tenant[3] = 1.0, SOFTWARE
    system.contracts.end_month[system.contracts.seller == HOST] = 90.0
    months = calm(system, 39)["months"]
    assert months[13]["option"][3] and months[14]["rolled"][3] == 0.0 and not months[14]["option"][3]
    assert months[14]["maturity"][3] == 15 + 24
    assert months[37]["coupon"][3] == near(0.09) and months[38]["coupon"][3] == near(0.055 + 0.037)
    assert months[38]["rolled"][3] == near(3.0) and months[38]["option"][3]
    assert months[38]["maturity"][3] == 39 + 48


def test_lenders_stand_still_until_they_decide():
    """Of three months: with u = 0.6 nothing happens; u = 0.7 decides, and 0.1 of a uniform extends."""
    rows = {}
    for uniform in (0.6, 0.7):
        system = example.small_system()
        system.firms.debt_multiple[HOST] = 1e-9
        system.numbers.credit.standstill_months = 3.0
        extension = np.full((16, len(system.loans.borrower)), uniform)
        rows[uniform] = calm(system, 16, extension=extension)["months"]
    still, extended = (rows[uniform][14] for uniform in (0.6, 0.7))
    assert still["maturity"][3] == 15 and still["cause"][HOST] == 0
    assert still["balance"][3] == extended["balance"][3] and extended["maturity"][3] == 15 + 24
    assert abs(rows[0.6][15]["due"][3] - still["balance"][3]) < 1e-8 and rows[0.7][15]["due"][3] == 0.0


def test_scale_of_collateral_sets_the_loan_to_value_of_month_zero():
    book = plain(example.small_system())
    first, second = collateral.start_scales(book, chips.start(book)["price_start"])
    lab = sum((1.2 + 4.8 * min(s / 24.0, 1.0)) / 12.0 * math.exp(-0.1 * s / 12.0) for s in range(1, 61))
    giant = sum(3.0 / 12.0 * math.exp(-0.1 * s / 12.0) for s in range(1, 19))
    secured = 0.6 * 0.75 * lab + 0.5 * 0.7 * giant
    years = (0.6 * 6.0 * 5.0 + 0.5 * 3.0 * 1.5) / (0.6 * 6.0 + 0.5 * 3.0)
    stock = 0.06 * 9.0 + 0.05 * 25.0
    assert first == near(6.4 / 0.65 / (0.85 * secured + math.exp(-DECLINE * years) * stock))
    assert second == 0.0, "nothing is drawn yet"


def test_every_draw_brings_collateral_at_the_documented_loan_to_value():
    system = example.small_system()
    system.numbers.mechanisms.screening = 0.0
    month = calm(system, 1)["months"][0]
    assert month["ltv"][1] == near(0.70)
    units = KEPT * np.array([0.06, 0.05, 0.0, 0.0])
    lab = sum((1.2 + 4.8 * min(s / 24.0, 1.0)) / 12.0 * math.exp(-0.1 * (s - 1) / 12.0) for s in range(2, 61))
    giant = sum(3.0 / 12.0 * math.exp(-0.1 * (s - 1) / 12.0) for s in range(2, 19))
    years = (0.6 * 6.0 * 59.0 + 0.5 * 3.0 * 17.0) / 12.0 / (0.6 * 6.0 + 0.5 * 3.0)
    secured = 0.6 * 0.75 * lab + 0.5 * 0.7 * giant
    before = 0.85 * secured + math.exp(-DECLINE * years) * (units @ month["price"])
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
    system.loans.draw_months[1], system.calendar.origination[:, 1] = 0.0, 0.0
    system.calendar.firm_capex[:, CLOUD] = 0.0
    return system


def owned() -> np.ndarray:
    """What the neocloud owns free of pledge after a month: its contracts pay 1.2 and 3.0 at month 0, and
    pledged chips in the mix of 6 to 5 serve 8.76 * 0.7 * (0.06 * 1.7 + 0.05 * 3.6) of it.
    """
    pledged = 8.76 * 0.7 * (0.06 * 1.7 + 0.05 * 3.6)
    return KEPT * np.array([0.06, 0.05, 0.0, 0.0]) * (6.6 - pledged) / pledged


def test_a_foreclosure_sells_a_month_of_chips_into_the_depth():
    system = foreclosed()
    month = calm(system, 1)["months"][0]
    assert month["cause"][CLOUD] == 1 and month["foreclosed"].tolist() == [True, False]
    meter = 1.0 - 0.67 ** (1.0 / 3.0)
    # The draw of 0.1 bought chips of the newest two generations, three tenths of it the older one.
    units = [KEPT * 0.06, KEPT * 0.05 + 0.84 * 0.1 * 0.3 / 36.0, 0.84 * 0.1 * 0.7 / 55.0, 0.0]
    assert month["units_sold"] == near([meter * number for number in units])
    busy = month["utilisation"] / 0.7
    depth = 0.01 * 0.9 * 3.0 * sum(month["bought"]) * (0.5 + 0.5 * busy)
    assert month["depth"][0] == near(depth)
    assert month["fire_sale"][0] == near(0.8 * meter * KEPT * 0.06 / depth) and month["fire_sale"][0] < 0.8
    # Three hundredths of the list price of 25 is scrap, whatever is sold.
    cheaper = (month["price_before_sales"][0] - 0.75) * math.exp(-month["fire_sale"][0])
    assert month["price"][0] == near(cheaper + 0.75)
    # Chips free of pledge fall to lenders too, and are not sold in the month of the default.
    assert month["held"] == near([number - meter * number for number in units] + owned())
    assert not month["owned"][CLOUD].any()


def test_recovery_of_a_foreclosed_loan_is_chips_contract_and_base():
    month = calm(foreclosed(), 1)["months"][0]
    balance = 6.4 + 0.1 - 6.4 * 0.2 / 12.0
    units = [KEPT * 0.06, KEPT * 0.05 + 0.84 * 0.1 * 0.3 / 36.0, 0.84 * 0.1 * 0.7 / 55.0, 0.0]
    stock = sum(units * month["price"])
    lab = sum((1.2 + 4.8 * min(s / 24.0, 1.0)) / 12.0 * math.exp(-0.1 * (s - 1) / 12.0) for s in range(2, 61))
    giant = sum(3.0 / 12.0 * math.exp(-0.1 * (s - 1) / 12.0) for s in range(2, 19))
    secured = 0.6 * 0.75 * lab + 0.5 * 0.7 * giant
    base = 0.05 * math.exp(-0.35 * max(month["stress"], 0.0))
    assert month["recovery"][0] == near((0.9 * stock + 0.3 * secured) / balance + base)
    assert month["loan_loss"][0] == near(balance * (1.0 - month["recovery"][0]))


def test_chips_of_loans_that_were_not_called_follow_their_foreclosed_borrower():
    system = foreclosed()
    system.loans.committed[1], system.loans.drawn[1], system.loans.ltv_target[1] = 2.0, 2.0, 0.2
    system.loans.pledged[1, :2] = (0.01, 0.02)
    month = calm(system, 1)["months"][0]
    assert month["cause"][CLOUD] == FORECLOSURE and month["foreclosed"].tolist() == [True, False]
    called = np.array([KEPT * 0.06, KEPT * 0.05 + 0.84 * 0.1 * 0.3 / 36.0, 0.84 * 0.1 * 0.7 / 55.0, 0.0])
    meter = 1.0 - 0.67 ** (1.0 / 3.0)
    pledged = 8.76 * 0.7 * (0.07 * 1.7 + 0.07 * 3.6)
    rest = KEPT * np.array([0.07, 0.07, 0.0, 0.0]) * (6.6 - pledged) / pledged
    assert month["units_sold"] == near(meter * called), "chips that were not called are not sold this month"
    assert month["held"] == near((1.0 - meter) * called + KEPT * np.array([0.01, 0.02, 0.0, 0.0]) + rest)
    assert not month["pledged"].any()
    assert month["own_recovery"][1] > 0.9 * KEPT * (0.01 * month["price"][0] + 0.02 * month["price"][1]) / 2.0


def test_an_exchange_leaves_the_chips_and_ends_borrowing():
    system = example.small_system()
    system.firms.debt_multiple[CLOUD], system.firms.equity_value[CLOUD] = 1e-9, 0.0
    system.numbers.credit.standstill_months = 1.0
    system.loans.committed[2], system.loans.maturity_month[0] = 0.0, 1.0
    result = calm(system, 2)
    first, second = result["months"]
    assert first["cause"][CLOUD] == EXCHANGE
    assert first["loan_loss"][0] == near(0.25 * first["balance_at_default"][0])
    assert first["pledged"][0, 0] == near(KEPT * 0.06)
    assert second["pledged"] == near(KEPT * first["pledged"])
    for month in (first, second):
        assert not month["held"].any() and not month["units_sold"].any()
        assert month["spare"][CLOUD] == 0.0 and not month["balance"][:3].any()
    assert first["cash"][CLOUD] > 0.0 and second["paid"][4] == second["obligation"][4] > 0.0
    # A revolver and capacity on value would be there for a firm that never defaulted; this one pays no rent.
    start = result["final"] | {"cash": [0.0] * 6}
    system.loans.committed[2], system.firms.fixed_cost[CLOUD] = 1.5, 20.0
    shocks = example.calm_shocks(system, 1)
    third = path.simulate_path(system, example.calm_fate(system), shocks, 1, start=start)["months"][0]
    assert third["paid"][4] == 0.0 and third["revolver_draw"][CLOUD] == third["bridged"][CLOUD] == 0.0


def test_terms_loosen_while_a_boom_lasts():
    """After two years of boom lenders advance a tenth more: 3 lent anew at an LTV of 0.5 brings 3/0.55, and 2
    drawn on a commitment 2/0.5. Policy's cap of 0.52 binds before; the switch at none leaves 0.5.
    """
    book = plain(example.small_system())
    book.loans.ltv_target[0] = 0.5
    now = {"draw": [2.0], "borrowed": [5.0], "levers": SimpleNamespace(cap=10.0)}
    new = {"boom_years": 2.0}
    assert collateral.brought(book, now, new, 0) == near(4.0 + 3.0 / 0.55)
    now["levers"].cap = 0.52
    assert collateral.brought(book, now, new, 0) == near(4.0 + 3.0 / 0.52)
    book.numbers.mechanisms.screening = 0.0
    assert collateral.brought(book, now, new, 0) == near(10.0)

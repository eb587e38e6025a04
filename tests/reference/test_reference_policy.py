"""The reference against numbers worked by hand: levers of policy, whom they bind and what they cost."""

from types import SimpleNamespace as Table

import numpy as np

from tests.reference import chips, collateral, example, lenders, paper, path, policy
from tests.reference.book import plain
from tests.reference.by_hand import LEVERS, calm, near, pull
from tests.reference.example import CLOUD, FUND_A, GIANT, LAB, SOFTWARE

WANT = 2.0 / 12.0
"""Capex of the neocloud in month 1."""


def going_on(system, **changes) -> dict:
    """The month after a calm month of the shipped example, from its state with `changes`."""
    start = calm(example.small_system(), 1)["final"] | changes
    shocks = example.calm_shocks(system, 1)
    return path.simulate_path(system, example.calm_fate(system), shocks, 1, start=start)["months"][0]


def borrowing():
    """The neocloud has no cash to spare: three tenths of its capex are equity, the rest is debt."""
    system = example.small_system()
    system.firms.cash[CLOUD] = 0.45
    return system


def test_levers_are_pulled_from_their_month_on_and_two_of_them_end():
    """Month 13 on; backstop and bailout for 24 months: 13 to 36."""
    numbers = pull(example.small_system(), *LEVERS, month=13.0).numbers.policy
    for name in LEVERS:
        last = 36 if name in ("backstop", "bailout") else 400
        expected = {1: False, 12: False, 13: True, 36: True, 37: last > 36, 400: last > 36}
        assert {t: policy.on(numbers, name, t) for t in expected} == expected, name
        setattr(numbers, f"{name}_month", 0.0)
        assert not policy.on(numbers, name, 1) and not policy.on(numbers, name, 20), name
    numbers.backstop_month, numbers.backstop_months = 13.0, 6.0
    assert policy.on(numbers, "backstop", 18) and not policy.on(numbers, "backstop", 19)


def test_what_stages_read_of_the_levers():
    """50 bn a year are 4.1667 a month; funds pass on 0.4 of half of their lines."""
    book = plain(pull(example.small_system(), *LEVERS, capital_rule_passed=0.4, disclosure=0.7))
    found = vars(policy.levers(book, 1))
    assert found == near({
        "floor": 0.85, "aid": 50.0 / 12.0, "lines": 0.5, "funds": 0.2, "disclosed": 0.7, "barred": 0.1,
        "cap": 0.45,
    })  # fmt: skip
    nothing = dict.fromkeys(found, 0.0) | {"cap": 10.0}
    assert vars(policy.levers(book, 0)) == nothing
    assert vars(policy.levers(plain(example.small_system()), 5)) == nothing


def test_the_share_of_funds_in_loans_and_pools():
    """Funds hold 0.6, 0.7 and 0.5 of obligors of 0.5, 0.3 and 0.2: 0.61. Of tranches of 0.3 and 0.7 of the
    pool of rents they hold 0.7 and 0.1: 0.28, whatever they hold of its obligor.
    """
    system = example.small_system()
    system.lenders.holdings[:, 11] = (1.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    book = plain(system)
    assert policy.fund_share_loans(book) == near([0.5, 0.6, 0.0, 0.3, 0.2, 0.0, 0.0, 0.4])
    assert policy.fund_share_pools(book) == near([0.5 * 0.6 + 0.3 * 0.7 + 0.2 * 0.5, 0.3 * 0.7 + 0.7 * 0.1])


def test_a_backstop_lifts_the_supply_that_is_felt_and_not_the_private_one():
    """Private supply of 0.6, a floor of 0.85: spreads are 1.15 and capex aims at 1 - 0.075 of its plan, not
    1 - 0.2. Growth loses 0.2 * 0.15 a year, not 0.2 * 0.4. What private lenders lend next falls by
    the insurer, 0.2 of lending, which marks down 0.5 * 0.2 of its capital per rise of spreads and lends six
    times as much less; half of what it does not lend others lend. The public lends 0.25/0.85 of all.
    """
    month, free = (going_on(system, supply=0.6) for system in (
        pull(example.small_system(), "backstop"), example.small_system(),
    ))  # fmt: skip
    assert month["felt_supply"] == near(0.85) and free["felt_supply"] == near(0.6)
    assert month["spread"] == near(1.15) and month["access"] == near(1.15 * 0.85 / 1.15**0.5)
    assert month["log_revenue"] - free["log_revenue"] == near(0.2 * 0.25 / 12.0)
    assert month["capex_factor"] == near(1.0 - 1.5 * 0.075 / 12.0)
    for each, wider in ((month, 0.15), (free, 0.4)):
        lent = 1.0 - 0.2 * 6.0 * 0.1 * wider
        assert each["supply"] == near(lent + 0.5 * (1.0 - lent) * lent)
    assert month["origination"] == near(0.3 * month["capex"] / 12.0 * 0.85)
    lent = month["rolled"].sum() + month["origination"] * 0.204
    assert month["rolled"].sum() > 1.2 and not month["capex_debt"].any() and not month["bridged"].any()
    assert month["policy_cost"] == near([0.25 / 0.85 * lent, 0.0, 0.0, 0.0, 0.0, 0.0])


def test_a_backstop_above_which_private_supply_is_costs_nothing():
    month, free = (going_on(system, supply=0.9) for system in (
        pull(example.small_system(), "backstop"), example.small_system(),
    ))  # fmt: skip
    assert all(np.array_equal(month[name], free[name], equal_nan=True) for name in free)


def test_aid_is_shared_by_what_is_missing():
    """8 are missing: 4 of aid pay half of each; 10 pay all."""
    assert policy.aid(4.0, [6.0, 0.0, 2.0]) == near([3.0, 0.0, 1.0])
    assert policy.aid(10.0, [6.0, 0.0, 2.0]) == [6.0, 0.0, 2.0]
    assert policy.aid(4.0, [0.0, 0.0]) == [0.0, 0.0] == policy.aid(0.0, [0.0, 1.0])[:1] * 2


def broke(**sizes):
    """A lab whose money covers its own costs and no more than a part of its contracts; a neocloud like it."""
    system = pull(example.small_system(), "bailout", **sizes)
    system.firms.cash[[LAB, CLOUD]], system.firms.equity_value[[LAB, CLOUD]] = 0.0, 0.0
    system.loans.committed[2], system.firms.ebitda_ttm[CLOUD] = 0.0, 0.0
    system.firms.fixed_cost[[LAB, CLOUD]], system.firms.sponsor_capacity[LAB] = (21.0, 30.0), 0.12
    system.firms.value_multiple[LAB] = 0.0
    return system


def test_aid_pays_what_a_lab_cannot_pay_and_no_more():
    """Sponsors give 0.12 a year, 0.01 in the month. With 50 bn a year the lab pays all it owes and has
    nothing left; with 0.6, 0.05 a month, it pays 0.05 more than without.
    """
    none, little, enough = (calm(broke(bailout=size), 1)["months"][0] for size in (0.0, 0.6, 50.0))
    owed = none["obligation"][:2].sum()
    missing = owed - none["paid"][:2].sum()
    assert 0.05 < missing < 50.0 / 12.0 and none["missing"] == near([missing, 0, 0, 0, 0, 0])
    assert little["paid"][:2].sum() == near(none["paid"][:2].sum() + 0.05)
    assert enough["paid"][:2] == near(none["obligation"][:2]) and enough["cash"][LAB] == near(0.0)
    assert enough["unmet"][LAB] == near(0.0) and enough["cause"][LAB] == 0
    for month, aid in ((none, 0.0), (little, 0.05), (enough, missing)):
        assert month["aid"] == near([aid, 0, 0, 0, 0, 0]) and month["raised"][LAB] == near(0.01)
        assert month["policy_cost"] == near([0.0, aid, 0.0, 0.0, 0.0, 0.0])
        assert month["arrears"][CLOUD] > 0.0, "the neocloud cannot pay either and gets nothing"


def test_the_dead_get_no_aid():
    fate = example.calm_fate(example.small_system())
    fate["threshold_firms"][LAB] = 0.0
    first, second = calm(broke(), 2, fate=fate)["months"]
    assert first["aid"][LAB] > 0.0 and first["cause"][LAB] > 0
    assert second["obligation"][1] > 0.0 and not second["aid"].any() and not second["policy_cost"].any()


def test_the_capital_rule_takes_lines_from_funds_and_nothing_from_others():
    """Fund A's line of 2 is 0.4 of its capital; half of it is left: 0.2. What was paid out stays paid out.
    The insurer has no line: its room is all of it.
    """
    book = plain(pull(example.small_system(), "capital_rule"))
    book.lenders.gate[:], book.lenders.coverage[FUND_A] = 1.0, 0.0
    book.lenders.limit_start[FUND_A] = 1000.0
    state = {"withdrawn": [0.0] * 6}
    rule, none = policy.levers(book, 1), policy.levers(book, 0)
    assert paper.withdrawn(book, state, none, FUND_A, 0.9) == near(0.4)
    assert paper.withdrawn(book, state, rule, FUND_A, 0.9) == near(0.2)
    assert paper.withdrawn(book, state, rule, example.INSURER, 1.4) == near(0.9)
    state["withdrawn"][FUND_A] = 0.3
    assert paper.withdrawn(book, state, rule, FUND_A, 0.9) == near(0.3)


def test_under_the_capital_rule_funds_lend_less_by_what_they_hold():
    """A quarter less where funds lend: 0.85 of the growth debt of 0.7 of capex, of which they hold 0.6; of
    the sector's 0.004 on the same loan too; 1 - 0.25 * 0.61 and 1 - 0.25 * 0.28 of new money of pools. Bonds
    that no fund holds get all of theirs. What is not lent may be borrowed in need.
    """
    month, free = (calm(pull(borrowing(), *names), 1)["months"][0] for names in (("capital_rule",), ()))
    assert free["capex_debt"][CLOUD] == near(0.7 * WANT)
    assert month["capex_debt"][CLOUD] == near(0.85 * 0.7 * WANT)
    lent = 0.3 * 710.0 / 12.0
    assert month["origination"] == free["origination"] == near(lent)
    assert month["borrowed"][1] == near(4.0 / 12.0 + 0.85 * (0.7 * WANT + 0.004 * lent))
    assert month["borrowed"][5:7] == near([0.05 * lent, 0.1 * lent])
    assert month["new_money"] == near([0.04 * lent * (1.0 - 0.25 * 0.61), 0.01 * lent * (1.0 - 0.25 * 0.28)])
    assert month["spare"][CLOUD] - free["spare"][CLOUD] == near(0.15 * 0.7 * WANT)
    of_funds = 0.004 * 0.6 + 0.04 * 0.61 + 0.01 * 0.28
    assert month["policy_cost"] == near([0, 0, 0.25 * (0.7 * WANT * 0.6 + lent * of_funds), 0, 0, 0])


def test_disclosure_makes_lenders_count_what_is_hidden_and_see_losses_at_once():
    """Half of it: half of hidden debt, and 3.0 that wait to be seen in 6 months are seen in 6 - 0.5 * 5."""
    for size in (0.5, 1.0):
        month = calm(pull(example.small_system(), "disclosure", disclosure=size), 1)["months"][0]
        assert month["hidden"][GIANT] > 0.0 and month["belief"] == size
        assert month["counted"] == near(size * month["hidden"]) and not month["policy_cost"].any()
    assert calm(example.small_system(), 1)["months"][0]["belief"] == 0.0
    book = plain(pull(example.small_system(), "disclosure"))
    book.lenders.recognition_months[example.BANK] = 0.0
    new, state = {"gross": [3.0, 0, 0.3, 0, 0, 0.5]}, {"gross": [0.0] * 6, "pending": [0.0] * 6}
    for size, seen in ((1.0, 3.0), (0.5, 3.0 / 3.5), (0.0, 0.5)):
        book.numbers.policy.disclosure = size
        now = {"levers": policy.levers(book, 1)}
        lenders.recognise(book, state, now, new)
        assert now["recognised"] == near([seen, 0, 0.3, 0, 0, 0.5])
        assert new["pending"] == near([3.0 - seen, 0, 0, 0, 0, 0])


def test_without_retail_savers_a_tenth_of_sector_origination_is_not_lent():
    """Loans take 0.154 of it, pools 0.05: 0.204. Own capex is not theirs to lend."""
    month = calm(pull(borrowing(), "savers"), 1)["months"][0]
    lent = 0.3 * 710.0 / 12.0
    assert month["origination"] == near(0.9 * lent) and month["capex_debt"][CLOUD] == near(0.7 * WANT)
    assert month["borrowed"][5:7] == near([0.9 * 0.05 * lent, 0.9 * 0.1 * lent])
    assert month["new_money"] == near([0.9 * 0.04 * lent, 0.9 * 0.01 * lent])
    assert month["policy_cost"] == near([0.0, 0.0, 0.0, 0.0, 0.1 * 0.204 * lent, 0.0])


def test_neoclouds_borrow_no_more_of_their_capex_than_the_cap():
    """Of 0.3 of equity a cap of 0.45 makes 0.3 * 0.45/0.55 = 0.245455 of debt, not 0.7. Cash counts like
    equity. The software house is no neocloud. A cap of all there is is none.
    """
    system = pull(borrowing(), "advance_cap")
    system.firms.cash[SOFTWARE], system.firms.growth_loan[5, SOFTWARE] = 0.0, 1.0
    month = calm(system, 1)["months"][0]
    debt = 0.3 * WANT * 0.45 / 0.55
    assert month["capex_debt"][CLOUD] == near(debt) and month["capex_stock"][CLOUD] == near(0.3 * WANT)
    assert month["capex_debt"][SOFTWARE] == month["capex_debt_wanted"][SOFTWARE] > 0.0
    assert month["policy_cost"] == near([0.0, 0.0, 0.0, 0.0, 0.0, 0.7 * WANT - debt])
    none = policy.levers(plain(system), 0)
    assert [policy.capped(none, 0.1, 0.2, 9.0), policy.capped(Table(cap=1.0), 0.1, 0.2, 9.0)] == [9.0, 9.0]
    levers = policy.levers(plain(system), 1)
    assert policy.capped(levers, 0.1, 0.2, 9.0) == near(0.3 * 0.45 / 0.55)
    assert policy.capped(levers, 0.1, 0.2, 0.01) == 0.01


def unscreened():
    """The example with terms that do not loosen in its boom."""
    system = example.small_system()
    system.numbers.mechanisms.screening = 0.0
    return system


def test_new_chips_are_financed_at_the_cap_where_it_is_lower_than_documented():
    """Of the second loan 4/12 are drawn as committed, at 0.70 of collateral; what is lent beside it brings
    its 1/0.45. The first loan keeps the collateral it had. A cap of 0.8 changes nothing.
    """
    month, free, loose = (
        calm(pull(unscreened(), *names, advance_cap=cap), 1)["months"][0]
        for names, cap in ((("advance_cap",), 0.45), ((), 0.45), (("advance_cap",), 0.8))
    )
    assert free["ltv"][1] == loose["ltv"][1] == near(0.70)
    assert month["pledged"][0, 0] == 0.06 * (1.0 - 0.05 / 12.0)
    lent = month["balance"][1] - 4.0 / 12.0
    assert 0.01 < lent == near(month["borrowed"][1] - month["draw"][1])
    assert month["ltv"][1] == near((4.0 / 12.0 + lent) / (4.0 / 12.0 / 0.70 + lent / 0.45))
    a_dollar = [found["pledged"][1] / found["balance"][1] for found in (month, free)]
    assert a_dollar[0] == near(a_dollar[1] * 0.70 / month["ltv"][1]) and free["pledged"][1].any()
    assert month["borrowed"][0] == month["draw"][0] and month["ltv"][0] == free["ltv"][0]
    book = plain(pull(example.small_system(), "advance_cap"))
    scale = collateral.start_scales(book, chips.start(book)["price_start"])
    assert scale == collateral.start_scales(plain(example.small_system()), chips.start(book)["price_start"])


def priced(loop: float) -> list[float]:
    """Costs of a month with a living firm whose growth loan is loan 0, and a dead one with loan 1."""
    growth_loan = np.array([[1.0, 0.0], [0.0, 0.0]])
    book = Table(
        firms=Table(growth_loan=growth_loan),
        loans=Table(borrower=[0, 1]),
        pools=Table(balance=[1.0], origination_share=[0.3]),
        numbers=Table(mechanisms=Table(funding_loop=loop)),
    )
    now = {
        "levers": Table(funds=0.25, barred=0.1),
        "alive": [1.0, 0.0],
        "felt_supply": 1.0 - loop * 0.15,
        "loan_share": [0.1, 0.2],
        "fund_share": [0.5, 0.8],
        "pool_fund_share": [0.4],
        "origination_wanted": 10.0,
        "origination": 9.0,
        "rolled": [1.0, 2.0],
        "bridged": [0.5, 0.0],
        "aid": [0.0, 2.0],
        "capex_debt_wanted": [4.0, 0.0],
        "capex_debt_capped": [3.0, 0.0],
        "capex_debt": [2.625, 0.0],
    }
    policy.costs(book, {"supply": 0.6}, now)
    return now["policy_cost"]


def test_what_all_levers_cost_together():
    """Shares of 0.1 and 0.3 live, 0.05 and 0.12 of them with funds. Lent are 3 + 0.5 + 2.625 and
    9 (0.4 - 0.25 * 0.17) = 3.2175: 9.3425. Felt supply is 0.85 against 0.6; at half of the loop 0.925
    and 0.8.
    """
    rule = 0.25 * (3.0 * 0.5 + 9.0 * 0.17)
    assert priced(1.0) == near([0.25 / 0.85 * 9.3425, 2.0, rule, 0.0, 10.0 * 0.1 * 0.4, 1.0])
    assert priced(0.5)[0] == near(0.125 / 0.925 * 9.3425) and priced(0.0)[0] == 0.0
    book = Table(numbers=Table(mechanisms=Table(funding_loop=1.0)))
    assert policy.backstop_share(book, {"supply": 0.0}, {"felt_supply": 0.0}) == 0.0

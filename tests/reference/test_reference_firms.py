"""The reference against numbers worked by hand: own values, rounds of labs, orders, maturities ahead."""

import math

import numpy as np

from tests.reference import example, path
from tests.reference.by_hand import calm, near
from tests.reference.example import CLOUD, HOST, LAB, SOFTWARE


def shock(system, months: int = 1, **changes) -> np.ndarray:
    """Own normals [months, firms], zero but in month 1 for the firms named."""
    normals = np.zeros((months, len(system.firms.cash)))
    for name, value in changes.items():
        normals[0, example.FIRMS.index(name)] = value
    return normals


def test_a_firms_own_value_moves_its_equity_spread_and_access():
    """Volatility of 0.6 and a shock of -2: v = -1.2/sqrt(12) - 0.36/24. Spread e^(-v/2), access e^(v/4)."""
    system = example.small_system()
    for switch in (1.0, 0.5):
        system.numbers.mechanisms.own_shocks = switch
        month = calm(system, 1, own=shock(system, CLOUD=-2.0))["months"][0]
        own = -1.2 * switch / math.sqrt(12.0) - (0.6 * switch) ** 2 / 24.0
        lab = -((0.5 * switch) ** 2) / 24.0
        assert month["own_value"][[LAB, CLOUD]] == near([lab, own]) and month["own_value"][5] == 0.0
        assert month["value"][CLOUD] == near(40.0 * month["equity"] * math.exp(own))
        assert month["firm_spread"][CLOUD] == near(math.exp(-own / 2.0))
        assert month["firm_access"][CLOUD] == near(1.15 * math.exp(own / 4.0))
        assert month["spread"] == near(1.0) and month["access"] == near(1.15), "the market does not move"
        earning = max(month["forward"][CLOUD], 0.7 * 3.0)
        assert month["limit"][CLOUD] == near(5.0 * earning * month["firm_access"][CLOUD])
        assert month["headroom"][CLOUD] == near(0.06 * 40.0 * month["equity"] * math.exp(own))
    high = calm(system, 1, own=shock(system, CLOUD=9.0))["months"][0]
    assert high["firm_access"][CLOUD] == 1.25, "access has a cap"
    system.firms.debt_multiple[HOST], system.loans.maturity_month[3] = 20.0, 1.0
    system.numbers.mechanisms.own_shocks = 1.0
    month = calm(system, 1, own=shock(system, HOST=-2.0))["months"][0]
    wider = math.exp(0.5 * (0.8 / math.sqrt(12.0) + 0.16 / 24.0))
    assert month["coupon"][3] == near(0.055 * wider + 0.037) and month["firm_spread"][HOST] == near(wider)
    second = calm(system, 2, own=shock(system, 2, HOST=-2.0))["months"][1]
    assert second["own_value"][HOST] == near(-0.8 / math.sqrt(12.0) - 0.16 / 12.0), "what is lost stays lost"


def test_the_hazard_of_a_firm_goes_by_its_own_spread():
    system = example.small_system()
    system.numbers.mechanisms.own_shocks = 1.0
    month, calmer = (calm(system, 1, own=shock(system, HOST=size))["months"][0] for size in (-2.0, 0.0))
    assert month["hazard_rate"][HOST] / calmer["hazard_rate"][HOST] == near(
        math.exp(0.25 * 0.8 / math.sqrt(12.0))
    )


def burning(cash: float = 1.0, cost: float = 30.0):
    """A lab that burns money, with an owner who gives 1.2 a year."""
    system = example.small_system()
    system.numbers.mechanisms.rounds = 1.0
    system.firms.cash[LAB], system.firms.fixed_cost[LAB] = cash, cost
    system.firms.sponsor_capacity[LAB] = 1.2
    return system


def test_a_round_that_closes_pays_what_is_owed_and_eighteen_months_of_burn():
    """Boom: 0.15 of value a year, at most a year of it; the owner pays 0.1 first."""
    month = calm(burning(), 1)["months"][0]
    result = 0.3 * month["revenue"] * 0.55 - 30.0 * 1.15 ** (1.0 / 12.0)
    owed = month["obligation"][:2].sum()
    burn = owed + 5.0 * 0.11 / 12.0 - result / 12.0 - min(1.0, month["equity"])
    assert month["burn"][LAB] == near(burn) and 1.0 < 9.0 * burn
    assert month["tries"].tolist() == month["wins"].tolist() == [True] + [False] * 5
    value = month["value"][LAB]
    accrued = min(0.15 * 350.0 + 0.15 * value / 12.0, 0.15 * value)
    assert month["accrued"][LAB] == near(accrued) and month["equity_capacity"][LAB] == near(accrued + 0.1)
    raised = 18.0 * burn + burn - 1.0
    assert month["raised"][LAB] == near(raised) and 0.1 < raised < accrued
    assert month["headroom"][LAB] == near(accrued - (raised - 0.1)) and month["since_round"][LAB] == 1.0
    assert month["equity_now"][LAB] == near(accrued + 0.1 - raised)


def test_a_round_that_fails_leaves_the_owner_and_another_attempt_after_months():
    """Uniforms of 0.96 fail in boom, at 0.95. Equity that was not raised is there for the next attempt."""
    months = calm(burning(30.0), 9, round=np.full((9, 6), 0.96))["months"]
    first = months[0]
    burn = first["burn"][LAB]
    assert 30.0 > 9.0 * burn and not first["tries"].any() and first["since_round"][LAB] == 7.0
    assert first["equity_capacity"][LAB] == near(0.1) and first["headroom"][LAB] == near(
        first["accrued"][LAB]
    )

    months = calm(burning(16.0, 45.0), 9, round=np.full((9, 6), 0.96))["months"]
    tries = [bool(month["tries"][LAB]) for month in months]
    assert 16.0 < 9.0 * months[0]["burn"][LAB]
    assert tries == [True] + [False] * 5 + [True] + [False] * 2
    assert not any(month["wins"].any() for month in months)
    assert all(month["raised"][LAB] <= 0.1 * (1.0 + 1e-12) for month in months)
    assert months[0]["headroom"][LAB] == near(months[0]["accrued"][LAB]) and months[0]["raised"][LAB] == near(
        0.1
    )
    # The last attempt would have closed at 0.9: all of it is within reach again.
    uniforms = np.full((9, 6), 0.96)
    uniforms[6] = 0.9
    month = calm(burning(16.0, 45.0), 7, round=uniforms)["months"][6]
    assert month["wins"][LAB] and month["equity_capacity"][LAB] == near(month["accrued"][LAB] + 0.1)
    system = burning(16.0, 45.0)
    system.numbers.mechanisms.rounds = 0.25
    month = calm(system, 1, round=np.full((1, 6), 0.96))["months"][0]
    assert month["equity_capacity"][LAB] == near(0.75 * month["accrued"][LAB] + 0.1)


def test_listed_firms_need_no_rounds():
    month = calm(burning(), 1, round=np.ones((1, 6)))["months"][0]
    assert month["equity_capacity"][CLOUD] == near(0.12 * 0.5 * 40.0 * month["equity"])


def maturing():
    """The host's notes of 3.0 at 9% mature in month 15 and are refinanced from month 3 on."""
    system = example.small_system()
    system.numbers.credit.refinance_months = 12.0
    return system


def test_maturities_are_refinanced_ahead_in_equal_parts():
    """13 parts, the first 12 months ahead, the last at maturity: none of it waits for one day."""
    months = calm(maturing(), 16)["months"]
    assert not months[1]["ahead"].any()
    for t in range(3, 15):
        assert months[t - 1]["early"][3] == months[t - 1]["ahead"][3] == near(3.0 / 13.0)
        assert months[t - 1]["maturing"][3] == near(1.0 - (t - 2) / 13.0)
        assert months[t - 1]["balance"][3] == near(3.0) and months[t - 1]["due"][3] == 0.0
    for month in months[2:14]:
        assert (month["coupon"][3], month["ahead_coupon"][3]) == near((0.09, 0.055 + 0.037))
    assert months[14]["interest"][3] == near(3.0 * (0.09 / 13.0 + 0.092 * 12.0 / 13.0) / 12.0)
    assert months[14]["coupon"][3] == near(0.092), "a loan refinanced whole bears nothing of its old coupon"
    assert months[14]["due"][3] == months[14]["rolled"][3] == near(3.0 / 13.0)
    assert months[14]["maturity"][3] == 15 + 48 and months[14]["maturing"][3] == 1.0
    assert months[15]["ahead"][3] == 0.0
    assert months[14]["cash"][HOST] == near(months[13]["cash"][HOST] + months[14]["ebitda"][HOST]
                                            - months[14]["interest"][3])  # fmt: skip


def test_what_lenders_have_no_room_for_waits_until_it_matures():
    """Nothing is lent: all falls due in month 15. A limit that holds 2.9 of 3.0 refinances 3/13 - 0.1."""
    system = maturing()
    system.firms.debt_multiple[HOST] = 0.0
    months = calm(system, 15)["months"]
    assert months[13]["maturing"][3] == 1.0 and not any(month["ahead"][3] for month in months[:14])
    assert months[2]["early"][3] == near(3.0 / 13.0) and months[3]["early"][3] == near(3.0 / 12.0)
    assert months[14]["due"][3] == 3.0 and months[14]["rolled"][3] == 0.0
    system = maturing()
    before = calm(system, 3)["months"][2]
    system.firms.debt_multiple[HOST] *= 2.9 / before["limit"][HOST]
    month = calm(system, 3)["months"][2]
    assert month["limit"][HOST] == near(2.9) and month["ahead"][3] == near(3.0 / 13.0 - 0.1)
    assert month["maturing"][3] == near(1.0 - (3.0 / 13.0 - 0.1) / 3.0)


def test_while_lenders_stand_still_only_what_is_unpaid_falls_due_again():
    """They have room for one of three billion, and decide in no month of these."""
    system = maturing()
    system.numbers.credit.standstill_months, system.numbers.credit.refinance_months = 12.0, 0.0
    system.firms.cash[HOST], system.firms.equity_value[HOST] = 0.1, 1e-9
    system.firms.debt_multiple[HOST] *= 1.0 / calm(system, 15)["months"][14]["limit"][HOST]
    months = calm(system, 16, extension=np.zeros((16, len(system.loans.borrower))))["months"]
    last, after = months[14], months[15]
    assert last["rolled"][3] == near(1.0) and 0.1 < last["loan_unpaid"][3] < 2.0
    assert last["maturity"][3] == 15 and last["maturing"][3] == near(
        last["loan_unpaid"][3] / last["balance"][3]
    )
    assert (last["coupon"][3], last["ahead_coupon"][3]) == near((0.09, 0.055 + 0.037))
    assert after["due"][3] == near(last["loan_unpaid"][3])


def test_only_what_still_matures_is_converted():
    system = maturing()
    system.loans.conversion[3] = 0.99
    month = calm(system, 15)["months"][14]
    assert month["converted"][3] == near(3.0 / 13.0) and month["balance"][3] == near(3.0 * 12.0 / 13.0)


def ordering(orders: float = 1.0, minimum: float = 1000.0):
    """A software house that plans 20 a year, half of it on order, without cash, equity or debt for it."""
    system = example.small_system()
    system.numbers.mechanisms.orders = orders
    system.firms.minimum_cash[SOFTWARE], system.firms.equity_capex_share[SOFTWARE] = minimum, 0.0
    system.firms.growth_loan[:, SOFTWARE] = 0.0
    system.loans.ladder[5] = 0.0
    return system


def test_orders_that_cannot_be_paid_are_cancelled_at_a_fee():
    """Half of 20/12 is on order in month 1, a tenth of it is the fee, paid in month 2."""
    first, second = calm(ordering(), 2)["months"]
    assert first["ordered"][SOFTWARE] == near(10.0 / 12.0) and first["spent"][SOFTWARE] == 0.0
    assert first["fees"] == near([0.0, 0.0, 0.0, 1.0 / 12.0, 0.0, 0.0])
    none = calm(ordering(0.0), 2)["months"][1]
    assert none["fees"][SOFTWARE] == 0.0 and none["cash"][SOFTWARE] - second["cash"][SOFTWARE] == near(
        1.0 / 12.0
    )
    half = calm(ordering(0.5), 1)["months"][0]
    assert half["fees"][SOFTWARE] == near(0.5 / 12.0)
    # With 0.5 of cash above its minimum it cancels the other 0.3333.
    cash = first["cash"][SOFTWARE]
    month = calm(ordering(minimum=cash - 0.5), 1)["months"][0]
    assert month["own_capex"][SOFTWARE] == near(0.5) and month["fees"][SOFTWARE] == near(
        0.1 * (10.0 / 12.0 - 0.5)
    )
    rich = calm(ordering(minimum=3.0), 1)["months"][0]
    assert rich["fees"][SOFTWARE] == 0.0 and rich["spent"][SOFTWARE] == near(20.0 / 12.0)


def test_what_comes_this_month_was_ordered_at_the_pace_of_months_ago():
    """Bust in month 1: capex falls to 1 - 1.5 * 0.7/12 = 0.9125 of plan, orders to 1 - 0.0875/6. From 0.3 and
    0.9 they are 0.3 and 0.8; orders of 0.4 of the plan are more than the 0.3 that is wanted.
    """
    system = ordering(minimum=3.0)
    month = calm(system, 1, regime=np.array([0.9999]))["months"][0]
    assert month["capex_factor"] == near(0.9125) and month["order_factor"] == near(1.0 - 0.0875 / 6.0)
    start = calm(system, 1)["final"] | {"regime": 2, "capex_factor": 0.3, "order_factor": 0.9}
    shocks = example.calm_shocks(system, 1) | {"regime": np.array([0.9999])}
    month = path.simulate_path(system, example.calm_fate(system), shocks, 1, start=start)["months"][0]
    assert month["capex_factor"] == near(0.3) and month["order_factor"] == near(0.8)
    assert month["want"][SOFTWARE] == month["ordered"][SOFTWARE] == near(0.4 * 20.0 / 12.0)


def test_calls_are_cured_from_equity_that_rounds_leave_within_reach():
    """Cash of the neocloud first, then equity, which is not there next month."""
    system = example.small_system()
    credit = system.numbers.credit
    credit.waiver, credit.ltv_covenant, credit.ltv_cure = 0.0, 0.6, 0.55
    system.firms.cash[CLOUD] = 0.3
    month = calm(system, 1)["months"][0]
    assert month["cured"][0] > 0.0 and month["cash"][CLOUD] == 0.0
    paid = month["cured"].sum() - (month["cash_after_service"][CLOUD] - month["own_capex"][CLOUD])
    used = month["issued"][CLOUD] + month["capex_stock"][CLOUD]
    assert month["headroom"][CLOUD] == near(month["accrued"][CLOUD] - used - paid)
    assert month["headroom"][CLOUD] == near(month["equity_now"][CLOUD])

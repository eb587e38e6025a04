"""The reference against numbers worked by hand: lenders' losses, limits, sales, bearers, supply."""

import math
from types import SimpleNamespace as Table

import numpy as np
import pytest

from tests.reference import bearers, capital, example, lenders, paper, policy
from tests.reference.book import plain
from tests.reference.by_hand import calm, near
from tests.reference.example import BANK, FUND_A, FUND_B, INSURER, PENSION, VENDOR
from tests.reference.scalars import LENDER_CLEARING

NO_LEVERS = policy.levers(plain(example.small_system()), 1)


def book_and_state():
    """The example's book and its lenders' state of month 0."""
    names = "sold withdrawn trading booked gross pending".split()
    state = {name: [0.0] * len(example.LENDERS) for name in names}
    return plain(example.small_system()), state | {"impact": [0.0] * len(example.PAPER)}


def sized(growth: float = 1.0, scale: float | None = None, eroded: float = 0.0, count: int = 6) -> dict:
    """Lenders' exposure and capital over those of month 0, and the share of it that is lost elsewhere."""
    scale = growth if scale is None else scale
    return {"growth": [growth] * count, "scale": [scale] * count, "eroded": [eroded] * count}


def test_losses_of_what_was_sold_are_the_buyers():
    """2.0 is lost on chips' loan A, 3.0 on the notes, which are paper. Fund A holds half of the loan and 0.3
    of the notes, and sold half of its paper: 1.0 + 0.9 - 0.45. The insurer holds 0.2 and 0.5 and sold 0.2:
    0.4 + 1.5 - 0.3. Pension fund and vendor take 0.8 and 0.2 of the 0.75 sold.
    """
    book, state = book_and_state()
    state["sold"][FUND_A], state["sold"][INSURER] = 0.5, 0.2
    state["booked"][BANK] = 1.0
    lost, new = [0.0] * 14, {}
    lost[0], lost[3] = 2.0, 3.0
    lenders.book_losses(book, state, {"loss_by_instrument": lost}, new)
    assert new["booked"] == near([1.45, 0.0, 1.4, 1.6, 0.2 + 0.6 + 0.6, 0.15])
    assert sum(new["booked"]) == near(1.0 + 5.0)


def test_a_drawn_line_takes_the_place_of_capital_and_sales_repay_debt():
    """Fund A at twice its size: 10 of capital and 12 of debt. A line paid out 0.2 of the capital: 8 and 14.
    Half of its paper of 4.16 * 2, less 0.3 lost in selling, repaid 3.86. Fund B repays all it owes. A tenth
    lost elsewhere is of fund A's capital of 10, and no capital is below nothing.
    """
    book, state = book_and_state()
    state["withdrawn"][FUND_A], state["sold"][FUND_A], state["trading"][FUND_A] = 0.2, 0.5, 0.3
    assert lenders.funds(book, state, sized(2.0), FUND_A) == near((8.0, 10.14))
    assert lenders.funds(book, state, sized(2.0, eroded=0.1), FUND_A) == near((7.0, 10.14))
    assert lenders.funds(book, state, sized(2.0, eroded=0.9), FUND_A) == near((0.0, 10.14))
    assert lenders.funds(book, state, sized(2.0), FUND_B) == near((8.0, 8.0))
    state["sold"][FUND_B], book.paper.held[FUND_B, 0] = 1.0, 10.0
    assert lenders.funds(book, state, sized(2.0), FUND_B) == near((8.0, 0.0))


def test_a_vehicle_that_fails_passes_its_loss_and_its_costs_on():
    """Fund A loses 7 of 5 and 6: what is left of 4 pays 3.8 of 6, the capital of 5 is gone. Fund B loses 1 of
    its capital. Losing 12, fund A leaves its owners one more than all its assets.
    """
    system = example.small_system()
    system.lenders.debt_share[:, 0] = (0.0, 0.0, 0.9, 0.1, 0.0, 0.0)
    system.lenders.equity_share[:, 1] = (0.0, 0.0, 0.0, 0.5, 0.5, 0.0)
    now = {"flags": 0}
    capital, owed = [5.0, 4.0], [6.0, 4.0]
    network, vehicles = lenders.clear(plain(system), now, capital, owed, [7.0, 1.0, 0.0, 0.0, 0.0, 0.0])
    assert vehicles[FUND_A]["theta"] == near(3.8 / 6.0) and vehicles[FUND_B]["theta"] == 1.0
    assert vehicles[FUND_A]["dead_weight"] == near(0.2) and vehicles[FUND_B]["dead_weight"] == 0.0
    assert network == near([0.0, 0.0, 0.9 * 2.2, 0.1 * 2.2 + 2.5 + 0.5, 2.5 + 0.5, 0.0])
    assert now["flags"] == 0 and now["unsettled"] == 0.0
    network, vehicles = lenders.clear(plain(system), now, capital, owed, [12.0, 1.0, 0.0, 0.0, 0.0, 0.0])
    assert network == near([0.0, 0.0, 0.9 * 6.0, 0.1 * 6.0 + 3.0 + 0.5, 3.0 + 0.5, 0.0])
    assert vehicles[FUND_A]["dead_weight"] == 0.0
    network, _ = lenders.clear(plain(system), now, capital, [0.0, 4.0], [7.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    assert network == near([0.0, 0.0, 0.0, 3.5, 3.5, 0.0]), "without debt owners bear it all"


def test_vehicles_clear_in_four_rounds_and_others_lose_by_the_last():
    """B lends A all of its debt of 4; A and the pension fund own B. A has capital 1 and lost 2, B 4 and 4.
    Round 1: of 3 left, 2.85 is paid: B loses 1.15. Round 2: A loses half, 0.575. Round 3: 0.95 * 2.425 is
    paid, B loses 1.69625. Round 4: A loses 0.848125, the pension fund as much.
    """
    system = example.small_system()
    system.lenders.debt_share[:], system.lenders.equity_share[:] = 0.0, 0.0
    system.lenders.debt_share[FUND_B, 0] = system.lenders.equity_share[BANK, 0] = 1.0
    system.lenders.debt_share[BANK, 1] = 1.0
    system.lenders.equity_share[[FUND_A, PENSION], 1] = 0.5
    now = {"flags": 0}
    network, _ = lenders.clear(plain(system), now, [1.0, 4.0], [4.0, 4.0], [2.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    assert network == near([0.848125, 1.69625, 1.0, 0.0, 0.848125, 0.0])
    assert now["flags"] == LENDER_CLEARING
    # A fifth round would have made B lose 4 - 0.95 * 2.151875.
    assert now["unsettled"] == near(4.0 - 0.95 * 2.151875 - 1.69625)


def test_losses_are_recognised_by_and_by():
    """Fund A sees a sixth of 1.2 + 2.4 - 0.6 a month, the vendor all at once; zero months are one."""
    book, state = book_and_state()
    state["pending"][FUND_A], state["gross"][FUND_A] = 1.2, 0.6
    book.lenders.recognition_months[BANK] = 0.0
    now, new = {"levers": NO_LEVERS}, {"gross": [2.4, 0.0, 0.3, 0.0, 0.0, 0.5]}
    lenders.recognise(book, state, now, new)
    assert now["recognised"] == near([0.5, 0.0, 0.3, 0.0, 0.0, 0.5])
    assert new["pending"] == near([2.5, 0.0, 0.0, 0.0, 0.0, 0.0])


def test_limits_come_from_asset_coverage_where_a_vehicle_has_one():
    """Fund A: 5 of capital, 6 of debt, assets of 1.5 times debt, paper of 4.16. Half of the capital lost
    and a tenth paid out from the line: assets 8.5, debt 6.5. With x sold, 8.5 - x = 1.5 (6.5 - x): x = 2.5.
    """
    book, _ = book_and_state()
    times, start, slope = paper.limit(book, FUND_A)
    assert (times, start, slope) == near((1.5, 0.4, 1.0 / (0.5 * 4.16 / 5.0)))
    past = paper.past_limit(book, FUND_A, 0.5, 0.1)
    assert past == near(0.25) and slope * past == near(2.5 / 4.16)
    assert paper.limit(book, BANK) == (0.0, 0.5, 0.5)
    book.paper.held[FUND_A, :] = 0.0
    assert paper.limit(book, FUND_A)[2] == 0.0
    book.lenders.coverage[FUND_A], book.lenders.limit_start[FUND_A] = 0.0, 1000.0
    assert paper.limit(book, FUND_A) == (0.0, 1000.0, 0.0)


def test_capital_lost_is_what_was_seen_and_the_marks_that_count():
    """The bank, twice its size, saw 3 - 0.6 of 60. A spread index of 1.5 takes 0.04, 0.1 and 0.05 off the
    logs of bonds, notes and ABS, sales 0.1 off that of bonds; a fifth of the three quarters kept counts.
    With capital half as large the same marks are twice the share, and what is lost elsewhere adds to it.
    """
    book, state = book_and_state()
    state["sold"][BANK] = 0.25
    value = paper.marks(book, 1.5)
    assert value == near([math.exp(-0.04), math.exp(-0.1), math.exp(-0.05)])
    assert paper.marks(book, 0.8) == [1.0, 1.0, 1.0]
    new = {"gross": [0.0, 0.0, 3.0], "pending": [0.0, 0.0, 0.6]} | sized(2.0)
    prices = [value[0] * math.exp(-0.1), value[1], value[2]]
    fall = 8.4 * (1.0 - math.exp(-0.14)) + 1.0 - math.exp(-0.1) + 0.84 * (1.0 - math.exp(-0.05))
    assert paper.capital_lost(book, state, new, prices, BANK) == near(0.04 + 0.2 * 0.75 * fall / 30.0)
    smaller = new | sized(2.0, scale=1.0, eroded=0.3)
    assert paper.capital_lost(book, state, smaller, prices, BANK) == near(0.38 + 0.4 * 0.75 * fall / 30.0)


@pytest.mark.parametrize(
    "before, lost, expected, why",
    [
        (0.0, 0.01, 0.01, "what investors want"),
        (0.1, 0.05, 0.1, "no less than before"),
        (0.1, 0.16, 0.12, "gate of 0.02 a month"),
        (0.39, 0.39, 0.39, "room of (0.4 - 0.39)/1.5 is less than was paid"),
        (0.1, 0.2, 0.12, "room of (0.4 - 0.2)/1.5 is wider than the gate"),
        (0.1, 0.235, 0.11, "room of (0.4 - 0.235)/1.5"),
        (0.1, 0.5, 0.1, "past the limit"),
    ],
)
def test_a_fund_pays_leaving_investors_from_its_line_while_coverage_holds(before, lost, expected, why):
    book, state = book_and_state()
    state["withdrawn"][FUND_A] = before
    assert paper.withdrawn(book, state, NO_LEVERS, FUND_A, lost) == near(expected), why


def test_lines_and_switches_bound_what_is_withdrawn():
    """Fund A's line of 2 is 0.4 of its capital; at half of the switch 0.2. The insurer has a gate, no line:
    0.7 lost, 0.5 free, 0.2 wanted.
    """
    book, state = book_and_state()
    book.lenders.gate[FUND_A], book.lenders.coverage[FUND_A] = 1.0, 0.0
    book.lenders.limit_start[FUND_A] = 1000.0
    assert paper.withdrawn(book, state, NO_LEVERS, FUND_A, 0.9) == near(0.4)
    book.numbers.mechanisms.credit_lines = 0.5
    assert paper.withdrawn(book, state, NO_LEVERS, FUND_A, 0.9) == near(0.2)
    book.numbers.mechanisms.redemptions = 0.1
    assert paper.withdrawn(book, state, NO_LEVERS, FUND_A, 0.9) == near(0.09)
    book.numbers.mechanisms.redemptions = 1.0
    assert paper.withdrawn(book, state, NO_LEVERS, INSURER, 0.7) == near(0.02)
    book.lenders.gate[INSURER] = 1.0
    assert paper.withdrawn(book, state, NO_LEVERS, INSURER, 0.7) == near(0.2)


def test_lenders_without_a_line_sell_for_leaving_investors_and_funds_do_not():
    """Past its limit by 0.1 the insurer sells 1.0 * 0.1, and 0.2 for investors; what was sold stays sold."""
    book, state = book_and_state()
    assert paper.sold(book, state, INSURER, 0.1, 0.2) == near(0.3)
    assert paper.sold(book, state, INSURER, 0.9, 0.2) == 1.0
    assert paper.sold(book, state, FUND_A, 0.0, 0.2) == 0.0
    state["sold"][INSURER] = 0.25
    assert paper.sold(book, state, INSURER, 0.1, 0.1) == 0.25
    book.numbers.mechanisms.paper_sales = 0.5
    assert paper.sold(book, state, INSURER, 0.9, 0.2) == 0.5


def test_the_impact_of_sales_halves_in_its_half_life():
    """Half a year is six months. The insurer then sells a tenth: 8.64 of 168 bonds, 0.15 of 8, 0.27 of 6."""
    book, state = book_and_state()
    state["impact"] = [0.2, 0.0, 0.0]
    for _ in range(6):
        state["impact"] = paper.impact(book, state, {"sold": [0.0] * 6})
    assert state["impact"] == near([0.1, 0.0, 0.0])
    sold = [0.0] * 6
    sold[INSURER] = 0.1
    found = paper.impact(book, state, {"sold": sold})
    assert found == near([0.1 * 0.5 ** (1.0 / 6.0) + 8.64 / 168.0, 0.15 / 8.0, 0.27 / 6.0])


def two_traders():
    """A fund with 10 of paper on 10 of capital, marked in full, and a buyer; 20 divide the price by e."""
    owners = {"debt": [0.0, 0.0], "line": [0.0, 0.0], "coverage": [0.0, 0.0], "vehicle": [0.0, 0.0]}
    owners |= {"capital": [10.0, 100.0], "gate": [1.0, 1.0], "mark_weight": [1.0, 0.0]}
    owners |= {"withdrawal_start": [0.0, 0.0], "withdrawal_slope": [0.0, 0.0], "buyer_weight": [0.0, 1.0]}
    owners |= {"limit_start": [0.1, 1000.0], "limit_slope": [0.5, 0.0]}
    switches = Table(paper_sales=1.0, credit_lines=0.5, redemptions=1.0)
    return Table(
        lenders=Table(**owners),
        numbers=Table(mechanisms=switches, lenders=Table(sale_half_life=0.5, full_stop=0.2)),
        paper=Table(spread=[0.05], duration=[4.0], depth=[20.0], held=np.array([[10.0], [0.0]])),
    )


def test_sales_lower_prices_and_lower_prices_force_sales():
    """0.2 of the capital is lost: 0.1 past the limit, a twentieth sold. F = 0.025, then with the marks
    0.25 (0.1 + 1 - e^-F) = 0.031173 ... 0.033124, 0.033145: it moved by 0.00002 at last. Sold is 0.066291
    of 10 at e^-0.033145, which costs 0.66291 * 0.032602 = 0.021612, the buyer's gain. Of 0.2 to a full stop
    the fund is 0.1 + 1 - e^-0.033124 = 0.132582 past its limit: it stops, whatever becomes of lines.
    """
    book, now = two_traders(), {"spread": 1.0, "flags": 0, "levers": NO_LEVERS}
    new = {"gross": [2.0, 0.0], "pending": [0.0, 0.0]} | sized(count=2)
    state = {name: [0.0, 0.0] for name in ("sold", "withdrawn", "trading")} | {"impact": [0.0]}
    paper.month(book, state, now, new)
    assert new["impact"] == pytest.approx([0.033145], abs=1e-6)
    assert new["sold"] == near([2.0 * new["impact"][0], 0.0]) and new["withdrawn"] == [0.0, 0.0]
    assert new["trading"] == pytest.approx([0.021612, -0.021612], abs=1e-6)
    assert now["stop"] == pytest.approx([0.132582 / 0.2, 0.0], abs=1e-5) and now["flags"] == 0
    book.paper.depth[0] = 4.0
    paper.month(book, state, now, new)
    assert now["flags"] == LENDER_CLEARING, "deeper falls have not settled"


def test_a_sale_after_the_lender_grew_moves_more_paper_at_the_same_price():
    """Twice the size and twice the loss: the same share is sold at the same price, twice the paper."""
    results = []
    for growth in (1.0, 2.0):
        new = {"gross": [2.0 * growth, 0.0], "pending": [0.0, 0.0]} | sized(growth, count=2)
        state = {name: [0.0, 0.0] for name in ("sold", "withdrawn", "trading")} | {"impact": [0.0]}
        paper.month(two_traders(), state, {"spread": 1.0, "flags": 0, "levers": NO_LEVERS}, new)
        results.append(new)
    small, large = results
    assert large["impact"] == near(small["impact"]) and large["sold"] == near(small["sold"])
    assert large["trading"] == near([2.0 * loss for loss in small["trading"]])


def test_first_bearers_lose_up_to_the_equity_and_others_beyond():
    """Equity of bank 90 and insurer 60. The bank loses 100: 90 on shareholders, 10 on the state. The insurer
    loses 70: 60, then 8 on savers and 2 on the state. Funds keep half of 4 at half a network, on savers. The
    vendor gains 1 by buying, its shareholders with it. At 1.25 times the size equity is enough for both.
    """
    book, _ = book_and_state()
    book.numbers.mechanisms.lender_network = 0.5
    now, new = {}, {"gross": [4.0, 0.0, 100.0, 70.0, 0.0, -1.0]} | sized()
    bearers.month(book, now, new)
    assert now["bearer"] == near([90.0 + 60.0 - 1.0, 8.0 + 2.0, 10.0 + 2.0])
    bearers.month(book, now, new | sized(1.25))
    assert now["bearer"] == near([169.0, 2.0, 0.0])
    book.numbers.mechanisms.lender_network = 1.0
    bearers.month(book, now, new | sized(1.25))
    assert now["bearer"] == near([169.0, 0.0, 0.0])


def test_a_bust_takes_capital_elsewhere():
    """After half a year of bust at equity e^-0.5 and spreads of 1.8, at half of a stress: fund A loses
    0.5 0.02 0.5, the bank 0.5 0.3 0.5, the insurer 0.5 0.2 0.8, the vendor 0.5 (0.2 0.5 + 0.1 0.8). Above
    its start equity takes nothing.
    """
    book = plain(example.small_system())
    now, new = {"equity": math.exp(-0.5), "spread": 1.8}, {"bust_years": 0.5}
    eroded = [capital.erosion(book, now, new, i) for i in range(6)]
    assert eroded == near([0.005, 0.01, 0.075, 0.08, 0.0, 0.09])
    now["equity"], now["spread"] = 1.5, 0.7
    assert capital.erosion(book, now, new, VENDOR) == 0.0
    book.numbers.mechanisms.other_assets = 0.0
    assert capital.erosion(book, now, new, BANK) == 0.0


def test_vehicles_call_capital_as_they_lend_and_others_retain_earnings():
    """Exposure twice that of month 0 after two years: a fund has twice its capital, the bank e^(0.05 2)."""
    book, (holders, start) = plain(example.small_system()), (range(6), example.small_lenders().exposure_start)
    state = {"bust_years": 1.0, "growth": [1.5] * 6, "eroded": [0.0] * 6}
    balance = [2.0 * drawn for drawn in book.loans.drawn]
    now = {"exposure": sum(balance) + 2.0 * sum(book.pools.balance), "equity": 1.0, "spread": 1.0}
    new = {"balance": balance, "regime": 0}
    capital.month(book, state, now, new, 24)
    assert now["held_exposure"] == near([2.0 * start[i] for i in holders])
    assert new["scale"] == near([2.0, 2.0, math.exp(0.1), math.exp(0.1), math.exp(0.08), math.exp(0.1)])
    assert new["growth"] == near([2.0] * 6) and new["bust_years"] == 1.0
    capital.month(book, state | {"growth": [3.0] * 6}, now, new | {"regime": 2}, 24)
    assert new["growth"] == near([2.0] * 6), "the months are apart"


def test_capital_lost_is_missed_until_it_is_restored():
    """Of a share of 0.24 missing a twenty-fourth is restored in a month; the bank, twice its size, sees 0.6
    of 60 lost and another 0.02 go elsewhere. Prices that recover give back.
    """
    book = plain(example.small_system())
    state = {"capital_missing": [0.24] * 6, "eroded": [0.0, 0.3, 0.01, 0.0, 0.0, 0.0]}
    now, new = (
        {"recognised": [0.0, 0.0, 0.6, 0.0, 0.0, 0.0]},
        sized(2.0) | {"eroded": [0.0, 0.0, 0.03, 0, 0, 9.0]},
    )
    capital.missing(book, state, now, new)
    assert new["capital_missing"] == near([0.23, 0.0, 0.26, 0.23, 0.23, 1.0])


def test_a_lender_fails_in_the_month_in_which_its_capital_is_gone():
    """The bank has 30; two thirds are lost elsewhere, 12 here: gone, though not by this book alone."""
    book = plain(example.small_system())
    state = {"failed": [0] * 6, "failed_alone": [0] * 6}
    new = sized(eroded=2.0 / 3.0) | {"gross": [0.0, 0.0, 12.0, 40.0, 0.0, 0.0], "month": 7}
    capital.fail(book, state, new)
    assert new["failed"] == [0, 0, 7, 7, 0, 0] and new["failed_alone"] == [0, 0, 0, 7, 0, 0]
    later = dict(new) | {"month": 9, "gross": [0.0, 0.0, 31.0, 0.0, 0.0, 0.0]}
    capital.fail(book, new, later)
    assert later["failed"][BANK] == 7 and later["failed_alone"][BANK] == 9


def supply_of(book, missing=(0.0,) * 6, held=1.0, stop=(0.0,) * 6, means=1.0) -> float:
    start = example.small_lenders().exposure_start
    book.lenders.appetite[:] = (3.0, 3.0, 8.0, 4.0, 4.0, 8.0)
    now = {"held_exposure": [held * start[i] for i in range(6)], "stop": stop, "means": [means] * 6}
    new = {"capital_missing": missing}
    capital.supply(book, now, new)
    return new["supply"]


def test_each_lender_lends_what_its_capital_lets_it():
    """The bank, 0.3 of lending, misses a tenth of its capital and lends 0.4 of its share, at four times its
    exposure of a limit of 8 0.9. Half of the others' 0.82 times the missing 0.18 is lent in its place.
    """
    book = plain(example.small_system())
    assert supply_of(book) == 1.0
    missing = (0.0, 0.0, 0.1, 0.0, 0.0, 0.0)
    lent = 1.0 - 0.3 * 0.6
    assert supply_of(book, missing) == near(lent + 0.5 * (1.0 - lent) * lent)
    # Funds have room for (3/2.5 - 1) of their 0.4 of lending at 2.5 times their exposure, others for
    # 4/2.5 - 1 of their 0.3; the bank, with room up to 8, for all.
    lent = 0.4 * 0.2 + 0.3 * 0.6 + 0.3
    assert supply_of(book, held=2.5) == near(lent + 0.5 * (1.0 - lent) * lent)
    assert supply_of(book, held=2.5, means=2.0) == 1.0, "capital has doubled"
    book.lenders.exposure_start[:] = 0.0
    assert supply_of(book, held=2.5) == 1.0, "who held nothing has no limit"


def test_without_a_lender_that_lends_there_is_no_supply():
    """Bank and insurer, 0.3 and 0.2 of lending, stop by 0.4 and 1: half of what the others lend of the 0.32
    replaces it. When all have stopped nobody replaces anything.
    """
    book = plain(example.small_system())
    assert supply_of(book, stop=(0.0, 0.0, 0.4, 1.0, 0.0, 1.0)) == near(0.68 + 0.5 * 0.32 * 0.68)
    assert supply_of(book, stop=(1.0,) * 6) == near(0.0)
    assert supply_of(book, missing=(0.2,) * 6) == near(0.0)


def test_a_spread_without_losses_marks_paper_and_makes_nobody_sell():
    """A calm month at a spread index of 1: nothing is lost, marked, sold or withdrawn."""
    month = calm(example.small_system(), 1)["months"][0]
    for name in ("gross", "sold", "withdrawn", "impact", "trading", "stop", "bearer"):
        assert not month[name].any(), name
    assert month["paper_price"] == near([1.0, 1.0, 1.0]) and month["supply"] == 1.0
    assert VENDOR == len(month["gross"]) - 1

"""Section 8 of docs/model.md: limits, withdrawals and forced sales of marketable paper."""

import math

from tests.reference import capital
from tests.reference.lenders import paper_of
from tests.reference.scalars import DT, LENDER_CLEARING, clip, positive

ROUNDS = 6


def limit(book, lender: int) -> tuple[float, float, float]:
    """a, start and slope of a lender's limit; from its asset coverage where it is a vehicle that has one.

    The System says start and slope of other lenders as the book does.
    """
    lenders = book.lenders
    coverage, capital = lenders.coverage[lender], lenders.capital[lender]
    if not lenders.vehicle[lender] or coverage == 0.0:
        return 0.0, lenders.limit_start[lender], lenders.limit_slope[lender]
    paper = paper_of(book, lender) / capital
    slope = 1.0 / ((coverage - 1.0) * paper) if paper > 0.0 else 0.0
    return coverage, 1.0 - (coverage - 1.0) * lenders.debt[lender] / capital, slope


def marks(book, spread: float) -> list[float]:
    """V_q: price of a class at the spread index, before forced sales."""
    paper = book.paper
    wider = positive(spread - 1.0)
    return [math.exp(-paper.spread[q] * paper.duration[q] * wider) for q in range(len(paper.spread))]


def discount(book, prices, lender: int) -> float:
    """Fall of the price of all the paper a lender held at month 0, USD bn."""
    return sum(book.paper.held[lender, q] * (1.0 - price) for q, price in enumerate(prices))


def capital_lost(book, state, new, prices, lender: int) -> float:
    """y: recognised losses and the marks that count, as a share of capital."""
    lenders = book.lenders
    seen = new["gross"][lender] - new["pending"][lender]
    kept = lenders.mark_weight[lender] * (1.0 - state["sold"][lender])
    own_funds = capital.whole(book, new, lender)
    marked = kept * discount(book, prices, lender) * new["growth"][lender] / own_funds
    return seen / own_funds + new["eroded"][lender] + marked


def withdrawn(book, state, levers, lender: int, lost: float) -> float:
    """w': investors leave as capital is lost, up to the gate and, of vehicles, the line within the limit."""
    lenders, switches = book.lenders, book.numbers.mechanisms
    before = state["withdrawn"][lender]
    want = clip(lenders.withdrawal_slope[lender] * (lost - lenders.withdrawal_start[lender]), 0.0, 1.0)
    room = 1.0
    if lenders.vehicle[lender]:
        times, start, _ = limit(book, lender)
        line = switches.credit_lines * lenders.line[lender] * (1.0 - levers.lines) / lenders.capital[lender]
        room = min(line, (start - lost) / max(times, 1.0))
    return max(before, min(switches.redemptions * want, before + lenders.gate[lender], room))


def past_limit(book, lender: int, lost: float, left: float) -> float:
    """Share of capital by which a lender is past its limit."""
    times, start, _ = limit(book, lender)
    return positive(lost - start + times * left)


def sold(book, state, lender: int, past: float, left: float) -> float:
    """s': what the limit asks for, and what pays leaving investors of lenders without a line."""
    _, _, slope = limit(book, lender)
    wanted = slope * past + (0.0 if book.lenders.vehicle[lender] else left)
    return max(state["sold"][lender], book.numbers.mechanisms.paper_sales * min(1.0, wanted))


def impact(book, state, new) -> list[float]:
    """F: what lasts of earlier sales' impact, and that of this month's."""
    paper, fading = book.paper, 2.0 ** (-DT / book.numbers.lenders.sale_half_life)
    found = []
    for q in range(len(paper.depth)):
        sales = 0.0
        for lender in range(len(new["sold"])):
            sales += paper.held[lender, q] * (new["sold"][lender] - state["sold"][lender])
        found.append(state["impact"][q] * fading + sales / paper.depth[q])
    return found


def conduct(book, state, now, new, prices) -> None:
    """One round: y, w', past and s' of every lender at given prices."""
    now["capital_lost"], now["past_limit"], new["withdrawn"], new["sold"] = [], [], [], []
    for lender in range(len(book.lenders.capital)):
        lost = capital_lost(book, state, new, prices, lender)
        left = withdrawn(book, state, now["levers"], lender, lost)
        past = past_limit(book, lender, lost, left)
        now["capital_lost"].append(lost)
        now["past_limit"].append(past)
        new["withdrawn"].append(left)
        new["sold"].append(sold(book, state, lender, past, left))


def trade(book, state, now, new) -> None:
    """T': sellers lose the discount of what they sold this month, buyers gain it."""
    lenders, discs = book.lenders, []
    for lender in range(len(lenders.capital)):
        share = new["sold"][lender] - state["sold"][lender]
        discs.append(new["growth"][lender] * share * discount(book, now["paper_price"], lender))
    new["trading"] = []
    for lender, disc in enumerate(discs):
        bought = lenders.buyer_weight[lender] * sum(discs)
        new["trading"].append(state["trading"][lender] + disc - bought)


def month(book, state, now, new) -> None:
    """Four rounds of marks, withdrawals, sales and prices from no new sale; trades, and who stops lending."""
    n = book.numbers.lenders
    value = marks(book, now["spread"])
    new["sold"] = list(state["sold"])
    new["impact"] = impact(book, state, new)
    for _ in range(ROUNDS):
        before = new["impact"]
        prices = [value[q] * math.exp(-before[q]) for q in range(len(value))]
        conduct(book, state, now, new, prices)
        new["impact"] = impact(book, state, new)
    if any(abs(new["impact"][q] - before[q]) > 1e-3 for q in range(len(value))):
        now["flags"] |= LENDER_CLEARING
    now["paper_price"] = [value[q] * math.exp(-new["impact"][q]) for q in range(len(value))]
    trade(book, state, now, new)
    now["stop"] = [min(1.0, past / n.full_stop) for past in now["past_limit"]]

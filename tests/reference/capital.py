"""Section 8 of docs/model.md: capital of lenders, what a bust takes elsewhere, what is missing, supply."""

import math

from tests.reference.scalars import BUST, DT, clip, positive


def erosion(book, now, new, lender: int) -> float:
    """z: share of a lender's capital lost on other assets."""
    lenders, severity = book.lenders, book.numbers.lenders.bust_severity
    prices = lenders.bust_equity[lender] * positive(-math.log(now["equity"]))
    prices += lenders.bust_spread[lender] * positive(now["spread"] - 1.0)
    defaults = lenders.bust_credit[lender] * new["bust_years"]
    return book.numbers.mechanisms.other_assets * severity * (prices + defaults)


def exposures(book, now, new) -> list[float]:
    """E: each lender's part of the loans to named firms, and of pools as these have grown together."""
    lenders, pools = book.lenders, sum(book.pools.balance)
    pooled = (now["exposure"] - sum(new["balance"])) / max(pools, 1e-6)
    held = []
    for i in range(len(lenders.capital)):
        loans = sum(lenders.holdings[i, m] * owed for m, owed in enumerate(new["balance"]))
        held.append(loans + lenders.pool_exposure_start[i] * pooled)
    return held


def month(book, state, now, new, t: int) -> None:
    """Exposure, the scale of capital and what is lost elsewhere."""
    lenders, count = book.lenders, len(book.lenders.capital)
    new["bust_years"] = state["bust_years"] + (DT if new["regime"] == BUST else 0.0)
    now["held_exposure"] = exposures(book, now, new)
    now["means"] = [math.exp(lenders.capital_growth[i] * t / 12.0) for i in range(count)]
    new["growth"], new["scale"] = [], []
    for i in range(count):
        start = lenders.exposure_start[i]
        larger = max(state["growth"][i], now["held_exposure"][i] / (start if start > 0.0 else 1.0))
        new["growth"].append(larger)
        new["scale"].append(larger if lenders.vehicle[i] else now["means"][i])
    new["eroded"] = [erosion(book, now, new, i) for i in range(count)]


def left(book, new, lender: int) -> float:
    """K: capital that losses of this book meet, USD bn."""
    return book.lenders.capital[lender] * new["scale"][lender] * positive(1.0 - new["eroded"][lender])


def missing(book, state, now, new) -> None:
    """m': what has been lost and is not restored."""
    n, new["capital_missing"] = book.numbers.lenders, []
    for i in range(len(book.lenders.capital)):
        lost = now["recognised"][i] / (book.lenders.capital[i] * new["scale"][i])
        lost += new["eroded"][i] - state["eroded"][i]
        new["capital_missing"].append(
            clip(state["capital_missing"][i] * (1.0 - n.rebuilding * DT) + lost, 0.0, 1.0)
        )


def fail(book, state, new) -> None:
    """Month in which capital was gone: with losses elsewhere, and by this book alone."""
    for name, start in (("failed", left), ("failed_alone", whole)):
        new[name] = []
        for i, gross in enumerate(new["gross"]):
            first = state[name][i] == 0 and gross >= start(book, new, i)
            new[name].append(new["month"] if first else state[name][i])


def whole(book, new, lender: int) -> float:
    """Capital before any loss, USD bn."""
    return book.lenders.capital[lender] * new["scale"][lender]


def room(book, now, new, lender: int) -> float:
    """Share of its new lending for which a lender has room."""
    lenders, taper = book.lenders, book.numbers.lenders.taper
    start = lenders.exposure_start[lender]
    if start == 0.0:
        return 1.0
    limit = lenders.appetite[lender] * now["means"][lender] * (1.0 - new["capital_missing"][lender]) * start
    return clip((limit / max(now["held_exposure"][lender], 1e-6) - 1.0) / (1.0 / taper - 1.0), 0.0, 1.0)


def supply(book, now, new) -> None:
    """Section 9: S'."""
    n, lent = book.numbers.lenders, 1.0
    for i, weight in enumerate(book.lenders.lending_weight):
        willing = clip(1.0 - n.supply_loss * new["capital_missing"][i], 0.0, 1.0)
        lent -= weight * (1.0 - room(book, now, new, i) * willing * (1.0 - now["stop"][i]))
    new["supply"] = lent + (1.0 - n.unreplaced) * (1.0 - lent) * lent

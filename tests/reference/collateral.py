"""Section 5 of docs/model.md: coverage tests, waivers, cures, foreclosure and the fire-sale spiral."""

import math

from tests.reference import chips, contracts
from tests.reference.borrowers import remnant
from tests.reference.scalars import BOOM, COLLATERAL_SPIRAL, DT, HOURS, positive

ROUNDS = 4


def contract_years(book, v: int, t: int, quality) -> float:
    """T_v(t): years left of the contracts pledged to loan v, as far as honoured, weighted by full size."""
    weighted, weights = 0.0, 0.0
    for c in range(len(book.contracts.buyer)):
        weight = book.loans.security[v, c] * book.contracts.annual[c]
        weighted += weight * quality[c] * positive(contracts.end_month(book, c) - t) * DT
        weights += weight
    return weighted / weights if weights > 0.0 else 0.0


def secured_value(book, v: int, t: int, size, quality) -> float:
    """PV_v: contract cash still to come, by the share pledged to loan v."""
    total = 0.0
    for c in range(len(book.contracts.buyer)):
        share = book.loans.security[v, c]
        if share > 0.0:
            value = contracts.present_value(book, c, t)
            total += share * book.contracts.margin[c] * size[c] * quality[c] * value
    return total


def unscaled(book, years: float, secured: float, pledged, price) -> float:
    """w_v: contract_advance PV_v + e^{-d T_v} sum of pledged units times price."""
    stock = sum(units * value for units, value in zip(pledged, price, strict=True))
    decay = math.exp(-chips.decline(book) * years)
    return book.numbers.credit.contract_advance * secured + decay * stock


def start_scales(book, price_start) -> list[float]:
    """k_v(0): the drawn balance of month 0 is `ltv_target` of the collateral; 0 where nothing is drawn."""
    loans = book.loans
    ones = [1.0 for _ in book.contracts.buyer]
    scale = []
    for v in range(len(loans.ltv_target)):
        if loans.drawn[v] > 0.0:
            secured = secured_value(book, v, 0, ones, ones)
            value = unscaled(book, contract_years(book, v, 0, ones), secured, loans.pledged[v], price_start)
            scale.append(loans.drawn[v] / (loans.ltv_target[v] * value))
        else:
            scale.append(0.0)
    return scale


def brought(book, now, new, v: int) -> float:
    """brought_v = draw_v / ltv_target_v + (borrowed_v - draw_v) / min(ltv_target_v loose, pi.cap)."""
    documented, draw, n = book.loans.ltv_target[v], now["draw"][v], book.numbers
    loose = 1.0 + n.mechanisms.screening * n.credit.loosening * new["boom_years"]
    return draw / documented + (now["borrowed"][v] - draw) / min(documented * loose, now["levers"].cap)


def rescale(book, state, now, new) -> None:
    """k'_v: every draw brings collateral at the documented LTV, valued before this month's sales."""
    new["collateral_scale"] = []
    for v in range(len(book.loans.ltv_target)):
        scale = state["collateral_scale"][v]
        if now["borrowed"][v] > 0.0:
            years, secured = now["contract_years"][v], now["secured_value"][v]
            price = now["price_before_sales"]
            before = unscaled(book, years, secured, now["pledged_left"][v], price)
            after = unscaled(book, years, secured, now["pledged"][v], price)
            scale = (scale * before + brought(book, now, new, v)) / after
        new["collateral_scale"].append(scale)


def coverage(book, state, now, new, t: int) -> None:
    """Units bought with borrowed money, contract value, cash flow for debt service and DSCR of each loan."""
    loans, cap = book.loans, book.numbers.credit.dscr_cap
    for name in ("pledged", "pledged_left", "contract_years", "secured_value", "cash_flow", "dscr"):
        now[name] = []
    worth = [now["quality"][c] * contracts.delivered(book, now, c) for c in range(len(now["quality"]))]
    for v in range(len(loans.ltv_target)):
        units, rental = [], 0.0
        left = [count * (1.0 - book.numbers.chips.failure * DT) for count in state["pledged"][v]]
        matched = brought(book, now, new, v) * loans.ltv_target[v]
        for g in range(len(now["rent"])):
            spent = book.numbers.credit.chips_per_draw * matched * now["mix"][g]
            units.append(left[g] + spent / book.chips.list_price[g])
            running = book.chips.operating_cost[g] * now["power"]
            rental += units[g] * positive(HOURS * (now["hours"] * now["rent"][g] - running)) * DT
        contracted = 0.0
        for c in range(len(book.contracts.buyer)):
            contracted += loans.security[v, c] * book.contracts.margin[c] * now["received"][c]
        cash_flow = contracted + loans.uncontracted_share[v] * rental
        owed = now["interest"][v] + now["amortisation"][v]
        now["pledged"].append(units)
        now["pledged_left"].append(left)
        now["contract_years"].append(contract_years(book, v, t, now["quality"]))
        now["secured_value"].append(secured_value(book, v, t, new["size"], worth))
        now["cash_flow"].append(cash_flow)
        now["dscr"].append(min(cash_flow / owed, cap) if owed > 0.0 else cap)


def examine(book, state, draws, now, new, price, t: int) -> dict:
    """LTV, breach, call and cure of each loan at a price, and which loans are foreclosed at it."""
    n, loans = book.numbers.credit, book.loans
    count = len(loans.ltv_target)
    found = {"ltv": [], "breach": [], "call": [], "cure": []}
    for v in range(count):
        balance = new["balance"][v]
        years, secured = now["contract_years"][v], now["secured_value"][v]
        value = unscaled(book, years, secured, now["pledged"][v], price) * new["collateral_scale"][v]
        ltv = balance / value if value > 0.0 else (math.inf if balance > 0.0 else 0.0)
        tested = now["tested"][v]
        short_cash = now["dscr"][v] < n.dscr_default
        breach = tested and (ltv > n.ltv_covenant or short_cash)
        waived = t <= state["waived_until"][v] or draws["waiver"][v] < n.waiver
        call = breach and not waived
        cure = max(balance - n.ltv_cure * value, n.least_cure * balance if short_cash else 0.0)
        found["ltv"].append(ltv)
        found["breach"].append(breach)
        found["call"].append(call)
        found["cure"].append(cure if call else 0.0)
    found["foreclosed"] = []
    for v in range(count):
        i = int(loans.borrower[v])
        asked = sum(found["cure"][u] for u in range(count) if loans.borrower[u] == i)
        found["foreclosed"].append(found["call"][v] and asked > new["cash"][i] + now["equity_now"][i])
    return found


def spiral(book, state, draws, now, new, t: int) -> None:
    """Four rounds of sales, prices and tests from no foreclosure; foreclosed loans stay foreclosed."""
    n = book.numbers.chips
    meter = 1.0 - (1.0 - n.quarterly_sales) ** (1.0 / 3.0)
    impact = book.numbers.mechanisms.fire_sale * n.impact
    count, generations = len(book.loans.ltv_target), range(len(now["rent"]))
    foreclosed = [False for _ in range(count)]
    for _ in range(ROUNDS):
        sold, fire_sale, price = [], [], []
        for g in generations:
            queue = state["held"][g] + sum(now["pledged"][v][g] for v in range(count) if foreclosed[v])
            sold.append(meter * queue)
            before = now["decayed_fire_sale"][g]
            pressure = sold[g] / now["depth"][g] if sold[g] > 0.0 else 0.0
            discount = min(before + impact * pressure * (1.0 - before / n.impact_cap), n.impact_cap)
            fire_sale.append(discount)
            price.append(chips.price_of(book, g, now["scaled_value"][g], discount))
        found = examine(book, state, draws, now, new, price, t)
        grown = [foreclosed[v] or found["foreclosed"][v] for v in range(count)]
        unsettled = grown != foreclosed
        foreclosed = grown
    if unsettled:
        now["flags"] |= COLLATERAL_SPIRAL
    now["foreclosed"], now["units_sold"], now["price"] = foreclosed, sold, price
    now["ltv"], now["breach"], now["cure"] = found["ltv"], found["breach"], found["cure"]
    new["fire_sale"] = fire_sale


def waivers(book, state, draws, now, new, t: int) -> None:
    """A breach of the last round that is newly waived stays waived for `waiver_months`."""
    n = book.numbers.credit
    new["waived_until"] = []
    for v in range(len(book.loans.ltv_target)):
        until = state["waived_until"][v]
        if now["breach"][v] and t > until and draws["waiver"][v] < n.waiver:
            until = t + n.waiver_months - 1
        new["waived_until"].append(until)


def cures(book, now, new) -> None:
    """Calls of borrowers that are not foreclosed are paid, from cash first, then from equity."""
    loans = book.loans
    now["cured"] = [0.0 for _ in loans.ltv_target]
    for v in range(len(loans.ltv_target)):
        i = int(loans.borrower[v])
        if i in now["foreclosed_firms"] or now["cure"][v] == 0.0:
            continue
        from_cash = min(now["cure"][v], new["cash"][i])
        new["cash"][i] -= from_cash
        from_equity = now["cure"][v] - from_cash
        now["equity_now"][i] -= from_equity
        new["headroom"][i] = positive(new["headroom"][i] - from_equity)
        new["balance"][v] -= now["cure"][v]
        now["cured"][v] = now["cure"][v]


def sweeps(book, now, new) -> None:
    """Trapped cash repays the loan, within the balance and the borrower's cash above its minimum."""
    n, loans = book.numbers.credit, book.loans
    count = len(loans.ltv_target)
    now["swept"] = [0.0 for _ in range(count)]
    for v in range(count):
        trapped = n.dscr_default <= now["dscr"][v] < n.dscr_trap
        if now["tested"][v] and trapped and int(loans.borrower[v]) not in now["foreclosed_firms"]:
            surplus = positive(now["cash_flow"][v] - now["interest"][v] - now["amortisation"][v])
            now["swept"][v] = min(n.sweep_share * surplus, new["balance"][v])
    for i in range(len(book.firms.cash)):
        mine = [v for v in range(count) if loans.borrower[v] == i]
        asked = sum(now["swept"][v] for v in mine)
        spare = positive(new["cash"][i] - book.firms.minimum_cash[i])
        if asked > spare:
            for v in mine:
                now["swept"][v] *= spare / asked
        for v in mine:
            new["balance"][v] -= now["swept"][v]
            new["cash"][i] -= now["swept"][v]


def month(book, state, draws, now, new, t: int) -> None:
    """Section 5 in its order."""
    loans = book.loans
    count, generations = len(loans.ltv_target), range(len(now["rent"]))
    new["boom_years"] = state["boom_years"] + DT if new["regime"] == BOOM else 0.0
    coverage(book, state, now, new, t)
    rescale(book, state, now, new)
    now["tested"] = [
        now["alive"][int(loans.borrower[v])] > 0 and new["balance"][v] > remnant(book, v)
        for v in range(count)
    ]
    spiral(book, state, draws, now, new, t)
    now["foreclosed_firms"] = {int(loans.borrower[v]) for v in range(count) if now["foreclosed"][v]}
    waivers(book, state, draws, now, new, t)
    cures(book, now, new)
    new["held"] = []
    for g in generations:
        moved = sum(now["pledged"][v][g] for v in range(count) if now["foreclosed"][v])
        new["held"].append(state["held"][g] + moved - now["units_sold"][g])
    new["pledged"] = [
        [0.0 for _ in generations] if now["foreclosed"][v] else list(now["pledged"][v]) for v in range(count)
    ]
    sweeps(book, now, new)

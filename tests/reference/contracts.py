"""Section 3 of docs/model.md: obligations, clearing, re-letting, EBITDA; support is in vendors.py."""

import math

import numpy as np

from tests.reference import policy, vendors
from tests.reference.book import once
from tests.reference.scalars import BOOM, CONTRACT_CLEARING, DT, clip, positive


def end_month(book, c: int) -> float:
    """The book's end of the contract, or the month in which leases of project companies break."""
    k, lease_break = book.contracts, book.numbers.contracts.lease_break_month
    if k.lease_project[c] > 0 and 0 < lease_break and k.start_month[c] < lease_break < k.end_month[c]:
        return lease_break
    return k.end_month[c]


def is_compute(book, c: int) -> bool:
    """Whether contract c is of kind compute and flow operating."""
    return book.contracts.compute[c] > 0 and book.contracts.operating[c] > 0


def flows(book, c: int) -> bool:
    """Whether money or shares move under contract c; plans are on record only."""
    k = book.contracts
    return k.operating[c] + k.equity[c] + k.warrant[c] + k.backstop[c] > 0


def term(book, c: int, t: int) -> float:
    """term_c(t), USD bn a year: the ramp from today's spend to full size, inside the term."""
    k = book.contracts
    if not flows(book, c) or not k.start_month[c] < t <= end_month(book, c):
        return 0.0
    ramp = 1.0 if k.ramp_months[c] == 0 else clip((t - k.start_month[c]) / k.ramp_months[c], 0.0, 1.0)
    return k.start_annual[c] + (k.annual[c] - k.start_annual[c]) * ramp


def after(book, c: int, t: int) -> float:
    """after_c(t), USD bn a year: what would be renewed once the term is over."""
    k = book.contracts
    return k.annual[c] if k.operating[c] > 0 and t > end_month(book, c) else 0.0


def present_value(book, c: int, t: int) -> float:
    """pv_c(t) of what the term still pays, at the contract yield."""
    return once(book, ("present value", c, t), lambda: discounted(book, c, t))


def discounted(book, c: int, t: int) -> float:
    """Sum of term_c(s) dt e^{-contract_yield (s - t) dt} over what is left of the term."""
    last = int(math.floor(end_month(book, c)))
    paid = once(book, ("term", c), lambda: [term(book, c, s) * DT for s in range(1, last + 1)])
    years = np.arange(1, last - t + 1) * DT
    return float(np.dot(paid[t:], np.exp(-book.numbers.credit.contract_yield * years)))


def planned_revenue(book, t: int) -> float:
    """`economy.plan`, linear between year ends (the first at month 0), flat after the last."""
    plan = book.numbers.economy.plan
    year, part = t // 12, (t % 12) / 12.0
    if year >= len(plan) - 1:
        return plan[-1]
    return plan[year] * (1.0 - part) + plan[year + 1] * part


def equity_speed(book, i: int, regime: int) -> float:
    """v: share of its value a firm can raise in a year."""
    numbers = book.numbers.contracts if book.firms.lab[i] > 0 else book.numbers.credit
    return numbers.equity_speed[regime]


def equity_months(book, i: int) -> float:
    """Months of it that a firm can raise at once."""
    numbers = book.numbers.contracts if book.firms.lab[i] > 0 else book.numbers.credit
    return numbers.equity_months


def sizes(book, now, new, t: int) -> None:
    """a_c now and twelve months later, before delivery: compute is renewed at the rent of the day."""
    k, renewal = book.contracts, book.numbers.contracts.renewal[new["regime"]]
    now["full_size"], now["size_ahead"] = [], []
    for c in range(len(k.buyer)):
        ratio = now["rent_ratio"][int(k.seller[c])] if is_compute(book, c) else 1.0
        now["full_size"].append(term(book, c, t) + renewal * ratio * after(book, c, t))
        now["size_ahead"].append(term(book, c, t + 12) + renewal * ratio * after(book, c, t + 12))


def delivered(book, now, c: int) -> float:
    """delta_c: of the seller for compute and for leases of projects, 1 for other contracts."""
    built = is_compute(book, c) or book.contracts.lease_project[c] > 0
    return now["delivered"][int(book.contracts.seller[c])] if built else 1.0


def owed(book, state, now, new, t: int) -> None:
    """alpha_c, obligations o_c of contracts and of firms, and the equity wanted of the month."""
    n, k = book.numbers.contracts, book.contracts
    operating = now["operating"]
    regime = new["regime"]
    plan = planned_revenue(book, t)
    served, obligation, wanted = [], [], []
    for c in range(len(k.buyer)):
        buyer, seller = int(k.buyer[c]), int(k.seller[c])
        size = now["full_size"][c]
        flex = 1.0 - k.flexibility[c] + k.flexibility[c] * min(1.0, now["revenue"] / plan)
        serves = size * delivered(book, now, c) * DT * operating[seller] if k.operating[c] > 0 else 0.0
        asked = 0.0
        if k.equity[c] > 0:
            share = n.equity_floor[regime] if k.staged[c] > 0 else float(regime == BOOM)
            asked = size * DT * min(1.0, now["equity"]) * share * operating[buyer] * operating[seller]
            asked *= n.investment
        served.append(serves)
        obligation.append(state["size"][c] * flex * serves)
        wanted.append(asked)
    now["served"], now["obligation"], now["wanted"] = served, obligation, wanted
    now["owed"] = [0.0 for _ in book.firms.cash]
    for c in range(len(k.buyer)):
        now["owed"][int(k.buyer[c])] += obligation[c]


def opening(book, state, draws, now, new, i: int) -> float:
    """open_i: the share of accrued equity within reach, for labs by rounds; writes tries, wins and c'."""
    n, lab = book.numbers.contracts, book.firms.lab[i] > 0
    low = state["cash"][i] < n.round_trigger * now["burn"][i]
    tries = lab and low and state["since_round"][i] >= n.round_gap
    wins = tries and draws["round"][i] < n.round_success[new["regime"]]
    now["tries"].append(tries)
    now["wins"].append(wins)
    new["since_round"].append(1.0 if tries else state["since_round"][i] + 1.0)
    return 1.0 - book.numbers.mechanisms.rounds * (1.0 - float(wins)) if lab else 1.0


def resources(book, state, draws, now, new, t: int) -> None:
    """Operating result, equity capacity and liquid funds of each firm, and what labs could not pay."""
    n, firms, credit = book.numbers.contracts, book.firms, book.numbers.credit
    regime = new["regime"]
    names = ("operating_result", "accrued", "sponsor", "equity_capacity", "liquid", "missing", "promised")
    for name in (*names, "burn", "tries", "wins"):
        now[name] = []
    new["since_round"] = []
    for i in range(len(firms.cash)):
        core = firms.core_ebitda[i] * (1.0 + firms.core_growth[i]) ** (t / 12.0)
        result = (
            (
                now["firm_revenue"][i] * (1.0 - n.variable_cost)
                - firms.fixed_cost[i] * (1.0 + n.fixed_cost_growth) ** (t / 12.0)
                + core * math.exp(-firms.core_stress_beta[i] * now["stress"])
                + now["spot"][i]
            )
            * DT
            * now["operating"][i]
        )
        speed = equity_speed(book, i, regime)
        value = now["value"][i]
        most = speed * equity_months(book, i) / 12.0 * value
        accrued = min(state["headroom"][i] + speed * DT * value, most)
        sponsor = firms.sponsor_capacity[i] * credit.sponsor_regime[regime] * DT
        promised = sum(q for c, q in enumerate(now["commitment"]) if book.contracts.seller[c] == i)
        reserved = now["firm_interest"][i] + now["firm_amortisation"][i]
        now["burn"].append(positive(now["owed"][i] + reserved - result - promised))
        opened = opening(book, state, draws, now, new, i)
        capacity = (opened * accrued + sponsor) * now["operating"][i]
        liquid = state["cash"][i] + result - reserved + promised
        asks = firms.lab[i] > 0 and now["operating"][i] > 0
        missing = positive(now["owed"][i] - liquid - capacity) if asks else 0.0
        row = (result, accrued, sponsor, capacity, liquid, missing, promised)
        for name, number in zip(names, row, strict=True):
            now[name].append(number)


def raise_funds(book, now) -> None:
    """aid_i, liquid funds with it, and the raise of labs and backup of others."""
    buffer, firms = book.numbers.contracts.equity_buffer, book.firms
    now["aid"] = policy.aid(now["levers"].aid, now["missing"])
    now["liquid"] = [liquid + aid for liquid, aid in zip(now["liquid"], now["aid"], strict=True)]
    now["raised"], now["backup"] = [], []
    for i in range(len(firms.cash)):
        lab, capacity = firms.lab[i] > 0, now["equity_capacity"][i]
        sought = now["owed"][i] + buffer * now["burn"][i] - now["liquid"][i]
        now["raised"].append(clip(sought, 0.0, capacity) if lab else 0.0)
        now["backup"].append(0.0 if lab else capacity + now["undrawn_revolver"][i] + now["spare"][i])


def clear(book, now) -> None:
    """theta by firm and rank, payments p_c: four rounds from full payment."""
    k, firms = book.contracts, book.firms
    contracts, count = range(len(k.buyer)), len(firms.cash)
    rank = [1 if k.senior[c] > 0 else 2 for c in contracts]
    owed_by_rank = [{1: 0.0, 2: 0.0} for _ in range(count)]
    for c in contracts:
        owed_by_rank[int(k.buyer[c])][rank[c]] += now["obligation"][c]
    switch = book.numbers.mechanisms.circular_contracts
    paid = list(now["obligation"])
    moved = 0.0
    for _ in range(4):
        theta = []
        for i in range(count):
            funds = now["liquid"][i] + now["raised"][i] + now["backup"][i]
            for c in contracts:
                if k.seller[c] == i and k.operating[c] > 0:
                    funds += k.margin[c] * (switch * paid[c] + (1.0 - switch) * now["served"][c])
            first, second = owed_by_rank[i][1], owed_by_rank[i][2]
            pays = {1: 1.0, 2: 1.0}
            if first > 0.0 and firms.outside[i] == 0:
                pays[1] = clip(funds / first, 0.0, 1.0)
            if second > 0.0 and firms.outside[i] == 0:
                pays[2] = clip((funds - first) / second, 0.0, 1.0)
            theta.append({r: pays[r] * now["operating"][i] for r in (1, 2)})
        before = paid
        paid = [theta[int(k.buyer[c])][rank[c]] * now["obligation"][c] for c in contracts]
        moved = max([abs(paid[c] - before[c]) for c in contracts], default=0.0)
    largest = max(now["obligation"], default=0.0)
    if moved > 1e-4 * max(1.0, largest):
        now["flags"] |= CONTRACT_CLEARING
    now["theta"] = theta
    now["contract_theta"] = [theta[int(k.buyer[c])][rank[c]] for c in contracts]
    now["owed_second"] = [owed_by_rank[i][2] for i in range(count)]
    now["paid"] = paid


def receive(book, state, now, new) -> None:
    """Re-letting, what the seller receives, renegotiated sizes; backstops join what is paid."""
    n, k = book.numbers.contracts, book.contracts
    switch = book.numbers.mechanisms.circular_contracts
    relet, received, size = [], [], []
    for c in range(len(k.buyer)):
        x = state["size"][c]
        if k.operating[c] == 0:
            now["paid"][c] = now["backstop"][c]
            relet.append(0.0)
            received.append(switch * now["backstop"][c])
            size.append(x)
            continue
        buyer, seller = int(k.buyer[c]), int(k.seller[c])
        paid = now["paid"][c]
        full = now["served"][c]
        covered = now["guarantee"][c]
        market = k.relet[c] * math.exp(-positive(now["stress"])) * positive(full - paid - covered)
        market *= now["to_relet"][seller]
        relet.append(market)
        received.append((1.0 - switch) * full + switch * (paid + covered + market))
        if now["operating"][buyer] > 0:
            x *= 1.0 - n.renegotiation / n.renegotiation_months * (1.0 - now["contract_theta"][c])
        if is_compute(book, c) and new["short_delivery"][seller] > n.non_delivery_months:
            x *= 1.0 - (1.0 - now["delivered"][seller]) / n.renegotiation_months
        size.append(x)
    now["relet"], now["received"], new["size"] = relet, received, size


def earnings(book, state, now, new) -> None:
    """Months of low payment, arrears, EBITDA of the month and the EBITDA expected in twelve months."""
    n, k, firms = book.numbers.contracts, book.contracts, book.firms
    contracts = [c for c in range(len(k.buyer)) if k.operating[c] > 0]
    earning = [c for c in range(len(k.buyer)) if k.operating[c] > 0 or k.backstop[c] > 0]
    switch = book.numbers.mechanisms.circular_contracts
    quality = [0.0 for _ in k.buyer]
    ahead = [0.0 for _ in k.buyer]
    for c in contracts:
        guarantor = int(k.guarantor[c])
        covered = now["support_paid"][guarantor] * k.cover[c] * now["operating"][guarantor]
        quality[c] = 1.0 - switch * (1.0 - max(now["contract_theta"][c], covered))
    for c in earning:
        ahead[c] = now["size_ahead"][c] * delivered(book, now, c)
    now["quality"] = quality
    now["arrears"], now["ebitda"], now["forward"], new["low_payment"] = [], [], [], []
    for i in range(len(firms.cash)):
        sold = [c for c in contracts if k.seller[c] == i]
        bought = [c for c in contracts if k.buyer[c] == i]
        paid = sum(now["paid"][c] for c in bought)
        low = firms.lab[i] > 0 and now["theta"][i][2] < n.low_payment and now["owed_second"][i] > 0.0
        new["low_payment"].append(state["low_payment"][i] + 1.0 if low else 0.0)
        modelled = firms.lab[i] == 0 and firms.outside[i] == 0
        now["arrears"].append(now["owed"][i] - paid if modelled else 0.0)
        income = sum(k.margin[c] * now["received"][c] for c in earning if k.seller[c] == i)
        outlay = sum(now["paid"][c] for c in earning if k.buyer[c] == i)
        now["ebitda"].append(now["operating_result"][i] + income - outlay)
        served = [now["operating"][int(k.seller[c])] * new["size"][c] * ahead[c] for c in range(len(k.buyer))]
        expected = sum(k.margin[c] * quality[c] * served[c] for c in sold)
        expected -= sum(served[c] for c in bought)
        expected += vendors.expected_backstops(book, now, new, ahead, i)
        expected += (now["spot_ahead"][i] - now["spot"][i]) * now["operating"][i]
        now["forward"].append(now["operating_result"][i] / DT + expected)


def month(book, state, draws, now, new, t: int) -> None:
    """Section 3 in its order; the debt service of section 4 has been computed before."""
    owed(book, state, now, new, t)
    vendors.equity(book, state, now)
    resources(book, state, draws, now, new, t)
    raise_funds(book, now)
    clear(book, now)
    vendors.support(book, now, new)
    receive(book, state, now, new)
    earnings(book, state, now, new)

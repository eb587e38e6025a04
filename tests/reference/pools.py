"""Section 7 of docs/model.md: pools of obligors, pools of rents, tranches."""

import math

from tests.reference import policy
from tests.reference.scalars import ALIVE, DT, EXCHANGE, clip, positive


def hazards(book, fixed, state, now, new) -> None:
    """Hazard integral of each pool and which obligors are dead before and after the month."""
    n, pools = book.numbers.credit, book.pools
    missing = positive(n.refinancing_start - now["access"])
    link = book.numbers.mechanisms.pool_links * n.refinancing_link * missing
    new["pool_hazard"] = []
    for p in range(len(pools.balance)):
        frailty = math.exp(pools.frailty[p] * fixed["frailty"][p] - pools.frailty[p] ** 2 / 2.0)
        rate = pools.hazard[p] * frailty * now["hazard_multiplier"] * now["spread"] ** n.hazard_spread
        rate += link * pools.refinancing_link[p]
        new["pool_hazard"].append(state["pool_hazard"][p] + rate * DT)
    now["was_dead"], now["is_dead"] = [], []
    for o in range(len(pools.obligor_pool)):
        p = int(pools.obligor_pool[o])
        now["was_dead"].append(fixed["threshold_obligors"][o] <= state["pool_hazard"][p])
        now["is_dead"].append(fixed["threshold_obligors"][o] <= new["pool_hazard"][p])


def loss_given_default(book, now, p: int) -> float:
    """LGD_p, higher under stress and where chip prices fell short."""
    n = book.numbers.credit
    link = book.numbers.mechanisms.pool_links * n.chip_link * book.pools.chip_link[p] * now["price_gap"]
    lgd = book.pools.lgd[p] * (1.0 + n.pool_stress * positive(now["stress"])) + link
    return clip(lgd, 0.0, n.worst_lgd)


def credit_pool(book, state, now, new, p: int, notional: float) -> None:
    """Newly dead obligors of a pool of loans."""
    pools = book.pools
    lgd = loss_given_default(book, now, p)
    fallen = 0.0
    for o in range(len(pools.obligor_pool)):
        if pools.obligor_pool[o] == p and now["is_dead"][o] and not now["was_dead"][o]:
            share = pools.obligor_share[p, o]
            fallen += share
            now["obligor_loss"][o] = pools.direct[o] * share * notional * lgd
    new["pool_loss"].append(state["pool_loss"][p] + fallen * lgd)
    new["pool_debt"].append(state["pool_debt"][p])
    new["pool_short"].append(state["pool_short"][p])
    now["pool_dscr"].append(math.nan)


def lease_pool(book, state, now, new, p: int, t: int) -> None:
    """Rents lost, turbo amortisation when short or late, and default after the reserve is used."""
    n, pools = book.numbers.credit, book.pools
    lost = 0.0
    for i in range(len(book.firms.cash)):
        if new["cause"][i] not in (ALIVE, EXCHANGE):
            lost += pools.tenants_named[p, i]
    for o in range(len(pools.obligor_pool)):
        if now["is_dead"][o]:
            lost += pools.tenants_synthetic[p, o]
    income = 1.0 - lost * (1.0 - pools.relet[p] * math.exp(-positive(now["stress"])))
    value = income * now["spread"] ** n.abs_cap_rate
    debt = state["pool_debt"][p]
    dscr = pools.dscr[p] * income / debt if debt > 0.0 else n.dscr_cap
    late = 0 < pools.repayment_month[p] <= t and debt > now["access"] * value
    if dscr < n.abs_trap or late:
        debt -= min(positive(dscr - 1.0) * n.abs_coupon * debt * DT, debt)
    short = state["pool_short"][p] + 1.0 if dscr < 1.0 else max(state["pool_short"][p] - 1.0, 0.0)
    loss = state["pool_loss"][p]
    if short > n.abs_reserve_months:
        loss += clip(debt - value * (1.0 - n.abs_sale_cost) / pools.ltv[p], 0.0, debt)
        debt = 0.0
    new["pool_loss"].append(loss)
    new["pool_debt"].append(debt)
    new["pool_short"].append(short)
    now["pool_dscr"].append(dscr)


def written_off(pools, k: int, loss: float) -> float:
    """wf_k(L): share of the pool's notional that tranche k has lost."""
    width = pools.detachment[k] - pools.attachment[k]
    return clip(loss - pools.attachment[k], 0.0, width)


def month(book, fixed, state, now, new, t: int) -> None:
    """Section 7: losses of obligors and tranches, new money."""
    pools = book.pools
    hazards(book, fixed, state, now, new)
    new["pool_loss"], new["pool_debt"], new["pool_short"], new["new_money"] = [], [], [], []
    now["obligor_loss"] = [0.0 for _ in pools.obligor_pool]
    now["notional"], now["pool_dscr"] = [], []
    for p in range(len(pools.balance)):
        notional = pools.balance[p] + state["new_money"][p]
        now["notional"].append(notional)
        lent = pools.origination_share[p] * now["origination"]
        lent *= policy.left_by_funds(now["levers"], now["pool_fund_share"][p])
        new["new_money"].append(state["new_money"][p] + lent)
        if pools.credit[p] > 0:
            credit_pool(book, state, now, new, p, notional)
        else:
            lease_pool(book, state, now, new, p, t)
    now["tranche_loss"] = []
    for k in range(len(pools.tranche_pool)):
        p = int(pools.tranche_pool[k])
        lost = written_off(pools, k, new["pool_loss"][p]) - written_off(pools, k, state["pool_loss"][p])
        now["tranche_loss"].append(lost * now["notional"][p])

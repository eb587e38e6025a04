"""Sections 8 and 9 of docs/model.md: who bears the loss, and the supply of credit of the next month."""

from tests.reference.scalars import DT, LENDER_CLEARING, clip, positive

ROUNDS = 4


def exposure(book, now, new) -> float:
    """Debt outstanding at the end of the month: loans, what lives of credit pools, debt of lease pools."""
    pools = book.pools
    total = sum(new["balance"])
    for p in range(len(pools.balance)):
        notional = pools.balance[p] + new["new_money"][p]
        if pools.credit[p] > 0:
            dead = 0.0
            for o in range(len(pools.obligor_pool)):
                if pools.obligor_pool[o] == p and now["is_dead"][o]:
                    dead += pools.obligor_share[p, o]
            total += notional * (1.0 - dead)
        else:
            total += notional * new["pool_debt"][p]
    return total


def exposure_start(book) -> float:
    """Drawn balances and pool balances of month 0."""
    return float(sum(book.loans.drawn) + sum(book.pools.balance))


def clear(book, now, growth: float, base) -> tuple[list[float], list[dict]]:
    """Network losses n_l on losses `base` before them, four rounds from none; and each vehicle's state."""
    lenders = book.lenders
    switch = book.numbers.mechanisms.lender_network
    count, vehicles = len(lenders.capital), lenders.debt_share.shape[1]
    network = [0.0 for _ in range(count)]
    for _ in range(ROUNDS):
        found = []
        for j in range(vehicles):
            owed, capital = lenders.debt[j] * growth, lenders.capital[j] * growth
            assets = capital + owed - base[j] - network[j]
            left = (1.0 - book.numbers.lenders.bankruptcy_cost) * assets
            solvent = assets >= owed or owed == 0.0
            theta = 1.0 if solvent else clip(left / owed, 0.0, 1.0)
            equity = positive(assets - owed)
            found.append({
                "assets": assets, "owed": owed, "theta": theta, "debt_loss": owed * (1.0 - theta),
                "equity_loss": capital - equity,
            })
        before, network = network, []
        for lender in range(count):
            loss = 0.0
            for j in range(vehicles):
                loss += lenders.debt_share[lender, j] * found[j]["debt_loss"]
                loss += lenders.equity_share[lender, j] * found[j]["equity_loss"]
            network.append(switch * loss)
    moved = max(abs(network[i] - before[i]) for i in range(count))
    if moved > 1e-3:
        now["flags"] |= LENDER_CLEARING
    now["network_moved"] = sum(abs(network[i] - before[i]) for i in range(count))
    return network, found


def month(book, fixed, state, now, new, t: int) -> None:
    """Section 8."""
    n, lenders = book.numbers.lenders, book.lenders
    count = len(lenders.capital)
    now["loss_by_instrument"] = now["loan_loss"] + now["obligor_loss"] + now["tranche_loss"]
    now["system_loss"] = sum(now["loss_by_instrument"])
    new["cumulative_loss"] = [
        old + lost for old, lost in zip(state["cumulative_loss"], now["loss_by_instrument"], strict=True)
    ]
    now["direct"] = []
    for lender in range(count):
        held = lenders.holdings[lender]
        now["direct"].append(sum(held[s] * new["cumulative_loss"][s] for s in range(len(held))))
    excess = n.other_loss * (now["hazard_multiplier"] ** n.other_power - 1.0) * DT
    new["excess_loss"] = state["excess_loss"] + excess
    now["exposure"] = exposure(book, now, new)
    new["growth"] = max(state["growth"], now["exposure"] / fixed["exposure_start"])

    base = [now["direct"][i] + lenders.other_assets[i] * new["excess_loss"] for i in range(count)]
    now["network"], now["vehicles"] = clear(book, now, new["growth"], base)
    new["gross"], new["pending"] = [], []
    now["recognised"], now["bearer"] = [], []
    for i in range(count):
        gross = base[i] + now["network"][i]
        waiting = state["pending"][i] + gross - state["gross"][i]
        recognised = waiting / lenders.recognition_months[i]
        new["gross"].append(gross)
        new["pending"].append(waiting * (1.0 - 1.0 / lenders.recognition_months[i]))
        now["recognised"].append(recognised)
        kept = 1.0 - book.numbers.mechanisms.lender_network if lenders.vehicle[i] > 0 else 1.0
        now["bearer"].append(kept * gross)


def supply(book, state, now, new) -> None:
    """Section 9: S'."""
    n, lenders = book.numbers.lenders, book.lenders
    pressure = 0.0
    for i in range(len(lenders.capital)):
        if lenders.lending_weight[i] > 0.0:
            capital = lenders.capital[i] * new["growth"]
            pressure += lenders.lending_weight[i] * clip(now["recognised"][i] / capital, 0.0, 1.0)
    moved = state["supply"] + n.supply_reversion * (1.0 - state["supply"]) * DT - n.supply_loss * pressure
    new["supply"] = clip(moved, n.supply_floor, 1.0)

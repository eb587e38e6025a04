"""Section 2 of docs/model.md, the plant: what operators have installed, online, sold, free and spoilt."""

import math

from tests.reference import chips, contracts
from tests.reference.scalars import DT, HOURS, positive


def sells_compute(book, c: int, i: int) -> bool:
    """Whether contract c is compute that firm i sells."""
    return contracts.is_compute(book, c) and int(book.contracts.seller[c]) == i


def is_operator(book, i: int) -> bool:
    """A firm inside the model that sells compute."""
    sells = any(sells_compute(book, c, i) for c in range(len(book.contracts.buyer)))
    return sells and book.firms.outside[i] == 0


def capacity(book, units) -> float:
    """8.76 utilisation sum of units times the rent of the book, USD bn a year."""
    rents = sum(units[g] * book.chips.rental[g] for g in range(len(units)))
    return HOURS * book.numbers.chips.utilisation * rents


def pledged_by(book, pledged, i: int) -> list[float]:
    """Units that the loans of firm i have in pledge, by generation."""
    mine = [v for v in range(len(book.loans.ltv_target)) if int(book.loans.borrower[v]) == i]
    return [sum(pledged[v][g] for v in mine) for g in range(len(book.chips.rental))]


def start_need(book, i: int) -> float:
    """need_i(0): what its compute contracts pay at month 0, USD bn a year; 0 without a plant."""
    k = book.contracts
    running = [c for c in range(len(k.buyer)) if sells_compute(book, c, i) and k.start_month[c] <= 0]
    return sum(k.start_annual[c] for c in running) if is_operator(book, i) else 0.0


def start_owned(book) -> list[list[float]]:
    """w_ig(0): chips free of pledge that serve the contracts of month 0 beyond what pledged ones do."""
    owned = []
    for i in range(len(book.firms.cash)):
        pledged = pledged_by(book, book.loans.pledged, i)
        mix = pledged if sum(pledged) > 0.0 else list(book.chips.installed)
        share = [units / sum(mix) for units in mix]
        missing = positive(start_need(book, i) - capacity(book, pledged))
        owned.append([part * missing / capacity(book, share) for part in share])
    return owned


def start_online(book) -> list[float]:
    """k_i(0) = need_i(0)."""
    return [start_need(book, i) for i in range(len(book.firms.cash))]


def stock(book, state, now) -> None:
    """n_ig at the end of last month, K_i, what it would earn on the spot market and rho_i."""
    n, table, switch = book.numbers.chips, book.chips, book.numbers.mechanisms.plant
    generations = range(len(table.rental))
    for name in ("units", "installed", "earned", "rent_ratio"):
        now[name] = []
    for i in range(len(book.firms.cash)):
        pledged = pledged_by(book, state["pledged"], i)
        units = [state["owned"][i][g] + pledged[g] for g in generations]
        if not is_operator(book, i) or now["operating"][i] == 0.0:
            units = [0.0 for _ in generations]
        earned = 0.0
        for g in generations:
            margin = now["hours"] * now["rent"][g] - table.operating_cost[g] * now["power"]
            earned += units[g] * positive(HOURS * margin)
        first = sum(units[g] * table.rental[g] for g in generations)
        today = sum(units[g] * now["rent"][g] for g in generations)
        ratio = min(1.0, today / first) if first > 0.0 else 1.0
        now["units"].append(units)
        now["installed"].append(HOURS * n.utilisation * first)
        now["earned"].append(earned)
        now["rent_ratio"].append(1.0 - switch * (1.0 - ratio))


def serve(book, state, now, new) -> None:
    """need_i, k'_i, delta_i, l'_i, what is free now and in a year, and what that earns on the spot market."""
    n, switch, k = book.numbers.chips, book.numbers.mechanisms.plant, book.contracts
    for name in ("need", "need_ahead", "delivered", "free_share", "spot", "spot_ahead"):
        now[name] = []
    new["online"], new["short_delivery"] = [], []
    for i in range(len(book.firms.cash)):
        need, ahead = 0.0, 0.0
        if is_operator(book, i):
            for c in [c for c in range(len(k.buyer)) if sells_compute(book, c, i)]:
                need += state["size"][c] * now["full_size"][c] * now["operating"][i]
                ahead += state["size"][c] * now["size_ahead"][c] * now["operating"][i]
        installed, before = now["installed"][i], state["online"][i]
        online = min(installed, before + positive(installed - before) * 12.0 * DT / n.installation_months)
        delivered = 1.0 - switch * (1.0 - min(1.0, online / need)) if need > 0.0 else 1.0
        free, free_ahead = 0.0, 0.0
        if installed > 0.0:
            free = switch * positive(online - need) / installed
            free_ahead = switch * positive(online - ahead) / installed
        short = delivered < 1.0 - n.delivery_tolerance
        now["need"].append(need)
        now["need_ahead"].append(ahead)
        now["delivered"].append(delivered)
        now["free_share"].append(free)
        now["spot"].append(free * now["earned"][i])
        now["spot_ahead"].append(free_ahead * now["earned"][i] * math.exp(-chips.decline(book)))
        new["online"].append(online)
        new["short_delivery"].append(state["short_delivery"][i] + 1.0 if short else 0.0)


def month(book, state, now, new, t: int) -> None:
    """The plant of the month, before contracts are paid."""
    stock(book, state, now)
    contracts.sizes(book, now, new, t)
    serve(book, state, now, new)


def failing(book, now, i: int, g: int) -> float:
    """Share of the chips of generation g that firm i owns free of pledge and loses in a month."""
    n, rate = book.numbers.chips, book.numbers.chips.failure
    if now["idle"][g]:
        rate += book.numbers.mechanisms.plant * now["free_share"][i] * (n.retire_idle - n.failure)
    return rate * DT


def renew(book, state, now, new) -> None:
    """w'_ig: what does not fail, and what was bought this month."""
    new["owned"], now["plant_failed"] = [], []
    for i, row in enumerate(state["owned"]):
        failed = [row[g] * failing(book, now, i, g) for g in range(len(row))]
        now["plant_failed"].append(failed)
        new["owned"].append([row[g] - failed[g] + now["plant_bought"][i][g] for g in range(len(row))])


def capacity_cost(book, now) -> float:
    """c-bar: chips of today's mix, USD bn per USD bn a year of capacity."""
    generations = range(len(now["mix"]))
    cost = sum(now["mix"][g] * book.chips.list_price[g] for g in generations)
    return cost / capacity(book, now["mix"])


def growth(book, now, i: int) -> float:
    """grow_i: a month's part of what contracts need in a year beyond what is installed."""
    lacking = positive(now["need_ahead"][i] - now["installed"][i])
    cost = capacity_cost(book, now) / book.numbers.chips.plant_chip_share
    return book.numbers.mechanisms.plant * lacking * cost * DT


def replacement(book, now, i: int) -> float:
    """keep_i: chips that fail under contract."""
    n = book.numbers.chips
    used = min(now["installed"][i], now["need"][i])
    cost = capacity_cost(book, now) / n.plant_chip_share
    return book.numbers.mechanisms.plant * n.failure * DT * used * cost


def advance(book, i: int) -> float:
    """a_i: what lenders advance an operator if chips are to live less long than documents say."""
    years = book.numbers.credit.underwriting_years
    if not is_operator(book, i):
        return 1.0
    return min(1.0, math.exp(-(chips.decline(book) - chips.documented_decline(book)) * years))

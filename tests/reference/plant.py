"""Section 2 of docs/model.md, the plant: what operators have installed, online, sold, free and spoilt."""

import math

from tests.reference import chips, contracts
from tests.reference.book import once
from tests.reference.scalars import DT, HOURS, positive


def compute_sold(book, i: int) -> list[int]:
    """Contracts of compute that firm i sells."""

    def by_firm():
        sold = [[] for _ in book.firms.cash]
        for c in range(len(book.contracts.buyer)):
            if contracts.is_compute(book, c):
                sold[int(book.contracts.seller[c])].append(c)
        return sold

    return once(book, "compute sold", by_firm)[i]


def is_operator(book, i: int) -> bool:
    """A firm inside the model that sells compute, or is a neocloud."""
    sells = len(compute_sold(book, i)) > 0
    return (sells or book.firms.neocloud[i] > 0) and book.firms.outside[i] == 0


def capacity(book, units) -> float:
    """8.76 utilisation sum of units times the rent of the book, USD bn a year."""
    rents = sum(units[g] * book.chips.rental[g] for g in range(len(units)))
    return HOURS * book.numbers.chips.utilisation * rents


def pledged_by(book, pledged, i: int) -> list[float]:
    """Units that the loans of firm i have in pledge, by generation."""
    mine = [v for v in range(len(book.loans.ltv_target)) if int(book.loans.borrower[v]) == i]
    return [sum(pledged[v][g] for v in mine) for g in range(len(book.chips.rental))]


def start_needs(book, i: int) -> tuple[float, float]:
    """What compute contracts of an operator pay at month 0 and in month 12, USD bn a year; 0 for others."""
    k = book.contracts
    sold = compute_sold(book, i) if is_operator(book, i) else []
    today = sum(k.start_annual[c] for c in sold if k.start_month[c] <= 0)
    return today, sum(contracts.term(book, c, 12) for c in sold)


def start_owned(book) -> list[list[float]]:
    """w_ig(0): chips free of pledge that serve the contracts of month 12 beyond what pledged ones do."""
    owned = []
    for i in range(len(book.firms.cash)):
        pledged = pledged_by(book, book.loans.pledged, i)
        mix = pledged if sum(pledged) > 0.0 else list(book.chips.installed)
        share = [units / sum(mix) for units in mix]
        missing = positive(start_needs(book, i)[1] - capacity(book, pledged))
        owned.append([part * missing / capacity(book, share) for part in share])
    return owned


def start_online(book) -> list[float]:
    """k_i(0): what is installed, less what contracts grow by in a year."""
    online = []
    for i, owned in enumerate(start_owned(book)):
        today, ahead = start_needs(book, i)
        installed = capacity(book, owned) + capacity(book, pledged_by(book, book.loans.pledged, i))
        online.append(installed - positive(ahead - today) if is_operator(book, i) else 0.0)
    return online


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


def built(book, state, i: int) -> float:
    """Share of the site of a project: what was ever lent for it over what was planned."""
    mine = [m for m in range(len(book.loans.borrower)) if int(book.loans.borrower[m]) == i]
    planned = sum(book.loans.planned[m] for m in mine)
    return min(1.0, sum(state["peak"][m] for m in mine) / planned) if planned > 0.0 else 1.0


def serve(book, state, now, new) -> None:
    """need_i, k'_i, delta_i, l'_i, what is free now and in a year, and what that earns on the spot market."""
    n, switch = book.numbers.chips, book.numbers.mechanisms.plant
    for name in ("need", "need_ahead", "delivered", "free_share", "spot", "spot_ahead"):
        now[name] = []
    new["online"], new["short_delivery"] = [], []
    for i in range(len(book.firms.cash)):
        need, ahead = 0.0, 0.0
        if is_operator(book, i):
            for c in compute_sold(book, i):
                need += state["size"][c] * now["full_size"][c] * now["operating"][i]
                ahead += state["size"][c] * now["size_ahead"][c] * now["operating"][i]
        installed, before = now["installed"][i], state["online"][i]
        online = min(installed, before + positive(installed - before) / n.installation_months)
        served = min(1.0, online / need) if need > 0.0 else 1.0
        if book.firms.project[i] > 0:
            served = built(book, state, i)
        delivered = 1.0 - switch * (1.0 - served)
        free, free_ahead = 0.0, 0.0
        if installed > 0.0:
            free = switch * positive(online - need) / installed
            free_ahead = switch * positive(online - ahead) / installed
        short = delivered < 1.0 - n.delivery_tolerance and is_operator(book, i)
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
        rate += now["free_share"][i] * (n.retire_idle - n.failure)
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
    """grow_i: what is ordered now of what contracts need in a year beyond what is installed."""
    n = book.numbers.chips
    lacking = positive(now["need_ahead"][i] - now["installed"][i])
    cost = capacity_cost(book, now) / (n.plant_chip_share * n.order_months)
    return book.numbers.mechanisms.plant * lacking * cost


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

"""Section 2 of docs/model.md, and the release months of section 0: chips from rent to price."""

import math

from tests.reference.scalars import DT, HOURS, clip, positive


def triangular_inverse(uniform: float, least: float, mode: float, most: float) -> float:
    """Quantile of the triangular law."""
    share = (mode - least) / (most - least)
    if uniform < share:
        return least + math.sqrt(uniform * (most - least) * (mode - least))
    return most - math.sqrt((1.0 - uniform) * (most - least) * (most - mode))


def release_months(book, fate) -> list[int]:
    """Release month of each generation on this path, in the order of the table."""
    n = book.numbers.chips
    least, mode, most = n.slip_months
    months = []
    for g in range(len(book.chips.release_month)):
        planned = int(book.chips.release_month[g])
        month_of_release = planned
        if book.chips.slips[g] > 0 and fate["slip"][g] < n.slip_probability:
            month_of_release += round(triangular_inverse(fate["slip_length"][g], least, mode, most))
        if planned > 0 and g > 0:
            month_of_release = max(month_of_release, months[g - 1] + 1)
        months.append(month_of_release)
    return months


def life_of_rent(book) -> float:
    """ln(G_n/O_n) of the newest generation of month 0, new then."""
    chips = book.chips
    newest = max(g for g in range(len(chips.release_month)) if chips.release_month[g] <= 0)
    return math.log(book.numbers.chips.utilisation * chips.rental[newest] / chips.operating_cost[newest])


def decline(book) -> float:
    """d: fall of rent a year that lenders and buyers plan on."""
    return life_of_rent(book) / book.numbers.chips.underwritten_life


def documented_decline(book) -> float:
    """d0: the one on which standing loan terms were written."""
    return life_of_rent(book) / book.numbers.credit.documented_life


def release_pace(book) -> float:
    """ln performance gain a year of the generations after month 0, up to the last of them."""
    chips = book.chips
    coming = [g for g in range(len(chips.release_month)) if chips.release_month[g] > 0]
    if not coming:
        return 0.0
    years = max(chips.release_month[g] for g in coming) * DT
    return sum(math.log(chips.gain[g]) for g in coming) / years


def ageing(book) -> float:
    """Obsolescence a year that makes rent meet running cost after `life`, with the releases to come."""
    n = book.numbers.chips
    return life_of_rent(book) / n.life - n.release_effect * release_pace(book)


def income_value(rent: float, cost: float, hours: float, discount: float, d: float) -> float:
    """V_g: rent less running cost until they meet; `cost` is already times power."""
    gross = HOURS * hours * rent
    running = HOURS * cost
    years = math.inf if running == 0.0 else positive(math.log(gross / running)) / d
    income = gross * (1.0 - math.exp(-(discount + d) * years)) / (discount + d)
    outlay = running * (1.0 - math.exp(-discount * years)) / discount
    return max(income - outlay, 0.0)


def start_age(book) -> list[float]:
    """Mean age of each generation's fleet at month 0, bought evenly since its release, years."""
    return [positive(0 - month) * DT / 2.0 for month in book.chips.release_month]


def start(book) -> dict:
    """K0, b, prices of month 0 and which generations exist and are recent, from raw columns."""
    n, chips = book.numbers.chips, book.chips
    generations = range(len(chips.release_month))
    existing = [g for g in generations if chips.release_month[g] <= 0]
    recent = existing[-3:]
    discount = book.numbers.economy.rate + n.chip_spread
    value = []
    for g in generations:
        cost = chips.operating_cost[g]
        value.append(income_value(chips.rental[g], cost, n.utilisation, discount, decline(book)))
    scale = [0.0 for _ in generations]
    for g in existing:
        earned = positive(chips.observed_price[g] - n.scrap * chips.list_price[g])
        scale[g] = earned / value[g] if value[g] > 0.0 else 0.0
    for g in generations:
        if g not in existing:
            scale[g] = sum(scale[h] for h in recent) / len(recent)
    price = [price_of(book, g, scale[g] * value[g], 0.0) for g in generations]
    capacity = sum(chips.installed[g] * chips.rental[g] * HOURS for g in existing)
    return {
        "existing": existing,
        "recent": recent,
        "price_scale": scale,
        "value_start": [scale[g] * value[g] for g in generations],
        "price_start": price,
        "capacity_start": capacity,
    }


def price_of(book, g: int, scaled_value: float, discount: float) -> float:
    """price_g(F) = W_g e^{-F} + scrap list_g."""
    return scaled_value * math.exp(-discount) + book.numbers.chips.scrap * book.chips.list_price[g]


def start_accounts(book) -> list[float]:
    """Book value of each generation at month 0, bought evenly since its release, USD bn."""
    chips, age, values = book.chips, start_age(book), []
    for g in range(len(chips.installed)):
        cost = chips.installed[g] * chips.list_price[g]
        values.append(cost * positive(1.0 - age[g] / chips.accounting_life[g]))
    return values


def start_charge(book) -> list[float]:
    """Depreciation a year of the fleet of month 0, USD bn."""
    chips = book.chips
    cost = [chips.installed[g] * chips.list_price[g] for g in range(len(chips.installed))]
    return [cost[g] / chips.accounting_life[g] for g in range(len(cost))]


def obsolescence(book, fixed, state, now, t: int) -> list[float]:
    """A'_g: ageing, common noise, and the effect of what is released this month on what was there before."""
    n = book.numbers.chips
    release = fixed["release"]
    aged = []
    for g in range(len(release)):
        change = 0.0
        if release[g] < t:
            change = ageing(book) * DT + n.technology_volatility * math.sqrt(DT) * now["technology"]
            for h in range(g + 1, len(release)):
                if release[h] == t:
                    noise = n.release_noise * fixed["release_effect"][h] - n.release_noise**2 / 2.0
                    change += n.release_effect * math.log(book.chips.gain[h]) * math.exp(noise)
        aged.append(state["obsolescence"][g] + change)
    return aged


def purchase_mix(book, released: list[bool]) -> list[float]:
    """Share of chip purchases by generation: the newest and the one before it."""
    share = book.numbers.chips.capex_newest_share
    count = len(released)
    newest = []
    for g in range(count):
        later = g + 1 < count and released[g + 1]
        newest.append(1.0 if released[g] and not later else 0.0)
    mix = []
    for g in range(count):
        after = newest[g + 1] if g + 1 < count else 0.0
        mix.append(share * newest[g] + (1.0 - share) * after)
    return mix


def purchases(book, state, now, new, released: list[bool], t: int) -> None:
    """Capex factor, capex answering last month's utilisation, and the chips it buys."""
    n = book.numbers.chips
    target = n.capex_target[new["regime"]] * (1.0 - n.capex_credit * (1.0 - now["felt_supply"]))
    new["capex_factor"] = state["capex_factor"] + n.capex_speed * (target - state["capex_factor"]) * DT
    ordered = state["order_factor"]
    new["order_factor"] = ordered + (new["capex_factor"] - ordered) / n.order_months
    planned = n.capex[min((t - 1) // 12, len(n.capex) - 1)]
    answer = clip(math.sqrt(state["tightness"]), n.capex_bounds[0], n.capex_bounds[1])
    now["capex_answer"] = answer
    now["capex"] = planned * new["capex_factor"] * answer
    now["mix"] = purchase_mix(book, released)
    spent = n.capex_chip_share * now["capex"] * DT
    now["bought"] = [spent * now["mix"][g] / book.chips.list_price[g] for g in range(len(released))]


def month(book, fixed, state, now, new, t: int) -> None:
    """Obsolescence, capex, fleet, utilisation, rent, stress, value, price before sales, depth."""
    n, chips = book.numbers.chips, book.chips
    release = fixed["release"]
    generations = range(len(release))
    released = [release[g] <= t for g in generations]
    aged = obsolescence(book, fixed, state, now, t)
    new["obsolescence"] = aged
    purchases(book, state, now, new, released, t)
    grown = [state["fleet"][g] + now["bought"][g] for g in generations]

    capacity = 0.0
    for g in generations:
        if released[g]:
            capacity += grown[g] * chips.rental[g] * math.exp(-aged[g]) * HOURS
    demand = fixed["capacity_start"] * (now["revenue"] / book.numbers.economy.revenue) ** n.demand_elasticity
    now["utilisation"] = n.utilisation * demand / capacity
    tightness = now["utilisation"] / n.utilisation
    new["tightness"] = tightness
    multiplier = clip(tightness**n.rent_elasticity, n.rent_bounds[0], n.rent_bounds[1])
    rent = [chips.rental[g] * math.exp(-aged[g]) * multiplier for g in generations]
    hours = clip(n.utilisation * tightness**n.hours_elasticity, *n.hours_bounds)
    now["rent"], now["hours"], now["rent_multiplier"] = rent, hours, multiplier

    new["fleet"], new["accounts"], new["charge"], now["accounting_value"] = [], [], [], []
    now["idle"] = []
    for g in generations:
        idle = hours * rent[g] < n.idle_margin * chips.operating_cost[g] * now["power"]
        now["idle"].append(idle)
        kept = 1.0 - (n.retire_idle if idle else n.failure) * DT
        new["fleet"].append(grown[g] * kept)
        cost = now["bought"][g] * chips.list_price[g]
        new["accounts"].append(positive(state["accounts"][g] + cost - state["charge"][g] * DT) * kept)
        new["charge"].append((state["charge"][g] + cost / chips.accounting_life[g]) * kept)
        units = new["fleet"][g]
        now["accounting_value"].append(new["accounts"][g] / units if units > 0.0 else 0.0)

    mean_aged = sum(aged[g] for g in fixed["existing"]) / len(fixed["existing"])
    shortfall = mean_aged - math.log(multiplier) - decline(book) * t * DT
    now["stress"] = clip(shortfall, *n.stress_bounds)
    prices(book, fixed, state, now, new, t)
    now["depth"] = depth(book, now)


def prices(book, fixed, state, now, new, t: int) -> None:
    """Income value, the discount after a month's decay, the price at that discount, and the pools' gap."""
    n, chips = book.numbers.chips, book.chips
    generations = range(len(fixed["release"]))
    discount_rate = new["short_rate"] + n.chip_spread * now["spread"]
    scaled, decayed, price = [], [], []
    for g in generations:
        cost = chips.operating_cost[g] * now["power"]
        value = income_value(now["rent"][g], cost, now["hours"], discount_rate, decline(book))
        earned = fixed["price_scale"][g] * value
        scaled.append(state["appraised"][g] + (earned - state["appraised"][g]) / n.appraisal_months)
        decayed.append(state["fire_sale"][g] * 2.0 ** (-DT / n.impact_half_life))
        price.append(price_of(book, g, scaled[g], decayed[g]))
    new["appraised"] = scaled
    now["scaled_value"], now["decayed_fire_sale"], now["price_before_sales"] = scaled, decayed, price
    recent = fixed["recent"]
    shortfall = sum(math.log(fixed["price_start"][g] / price[g]) for g in recent) / len(recent)
    now["price_gap"] = clip(shortfall - n.underwritten_price_decline * t * DT, 0.0, n.gap_cap)


def accounting_gap(now, new) -> float:
    """What pledged chips stand for in their owners' books above what they fetch, USD bn."""
    gap = 0.0
    for units in new["pledged"]:
        for g, count in enumerate(units):
            gap += count * positive(now["accounting_value"][g] - now["price"][g])
    return gap


def depth(book, now) -> list[float]:
    """Units the second-hand market absorbs in a quarter, by generation."""
    n = book.numbers.chips
    quarter = max(3.0 * sum(now["bought"]), n.depth_floor)
    busy = min(now["utilisation"] / n.utilisation, n.buyer_tightness_cap)
    appetite = n.other_buyers + (1.0 - n.other_buyers) * now["live_neoclouds"] * busy
    return [n.depth * hosting * quarter * appetite for hosting in book.chips.hosting]

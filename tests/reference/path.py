"""docs/model.md from start to end for one path: what is fixed, the state of month 0, and the months."""

import math

import numpy as np

from tests.reference import (
    audit,
    audit_lenders,
    bearers,
    capital,
    chips,
    collateral,
    contracts,
    credit,
    economy,
    funding,
    lenders,
    paper,
    plant,
    policy,
    pools,
    revenue,
    vendors,
)
from tests.reference.book import plain
from tests.reference.outputs import OUTPUTS
from tests.reference.scalars import ALIVE, BOOM, EXCHANGE, NOT_FINITE


def fixed_quantities(book, fate) -> dict:
    """Constants of the book and the draws that are made once for the path."""
    fixed = {
        "loading": np.linalg.cholesky(book.economy.correlation),
        "transition": economy.transition(book),
        "jump": economy.jumps(book),
        "release": chips.release_months(book, fate),
    }
    fixed.update(chips.start(book))
    for name in ("threshold_firms", "threshold_obligors", "release_effect", "frailty", "leadership"):
        fixed[name] = np.asarray(fate[name], dtype=np.float64)
    return fixed


def start_headroom(book) -> list[float]:
    """e_i(0): what a firm could raise in `equity_months` of boom."""
    value, headroom = book.firms.equity_value, []
    for i in range(len(value)):
        share = contracts.equity_speed(book, i, BOOM) * contracts.equity_months(book, i) / 12.0
        headroom.append(share * value[i])
    return headroom


def start_state(book) -> dict:
    """State at the end of December 2025."""
    generations, firms, size = len(book.chips.installed), len(book.firms.cash), len(book.contracts.buyer)
    count = len(book.pools.balance)
    instruments = len(book.loans.borrower) + len(book.pools.obligor_pool) + len(book.pools.tranche_pool)
    holders = len(book.lenders.capital)
    return {
        "month": 0,
        "regime": economy.start_regime(book),
        "log_revenue": math.log(book.numbers.economy.revenue),
        "short_rate": book.numbers.economy.rate,
        "log_spread": 0.0,
        "log_equity": 0.0,
        "log_power": 0.0,
        "supply": 1.0,
        "obsolescence": [0.0] * generations,
        "fire_sale": [0.0] * generations,
        "fleet": list(book.chips.installed),
        "accounts": chips.start_accounts(book),
        "charge": chips.start_charge(book),
        "held": [0.0] * generations,
        "capex_factor": 1.0,
        "order_factor": 1.0,
        "tightness": 1.0,
        "appraised": chips.start(book)["value_start"],
        "own_value": [0.0] * firms,
        "owned": plant.start_owned(book),
        "online": plant.start_online(book),
        "short_delivery": [0.0] * firms,
        "size": [1.0] * size,
        "low_payment": [0.0] * firms,
        "headroom": start_headroom(book),
        "since_round": [book.numbers.contracts.round_gap] * firms,
        "purse": vendors.start_purse(book),
        "belief": 0.0,
        "cash": list(book.firms.cash),
        "trailing": list(book.firms.ebitda_ttm),
        "spare": funding.start_spare(book),
        "fees": [0.0] * firms,
        "balance": list(book.loans.drawn),
        "peak": list(book.loans.drawn),
        "maturity": list(book.loans.maturity_month),
        "coupon": list(book.loans.coupon),
        "maturing": [1.0] * len(book.loans.borrower),
        "ahead_coupon": list(book.loans.coupon),
        "option": [True] * len(book.loans.borrower),
        "pledged": [list(row) for row in book.loans.pledged],
        "collateral_scale": collateral.start_scales(book, chips.start(book)["price_start"]),
        "waived_until": [0.0] * len(book.loans.ltv_target),
        "hazard_integral": [0.0] * firms,
        "cause": [ALIVE] * firms,
        "default_month": [0] * firms,
        "pool_hazard": [0.0] * count,
        "new_money": [0.0] * count,
        "pool_debt": [1.0] * count,
        "pool_short": [0.0] * count,
        "pool_loss": [0.0] * count,
        "cumulative_loss": [0.0] * instruments,
        "gross": [0.0] * holders,
        "pending": [0.0] * holders,
        "booked": [0.0] * holders,
        "bust_years": 0.0,
        "boom_years": 0.0,
        "growth": [1.0] * holders,
        "scale": [1.0] * holders,
        "eroded": [0.0] * holders,
        "capital_missing": [0.0] * holders,
        "failed": [0] * holders,
        "failed_alone": [0] * holders,
        "sold": [0.0] * holders,
        "withdrawn": [0.0] * holders,
        "trading": [0.0] * holders,
        "impact": [0.0] * len(book.paper.depth),
    }


def standing(book, state, now) -> None:
    """Who is alive, who operates, and how many of the neoclouds live, at the start of the month."""
    firms = range(len(book.firms.cash))
    now["alive"] = [1.0 if state["cause"][i] == ALIVE else 0.0 for i in firms]
    now["operating"] = [1.0 if state["cause"][i] in (ALIVE, EXCHANGE) else 0.0 for i in firms]
    neoclouds = [i for i in firms if book.firms.neocloud[i] > 0]
    now["live_neoclouds"] = sum(now["alive"][i] for i in neoclouds) / len(neoclouds) if neoclouds else 1.0


def month(book, fixed, state, draws) -> tuple[dict, dict]:
    """One month: everything computed in it, and the state at its end."""
    t = state["month"] + 1
    now, new = {"flags": 0}, {"month": t}
    standing(book, state, now)
    policy.month(book, now, t)
    economy.month(book, fixed, state, draws, now, new)
    chips.month(book, fixed, state, now, new, t)
    revenue.month(book, fixed, state, draws, now, new, t)
    plant.month(book, state, now, new, t)
    funding.service(book, state, now, new, t)
    contracts.month(book, state, draws, now, new, t)
    funding.month(book, state, draws, now, new, t)
    plant.renew(book, state, now, new)
    collateral.month(book, state, draws, now, new, t)
    credit.month(book, fixed, state, now, new, t)
    pools.month(book, fixed, state, now, new, t)
    now["accounting_gap"] = chips.accounting_gap(now, new)
    lenders.month(book, state, now, new, t)
    paper.month(book, state, now, new)
    bearers.month(book, now, new)
    capital.supply(book, now, new)
    policy.costs(book, state, now)
    if not all(np.all(np.isfinite(np.asarray(value, dtype=np.float64))) for value in new.values()):
        now["flags"] |= NOT_FINITE
    audit.month(book, state, now, new)
    return now, new


def simulate_path(system, fate: dict, shocks: dict, months: int, start: dict | None = None) -> dict:
    """Simulate `months` months of one path.

    system: anything with the fields of a System. fate: `threshold_firms`, `threshold_obligors`, `slip`,
    `slip_length`, `release_effect`, `frailty`, `leadership`. shocks, one row a month simulated: `normals`
    [months, 6], `regime` [months], `waiver` and `extension` [months, loans], `own` and `round`
    [months, firms]. start: `final` of an earlier call, to go on from there; the default is month 0. Raises
    AssertionError with a sentence where an invariant fails.

    Returns `months`: one dict a month of the state at its end and of OUTPUTS, as arrays; `final`, the last
    state; the flag word of the path; and the system's loss, loss by instrument, gross loss of lenders,
    default months (0: none) and causes.
    """
    book = plain(system)
    audit_lenders.shares(book)
    audit_lenders.paper_held(book)
    fixed = fixed_quantities(book, fate)
    state = start_state(book) if start is None else start
    records, flags = [], 0
    for row in range(months):
        draws = {name: np.asarray(shocks[name], dtype=np.float64)[row] for name in shocks}
        now, state = month(book, fixed, state, draws)
        flags |= now["flags"]
        record = {name: np.asarray(value) for name, value in state.items()}
        record.update({name: np.asarray(now[name]) for name in OUTPUTS})
        records.append(record)
    return {
        "months": records,
        "final": state,
        "fixed": fixed,
        "flags": flags,
        "system_loss": np.array([record["system_loss"] for record in records]),
        "loss_by_instrument": np.array([record["loss_by_instrument"] for record in records]),
        "gross": np.array([record["gross"] for record in records]),
        "default_month": np.array(state["default_month"]),
        "cause": np.array(state["cause"]),
    }

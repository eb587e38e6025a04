"""What depends on the month: contract profiles, planned capex and revenue, scheduled draws, policy."""

from collections.abc import Sequence

import equinox as eqx
import numpy as np

from engine.book.arrays import floats, integers
from engine.book.frames import Frame
from engine.book.parameters import Parameters, Policy
from engine.book.system import Calendar, ContractTable
from engine.book.tables import CAPEX_YEARS
from engine.vocabulary import MONTH

UNCAPPED = 10.0
"""An LTV above all that a book may document."""

LONGEST = 600
"""Months looked ahead for the value of a contract."""


def profile(contracts: ContractTable | Frame, months: np.ndarray) -> np.ndarray:
    """Contract amounts inside their term [months, contracts]: a ramp from today's spend to full size."""
    start, ramp = np.asarray(contracts.start_month, np.float64), np.asarray(contracts.ramp_months, np.float64)
    first, full = np.asarray(contracts.start_annual, np.float64), np.asarray(contracts.annual, np.float64)
    time = np.asarray(months, np.float64)[:, None]
    ramped = np.clip((time - start) / np.maximum(ramp, 1e-9), 0.0, 1.0)
    inside = (time > start) & (time <= np.asarray(contracts.end_month, np.float64))
    flows = (contracts.operating, contracts.equity, contracts.warrant, contracts.backstop)
    counted = sum(np.asarray(flow, np.float64) for flow in flows)
    return np.where(inside, first + (full - first) * ramped, 0.0) * counted


def beyond(contracts: ContractTable, months: np.ndarray) -> np.ndarray:
    """Full size after the end of the term, for operating contracts that may be renewed."""
    time = np.asarray(months, np.float64)[:, None]
    ended = time > np.asarray(contracts.end_month, np.float64)
    return ended * np.asarray(contracts.annual, np.float64) * np.asarray(contracts.operating, np.float64)


def with_lease_breaks(contracts: ContractTable, month: float) -> ContractTable:
    """Contracts with leases of project companies ending at `month` where that is sooner; 0 changes none."""
    end, start = np.asarray(contracts.end_month), np.asarray(contracts.start_month)
    broken = (np.asarray(contracts.lease_project) > 0.0) & (start < month) & (month < end)
    return eqx.tree_at(lambda c: c.end_month, contracts, np.where(broken, np.float32(month), end))


def present_value(
    contracts: ContractTable | Frame, months: Sequence[int] | np.ndarray, discount: float
) -> np.ndarray:
    """Value at each month of what the term still pays, discounted monthly at `discount` a year."""
    horizon = np.arange(1, LONGEST + 1)
    flows = profile(contracts, horizon) * MONTH
    value = np.zeros((LONGEST + 1, flows.shape[1]))
    factor = np.exp(-discount * MONTH)
    for t in range(LONGEST - 1, -1, -1):
        value[t] = factor * (flows[t] + value[t + 1])
    return value[np.asarray(months)]


def levers(policy: Policy, months: np.ndarray) -> dict[str, np.ndarray]:
    """Size of each lever of policy in every month: zero, or no cap, where it is not pulled."""
    time = np.asarray(months, np.float64)

    def pulled(lever: str, lasts: float = np.inf) -> np.ndarray:
        start = getattr(policy, f"{lever}_month")
        return ((start > 0.0) & (time >= start) & (time < start + lasts)).astype(np.float64)

    rule = policy.capital_rule * pulled("capital_rule")
    return {
        "supply_floor": policy.backstop * pulled("backstop", policy.backstop_months),
        "bailout": policy.bailout * MONTH * pulled("bailout", policy.bailout_months),
        "line_cut": rule,
        "fund_cut": policy.capital_rule_passed * rule,
        "disclosed": policy.disclosure * pulled("disclosure"),
        "barred": policy.savers * pulled("savers"),
        "advance_cap": np.where(pulled("advance_cap") > 0.0, policy.advance_cap, UNCAPPED),
    }


def build(
    loans: Frame, named: Frame, contracts: ContractTable, parameters: Parameters, months: int
) -> dict[str, np.ndarray]:
    """Float64 arrays with rows for months 0 ... T."""
    dates = np.arange(months + 1)
    contracts = with_lease_breaks(contracts, parameters.contracts.lease_break_month)
    year = np.minimum((np.maximum(dates, 1) - 1) // 12, CAPEX_YEARS - 1)
    plan = np.asarray(parameters.economy.plan, np.float64)
    capex = np.asarray(parameters.chips.capex, np.float64)
    years = np.stack([named[f"capex_{y + 1}"].to_numpy(np.float64) for y in range(CAPEX_YEARS)])
    left = np.maximum(np.asarray(contracts.end_month, np.float64) - dates[:, None], 0.0) * MONTH
    undrawn = (loans["committed"] - loans["drawn"]).to_numpy(np.float64)
    spread = loans["draw_months"].to_numpy(np.float64)
    return {
        "month": dates,
        "plan": np.interp(dates / 12.0, np.arange(len(plan)), plan),
        "capex": capex[np.minimum(year, len(capex) - 1)],
        "firm_capex": years[year],
        "term": profile(contracts, dates),
        "after": beyond(contracts, dates),
        "term_ahead": profile(contracts, dates + 12),
        "after_ahead": beyond(contracts, dates + 12),
        "present_value": present_value(contracts, dates, parameters.credit.contract_yield),
        "years_left": left,
        "draw": np.where((dates[:, None] <= spread) & (spread > 0.0), undrawn / np.maximum(spread, 1.0), 0.0),
        **levers(parameters.policy, dates),
    }


def window(dates: dict[str, np.ndarray], months: int) -> Calendar:
    """The calendar of months 1 ... T in the types of the paths."""
    kind = {"month": integers}
    rows = {name: kind.get(name, floats)(values[1 : months + 1]) for name, values in dates.items()}
    return Calendar(**rows)

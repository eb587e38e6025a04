"""Reported against effective leverage: what guarantees and leases add to a borrower's debt at month 0."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from engine.book import calendar
from engine.book.parameters import Credit

LEASES = ("lease", "colocation")
YIELD = Credit().contract_yield
"""A year; rents are capitalised at the yield that values contracts, as it is by default."""


def leverage_table(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Debt drawn, guarantees, leases signed and leverage with and without them, USD bn and multiples.

    reported  = debt / EBITDA of the last twelve months
    effective = (debt + guarantees + leases) / (the same EBITDA + rent paid in it)

    `leases` is the value of all rents signed, begun or not, at 10% a year; rent paid is that of month 0.
    Firms without either are left out; the multiples are NaN where EBITDA is not positive.
    """
    firms = tables["firms"].set_index("firm")
    loans, leases = tables["loans"], lease_rows(tables["contracts"])
    table = pd.DataFrame({
        "name": firms["name"],
        "debt": loans.groupby("borrower")["drawn"].sum(),
        "guarantees": (loans["drawn"] * loans["guarantee_cover"]).groupby(loans["guarantor"]).sum(),
        "leases": leases.groupby("buyer")["value"].sum(),
        "rent": leases.groupby("buyer")["paid"].sum(),
        "ebitda": firms["ebitda_ttm"],
    }).reindex(firms.index).fillna({"debt": 0.0, "guarantees": 0.0, "leases": 0.0, "rent": 0.0})  # fmt: skip
    table = table[(table["guarantees"] > 0) | (table["leases"] > 0)]
    earnings = table["ebitda"].where(table["ebitda"] > 0)
    table["reported"] = table["debt"] / earnings
    table["effective"] = (table["debt"] + table["guarantees"] + table["leases"]) / (earnings + table["rent"])
    off_balance = table["guarantees"] + table["leases"]
    return table.loc[off_balance.sort_values(ascending=False).index].reset_index(names="firm")


def lease_rows(contracts: pd.DataFrame) -> pd.DataFrame:
    """Leases in force or signed, with their value and the rent paid at month 0 (USD bn, USD bn a year)."""
    binding = contracts["kind"].isin(LEASES) & (contracts["flow"] == "operating")
    rows = contracts[binding].reset_index(drop=True)
    if rows.empty:
        return rows.assign(value=0.0, paid=0.0)
    flows = rows.assign(operating=1.0, equity=0.0, warrant=0.0, backstop=0.0)
    value = calendar.present_value(flows, [0], YIELD)[0]
    began = (rows["start_month"] <= 0).to_numpy(np.float64)
    return rows.assign(value=value, paid=began * rows["start_annual"].to_numpy(np.float64))

"""The unit of every number in a table, by the name of its column."""

import re

import pandas as pd

MONEY, SHARE = "USD bn", "share"
UNITS = (
    (r"(el|es|var)(_.*)?|loss|exposure|capital|wealth|tail_mean|covar.*|delta.*|mes.*", MONEY),
    (r"promised|ordinary.*|tail_(low|high)|accounting_gap|public|forgone", MONEY),
    (r"(pd|plain)_.*|share|.*_share|probability|utilisation|supply|boom|plateau|bust|rate", SHARE),
    (r"revenue", "USD bn a year"),
    (r"regime", "0 boom, 1 plateau, 2 bust"),
    (r"rent_.*", "USD an hour"),
    (r"price_.*", "thousand USD"),
    (r"spread|equity", "index, 1 at the start"),
    (r"month|quarter", "counted from the start"),
)
"""Patterns of column names and their units; the first that fits a whole name counts."""


def units_of(table: pd.DataFrame) -> dict[str, str]:
    """The unit of each column of numbers that has one, by name.

    >>> units_of(pd.DataFrame({"horizon": ["1y"], "es_99": [3.1], "pd_1y": [0.02], "resolved_99": [True]}))
    {'es_99': 'USD bn', 'pd_1y': 'share'}
    """
    numbers = table.select_dtypes("number").columns
    found = {
        name: next((unit for pattern, unit in UNITS if re.fullmatch(pattern, name)), "") for name in numbers
    }
    return {name: unit for name, unit in found.items() if unit}


def with_units(table: pd.DataFrame) -> pd.DataFrame:
    """The same table with `attrs["units"]`."""
    table = table.copy()
    table.attrs["units"] = units_of(table)
    return table

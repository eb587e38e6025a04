"""The unit of every number in a table, by the table's name and the column's."""

import re

import pandas as pd

MONEY, SQUARE, YEARLY, SHARE, RATIO = "USD bn", "USD bn²", "USD bn a year", "share", "ratio"
RENT, PRICE, SERIES, PARAMETER = "USD an hour", "thousand USD", "that of the series", "that of the parameter"

ERROR = re.compile(r"_(se|lo|hi)$")
"""Ending of standard errors and interval bounds, which have the unit of their estimate."""

CHANGE = re.compile(r"_(change|added|base)$")
"""Ending of changes and of what they start from, which have the unit of what changes."""

UNITS = (
    (r"knob .+", PARAMETER),
    (r"(fresh )?.+\.rate", "share a year"),
    (r"(fresh )?.+\.(el|es(_9[\d_]+)?|net|income|loss)", MONEY),
    (
        r"(\w+_)?share(_\w+)?|(\w+_)?pd_\w+|cause_\w+|level(_to)?|probability|independent|vulnerability|fails"
        r"|alone|explained|breached|defaulted",
        SHARE,
    ),
    (r"boom|plateau|bust|utilisation|supply", SHARE),
    (r"rate|annual_change", "share a year"),
    (r"(today_)?(el|es|var)(_9[\d_]+)?|(cumulative_)?loss|mean|deviation|tail_mean", MONEY),
    (r"exposure(_then)?|capital|wealth|accounting_gap", MONEY),
    (r"(delta_)?covar|mes|importance|passed_on|contribution", MONEY),
    (r"promised|(ordinary|tail)(_low|_high)?|debt|guarantees|leases", MONEY),
    (r"(public|forgone)(_tail)?|busiest_month", MONEY),
    (r"revenue|rent|ebitda|direct|knock_on", YEARLY),
    (r"rent_\w+", RENT),
    (r"price_\w+", PRICE),
    (r"p\d\d|first|last", SERIES),
    (r"spread|equity", "index, 1 at the start"),
    (r"regime", "0 boom, 1 plateau, 2 bust"),
    (r"month", "counted from the start"),
    (r"years", "years"),
    (r"expected|defaults", "defaults"),
    (r"cds_bps", "basis points"),
    (r"radius", "nats"),
    (r"reported|effective|(\w+_)?ratio|dispersion|p_reduction|es_reduction", RATIO),
)
"""Patterns of column names without endings, and their units; the first that fits a whole name counts."""

OWN = {
    "band": dict.fromkeys(("base", "low", "high", "sd", "noise_sd"), MONEY)
    | dict.fromkeys(("variance", "interaction"), SQUARE),
    "band_drivers": {"effect": MONEY, "mean": PARAMETER, "sd": PARAMETER},
    "band_sets": {"value": PARAMETER},
    "band_values": {"value": MONEY},
    "deep_tail": {"effective": "paths"},
    "grades": {"amount": "USD bn, or rows, or parameters"},
    "greeks": dict.fromkeys(("line", "range", "bump", "bump_apart", "ratio", "ratio_apart"), MONEY)
    | dict.fromkeys(("value", "low", "high", "step", "tenth"), PARAMETER),
    "history": {"value": RENT},
    "network_split": dict.fromkeys(("value", "low", "high", "network_sd", "noise_sd", "within_sd"), MONEY)
    | {"network_variance": SQUARE},
    "network_values": {"value": MONEY},
    "plausibility_losses": {"run": MONEY, "legacy": MONEY, "prototype": MONEY},
    "plausibility_regimes": {"prototype": SHARE},
    "policy": {"legacy": MONEY},
    "references": {"horizon": "months", "value": "that of the quantity"},
}
"""Units, by table, of columns whose name alone does not tell."""

UNITLESS = ("path", "rank")
"""Numbers without a unit: an id, and a position in an order."""


def unit_of(name: str, column: str) -> str | None:
    """The unit of a table's column of numbers; empty where it has none, None where it is not known.

    >>> unit_of("losses", "es_99_se"), unit_of("deep_tail", "effective"), unit_of("worst_paths", "path")
    ('USD bn', 'paths', '')
    """
    estimate = ERROR.sub("", column)
    if estimate in UNITLESS:
        return ""
    units = (OWN.get(name, {}).get(each) or general(each) for each in (estimate, CHANGE.sub("", estimate)))
    return next(filter(None, units), None)


def general(estimate: str) -> str | None:
    """The unit of a column by its name alone; None where that does not tell."""
    return next((unit for pattern, unit in UNITS if re.fullmatch(pattern, estimate)), None)


def units_of(name: str, table: pd.DataFrame) -> dict[str, str]:
    """The unit of each column of numbers that has one, by column; `name` is the table's.

    >>> table = pd.DataFrame({"horizon": ["1y"], "es_99": [3.1], "pd_1y": [0.02], "resolved_99": [True]})
    >>> units_of("losses", table)
    {'es_99': 'USD bn', 'pd_1y': 'share'}
    """
    columns = table.select_dtypes("number").columns
    return {column: unit for column in columns if (unit := unit_of(name, column))}


def with_units(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """A copy of the table of this name, its units by column in `attrs["units"]`."""
    table = table.copy()
    table.attrs["units"] = units_of(name, table)
    return table

"""Tables of the attribution task: the run with every mechanism, and without one."""

from typing import Any

import pandas as pd

from engine.paths.ledger import Ledger
from engine.results.paired import flat, share_worse, shortfall
from engine.tail.paired import change, mean_of, ratio


def row(name: str, base: Ledger, other: Ledger) -> dict[str, Any]:
    """Losses without a mechanism and what it adds to them, at the last horizon (USD bn).

    `base` and `other` are ledgers of the same paths with and without it. The ratio is its amplification.
    """
    estimates = {
        "es_99": mean_of(shortfall(other.loss)),
        "es_99_added": change(other.loss, base.loss, shortfall),
        "es_99_ratio": ratio(base.loss, other.loss, shortfall),
        "el": mean_of(other.loss),
        "el_added": change(other.loss, base.loss),
        "el_ratio": ratio(base.loss, other.loss),
        "today_es_99_added": change(other.loss - other.new_money, base.loss - base.new_money, shortfall),
        "today_es_99_ratio": ratio(base.loss - base.new_money, other.loss - other.new_money, shortfall),
    }
    return {"off": name} | flat(estimates) | {"share_worse": share_worse(base, other)}


def tables(rows: list[dict[str, Any]]) -> dict[str, pd.DataFrame]:
    """Tables of the run folder by name."""
    return {"attribution": pd.DataFrame(rows)}


def summary(tables: dict[str, pd.DataFrame]) -> dict[str, Any]:
    """The entry `attribution` of summary.json: variants by what is off."""
    return tables["attribution"].set_index("off").to_dict("index")

"""Tables of the attribution task: the run with all it has on beside itself without one mechanism."""

from typing import Any

import pandas as pd

from engine.results.paired import flat, share_worse, shortfall
from engine.tail.paired import change, mean_of, ratio


def row(name: str, base, found) -> dict[str, Any]:
    """Losses without a mechanism and what it adds to them, at the last horizon (USD bn).

    `base` and `found` are ledgers of the same paths with and without it. The ratio is its amplification.
    """
    told = {
        "es_99": mean_of(shortfall(found.loss)),
        "es_99_added": change(found.loss, base.loss, shortfall),
        "es_99_ratio": ratio(base.loss, found.loss, shortfall),
        "el": mean_of(found.loss),
        "el_added": change(found.loss, base.loss),
        "el_ratio": ratio(base.loss, found.loss),
        "today_es_99_added": change(found.loss - found.new_money, base.loss - base.new_money, shortfall),
        "today_es_99_ratio": ratio(base.loss - base.new_money, found.loss - found.new_money, shortfall),
    }
    return {"off": name} | flat(told) | {"share_worse": share_worse(base, found)}


def tables(rows) -> dict[str, pd.DataFrame]:
    """Tables of the run folder by name."""
    return {"attribution": pd.DataFrame(rows)}


def summary(tables: dict[str, pd.DataFrame]) -> dict[str, Any]:
    """The entry `attribution` of summary.json: variants by what is off."""
    return tables["attribution"].set_index("off").to_dict("index")

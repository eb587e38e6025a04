"""Tables of the policy task: each variant beside the base, on the same paths."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float64
from numpy.typing import ArrayLike

from engine.paths.ledger import Ledger
from engine.results.paired import LEVEL, flat, share_worse, shortfall
from engine.tail.paired import change, mean_of, worst
from engine.vocabulary import LEVERS, PUBLIC


def row(name: str, levers: Sequence[str], base: Ledger, variant: Ledger) -> dict[str, Any]:
    """Losses, cost and debt of a variant with some levers pulled, and changes against the base (USD bn).

    `base` and `variant` are ledgers of the same paths; the base's own row has no cost.
    """
    public = spent(variant.cost, [lever for lever in levers if lever in PUBLIC])
    forgone = spent(variant.cost, [lever for lever in levers if lever not in PUBLIC])
    busiest = spent(variant.busiest, [lever for lever in levers if lever in PUBLIC])
    tail = worst(variant.loss, LEVEL)
    estimates = {
        "es_99": mean_of(shortfall(variant.loss)),
        "es_99_change": change(base.loss, variant.loss, shortfall),
        "el": mean_of(variant.loss),
        "el_change": change(base.loss, variant.loss),
        "legacy_change": change(base.loss - base.new_money, variant.loss - variant.new_money),
        "public": mean_of(public),
        "public_tail": mean_of(public[tail]),
        "busiest_month": mean_of(busiest),
        "forgone": mean_of(forgone),
        "forgone_tail": mean_of(forgone[tail]),
        "debt": mean_of(variant.debt),
        "debt_change": change(base.debt, variant.debt),
    }
    named = {"variant": name, "levers": ", ".join(levers)}
    return named | flat(estimates) | {"share_worse": share_worse(base, variant)}


def spent(by_lever: ArrayLike, levers: Sequence[str]) -> Float64[np.ndarray, "paths"]:
    """Sum over some levers of a ledger's amounts [levers paths], by path, USD bn."""
    return np.asarray(by_lever, np.float64)[[LEVERS.index(lever) for lever in levers]].sum(axis=0)


def bearer_rows(
    name: str, bearers: Sequence[str], titles: Sequence[str], base: Ledger, variant: Ledger
) -> list[dict[str, Any]]:
    """Expected loss and ES of each group of final bearers, with changes against the base (USD bn)."""
    rows = []
    for bearer, title, before, after in zip(bearers, titles, base.bearers, variant.bearers, strict=True):
        expected, tail = change(before, after), change(before, after, shortfall)
        rows.append(
            {
                "variant": name, "bearer": bearer, "name": title,
                "el": float(np.mean(after, dtype=np.float64)),
                "el_change": expected.value, "el_change_se": expected.standard_error,
                "es_99_change": tail.value, "es_99_change_se": tail.standard_error,
            }
        )  # fmt: skip
    return rows


def tables(rows: list[dict[str, Any]], bearers: list[dict[str, Any]]) -> dict[str, pd.DataFrame]:
    """Tables of the run folder by name."""
    return {"policy": pd.DataFrame(rows), "policy_bearers": pd.DataFrame(bearers)}


def summary(tables: dict[str, pd.DataFrame]) -> dict[str, Any]:
    """The entry `policy` of summary.json: variants by name, each with its changes by bearer."""
    by_variant = tables["policy"].set_index("variant").to_dict("index")
    for name, rows in tables["policy_bearers"].groupby("variant", sort=False):
        by_variant[name]["bearers"] = rows.drop(columns="variant").set_index("bearer").to_dict("index")
    return by_variant

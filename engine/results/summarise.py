"""How the entries of summary.json follow from the estimates and tables of a run."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from engine.book.load import Book
from engine.results import far_tail
from engine.results.estimates import LEVELS, TAIL, Estimates
from engine.results.folder import plain
from engine.results.horizons import horizon_months, horizon_words, joined
from engine.results.losses import horizon_names
from engine.results.summary import SCHEMA, Measures
from engine.tail import intervals
from engine.tail.tally import Layout
from engine.vocabulary import FLAGS

REPORTED = ("el", "var", "es", "resolved", "exposure")
"""Prefixes of the columns of `losses` that the summary repeats."""


def summary_of(
    estimates: Estimates,
    layout: Layout,
    tables: Mapping[str, pd.DataFrame],
    book: Book,
    provenance: Mapping[str, Any],
) -> dict[str, Any]:
    """Every entry of the summary but `doubts`; `provenance` also holds the timing and a task's entries."""
    losses, exposure = tables["losses"], median_exposure(tables["fans"])
    system = {
        row["horizon"]: measures_of(row) | {"exposure_then": exposure.get(horizon_months(row["horizon"]))}
        for row in rows_of(losses, "system")
    }
    lenders: dict[str, dict[str, Measures]] = {}
    for row in rows_of(losses, "lender"):
        lenders.setdefault(row["id"], {})[row["horizon"]] = measures_of(row)
    bearers: dict[str, dict[str, Measures]] = {}
    for row in rows_of(losses, "bearer"):
        bearers.setdefault(row["id"], {})[row["horizon"]] = measures_of(row) | {"wealth": row["wealth"]}
    counted = {
        "schema": SCHEMA,
        "status": provenance.get("status", "done"),
        "paths": int(estimates.tally.paths),
        "seed": provenance["seed"],
        "book": provenance.get("book", getattr(book, "name", "")),
        "config_hash": provenance.get("config_hash") or config_hash(provenance.get("config", {})),
        "book_hash": book.hash,
        "about": book.about.entry(),
        "timing": provenance["timing"],
        "system": system,
        "lenders": lenders,
        "bearers": bearers,
        "firms": default_probabilities(tables["firms"]),
        "flagged_paths": dict(zip(FLAGS, estimates.tally.flags.tolist(), strict=True)),
        "sampler": sampler_of(estimates, provenance.get("sampler", "plain")),
        "warnings": warnings_of(estimates, layout, losses),
    }
    others = {key: value for key, value in provenance.items() if key not in {*counted, "config", "doubts"}}
    return counted | others


def rows_of(losses: pd.DataFrame, kind: str) -> list[dict[str, Any]]:
    """Rows of a kind as dictionaries."""
    return [
        {str(key): value for key, value in row.items()}
        for row in losses[losses["kind"] == kind].to_dict("records")
    ]


def median_exposure(fans: pd.DataFrame) -> dict[int, float]:
    """Debt outstanding on the median path by month, USD bn."""
    rows = fans[fans["series"] == "exposure"]
    return dict(zip(rows["month"], rows["p50"], strict=True))


def measures_of(row: dict[str, Any]) -> Measures:
    """The measures of a row that the summary repeats."""
    return {key: value for key, value in row.items() if key.startswith(REPORTED)}


def default_probabilities(firms: pd.DataFrame) -> dict[str, dict[str, float]]:
    """pd_1y, pd_3y, pd_5y ... and their standard errors by firm."""
    columns = [column for column in firms.columns if column.startswith("pd_")]
    return {row["firm"]: {column: row[column] for column in columns} for row in firms.to_dict("records")}


def config_hash(config: Mapping[str, Any]) -> str:
    """sha256 of the configuration as canonical JSON."""
    return hashlib.sha256(json.dumps(plain(dict(config)), sort_keys=True).encode()).hexdigest()


def sampler_of(estimates: Estimates, sampler: str | dict[str, Any]) -> dict[str, Any]:
    """Name of the sampler and evenness of the weights."""
    sampler = {"name": sampler} if isinstance(sampler, str) else dict(sampler)
    weights, last = estimates.weights, estimates.system[-1]
    uneven = weights.k_hat is not None
    return {
        "ess": weights.effective_paths,
        "ess_tail": last.tails[TAIL].effective_paths,
        "max_weight_share": weights.largest_share,
        "mean_weight": weights.mean,
        "mean_weight_se": weights.mean_error,
        "weights_capped": weights.capped,
        "k_hat": weights.k_hat,
        "variance_reduction": far_tail.reductions(last) if uneven else {},
    } | sampler


def warnings_of(estimates: Estimates, layout: Layout, losses: pd.DataFrame) -> list[str]:
    """Unresolved tails in sentences: the system's, then the number of lenders'."""
    unresolved: dict[str, list[str]] = {}
    for horizon, system in zip(horizon_names(layout), estimates.system, strict=True):
        for level in LEVELS.values():
            if sentence := system.tails[level].unresolved:
                unresolved.setdefault(sentence, []).append(horizon_words(horizon))
    sentences = [
        f"System loss in {joined(horizons)}: {sentence[0].lower()}{sentence[1:]}"
        for sentence, horizons in unresolved.items()
    ]
    lenders = losses[(losses["kind"] == "lender") & (losses["horizon"] == losses["horizon"].iloc[-1])]
    alone = int((~lenders["resolved_99"]).sum())
    if alone and not any("99% level" in sentence for sentence in unresolved):
        sentences.append(f"The 99% tail of {alone} of {len(lenders)} lenders is not resolved.")
    return sentences + intervals.distrust(estimates.weights)

"""From a tally to a run folder: results/*.parquet and summary.json, written whole or not at all."""

import hashlib
import json
import pathlib
from typing import Any

import jax
import pandas as pd

from engine.results import far_tail, grades, leverage, losses, monthly, plausibility, systemic
from engine.results.folder import SCHEMA, plain, write_json, write_table
from engine.results.horizons import horizon_months, horizon_words, joined
from engine.results.replications import Replications
from engine.tail import intervals, measures
from engine.tail.tally import Layout, Tally
from engine.vocabulary import FLAGS

REPORTED = ("el", "var", "es", "resolved", "exposure")
"""Prefixes of the columns of `losses` that the summary repeats."""

UNTOUCHED = ("config", "sampler", "paths")
"""Entries of the provenance that the summary does not take over as they are."""


def write_results(
    folder: str | pathlib.Path,
    tally: Tally,
    system,
    book,
    provenance: dict[str, Any],
    replications: Replications | None = None,
    layout: Layout | None = None,
    more: dict[str, pd.DataFrame] | None = None,
) -> dict[str, Any]:
    """Writes results/*.parquet and summary.json into `folder`; returns the summary.

    `provenance` holds seed, timing, sampler (a name, or a dict with name and diagnostics), versions,
    config_hash (or config, which is hashed) and whatever else is to be kept. `layout` is that of the tally;
    without it, the layout of a run of `system`. `more` holds tables made elsewhere, by name. From two
    `replications` on, errors come from their spread.
    Raises ValueError where the tally holds no path or does not fit its layout.
    """
    folder = pathlib.Path(folder)
    layout = run_layout(system) if layout is None else layout
    fitting(tally, layout)
    tally = jax.device_get(tally)
    replications = Replications() if replications is None else replications
    tables = tables_of(tally, layout, system, book, replications) | (more or {})
    summary = plain(summary_of(tally, layout, tables, book, provenance))
    summary["sampler"]["replications"] = max(len(replications), 1)
    if len(replications) > 1:
        independent = losses.losses_table(tally, layout, losses.labels_of(system, book))
        summary["sampler"]["variance_reduction"] |= replications.variance_reduction(independent)
    for name, table in tables.items():
        write_table(folder, name, table)
    write_json(folder / "summary.json", summary)
    return summary


def run_layout(system) -> Layout:
    """The layout of a run of this system."""
    from engine.paths.simulate import layout_of

    return layout_of(system)


def fitting(tally: Tally, layout: Layout) -> None:
    """Raises ValueError unless the tally's axes are as long as the layout's names."""
    got = (*tally.weights.shape[:2], tally.conditional.shape[2], *tally.defaults.shape, *tally.fans.shape[:2])
    horizons, columns, entities = len(layout.horizons), len(layout.columns), len(layout.entities)
    months, series = layout.months, len(layout.series)
    expected = (horizons, columns, columns + len(layout.components), entities, months + 1, months, series)
    if got != expected:
        raise ValueError(f"the tally does not fit its layout: got axes {got}, expected {expected}")


def tables_of(
    tally: Tally, layout: Layout, system, book, replications: Replications
) -> dict[str, pd.DataFrame]:
    """Every table of the run by name."""
    labels = losses.labels_of(system, book)
    loss_measures = replications.errors(losses.losses_table(tally, layout, labels))
    contributions = losses.contributions_table(tally, layout, labels, replications.part_errors(layout))
    firms = monthly.firms_table(tally, layout, book)
    fans, regimes = monthly.fans_table(tally, layout), monthly.regimes_table(tally, layout)
    lender_measures, history = systemic.measures_of(tally), plausibility.history_table(book)
    horizons = losses.horizon_names(layout)
    whole, legacy = (
        loss_measures[loss_measures["column"] == column].set_index("horizon").to_dict("index")
        for column in ("system", "legacy")
    )
    return {
        "losses": loss_measures,
        "distribution": losses.distribution_table(tally, layout),
        "tail": losses.tail_table(tally, layout, loss_measures),
        "contributions": contributions,
        "distress": systemic.distress_table(tally, layout, labels, system, lender_measures),
        "es_shares": systemic.es_shares_table(layout, labels, lender_measures),
        "clusters": systemic.clusters_table(tally),
        "dispersion": systemic.dispersion_table(tally),
        "worst_case": far_tail.worst_case_table(tally, layout),
        "deep_tail": far_tail.deep_table(tally, layout),
        "grades": grades.grade_table(contributions, book),
        "firms": firms,
        "defaults": monthly.defaults_table(tally, layout, book),
        "causes": monthly.causes_table(tally, layout, book),
        "fans": fans,
        "regimes": regimes,
        "boom_breaks": monthly.boom_breaks_table(tally, layout),
        "worst_paths": monthly.worst_paths_table(tally, layout),
        "history": history,
        "leverage": leverage.leverage_table(book),
        "plausibility_pd": plausibility.default_probabilities(firms, book),
        "plausibility_losses": plausibility.losses(whole, legacy, labels.exposure["system"]),
        "plausibility_bands": plausibility.bands(fans),
        "plausibility_declines": plausibility.declines(fans, history),
        "plausibility_regimes": plausibility.regime_shares(regimes, horizons),
    }


def summary_of(tally: Tally, layout: Layout, tables, book, provenance: dict[str, Any]) -> dict[str, Any]:
    """summary.json, schema 1."""
    losses = tables["losses"]
    kept = {key: value for key, value in provenance.items() if key not in UNTOUCHED}
    then = median_exposure(tables["fans"])
    system = {
        row["horizon"]: reported(row) | {"exposure_then": then.get(horizon_months(row["horizon"]))}
        for row in rows_of(losses, "system")
    }
    lenders: dict[str, dict] = {}
    for row in rows_of(losses, "lender"):
        lenders.setdefault(row["id"], {})[row["horizon"]] = reported(row)
    bearers: dict[str, dict] = {}
    for row in rows_of(losses, "bearer"):
        bearers.setdefault(row["id"], {})[row["horizon"]] = reported(row) | {"wealth": row["wealth"]}
    return {
        "schema": SCHEMA,
        "status": provenance.get("status", "done"),
        "paths": int(tally.paths),
        "seed": provenance["seed"],
        "book": provenance.get("book", getattr(book, "name", "")),
        "config_hash": provenance.get("config_hash") or config_hash(provenance.get("config", {})),
        "book_hash": book.hash,
        "timing": provenance["timing"],
        "system": system,
        "lenders": lenders,
        "bearers": bearers,
        "firms": default_probabilities(tables["firms"]),
        "flagged_paths": dict(zip(FLAGS, tally.flags.tolist(), strict=True)),
        "sampler": sampler(tally, layout, provenance.get("sampler", "plain")),
        "warnings": warnings(tally, layout, losses),
    } | {
        key: value
        for key, value in kept.items()
        if key not in ("status", "seed", "book", "book_hash", "timing")
    }


def rows_of(losses: pd.DataFrame, kind: str) -> list[dict[str, Any]]:
    """Rows of a kind as dictionaries."""
    return losses[losses["kind"] == kind].to_dict("records")


def median_exposure(fans: pd.DataFrame) -> dict[int, float]:
    """Debt outstanding on the median path by month, USD bn."""
    rows = fans[fans["series"] == "exposure"]
    return dict(zip(rows["month"], rows["p50"], strict=True))


def reported(row: dict[str, Any]) -> dict[str, Any]:
    """The measures of a row that the summary repeats."""
    return {key: value for key, value in row.items() if key.startswith(REPORTED)}


def default_probabilities(firms: pd.DataFrame) -> dict[str, dict[str, float]]:
    """pd_1y, pd_3y, pd_5y ... and their standard errors by firm."""
    columns = [column for column in firms.columns if column.startswith("pd_")]
    return {row["firm"]: {column: row[column] for column in columns} for row in firms.to_dict("records")}


def config_hash(config: dict[str, Any]) -> str:
    """sha256 of the configuration as canonical JSON."""
    return hashlib.sha256(json.dumps(plain(config), sort_keys=True).encode()).hexdigest()


def sampler(tally: Tally, layout: Layout, given: str | dict[str, Any]) -> dict[str, Any]:
    """Name of the sampler and how evenly the paths carry the result."""
    given = {"name": given} if isinstance(given, str) else dict(given)
    weights = intervals.weights(tally)
    last = measures.column_losses(tally, len(layout.horizons) - 1)
    uneven = weights.k_hat is not None
    return {
        "ess": weights.effective_paths,
        "ess_tail": intervals.effective_beyond(last, losses.TAIL),
        "max_weight_share": weights.largest_share,
        "mean_weight": weights.mean,
        "mean_weight_se": weights.mean_error,
        "weights_capped": weights.capped,
        "k_hat": weights.k_hat,
        "variance_reduction": far_tail.reductions(last) if uneven else {},
    } | given


def warnings(tally: Tally, layout: Layout, measured: pd.DataFrame) -> list[str]:
    """What is not resolved, in sentences: the system's tails, then how many lenders share the trouble."""
    found: dict[str, list[str]] = {}
    for place, horizon in enumerate(losses.horizon_names(layout)):
        system = measures.column_losses(tally, place)
        for level in losses.LEVELS.values():
            sentence = intervals.resolved(system, level)
            if sentence:
                found.setdefault(sentence, []).append(horizon_words(horizon))
    said = [
        f"System loss in {joined(horizons)}: {sentence[0].lower()}{sentence[1:]}"
        for sentence, horizons in found.items()
    ]
    lenders = measured[(measured["kind"] == "lender") & (measured["horizon"] == measured["horizon"].iloc[-1])]
    alone = int((~lenders["resolved_99"]).sum())
    if alone and not any("99% level" in sentence for sentence in found):
        said.append(f"The 99% tail of {alone} of {len(lenders)} lenders is not resolved.")
    return said + intervals.distrust(intervals.weights(tally))

"""From a tally to a run folder: results/*.parquet and summary.json, written whole or not at all."""

import pathlib
from collections.abc import Mapping
from typing import Any

import jax
import pandas as pd

from engine.book.load import Book
from engine.book.system import System
from engine.paths.simulate import layout_of
from engine.results import (
    failures,
    far_tail,
    grades,
    leverage,
    loss_flows,
    losses,
    monthly,
    plausibility,
    systemic,
)  # fmt: skip
from engine.results.estimates import Estimates
from engine.results.folder import Results, plain, write_json, write_table
from engine.results.reliability import doubts_of
from engine.results.replications import Replications
from engine.results.summarise import summary_of
from engine.tail.tally import Layout, Tally


def write_results(
    folder: str | pathlib.Path,
    tally: Tally,
    system: System,
    book: Book,
    provenance: Mapping[str, Any],
    replications: Replications | None = None,
    more: Mapping[str, pd.DataFrame] | None = None,
) -> dict[str, Any]:
    """Writes results/*.parquet and summary.json of a run into `folder`; the summary. See `results_of`."""
    folder, results = pathlib.Path(folder), results_of(tally, system, book, provenance, replications, more)
    for name, table in results.tables.items():
        write_table(folder, name, table)
    write_json(folder / "summary.json", results.summary)
    return dict(results.summary)


def results_of(
    tally: Tally,
    system: System,
    book: Book,
    provenance: Mapping[str, Any],
    replications: Replications | None = None,
    more: Mapping[str, pd.DataFrame] | None = None,
) -> Results:
    """The summary and the tables of a run.

    `provenance` is a `Provenance` with the run's status and timing, and the entry of a task in the summary
    where there is one; its sampler may be a dict of name and diagnostics. `more` holds a task's tables by
    name. From two `replications` on, errors come from their spread. `doubts` follow from the thresholds that
    hold unless a run says otherwise (`reliability.doubts_of`).
    Raises ValueError where the tally holds no path or does not fit the system.
    """
    layout = layout_of(system)
    fitting(tally, layout)
    estimates = Estimates(jax.device_get(tally))
    replications = Replications() if replications is None else replications
    labels = losses.labels_of(system, book)
    independent = losses.losses_table(estimates, layout, labels)
    measures = replications.errors(independent)
    tables = tables_of(estimates, layout, system, book, labels, measures, replications)
    if "network" not in provenance:  # an ensemble has holdings of its own in every network
        tables["loss_flows"] = loss_flows.flows_table(estimates, layout, labels, system, book)
    tables |= dict(more or {})
    summary = plain(summary_of(estimates, layout, tables, book, provenance))
    summary["sampler"]["replications"] = max(len(replications), 1)
    summary["sampler"]["variance_reduction"] |= replications.variance_reduction(independent)
    summary["warnings"] += far_tail.poor(summary["sampler"])
    summary["doubts"] = doubts_of(summary)
    return Results(summary, tables)


def fitting(tally: Tally, layout: Layout) -> None:
    """Raises ValueError unless the tally's axes are as long as the layout's names."""
    got = (*tally.weights.shape[:2], tally.conditional.shape[2], *tally.defaults.shape, *tally.fans.shape[:2])
    horizons, columns, entities = len(layout.horizons), len(layout.columns), len(layout.entities)
    months, series = layout.months, len(layout.series)
    expected = (horizons, columns, columns + len(layout.components), entities, months + 1, months, series)
    if got != expected:
        raise ValueError(f"the tally does not fit its layout: got axes {got}, expected {expected}")


def tables_of(
    estimates: Estimates, layout: Layout, system: System, book: Book, labels: losses.Labels,
    measures: pd.DataFrame, replications: Replications,
) -> dict[str, pd.DataFrame]:  # fmt: skip
    """Every table of the run by name; `measures` is the table of losses."""
    tally = estimates.tally
    contributions = losses.contributions_table(estimates, layout, labels, replications.part_errors(layout))
    firms = monthly.firms_table(tally, layout, book)
    fans, regimes = monthly.fans_table(tally, layout), monthly.regimes_table(tally, layout)
    history, horizons = plausibility.history_table(book), losses.horizon_names(layout)
    about, references = book.about, plausibility.references_of(book)
    failing = systemic.failing_alone(system)
    whole, legacy = (
        measures[measures["column"] == column].set_index("horizon").to_dict("index")
        for column in ("system", "legacy")
    )
    return {
        "losses": measures,
        "distribution": losses.distribution_table(estimates, layout),
        "tail": losses.tail_table(estimates, layout, measures),
        "contributions": contributions,
        "claims": systemic.claims_table(labels, system, failing),
        "conditional_losses": systemic.conditional_table(estimates, layout, labels),
        "lender_failures": failures.failures_table(tally, layout, labels),
        "distress": systemic.distress_table(estimates, layout, labels, system, failing),
        "es_shares": systemic.es_shares_table(estimates, layout, labels),
        "clusters": systemic.clusters_table(tally),
        "dispersion": systemic.dispersion_table(tally),
        "worst_case": far_tail.worst_case_table(estimates, layout),
        "deep_tail": far_tail.deep_table(estimates, layout),
        "grades": grades.grade_table(contributions, book),
        "firms": firms,
        "defaults": monthly.defaults_table(tally, layout, book),
        "causes": monthly.causes_table(tally, layout, book),
        "fans": fans,
        "regimes": regimes,
        "boom_breaks": monthly.boom_breaks_table(tally, layout),
        "worst_paths": monthly.worst_paths_table(tally, layout),
        "history": history,
        "references": book["references"],
        "leverage": leverage.leverage_table(book.tables),
        "plausibility_pd": plausibility.default_probabilities(firms, book),
        "plausibility_losses": plausibility.losses(whole, legacy, labels.exposure["system"], references),
        "plausibility_bands": plausibility.bands(fans, about),
        "plausibility_declines": plausibility.declines(fans, history, about),
        "plausibility_regimes": plausibility.regime_shares(regimes, horizons, references),
    }

"""Errors from replications: the spread over independent worlds, in the tables and in the summary."""

import json

import numpy as np
import pytest
from scipy import stats

from engine.results.folder import read_results
from engine.results.replications import Replications
from engine.results.write import write_results
from engine.tail import contributions, measures
from engine.tail.intervals import es_error
from tests.small_run import PATHS, chosen, tally_of

COUNT = 4


@pytest.fixture(scope="module")
def tallies(run):
    """Four replications: the quarters of the run's paths."""
    quarters = np.arange(PATHS).reshape(COUNT, -1)
    return [tally_of(run.layout, [chosen(run.outcome, slice(q[0], q[-1] + 1))]) for q in quarters]


@pytest.fixture(scope="module")
def replicated(run, tallies, tmp_path_factory):
    replications = Replications()
    for each in tallies:
        replications.add(each)
    path = tmp_path_factory.mktemp("replicated")
    write_results(path, *run.arguments, replications)
    return path


def test_errors_are_the_spread_of_the_replications(run, replicated, tallies):
    layout = run.layout
    column, horizon = layout.columns.index("lender:ATH"), len(layout.horizons) - 1
    losses = [measures.column_losses(each, horizon, column) for each in tallies]
    es = [measures.expected_shortfall(each, 0.99) for each in losses]
    var = [measures.value_at_risk(each, 0.95) for each in losses]
    table = read_results(replicated).tables["losses"]
    row = table[(table["column"] == "lender:ATH") & (table["horizon"] == "3y")].iloc[0]
    assert row["es_99_se"] == pytest.approx(np.std(es, ddof=1) / np.sqrt(COUNT))
    reach = stats.t.ppf(0.975, COUNT - 1) * np.std(var, ddof=1) / np.sqrt(COUNT)
    assert row["var_95_hi"] - row["var_95"] == pytest.approx(reach)
    assert row["var_95"] - row["var_95_lo"] == pytest.approx(reach)


def test_contributions_have_errors(run, replicated, tallies):
    layout = run.layout
    table = read_results(replicated).tables["contributions"]
    row = table[table["horizon"] == "3y"].iloc[0]
    place = len(layout.columns) + layout.components.index(f"instrument:{row['component']}")
    parts = [contributions.es_contributions(each, 1, 0.99)[place] for each in tallies]
    assert row["es_99_se"] == pytest.approx(np.std(parts, ddof=1) / np.sqrt(COUNT))


def test_variance_reduction_compares_with_as_many_independent_paths(run, replicated):
    summary = json.loads((replicated / "summary.json").read_text())
    plain = es_error(measures.column_losses(run.tally, len(run.layout.horizons) - 1, 0), 0.99)
    measured = summary["system"]["3y"]["es_99_se"]
    assert summary["sampler"]["variance_reduction"]["es_99"] == pytest.approx((plain / measured) ** 2)
    assert summary["sampler"]["replications"] == COUNT


def test_one_replication_changes_nothing(run, results):
    replications = Replications()
    replications.add(run.tally)
    table = results.tables["losses"]
    assert replications.errors(table) is table
    assert results.tables["contributions"]["es_99_se"].isna().all()

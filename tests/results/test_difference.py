"""Runs side by side: exact changes, paired errors of a scaled run, tables with and without a counterpart."""

import dataclasses

import equinox as eqx
import jax
import numpy as np
import pandas as pd
import pytest

from engine.report.comparison import page, sections
from engine.report.comparison_tables import pair_table
from engine.report.comparison_words import headline, lead
from engine.results.comparable import caveats, unpaired_because, varied
from engine.results.comparison import Comparison, compare
from engine.results.difference import Run, Sample, one_table
from engine.results.horizons import horizon_name
from engine.results.write import results_of
from tests.small_run import PATHS, tally_of

FACTOR = 1.25


def scaled(run, factor):
    """The run with every loss times a factor, and its losses path by path."""
    outcome = jax.tree.map(lambda leaf: leaf, run.outcome)
    times = np.float32(factor)
    outcome = eqx.tree_at(
        lambda each: (each.losses, each.components),
        outcome,
        (outcome.losses * times, outcome.components * times),
    )
    return outcome


def sample_of(run, outcome):
    """The sample of an outcome."""
    horizons = tuple(horizon_name(months) for months in run.layout.horizons)
    return Sample(
        horizons, run.layout.columns, run.layout.entities,
        np.asarray(outcome.losses), np.asarray(outcome.default_month),
    )  # fmt: skip


@pytest.fixture(scope="module")
def pair(run, tmp_path_factory):
    """The run as the base and the scaled one, with samples of all their paths."""
    runs, samples = [], []
    for name, factor in (("base", 1.0), ("more", FACTOR)):
        outcome = scaled(run, factor)
        tally = tally_of(run.layout, [jax.tree.map(np.asarray, outcome)])
        results = results_of(tally, run.system, run.book, run.provenance)
        config = {"credit": {"waiver": factor}, "run": {"dir": name}}
        runs.append(Run(name, tmp_path_factory.mktemp(name), results, config, run.provenance))
        samples.append(sample_of(run, outcome))
    return runs, tuple(samples)


@pytest.fixture(scope="module")
def paired(pair):
    """The comparison with paired errors."""
    (base, more), samples = pair
    return Comparison(base, (compare(base, more, samples, ""),))


def test_the_error_of_a_multiple_is_that_multiple_of_the_error(pair, paired):
    """b = 1.25 a on every path: the change is 0.25 a and its error 0.25 s, however noisy a is."""
    table = paired.tables["losses"]
    losses = pair[0][0].results.tables["losses"]
    assert len(table) == len(losses) and table["paired"].all()
    for measure in ("el", "es_95", "es_99"):
        clear = (losses[f"{measure}_se"] > 0.0) & (losses["el"] > 0.05)
        error = (table[f"{measure}_change_se"] / losses[f"{measure}_se"])[clear]
        change, exact = table[f"{measure}_change"][clear], 0.25 * losses[measure][clear]
        # Half a bin of either tally, 0.195%, over the change.
        np.testing.assert_allclose(change, exact, rtol=0.00195 * (1.0 + FACTOR) / 0.25)
        np.testing.assert_allclose(error, 0.25, rtol=0.00195 * (1.0 + FACTOR) / 0.25)
    assert table["es_99_change_se"].mean() < 0.3 * np.hypot(1.0, FACTOR) * losses["es_99_se"].mean()


def test_without_samples_errors_are_those_of_independent_runs(pair):
    (base, more), _ = pair
    table = compare(base, more, None, "not the same seed").losses
    losses = [run.results.tables["losses"] for run in (base, more)]
    np.testing.assert_allclose(table["es_99_change_se"], np.hypot(*(each["es_99_se"] for each in losses)))
    assert not table["paired"].any()


def test_defaults_that_no_run_changes_have_no_change(paired):
    table = paired.tables["defaults"]
    assert set(table["horizon"]) == {"1y", "2y", "3y"} and (table["pd_change"] == 0.0).all()
    assert (table["pd_change_se"][table["pd"] * PATHS > 10] == 0.0).all()


def test_what_differs_and_what_does_not_is_said(pair, paired):
    assert paired.axes == {"credit.waiver": [1.0, FACTOR]}
    assert "credit.waiver (1, 1.25)" in lead(paired) and "errors of changes are paired" in lead(paired)
    table = pair_table(paired)
    assert table.head[2:] == ("credit.waiver = 1", "credit.waiver = 1.25", "Change", "t")
    assert [str(cell) for cell in table.rows[0][:2]] == ["1 year", "Expected"] and table.rows[0][4].value > 0
    assert "higher in credit.waiver = 1.25 than in credit.waiver = 1" in headline(paired)
    document = page(paired)
    assert "What cannot be compared" in document and "horizons, seed, sampler, paths" in document


def test_what_is_not_comparable_is_named(pair):
    (base, more), _ = pair
    other = dict(more.provenance) | {"seed": 8, "book_hash": "x", "sources": "y"}
    short = more.results._replace(
        summary=more.results.summary | {"system": {"1y": more.results.system("1y")}, "paths": 4096}
    )
    strange = dataclasses.replace(more, provenance=other, results=short)
    said = " ".join(caveats(base, strange))
    for word in ("book:", "version:", "horizon: only one of the runs has 3 years", "seed: 7 and 8", "4,096"):
        assert word in said
    assert unpaired_because(base, strange) == "not the same seed" and not unpaired_because(base, more)
    part = compare(base, strange, None, "not the same seed")
    comparison = Comparison(base, (part,))
    assert comparison.horizons == ["1y"] and "No error is paired: not the same seed" in lead(comparison)
    assert [name for name, _ in sections(comparison)][0] == "Changes"


def test_a_scenario_stands_for_its_numbers(pair):
    (base, _), _ = pair
    configs = [{"scenario": {"name": name}, "chips": {"depth": d}, "run": {"seed": 7}} for name, d in
               (("baseline", 1.0), ("glut", 2.0), ("baseline", 1.0))]  # fmt: skip
    runs = [dataclasses.replace(base, config=config) for config in configs]
    assert varied(runs) == {"scenario.name": ["baseline", "glut", "baseline"]}


def test_rows_of_tables_are_matched_by_their_words():
    before = pd.DataFrame({"firm": ["A", "B"], "month": [1, 1], "loss": [1.0, 2.0], "loss_se": [0.3, 0.0]})
    after = pd.DataFrame({"firm": ["B", "C"], "month": [1, 1], "loss": [2.5, 2.0], "loss_se": [0.4, 0.0]})
    rows, note = one_table("t", before, after)
    assert rows[["row", "column", "change", "change_se"]].values.tolist() == [["B · 1", "loss", 0.5, 0.4]]
    assert note == "t: 2 rows without a counterpart"


def test_lines_and_heat_maps_of_a_sweep(pair):
    (base, more), samples = pair
    samples = tuple(
        dataclasses.replace(each, losses=each.losses[..., :512], default_month=each.default_month[..., :512])
        for each in samples
    )
    grid = [
        {"chips": {"life": life}, "credit": {"waiver": waiver}} for waiver in (0.4, 0.8) for life in (6, 4)
    ]
    runs = [dataclasses.replace(more, name=f"r{place}", config=each) for place, each in enumerate(grid)]
    first = dataclasses.replace(base, name="r0", config=grid[0])
    both = Comparison(first, tuple(compare(first, run, samples, "") for run in runs[1:]))
    [heat] = [chart for _, section in sections(both) for chart in section.charts]
    assert heat.figure.data[0].type == "heatmap" and np.isfinite(np.array(heat.figure.data[0].z)).all()
    assert list(heat.figure.data[0].x) == ["4", "6"] and list(heat.figure.data[0].y) == ["0.4", "0.8"]
    line = Comparison(first, tuple(compare(first, run, samples, "") for run in runs[1:2]))
    assert not [chart for _, section in sections(line) for chart in section.charts]
    third = dataclasses.replace(more, name="r9", config={"chips": {"life": 3}, "credit": {"waiver": 0.4}})
    line = Comparison(first, (*line.parts, compare(first, third, samples, "")))
    [chart] = [chart for _, section in sections(line) for chart in section.charts]
    assert list(chart.figure.data[0].x) == [3, 4, 6] and chart.figure.data[0].mode == "lines+markers"


def test_tables_without_a_row_differ_in_nothing():
    """As `claims` of a book without funds."""
    empty = pd.DataFrame({"id": pd.Series(dtype=str), "loss": pd.Series(dtype=float)})
    rows, remark = one_table("claims", empty, empty)
    assert rows.empty and remark == ""

"""Heat maps of who drags whom: their cells are the tables' numbers, and one lender has none."""

import pytest

from engine.report.reading import flows_of
from engine.report.sections.heat_maps import claims, conditional, heat_maps


def test_cells_are_shares_of_capital_by_band(results):
    chart = conditional(results)
    table = results.tables["conditional_losses"].set_index(["name", "level"])
    worst = {flow.source: flow.value for flow in flows_of(chart.figure) if flow.target == "worst 1%"}
    assert len(worst) > 10
    for name, share in worst.items():
        line = table.loc[(name, 0.99)]
        assert share == pytest.approx(line["mean"] / line["capital"])
    assert [*worst.values()] == sorted(worst.values())
    assert chart.table.head[1:] == ("best 50%", "50–90%", "90–95%", "95–99%", "worst 1%")


def test_bands_weigh_up_to_the_expected_loss_and_end_in_the_tail(results):
    table, last = results.tables["conditional_losses"], results.last
    mass = (table["level_to"] - table["level"]) * table["mean"]
    expected = results.losses("lender", last).set_index("id")["el"]
    means = mass.groupby(table["id"]).sum()
    assert (means - expected.reindex(means.index)).abs().max() < 1e-6 * expected.max()
    tail = results.tail("lender", last).set_index("id")["tail_mean"]
    worst = table[table["level"] == 0.99].set_index("id")["mean"]
    assert (worst - tail.reindex(worst.index)).abs().max() < 1e-9 * tail.max()


def test_cells_of_claims_are_losses_if_a_fund_fails(results):
    chart, table = claims(results), results.tables["claims"]
    for figure in (chart.figure, chart.narrow):
        sums = {}
        for flow in flows_of(figure):
            sums[flow.source] = sums.get(flow.source, 0.0) + flow.value
        losses = table.groupby("vehicle_name")["loss"].sum()
        assert len(sums) == 20
        for name, loss in sums.items():
            assert loss == pytest.approx(losses[name])


def test_claims_without_lenders_that_are_funds_are_what_a_failure_passes_on(results):
    table, distress = results.tables["claims"], results.tables["distress"]
    passed = distress[distress["level"] == 0.95].set_index("id")["passed_on"].dropna()
    funds = set(passed.index)
    losses = table[~table["id"].isin(funds)].groupby("vehicle")["loss"].sum()
    assert (losses - passed.reindex(losses.index)).abs().max() < 1e-12 * passed.max()


def test_a_run_of_before_has_none(results):
    older = {name: table for name, table in results.tables.items() if name != "conditional_losses"}
    assert heat_maps(results._replace(tables=older)) == ()

"""Flows of losses: what flows in flows out, and every total is a loss that the run states elsewhere."""

import numpy as np
import pytest

from engine.results import loss_flows
from engine.results.estimates import Estimates
from engine.results.loss_flows import COST, FUNDS, LENDERS, Means, borne, flows_table, joined
from engine.results.losses import labels_of
from engine.results.write import results_of

ROUNDING = 1e-4
"""Of the system's loss: float32 sums of a path, and flows left out as rounding."""


def of(results, horizon, paths):
    """The flows of one horizon and one set of paths."""
    table = results.tables["loss_flows"]
    return table[(table["horizon"] == horizon) & (table["paths"] == paths)]


def balance(flows):
    """In less out of every node."""
    return flows.groupby("target")["loss"].sum().sub(flows.groupby("source")["loss"].sum(), fill_value=0.0)


@pytest.mark.parametrize("paths", ["all", "worst"])
def test_what_flows_in_flows_out(results, paths):
    for horizon in results.horizons:
        flows, net = of(results, horizon, paths), balance(of(results, horizon, paths))
        system = results.system(horizon)["el" if paths == "all" else "es_99"]
        assert (flows["loss"] > 0.0).all()
        inner = [node for node in net.index if node.startswith(("instrument:", "lenders:")) or node == FUNDS]
        assert len(inner) > 15 and net[inner].abs().max() < ROUNDING * system
        cost = flows[flows["source"] == COST]["loss"].sum()
        borrowers = -net[net.index.str.startswith("borrower:")].sum()
        bearers = net[net.index.str.startswith("bearer:")].sum()
        assert borrowers == pytest.approx(system, rel=ROUNDING)
        assert bearers == pytest.approx(system + cost, rel=ROUNDING)


@pytest.mark.parametrize(("paths", "column"), [("all", "el"), ("worst", "tail_mean")])
def test_totals_are_the_losses_of_the_run(results, paths, column):
    """Instruments, classes of lenders that are no funds, and bearers against the table `tail`."""
    flows, tail = of(results, results.last, paths), results.tables["tail"]
    tail = tail[tail["horizon"] == results.last].set_index("column")[column]
    net, into = balance(flows), flows.groupby("target")["loss"].sum()
    for name in into.index[into.index.str.startswith("instrument:")]:
        assert into[name] == pytest.approx(
            tail[name.replace("instrument", "class", 1)], abs=ROUNDING * tail["system"]
        )
    for name in net.index[net.index.str.startswith("bearer:")]:
        assert net[name] == pytest.approx(tail[name], abs=ROUNDING * tail["system"])
    for lenders in ("lenders:BANK", "lenders:INSURER", "lenders:PENSION"):  # none of them has a vehicle
        assert into[lenders] == pytest.approx(tail[lenders], abs=ROUNDING * tail["system"])


def test_funds_pass_on_what_they_lose(results):
    flows = of(results, results.last, "worst")
    funds = flows[flows["source"] == FUNDS]
    vehicles = results.losses("lender", results.last)
    assert funds["target"].str.startswith("lenders:").all() and len(funds) >= 3
    assert 0.0 < funds["loss"].sum() < vehicles["es_99"].sum()


def test_an_ensemble_of_networks_has_no_flows(run):
    """Its holdings differ from network to network: those of the book are none of them."""
    tally, system, book, provenance = run.arguments
    assert (
        "loss_flows" not in results_of(tally, system, book, provenance | {"network": {"networks": 4}}).tables
    )


def test_flows_that_turn_negative_turn_round_and_rounding_goes():
    assert joined(iter([("a", "b", 2.0), ("a", "b", -3.0), ("a", "c", 1e-9)]), 1.0) == [("b", "a", 1.0)]


def matrix(rows):
    """Shares of bearers [bearers lenders]."""
    return np.asarray(rows, np.float64)


def means(bearers):
    """A bank loses 10 and an insurer 6."""
    return Means(16.0, np.zeros(1), np.asarray([10.0, 6.0]), np.asarray(bearers))


def test_losses_beyond_equity_follow_from_the_bearers():
    """Owners bear first, savers behind the bank and holders behind the insurer after.

    The owners have 11 of 16, the savers 3, the holders 2: the bank lost 3 beyond its equity, the insurer 2.
    """
    first, rest = [[1, 1], [0, 0], [0, 0]], [[0, 0], [1, 0], [0, 1]]
    shares = borne(means([11.0, 3.0, 2.0]), np.asarray([10.0, 6.0]), matrix(first), matrix(rest))
    np.testing.assert_allclose(shares, [[7.0, 4.0], [3.0, 0.0], [0.0, 2.0]], atol=1e-5)


def test_lenders_alike_are_one_unknown():
    """The same owners and the same savers behind both: the sums are those of the bearers."""
    shares = borne(
        means([11.0, 5.0]), np.asarray([10.0, 6.0]), matrix([[1, 1], [0, 0]]), matrix([[0, 0], [1, 1]])
    )
    np.testing.assert_allclose(shares.sum(axis=1), [11.0, 5.0], atol=1e-5)
    np.testing.assert_allclose(shares.sum(axis=0), [10.0, 6.0], atol=1e-5)


def test_what_the_bearers_leave_open_is_not_split():
    """Savers bore 4 for three kinds of lenders; the third's may as well be the first's and the second's."""
    first = matrix([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 0]])
    rest = matrix([[0, 0, 0], [0, 0, 0], [1, 1, 1]])
    kept = np.asarray([8.0, 8.0, 8.0])
    assert borne(Means(24.0, np.zeros(1), kept, np.asarray([10.0, 10.0, 4.0])), kept, first, rest) is None
    whole = borne(Means(24.0, np.zeros(1), kept, np.asarray([12.0, 12.0, 0.0])), kept, first, rest)
    np.testing.assert_allclose(whole, first * kept, atol=1e-4)  # nothing beyond equity leaves no choice


def test_open_flows_go_through_the_lenders_together(run, monkeypatch):
    monkeypatch.setattr(loss_flows, "borne", lambda *_: None)
    labels = labels_of(run.system, run.book)
    flows = flows_table(Estimates(run.tally), run.layout, labels, run.system, run.book)
    flows = flows[(flows["horizon"] == "3y") & (flows["paths"] == "all")]
    system = flows[flows["source"].str.startswith("borrower:")]["loss"].sum()
    assert abs(balance(flows)[LENDERS]) < ROUNDING * system
    assert set(flows[flows["target"].str.startswith("bearer:")]["source"]) == {LENDERS}

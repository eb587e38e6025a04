"""The web in the report: payments are those of the paths, failures those of a hand-made chain."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

from engine.book.build import build_system
from engine.book.load import load_book, shipped_book
from engine.book.membership import Membership
from engine.book.parameters import Parameters
from engine.draws.samplers import PSEUDO_RANDOM
from engine.paths.payments import yearly_payments
from engine.paths.replay import calm, replay
from engine.paths.simulate import layout_of, simulate
from engine.report.page import write_page
from engine.results import circular_web
from engine.results.write import write_results
from engine.run.plan import Plan
from tests.report.conftest import PROVENANCE

SEED, MONTHS, PATHS = 7, 24, 1024


@pytest.fixture(scope="module")
def book():
    return load_book(shipped_book("ai_credit_2025"))


@pytest.fixture(scope="module")
def two_years(book):
    return build_system(book, Parameters(), MONTHS)


def test_payments_are_those_of_the_replayed_path(two_years):
    ids = [3, 600]
    got = yearly_payments(two_years, SEED, ids)
    assert got.shape == (2, 2, len(two_years.names.contracts))
    for place, path in enumerate(ids):
        _, info = jax.device_get(replay(two_years, SEED, path))
        paid = (info.contracts.paid + info.contracts.invested).astype(np.float64)
        np.testing.assert_allclose(got[place], paid.reshape(2, 12, -1).sum(axis=1), rtol=1e-4, atol=1e-4)


def test_equity_put_in_is_what_labs_receive(two_years):
    _, info = jax.device_get(calm(two_years))
    received = np.asarray(two_years.contracts.sold.matrix) @ info.contracts.invested.T
    np.testing.assert_allclose(received.T, info.contracts.committed_equity, rtol=1e-5, atol=1e-6)
    assert info.contracts.invested.sum() > 0.0


def test_on_the_calm_path_everybody_pays(two_years):
    state, info = jax.device_get(calm(two_years))
    assert not state.credit.default_month.any()
    table = two_years.contracts
    due = np.asarray(two_years.calendar.term[-1]) * np.asarray(table.operating) / 12.0
    np.testing.assert_allclose(info.contracts.paid[-1], due, rtol=1e-4, atol=1e-5)


def test_tables_of_a_run(two_years, book):
    tally, _ = simulate(two_years, Plan(PATHS, 512, SEED))
    compiled = []
    jax.monitoring.register_event_duration_secs_listener(lambda name, *_, **__: compiled.append(name))
    try:
        tables = circular_web.web_tables(two_years, book, tally, SEED, (PSEUDO_RANDOM,))
    finally:
        jax.monitoring.clear_event_listeners()
    # A table evaluated operation by operation would compile each: a hundred programs, seconds of a run.
    assert compiled.count("/jax/core/compile/backend_compile_duration") <= 6
    payments, failures = tables["payments"], tables["failures"]
    assert (payments["ordinary"] <= payments["promised"] + 1e-3).sum() > 0.8 * len(payments)
    assert payments["tail"].sum() < payments["ordinary"].sum()
    assert failures.iloc[0]["firm"] == "OAI" and (failures["knock_on"] >= 0.0).all()
    for name in ("ordinary", "tail"):
        assert (payments[f"{name}_low"] <= payments[name]).all()
        assert (payments[name] <= payments[f"{name}_high"]).all()
    oracle = payments.set_index("contract").loc["OAI_ORCL"]
    assert oracle["buyer"] == "OpenAI" and oracle["seller"] == "Oracle"


def test_paths_of_replications_have_their_own_sampler(two_years, monkeypatch):
    asked = []

    def recorded(system, seed, ids, sampler):
        asked.append((sampler, ids.tolist()))
        return np.zeros((len(ids), 2, len(system.names.contracts)))

    monkeypatch.setattr(circular_web, "yearly_payments", recorded)
    circular_web.paid_of(two_years, SEED, [0, 9, 10, 19], ("first", "second"), 20)
    assert asked == [("first", [0, 9]), ("second", [10, 19])]


def chain(system, buyers, sellers):
    """The system with these contracts first, at full margin and all of one rank; the others owe nothing."""
    firms, contracts = system.firms.cash.shape[0], len(system.names.contracts)
    buyers, sellers = (np.resize(np.asarray(each), contracts) for each in (buyers, sellers))
    table = dataclasses.replace(
        system.contracts,
        senior=jnp.zeros(contracts, jnp.float32),
        margin=jnp.ones(contracts, jnp.float32),
        buyer=jnp.asarray(buyers, jnp.int32),
        bought=Membership(jnp.asarray(buyers, jnp.int32), None, firms),
        sold=Membership(jnp.asarray(sellers, jnp.int32), None, firms),
    )
    system = eqx.tree_at(lambda s: s.contracts, system, table)
    return eqx.tree_at(lambda s: s.firms.outside, system, jnp.zeros(firms, jnp.float32))


def test_failure_of_a_chain_by_hand(two_years, book, monkeypatch):
    """A owes B 8 and B owes C 6; B has 1 of its own: without A it pays 1 of 6."""
    linked = chain(two_years, [0, 1], [1, 2])
    means = np.zeros(len(two_years.names.firms), np.float32)
    means[:2] = 8.0, 1.0
    due = np.zeros(len(two_years.names.contracts), np.float32)
    due[:2] = 8.0, 6.0
    given = (jnp.asarray(due), jnp.asarray(means))
    monkeypatch.setattr(circular_web, "year_of_payments", lambda system: given)
    rows = circular_web.failures_table(linked, book).set_index("firm")
    first, second, third = two_years.names.firms[:3]
    assert rows.loc[first, ["direct", "knock_on", "worst_share"]].tolist() == pytest.approx([8.0, 5.0, 1.0])
    assert rows.loc[second, ["direct", "knock_on"]].tolist() == pytest.approx([6.0, 0.0])
    name = book.tables["firms"].set_index("firm")["name"]
    assert rows.loc[first, "worst_hit"] == name[second] and rows.loc[second, "worst_hit"] == name[third]


def test_a_book_without_contracts_has_no_web(two_years, book):
    none = eqx.tree_at(
        lambda s: s.contracts.operating, two_years, jnp.zeros_like(two_years.contracts.operating)
    )
    assert circular_web.web_tables(none, book, layout_of(none).init(), SEED, ()) == {}


def test_the_page_shows_the_web_of_a_run_that_has_one(world, tally, folder, tmp_path):
    payments = pd.DataFrame({
        "contract": ["A_B"], "kind": ["compute"], "buyer": ["Lab"], "seller": ["Cloud"], "promised": [90.0],
        "ordinary": [80.0], "tail": [20.0], "tail_low": [15.0], "tail_high": [26.0],
    })  # fmt: skip
    failures = pd.DataFrame({
        "firm": ["A"], "name": ["Lab"], "direct": [16.0], "knock_on": [2.5], "worst_hit": ["Cloud"],
        "worst_share": [0.75],
    })  # fmt: skip
    whole, system, _, layout = world
    more = {"payments": payments, "failures": failures}
    write_results(tmp_path, tally, system, whole, PROVENANCE, layout=layout, more=more)
    text = write_page(tmp_path).read_text(encoding="utf-8")
    assert "what Lab pays Cloud: 80.0 bn on ordinary paths and 20.0 bn on the worst" in text
    assert "(95% interval of the median 15.0–26.0 bn)" in text
    assert "If one company stops paying" in text and "75%" in text
    assert "If one company stops paying" not in (folder / "report.html").read_text(encoding="utf-8")

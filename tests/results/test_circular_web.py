"""The circular web: payments are those of the paths, failures those of a hand-made chain."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from engine.book.membership import Membership
from engine.draws.samplers import PSEUDO_RANDOM, Antithetic
from engine.paths.payments import Payments, payments_of
from engine.paths.replay import replay
from engine.paths.simulate import layout_of
from engine.results import circular_web
from tests.calm import calm

SEED = 7


@pytest.fixture(scope="module")
def book(run):
    return run.book


@pytest.fixture(scope="module")
def system(run):
    return run.system


def test_payments_are_those_of_the_replayed_path(system):
    ids = [3, 600]
    got = payments_of(system, SEED, ids, 24)
    assert got.paid.shape == (2, 3, len(system.names.contracts))
    for place, path in enumerate(ids):
        _, info = jax.device_get(replay(system, SEED, path))
        paid = (info.contracts.paid + info.contracts.invested).astype(np.float64)
        np.testing.assert_allclose(got.paid[place], paid.reshape(3, 12, -1).sum(axis=1), rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(got.due[place], 12.0 * info.contracts.paid[23], rtol=1e-4, atol=1e-4)


def test_equity_put_in_is_what_labs_receive(system):
    _, info = jax.device_get(calm(system))
    received = np.asarray(system.contracts.sold.matrix) @ info.contracts.invested.T
    np.testing.assert_allclose(received.T, info.contracts.committed_equity, rtol=1e-5, atol=1e-6)
    assert info.contracts.invested.sum() > 0.0


def test_on_the_calm_path_everybody_pays(system):
    state, info = jax.device_get(calm(system))
    assert not state.credit.default_month.any()
    table = system.contracts
    # Sites still under construction let what is built of them.
    full = np.asarray(system.calendar.term[-1]) * np.asarray(table.operating)
    due = full * info.contracts.delivered[-1] / 12.0
    in_term = np.asarray(system.calendar.after[-1]) == 0.0
    np.testing.assert_allclose(info.contracts.paid[-1][in_term], due[in_term], rtol=1e-4, atol=1e-5)
    assert in_term.sum() > 0.9 * len(due)


def test_tables_of_a_run(run, system, book):
    compiled = []
    jax.monitoring.register_event_duration_secs_listener(lambda name, *_, **__: compiled.append(name))
    try:
        tables = circular_web.web_tables(system, book, run.tally, SEED, (PSEUDO_RANDOM,))
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


def test_paths_of_replications_have_their_own_sampler(system, monkeypatch):
    asked = []

    def recorded(system, seed, ids, month, sampler):
        asked.append((sampler, ids.tolist()))
        return Payments(ids[:, None, None], ids[:, None], ids[:, None])

    monkeypatch.setattr(circular_web, "payments_of", recorded)
    first, second = PSEUDO_RANDOM, Antithetic()
    got = circular_web.payments_by(system, SEED, [19, 0, 9, 10], (first, second), 20)
    assert asked == [(first, [0, 9]), (second, [19, 10])]
    assert got.due[:, 0].tolist() == [19, 0, 9, 10]


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


def test_failure_of_a_chain_by_hand(system, book):
    """A owes B 8 and B owes C 6; B has 1 of its own: without A it pays 1 of 6. One path of
    three, on which B owes 2 only, is not the median."""
    linked = chain(system, [0, 1], [1, 2])
    means = np.zeros((3, len(system.names.firms)), np.float32)
    means[:, :2] = 8.0, 1.0
    due = np.zeros((3, len(system.names.contracts)), np.float32)
    due[:, :2] = (8.0, 6.0), (8.0, 2.0), (8.0, 6.0)
    ordinary = Payments(np.zeros((3, 1, due.shape[1])), due, means)
    rows = circular_web.failures_table(linked, book, ordinary).set_index("firm")
    first, second, third = system.names.firms[:3]
    assert rows.loc[first, ["direct", "knock_on", "worst_share"]].tolist() == pytest.approx([8.0, 5.0, 1.0])
    assert rows.loc[second, ["direct", "knock_on"]].tolist() == pytest.approx([6.0, 0.0])
    name = book.tables["firms"].set_index("firm")["name"]
    assert rows.loc[first, "worst_hit"] == name[second] and rows.loc[second, "worst_hit"] == name[third]


def test_a_book_without_contracts_has_no_web(system, book):
    none = eqx.tree_at(lambda s: s.contracts.operating, system, jnp.zeros_like(system.contracts.operating))
    assert circular_web.web_tables(none, book, layout_of(none).init(), SEED, ()) == {}

"""The ledger: the run's own losses path by path, for any block, and what policy cost."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from engine.book.build import build_system
from engine.book.load import load_book, shipped_book
from engine.book.parameters import Parameters, Policy
from engine.draws.address import seed_words
from engine.draws.samplers import PSEUDO_RANDOM
from engine.paths.ledger import ledger
from engine.paths.simulate import chunk_outcome, layout_of
from engine.run.plan import CHUNK, Hooks, Plan
from engine.vocabulary import LEVERS


@pytest.fixture(scope="module")
def found(year):
    return ledger(year, Plan(1500, 1024, 7))


def test_losses_are_those_of_the_run(year, found):
    ids = jnp.arange(CHUNK, dtype=jnp.int64)
    outcome = jax.jit(chunk_outcome)(year, PSEUDO_RANDOM, seed_words(7), ids, CHUNK)
    columns = layout_of(year).columns
    np.testing.assert_allclose(found.loss[:CHUNK], outcome.losses[-1, 0], rtol=1e-4, atol=1e-4)
    first = columns.index(f"bearer:{year.names.bearers[0]}")
    bearers = outcome.losses[-1, first : first + len(year.names.bearers)]
    np.testing.assert_allclose(found.bearers[:, :CHUNK], bearers, rtol=1e-4, atol=1e-4)


@pytest.mark.whole
def test_block_size_does_not_show(year, found):
    other = ledger(year, Plan(1500, 512, 7))
    for one, two in zip(jax.tree.leaves(found), jax.tree.leaves(other), strict=True):
        np.testing.assert_array_equal(one, two)
    assert found.loss.shape == (1500,) and found.cost.shape == (len(LEVERS), 1500)


def test_without_policy_nothing_is_spent(found):
    assert not found.cost.any() and not found.busiest.any()
    assert found.loss.min() >= 0.0 and found.debt.min() > 0.0


def test_spending_stays_within_what_the_lever_allows():
    """A bust at once: levers of the second year cost, support at most 6 a year for half a year."""
    numbers = Parameters()
    numbers.economy.start = "bust"
    dates = {f"{lever}_month": 13.0 for lever in LEVERS}
    numbers.policy = Policy(**dates, bailout=6.0, bailout_months=6.0, backstop=1.0)
    found = ledger(build_system(load_book(shipped_book("ai_credit_2025")), numbers, 24), Plan(1024, 512, 7))
    mean = dict(zip(LEVERS, found.cost.mean(axis=1), strict=True))
    bailout = found.cost[LEVERS.index("bailout")]
    assert bailout.max() <= 3.0 * (1.0 + 1e-5)
    assert (found.cost >= found.busiest).all() and (found.cost >= 0.0).all()
    assert mean.pop("disclosure") == 0.0
    assert min(mean.values()) > 0.0, mean


def test_a_stopped_run_keeps_whole_rounds(year):
    calls = []
    hooks = Hooks(progress=calls.append, stopped=lambda: len(calls) > 0)
    part = ledger(year, Plan(100_000, 512, 7), hooks=hooks)
    assert part.loss.shape[-1] == calls[0] < 100_000


def test_policy_is_a_value_and_not_a_program(year):
    """Systems that differ in policy have the same shapes and types: one compilation serves them all."""
    other = dataclasses.replace(year.calendar, supply_floor=year.calendar.supply_floor + 0.5)
    for one, two in zip(jax.tree.leaves(year.calendar), jax.tree.leaves(other), strict=True):
        assert (one.shape, one.dtype) == (two.shape, two.dtype)

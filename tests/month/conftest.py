"""The shipped book over five years, and what a batch of its paths comes to."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from engine.book.build import build_system
from engine.book.load import load_book, shipped_book
from engine.book.parameters import Parameters
from engine.draws.address import seed_words
from engine.draws.samplers import PSEUDO_RANDOM
from engine.month import chips, economy
from engine.month.revenue import Revenue
from engine.month.setting import Setting, Standing
from engine.paths.simulate import chunk_outcome
from engine.run.plan import CHUNK
from tests import calm

MONTHS, PATHS, FEW, SEED = 60, 2048, CHUNK, 11


@pytest.fixture(scope="session")
def book():
    return load_book(shipped_book("ai_credit_2025"))


@pytest.fixture(scope="session")
def five_years(book):
    return build_system(book, Parameters(), MONTHS)


@pytest.fixture(scope="session")
def calm_economy(five_years):
    """The economy of month 0 as other stages see it."""
    numbers = five_years.numbers.economy
    one, zero = jnp.float32(1.0), jnp.float32(0.0)
    return economy.Conditions(
        regime=economy.init(five_years).regime, revenue=numbers.revenue, rate=numbers.rate, spread=one,
        equity=one, power=one, supply=one, access=one, technology=zero, hazard_multiplier=one,
    )  # fmt: skip


@pytest.fixture(scope="session")
def setting_of(five_years, calm_economy):
    """A Setting of month t: everybody stands, and nothing is read of the chip market but what is given."""

    def build(t, economy=calm_economy, value=five_years.firms.equity_value):
        everybody = jnp.ones(len(five_years.names.firms), jnp.float32)
        return Setting(
            month_of(five_years, t), Standing(everybody, everybody), economy, chip_market(five_years),
            Revenue(direct=0.0 * everybody, value=value, spread=everybody, access=everybody),
        )  # fmt: skip

    return build


@pytest.fixture(scope="session")
def calm_draws(five_years):
    """Path draws without slips, frailty or leadership, and thresholds out of reach."""
    return calm.calm_draws(five_years)


@pytest.fixture(scope="session")
def outcome_of():
    """Outcome of the first so many of the same paths for any System of the shipped book's shape.

    Compiled once; `FEW` are enough where every path tells.
    """

    @jax.jit
    def run(system, ids):
        return chunk_outcome(system, PSEUDO_RANDOM, seed_words(SEED), ids, PATHS)

    def outcome(system, paths=PATHS):
        chunks = jnp.arange(paths, dtype=jnp.int64).reshape(-1, FEW)
        parts = [jax.device_get(run(system, ids)) for ids in chunks]
        return jax.tree.map(lambda *leaves: np.concatenate(leaves, axis=-1), *parts)

    return outcome


@pytest.fixture(scope="session")
def changed(five_years):
    """The System with some numbers replaced: changed("chips.release_effect", 0.4, ...)."""

    def change(*pairs):
        system = five_years
        for name, value in zip(pairs[::2], pairs[1::2], strict=True):
            group, field = name.split(".")
            numbers = getattr(system.numbers, group)
            new = dataclasses.replace(numbers, **{field: jnp.asarray(value, jnp.float32)})
            system = eqx.tree_at(lambda s: getattr(s.numbers, group), system, new)  # noqa: B023
        return system

    return change


@pytest.fixture(scope="session")
def base(five_years, outcome_of):
    return outcome_of(five_years)


@pytest.fixture(scope="session")
def few(five_years, outcome_of):
    """The first `FEW` paths of `base`."""
    return outcome_of(five_years, FEW)


def chip_market(system, capex=0.0):
    """A chip market in which nothing happens but capex, USD bn a year."""
    shape = jax.eval_shape(lambda: chips.init(system)).fleet
    zero, many = jnp.zeros((), jnp.float32), jnp.zeros(shape.shape, jnp.float32)
    return chips.ChipMarket(
        utilisation=zero, hours=zero, rent=many, value=many, earnings=many, idle=many, mix=many,
        capex=jnp.float32(capex), capex_pace=zero, capex_answer=zero, ordered_pace=zero, bought=zero,
        accounting_value=many, stress=zero,
    )  # fmt: skip


def month_of(system, t):
    """The calendar's row of month t."""
    return jax.tree.map(lambda leaf: leaf[t - 1], system.calendar)


THREE_YEARS = 1
SYSTEM, TODAY, NEW = 0, 1, 2
"""Columns: losses of the system, on today's debt alone, and on what is lent anew."""


def paired_change(before, after, column=SYSTEM, horizon=-1):
    """Mean and standard error of the change of losses (five-year ones) on common random numbers."""
    one, other = (each.losses[horizon, column].astype(np.float64) for each in (before, after))
    change = other - one
    return change.mean(), change.std() / np.sqrt(change.size)

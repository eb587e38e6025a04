"""One path from month 1 to T: fate, months, series and losses."""

import dataclasses
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from engine.book.system import Month, System
from engine.draws.samplers import Sampler, Systematic
from engine.month import step as months
from engine.month.bearers import borne
from engine.month.inputs import Fate, fate_of
from engine.numerics import all_finite
from engine.paths.draws import PathId, Seed, month_shocks, path_draws, systematic_draws
from engine.paths.parameters import draw_parameters, own_system
from engine.vocabulary import FLAGS, NOT_FINITE

YEAR = 12
"""Months."""
month_0 = jax.jit(months.init)
"""One for all calls: JAX keeps what it knows of every function that it is given."""


def state_size(system: System) -> int:
    """Numbers in a path's state."""
    return sum(leaf.size for leaf in jax.tree.leaves(month_0.eval_shape(system)))


class Snapshot(eqx.Module):
    """Cumulative losses at the end of a year (USD bn)."""

    losses: Float[Array, "columns"]
    components: Float[Array, "instruments"]


def begin(
    system: System, sampler: Sampler, seed: Seed, path: PathId
) -> tuple[Fate, months.State, Systematic]:
    """Fate, the state of month 0, and the economy's draws for every month."""
    draws = systematic_draws(system, sampler, seed, path)
    drawn = draw_parameters(system, seed, path)
    system = own_system(system, drawn)
    economy = path if draws.economy is None else draws.economy
    fate = fate_of(system, path_draws(system, seed, economy))
    return dataclasses.replace(fate, parameters=drawn), months.init(system), draws


def by_year(system: System, draws: Systematic) -> Any:
    """Calendar and systematic draws, (rows, normals, uniforms), with axes [years, months ...]."""
    rows = (system.calendar, draws.normals, draws.uniforms)
    return jax.tree.map(lambda row: row.reshape(row.shape[0] // YEAR, YEAR, *row.shape[1:]), rows)


def advance(
    system: System,
    seed: Seed,
    path: PathId,
    fate: Fate,
    state: months.State,
    month: Month,
    normal: Float[Array, "factors"],
    regime: Float[Array, ""],
) -> tuple[months.State, months.Info]:
    """One month from the path's own draws."""
    shocks = month_shocks(system, seed, path, month.month, normal, regime)
    return months.step(own_system(system, fate.parameters), fate, state, month, shocks)


def traced(system: System, state: months.State, info: months.Info) -> Float[Array, "series"]:
    """The monthly series of `Names.series`."""
    benchmarks = [system.names.generations.index(chip) for chip in system.names.benchmarks]
    overvalued = jnp.maximum(info.chips.accounting_value - info.collateral.price, 0.0)
    return jnp.stack(
        [
            info.economy.revenue,
            info.economy.regime[1] + 2.0 * info.economy.regime[2],
            info.chips.rent[benchmarks[0]],
            *(info.collateral.price[chip] for chip in benchmarks),
            info.chips.utilisation,
            state.supply,
            info.economy.spread,
            info.economy.rate,
            info.economy.equity,
            info.exposure,
            jnp.sum(state.collateral.pledged, axis=0) @ overvalued,
            state.legacy_loss + state.new_money_loss,
        ]
    )


def snapshot(system: System, state: months.State) -> Snapshot:
    """Columns in the order of `column_names`, components in the order of the instruments."""
    lenders = system.lenders
    loss, gross = state.lenders.loss, state.lenders.gross
    total = state.legacy_loss + state.new_money_loss
    return Snapshot(
        losses=jnp.concatenate(
            [
                jnp.stack([total, state.legacy_loss, state.new_money_loss]),
                lenders.instrument_membership @ loss,
                lenders.membership @ gross,
                borne(system, gross, state.lenders.scale),
                gross,
            ]
        ),
        components=loss,
    )


def column_names(system: System) -> tuple[str, ...]:
    """Names of the loss columns."""
    names = system.names
    return (
        "system",
        "legacy",
        "new_money",
        *(f"class:{name}" for name in names.instrument_classes),
        *(f"lenders:{name}" for name in names.lender_classes),
        *(f"bearer:{name}" for name in names.bearers),
        *lender_columns(system),
    )


def lender_columns(system: System) -> tuple[str, ...]:
    """Names of the columns of single lenders, the last ones."""
    return tuple(f"lender:{name}" for name in system.names.lenders)


class Ending(eqx.Module):
    """A path's defaults, failures of lenders and flags (`vocabulary.FLAGS`) at its end."""

    default_month: Int[Array, "entities"]
    cause: Int[Array, "entities"]
    failure_month: Int[Array, "failing"]
    flags: Bool[Array, "flags"]


def ending(system: System, fate: Fate, state: months.State) -> Ending:
    """Default month and cause of the named firms, failures of lenders, the path's flags.

    A path is not finite where its last state or its fate is not: what was once lost to NaN stays so.
    """
    lenders, bit = state.lenders, jnp.arange(len(FLAGS)) == NOT_FINITE
    flags = state.flags | (bit & ~all_finite((fate, state)))
    failure_month = jnp.concatenate([lenders.failed, lenders.failed_alone])
    return Ending(state.credit.default_month, state.credit.cause, failure_month, flags)


def failing_names(system: System) -> tuple[str, ...]:
    """Whose failures are counted: every lender with all it loses, then by losses of this book alone."""
    return tuple(f"{kind}:{name}" for kind in ("lender", "alone") for name in system.names.lenders)

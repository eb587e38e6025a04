"""One run over an ensemble of Systems, all on the same paths: networks of holders, sets of parameters.

A member takes the place of a replication of `engine.run.blocks`: its System, sampler and first path id are
leaves of a pytree, so that one compiled function serves all members. Path n of member k has the id k N + n
in the tally and the draws of path n, so that members differ by their Systems alone.
"""

import dataclasses
from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, Int64

from engine.book import links
from engine.book.system import System
from engine.draws.samplers import PSEUDO_RANDOM, Sampler
from engine.paths.draws import PathIds, Seed
from engine.paths.simulate import chunk_of, chunk_outcome, layout_of
from engine.run import blocks
from engine.run.blocks import Model
from engine.run.plan import Hooks, Plan, Timing
from engine.tail.outcome import Outcome
from engine.tail.tally import Tally


class Member(eqx.Module):
    """One replication: a System, a sampler, and the id of its member's path 0."""

    system: System
    sampler: Sampler
    first: Int64[Array, ""]


def member_outcome(_: tuple[()], member: Member, seed: Seed, ids: PathIds, count: Int[Array, ""]) -> Outcome:
    """The outcome of one chunk of ids; these and `count` run on over all members."""
    first = member.first
    outcome = chunk_outcome(member.system, member.sampler, seed, ids - first, count - first)
    return dataclasses.replace(outcome, path=ids)


def simulate_ensemble(
    systems: Sequence[System],
    plan: Plan,
    samplers: Sequence[Sampler] = (PSEUDO_RANDOM,),
    hooks: Hooks | None = None,
    devices: Sequence[jax.Device] | None = None,
) -> tuple[Tally, Timing]:
    """Run a plan for every System: `plan.paths` of each, in as many blocks of paths as there are samplers.

    The Systems have equal shapes, but for holdings that are stored as entries. `hooks.replication` gets the
    tally of every block of the first member, then of the second, and so on. One member's tally is that of
    `engine.paths.simulate.simulate`, to the bit. Raises ValueError where the paths cannot be cut evenly.
    """
    if plan.paths % len(samplers):
        raise ValueError(f"paths: got {plan.paths}, expected a multiple of {len(samplers)} blocks")
    systems = alike(systems)
    whole = dataclasses.replace(plan, paths=plan.paths * len(systems))
    members = [
        Member(system, sampler, jnp.asarray(place * plan.paths, jnp.int64))
        for place, system in enumerate(systems)
        for sampler in samplers
    ]
    model = Model(member_outcome, (), layout_of(systems[0]), chunk_of(systems[0]))
    return blocks.simulate(model, whole, members, hooks, devices)


def alike(systems: Sequence[System]) -> Sequence[System]:
    """The Systems with holdings stored in one way: whole, where members hold other instruments."""
    if len({jax.tree.structure(system.lenders.holdings) for system in systems}) <= 1:
        return systems
    return [
        eqx.tree_at(lambda s: s.lenders.holdings, system, links.whole(system.lenders.holdings))
        for system in systems
    ]

"""One run over many networks of holders: each is a System of its own, all on the same paths.

A network rides as a replication of `engine.run.blocks`: its System, its sampler and the number of its first
path are leaves of what a block reads, so that one compiled function serves all. Path n of network k has the
id k N + n in the tally and the draws of path n, so that networks differ by nothing but their holdings and
what these do to the supply of credit.
"""

import dataclasses
from collections.abc import Sequence

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Int64

from engine.book.system import System
from engine.draws.samplers import PSEUDO_RANDOM
from engine.paths.simulate import chunk_of, chunk_outcome, layout_of
from engine.run import blocks
from engine.run.blocks import Model
from engine.run.plan import Hooks, Plan, Timing
from engine.tail.outcome import Outcome
from engine.tail.tally import Tally


class Network(eqx.Module):
    """What one replication runs: a System, a sampler, and the id of its network's path 0."""

    system: System
    sampler: eqx.Module
    first: Int64[Array, ""]


def network_outcome(_, network: Network, seed, ids, count) -> Outcome:
    """The outcome of one chunk of ids, which count paths over all networks."""
    first = network.first
    outcome = chunk_outcome(network.system, network.sampler, seed, ids - first, count - first)
    return dataclasses.replace(outcome, path=ids)


def simulate_networks(
    systems: Sequence[System],
    plan: Plan,
    samplers=(PSEUDO_RANDOM,),
    hooks: Hooks | None = None,
    devices=None,
) -> tuple[Tally, Timing]:
    """Run a plan for every network: `plan.paths` of each, in as many blocks of paths as there are samplers.

    The Systems differ in the values of their arrays only. `hooks.replication` gets the tally of every block
    of the first network, then of the second. One network's tally is that of `engine.paths.simulate.simulate`,
    to the bit. Raises ValueError where the paths cannot be cut evenly.
    """
    if plan.paths % len(samplers):
        raise ValueError(f"network.paths: got {plan.paths}, expected a multiple of {len(samplers)} blocks")
    whole = dataclasses.replace(plan, paths=plan.paths * len(systems))
    networks = [
        Network(system, sampler, jnp.asarray(place * plan.paths, jnp.int64))
        for place, system in enumerate(systems)
        for sampler in samplers
    ]
    model = Model(network_outcome, (), layout_of(systems[0]), chunk_of(systems[0]))
    return blocks.simulate(model, whole, networks, hooks, devices)

"""A path's own System: the parameters that history does not identify, drawn once from their ranges.

Each has the triangular law with the System's value as its mode. Draws go by the path's address, so that runs
with other parameters share these too. What the System derives from drawn parameters follows them: the law of
the regime and the ageing of chips.
"""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float64

from engine.book.ranges import WHOLE, Name
from engine.book.system import Numbers, System
from engine.draws.address import seed_words, words
from engine.draws.random import uniform
from engine.month.inputs import triangular
from engine.paths.draws import PathId, Seed
from engine.vocabulary import MONTH

TERMS = 6
"""Of the series of expm(Q dt), whose terms fall as (rate/12)^n / n!."""


def number(numbers: Numbers, name: Name) -> Float[Array, ""]:
    """A parameter, or an entry of one."""
    group, field, entry = name
    value = getattr(getattr(numbers, group), field)
    return value if entry == WHOLE else value[entry]


def draw_parameters(system: System, seed: Seed, path: PathId) -> Float[Array, "drawn"] | None:
    """The parameters of a path, in the order of the ranges; None where all are fixed."""
    ranges = system.ranges
    if ranges is None:
        return None
    bits = words(seed, path, jnp.zeros((), jnp.int32), "parameters", len(ranges.names))
    mode = jnp.stack([number(system.numbers, name) for name in ranges.names])
    return triangular(uniform(bits), ranges.low, mode, ranges.high)


def draw_sets(system: System, seed: int, count: int) -> Float64[np.ndarray, "sets drawn"]:
    """Sets of parameters for a System each: set k is what path k draws where paths draw their own.

    Raises ValueError where the System has no ranges.
    """
    if system.ranges is None:
        raise ValueError("system: got no ranges, expected those of with_ranges")
    draw = jax.vmap(lambda path: draw_parameters(system, seed_words(seed), path))
    return np.asarray(draw(jnp.arange(count, dtype=jnp.int64)), np.float64)


def own_system(system: System, drawn: Float[Array, "drawn"] | None) -> System:
    """The System with a path's parameters in place of the shared ones, and all that follows from them."""
    if drawn is None or system.ranges is None:
        return system
    values = dict(zip(system.ranges.names, drawn, strict=True))
    groups: dict[str, dict[str, Float[Array, ...]]] = {}
    for group, field, entry in values:
        whole = getattr(getattr(system.numbers, group), field)
        own = values[group, field, entry]
        if entry != WHOLE:
            own = jnp.stack([values.get((group, field, place), whole[place]) for place in range(len(whole))])
        groups.setdefault(group, {})[field] = own
    changed = {
        group: dataclasses.replace(getattr(system.numbers, group), **fields)
        for group, fields in groups.items()
    }
    numbers = dataclasses.replace(system.numbers, **changed)
    return dataclasses.replace(
        system,
        numbers=numbers,
        economy=dataclasses.replace(system.economy, transition=transition(numbers)),
        chips=dataclasses.replace(system.chips, ageing=ageing(system, numbers)),
    )


def ageing(system: System, numbers: Numbers) -> Float[Array, ""]:
    """ln(G/O)/life - release_effect gain; ln(G/O) is the decline on which lenders plan times their life."""
    assert system.ranges is not None
    earning = system.chips.decline * numbers.chips.underwritten_life
    return earning / numbers.chips.life - numbers.chips.release_effect * system.ranges.gain_pace


def transition(numbers: Numbers) -> Float[Array, "regimes regimes"]:
    """Cumulative rows of expm(Q dt), by its series."""
    economy = numbers.economy
    boom, plateau, bust = economy.leave_boom, economy.leave_plateau, economy.leave_bust
    rates = jnp.stack(
        [
            jnp.stack([-(boom[0] + boom[1]), boom[0], boom[1]]),
            jnp.stack([plateau[0], -(plateau[0] + plateau[1]), plateau[1]]),
            jnp.stack([bust[0], bust[1], -(bust[0] + bust[1])]),
        ]
    ) * jnp.float32(MONTH)
    unit = jnp.eye(3, dtype=jnp.float32)
    power = unit
    for term in range(TERMS, 0, -1):
        power = unit + jnp.sum(rates[:, :, None] * power[None, :, :], axis=1) / jnp.float32(term)
    first = power[:, 0]
    return jnp.stack([first, first + power[:, 1], jnp.ones_like(first)], axis=1)

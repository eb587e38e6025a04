"""Shifts of the normals that make a tail likelier, learned by cross-entropy from pilots of any path model.

    m = sum_i v_i z_i / sum_i v_i,   v_i = w_i 1{L_i > VaR} (1/2 + 1/2 of the excess over its mean)

is the mean of the law closest to the tail's (Rubinstein and Kroese 2004, "The Cross-Entropy Method", section
5.1). A pilot of plain paths finds it at a near level; those that follow are drawn with the last shift and
reach the level of interest. A number that its sample does not determine stays zero (`shrink`). The
first shift stays as a broad part beside the last, and the plain law as a third: no weight exceeds 1 over its
share.
"""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from engine.draws.samplers import PSEUDO_RANDOM, Sampler
from engine.draws.shifted import Shifted

CAUTION = 2.0
"""Standard errors by which a mean must differ from the nominal one to be used."""
NEAR = 0.95
"""Level of the plain pilot."""
BROAD = 0.2
"""Share of the first shift."""
PILOTS = (16_384, 16_384, 16_384)
"""Paths of each pilot."""
LEARNING = 0x73686966
"""Keeps the seeds of pilots apart from other uses of the run's seed."""

PilotRun = Callable[[Sampler, int, int], tuple[Any, Any, Any]]
"""(sampler, paths, seed) -> loss [paths], log-weight [paths], normals [steps factors paths]."""


def learn_shift(pilot: PilotRun, level: float, seed: int, defensive: float = 0.1) -> Shifted:
    """The mixture of shifts for the tail beyond a level, `defensive` the share drawn plainly."""
    means: list[Float[np.ndarray, "steps factors"]] = []
    for stage, paths in enumerate(PILOTS):
        own = int(np.random.SeedSequence([LEARNING, seed, stage]).generate_state(1, np.uint64)[0])
        law = mixture(means[0], means[-1], defensive) if means else PSEUDO_RANDOM
        loss, log_weight, normals = pilot(law, paths, own)
        weight = np.exp(log_weight.astype(np.float64))
        means.append(tail_mean(loss, weight, normals, level if means else min(level, NEAR)))
    return mixture(means[0], means[-1], defensive)


def mixture(
    first: Float[np.ndarray, "steps factors"], last: Float[np.ndarray, "steps factors"], defensive: float
) -> Shifted:
    """Plain paths, the first shift, the last."""
    rest = 1.0 - defensive
    share = np.array([defensive, rest * BROAD, rest * (1.0 - BROAD)], np.float32)
    return Shifted(jnp.asarray(share), jnp.asarray(np.stack([0.0 * first, first, last]), jnp.float32))


def tail_mean(
    loss: Float[np.ndarray, " paths"],
    weight: Float[np.ndarray, " paths"],
    normals: Float[np.ndarray, "steps factors paths"],
    level: float,
) -> Float[np.ndarray, "steps factors"]:
    """Mean of the normals beyond a level, shrunk by its standard error; zero where no loss lies beyond."""
    order = np.argsort(-loss, kind="stable")
    mass = np.cumsum(weight[order]) / len(loss)
    var = loss[order[min(int(np.searchsorted(mass, 1.0 - level)), len(loss) - 1)]]
    beyond = (loss > var) & np.isfinite(loss)
    if not beyond.any():
        return np.zeros(normals.shape[:2])
    excess = (loss - var)[beyond]
    value = weight[beyond] * (0.5 + 0.5 * excess / np.average(excess, weights=weight[beyond]))
    mean = normals[..., beyond].astype(np.float64) @ (value / value.sum())
    error = np.sqrt(np.sum(value**2)) / value.sum()
    return np.asarray(shrink(jnp.asarray(mean, jnp.float32), jnp.asarray(error, jnp.float32)), np.float64)


def shrink(mean: Float[Array, "*shape"], error: Float[Array, "..."]) -> Float[Array, "*shape"]:
    """A mean shrunk towards zero by its standard error, and zero unless it is `CAUTION` of them away.

    The positive-part rule of James and Stein (1961), coordinate by coordinate.
    """
    square = jnp.maximum(mean**2, jnp.float32(1e-12))
    return mean * jnp.maximum(1.0 - (CAUTION * error) ** 2 / square, 0.0)

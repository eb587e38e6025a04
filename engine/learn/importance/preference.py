"""How much a path is preferred, given what it is expected to lose.

For an integrand h the best q has q^2 ~ m(s) = E[h^2 | s], s the estimate (Neyman 1938). Several are served:
the probability and the excess beyond VaR at some levels, and everything else by a constant,

    q^2 = d + (1 - d) mean over h of m_h(s) / E[sqrt(m_h)]^2

Conditional moments come from paths that the surrogate has not seen, as means over the residuals of those with
similar estimates, added to s (Duan 1983, smearing): smooth, and known a little beyond the largest loss.
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float64

from engine.draws.choice import Preference

KNOTS = 24
APART = 0.01
"""Least distance of knots, in standard deviations of the loss: float32 can bear no steep slopes."""
NEARBY = 3000
"""Paths with similar estimates whose residuals are used; an eighth of all where that is less."""


def preference(
    estimate: Float64[np.ndarray, "paths"],
    loss: Float64[np.ndarray, "paths"],
    levels: tuple[float, ...],
    defensive: float,
) -> Preference:
    """The preference for the tails of a loss beyond its VaR at `levels`, of a pilot's paths.

    `defensive`, d, is the share of the constant: near one all paths are alike.
    """
    order = np.argsort(estimate, kind="stable")
    s, residual = estimate[order], (loss - estimate)[order]
    shares = 1.0 - np.geomspace(1.0, 1.0 / len(s), KNOTS)
    knots = apart(np.quantile(s, shares))
    values = [np.quantile(loss, level) for level in levels]
    moments = np.stack([beyond(knot + nearby(residual, s, knot), values) for knot in knots], axis=1)
    square = np.full(len(knots), defensive)
    for own in moments:
        root = np.mean(np.sqrt(np.interp(s, knots, own)))
        if root > 0.0:
            square += (1.0 - defensive) / len(moments) * own / root**2
    log_q = 0.5 * np.log(np.maximum.accumulate(square))
    slopes = np.append(np.diff(log_q) / np.diff(knots), 0.0)
    return Preference(jnp.asarray(knots, jnp.float32), jnp.asarray(np.diff(slopes, prepend=0.0), jnp.float32))


def apart(values: Float64[np.ndarray, "knots"]) -> Float64[np.ndarray, "knots"]:
    """Ascending values, moved up where they are less than APART from the one before."""
    steps = APART * np.arange(len(values))
    return np.maximum.accumulate(values - steps) + steps


def nothing() -> Preference:
    """All paths alike."""
    return Preference(jnp.arange(KNOTS, dtype=jnp.float32), jnp.zeros(KNOTS, jnp.float32))


def nearby(
    residual: Float64[np.ndarray, "paths"], s: Float64[np.ndarray, "paths"], knot: float
) -> Float64[np.ndarray, "some"]:
    """Residuals of the paths whose estimates, ascending, are next to the knot."""
    many = max(min(NEARBY, len(s) // 8), 1)
    first = min(max(int(np.searchsorted(s, knot)) - many // 2, 0), len(s) - many)
    return residual[first : first + many]


def beyond(loss: Float64[np.ndarray, "some"], values: list[float]) -> Float64[np.ndarray, "integrands"]:
    """Mean squares of the probability and of the excess beyond each value."""
    excess = [np.maximum(loss - value, 0.0) for value in values]
    return np.array([np.mean(each > 0.0) for each in excess] + [np.mean(each**2) for each in excess])

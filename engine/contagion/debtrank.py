"""Distress through exposures and buffers: linear DebtRank, single-hit DebtRank and the threshold cascade.

exposures[i, j] is the claim of lender i (row) on borrower j (column), the transpose of the liabilities that
`networks.clear` takes, and buffers[i] the loss at which i defaults. With the impact of j on i

    V_ij = exposures_ij / buffers_i,   not capped

the distress h_i is i's loss over its buffer, from h(0), the shock. Each round every firm passes on its new
distress, x(t):

    h(t+1) = h(t) + V x(t),   x(t) = p(t) - p(t-1),   p(t) = distress passed on up to round t, p(-1) = 0

    linear       p = min(h, 1)                      Bardoscia, Battiston, Caccioli and Caldarelli (2015)
    single_hit   p = min(h, 1) of its first round   Battiston, Puliga, Kaushik, Tasca and Caldarelli (2012)
    threshold    p = 1 if h >= 1 else 0             Furfine (2003), nothing recovered

Distress may exceed one: losses beyond the buffer fall on the firm's own creditors and are counted, but not
passed on. Any one money unit. The linear rule: PLoS ONE 10(6), e0130406.
"""

import functools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Float64, Int, Int64
from numpy.typing import ArrayLike

from engine import arguments
from engine.arguments import TINY
from engine.contagion.amounts import amounts, check_iteration, network, to_array
from engine.numerics import traced

EARLY_STOP = float(np.finfo(np.float64).eps) ** 0.2
"""The change, 7.4e-4, below which the R package NetworkRiskMeasures stops."""

EDGE = 1e-12
"""Distress this close to one is default: sums of shares are exact to rounding only."""


Firms = Float64[Array, " firms"]


class Propagation(eqx.Module):
    """Final distress, one row a scenario if shocks have rows; stress is a share, losses are money."""

    distress: Float64[Array, "*scenarios firms"]  # h, not capped
    defaulted: Bool[Array, "*scenarios firms"]
    original_stress: Float64[Array, "*scenarios"]  # sum_i w_i min(h_i(0), 1)
    additional_stress: Float64[Array, "*scenarios"]  # sum_i w_i min(h_i, 1) less the original
    original_losses: Float64[Array, "*scenarios"]  # sum_i buffer_i h_i(0)
    additional_losses: Float64[Array, "*scenarios"]  # sum_i buffer_i h_i less the original
    additional_defaults: Int64[Array, "*scenarios"]
    rounds: Int64[Array, "*scenarios"]
    change: Float64[Array, "*scenarios"]  # L2 norm of the last move of h
    converged: Bool[Array, "*scenarios"]


def debtrank(
    buffers: ArrayLike,
    shocks: ArrayLike,
    *,
    liabilities: ArrayLike | None = None,
    exposures: ArrayLike | None = None,
    rule: str = "linear",
    weights: ArrayLike | None = None,
    stop: float = 1e-14,
    rounds: int = 300_000,
) -> Propagation:
    """Pass initial distress through a network until it moves by no more than `stop`, scenarios in one batch.

        h(t+1) = h(t) + V x(t),   V_ij = exposures_ij / buffers_i,   linear: x(t) is what is new of min(h, 1)

    The matrix goes by its name, since its two orientations look alike: liabilities [debtors creditors], row
    owes column as in `clear`, or exposures [lenders borrowers], row lends to column as in the literature.

    Args: either of them, and buffers [firms], in one money unit; shocks [firms] or [scenarios firms], the
    initial h, 1 for a default; weights [firms] of the firms in stress, any scale, the buffers if
    None; stop, the L2 norm of the change of h at which a scenario ends, EARLY_STOP to reproduce published
    tables made with it; rounds, the most there may be.

    Raises ValueError for both matrices or none, one that is not square, has a nonzero diagonal or a negative
    entry, buffers that are not positive, negative shocks or weights, shapes that do not fit, and an unknown
    rule.

    Example: b lent 4 to a, and c lent 3 to b; a defaults. b loses 4 of its 8, so c half of 3.
        >>> chain = [[0, 0, 0], [4, 0, 0], [0, 3, 0]]
        >>> after = debtrank([5, 8, 6], [1, 0, 0], exposures=chain)
        >>> after.distress.tolist(), float(after.additional_losses), int(after.additional_defaults)
        ([1.0, 0.5, 0.25], 5.5, 0)
        >>> debtrank([5, 8, 6], [1, 0, 0], liabilities=[[0, 4, 0], [0, 0, 3], [0, 0, 0]]).distress.tolist()
        [1.0, 0.5, 0.25]
        >>> debtrank([5, 8, 6], [1, 0, 0], exposures=chain, rule="threshold").distress.tolist()
        [1.0, 0.5, 0.0]
    """
    arguments.choice("rule", rule, PASSED)
    check_iteration(rounds, stop, "stop")
    along = 1 if len(getattr(shocks, "axes", ())) == 2 else 0
    name, matrix = one_matrix(liabilities, exposures)
    arguments.same_names(
        (name, matrix, 0),
        ("buffers", buffers, 0),
        ("weights", weights, 0),
        ("shocks", shocks, along),
    )
    exposures = network(name, matrix) if name == "exposures" else network(name, matrix).T
    firms = exposures.shape[0]
    buffers = amounts("buffers", buffers, (firms,), lowest=TINY)
    weights = buffers if weights is None else amounts("weights", weights, (firms,))
    if not traced(weights) and firms and not np.asarray(weights).any():
        raise ValueError("weights: got none above 0, expected at least one")
    shocks = to_array("shocks", shocks)
    if shocks.ndim not in (1, 2) or shocks.shape[-1] != firms:
        raise ValueError(f"shocks: got shape {shocks.shape}, expected ({firms},) or (scenarios, {firms})")
    shocks = amounts("shocks", shocks)
    one = functools.partial(pass_on, rule, rounds, exposures / buffers[:, None], buffers, weights, stop)
    return one(shocks) if shocks.ndim == 1 else jax.vmap(one)(shocks)


def one_matrix(liabilities: ArrayLike | None, exposures: ArrayLike | None) -> tuple[str, ArrayLike]:
    """Whichever is given, by name; ValueError for both or none."""
    expected = "one of liabilities [debtors creditors] and exposures [lenders borrowers], its transpose"
    if liabilities is not None and exposures is not None:
        raise ValueError(f"liabilities, exposures: got both, expected {expected}")
    if liabilities is not None:
        return "liabilities", liabilities
    if exposures is None:
        raise ValueError(f"liabilities, exposures: got neither, expected {expected}")
    return "exposures", exposures


@functools.partial(jax.jit, static_argnums=0)
def pass_on(
    rule: str, rounds: int | Int[Array, ""], impact: Float64[Array, "firms firms"], buffers: Firms,
    weights: Firms, stop: float | Float[Array, ""], shock: Firms,
) -> Propagation:  # fmt: skip
    """One scenario: impact V [lenders borrowers]."""
    increment = PASSED[rule]

    def again(carry):
        _, _, count, change = carry
        return (count < rounds) & (change > stop)

    def move(carry):
        distress, passing, count, _ = carry
        moved = impact @ passing
        return distress + moved, increment(distress, moved), count + 1, jnp.linalg.norm(moved)

    begin = (shock, increment(jnp.zeros_like(shock), shock), jnp.int64(0), jnp.float64(jnp.inf))
    distress, _, count, change = jax.lax.while_loop(again, move, begin)
    defaulted = distress > 1.0 - EDGE
    share = weights / jnp.sum(weights)
    original = share @ jnp.minimum(shock, 1.0)
    return Propagation(
        distress=distress,
        defaulted=defaulted,
        original_stress=original,
        additional_stress=share @ jnp.minimum(distress, 1.0) - original,
        original_losses=buffers @ shock,
        additional_losses=buffers @ (distress - shock),
        additional_defaults=jnp.sum(defaulted & (shock < 1.0 - EDGE)),
        rounds=count,
        change=change,
        converged=change <= stop,
    )


# The distress a firm passes on next, after its own has moved: differences of min(h, 1) between rounds would
# pass the last bit of h round for ever.


def linear(distress: Firms, moved: Firms) -> Firms:
    """All new distress, up to default."""
    return jnp.minimum(moved, jnp.maximum(1.0 - distress, 0.0))


def single_hit(distress: Firms, moved: Firms) -> Firms:
    """The initial distress alone: no later rounds."""
    return jnp.where(distress > 0.0, 0.0, jnp.minimum(moved, 1.0))


def threshold(distress: Firms, moved: Firms) -> Firms:
    """One on default."""
    defaults = (distress <= 1.0 - EDGE) & (distress + moved > 1.0 - EDGE)
    return defaults.astype(distress.dtype)


PASSED = {"linear": linear, "single_hit": single_hit, "threshold": threshold}

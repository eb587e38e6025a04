"""The greatest or the least fixed point of a monotone map, by iteration from above or from below.

    x(k+1) = F(x(k)),   |x - F(x)| <= tolerance

Where F is monotone and x(0) lies above all fixed points the sequence falls to the greatest (Tarski 1955), and
from below it rises to the least. Plain iteration is used because it keeps that order for every F, also one
that jumps at default; fictitious default algorithms, finite where F is linear among the defaulted, need a
form for each F and do not find the least fixed point. Its price is a linear rate: a ring that passes
on 99% of what it receives leaves an error of a hundred residuals. So one Newton step follows,

    x <- x - (1 - F'(x))^-1 (x - F(x)),

which is exact where F is linear around x, as it is once the set of defaults is fixed. The step is taken only
if it leaves a smaller residual.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float64, Int, Int64

Vector = Float64[Array, " n"]
Function = Callable[[Vector], Vector]


def iterate(
    function: Function,
    start: Vector,
    rounds: int | Int[Array, ""],
    tolerance: float | Float64[Array, ""],
    watch: Callable[[Any, Vector, Int64[Array, ""]], Any] | None = None,
    record: Any = (),
) -> tuple[Vector, Int64[Array, ""], Float64[Array, ""], Bool[Array, ""], Any]:
    """Iterate until the largest |x - F(x)| is at most `tolerance`, in x's unit, or for so many `rounds`.

    watch(record, x, round), if given, is folded over all x from the start on, beginning with `record`.
    Returns x, the rounds taken, the largest |x - F(x)|, whether that is within the tolerance, and the record.

    Example: x = 1 + 0.99 x.
        >>> x, rounds, residual, converged, _ = iterate(lambda x: 1.0 + 0.99 * x, jnp.zeros(1), 5000, 1e-9)
        >>> round(float(x[0]), 9), bool(converged)
        (100.0, True)
    """
    watch = (lambda record, x, count: record) if watch is None else watch

    def gap(x):
        return jnp.max(jnp.abs(x - function(x)), initial=0.0)

    def again(carry):
        x, following, count, _ = carry
        return (count < rounds) & (jnp.max(jnp.abs(x - following), initial=0.0) > tolerance)

    def move(carry):
        _, following, count, record = carry
        return following, function(following), count + 1, watch(record, following, count + 1)

    begin = (start, function(start), jnp.int64(0), watch(record, start, jnp.int64(0)))
    x, _, count, record = jax.lax.while_loop(again, move, begin)
    residual = gap(x)
    one = jnp.eye(x.shape[0], dtype=x.dtype)
    better = x - jnp.linalg.solve(one - jax.jacfwd(function)(x), x - function(x))
    new_residual = gap(better)
    keep = new_residual < residual  # False where the step is not a number
    residual = jnp.where(keep, new_residual, residual)
    return jnp.where(keep, better, x), count, residual, residual <= tolerance, record


def check_start(start: str) -> None:
    """Raises ValueError unless start is greatest or least."""
    if start not in ("greatest", "least"):
        raise ValueError(f"start: got {start!r}, expected greatest or least")

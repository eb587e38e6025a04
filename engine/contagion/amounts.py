"""Amounts of money as float64 arrays, checked before a solver sees them.

Shapes are always checked. Values are checked unless an argument is being traced by jit or vmap, whose numbers
are not known yet: check a batch once, outside.
"""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float64
from numpy.typing import ArrayLike

from engine import arguments
from engine.numerics import double_precision, traced


@double_precision()
def amounts(
    name: str,
    value: ArrayLike,
    shape: tuple[int, ...] | None = None,
    lowest: float = 0.0,
    highest: float = np.inf,
) -> Float64[Array, "..."]:
    """`value` as a float64 array of `shape`, one number standing for all; of its own shape if None.

    Raises ValueError naming the first entry that is not a number, infinite or outside [lowest, highest], and
    where the shape differs.

        >>> amounts("recovery", 0.4, (2,), highest=1.0).tolist()
        [0.4, 0.4]
    """
    array = to_array(name, value)
    shape = array.shape if shape is None else shape
    if array.shape not in ((), shape):
        raise ValueError(f"{name}: got shape {array.shape}, expected {shape}")
    if not traced(array):
        arguments.within(name, np.asarray(array), lowest, highest)
    return jnp.broadcast_to(array, shape)


def network(name: str, value: ArrayLike) -> Float64[Array, "firms firms"]:
    """`value` as a square float64 matrix of amounts, not negative and zero on the diagonal.

    Raises ValueError where it is not, and where pandas names its rows and columns differently.
    """
    arguments.same_names((name, value, 0), (f"columns of {name}", value, 1))
    array = to_array(name, value)
    if array.ndim != 2 or array.shape[0] != array.shape[1]:
        raise ValueError(f"{name}: got shape {array.shape}, expected a square matrix")
    array = amounts(name, array)
    if not traced(array):
        own = np.diagonal(np.asarray(array))
        if own.any():
            at = int(np.flatnonzero(own)[0])
            raise ValueError(f"{name}[{at}, {at}]: got {own[at]}, expected 0: nobody owes itself")
    return array


def to_array(name: str, value: ArrayLike) -> Float64[Array, "..."]:
    """`value` in float64, on the device; ValueError for what is no number."""
    if traced(value):
        return jnp.asarray(value).astype(jnp.float64)
    return jnp.asarray(arguments.numbers(name, value))


def check_iteration(rounds: Any, tolerance: Any, name: str = "tolerance") -> None:
    """Raises ValueError for rounds that are no whole number of at least 0, and a negative tolerance."""
    if not traced(rounds):
        arguments.count("rounds", rounds, 0)
    if not traced(tolerance):
        arguments.number(name, tolerance, 0.0)


def check_valuation(valuation: Callable[..., Any], *balance: Float64[Array, " firms"]) -> None:
    """Raises ValueError unless a valuation gives a share in [0, 1] for each firm, at a balance sheet.

    What is being traced is not known, and not checked.
    """
    if not callable(valuation):
        arguments.refuse("valuation", valuation, "a function of assets, receipts and liabilities")
    if traced(balance, valuation):
        return
    firms = balance[-1].shape
    try:
        share = jnp.asarray(valuation(*balance))
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"valuation: got {type(error).__name__}, expected shares of {firms[0]} firms"
        ) from error
    if share.shape != firms:
        raise ValueError(f"valuation: got shape {share.shape}, expected {firms}")
    arguments.within("valuation", np.asarray(share, np.float64), 0.0, 1.0)

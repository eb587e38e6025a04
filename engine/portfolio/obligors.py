"""Numbers of obligors, one each or one for all, as checked float64 arrays."""

import numpy as np
from jaxtyping import Float64, Int64
from numpy.typing import ArrayLike

from engine.arguments import MOST, names_along, numbers

MULTIPLE = 1e-6
"""A loss given default this close to a multiple of the unit, as a share of the unit, is one."""

Obligors = Float64[np.ndarray, " obligors"]


def vector(name: str, value: ArrayLike, obligors: int) -> Obligors:
    """One number for each obligor. Raises ValueError for any other shape than (obligors,) or ()."""
    array = numbers(name, value)
    if array.shape not in ((), (obligors,)):
        raise ValueError(f"{name}: got shape {array.shape}, expected ({obligors},) or one number")
    return np.broadcast_to(array, obligors).copy()


def matrix(
    name: str, value: ArrayLike, obligors: int, factors: int | None = None
) -> Float64[np.ndarray, "obligors factors"]:
    """One row of loadings for each obligor, of any length or of `factors`; ValueError for other shapes."""
    array = numbers(name, value)
    if array.ndim < 2:
        array = vector(name, array, obligors)[:, None]
        if factors is not None and factors > 1 and not array.any():
            array = np.zeros((obligors, factors))
    if array.ndim != 2 or len(array) != obligors or factors not in (None, array.shape[1]):
        expected = f"({obligors}, {'factors' if factors is None else factors})"
        raise ValueError(f"{name}: got shape {array.shape}, expected {expected}")
    return array


def probabilities(pd: ArrayLike, **others: ArrayLike) -> Obligors:
    """Default probabilities of one or more obligors; ValueError for another shape or outside [0, 1].

    `others` are arguments by obligor, whose labels, where pandas gives them any, must be those of pd.
    """
    array = np.atleast_1d(numbers("pd", pd))
    if array.ndim != 1 or not len(array):
        raise ValueError(f"pd: got shape {array.shape}, expected one number for each of one or more obligors")
    check_range("pd", array, 0.0, 1.0)
    names_along(0, pd=pd, **others)
    return array


def check_range(name: str, values: Obligors, low: float = -np.inf, high: float = np.inf) -> None:
    """Raises ValueError naming the first obligors that are not finite or outside [low, high]."""
    bad = np.flatnonzero(~((values >= max(low, -MOST)) & (values <= min(high, MOST))))
    if not len(bad):
        return
    shown = ", ".join(f"obligor {i}: {values[i]:g}" for i in bad[:3])
    more = f" and {len(bad) - 3} more" if len(bad) > 3 else ""
    if np.isfinite(high):
        least, most = round(low, 6), round(high, 6)
        limits = f"above {least:g} and" if least < low else f"from {least:g} to"
        limits += f" below {most:g}" if most > high else f" {most:g}"
    else:
        limits = (
            f"of at least {low:g}" if np.isfinite(low) and not values[bad[0]] > low else "that are finite"
        )
    raise ValueError(f"{name}: got {shown}{more}, expected numbers {limits}")


def in_units(exposure: Obligors, lgd: Obligors, unit: float) -> Int64[np.ndarray, " obligors"]:
    """Losses given default in whole units; ValueError for the first that is not a multiple of `unit`."""
    amounts = exposure * lgd / unit
    units = np.rint(amounts)
    for k in np.flatnonzero(np.abs(amounts - units) > MULTIPLE):
        loss = amounts[k] * unit
        raise ValueError(f"unit: got {unit:g}, expected one that divides obligor {k}'s loss, {loss:g}")
    return units.astype(np.int64)

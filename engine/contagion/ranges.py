"""Numbers within limits, checked on the host."""

import numpy as np

TINY = float(np.finfo(np.float64).tiny)
"""The lowest a positive amount can be."""


def check_range(name: str, array: np.ndarray, lowest: float, highest: float) -> None:
    """Raises ValueError naming the first entry that is not finite or outside [lowest, highest].

    >>> check_range("recovery", np.array([0.4, 1.2]), 0.0, 1.0)
    Traceback (most recent call last):
    ValueError: recovery[1]: got 1.2, expected a number from 0 to 1
    """
    bad = np.argwhere(~(np.isfinite(array) & (array >= lowest) & (array <= highest)))
    if len(bad):
        place = f"[{', '.join(map(str, bad[0]))}]" if array.ndim else ""
        limits = f"at least {lowest:g}" if np.isinf(highest) else f"from {lowest:g} to {highest:g}"
        raise ValueError(f"{name}{place}: got {array[tuple(bad[0])]}, expected a number {limits}")

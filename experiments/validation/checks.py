"""One comparison of the engine with an outside number, and its verdict."""

import dataclasses

import numpy as np
from numpy.typing import ArrayLike

REACH = 4.0
"""Standard errors by which an estimate may differ, beyond the accuracy of the published number."""


@dataclasses.dataclass(frozen=True)
class Check:
    """A published value and the engine's; of several pairs, the one that agrees least."""

    source: str
    quantity: str
    published: float
    engine: float
    tolerance: float = 0.0  # accuracy of the published number
    error: float = 0.0  # standard error of the engine's estimate; zero if the value is exact
    values: int = 1  # numbers compared
    skipped: str = ""  # reason, if nothing was compared

    @property
    def z(self) -> float:
        """Difference in standard errors; NaN without an error."""
        return (self.engine - self.published) / self.error if self.error > 0.0 else np.nan

    @property
    def passed(self) -> bool:
        """Whether the difference is within the tolerance plus REACH standard errors."""
        return abs(self.engine - self.published) <= self.tolerance + REACH * self.error

    @property
    def verdict(self) -> str:
        """passed, failed or skipped."""
        return "skipped" if self.skipped else "passed" if self.passed else "failed"


def worst(
    source: str, quantity: str, published: ArrayLike, engine: ArrayLike, tolerance: ArrayLike = 0.0,
    error: ArrayLike = 0.0,
) -> Check:  # fmt: skip
    """The check of the pair that agrees least; the arrays broadcast against each other.

    >>> worst("by hand", "thirds", [0.333, 0.667], [1 / 3, 0.7], tolerance=5e-4).published
    0.667
    """
    theirs, ours, accuracy, errors = (
        np.asarray(x, np.float64).ravel() for x in np.broadcast_arrays(published, engine, tolerance, error)
    )
    tolerances = np.maximum(accuracy + REACH * errors, np.finfo(np.float64).tiny)
    at = int(np.argmax(np.abs(ours - theirs) / tolerances))
    return Check(
        source,
        quantity,
        float(theirs[at]),
        float(ours[at]),
        float(accuracy[at]),
        float(errors[at]),
        len(ours),
    )


def exact(source: str, quantity: str, published: ArrayLike, engine: ArrayLike) -> Check:
    """Numbers that must be equal, such as flags and counts."""
    return worst(source, quantity, published, engine)


def absent(source: str, quantity: str, reason: str) -> Check:
    """A comparison that is skipped, with the reason."""
    return Check(source, quantity, np.nan, np.nan, skipped=reason)

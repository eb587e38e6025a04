"""A loss distribution on a grid of equal units, and the measures read off it exactly."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float64

from engine import arguments

SLACK = 1e-12
"""Rounding of sums of probabilities: a level that is met to this is met."""
WHOLE = 1e-6
"""By how much probabilities may miss one: those of a grid that ends early, or printed ones."""


@dataclass(frozen=True)
class LossDistribution:
    """P(L = k unit) for k = 0, 1, ...; losses in the unit's money.

    Args: pmf [units]; unit; accuracy, how far its distribution function may be from the exact one, where an
    integral was approximated: that of a rule with twice the step is this far from it. None where rounding is
    all there is. Raises ValueError for a unit that is not positive, and for probabilities that are none or do
    not sum to one within 1e-6.

    Example: two coins worth 1 and 2.
        >>> coins = LossDistribution(np.full(4, 0.25), 1.0)
        >>> coins.mean, coins.value_at_risk(0.75), coins.expected_shortfall(0.5)
        (1.5, 2.0, 2.5)
    """

    pmf: Float64[np.ndarray, "units"]
    unit: float
    accuracy: float | None = None

    def __post_init__(self) -> None:
        arguments.positive("unit", self.unit)
        # A recursion may leave a probability of zero at minus its rounding.
        pmf = arguments.vector("pmf", self.pmf, -SLACK, 1.0 + SLACK)
        if abs(pmf.sum() - 1.0) > WHOLE:
            raise ValueError(f"pmf: got a sum of {pmf.sum():.9g}, expected 1")
        object.__setattr__(self, "pmf", pmf)

    @cached_property
    def losses(self) -> Float64[np.ndarray, "units"]:
        """The losses of the grid."""
        return self.unit * np.arange(len(self.pmf), dtype=np.float64)

    @cached_property
    def survival(self) -> Float64[np.ndarray, "units"]:
        """P(L > k unit), summed from the far end, so that the tail keeps its digits."""
        return np.cumsum(self.pmf[::-1])[::-1] - self.pmf

    @property
    def mean(self) -> float:
        """Expected loss."""
        return float(self.losses @ self.pmf)

    @property
    def deviation(self) -> float:
        """Standard deviation."""
        return float(np.sqrt(((self.losses - self.mean) ** 2) @ self.pmf))

    def beyond(self, loss: float) -> float:
        """P(L > loss)."""
        at = int(np.floor(arguments.number("loss", loss) / self.unit + SLACK))
        return float(self.survival[min(at, len(self.pmf) - 1)]) if at >= 0 else 1.0

    def points(self) -> tuple[Float64[np.ndarray, "points"], Float64[np.ndarray, "points"]]:
        """Losses of the grid that are possible, and their probabilities."""
        filled = self.pmf > 0.0
        return self.losses[filled], self.pmf[filled] / self.pmf[filled].sum()

    def value_at_risk(self, level: float) -> float:
        """VaR = inf{x : P(L > x) <= 1 - level}. Raises ValueError for a level outside (0, 1)."""
        return float(self.losses[self.index(level)])

    def expected_shortfall(self, level: float) -> float:
        """ES, the atom at VaR shared: [E[L; L > VaR] + VaR (1 - level - P(L > VaR))] / (1 - level).

        Acerbi and Tasche (2002), "On the coherence of expected shortfall", definition 2.6.
        """
        at = self.index(level)
        beyond = float(self.losses[at + 1 :] @ self.pmf[at + 1 :])
        return float(beyond + self.losses[at] * (1.0 - level - self.survival[at])) / (1.0 - level)

    def index(self, level: float) -> int:
        """The unit at which VaR lies."""
        beyond = 1.0 - arguments.level("level", level)
        return int(np.argmax(self.survival <= beyond * (1.0 + SLACK)))

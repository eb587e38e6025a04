"""VaR, ES and Euler contributions of a vector of losses, with errors: exact, in float64, in any unit.

Order the losses x_1 >= x_2 >= ... with weights w; with a total mass T (the number of losses if the weights
are likelihood ratios, their sum otherwise) and m = (1 - a) T,

    VaR_a = first x with w_1 + ... + w_k > m,    ES_a = [sum over the upper m of w x] / m

where of the last loss only the part of its weight that fills m counts (Acerbi and Tasche 2002). Runs tally
millions of paths in bins instead (`measures`); this is for samples at hand, and the oracle of the bins.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64
from numpy.typing import ArrayLike
from scipy.special import bdtrik, ndtri

from engine import arguments
from engine.tail.estimate import Estimate, probability

Vector = Float64[np.ndarray, "paths"]


@dataclass(frozen=True)
class SampleTail:
    """The tail of a sample, in the unit of the losses."""

    level: float
    value_at_risk: float
    var_lower: float  # 95% interval between order statistics
    var_upper: float  # inf where the sample gives no bound
    expected_shortfall: float
    es_error: float  # standard error
    effective_paths: float  # (sum w)^2 / sum w^2 beyond the level
    shares: Vector  # part of each loss's weight that lies in the tail, over m; they sum to one
    losses: Vector = field(repr=False)
    weights: Vector = field(repr=False)
    likelihood_ratios: bool = False
    labels: Any = field(default=None, repr=False)  # the losses as they were given, for the labels of parts

    @property
    def total(self) -> float:
        """The mass that probabilities are divided by."""
        return float(len(self.weights)) if self.likelihood_ratios else float(self.weights.sum())

    def beyond(self, loss: float) -> Estimate:
        """P(L > loss) with its standard error. Raises ValueError for a loss that is not a number."""
        w, own = self.weights, self.losses > arguments.number("loss", loss)
        squares = float(np.sum(w[own] ** 2)), float(np.sum(w**2))
        return probability(float(w[own].sum()), squares[0], self.total, squares[1], self.likelihood_ratios)

    def contributions(self, parts: ArrayLike) -> Float64[np.ndarray, "parts"]:
        """Euler contributions of parts [paths, parts] that add up to the losses: sum C_j = ES (Tasche 1999).

        Raises ValueError where there is not one row for each loss, or pandas labels of rows differ.
        """
        return self.shares @ self._parts(parts)

    def contribution_errors(self, parts: ArrayLike) -> Float64[np.ndarray, "parts"]:
        """Standard errors of `contributions`, from their influence function.

            w [(L_j - E[L_j | L = VaR]) 1{L beyond VaR} - its mean] / (1 - level)

        A group of parts is a part: its column is their sum. Args and errors as for `contributions`; the
        condition is estimated as in `var_contributions`.
        """
        values = self._parts(parts)
        mass = (1.0 - self.level) * self.total
        excess = (self.shares * mass)[:, None] * (values - self.var_contributions(parts)[0])
        mean = excess.sum(axis=0) / self.total
        centre = mean if self.likelihood_ratios else self.weights[:, None] * mean
        return np.sqrt(np.sum((excess - centre) ** 2, axis=0)) / mass

    def var_contributions(
        self, parts: ArrayLike
    ) -> tuple[Float64[np.ndarray, "parts"], Float64[np.ndarray, "parts"]]:
        """Euler contributions of parts to VaR, which add up to it, and their standard errors.

            C_j = E[L_j | L = VaR]     (Tasche 1999, equation 5.3)

        The condition is met by few losses, so the mean is taken over those from 0.8 to 1.25 times as far into
        the tail, and scaled to VaR: it is biased where a part does not grow in proportion to the loss there.
        Errors are those of that mean. Args and errors as for `contributions`.
        """
        values = self._parts(parts)
        order = np.argsort(-self.losses, kind="stable")
        above = np.cumsum(self.weights[order]) - 0.5 * self.weights[order]
        mass = (1.0 - self.level) * self.total
        band = (above >= 0.8 * mass) & (above <= min(1.25 * mass, 0.5 * (mass + self.total)))
        band[np.argmin(np.abs(above - mass))] = True
        near = order[band]
        w = self.weights[near] / self.weights[near].sum()
        middle = float(w @ self.losses[near])
        scale = self.value_at_risk / middle if middle else 1.0
        mean = w @ values[near]
        return scale * mean, abs(scale) * np.sqrt((w**2) @ (values[near] - mean) ** 2)

    def _parts(self, parts: ArrayLike) -> Float64[np.ndarray, "paths parts"]:
        values = arguments.numbers("parts", parts)
        if values.ndim != 2 or len(values) != len(self.shares):
            raise ValueError(f"parts: got shape {values.shape}, expected ({len(self.shares)}, parts)")
        arguments.within("parts", values)
        if self.labels is not None:
            arguments.same_names(("losses", self.labels, 0), ("parts", parts, 0))
        return values


def median_interval(values: ArrayLike) -> tuple[Float64[np.ndarray, "..."], Float64[np.ndarray, "..."]]:
    """95% interval of the median over the first axis [paths ...]: between order statistics, free of any law.

    The number of n values below the median is Binomial(n, 1/2); with fewer than six values the bounds are
    the extremes, which hold it with less than 95%.

    Example:
        >>> low, high = median_interval(np.arange(1.0, 65.0))
        >>> float(low), float(high)
        (24.0, 41.0)
    """
    numbers = arguments.within("values", arguments.numbers("values", values))
    if not numbers.ndim or not len(numbers):
        raise ValueError(f"values: got shape {numbers.shape}, expected one value or more on the first axis")
    ordered = np.sort(numbers, axis=0)
    n = len(ordered)
    below = int(max(np.floor(bdtrik(0.025, n, 0.5)), 0.0))
    return ordered[below, ...], ordered[n - 1 - below, ...]


def sample_tail(
    losses: ArrayLike, level: float, weights: ArrayLike | None = None, *, likelihood_ratios: bool = False
) -> SampleTail:
    """VaR and ES of losses with weights on any scale, or with likelihood ratios that average one.

    Args: losses [paths], in any unit; level in (0, 1); weights [paths]; likelihood_ratios, whether the
    weights are. Errors are the binomial interval of order statistics and the influence function of ES (Hong,
    Hu and Liu 2014), for independent paths.

    Raises ValueError where the two vectors differ in length, a number is not finite, a weight is negative or
    none is positive, for a level outside (0, 1), and for one so high that less than one effective path lies
    beyond it.

    Example:
        >>> tail = sample_tail(np.arange(1.0, 101.0), 0.95)
        >>> tail.value_at_risk, tail.expected_shortfall
        (95.0, 98.0)
        >>> parts = np.stack([np.arange(1.0, 101.0) - 1.0, np.ones(100)], axis=1)
        >>> tail.contributions(parts).round(9).tolist()
        [97.0, 1.0]
    """
    level = arguments.level("level", level)
    x, w = checked(losses, weights, likelihood_ratios=arguments.flag("likelihood_ratios", likelihood_ratios))
    total = float(len(x)) if likelihood_ratios else float(w.sum())
    mass = (1.0 - level) * total
    order = np.argsort(-x, kind="stable")
    filled = np.clip(mass - (np.cumsum(w[order]) - w[order]), 0.0, w[order])
    shares = np.empty_like(x)
    shares[order] = filled / mass
    var = quantile(x[order], w[order], mass)
    beyond = float(np.sum(filled))
    effective = beyond**2 / float(filled @ w[order]) if beyond > 0.0 else 0.0
    if effective < 1.0 - 1e-9:
        raise ValueError(f"level: got {level}, expected one that at least one of {len(x)} losses lies beyond")
    es = float(shares @ x)
    n = equivalent(w, x >= var, 1.0 - level, total, likelihood_ratios)
    few, many = bdtrik([0.025, 0.975], n, 1.0 - level)
    return SampleTail(
        level=level,
        value_at_risk=var,
        var_lower=quantile(x[order], w[order], many / n * total),
        var_upper=quantile(x[order], w[order], few / n * total) if level**n <= 0.025 else np.inf,
        expected_shortfall=es,
        es_error=shortfall_error(x, w, var, level, total, likelihood_ratios),
        effective_paths=effective,
        shares=shares,
        losses=x,
        weights=w,
        likelihood_ratios=likelihood_ratios,
        labels=losses if hasattr(losses, "axes") else None,
    )


def es_interval(tail: SampleTail, confidence: float = 0.95) -> tuple[float, float]:
    """The normal interval of ES."""
    reach = float(ndtri(0.5 + 0.5 * confidence)) * tail.es_error
    return tail.expected_shortfall - reach, tail.expected_shortfall + reach


def checked(
    losses: ArrayLike, weights: ArrayLike | None, *, likelihood_ratios: bool = False
) -> tuple[Vector, Vector]:
    """Both as float64; the ValueErrors that `sample_tail` promises for them.

    Weights that are no likelihood ratios are divided by the largest: their squares would overflow or vanish.
    """
    x = arguments.numbers("losses", losses)
    w = np.ones_like(x) if weights is None else arguments.numbers("weights", weights)
    arguments.names_along(0, losses=losses, weights=weights)
    if x.ndim != 1 or w.shape != x.shape or not len(x):
        raise ValueError(
            f"losses, weights: got shapes {x.shape} and {w.shape}, expected vectors of one length"
        )
    most = arguments.MOST if likelihood_ratios else np.finfo(np.float64).max
    right_losses, right_weights = np.abs(x) <= arguments.MOST, (w >= 0.0) & (w <= most)
    for name, values, right in (("losses", x, right_losses), ("weights", w, right_weights)):
        if not right.all():
            at = int(np.argmin(right))
            expected = (
                "a finite number" if name == "losses" else "a finite weight of at least 0 for the losses"
            )
            raise ValueError(f"{name}[{at}]: got {values[at]}, expected {expected}")
    if not w.any():
        raise ValueError("weights: got none above zero, expected at least one, for the losses")
    return x, w if likelihood_ratios else w / w.max()


def quantile(x: Vector, w: Vector, mass: float) -> float:
    """The first of the decreasing losses above which there is more than `mass`, itself included."""
    above = np.cumsum(w)
    return float(x[min(int(np.searchsorted(above, mass * (1.0 + 1e-12), side="right")), len(x) - 1)])


def equivalent(
    w: Vector, inside: Bool[np.ndarray, "paths"], p: float, total: float, likelihood_ratios: bool
) -> float:
    """The number of plain paths that would know the tail's probability p as well; see `intervals`."""
    beyond = float(np.sum(w[inside] ** 2))
    if likelihood_ratios:
        variance = (beyond / total - p**2) / total
    else:
        variance = ((1.0 - p) ** 2 * beyond + p**2 * float(np.sum(w[~inside] ** 2))) / total**2
    return p * (1.0 - p) / variance if variance > 0.0 else total


def shortfall_error(x: Vector, w: Vector, var: float, level: float, total: float, ratios: bool) -> float:
    """Standard error of ES from the influence function w (L - VaR)+ / (1 - a)."""
    excess = np.maximum(x - var, 0.0)
    mean = float(w @ excess) / total
    centred = w * excess - mean if ratios else w * (excess - mean)
    return float(np.sqrt(np.sum(centred**2))) / total / (1.0 - level)

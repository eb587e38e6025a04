"""CreditRisk+: Poisson defaults whose rates are driven by independent gamma sectors, exactly.

Obligor k loses c_k units with rate p_k (w_k0 + sum_s w_ks S_s), the S_s gamma with mean 1, variance v_s. With

    Q_s(z) = sum_k w_ks p_k z^c_k,   A_s(z) = 1 + v_s (Q_s(1) - Q_s(z))
    G(z) = sum_x P(L = x) z^x = exp(Q_0(z) - Q_0(1) - sum_s ln A_s(z) / v_s)

Credit Suisse Financial Products (1997), CreditRisk+; the nested recursion of power series for ln and exp, all
of whose terms are positive, is Haaf, Reiss and Schoenmakers (2004), "Numerically stable computation of
CreditRisk+", Journal of Risk 6(4). Contributions are Haaf and Tasche (2002), arXiv cond-mat/0112045.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float64, Int
from numpy.typing import ArrayLike

from engine import arguments
from engine.portfolio.distribution import LossDistribution
from engine.portfolio.obligors import MULTIPLE, check_range, in_units, probabilities, vector

MISSING = 1e-12
"""Probability that may lie beyond the end of the grid."""
LONGEST = 2**16
"""Units of the longest grid: the recursions take time with its square, some seconds for this one."""
MOST_VARIANCE = 1e6
FAR = 1e200
"""Where coefficients are scaled down, lest they overflow."""

Series = Float64[np.ndarray, "units"]


@dataclass(frozen=True)
class CreditRiskPlus:
    """A CreditRisk+ portfolio in units of loss. Build with `creditrisk_plus`.

    `mean`, `deviation` and `distribution` are exact to 1e-12 of probability; contributions are Euler's.
    """

    pd: Float64[np.ndarray, "obligors"]
    units: Int[np.ndarray, "obligors"]  # loss given default
    weights: Float64[np.ndarray, "obligors columns"]  # idiosyncratic rest, then the sectors
    variances: Float64[np.ndarray, "sectors"]
    unit: float

    @property
    def mean(self) -> float:
        """Expected loss."""
        return self.unit * float(self.pd @ self.units)

    @property
    def deviation(self) -> float:
        """sqrt(sum_k p_k c_k^2 + sum_s v_s (sum_k w_ks p_k c_k)^2), the standard deviation of the loss."""
        return float(np.sum(self.deviation_contributions()))

    def deviation_contributions(self) -> Float64[np.ndarray, "obligors"]:
        """Contributions to the standard deviation, p_k c_k [c_k + sum_s v_s w_ks mu_s] / sigma."""
        expected = self.pd * self.units
        by_sector = self.weights[:, 1:].T @ expected
        parts = expected * (self.units + self.weights[:, 1:] @ (self.variances * by_sector))
        return self.unit * parts / np.sqrt(parts.sum() or 1.0)

    @cached_property
    def distribution(self) -> LossDistribution:
        """P(L = k unit), up to a loss beyond which lies less than 1e-12.

        Raises ValueError where that takes more than 65,536 units.
        """
        length, likely = 256, (self.mean + 2.0 * self.deviation) / self.unit
        while length <= LONGEST and likely < LONGEST:
            if length > likely:
                pmf = self.series(length)
                if 1.0 - pmf.sum() < MISSING:
                    return LossDistribution(pmf, self.unit)
            length *= 2
        raise ValueError(
            f"unit: got {self.unit:g}, expected a larger one: losses reach beyond {LONGEST:,} units, with "
            f"a mean of {self.mean / self.unit:,.0f} and a deviation of {self.deviation / self.unit:,.0f}"
        )

    def series(self, length: int, extra: int | None = None) -> Series:
        """Coefficients of G(z), or of G(z) / A_s(z) for the sector `extra`."""
        exponent = self.rates(0, length)
        exponent[0] -= self.rates(0, int(self.units.max()) + 1).sum()
        for s, variance in enumerate(self.variances, start=1):
            power = 1.0 / variance + (1.0 if s == extra else 0.0)
            logarithms = logarithm(self.denominator(s, variance, length))
            # 1 + variance q rounds away what a small variance leaves of q.
            logarithms[0] = np.log1p(variance * self.rates(s, int(self.units.max()) + 1)[1:].sum())
            exponent -= power * logarithms
        return exponential(exponent)

    def denominator(self, sector: int, variance: float, length: int) -> Series:
        """Coefficients of A_s(z)."""
        rates = self.rates(sector, int(self.units.max()) + 1)
        series = np.zeros(max(length, len(rates)))
        series[: len(rates)] = -variance * rates
        series[0] += 1.0 + variance * rates.sum()
        return series[:length]

    def rates(self, sector: int, length: int) -> Series:
        """Coefficients of Q_s(z)."""
        return np.bincount(self.units, self.weights[:, sector] * self.pd, minlength=length)[:length]

    def expected_from(self, loss: float) -> Float64[np.ndarray, "obligors"]:
        """E[L_k | L >= loss] for every obligor; they add up to E[L | L >= loss].

        Raises ValueError for a loss beyond the end of the grid.
        """
        at = max(int(np.ceil(arguments.number("loss", loss) / self.unit - MULTIPLE)), 0)
        beyond = float(self.distribution.pmf[at:].sum())
        if not beyond > 0.0:
            raise ValueError(f"loss: got {loss:g}, expected one that is reached with probability above 0")
        return self.expected_beyond(at) / beyond

    def shortfall_contributions(self, level: float) -> Float64[np.ndarray, "obligors"]:
        """Euler contributions to ES, the atom at VaR shared as in `LossDistribution.expected_shortfall`."""
        law = self.distribution
        at = law.index(level)
        share = (1.0 - level - law.survival[at]) / law.pmf[at]
        beyond, from_atom_on = self.expected_beyond(at + 1), self.expected_beyond(at)
        return (beyond + share * (from_atom_on - beyond)) / (1.0 - level)

    def expected_beyond(self, at: int) -> Float64[np.ndarray, "obligors"]:
        """E[L_k; L >= at units] = c_k p_k sum_s w_ks P_s(L >= at - c_k), P_s with the series G / A_s."""
        length = len(self.distribution.pmf)
        places = np.clip(at - self.units, 0, length - 1)
        total = np.zeros(len(self.pd))
        for sector in range(self.weights.shape[1]):
            series = self.distribution.pmf if sector == 0 else self.series(length, sector)
            from_here = np.cumsum(series[::-1])[::-1]
            total += self.weights[:, sector] * from_here[places]
        return self.unit * self.units * self.pd * total


def creditrisk_plus(
    pd: ArrayLike, exposure: ArrayLike, lgd: ArrayLike = 1.0, *, weights: ArrayLike, variances: ArrayLike,
    unit: float = 1.0,
) -> CreditRiskPlus:  # fmt: skip
    """A CreditRisk+ portfolio.

    Args: pd [obligors], rates of a year; exposure and lgd [obligors] or one number; weights [obligors
    sectors], what they leave of 1 being idiosyncratic; variances [sectors] of the gamma factors; unit, of
    which every exposure x lgd is a multiple. Raises ValueError where one is not, for negative or too great
    weights, variances that are not positive, and pd or lgd outside [0, 1].

    Example: one sector and equal exposures are a negative binomial.
        >>> from scipy import stats
        >>> pool = creditrisk_plus(np.full(50, 0.04), 1.0, weights=np.ones((50, 1)), variances=[0.5])
        >>> exact = stats.nbinom(2.0, 1.0 / (1.0 + 0.5 * 2.0)).pmf(np.arange(20))
        >>> bool(np.allclose(pool.distribution.pmf[:20], exact, atol=1e-14))
        True
    """
    pd, unit = (
        probabilities(pd, exposure=exposure, lgd=lgd, weights=weights),
        arguments.positive("unit", unit),
    )
    n = len(pd)
    exposure, lgd = vector("exposure", exposure, n), vector("lgd", lgd, n)
    check_range("lgd", lgd, 0.0, 1.0)
    check_range("exposure", exposure, 0.0)
    arguments.same_names(("columns of weights", weights, 1), ("variances", variances, 0))
    shares = arguments.numbers("weights", weights)
    variances = np.atleast_1d(arguments.numbers("variances", variances))
    if shares.shape != (n, len(variances)):
        raise ValueError(f"weights: got shape {shares.shape}, expected ({n}, {len(variances)})")
    if not ((variances > 0.0) & (variances <= MOST_VARIANCE)).all():
        raise ValueError(f"variances: got {variances.tolist()}, expected positive numbers")
    check_range("smallest of weights", shares.min(axis=1, initial=0.0), 0.0)
    check_range("sum of weights", shares.sum(axis=1), 0.0, 1.0 + 1e-12)
    rest = np.maximum(1.0 - shares.sum(axis=1, keepdims=True), 0.0)
    units = in_units(exposure, lgd, unit)
    if units.max() >= LONGEST:
        raise ValueError(
            f"unit: got {unit:g}, expected a larger one: one loss alone is {units.max():,} of them"
        )
    return CreditRiskPlus(pd, units, np.hstack([rest, shares]), variances, unit)


def matched_variance(expected: ArrayLike, variances: ArrayLike, correlation: float) -> float:
    """Variance of the one gamma sector that has the same relative variance as several correlated ones.

        v = (sum_s v_s EL_s^2 + sum_{s != t} rho sqrt(v_s v_t) EL_s EL_t) / EL^2

    Buergisser, Kurth, Wagner and Wolf (1999), "Integrating correlations", Risk 12(7).

    >>> matched_variance([40.0, 40.0], [0.5625, 0.5625], 0.5)
    0.421875
    """
    expected = arguments.vector("expected", expected, 0.0)
    deviations = np.sqrt(arguments.vector("variances", variances, 0.0))
    correlation = arguments.number("correlation", correlation, -1.0, 1.0)
    arguments.fits("variances", deviations, expected.shape)
    if not expected.any():
        arguments.refuse("expected", expected.tolist(), "a loss above 0")
    scaled = expected * deviations
    together = correlation * scaled.sum() ** 2 + (1.0 - correlation) * float(scaled @ scaled)
    return float(together / expected.sum() ** 2)


def logarithm(series: Series) -> Series:
    """Coefficients of ln of a power series, a_0 > 0: n b_n a_0 = n a_n - sum_k k b_k a_(n-k)."""
    a, b = series, np.zeros_like(series)
    b[0] = np.log(a[0])
    reach = int(np.flatnonzero(a)[-1])
    k = np.arange(len(a))
    for n in range(1, len(a)):
        low = max(1, n - reach)
        inner = (k[low:n] * b[low:n]) @ a[n - low : 0 : -1] if low < n else 0.0
        b[n] = (a[n] - inner / n) / a[0]
    return b


def exponential(series: Series) -> Series:
    """Coefficients of exp of a power series: n g_n = sum k h_k g_(n-k).

    The recursion is linear in g, so that it begins with one and the scale is kept apart as a logarithm:
    exp(-800), where 800 defaults are expected, is zero in float64. Coefficients scaled down to zero are so.
    """
    g, rising = np.zeros_like(series), np.arange(len(series)) * series
    g[0], scale = 1.0, float(series[0])
    for n in range(1, len(series)):
        g[n] = rising[1 : n + 1] @ g[n - 1 :: -1][:n] / n
        if g[n] > FAR:
            g[: n + 1] /= FAR
            scale += np.log(FAR)
    with np.errstate(divide="ignore"):
        return np.exp(np.log(g) + scale)

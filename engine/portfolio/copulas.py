"""How obligors come to default together: one latent variable each, independent given a few common normals.

    obligor k defaults if X_k > x_k,   P(X_k > x_k) = PD_k,   high is bad

    Gaussian   X_k = a_k . Z + b_k e_k
    Student    X_k = sqrt(dof / W) (a_k . Z + b_k e_k),   one chi-square W for all
    double t   X_k = a_k M + b_k E_k,   M and E_k Student's t of unit variance

with b_k = sqrt(1 - |a_k|^2). Li (2000) for the first; Demarta and McNeil (2005) for the second; Hull and
White (2004), "Valuation of a CDO and an n-th to default CDS without Monte Carlo simulation", Journal of
Derivatives 12(2), equation (1) for the third. A copula says what the default probability is given normals
[nodes normals]; M and W are functions of one normal each, so that one rule integrates all.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float64
from scipy import stats
from scipy.optimize import elementwise
from scipy.special import chdtri, gammaincinv, logit, ndtr, ndtri, stdtr, stdtrit

from engine import arguments

Normals = Float64[np.ndarray, "nodes normals"]
Loadings = Float64[np.ndarray, "obligors factors"]
Obligors = Float64[np.ndarray, " obligors"]
Given = Float64[np.ndarray, "nodes obligors"]
Cubics = tuple[Float64[np.ndarray, " cubics"], ...]

FINE = np.linspace(-9.5, 9.5, 501)
"""Normals with which thresholds of the double t are found."""
STEP = 1.0 / 512
CUBICS = 20 * 512
"""Steps of arcsinh t: up to t of 2e8."""
TOGETHER = 2**14
"""Values of which a core works on at once: their steps stay in its cache."""
LEAST_DOF = 2.05
"""Below it a t of unit variance has nearly all its weight at zero."""


@runtime_checkable
class Copula(Protocol):
    """What integration over the common factors asks of a copula."""

    @property
    def mixing(self) -> int:
        """Normals beyond those of the factors."""
        ...

    def most_factors(self) -> int | None:
        """Factors it is defined for, at most."""
        ...

    def thresholds(self, pd: Obligors, loading: Loadings) -> Obligors:
        """x_k of the module's equation."""
        ...

    def given(self, normals: Normals, threshold: Obligors, loading: Loadings) -> Given:
        """Default probabilities given the normals, those of the factors first."""
        ...


@dataclass(frozen=True)
class GaussianCopula:
    """Normal factors and normal own shocks: P(default | z) = Phi((a . z - x) / b).

    Example:
        >>> GaussianCopula().thresholds(np.asarray([0.05]), np.zeros((1, 1))).round(4).tolist()
        [1.6449]
    """

    @property
    def mixing(self) -> int:
        """No normal beyond the factors."""
        return 0

    def most_factors(self) -> None:
        """Any number of factors."""

    def thresholds(self, pd: Obligors, loading: Loadings) -> Obligors:
        """Phi^-1(1 - PD)."""
        return -ndtri(pd)

    def given(self, normals: Normals, threshold: Obligors, loading: Loadings) -> Given:
        """Phi((a . z - x) / b)."""
        return ndtr((normals @ loading.T - threshold) / own_share(loading))


@dataclass(frozen=True)
class StudentCopula:
    """Student's t copula: one chi-square scales all, so that extremes come together even without factors.

        P(default | z, w) = Phi((a . z - x sqrt(w / dof)) / b),   x = t_dof^-1(1 - PD)

    Args: dof, degrees of freedom, positive. Raises ValueError otherwise.

    Example:
        >>> StudentCopula(4).thresholds(np.asarray([0.05]), np.zeros((1, 1))).round(4).tolist()
        [2.1318]
    """

    dof: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "dof", arguments.positive("dof", self.dof))

    @property
    def mixing(self) -> int:
        """One normal, behind W."""
        return 1

    def most_factors(self) -> None:
        """Any number of factors."""

    def thresholds(self, pd: Obligors, loading: Loadings) -> Obligors:
        """t_dof^-1(1 - PD)."""
        return -stdtrit(self.dof, pd)

    def given(self, normals: Normals, threshold: Obligors, loading: Loadings) -> Given:
        """Phi((a . z - x sqrt(w / dof)) / b), w the chi-square quantile at Phi(-v)."""
        v = normals[:, -1]
        low, high = 2.0 * gammaincinv(0.5 * self.dof, ndtr(-v)), chdtri(self.dof, ndtr(v))
        scale = np.sqrt(np.where(v > 0.0, low, high) / self.dof)
        with np.errstate(invalid="ignore"):
            scaled = np.where(np.isinf(threshold), threshold, scale[:, None] * threshold)
        return ndtr((normals[:, :-1] @ loading.T - scaled) / own_share(loading))


@dataclass(frozen=True)
class DoubleT:
    """Hull and White's double t: factor and own shocks Student's t, each scaled to unit variance.

        P(default | m) = T_own((a m - x) / b),   x from P(X > x) = PD by quadrature

    Args: factor_dof and own_dof, degrees of freedom of M and E, at least 2.05, or None for a normal. One
    factor. Raises ValueError otherwise.

    Example: without tails it is the Gaussian copula.
        >>> DoubleT(None, None).thresholds(np.asarray([0.05]), np.asarray([[0.5]])).round(6).tolist()
        [1.644854]
    """

    factor_dof: float | None
    own_dof: float | None

    def __post_init__(self) -> None:
        for name in ("factor_dof", "own_dof"):
            dof = getattr(self, name)
            if dof is not None:
                object.__setattr__(self, name, arguments.number(name, dof, LEAST_DOF))

    @property
    def mixing(self) -> int:
        """No normal beyond the factor's."""
        return 0

    def most_factors(self) -> int:
        """One: sums of t's are no t's."""
        return 1

    def thresholds(self, pd: Obligors, loading: Loadings) -> Obligors:
        """x of P(X > x) = PD for each obligor, alike ones once."""
        a, b = np.abs(loading[:, 0]), own_share(loading)
        pairs, place = np.unique(np.stack([pd, a, b]), axis=1, return_inverse=True)
        x = np.where(pairs[0] > 0.0, -np.inf, np.inf)
        inside = (pairs[0] > 0.0) & (pairs[0] < 1.0)
        x[inside] = self._threshold(*pairs[:, inside])
        return x[place.ravel()]

    def given(self, normals: Normals, threshold: Obligors, loading: Loadings) -> Given:
        """T_own((a m - x) / b), m the quantile of M at Phi(z)."""
        m = unit_quantile(normals, self.factor_dof)
        return unit_cdf((m @ loading.T - threshold) / own_share(loading), self.own_dof)

    def _threshold(self, pd: Obligors, a: Obligors, b: Obligors) -> Obligors:
        weights = np.exp(-0.5 * FINE**2)
        weights /= weights.sum()
        m = unit_quantile(FINE, self.factor_dof)

        def excess(x, pd, a, b):
            p = unit_cdf((a[..., None] * m - x[..., None]) / b[..., None], self.own_dof) @ weights
            return logit(np.clip(p, 1e-300, 1.0 - 1e-16)) - logit(pd)

        def most(tail):
            """Where a sum of two has less than this tail: neither exceeds half of it."""
            each = -ndtri(0.5 * tail)
            return 2.0 * np.maximum(
                a * unit_quantile(each, self.factor_dof), b * unit_quantile(each, self.own_dof)
            )

        ends, met = (-most(1.0 - pd), most(pd)), {"fatol": 1e-12}
        return elementwise.find_root(excess, ends, args=(pd, a, b), tolerances=met).x


def own_share(loading: Loadings) -> Obligors:
    """b_k = sqrt(1 - |a_k|^2)."""
    return np.sqrt(1.0 - np.sum(loading**2, axis=1))


def unit_cdf(x: Float64[np.ndarray, "*shape"], dof: float | None) -> Float64[np.ndarray, "*shape"]:
    """Distribution function of Student's t scaled to unit variance; of the normal without dof.

    ln P(T > t) is read off cubics in arcsinh t, a fifth of the time of the incomplete beta function; relative
    to it the probability differs by less than 1e-11 (`tests/portfolio/test_copulas.py`).
    """
    if dof is None:
        return ndtr(x)
    values, p = np.ravel(x), np.empty(np.size(x))
    scale, cubics = np.sqrt(dof / (dof - 2.0)), log_tail(dof)

    def part(begin: int) -> None:
        own = slice(begin, begin + TOGETHER)
        p[own] = t_cdf(values[own] * scale, cubics)

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        list(threads.map(part, range(0, values.size, TOGETHER)))
    return p.reshape(np.shape(x))


def t_cdf(t: Float64[np.ndarray, " values"], cubics: Cubics) -> Float64[np.ndarray, " values"]:
    """P(T <= t) from the cubics of `log_tail`, in place: memory takes half the time otherwise."""
    place = np.abs(t)
    np.arcsinh(place, out=place)
    place /= STEP
    cell = np.minimum(place, CUBICS - 1).astype(np.int64)
    place -= cell
    value, first, second, third = cubics
    tail = third[cell]
    for coefficient in (second, first, value):
        tail *= place
        tail += coefficient[cell]
    np.exp(tail, out=tail)
    return np.where(t < 0.0, tail, 1.0 - tail)


@lru_cache(maxsize=8)
def log_tail(dof: float) -> Cubics:
    """Coefficients of the cubics in arcsinh t, by Hermite's rule from values and slopes at their ends.

    From where the t is a power of t, ln P is linear in arcsinh t, as is the last cubic.
    """
    y = STEP * np.arange(CUBICS + 1)
    tail = np.maximum(stdtr(dof, -np.sinh(y)), 1e-300)  # of nearly a normal, less than there are numbers for
    value, slope = np.log(tail), -STEP * np.cosh(y) * stats.t(dof).pdf(np.sinh(y)) / tail
    rise = np.diff(value)
    second = 3.0 * rise - 2.0 * slope[:-1] - slope[1:]
    third = slope[:-1] + slope[1:] - 2.0 * rise
    second[-1] = third[-1] = 0.0
    return value[:-1], slope[:-1], second, third


def unit_quantile(z: Float64[np.ndarray, "*shape"], dof: float | None) -> Float64[np.ndarray, "*shape"]:
    """The quantile at Phi(z) of the same law, from its lower half, where no digits are lost."""
    if dof is None:
        return z
    return -np.sign(z) * stdtrit(dof, ndtr(-np.abs(z))) * np.sqrt((dof - 2.0) / dof)


GAUSSIAN = GaussianCopula()

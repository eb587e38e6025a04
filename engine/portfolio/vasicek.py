"""One factor and very many obligors: Vasicek's law, finite pools, and the Basel capital built on it.

Given the factor z (high is bad) every obligor of a homogeneous pool defaults with

    p(z) = Phi((sqrt(rho) z - x) / sqrt(1 - rho)),   x = Phi^-1(1 - PD)

and the loss of an infinite pool is LGD p(z). Vasicek (2002), "The distribution of loan portfolio value",
Risk 15(12); Gordy (2003), Journal of Financial Intermediation 12(3).
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy import integrate, stats
from scipy.special import ndtr, ndtri


def conditional_pd(pd: ArrayLike, rho: ArrayLike, z: ArrayLike):
    """p(z) for asset correlation rho in [0, 1).

    >>> round(float(conditional_pd(0.01, 0.2, ndtri(0.999))), 6)
    0.145525
    """
    pd, rho = checked(pd, rho)
    return ndtr((ndtri(pd) + np.sqrt(rho) * np.asarray(z, np.float64)) / np.sqrt(1.0 - rho))


def loss_cdf(loss: ArrayLike, pd: ArrayLike, rho: ArrayLike):
    """P(share in default <= loss) = Phi((sqrt(1 - rho) Phi^-1(loss) - Phi^-1(PD)) / sqrt(rho)), rho > 0."""
    pd, rho = checked(pd, rho, least=np.finfo(np.float64).tiny)
    return ndtr((np.sqrt(1.0 - rho) * ndtri(np.asarray(loss, np.float64)) - ndtri(pd)) / np.sqrt(rho))


def loss_quantile(level: ArrayLike, pd: ArrayLike, rho: ArrayLike):
    """VaR of the share in default: p(Phi^-1(level))."""
    return conditional_pd(pd, rho, ndtri(np.asarray(level, np.float64)))


def expected_shortfall(level: float, pd: float, rho: float) -> float:
    """ES of the share in default: Phi_2(Phi^-1(PD), -Phi^-1(level); sqrt(rho)) / (1 - level).

    >>> round(expected_shortfall(0.99, 0.01, 0.0), 12)
    0.01
    """
    pd, rho = checked(pd, rho)
    both = two_normals(float(ndtri(pd)), -float(ndtri(level)), float(np.sqrt(rho)))
    return both / (1.0 - level)


def unexpected_loss(pd: float, rho: float) -> float:
    """Standard deviation of the share in default: sqrt(Phi_2(Phi^-1(PD), Phi^-1(PD); rho) - PD^2)."""
    pd, rho = checked(pd, rho)
    threshold = float(ndtri(pd))
    both = two_normals(threshold, threshold, float(rho))
    return float(np.sqrt(max(both - float(pd) ** 2, 0.0)))


def two_normals(a: float, b: float, correlation: float) -> float:
    """P(A <= a, B <= b) of standard normals: the integral over A of phi times B's conditional probability."""
    own = np.sqrt(1.0 - correlation**2)

    def given(x):
        return stats.norm.pdf(x) * ndtr((b - correlation * x) / own)

    return integrate.quad(given, -40.0, a, epsabs=1e-15, epsrel=1e-13, limit=400, points=[-9.0, 0.0, a])[0]


def default_count(obligors: int, pd: float, rho: float) -> np.ndarray:
    """P(k defaults among the obligors), k = 0..obligors.

    >>> round(float(default_count(10, 0.1, 0.2)[4]), 12)
    0.029980479722
    """
    z = np.linspace(-9.5, 9.5, 2001)
    weights = stats.norm.pdf(z)
    # A probability near the smallest number there is overflows inside the binomial law.
    p = np.maximum(conditional_pd(pd, rho, z), 1e-200)
    return (weights / weights.sum()) @ stats.binom(obligors, p[:, None]).pmf(np.arange(obligors + 1))


CLASSES = ("corporate", "mortgage", "qualifying_revolving", "other_retail")
"""Asset classes of the Basel II risk-weight functions (paragraphs 272, 328, 329 and 330)."""


def basel_correlation(pd: ArrayLike, asset_class: str = "corporate", turnover: float | None = None):
    """Asset correlation of a class. Turnover in EUR mn, from 5 to 50, lowers that of corporates (273).

    corporate     0.12 w + 0.24 (1 - w) - 0.04 (1 - (S - 5) / 45),  w = (1 - exp(-50 PD)) / (1 - exp(-50))
    mortgage      0.15;   qualifying revolving 0.04
    other retail  0.03 w + 0.16 (1 - w),  w = (1 - exp(-35 PD)) / (1 - exp(-35))
    """
    if asset_class not in CLASSES:
        raise ValueError(f"asset_class: got {asset_class!r}, expected one of {', '.join(CLASSES)}")
    pd = np.asarray(pd, np.float64)
    if asset_class == "mortgage":
        return np.full_like(pd, 0.15)
    if asset_class == "qualifying_revolving":
        return np.full_like(pd, 0.04)
    low, high, speed = (0.12, 0.24, 50.0) if asset_class == "corporate" else (0.03, 0.16, 35.0)
    w = np.expm1(-speed * pd) / np.expm1(-speed)
    small = 0.0
    if asset_class == "corporate" and turnover is not None:
        small = 0.04 * (1.0 - (np.clip(turnover, 5.0, 50.0) - 5.0) / 45.0)
    return low * w + high * (1.0 - w) - small


def capital(
    pd: ArrayLike,
    lgd: ArrayLike = 0.45,
    maturity: ArrayLike = 2.5,
    asset_class: str = "corporate",
    turnover: float | None = None,
):
    """Capital per unit of exposure at default, K = LGD (p(Phi^-1(0.999)) - PD) m.

    m = (1 + (M - 2.5) b) / (1 - 1.5 b) with b = (0.11852 - 0.05478 ln PD)^2 for corporates, else 1;
    maturity M in years. Basel Committee (2006), International Convergence, paragraphs 272 to 330. Raises
    ValueError for a pd outside (0, 1] and for an unknown class.
    """
    pd, _ = checked(pd, 0.0, lowest=np.finfo(np.float64).tiny)
    stressed = loss_quantile(0.999, pd, basel_correlation(pd, asset_class, turnover))
    charge = np.asarray(lgd, np.float64) * (stressed - pd)
    if asset_class != "corporate":
        return charge
    b = (0.11852 - 0.05478 * np.log(pd)) ** 2
    return charge * (1.0 + (np.asarray(maturity, np.float64) - 2.5) * b) / (1.0 - 1.5 * b)


def risk_weight(pd: ArrayLike, **exposure):
    """12.5 K of `capital`, without the scaling factor of 1.06, as in Annex 5.

    >>> round(float(risk_weight(0.01)), 4)
    0.9232
    """
    return 12.5 * capital(pd, **exposure)


def granularity_adjustment(level: float, pd: float, rho: float, lgd: float, herfindahl: float) -> float:
    """What a finite homogeneous pool's VaR lies above the infinite one's, to first order in its Herfindahl.

        GA = -(H / 2 phi(z)) d/dz [phi(z) v(z) / m'(z)] at z = Phi^-1(level),
        m = LGD p(z),   v = LGD^2 p (1 - p)

    with the sign of a factor of which high is bad: Wilde (2001), "Probing granularity", Risk 14(8); Martin
    and Wilde (2002), Risk 15(11). H is the sum of squared exposure shares, 1/n for n equal ones.

    >>> round(granularity_adjustment(0.999, 0.01, 0.2, 1.0, 1 / 100), 4)
    0.0161
    """
    z = float(ndtri(level))

    def inside(x):
        p = float(conditional_pd(pd, rho, x))
        argument = (float(ndtri(pd)) + np.sqrt(rho) * x) / np.sqrt(1.0 - rho)
        slope = lgd * stats.norm.pdf(argument) * np.sqrt(rho / (1.0 - rho))
        return stats.norm.pdf(x) * lgd**2 * p * (1.0 - p) / slope

    step = 1e-4
    derivative = (inside(z + step) - inside(z - step)) / (2.0 * step)
    return float(-herfindahl / (2.0 * stats.norm.pdf(z)) * derivative)


def checked(pd: ArrayLike, rho: ArrayLike, least: float = 0.0, lowest: float = 0.0):
    """Both as float64; ValueError for a pd outside [lowest, 1] or a correlation outside [least, 1)."""
    pd, rho = np.asarray(pd, np.float64), np.asarray(rho, np.float64)
    if not ((pd >= lowest) & (pd <= 1.0)).all():
        raise ValueError(f"pd: got {pd}, expected numbers from {lowest:g} to 1")
    if not ((rho >= least) & (rho < 1.0)).all():
        raise ValueError(f"rho: got {rho}, expected correlations from {least:g} up to but not including 1")
    return pd, rho

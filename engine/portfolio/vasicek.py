"""One factor and very many obligors: Vasicek's law, finite pools, and the Basel capital built on it.

Given the factor z (high is bad) every obligor of a homogeneous pool defaults with

    p(z) = Phi((sqrt(rho) z - x) / sqrt(1 - rho)),   x = Phi^-1(1 - PD)

and the loss of an infinite pool is LGD p(z). Vasicek (2002), "The distribution of loan portfolio value",
Risk 15(12); Gordy (2003), Journal of Financial Intermediation 12(3).
"""

import numpy as np
from jaxtyping import Float64
from numpy.typing import ArrayLike
from scipy import integrate, stats
from scipy.special import ndtr, ndtri

Numbers = Float64[np.ndarray, "..."] | np.float64
"""One number, or an array of the shape to which the arguments broadcast."""


def conditional_pd(pd: ArrayLike, rho: ArrayLike, z: ArrayLike) -> Numbers:
    """Default probability given the factor, p(z).

    Args: pd, probability of default of an obligor; rho, asset correlation in [0, 1); z, the standard normal
    factor; all broadcast. Raises ValueError for a pd outside [0, 1] or a rho outside [0, 1).

    >>> round(float(conditional_pd(0.01, 0.2, ndtri(0.999))), 6)
    0.145525
    """
    p, r = checked(pd, rho)
    return ndtr((ndtri(p) + np.sqrt(r) * np.asarray(z, np.float64)) / np.sqrt(1.0 - r))


def loss_cdf(loss: ArrayLike, pd: ArrayLike, rho: ArrayLike) -> Numbers:
    """Vasicek's distribution function of the share of an infinite pool that defaults.

        P(share <= loss) = Phi((sqrt(1 - rho) Phi^-1(loss) - Phi^-1(PD)) / sqrt(rho))

    Args: loss, a share of the pool; pd and rho as for `conditional_pd`, rho above 0; all broadcast. Raises
    ValueError for a pd outside [0, 1] or a rho outside (0, 1).

    >>> round(float(loss_cdf(0.1455, pd=0.01, rho=0.2)), 4)
    0.999
    """
    p, r = checked(pd, rho, least=np.finfo(np.float64).tiny)
    return ndtr((np.sqrt(1.0 - r) * ndtri(np.asarray(loss, np.float64)) - ndtri(p)) / np.sqrt(r))


def loss_quantile(level: ArrayLike, pd: ArrayLike, rho: ArrayLike) -> Numbers:
    """VaR of the share of an infinite pool that defaults, p(Phi^-1(level)).

    Args: level in (0, 1); pd and rho as for `conditional_pd`; all broadcast. Raises ValueError for a pd
    outside [0, 1] or a rho outside [0, 1).

    >>> round(float(loss_quantile(0.999, pd=0.01, rho=0.2)), 4)
    0.1455
    """
    return conditional_pd(pd, rho, ndtri(np.asarray(level, np.float64)))


def expected_shortfall(level: float, pd: float, rho: float) -> float:
    """ES of the share of an infinite pool that defaults.

        ES = Phi_2(Phi^-1(PD), -Phi^-1(level); sqrt(rho)) / (1 - level)

    Args: level in (0, 1); pd and rho as for `conditional_pd`. Raises ValueError for a pd outside [0, 1] or a
    rho outside [0, 1).

    >>> round(expected_shortfall(0.99, 0.01, 0.0), 12)
    0.01
    """
    p, r = checked(pd, rho)
    joint = bivariate_normal(float(ndtri(p)), -float(ndtri(level)), float(np.sqrt(r)))
    return joint / (1.0 - level)


def unexpected_loss(pd: float, rho: float) -> float:
    """Standard deviation of the share in default: sqrt(Phi_2(Phi^-1(PD), Phi^-1(PD); rho) - PD^2)."""
    p, r = checked(pd, rho)
    threshold = float(ndtri(p))
    joint = bivariate_normal(threshold, threshold, float(r))
    return float(np.sqrt(max(joint - float(p) ** 2, 0.0)))


def bivariate_normal(a: float, b: float, correlation: float) -> float:
    """Phi_2(a, b; correlation): the integral over one normal of phi times the other's conditional Phi."""
    own = np.sqrt(1.0 - correlation**2)

    def integrand(x):
        return stats.norm.pdf(x) * ndtr((b - correlation * x) / own)

    return integrate.quad(integrand, -40.0, a, epsabs=1e-15, epsrel=1e-13, limit=400, points=[-9.0, 0.0, a])[
        0
    ]


def default_count(obligors: int, pd: float, rho: float) -> Float64[np.ndarray, " counts"]:
    """P(k defaults) in a finite pool of equal obligors, k = 0..obligors.

    Args: obligors, their number; pd and rho as for `conditional_pd`. The factor is integrated by the
    trapezoid rule on 2,001 nodes. Raises ValueError for a pd outside [0, 1] or a rho outside [0, 1).

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


def basel_correlation(
    pd: ArrayLike, asset_class: str = "corporate", turnover: float | None = None
) -> Numbers:
    """Asset correlation of the Basel II risk-weight functions.

        corporate     0.12 w + 0.24 (1 - w) - 0.04 (1 - (S - 5) / 45),  w = (1 - exp(-50 PD)) / (1 - exp(-50))
        mortgage      0.15;   qualifying revolving 0.04
        other retail  0.03 w + 0.16 (1 - w),  w = (1 - exp(-35 PD)) / (1 - exp(-35))

    Args: pd; asset_class, one of CLASSES; turnover S of a small corporate, EUR mn, held to 5 to 50
    (paragraph 273), or None. Raises ValueError for an unknown class.

    >>> float(basel_correlation(0.01).round(4))
    0.1928
    """
    if asset_class not in CLASSES:
        raise ValueError(f"asset_class: got {asset_class!r}, expected one of {', '.join(CLASSES)}")
    p = np.asarray(pd, np.float64)
    if asset_class == "mortgage":
        return np.full_like(p, 0.15)
    if asset_class == "qualifying_revolving":
        return np.full_like(p, 0.04)
    low, high, speed = (0.12, 0.24, 50.0) if asset_class == "corporate" else (0.03, 0.16, 35.0)
    w = np.expm1(-speed * p) / np.expm1(-speed)
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
) -> Numbers:
    """Basel II capital per unit of exposure at default, K.

        K = LGD (p(Phi^-1(0.999)) - PD) m
        m = (1 + (M - 2.5) b) / (1 - 1.5 b),  b = (0.11852 - 0.05478 ln PD)^2 for corporates, else m = 1

    Args: pd, one-year probability of default; lgd, loss given default, a share; maturity M, years;
    asset_class and turnover as for `basel_correlation`. Basel Committee (2006), International Convergence,
    paragraphs 272 to 330. Raises ValueError for a pd outside (0, 1] and for an unknown class.

    >>> round(float(capital(0.01, lgd=0.45, maturity=2.5)), 4)
    0.0739
    """
    p, _ = checked(pd, 0.0, lowest=np.finfo(np.float64).tiny)
    stressed = loss_quantile(0.999, p, basel_correlation(p, asset_class, turnover))
    charge = np.asarray(lgd, np.float64) * (stressed - p)
    if asset_class != "corporate":
        return charge
    b = (0.11852 - 0.05478 * np.log(p)) ** 2
    return charge * (1.0 + (np.asarray(maturity, np.float64) - 2.5) * b) / (1.0 - 1.5 * b)


def risk_weight(
    pd: ArrayLike,
    lgd: ArrayLike = 0.45,
    maturity: ArrayLike = 2.5,
    asset_class: str = "corporate",
    turnover: float | None = None,
) -> Numbers:
    """Basel II risk weight, 12.5 K of `capital`, without the scaling factor of 1.06, as in Annex 5.

    Args and ValueErrors as for `capital`.

    >>> round(float(risk_weight(0.01)), 4)
    0.9232
    """
    return 12.5 * capital(pd, lgd, maturity, asset_class, turnover)


def granularity_adjustment(level: float, pd: float, rho: float, lgd: float, herfindahl: float) -> float:
    """Granularity adjustment: VaR of a finite homogeneous pool less that of the infinite one, first order.

        GA = -(H / 2 phi(z)) d/dz [phi(z) v(z) / m'(z)] at z = Phi^-1(level),
        m = LGD p(z),   v = LGD^2 p (1 - p)

    with the sign of a factor of which high is bad: Wilde (2001), "Probing granularity", Risk 14(8); Martin
    and Wilde (2002), Risk 15(11).

    Args: level in (0, 1); pd and rho as for `conditional_pd`; lgd, a share; herfindahl H, the sum of squared
    exposure shares, 1/n for n equal ones. Returns a share of the exposure. Raises ValueError for a pd outside
    [0, 1] or a rho outside [0, 1).

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


def checked(
    pd: ArrayLike, rho: ArrayLike, least: float = 0.0, lowest: float = 0.0
) -> tuple[Float64[np.ndarray, "..."], Float64[np.ndarray, "..."]]:
    """Both as float64; ValueError for a pd outside [lowest, 1] or a correlation outside [least, 1)."""
    p, r = np.asarray(pd, np.float64), np.asarray(rho, np.float64)
    if not ((p >= lowest) & (p <= 1.0)).all():
        raise ValueError(f"pd: got {p}, expected numbers from {lowest:g} to 1")
    if not ((r >= least) & (r < 1.0)).all():
        raise ValueError(f"rho: got {r}, expected correlations from {least:g} up to but not including 1")
    return p, r

"""One factor and very many obligors: Vasicek's law, finite pools, and the Basel capital built on it.

Given the factor z (high is bad) every obligor of a homogeneous pool defaults with

    p(z) = Phi((sqrt(rho) z - x) / sqrt(1 - rho)),   x = Phi^-1(1 - PD)

and the loss of an infinite pool is LGD p(z). Vasicek (2002), "The distribution of loan portfolio value",
Risk 15(12); Gordy (2003), Journal of Financial Intermediation 12(3).
"""

import math

import numpy as np
from jaxtyping import Float64
from numpy.typing import ArrayLike
from scipy import integrate, stats
from scipy.special import ndtr, ndtri

from engine import arguments
from engine.portfolio.factor import CELLS, integrated

Numbers = Float64[np.ndarray, "..."] | np.float64
"""One number, or an array of the shape to which the arguments broadcast."""
ROOT_TWO_PI = math.sqrt(2.0 * math.pi)
NODES = 2001
MOST_OBLIGORS = 20_000
"""The largest finite pool."""


def conditional_pd(pd: ArrayLike, rho: ArrayLike, z: ArrayLike) -> Numbers:
    """Default probability given the factor, p(z).

    Args: pd, probability of default of an obligor; rho, asset correlation in [0, 1); z, the standard normal
    factor; all broadcast. Raises ValueError for a pd outside [0, 1] or a rho outside [0, 1).

    >>> round(float(conditional_pd(0.01, 0.2, ndtri(0.999))), 6)
    0.145525
    """
    p, r = checked(pd, rho)
    factor = arguments.within("z", arguments.numbers("z", z))
    together(pd=p, rho=r, z=factor)
    return ndtr((ndtri(p) + np.sqrt(r) * factor) / np.sqrt(1.0 - r))


def loss_cdf(loss: ArrayLike, pd: ArrayLike, rho: ArrayLike) -> Numbers:
    """Vasicek's distribution function of the share of an infinite pool that defaults.

        P(share <= loss) = Phi((sqrt(1 - rho) Phi^-1(loss) - Phi^-1(PD)) / sqrt(rho))

    Args: loss, a share of the pool; pd and rho as for `conditional_pd`, rho above 0; all broadcast. Raises
    ValueError for a pd outside [0, 1] or a rho outside (0, 1).

    >>> round(float(loss_cdf(0.1455, pd=0.01, rho=0.2)), 4)
    0.999
    """
    p, r = checked(pd, rho, least=arguments.TINY)
    share = arguments.within("loss", arguments.numbers("loss", loss), 0.0, 1.0)
    together(loss=share, pd=p, rho=r)
    # Where nobody defaults, or everybody, the share is 0 or 1 and both quantiles are infinite.
    certain = (p == 0.0) | (p == 1.0)
    inside = np.where(certain, 0.5, p)
    law = ndtr((np.sqrt(1.0 - r) * ndtri(share) - ndtri(inside)) / np.sqrt(r))
    return np.where(certain, np.where(share >= p, 1.0, 0.0), law)[()]


def loss_quantile(level: ArrayLike, pd: ArrayLike, rho: ArrayLike) -> Numbers:
    """VaR of the share of an infinite pool that defaults, p(Phi^-1(level)).

    Args: level in (0, 1); pd and rho as for `conditional_pd`; all broadcast. Raises ValueError for a pd
    outside [0, 1] or a rho outside [0, 1).

    >>> round(float(loss_quantile(0.999, pd=0.01, rho=0.2)), 4)
    0.1455
    """
    a = arguments.numbers("level", level)
    if not ((a > 0.0) & (a < 1.0)).all():
        arguments.refuse("level", level, "numbers between 0 and 1")
    p, r = checked(pd, rho)
    together(level=a, pd=p, rho=r)
    return conditional_pd(p, r, ndtri(a))


def expected_shortfall(level: float, pd: float, rho: float) -> float:
    """ES of the share of an infinite pool that defaults.

        ES = Phi_2(Phi^-1(PD), -Phi^-1(level); sqrt(rho)) / (1 - level)

    Args: level in (0, 1); pd and rho as for `conditional_pd`. Raises ValueError for a pd outside [0, 1] or a
    rho outside [0, 1).

    >>> round(expected_shortfall(0.99, 0.01, 0.0), 12)
    0.01
    """
    level, (p, r) = arguments.level("level", level), one(pd, rho)
    if p in (0.0, 1.0):
        return p
    joint = bivariate_normal(float(ndtri(p)), -float(ndtri(level)), float(np.sqrt(r)))
    return joint / (1.0 - level)


def unexpected_loss(pd: float, rho: float) -> float:
    """Standard deviation of the share in default: sqrt(Phi_2(Phi^-1(PD), Phi^-1(PD); rho) - PD^2)."""
    p, r = one(pd, rho)
    if p in (0.0, 1.0):
        return 0.0
    threshold = float(ndtri(p))
    joint = bivariate_normal(threshold, threshold, r)
    return float(np.sqrt(max(joint - p**2, 0.0)))


def bivariate_normal(a: float, b: float, correlation: float) -> float:
    """Phi_2(a, b; correlation): the integral over one normal of phi times the other's conditional Phi."""
    own = np.sqrt(1.0 - correlation**2)

    def integrand(x):
        return math.exp(-0.5 * x * x) / ROOT_TWO_PI * ndtr((b - correlation * x) / own)

    return integrate.quad(integrand, -40.0, a, epsabs=1e-15, epsrel=1e-13, limit=400, points=[-9.0, 0.0, a])[
        0
    ]


def default_count(obligors: int, pd: float, rho: float) -> Float64[np.ndarray, " counts"]:
    """P(k defaults) in a finite pool of equal obligors, k = 0..obligors.

    Args: obligors, their number, at most 20,000; pd and rho as for `conditional_pd`. The factor is integrated
    by the trapezoid rule on 2,001 nodes, more where rho is near one. Raises ValueError for a pd outside
    [0, 1], a rho outside [0, 1) or too near one, and fewer than one obligor or too many.

    >>> round(float(default_count(10, 0.1, 0.2)[4]), 12)
    0.029980479722
    """
    obligors = arguments.count("obligors", obligors, 1, MOST_OBLIGORS)
    pd, rho = one(pd, rho)
    given = integrated(np.asarray([pd]), np.asarray([[np.sqrt(rho)]]), NODES)
    # A probability near the smallest number there is overflows inside the binomial law.
    p, weights, counts = np.maximum(given.p, 1e-200), given.weights, np.arange(obligors + 1)
    size = max(CELLS // len(counts), 1)
    rows = [slice(begin, begin + size) for begin in range(0, len(p), size)]
    return np.sum([weights[own] @ stats.binom(obligors, p[own]).pmf(counts) for own in rows], axis=0)


CLASSES = ("corporate", "mortgage", "qualifying_revolving", "other_retail")
"""Asset classes of the Basel II risk-weight functions (paragraphs 272, 328, 329 and 330)."""
LEAST_PD = 3e-6
"""The lowest PD at which the maturity adjustment is defined: 1.5 b = 1 at 2.926e-6."""


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
    arguments.choice("asset_class", asset_class, CLASSES)
    if turnover is not None:
        turnover = arguments.number("turnover", turnover, 0.0)
    p, _ = checked(pd, 0.0)
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

    Args: pd, one-year probability of default; lgd, loss given default, a share; maturity M, 1 to 5 years
    (paragraph 320); asset_class and turnover as for `basel_correlation`. Basel Committee (2006),
    International Convergence, paragraphs 272 to 330. Raises ValueError for a pd outside (0, 1], for one of a
    corporate below 3e-6, where 1.5 b > 1, for other arguments outside their range and for an unknown class.

    >>> round(float(capital(0.01, lgd=0.45, maturity=2.5)), 4)
    0.0739
    """
    p, _ = checked(pd, 0.0, lowest=arguments.TINY)
    share = arguments.within("lgd", arguments.numbers("lgd", lgd), 0.0, 1.0)
    years = arguments.within("maturity", arguments.numbers("maturity", maturity), 1.0, 5.0)
    together(pd=p, lgd=share, maturity=years)
    stressed = loss_quantile(0.999, p, basel_correlation(p, asset_class, turnover))
    charge = share * (stressed - p)
    if asset_class != "corporate":
        return charge
    if (p < LEAST_PD).any():
        wrong = p[p < LEAST_PD].flat[0]
        raise ValueError(
            f"pd: got {wrong:g}, expected at least {LEAST_PD:g} for corporates: below it the maturity "
            "adjustment divides by less than nothing (1.5 b > 1)"
        )
    b = (0.11852 - 0.05478 * np.log(p)) ** 2
    return charge * (1.0 + (years - 2.5) * b) / (1.0 - 1.5 * b)


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
    exposure shares, 1/n for n equal ones. Returns a share of the exposure. Raises ValueError for a level, pd
    or rho outside (0, 1), an lgd outside (0, 1] or a herfindahl outside [0, 1].

    >>> round(granularity_adjustment(0.999, 0.01, 0.2, 1.0, 1 / 100), 4)
    0.0161
    """
    z = float(ndtri(arguments.level("level", level)))
    pd, rho = one(arguments.between("pd", pd, 0.0, 1.0), arguments.between("rho", rho, 0.0, 1.0))
    lgd = arguments.number("lgd", lgd, arguments.TINY, 1.0)
    herfindahl = arguments.share("herfindahl", herfindahl)

    def inside(x):
        p = float(conditional_pd(pd, rho, x))
        argument = (float(ndtri(pd)) + np.sqrt(rho) * x) / np.sqrt(1.0 - rho)
        slope = lgd * stats.norm.pdf(argument) * np.sqrt(rho / (1.0 - rho))
        return stats.norm.pdf(x) * lgd**2 * p * (1.0 - p) / slope

    step = 1e-4
    derivative = (inside(z + step) - inside(z - step)) / (2.0 * step)
    adjustment = float(-herfindahl / (2.0 * stats.norm.pdf(z)) * derivative)
    if not np.isfinite(adjustment):
        raise ValueError(f"pd: got {pd:g}, expected one that the factor moves at the level, with rho {rho:g}")
    return adjustment


def checked(
    pd: ArrayLike, rho: ArrayLike, least: float = 0.0, lowest: float = 0.0
) -> tuple[Float64[np.ndarray, "..."], Float64[np.ndarray, "..."]]:
    """Both as float64; ValueError for a pd outside [lowest, 1] or a correlation outside [least, 1)."""
    p, r = arguments.numbers("pd", pd), arguments.numbers("rho", rho)
    if not ((p >= lowest) & (p <= 1.0)).all():
        raise ValueError(f"pd: got {p}, expected numbers from {lowest:g} to 1")
    if not ((r >= least) & (r < 1.0)).all():
        raise ValueError(f"rho: got {r}, expected correlations from {least:g} up to but not including 1")
    return p, r


def one(pd: float, rho: float) -> tuple[float, float]:
    """One PD and one correlation; ValueError as `checked`."""
    p, r = checked(pd, rho)
    for name, array in (("pd", p), ("rho", r)):
        if array.shape:
            raise ValueError(f"{name}: got shape {array.shape}, expected one number")
    return float(p), float(r)


def together(**arrays: Float64[np.ndarray, "..."]) -> None:
    """Raises ValueError unless the shapes broadcast."""
    try:
        np.broadcast_shapes(*(array.shape for array in arrays.values()))
    except ValueError:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise ValueError(f"{', '.join(arrays)}: got shapes {shapes}, expected ones that broadcast") from None

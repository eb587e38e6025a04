"""Worst mean, VaR, ES and probability over all laws within a relative entropy of a simulated or exact one.

Over all laws Q whose relative entropy to the law P is at most a radius,

    worst mean   sup E_Q[X]    = inf_{theta > 0} (radius + ln E[exp(theta X)]) / theta
    worst VaR    sup VaR_a(Q)  = VaR at the level 1 - p,  p < 1 - a with  kl(1 - a, p) = radius
    worst ES     sup ES_a(Q)   = min_v v + (worst mean of (L - v)+) / (1 - a)
    worst P      sup Q(L > x)  = q >= p = P(L > x) with  kl(q, p) = radius

where kl is the relative entropy of two coins (Glasserman and Xu 2014, "Robust risk measurement and model
risk", Quantitative Finance 14(1), sections 2 and 4; Ben-Tal et al. 2013 for the ball's dual). The worst Q
weighs losses beyond v by exp(theta (L - v)): its support ends at the largest loss of P.
"""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float64
from scipy import optimize
from scipy.special import rel_entr

from engine import arguments
from engine.tail.measures import Tail

Points = Float64[np.ndarray, "points"]
STEEPNESS = (-20.0, 12.0)
"""ln of theta times the range of the losses, from no tilt to all weight on the largest."""
CLOSE = 1e-9
"""How near the best point must be found, as a share of the range of losses."""


@runtime_checkable
class Law(Protocol):
    """What a law of losses is asked: `Losses` of a sample and an exact `LossDistribution` are laws."""

    def points(self) -> tuple[Points, Points]:
        """Losses, increasing, and their probabilities."""
        ...

    def value_at_risk(self, level: float) -> float:
        """VaR."""
        ...

    def expected_shortfall(self, level: float) -> float:
        """ES."""
        ...


@dataclass(frozen=True)
class WorstCase:
    """Measures at one level under the worst law in the ball, in the unit of the losses."""

    level: float
    radius: float  # relative entropy, nats
    mean: float
    value_at_risk: float
    expected_shortfall: float
    simulated: bool  # False: VaR lies beyond the largest loss of the law, so all three are bounds from below


def worst_case(losses: Law, level: float | Tail, radius: float) -> WorstCase:
    """Worst mean, VaR and ES over all laws within `radius` of the given one.

    Args: losses, those of `from_losses`, or an exact `LossDistribution`; level in (0, 1), or the `Tail` read
    at it; radius, relative entropy in nats: 0 gives the measures themselves, and n observations cannot rule
    out about 1 / (2 n). Raises ValueError for a level outside (0, 1) or a negative radius.

    Example:
        >>> from engine.tail.measures import from_losses
        >>> sample = from_losses(np.arange(1.0, 1001.0))
        >>> near, far = worst_case(sample, 0.99, 0.0), worst_case(sample, 0.99, 0.005)
        >>> round(near.expected_shortfall), round(far.value_at_risk)
        (996, 997)
    """
    law, radius = checked(losses, radius)
    at = level.level if isinstance(level, Tail) else arguments.level("level", level)
    x, p = law.points()
    if radius == 0.0:
        read = level if isinstance(level, Tail) else None
        var = read.value_at_risk if read else law.value_at_risk(at)
        es = read.expected_shortfall if read else law.expected_shortfall(at)
        return WorstCase(at, radius, float(x @ p), var, es, True)
    beyond = rarest(1.0 - at, radius)
    simulated = beyond > p[-1]
    return WorstCase(
        level=at,
        radius=radius,
        mean=worst_mean(x, p, radius),
        value_at_risk=law.value_at_risk(1.0 - beyond) if simulated else float(x[-1]),
        expected_shortfall=worst_shortfall(x, p, at, radius),
        simulated=bool(simulated),
    )


def worst_probability(losses: Law, loss: float, radius: float) -> float:
    """The largest P(L > loss) of any law within `radius` of the given one.

    Args: losses and radius as for `worst_case`; loss, in their unit. Zero where the law has no loss beyond:
    a law within any radius then has none. Raises ValueError for a loss that is not a number or a negative
    radius.

    Example: a probability of 1% becomes one of 3.6% within 0.02 nats.
        >>> from engine.tail.measures import from_losses
        >>> round(worst_probability(from_losses(np.arange(1.0, 1001.0)), 990.0, 0.02), 4)
        0.0356
    """
    law, radius = checked(losses, radius)
    x, p = law.points()
    return likeliest(float(p[x > arguments.number("loss", loss)].sum()), radius)


def checked(losses: Law, radius: float) -> tuple[Law, float]:
    """Both; ValueError for what is no law, or a negative radius."""
    if not isinstance(losses, Law):
        arguments.refuse("losses", losses, "Losses, as from_losses gives them, or a LossDistribution")
    return losses, arguments.number("radius", radius, 0.0)


def worst_mean(x: Points, p: Points, radius: float) -> float:
    """sup E_Q[X] over relative entropies up to `radius`, for X = x with probability p."""
    x, p = x[p > 0.0], p[p > 0.0]
    low, high = float(x.min()), float(x.max())
    if high <= low:
        return high
    on_top = -np.log(p[x >= high].sum())
    if radius >= on_top:
        return high
    unit = (x - high) / (high - low)
    log_p = np.log(p)

    def bound(log_theta):
        theta = np.exp(log_theta)
        return (radius + np.logaddexp.reduce(log_p + theta * unit)) / theta

    best = optimize.minimize_scalar(bound, bounds=STEEPNESS, method="bounded")
    return high + (high - low) * min(float(best.fun), 0.0)


def worst_shortfall(x: Points, p: Points, level: float, radius: float) -> float:
    """min over v of v + worst mean of (X - v)+ / (1 - level); convex in v."""

    def at(v):
        first = int(np.searchsorted(x, v))  # below v all points are one, at zero
        excess = np.concatenate([[0.0], x[first:] - v])
        mass = np.concatenate([[p[:first].sum()], p[first:]])
        return v + worst_mean(excess, mass, radius) / (1.0 - level)

    low, high = float(x.min()), float(x.max())

    def at_share(share):
        return at(low + share * (high - low))

    # As a share of the range, since SciPy's tolerance is absolute: 1e-5 of any unit.
    best = optimize.minimize_scalar(at_share, bounds=(0.0, 1.0), method="bounded", options={"xatol": CLOSE})
    return min(float(best.fun), high)


def rarest(q: float, radius: float) -> float:
    """The probability p < q that a law within `radius` could still raise to q: kl(q, p) = radius.

    >>> round(rarest(0.01, 0.02), 5)
    0.00053
    """

    def short(log_p):
        p = np.exp(log_p)
        return float(rel_entr(q, p) + rel_entr(1.0 - q, 1.0 - p)) - radius

    # kl(q, p) >= q ln(q / p) - ln 2 bounds how small p need be.
    return float(np.exp(optimize.brentq(short, np.log(q) - (radius + np.log(2.0)) / q, np.log(q))))


def likeliest(p: float, radius: float) -> float:
    """The probability q >= p to which a law within `radius` could raise p: kl(q, p) = radius, or 1.

    >>> round(likeliest(rarest(0.01, 0.02), 0.02), 9)
    0.01
    """
    if radius == 0.0 or p <= 0.0 or -np.log(p) <= radius:
        return p if radius == 0.0 or p <= 0.0 else 1.0

    def over(q):
        return float(rel_entr(q, p) + rel_entr(1.0 - q, 1.0 - p)) - radius

    return float(optimize.brentq(over, p, 1.0, xtol=1e-300, rtol=1e-13))

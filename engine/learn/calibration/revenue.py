"""AI revenue in a boom: growth and volatility of the sector, and volatility of a lab's share.

docs/model.md, section 1, while R is far below its ceiling:

    d ln R = (g (1 - R/ceiling) - sigma^2/2) dt + sigma dW,

and ln of a lab's share is a Brownian motion of volatility tau. With logs of flows and run-rates

    y = level + b t + common + own + error,    b = g h - sigma^2/2,   h = mean of 1 - R/ceiling

A year's flow is an average of R, whose log lies above the average log by ln(sinh(x)/x), x = b (width)/2.
"""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from engine.book.about import About
from engine.book.load import Book
from engine.book.parameters import Economy
from engine.learn.calibration import panel as panels
from engine.learn.calibration.identification import Fit, Identification, identify, prior_fit, rename
from engine.learn.calibration.observations import Observations, brownian, observations, span

UNSEEN = "no plateau or bust of AI revenue has been observed"


@dataclasses.dataclass(frozen=True)
class RevenueFit:
    """Observations, panel and the fits of the economy."""

    sample: Observations
    identification: Identification
    fits: tuple[Fit, ...]


def sector_observations(book: Book, sector: str, labs: Sequence[str], since: str) -> Observations:
    """Flows and run-rates of the sector and of labs since the boom began."""
    names = [sector, *labs]
    entities = {f"{name}_{kind}": name for name in names for kind in ("REVENUE", "RUN_RATE")}
    return observations(book, entities, since)


def averaging(sample: Observations, slope: float) -> np.ndarray:
    """Log of the average less average of the log, over each span, where the log rises by `slope` a year."""
    half = np.maximum(np.abs(slope) * (sample.end - sample.start) / 2.0, 1e-9)
    return np.log(np.sinh(half) / half)


def revenue_panel(sample: Observations, sector: str, error: float, slope: float) -> panels.Panel:
    """Common noise of all, own noise of each lab, one slope."""
    common = brownian(sample.start, sample.end)
    lab = np.array([name != sector for name in sample.entity], bool)
    same = np.equal.outer(np.array(sample.entity), np.array(sample.entity)) & lab[:, None]
    y = np.log(sample.value) - averaging(sample, slope)
    kernels = {"volatility": common, "share_volatility": common * same}
    return panels.panel(y, sample.entity, {"slope": sample.middle}, kernels, error)


def fit_revenue(
    book: Book, economy: Economy, sector: str, labs: Sequence[str], since: str, error: float
) -> RevenueFit:
    """Growth in a boom, volatilities, and a bound on how often booms end."""
    sample = sector_observations(book, sector, labs, since)
    slope, priors = economy.growth[0], {
        "volatility": economy.volatility, "share_volatility": economy.share_volatility,
        "slope": economy.growth[0] - 0.5 * economy.volatility**2,
    }  # fmt: skip
    for _ in range(2):
        result = identify(revenue_panel(sample, sector, error, slope), priors)
        slope = result.fits["slope"].value
    headroom = 1.0 - mean_revenue(sample, sector) / economy.ceiling
    fits = [growth(result.fits["slope"], result.fits["volatility"].value, headroom, economy)]
    fits += [rename(result.fits[name], f"economy.{name}") for name in ("volatility", "share_volatility")]
    return RevenueFit(
        sample, result, (*fits, leaving(economy, book.about, since), *unidentified(economy, headroom))
    )


def mean_revenue(sample: Observations, sector: str) -> float:
    """Mean of the sector's observed revenue (USD bn a year), 0 where there is none."""
    own = [value for name, value in zip(sample.entity, sample.value, strict=True) if name == sector]
    return float(np.mean(own)) if own else 0.0


def growth(slope: Fit, volatility: float, headroom: float, economy: Economy) -> Fit:
    """Growth in a boom from the slope of the logs: g = (b + sigma^2/2)/h."""
    if not slope.identified:
        return dataclasses.replace(
            slope, parameter="economy.growth[0]", prior=economy.growth[0], value=economy.growth[0]
        )

    def of(value: float) -> float:
        return (value + 0.5 * volatility**2) / headroom

    return Fit(
        "economy.growth[0]", economy.growth[0], of(slope.value), slope.standard_error / headroom,
        of(slope.low), of(slope.high), True, slope.why, slope.data,
    )  # fmt: skip


def leaving(economy: Economy, about: About, since: str) -> Fit:
    """Rate of leaving the boom: no exit in T years bounds it by -ln(0.05)/T."""
    years, prior = -span(about, since)[0], sum(economy.leave_boom)
    why = (
        f"no exit in {years:.1f} years of boom, which has probability {math.exp(-prior * years):.0%} at the "
        "prior rate: a bound, not an estimate"
    )
    return Fit(
        "economy.leave_boom (sum)", prior, prior, math.nan, 0.0, -math.log(0.05) / years, False, why, 0
    )


def unidentified(economy: Economy, headroom: float) -> list[Fit]:
    """Numbers that a single boom does not inform."""
    ceiling = f"revenue was {1.0 - headroom:.0%} of it on average: growth has not slowed yet"
    priors = {
        "economy.growth[1]": (economy.growth[1], UNSEEN),
        "economy.growth[2]": (economy.growth[2], UNSEEN),
        "economy.leave_plateau (sum)": (sum(economy.leave_plateau), UNSEEN),
        "economy.leave_bust (sum)": (sum(economy.leave_bust), UNSEEN),
        "economy.ceiling": (economy.ceiling, ceiling),
    }
    return [prior_fit(name, prior, why) for name, (prior, why) in priors.items()]

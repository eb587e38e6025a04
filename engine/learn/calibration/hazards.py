"""Hazard intercepts at which the engine's default probabilities equal those implied by markets.

A spread s of a claim with recovery R implies the risk-neutral intensity s/(1 - R). Divided by the risk
premium q, an input, it is the real-world intensity: PD(T) = 1 - exp(-s T/((1 - R) q)).

A firm of the engine defaults by structure (month tau) or where its cumulative hazard passes an exponential
threshold, independent of everything else (docs/model.md, section 6). Paths with an intercept near zero, on
which the firm hardly ever defaults by hazard, give tau and the cumulative hazard H(T) at the prior intercept.
At c times that,

    PD(c) = 1 - E[ 1{tau > T} exp(-c H(T)) ],

for every c, from the same paths. The second round uses the first round's intercepts of the other firms.
"""

import dataclasses
import math
from collections.abc import Callable, Collection
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pandas as pd
from jaxtyping import Array, Bool, Float, Float64, Int
from scipy import optimize

from engine.book.system import System
from engine.draws.samplers import PSEUDO_RANDOM, Sampler
from engine.paths.draws import PathIds, Seed
from engine.paths.path import YEAR
from engine.paths.simulate import every_year
from engine.run.chunks import by_path
from engine.run.plan import Plan

TINY = 1e-6
"""Share of the prior intercept: no path defaults by it, and float32 still resolves the cumulative hazard."""

ROUNDS = 2
BLOCK = 8192
"""Paths of a device in a block."""
LARGEST = 1e4
"""Greatest multiple of the prior intercept."""


@dataclasses.dataclass(frozen=True)
class Quote:
    """A spread of a firm: 0.0643 for 643 bp, recovery of the claim, risk premium low, used, high."""

    firm: str
    basis: str
    spread: float
    recovery: float
    premium: tuple[float, float, float]

    def implied(self, years: float, premium: float | None = None) -> float:
        """Real-world default probability over some years.

        >>> round(Quote("CRWV", "CDS", 0.0643, 0.4, (2.0, 2.5, 4.0)).implied(5.0), 3)
        0.193
        """
        q = self.premium[1] if premium is None else premium
        return -math.expm1(-self.spread * years / ((1.0 - self.recovery) * q))


@dataclasses.dataclass(frozen=True)
class Paths:
    """One firm on every path: 1 after a structural default, and its cumulative hazard."""

    defaulted: Float64[np.ndarray, "years paths"]
    hazard: Float64[np.ndarray, "years paths"]

    def probability(self, multiple: float, year: int = -1) -> tuple[float, float]:
        """(PD at a multiple of the prior intercept, its standard error) by the end of a year."""
        default = 1.0 - (1.0 - self.defaulted[year]) * np.exp(-multiple * self.hazard[year])
        return float(default.mean()), float(default.std() / math.sqrt(default.size))

    def solve(self, target: float) -> tuple[float, float]:
        """(multiple at which the PD is the target, its standard error by the delta method), else NaN."""
        least, error = self.probability(0.0)
        if least >= target or self.probability(LARGEST)[0] <= target:
            return math.nan, math.nan
        multiple = optimize.brentq(lambda c: self.probability(c)[0] - target, 0.0, LARGEST)
        alive = (1.0 - self.defaulted[-1]) * np.exp(-multiple * self.hazard[-1])
        _, error = self.probability(multiple)
        return multiple, error / float(np.mean(alive * self.hazard[-1]))


def chunk_structural(
    model: tuple[System, Int[Array, ""], Float[Array, ""]], sampler: Sampler, seed: Seed, ids: PathIds
) -> tuple[Bool[Array, "years paths"], Float[Array, "years paths"]]:
    """(defaulted, cumulative hazard) of one firm under a model (System, firm, scale of its intercept)."""
    system, firm, scale = model
    small = eqx.tree_at(lambda s: s.firms.hazard, system, system.firms.hazard.at[firm].multiply(scale))

    def nothing(system, state, info):
        return info.economy.revenue

    def year_end(state, months):
        return state.credit.default_month[firm] > 0, state.credit.hazard[firm]

    return every_year(small, sampler, seed, ids, nothing, year_end)[3]


def structural_paths(system: System, firm: str, paths: int, seed: int, scale: float = TINY) -> Paths:
    """Paths on which this firm does not default by hazard.

    With `scale` 1 it can, and the paths are those of any run with this seed.
    """
    model = system, jnp.asarray(system.names.firms.index(firm)), jnp.float32(scale)
    defaulted, hazard = by_path(chunk_structural, model, Plan(paths, BLOCK, seed), PSEUDO_RANDOM)
    return Paths(defaulted.astype(np.float64), hazard.astype(np.float64) / scale)


def with_hazards(system: System, hazards: dict[str, float]) -> System:
    """The System with these hazard intercepts, by firm."""
    rows = jnp.asarray([system.names.firms.index(name) for name in hazards], jnp.int32)
    values = jnp.asarray(list(hazards.values()), jnp.float32)
    intercepts = system.firms.hazard.at[rows].set(values) if hazards else system.firms.hazard
    return eqx.tree_at(lambda s: s.firms.hazard, system, intercepts)


def calibrate_hazards(
    system: System,
    quotes: list[Quote],
    bases: Collection[str],
    paths: int,
    seed: int,
    check: Callable[[], None] = lambda: None,
) -> pd.DataFrame:
    """One row a quote: the market's PD, the engine's, and the intercept at which they agree.

    Quotes whose basis is in `bases` set the intercepts of the second round. `check` is called between
    simulations and may raise to stop.
    """
    intercepts: dict[str, float] = {}
    for last in range(ROUNDS):
        rows = []
        for quote in quotes:
            check()
            row = one_intercept(with_hazards(system, intercepts), system, quote, paths, seed)
            rows.append(row | {"used": quote.basis in bases and row["verdict"] == "met"})
            if rows[-1]["used"]:
                intercepts[quote.firm] = row["hazard"]
        if last < ROUNDS - 1 and not intercepts:
            break
    return pd.DataFrame(rows, columns=COLUMNS)


COLUMNS = (
    "firm", "basis", "spread", "recovery", "risk_premium", "years", "implied", "implied_low", "implied_high",
    "structural", "structural_se", "prior", "pd_prior", "hazard", "hazard_se", "hazard_low", "hazard_high",
    "pd_1y", "pd_1y_implied", "verdict", "used",
)  # fmt: skip
"""Columns of `calibrate_hazards`; PDs over `years` where no horizon is named."""


def one_intercept(current: System, system: System, quote: Quote, paths: int, seed: int) -> dict[str, Any]:
    """The row of one quote; bands are over the range of the risk premium."""
    prior = float(system.firms.hazard[system.names.firms.index(quote.firm)])
    at_prior = with_hazards(current, {quote.firm: prior})
    sample = structural_paths(at_prior, quote.firm, paths, seed)
    years = system.calendar.month.shape[0] / YEAR
    low, _, high = quote.premium
    targets = {q: quote.implied(years, q) for q in (high, quote.premium[1], low)}
    solutions = {q: sample.solve(target) for q, target in targets.items()}
    structural, structural_se = sample.probability(0.0)
    multiple, error = solutions[quote.premium[1]]
    feasible = math.isfinite(multiple)
    verdict = "met" if feasible else (
        "cannot be met: structural default alone exceeds it" if structural >= targets[quote.premium[1]]
        else "cannot be met: the intercept hardly moves the PD"
    )  # fmt: skip
    return {
        "firm": quote.firm, "basis": quote.basis, "spread": quote.spread, "recovery": quote.recovery,
        "risk_premium": quote.premium[1], "years": years, "implied": targets[quote.premium[1]],
        "implied_low": targets[high], "implied_high": targets[low],
        "structural": structural, "structural_se": structural_se,
        "prior": prior, "pd_prior": sample.probability(1.0)[0],
        "hazard": multiple * prior, "hazard_se": error * prior,
        "hazard_low": solutions[high][0] * prior if math.isfinite(solutions[high][0]) else 0.0,
        "hazard_high": solutions[low][0] * prior,
        "pd_1y": sample.probability(multiple if feasible else 1.0, 0)[0], "pd_1y_implied": quote.implied(1.0),
        "verdict": verdict,
    }  # fmt: skip

"""Coverage of the reported 95% intervals: the share of runs whose interval contains the exact value.

A portfolio whose loss distribution is known exactly is simulated many times; the intervals of VaR and ES are
those that each run would report.
"""

import dataclasses
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from engine.draws.samplers import Sampler
    from engine.portfolio.distribution import LossDistribution
    from engine.portfolio.portfolio import Portfolio
    from engine.tail.tally import Tally

LEVELS = (0.99, 0.999)
OBLIGORS = 64
SCRAMBLES = 16
"""Replications within one Sobol run, the default of a run."""
BAND = (0.93, 0.97)


@dataclasses.dataclass(frozen=True)
class Coverage:
    """Number of runs whose interval contains the exact value."""

    sampler: str
    measure: str
    level: float
    exact: float
    covered: int
    runs: int
    paths: int  # of one run

    @property
    def share(self) -> float:
        """Share of the intervals that contain the exact value."""
        return self.covered / self.runs

    @property
    def passed(self) -> bool:
        """Whether the share is 93 to 97%."""
        return BAND[0] <= self.share <= BAND[1]


def books() -> "tuple[Portfolio, LossDistribution]":
    """(portfolio, exact law): obligors of all sizes on one factor, so that losses are nearly continuous."""
    from engine.portfolio.portfolio import portfolio
    from engine.portfolio.recursion import exact_distribution

    random = np.random.default_rng(20_26)
    pd, loading = random.uniform(0.005, 0.05, OBLIGORS), random.uniform(0.3, 0.6, OBLIGORS)
    exposure = random.integers(50, 1000, OBLIGORS).astype(np.float64)
    return portfolio(pd, exposure, 1.0, loading), exact_distribution(pd, exposure, 1.0, loading)


PATHS = {"pseudo_random": 2**18, "sobol": 2**18, "importance": 2**14}
"""Paths of one run, enough to resolve the tail beyond 99.9%."""


def coverage(
    runs: int, samplers: Iterable[str] = tuple(PATHS), watch: Callable[[str], None] = lambda sampler: None
) -> list[Coverage]:
    """Coverage of VaR and ES at all levels by each sampler."""
    book, law = books()
    coverages = []
    for name in samplers:
        watch(name)
        intervals = simulate_intervals(book, law, name, runs)
        for place, level in enumerate(LEVELS):
            exact = (law.value_at_risk(level), law.expected_shortfall(level))
            for measure, value, bounds in zip(("VaR", "ES"), exact, intervals[:, place].T, strict=True):
                hits = int(np.sum((bounds["lower"] <= value) & (value <= bounds["upper"])))
                coverages.append(Coverage(name, measure, level, value, hits, runs, PATHS[name]))
    return coverages


def simulate_intervals(book: "Portfolio", law: "LossDistribution", name: str, runs: int) -> np.ndarray:
    """Intervals [runs, levels, (VaR, ES)] in the unit of the exposures, from one engine call."""
    from engine.draws.samplers import PSEUDO_RANDOM, sobol
    from engine.portfolio import simulate
    from engine.portfolio.importance import tuned
    from engine.run.plan import Hooks, Plan

    parts = SCRAMBLES if name == "sobol" else 1
    paths = PATHS[name]
    plan = Plan(paths * runs, 8192, 7)
    tilt = tuned(book, law.value_at_risk(0.99)) if name == "importance" else None
    samplers: tuple[Sampler, ...] = (PSEUDO_RANDOM,) * runs
    if name == "sobol":
        samplers = sobol(runs * parts, paths // parts, 1, book.factors, 1, plan.seed)
    tallies: list[Tally] = []
    intervals: list[list[list[tuple[float, float]]]] = []

    def each(tally: "Tally") -> None:
        tallies.append(tally)
        if len(tallies) == parts:
            intervals.append(read_intervals(tallies, simulate.scale_of(book)))
            tallies.clear()

    simulate.run(book, plan, samplers, tilt, Hooks(replication=each))
    return np.asarray(intervals, dtype=[("lower", np.float64), ("upper", np.float64)])


def read_intervals(tallies: "list[Tally]", scale: float) -> list[list[tuple[float, float]]]:
    """The intervals that a run would report."""
    import functools

    from engine.portfolio.simulate import in_money, table_of
    from engine.tail.tally import merge

    whole = functools.reduce(merge, tallies)
    parts = [in_money(each, scale) for each in tallies] if len(tallies) > 1 else []
    table = table_of(in_money(whole, scale), parts, LEVELS)
    return [[(row.var_lo, row.var_hi), (row.es_lo, row.es_hi)] for row in table.itertuples()]

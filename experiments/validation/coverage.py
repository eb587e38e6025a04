"""Whether stated 95% intervals hold the exact value as often as they say.

A portfolio whose loss distribution is known exactly is simulated again and again, and each time the intervals
of VaR and ES are read as a run would report them.
"""

import dataclasses

import numpy as np

LEVELS = (0.99, 0.999)
OBLIGORS = 64
SCRAMBLES = 16
"""Replications within one Sobol run, as a run has by default."""
BAND = (0.93, 0.97)


@dataclasses.dataclass(frozen=True)
class Coverage:
    """How many of the runs' intervals held the exact value."""

    sampler: str
    measure: str
    level: float
    exact: float
    held: int
    runs: int
    paths: int  # of one run

    @property
    def share(self) -> float:
        """The share of intervals that held it."""
        return self.held / self.runs

    @property
    def passed(self) -> bool:
        """Whether that is 93 to 97%."""
        return BAND[0] <= self.share <= BAND[1]


def books():
    """(portfolio, exact law): obligors of all sizes on one factor, so that losses are nearly continuous."""
    from engine.portfolio.portfolio import portfolio
    from engine.portfolio.recursion import exact_distribution

    random = np.random.default_rng(20_26)
    pd, loading = random.uniform(0.005, 0.05, OBLIGORS), random.uniform(0.3, 0.6, OBLIGORS)
    exposure = random.integers(50, 1000, OBLIGORS).astype(np.float64)
    return portfolio(pd, exposure, 1.0, loading), exact_distribution(pd, exposure, 1.0, loading)


PATHS = {"pseudo_random": 2**18, "sobol": 2**18, "importance": 2**14}
"""Of one run: enough that the tail beyond 99.9% is resolved."""


def coverage(runs: int, samplers=tuple(PATHS), watch=lambda sampler: None) -> list[Coverage]:
    """Coverage of VaR and ES at all levels by each sampler."""
    book, law = books()
    found = []
    for name in samplers:
        watch(name)
        intervals = simulated(book, law, name, runs)
        for place, level in enumerate(LEVELS):
            exact = (law.value_at_risk(level), law.expected_shortfall(level))
            for measure, value, bounds in zip(("VaR", "ES"), exact, intervals[:, place].T, strict=True):
                held = int(np.sum((bounds["lower"] <= value) & (value <= bounds["upper"])))
                found.append(Coverage(name, measure, level, value, held, runs, PATHS[name]))
    return found


def simulated(book, law, name: str, runs: int) -> np.ndarray:
    """Intervals [runs, levels, (VaR, ES)] in the exposures' unit, all runs in one go of the engine."""
    from engine.draws.samplers import PSEUDO_RANDOM, sobol
    from engine.portfolio import simulate
    from engine.portfolio.importance import tuned
    from engine.run.plan import Hooks, Plan

    parts = SCRAMBLES if name == "sobol" else 1
    paths = PATHS[name]
    plan = Plan(paths * runs, 8192, 7)
    tilt = tuned(book, law.value_at_risk(0.99)) if name == "importance" else None
    samplers = (PSEUDO_RANDOM,) * runs
    if name == "sobol":
        samplers = sobol(runs * parts, paths // parts, 1, book.factors, 1, plan.seed)
    kept, found = [], []

    def each(tally):
        kept.append(tally)
        if len(kept) == parts:
            found.append(read(kept, simulate.scale_of(book)))
            kept.clear()

    simulate.run(book, plan, samplers, tilt, Hooks(replication=each))
    return np.asarray(found, dtype=[("lower", np.float64), ("upper", np.float64)])


def read(tallies: list, scale: float) -> list[list[tuple[float, float]]]:
    """The intervals of one run, as a run reports them."""
    import functools

    from engine.portfolio.simulate import table_of
    from engine.tail.tally import merge

    whole = functools.reduce(merge, tallies)
    table = table_of(whole, tallies if len(tallies) > 1 else [], LEVELS, scale)
    return [[(row.var_lo, row.var_hi), (row.es_lo, row.es_hi)] for row in table.itertuples()]

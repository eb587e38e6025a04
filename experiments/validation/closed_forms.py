"""Simulated portfolios against exact loss distributions, with every sampler."""

from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from experiments.validation.checks import Check, worst

if TYPE_CHECKING:
    from engine.portfolio.portfolio import Portfolio
    from engine.portfolio.simulate import PortfolioTail

PATHS = 2**18
ATOM = 1.0 / 512.0
"""Relative half width of a bin of losses."""
SAMPLERS = ("pseudo_random", "antithetic", "sobol", "importance")


def recursion() -> list[Check]:
    """Expected loss, VaR and ES of unequal obligors, and contributions to ES, against the recursion."""
    from engine.portfolio.simulate import portfolio_tail
    from experiments.validation.coverage import LEVELS, books

    book, law = books()
    levels, checks = np.asarray(LEVELS), []
    exact = [law.expected_shortfall(level) for level in LEVELS]
    for name in SAMPLERS:
        run = portfolio_tail(book, LEVELS, paths=PATHS, sampler=name)
        source, table = f"recursion, 64 obligors, {name}", run.table
        quantile = stats.t.ppf(0.975, 15) if name in ("antithetic", "sobol") else stats.norm.ppf(0.975)
        errors = (table["es_hi"] - table["es_lo"]) / (2.0 * quantile)
        checks += [
            worst(source, "expected loss", law.mean, run.expected.value, error=run.expected.standard_error),
            worst(source, "ES 99% and 99.9%", exact, table["es"], ATOM * np.asarray(exact), errors),
        ]
        if name in ("pseudo_random", "importance"):
            checks.append(contributions(source, book, run, levels[0]))
    return checks


def contributions(source: str, book: "Portfolio", run: "PortfolioTail", level: float) -> Check:
    """Euler contributions of all obligors to ES, as shares of the largest."""
    from engine.portfolio.contributions import euler_contributions
    from engine.portfolio.recursion import shortfall_contributions

    numbers = (np.asarray(x, np.float64) for x in (book.pd, book.exposure, book.lgd, book.loadings[:, 0]))
    exact = shortfall_contributions(*(x.round(7) for x in numbers), level=level)
    own, error = euler_contributions(book, run, level)
    return worst(source, "Euler contributions to ES 99%", exact, own, 2.0 * ATOM * exact, error)


def large_pool() -> list[Check]:
    """A thousand equal obligors: the finite pool's ES, simulated, and Vasicek's limit for many."""
    from engine.portfolio import vasicek
    from engine.portfolio.distribution import LossDistribution
    from engine.portfolio.portfolio import portfolio
    from engine.portfolio.simulate import portfolio_tail

    n, pd, rho = 1000, 0.02, 0.2
    law = LossDistribution(vasicek.default_count(n, pd, rho), 1.0)
    pool = portfolio(np.full(n, pd), 1.0, 1.0, np.sqrt(rho))
    run = portfolio_tail(pool, (0.99,), paths=PATHS, sampler="importance").table.iloc[0]
    exact, error = law.expected_shortfall(0.99), (run.es_hi - run.es_lo) / (2.0 * stats.norm.ppf(0.975))
    limit = n * float(vasicek.loss_quantile(0.999, pd, rho))
    finite = limit + n * vasicek.granularity_adjustment(0.999, pd, rho, 1.0, 1.0 / n)
    return [
        worst("Vasicek, 1,000 equal obligors", "ES 99%, defaults", exact, run.es, ATOM * exact, error),
        # The adjustment is of first order in 1/n and VaR is a whole number of defaults.
        Check("Vasicek and Gordy, in the limit", "VaR 99.9% of 1,000 obligors, defaults",
              law.value_at_risk(0.999), finite, 1.0),
    ]  # fmt: skip

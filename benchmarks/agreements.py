"""Do we agree with others' code, and who is faster?

    python benchmarks/agreements.py [turns] [folder]

First the numbers of papers, R packages and QuantLib that come with the tests, beside the engine's (`folder`
holds those that may not be shipped, as `validate.unshipped` does). Then, where QuantLib is installed (PyPI,
optional), value and speed side by side in one process, turns alternating:

    default swaps      par spreads of 60 names, five years of quarterly premiums, mid-point engine
    joint migration    8 x 8 ratings, bivariate normal (West 2004 there, SciPy's here)
    yields             of one class of notes on 500 paths of monthly cash
"""

import pathlib
import sys
import time
from collections.abc import Callable

from engine.run.host import prepare_devices

prepare_devices()

import numpy as np  # noqa: E402
import undertow as ut  # noqa: E402
from record import Record, ratios, spread  # noqa: E402

from experiments.validation import credit, networks  # noqa: E402
from experiments.validation.checks import Check  # noqa: E402

ORACLES = pathlib.Path(__file__).parents[1] / "tests" / "oracles"
NAMES, QUARTERS, RATE, LGD = 60, 20, 0.03, 0.6
PATHS, MONTHS = 500, 60
RATINGS = np.array([
    [0.90, 0.06, 0.02, 0.01, 0.005, 0.003, 0.001, 0.001],
    [0.02, 0.08, 0.80, 0.05, 0.03, 0.01, 0.005, 0.005],
])  # fmt: skip
CORRELATION = 0.3


def published(folder: pathlib.Path | None) -> list[Check]:
    """All comparisons with numbers at hand."""
    groups = (
        networks.clearing,
        networks.reconstruction,
        credit.creditrisk_plus,
        credit.migration,
        credit.basel,
    )
    checks = [check for group in (*groups, credit.pools) for check in group(ORACLES)]
    return [*checks, *networks.debtrank(folder)]


def hazards() -> np.ndarray:
    """A default intensity for each name, a year."""
    return np.random.default_rng(3).uniform(0.002, 0.08, NAMES)


def swaps() -> np.ndarray:
    """Par spread of each name, here: a basket of one."""
    times = np.arange(1, QUARTERS + 1) / 4.0
    pds = 1.0 - np.exp(-np.outer(times, hazards()))
    each = (ut.basket(pds[:, [k]], times, lgd=LGD, nodes=3).nth_to_default(RATE) for k in range(NAMES))
    return np.array([table.spread[0] for table in each])


def joint() -> np.ndarray:
    """Joint probabilities of ratings, here."""
    return ut.joint_migration(*RATINGS, CORRELATION)


def notes() -> ut.DealCash:
    """Cash of a class that loses its last tenth on some paths."""
    cdr = np.random.default_rng(4).gamma(1.0, 0.08, (1, PATHS)).clip(0.0, 1.0)
    pool = ut.pool_cash(1e6, 0.07, MONTHS, cpr=0.1, cdr=np.tile(cdr, (MONTHS, 1)), recovery=0.4, lag=6)
    return ut.waterfall(ut.Deal([ut.Note("A", 0.1, 1.0, 0.05), ut.Note("B", 0.0, 0.1, 0.09)]), pool)


class QuantLib:
    """The same by QuantLib; 30/360 makes its quarters and months as even as ours."""

    def __init__(self, cash: ut.DealCash) -> None:
        import QuantLib as library

        self.ql = library
        self.today = library.Date(15, 6, 2020)
        library.Settings.instance().evaluationDate = self.today
        self.days = library.Thirty360(library.Thirty360.BondBasis)
        self.flows, self.balance = (cash.interest + cash.principal)[:, 0], float(cash.balance[0, 0, 0])

    def swaps(self) -> np.ndarray:
        """Par spread of each name by the mid-point engine."""
        ql, nominal = self.ql, 1.0
        curve = ql.YieldTermStructureHandle(ql.FlatForward(self.today, RATE, self.days))
        end = self.today + ql.Period(5, ql.Years)
        schedule = ql.Schedule(
            self.today, end, ql.Period(ql.Quarterly), ql.NullCalendar(), ql.Unadjusted, ql.Unadjusted,
            ql.DateGeneration.Forward, False,
        )  # fmt: skip
        spreads = []
        for hazard in hazards():
            swap = ql.CreditDefaultSwap(
                ql.Protection.Buyer, nominal, 0.01, schedule, ql.Unadjusted, self.days, True, True, self.today
            )
            quote = ql.QuoteHandle(ql.SimpleQuote(float(hazard)))
            default = ql.DefaultProbabilityTermStructureHandle(
                ql.FlatHazardRate(self.today, quote, self.days)
            )
            swap.setPricingEngine(ql.MidPointCdsEngine(default, 1.0 - LGD, curve))
            spreads.append(swap.fairSpread())
        return np.array(spreads)

    def joint(self) -> np.ndarray:
        """Joint probabilities of ratings from the bivariate normal."""
        normal = self.ql.InverseCumulativeNormal()
        law = self.ql.BivariateCumulativeNormalDistribution(CORRELATION)
        first, second = (
            [-10.0, *(normal(float(p)) for p in np.cumsum(row[::-1])[:-1]), 10.0] for row in RATINGS
        )
        corner = np.array([[law(x, y) for y in second] for x in first])
        return np.diff(np.diff(corner, axis=0), axis=1)[::-1, ::-1]

    def yields(self) -> np.ndarray:
        """Bond-equivalent yield at par on each path."""
        ql = self.ql
        dates = [self.today + ql.Period(month, ql.Months) for month in range(1, len(self.flows) + 1)]
        rates = []
        for cash in self.flows.T:
            leg = [ql.SimpleCashFlow(float(x), date) for x, date in zip(cash, dates, strict=True)]
            rates.append(ql.CashFlows.yieldRate(
                leg, self.balance, self.days, ql.Compounded, ql.Semiannual, False, self.today, self.today,
                1e-12, 1000, 0.05,
            ))  # fmt: skip
        return np.array(rates)


def seconds(work: Callable[[], np.ndarray]) -> tuple[float, np.ndarray]:
    """Of one call, and what it gave."""
    begun = time.perf_counter()
    values = work()
    return time.perf_counter() - begun, values


def side_by_side(turns: int) -> None:
    """One line a case: our rate, its ratio to QuantLib's, and the largest difference."""
    cash = notes()
    try:
        peer = QuantLib(cash)
    except ImportError:
        print("QuantLib is not installed: pip install QuantLib")
        return
    cases = (
        ("default swaps", NAMES, swaps, peer.swaps),
        ("joint migration", 1, joint, peer.joint),
        ("yields", PATHS, lambda: cash.yields()[0], peer.yields),
    )
    for name, count, ours, theirs in cases:
        pairs = [(seconds(ours), seconds(theirs)) for _ in range(turns + 1)][1:]
        own, other = ([count / each[side][0] for each in pairs] for side in (0, 1))
        difference = float(np.abs(pairs[0][0][1] - pairs[0][1][1]).max())
        case = f"{name}, largest difference {difference:.1e}"
        beside = {"QuantLib": ratios(own, other)}
        Record(
            "agreements", case, spread(own), "a second", count / own[0], dtype="float64", beside=beside
        ).tell()


def main(turns: int, folder: pathlib.Path | None) -> int:
    """The number of comparisons that failed."""
    checks = published(folder)
    for check in checks:
        values = f"{check.published:.10g}, {check.engine:.10g}"
        print(f"{check.verdict:8} {check.source}: {check.quantity}: {values}")
    side_by_side(turns)
    return sum(check.verdict == "failed" for check in checks)


if __name__ == "__main__":
    own = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else None
    sys.exit(min(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5, own), 1))

"""How long do baskets, waterfalls and contributions take?

    python benchmarks/pieces.py [turns]

125 different names, five tranches and 20 dates with each copula; 10,000 paths of 360 months through six
classes with four tests, reserve, turbo and call, and their yields; ES contributions of 1,000 obligors whose
exposures are equal, 1 to 10, or 1 to 100 units. The first turn, which fills caches, is left out of the
median. Nothing is compiled; NumPy in float64 on all cores.
"""

import sys
import time
from collections.abc import Callable

import numpy as np
import undertow as ut
from record import Record, spread

TIMES = np.arange(1, 21) / 4.0
EDGES = np.asarray([0.0, 0.03, 0.06, 0.09, 0.12, 0.22])
COPULAS = {"Gaussian": ut.GaussianCopula(), "t": ut.StudentCopula(4), "double t": ut.DoubleT(4, 4)}


def basket(copula: object) -> None:
    """Tranche spreads of a basket."""
    random = np.random.default_rng(2)
    pds = 1.0 - np.exp(-np.outer(TIMES, random.uniform(0.002, 0.05, 125)))
    names = ut.basket(pds, TIMES, loading=random.uniform(0.4, 0.6, 125), copula=copula)
    names.tranche_spreads(EDGES[:-1], EDGES[1:], 0.03)


def waterfall() -> None:
    """Cash and yields of six classes; the pool's cash is not timed."""
    edges, coupons = [1.0, 0.7, 0.5, 0.35, 0.2, 0.1, 0.03], [0.04, 0.045, 0.05, 0.06, 0.08, 0.1]
    notes = [ut.Note("ABCDEF"[k], edges[k + 1], edges[k], coupons[k]) for k in range(6)]
    tests = [("oc", "B", 1.4), ("oc", "D", 1.15), ("ic", "D", 1.1), ("oc", "F", 1.02)]
    deal = ut.Deal(
        notes, fee=0.003, triggers=[ut.Trigger(*each) for each in tests], reserve=ut.Reserve(5e6, 0.01, 1e6),
        turbo=True, call=ut.Call(0.1), principal_pays_interest=True,
    )  # fmt: skip
    ut.waterfall(deal, pool()).yields()


POOL: list[ut.PoolCash] = []


def pool() -> ut.PoolCash:
    """Cash of a pool whose CDR wanders by path, made once."""
    if not POOL:
        steps = np.random.default_rng(0).normal(0.0, 0.06, (360, 10_000))
        cdr = np.clip(0.03 * np.exp(np.cumsum(steps, axis=0)), 0.0, 0.9)
        POOL.append(ut.pool_cash(1e9, 0.07, 360, cpr=0.08, cdr=cdr, recovery=0.5))
    return POOL[0]


def contributions(most: int) -> None:
    """ES 99.9% by obligor of 1,000 obligors with exposures from 1 to `most`."""
    number = np.arange(1, 1001)
    pd = np.maximum(0.01 * (1.0 + np.sin(16.0 * np.pi * number / 1000)), 1e-6)
    ut.shortfall_contributions(pd, np.rint(np.linspace(1.0, most, 1000)), loading=0.5, level=0.999)


def seconds(work: Callable[[], None]) -> float:
    """Of one call."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def main(turns: int) -> None:
    """One line a case."""
    pool()
    cases = {f"basket, {name}": lambda copula=copula: basket(copula) for name, copula in COPULAS.items()}
    cases["waterfall"] = waterfall
    for most in (1, 10, 100):
        cases[f"contributions, 1 to {most}"] = lambda most=most: contributions(most)
    for case, work in cases.items():
        cold, *warm = (seconds(work) for _ in range(turns + 1))
        took = spread(warm)
        rate = spread([1.0 / each for each in warm])
        Record(
            "pieces", f"{case} (first {cold:.2f} s)", rate, "a second", took.median, dtype="float64"
        ).tell()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)

"""How fast is the classic credit portfolio, compared with careful NumPy and Numba?

    python benchmarks/classic_portfolio.py [paths] [repetitions]

Plain sampling of the portfolio of Glasserman and Li (2005, section 4): 1,000 obligors, 21 factors; a loss for
every path, then VaR and ES at 99.9%. Every contender draws its own random numbers, in float32 on all cores.
Repetitions are interleaved, so that other load on the machine affects all alike, and processor time is
measured too. Compilation is not timed. Prints obligor-draws a second and checks that all tails agree.
"""

import importlib.util
import os
import sys
import time
from collections.abc import Callable

from engine.run.host import cores, prepare_devices

prepare_devices()
# NumPy reads this at its first import. The peers start one thread per core themselves.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import jax  # noqa: E402
import numpy as np  # noqa: E402
from peers import numpy_portfolio  # noqa: E402
from record import Record, ratios, spread  # noqa: E402
from scipy import stats  # noqa: E402

from engine.draws.samplers import PSEUDO_RANDOM  # noqa: E402
from engine.portfolio.portfolio import portfolio  # noqa: E402
from engine.portfolio.simulate import run, scale_of  # noqa: E402
from engine.run.plan import Plan  # noqa: E402
from engine.tail import measures  # noqa: E402
from engine.tail.histogram import LOSS  # noqa: E402

LEVEL = 0.999
LOSS_AT = 10_000.0
PUBLISHED = 0.0114
"""P(loss > 10,000) of the paper's table 1."""
BLOCK = 65_536
BARS = {"numpy": 3.0, "numba": 1.5}
"""Target speed-up of the engine over each kind."""

OBLIGORS = 1_000
NUMBER = np.arange(1, OBLIGORS + 1)
PD = 0.01 * (1.0 + np.sin(16.0 * np.pi * NUMBER / OBLIGORS))
COST = np.linspace(1.0, 100.0, OBLIGORS)


def loadings() -> np.ndarray:
    """The market, ten industries and ten regions [obligors factors]."""
    rows = np.zeros((OBLIGORS, 21))
    rows[:, 0] = 0.8
    rows[NUMBER - 1, 1 + (NUMBER - 1) // 100] = 0.4
    rows[NUMBER - 1, 11 + (NUMBER - 1) % 100 // 10] = 0.4
    return rows


def engine(paths: int, seed: int) -> tuple[measures.Losses, float]:
    """Binned losses and seconds, without compilation."""
    book = portfolio(PD, COST, 1.0, loadings())
    tally, timing = run(book, Plan(paths, BLOCK, seed), (PSEUDO_RANDOM,), None)
    start = time.perf_counter()
    losses = measures.column_losses(tally, 0)
    measures.tail(losses, LEVEL)
    return losses, timing.run_s + time.perf_counter() - start


def peer(losses: Callable, kind) -> Callable:
    """A contender that fills an array of losses and reads VaR and ES from its upper end."""
    book = (stats.norm.isf(PD), np.sqrt(1.0 - np.sum(loadings() ** 2, axis=1)), loadings(), COST)

    def timed(paths: int, seed: int) -> tuple[np.ndarray, float]:
        start = time.perf_counter()
        result = losses(book, paths, seed, cores(), kind)
        upper(result)
        return result, time.perf_counter() - start

    return timed


def upper(losses: np.ndarray) -> tuple[float, float]:
    """VaR and ES of a sample."""
    beyond = max(round(losses.size * (1.0 - LEVEL)), 1)
    tail = np.partition(losses, losses.size - beyond)[-beyond:].astype(np.float64)
    return float(tail.min()), float(tail.mean())


def contenders() -> dict[str, Callable]:
    """All contenders by name, the engine first."""
    from_numpy = numpy_portfolio.losses
    peers = {
        "engine": engine,
        "numpy, Generator's normals": peer(from_numpy, numpy_portfolio.from_generator),
        "numpy, Box-Muller": peer(from_numpy, numpy_portfolio.box_muller),
    }
    if importlib.util.find_spec("numba") is None:
        print("Numba is not installed, so its rows are left out: `pip install numba` brings them in.")
        return peers
    from peers import numba_portfolio

    peers["numba, plain loop"] = peer(numba_portfolio.losses, numba_portfolio.plain)
    peers["numba, vectorised"] = peer(numba_portfolio.losses, numba_portfolio.vectorised)
    return peers


def tail_of(losses, edge: float) -> tuple[float, float, float]:
    """(P(loss > edge), VaR, ES) of an engine's bins or a sample; the edge is one of the bins'."""
    if isinstance(losses, np.ndarray):
        return float(np.mean(losses >= edge)), *upper(losses)
    scale = scale_of(portfolio(PD, COST, 1.0, loadings()))
    above = losses.weight[LOSS.lower / scale >= edge].sum() / losses.total
    at = measures.tail(losses, LEVEL)
    return float(above), at.value_at_risk / scale, at.expected_shortfall / scale


def main(paths: int = 2**18, repetitions: int = 5) -> None:
    """Warm up all contenders, time them in turns, print the table and the tails."""
    everybody = contenders()
    scale = scale_of(portfolio(PD, COST, 1.0, loadings()))
    edges = LOSS.lower / scale
    edge = float(edges[np.argmin(np.abs(edges - LOSS_AT))])
    for timed in everybody.values():
        timed(paths, 1)
    seconds: dict[str, list[float]] = {name: [] for name in everybody}
    processor: dict[str, list[float]] = {name: [] for name in everybody}
    tails: dict[str, list[tuple]] = {name: [] for name in everybody}
    for repetition in range(repetitions):
        for name, timed in everybody.items():
            start = time.process_time()
            losses, run_s = timed(paths, 100 + repetition)
            processor[name].append(time.process_time() - start)
            seconds[name].append(run_s)
            tails[name].append(tail_of(losses, edge))
    devices = jax.devices()
    print(
        f"device {len(devices)} x {devices[0].device_kind}, float32, {paths:,} paths x {OBLIGORS:,} obligors "
        f"{repetitions} times, in turns"
    )
    show(seconds, processor, paths)
    agree(tails, paths * repetitions, edge)


def show(seconds: dict[str, list[float]], processor: dict[str, list[float]], paths: int) -> None:
    """Millions of obligor-draws a second, and the engine's speed-up, turn by turn.

    Processor time is that of all threads for one obligor-draw, the minimum over turns.
    """
    draws = paths * OBLIGORS / 1e6
    rates = {name: [draws / each for each in run_seconds] for name, run_seconds in seconds.items()}
    for name, rate in rates.items():
        summary = spread(rate)
        beside = {n: ratios(rate, r) for n, r in rates.items() if name == "engine" and n != name}
        run_s = draws / summary.median
        Record("classic portfolio", name, summary, "million obligor-draws/s", run_s, beside=beside).tell()
        print(f"  {min(processor[name]) / draws * 1e3:.2f} ns of processor time a draw")
    for name in list(rates)[1:]:
        bar, over = BARS[name.partition(",")[0]], ratios(rates["engine"], rates[name]).median
        print(f"{name}: the bar of {bar:g} times is {'reached' if over >= bar else 'missed'}")


def agree(tails: dict[str, list[tuple]], paths: int, edge: float) -> None:
    """Print every tail; exit code 1 if one is more than 4 standard errors of both from the engine's."""
    print(f"{'all repetitions together':28}{f'P(loss > {edge:,.0f})':>18}{'VaR 99.9%':>11}{'ES 99.9%':>10}")
    means = {name: np.mean(each, axis=0) for name, each in tails.items()}
    for name, (above, var, es) in means.items():
        print(f"{name:28}{above:18.5f}{var:11,.0f}{es:10,.0f}")
    print(f"published: P(loss > {LOSS_AT:,.0f}) = {PUBLISHED}")
    first = means["engine"][0]
    for name, (above, *_) in means.items():
        error = np.sqrt((first * (1.0 - first) + above * (1.0 - above)) / paths)
        if abs(above - first) > 4.0 * error:
            sys.exit(f"{name}: got {above:.5f}, expected {first:.5f} within {4.0 * error:.5f}")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))

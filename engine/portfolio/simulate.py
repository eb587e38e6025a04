"""The tail of a portfolio by simulation: VaR, ES and who makes them up, with their errors."""

import dataclasses
from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
import pandas as pd
from scipy import stats

from engine.draws.samplers import PSEUDO_RANDOM, Antithetic, sobol
from engine.portfolio import losses
from engine.portfolio.importance import DEFENSIVE, tuned
from engine.portfolio.losses import Tilt
from engine.portfolio.portfolio import Portfolio
from engine.run import blocks
from engine.run.blocks import Model
from engine.run.plan import Hooks, Plan
from engine.tail import intervals, measures
from engine.tail.histogram import LOSS
from engine.tail.tally import Layout, Tally

SAMPLERS = ("pseudo_random", "antithetic", "sobol", "importance")
REPLICATIONS = 16
PILOT = 16_384
"""Paths of the pilot from which importance sampling learns where the tail is."""
PILOT_SEED = 0x70696C6F74
LAYOUT = Layout(horizons=(1,), columns=("loss",), components=(), entities=(), months=1, series=())


@dataclasses.dataclass(frozen=True)
class PortfolioTail:
    """What a simulation says of a portfolio's loss, in the exposures' unit."""

    expected: measures.Estimate
    table: pd.DataFrame  # level, var, var_lo, var_hi, es, es_lo, es_hi
    weights: intervals.Weights
    warnings: tuple[str, ...]  # what is not resolved, or not to be trusted
    plan: Plan
    sampler: str
    tally: Tally
    scale: float  # the tally's losses are the portfolio's times this
    tilt: Tilt | None


def portfolio_tail(
    book: Portfolio,
    levels: Sequence[float] = (0.95, 0.99, 0.999),
    *,
    paths: int = 2**18,
    seed: int = 7,
    sampler: str = "pseudo_random",
    replications: int | None = None,
    target: float | None = None,
    defensive: float = DEFENSIVE,
    block: int = 8192,
) -> PortfolioTail:
    """VaR and ES of a portfolio with 95% intervals.

    `sampler` is one of SAMPLERS. Antithetic pairs and scrambled Sobol points take their errors from
    `replications` (16 unless given), which must divide the paths. Importance sampling is tuned to losses of
    `target`, in the exposures' unit, or to the VaR at the lowest level that a pilot finds. Raises ValueError
    for levels outside (0, 1), an unknown sampler, or paths that do not suit it.

    Example:
        >>> from engine.portfolio.portfolio import portfolio
        >>> pool = portfolio(np.full(100, 0.02), exposure=1.0, lgd=0.45, loadings=0.4)
        >>> tail = portfolio_tail(pool, levels=(0.99,), paths=2**14)
        >>> row = tail.table.iloc[0]
        >>> bool(row.var_lo <= row["var"] <= row.var_hi < row.es)
        True
    """
    if sampler not in SAMPLERS:
        raise ValueError(f"sampler: got {sampler!r}, expected one of {', '.join(SAMPLERS)}")
    if not levels or not all(0.0 < level < 1.0 for level in levels):
        raise ValueError(f"levels: got {tuple(levels)}, expected numbers between 0 and 1")
    paired = sampler in ("antithetic", "sobol")
    count = replications or (REPLICATIONS if paired else 1)
    tilt = None
    if sampler == "importance":
        target = pilot_target(book, min(levels), seed) if target is None else target
        tilt = tuned(book, target, defensive)
    kept: list[Tally] = []
    plan = Plan(paths, block, seed)
    tally, _ = run(book, plan, samplers_of(book, plan, sampler, count), tilt, Hooks(replication=kept.append))
    scale = scale_of(book)
    return PortfolioTail(
        expected=scaled_estimate(measures.expected_loss(measures.column_losses(tally, 0)), scale),
        table=table_of(tally, kept if count > 1 else [], levels, scale),
        weights=intervals.weights(tally),
        warnings=warnings_of(tally, levels),
        plan=plan,
        sampler=sampler,
        tally=tally,
        scale=scale,
        tilt=tilt,
    )


def run(book: Portfolio, plan: Plan, samplers, tilt: Tilt | None, hooks: Hooks | None = None):
    """(Tally, Timing) of a plan; losses are scaled into the range of the tally's bins."""
    arrays = (book, jnp.asarray(scale_of(book), jnp.float32), tilt)
    return blocks.simulate(Model(losses.outcome, arrays, LAYOUT, losses.CHUNK), plan, samplers, hooks)


def scale_of(book: Portfolio) -> float:
    """The power of two that brings the largest loss into the upper half of the tally's bins."""
    return 2.0 ** (LOSS.high - 1 - np.ceil(np.log2(max(book.total, 1e-300))))


def samplers_of(book: Portfolio, plan: Plan, name: str, replications: int) -> tuple:
    """One sampler for each replication."""
    if name == "sobol":
        return sobol(replications, plan.paths // replications, 1, book.factors, 1, plan.seed)
    return (Antithetic() if name == "antithetic" else PSEUDO_RANDOM,) * replications


def pilot_target(book: Portfolio, level: float, seed: int) -> float:
    """The portfolio's VaR at a level, roughly: from plain paths, then, if too few lie beyond it, tilted ones.

    The pilot's seed is its own, so that what it learns is independent of the run.
    """
    plan = Plan(PILOT, PILOT, (seed + PILOT_SEED) % 2**64)
    first = min(level, 1.0 - 100.0 / PILOT)
    target, tilt = 0.0, None
    for at in (first, level) if level > first else (first,):
        tally, _ = run(book, plan, (PSEUDO_RANDOM,), tilt)
        target = measures.value_at_risk(measures.column_losses(tally, 0), at) / scale_of(book)
        least = np.nextafter(np.float32(0.0), np.float32(1.0))
        target = float(np.clip(target, max(least, 1e-6 * book.total), 0.999 * book.total))
        tilt = tuned(book, target)
    return target


def table_of(tally: Tally, kept: list[Tally], levels: Sequence[float], scale: float) -> pd.DataFrame:
    """VaR and ES by level; intervals from the spread of replications where there are any."""
    whole = measures.column_losses(tally, 0)
    rows = []
    for level in levels:
        var, es = intervals.var_interval(whole, level), intervals.es_interval(whole, level)
        if kept:
            each = [measures.tail(measures.column_losses(t, 0), level) for t in kept]
            var = spread(var.value, [found.value_at_risk for found in each])
            es = spread(es.value, [found.expected_shortfall for found in each])
        bounds = [var.value, var.lower, var.upper, es.value, es.lower, es.upper]
        rows.append([level, *(bound / scale for bound in bounds)])
    return pd.DataFrame(rows, columns=["level", "var", "var_lo", "var_hi", "es", "es_lo", "es_hi"])


def spread(value: float, each: list[float]) -> intervals.Interval:
    """The Student-t interval about a value from that of every replication."""
    _, error = intervals.sectioned([np.asarray(e) for e in each])
    reach = float(error) * float(stats.t.ppf(0.5 + 0.5 * intervals.CONFIDENCE, len(each) - 1))
    return intervals.Interval(value, value - reach, value + reach)


def warnings_of(tally: Tally, levels: Sequence[float]) -> tuple[str, ...]:
    """Which levels the paths do not resolve, and what is wrong with their weights."""
    whole = measures.column_losses(tally, 0)
    found = [intervals.resolved(whole, level) for level in levels]
    return tuple(sentence for sentence in found if sentence) + tuple(
        intervals.distrust(intervals.weights(tally))
    )


def scaled_estimate(estimate: measures.Estimate, scale: float) -> measures.Estimate:
    """An estimate of the tally in the portfolio's unit."""
    return measures.Estimate(estimate.value / scale, estimate.standard_error / scale)

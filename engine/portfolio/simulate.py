"""The tail of a portfolio by simulation: VaR, ES and who makes them up, with their errors."""

import dataclasses
import functools
from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats

from engine import arguments
from engine.draws.samplers import PSEUDO_RANDOM, Antithetic, Sampler, sobol
from engine.portfolio import losses
from engine.portfolio.importance import DEFENSIVE, tuned
from engine.portfolio.losses import Twist
from engine.portfolio.portfolio import Portfolio
from engine.run import blocks
from engine.run.blocks import Model
from engine.run.plan import Hooks, Plan, Timing
from engine.tail import intervals, measures
from engine.tail.histogram import LOSS
from engine.tail.tally import MOST_PATHS, Layout, Tally

SAMPLERS = ("pseudo_random", "antithetic", "sobol", "importance")
REPLICATIONS = 16
PILOT = 16_384
"""Paths of the pilot from which importance sampling learns where the tail is."""
PILOT_SEED = 0x70696C6F74
SINGLE = float(np.finfo(np.float32).eps)
"""How near to its amount, relative to it, a loss in float32 is."""
LEAST_UNIT = 1e-3
LAYOUT = Layout(horizons=(1,), columns=("loss",), components=(), entities=(), months=1, series=())


@dataclasses.dataclass(frozen=True)
class PortfolioTail:
    """The tail of a portfolio's loss by simulation, in the exposures' unit."""

    expected: measures.Estimate
    table: pd.DataFrame  # level, var, var_lo, var_hi, es, es_lo, es_hi
    weights: intervals.Weights
    warnings: tuple[str, ...]  # levels that are not resolved, weights not to be trusted
    plan: Plan
    sampler: str
    tally: Tally
    scale: float  # the tally's losses are the portfolio's times this
    twist: Twist | None
    unit: float | None = None  # of which every loss is a multiple
    replications: tuple[measures.Losses, ...] = ()  # of antithetic pairs and scrambled points

    @functools.cached_property
    def losses(self) -> measures.Losses:
        """The losses in the exposures' unit."""
        return in_money(self.tally, self.scale, self.unit)

    def beyond(self, loss: float) -> measures.Estimate:
        """P(L > loss) with its standard error, from the spread of replications where there are any.

        To half a bin of the tally, 0.2% of the loss, unless losses are multiples of a larger unit: to float32
        then. Raises ValueError for a loss that is not a number.
        """
        loss = arguments.number("loss", loss) * (1.0 + SINGLE * (self.unit is not None))
        whole = self.losses.beyond(loss)
        if not self.replications:
            return whole
        _, error = intervals.sectioned([np.asarray(each.beyond(loss).value) for each in self.replications])
        return measures.Estimate(whole.value, float(error) or whole.standard_error)


def portfolio_tail(
    book: Portfolio,
    levels: Sequence[float] | ArrayLike = (0.95, 0.99, 0.999),
    *,
    paths: float = 2**18,
    seed: float = 7,
    sampler: str = "pseudo_random",
    replications: float | None = None,
    target: float | None = None,
    defensive: float = DEFENSIVE,
    block: float = 8192,
) -> PortfolioTail:
    """VaR and ES of a portfolio with 95% intervals.

    Args: book; levels, each in (0, 1); paths; seed, below 2^64; sampler, one of SAMPLERS; replications of
    antithetic pairs and scrambled Sobol points, whose spread is their error, 16 unless given, a divisor of
    the paths; target, the loss that importance sampling aims at, in the exposures' unit, by default the VaR
    at the lowest level, from a pilot; defensive, the share of its paths drawn plainly; block, paths a block,
    a multiple of 256.

    Raises ValueError for levels outside (0, 1), an unknown sampler, paths that do not suit it, and a target
    that the portfolio cannot lose.

    Example:
        >>> from engine.portfolio.portfolio import portfolio
        >>> pool = portfolio(np.full(100, 0.02), exposure=1.0, lgd=0.45, loadings=0.4)
        >>> tail = portfolio_tail(pool, levels=(0.99,), paths=2**14)
        >>> row = tail.table.iloc[0]
        >>> bool(row.var_lo <= row["var"] <= row.var_hi < row.es)
        True
    """
    if not isinstance(book, Portfolio):
        arguments.refuse("book", book, "a Portfolio, as portfolio makes it")
    sampler, levels = arguments.choice("sampler", sampler, SAMPLERS), arguments.levels("levels", levels)
    paths, seed = (
        arguments.count("paths", paths, 1, MOST_PATHS),
        arguments.count("seed", seed, 0, arguments.SEEDS),
    )
    block = arguments.count("block", block)
    paired = sampler in ("antithetic", "sobol")
    count = REPLICATIONS if paired else 1
    if replications is not None:
        count = arguments.count("replications", replications, 2 if paired else 1, paths)
    twist = None
    if sampler == "importance" and book.total > 0.0:
        target = pilot_target(book, min(levels), seed) if target is None else target
        twist = tuned(book, target, defensive)
    tallies: list[Tally] = []
    plan = Plan(paths, block, seed)
    hooks = Hooks(replication=tallies.append)
    tally, _ = run(book, plan, samplers_of(book, plan, sampler, count), twist, hooks)
    scale, unit = scale_of(book), unit_of(book)
    whole = in_money(tally, scale, unit)
    parts = [in_money(each, scale, unit) for each in tallies] if count > 1 else []
    return PortfolioTail(
        expected=expected_of(whole, parts),
        table=table_of(whole, parts, levels),
        weights=intervals.weights(tally),
        warnings=warnings_of(tally, whole, levels) if book.total > 0.0 else (),
        plan=plan,
        sampler=sampler,
        tally=tally,
        scale=scale,
        twist=twist,
        unit=unit,
        replications=tuple(parts),
    )


def run(
    book: Portfolio, plan: Plan, samplers: Sequence[Sampler], twist: Twist | None, hooks: Hooks | None = None
) -> tuple[Tally, Timing]:
    """Run a plan; losses are scaled into the range of the tally's bins."""
    arrays = (book, jnp.asarray(scale_of(book), jnp.float32), twist)
    layout = dataclasses.replace(LAYOUT, far=twist is not None)
    return blocks.simulate(Model(losses.outcome, arrays, layout, losses.CHUNK), plan, samplers, hooks)


def scale_of(book: Portfolio) -> float:
    """The power of two that brings the largest loss into the highest octave but one of the tally's bins."""
    return 2.0 ** float(LOSS.high - 1 - np.ceil(np.log2(book.total))) if book.total > 0.0 else 1.0


def in_money(tally: Tally, scale: float, unit: float | None = None) -> measures.Losses:
    """The portfolio's losses in the exposures' unit.

    Where all are multiples of a `unit` wider than a bin, the bin's losses are one of them, exactly.
    """
    binned = measures.column_losses(tally, 0, scale=scale, unit="")
    if unit is None:
        return binned
    value = unit * np.rint(binned.mean / unit)
    one = (binned.weight > 0.0) & (binned.upper - binned.lower < 0.5 * unit)
    lower, upper = (np.where(one, value, ends) for ends in (binned.lower, binned.upper))
    loss = np.where(one, binned.weight * value, binned.loss)
    return dataclasses.replace(binned, lower=lower, upper=upper, loss=loss)


def unit_of(book: Portfolio) -> float | None:
    """The largest amount of which every obligor's loss is a multiple, by Euclid's algorithm.

    None where LGD is random, nothing can be lost, or the unit is below a thousandth of the largest loss.
    """
    cost = np.asarray(book.exposure, np.float64) * np.asarray(book.lgd)
    amounts = np.unique(cost[(cost > 0.0) & (np.asarray(book.pd) > 0.0)])
    if book.random_lgd or not len(amounts):
        return None
    close, unit = 8.0 * SINGLE * amounts[-1], 0.0
    for amount in amounts:
        while amount > close:
            unit, amount = amount, abs(unit - amount * np.rint(unit / amount))
        if unit < LEAST_UNIT * amounts[-1]:
            return None
    # The largest loss divided: the unit itself may be off by its rounding as often as it goes into that.
    return float(amounts[-1] / np.rint(amounts[-1] / unit))


def expected_of(whole: measures.Losses, replications: Sequence[measures.Losses]) -> measures.Estimate:
    """Expected loss; its error is the spread of replications where there are any."""
    estimate = measures.expected_loss(whole)
    if not replications:
        return estimate
    _, error = intervals.sectioned([np.asarray(measures.expected_loss(each).value) for each in replications])
    return measures.Estimate(estimate.value, float(error))


def samplers_of(book: Portfolio, plan: Plan, name: str, replications: int) -> tuple[Sampler, ...]:
    """One sampler for each replication."""
    if name == "sobol":
        return sobol(replications, plan.paths // replications, 1, book.factors, 1, plan.seed)
    return (Antithetic() if name == "antithetic" else PSEUDO_RANDOM,) * replications


def pilot_target(book: Portfolio, level: float, seed: int) -> float:
    """The portfolio's VaR at a level, roughly: plain paths first; if too few lie beyond, twisted ones.

    The pilot's seed is its own, so that what it learns is independent of the run.
    """
    plan = Plan(PILOT, PILOT, (seed + PILOT_SEED) % 2**64)
    first = min(level, 1.0 - 100.0 / PILOT)
    target, twist = 0.0, None
    for at in (first, level) if level > first else (first,):
        tally, _ = run(book, plan, (PSEUDO_RANDOM,), twist)
        target = measures.value_at_risk(in_money(tally, scale_of(book)), at)
        least = np.nextafter(np.float32(0.0), np.float32(1.0))
        target = float(np.clip(target, max(least, 1e-6 * book.total), 0.999 * book.total))
        twist = tuned(book, target)
    return target


def table_of(
    whole: measures.Losses, replications: Sequence[measures.Losses], levels: Sequence[float]
) -> pd.DataFrame:
    """VaR and ES by level; intervals from the spread of replications where there are any."""
    rows = []
    for level in levels:
        var, es = intervals.var_interval(whole, level), intervals.es_interval(whole, level)
        if replications:
            tails = [measures.tail(each, level) for each in replications]
            var = student_interval(var.value, [tail.value_at_risk for tail in tails])
            es = student_interval(es.value, [tail.expected_shortfall for tail in tails])
        rows.append([level, var.value, var.lower, var.upper, es.value, es.lower, es.upper])
    return pd.DataFrame(rows, columns=["level", "var", "var_lo", "var_hi", "es", "es_lo", "es_hi"])


def student_interval(value: float, each: Sequence[float]) -> intervals.Interval:
    """The Student-t interval about a value from that of every replication."""
    _, error = intervals.sectioned([np.asarray(e) for e in each])
    reach = float(error) * float(stats.t.ppf(0.5 + 0.5 * intervals.CONFIDENCE, len(each) - 1))
    return intervals.Interval(value, value - reach, value + reach)


def warnings_of(tally: Tally, whole: measures.Losses, levels: Sequence[float]) -> tuple[str, ...]:
    """Which levels the paths do not resolve, and what is wrong with their weights."""
    unresolved = [intervals.resolved(whole, level) for level in levels]
    return tuple(sentence for sentence in unresolved if sentence) + tuple(
        intervals.distrust(intervals.weights(tally))
    )

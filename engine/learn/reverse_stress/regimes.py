"""Paths of the regime: their probability, the uniforms that produce them, and their neighbours.

A regime path is a tuple of one code a month, positions in `vocabulary.REGIMES`. The law is the engine's
Markov chain: month t's regime given that of t - 1 has the row P[s_{t-1}] (docs/model.md, section 1).
"""

import numpy as np
from jaxtyping import Float32, Float64

from engine.book.system import System
from engine.vocabulary import REGIMES

Transition = Float64[np.ndarray, "regimes regimes"]
"""Monthly probabilities from the row's regime to the column's."""

Regimes = tuple[int, ...]
"""One code a month."""

Switches = tuple[tuple[int, int], ...]
"""(month, regime) of every month 1 ... T in which the regime changes, in order."""

SHIFTS = (-6, -2, -1, 1, 2, 6)
"""Months by which a switch is moved to reach a neighbour."""


def transition_of(system: System) -> tuple[Transition, int]:
    """Monthly transition probabilities of a System, rows summing to one, and its regime at month 0."""
    cumulative = np.array(system.economy.transition, np.float64)
    cumulative[:, -1] = 1.0
    return np.diff(cumulative, axis=1, prepend=0.0), int(system.numbers.economy.start)


def log_probability(transition: Transition, start: int, regimes: Regimes) -> float:
    """ln P(s_1 ... s_T | s_0 = start) = sum_t ln P[s_{t-1}, s_t].

    >>> chain = np.array([[0.9, 0.1], [0.5, 0.5]])
    >>> round(float(np.exp(log_probability(chain, 0, (0, 1, 1)))), 12)
    0.045
    """
    before = (start, *regimes[:-1])
    with np.errstate(divide="ignore"):
        return float(np.log(transition[before, regimes]).sum())


def forcing(transition: Transition, start: int, regimes: Regimes) -> Float32[np.ndarray, "months"]:
    """Uniforms that make the chain follow the path: the middle of each month's interval."""
    before = (start, *regimes[:-1])
    above = np.cumsum(transition, axis=1)[before, regimes]
    return (above - 0.5 * transition[before, regimes]).astype(np.float32)


def switches_of(start: int, regimes: Regimes) -> Switches:
    """Months in which the path changes, with the new regime.

    >>> switches_of(0, (0, 0, 1, 1, 2))
    ((3, 1), (5, 2))
    """
    before = (start, *regimes[:-1])
    pairs = enumerate(zip(regimes, before, strict=True), 1)
    return tuple((month, regime) for month, (regime, earlier) in pairs if regime != earlier)


def regimes_of(start: int, switches: Switches, months: int) -> Regimes:
    """The path of some switches, the inverse of `switches_of`."""
    path = np.full(months, start)
    for month, regime in sorted(switches):
        path[month - 1 :] = regime
    return tuple(path.tolist())


def starts(start: int, months: int, step: int = 6) -> list[Regimes]:
    """Paths at which a search starts.

    No switch; one switch, every `step` months, to each other regime; or a switch to the middle regime and a
    year later to the worst.
    """
    middle, worst = range(len(REGIMES))[1:]
    dates = range(step + 1, months + 1, step)
    paths: list[Switches] = [
        (),
        *(((month, kind),) for month in dates for kind in (middle, worst) if kind != start),
    ]
    if start == 0:
        paths += [((month, middle), (month + 12, worst)) for month in dates if month + 12 <= months]
    return [regimes_of(start, each, months) for each in paths]


def neighbours(start: int, regimes: Regimes) -> list[Regimes]:
    """Paths one move away: a switch earlier, later, removed or to another regime, or one more switch."""
    months, switches = len(regimes), switches_of(start, regimes)
    moves: list[Switches] = []
    for at, (month, kind) in enumerate(switches):
        rest = switches[:at] + switches[at + 1 :]
        low = switches[at - 1][0] + 1 if at else 1
        high = switches[at + 1][0] - 1 if at + 1 < len(switches) else months
        moves += [(*rest, (month + shift, kind)) for shift in SHIFTS if low <= month + shift <= high]
        moves += [rest, *((*rest, (month, other)) for other in range(len(REGIMES)) if other != kind)]
    last = switches[-1][0] if switches else 0
    for month in {(2 * last + months) // 3, (last + 2 * months) // 3}:
        moves += [(*switches, (month, other)) for other in range(len(REGIMES)) if month > last]
    paths = dict.fromkeys(regimes_of(start, each, months) for each in moves)
    paths.pop(regimes, None)
    return list(paths)


def simulate_chain(
    transition: Transition, start: int, months: int, count: int, rng: np.random.Generator
) -> list[Regimes]:
    """Independent paths of the chain."""
    above = np.cumsum(transition, axis=1)
    above[:, -1] = np.inf  # rounding may leave the last cumulative probability under one
    state, path = np.full(count, start), []
    for uniform in rng.random((months, count)):
        state = (uniform[:, None] >= above[state]).sum(axis=1)
        path.append(state)
    return [tuple(each) for each in np.stack(path, axis=1).tolist()]

"""The economy's law given a scenario: tables of the sampler `Pinned`, on the host in float64.

The scenario gives the economy as it would be with all credit supplied (S = 1): what lost credit takes from AI
revenue and adds to spreads comes on top, path by path, as in any run. So conditioned, the regime is a Markov
chain and the factors are Gaussian given it; nothing is approximated but revenue between the ends of periods,
which is taken as growing evenly (docs/model.md, section 0).
"""

import dataclasses
import itertools

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float64, Int64

from engine.book.scenario.pins import ENDS, Pins
from engine.book.system import System
from engine.draws.samplers import PSEUDO_RANDOM, Sampler
from engine.paths.pinned import Pinned
from engine.vocabulary import FACTORS, MONTH, REGIMES

RESOLVED = 1e-9
"""Least share of a given factor's variance that the others leave it; with less, two say the same."""


class Impossible(ValueError):
    """No path of the model follows the scenario; the message says why."""


@dataclasses.dataclass(frozen=True)
class Conditioning:
    """The sampler, and what the scenario implies before any path is drawn."""

    sampler: Pinned
    regimes: Float64[np.ndarray, "months regimes"]  # their probability given the scenario
    shocks: dict[str, Float64[np.ndarray, " periods"]]  # given less expected, in standard deviations


def conditioning(system: System, pins: Pins, base: Sampler = PSEUDO_RANDOM) -> Conditioning:
    """The sampler of paths that follow `pins`, the others of their draws by `base`.

    Raises Impossible where the model cannot follow: a given factor without a volatility, two that say the
    same, regimes between which there is no way.
    """
    law = Law.of(system)
    periods = system.calendar.month.shape[0] // pins.step
    response, given = law.responses(pins.step), law.given(pins, periods)
    sequences = np.array(list(itertools.product(range(len(REGIMES)), repeat=pins.step + 1)))
    centre = law.centres(pins, given, sequences)
    active = np.isfinite(centre).all(axis=1)
    centre = np.where(np.isfinite(centre), centre, 0.0)
    answer = np.where(active[:, :, None], response[None], 0.0)
    gain, score, deviation = projections(answer, active, centre, pins.step)
    allowed = law.prior(sequences)[None] + regime_scores(pins, sequences, periods)
    tables, posterior = chain(score + allowed, law.transition, law.start, pins.step)
    shocks = (posterior[:, :, None] * centre).sum(axis=1) / deviation
    sampler = Pinned(
        start=jnp.asarray(np.eye(len(REGIMES))[law.start], jnp.float32),
        nominal=system.economy.transition,
        bounds=jnp.asarray(tables, jnp.float32),
        centre=jnp.asarray(centre, jnp.float32),
        response=jnp.asarray(answer, jnp.float32),
        gain=jnp.asarray(gain, jnp.float32),
        base=base,
    )
    months = [
        (posterior[:, sequences[:, k + 1] == s]).sum(axis=1) for k in range(pins.step) for s in range(3)
    ]
    regimes = np.stack(months, axis=1).reshape(periods * pins.step, len(REGIMES))
    return Conditioning(sampler, regimes, law.by_factor(shocks, active, pins.step))


@dataclasses.dataclass(frozen=True)
class Law:
    """What the tables need of the model, in float64. `docs/model.md`, section 1, with S = 1."""

    system: System
    loading: Float64[np.ndarray, "factors factors"]
    transition: Float64[np.ndarray, "regimes regimes"]  # probabilities a month
    start: int

    @classmethod
    def of(cls, system: System) -> "Law":
        """The law of a System."""
        cumulative = np.asarray(system.economy.transition, np.float64)
        return cls(
            system,
            np.asarray(system.economy.loading, np.float64),
            np.diff(cumulative, axis=1, prepend=0.0),
            int(system.numbers.economy.start),
        )

    def number(self, name: str) -> Float64[np.ndarray, "..."]:
        """A number of the economy."""
        return np.asarray(getattr(self.system.numbers.economy, name), np.float64)

    def decay(self, factor: str) -> float:
        """e^(-speed dt) of a mean-reverting factor."""
        return float(np.exp(-self.number(SPEEDS[factor]) * MONTH))

    def spread(self, factor: str) -> float:
        """Standard deviation of a mean-reverting factor's month."""
        speed = float(self.number(SPEEDS[factor]))
        return float(self.number(VOLATILITIES[factor])) * ((1 - self.decay(factor) ** 2) / (2 * speed)) ** 0.5

    def responses(self, step: int) -> Float64[np.ndarray, "given normals"]:
        """A: given factors at the end of a period, then revenue's growth of each month, by the normals."""
        correlated = np.zeros((len(ENDS) + step, step, len(FACTORS)))
        surprise = float(self.number("volatility")) * MONTH**0.5
        demand = FACTORS.index("demand")
        for row, factor in enumerate(ENDS):
            place = FACTORS.index(factor)
            if factor == "equity":
                correlated[row, :, place] = float(self.number("equity_volatility")) * MONTH**0.5
                correlated[row, :, demand] = float(self.number("equity_beta")) * surprise
            else:
                powers = np.arange(step)[::-1]
                correlated[row, :, place] = self.spread(factor) * self.decay(factor) ** powers
        for month in range(step):
            correlated[len(ENDS) + month, month, demand] = surprise
        return (correlated @ self.loading).reshape(len(correlated), -1)

    def given(self, pins: Pins, periods: int) -> dict[str, Float64[np.ndarray, " ends"]]:
        """Each factor at month 0 and at the end of every period, NaN where the scenario is silent."""
        starts = {"rates": float(self.number("rate")), "demand": float(np.log(self.number("revenue")))}
        values = {}
        for factor in (*ENDS, "demand"):
            own = pins.values.get(factor, np.full(0, np.nan))[:periods]
            padded = np.concatenate([own, np.full(periods - len(own), np.nan)])
            values[factor] = np.concatenate([[starts.get(factor, 0.0)], padded])
        return values

    def centres(
        self, pins: Pins, given: dict[str, Float64[np.ndarray, " ends"]], sequences: Int64[np.ndarray, "s k"]
    ) -> Float64[np.ndarray, "periods sequences given"]:
        """o - a(s) by period and sequence of regimes; NaN where nothing is given."""
        step = pins.step
        columns = []
        for factor in ENDS:
            before, after = given[factor][:-1, None], given[factor][1:, None]
            if factor == "equity":
                moved = self.drift() * step + self.jumps(sequences)[None, :]
                columns.append(after - before - moved)
            else:
                mean = float(self.number("rate")) if factor == "rates" else 0.0
                expected = mean + (before - mean) * self.decay(factor) ** step
                columns.append(np.broadcast_to(after - expected, (len(after), len(sequences))))
        before, after = given["demand"][:-1, None], given["demand"][1:, None]
        monthly = (after - before) / step
        for month in range(step):
            level = np.exp(before + month * monthly)
            columns.append(monthly - self.growth(level, sequences[None, :, month + 1]))
        return np.stack(columns, axis=2)

    def drift(self) -> float:
        """Expected growth of log equity in a month without a jump."""
        own, common = float(self.number("equity_volatility")), float(self.number("equity_beta"))
        common *= float(self.number("volatility"))
        variance = own**2 + common**2 + 2 * own * common * float(self.number("correlation_demand_equity"))
        return (float(self.number("equity_drift")) - 0.5 * variance) * MONTH

    def jumps(self, sequences: Int64[np.ndarray, "s k"]) -> Float64[np.ndarray, " s"]:
        """Jumps of log equity along a sequence of regimes."""
        jump = np.asarray(self.system.economy.jump, np.float64)
        return jump[sequences[:, :-1], sequences[:, 1:]].sum(axis=1)

    def growth(
        self, level: Float64[np.ndarray, "periods 1"], regime: Int64[np.ndarray, "1 s"]
    ) -> Float64[np.ndarray, "periods s"]:
        """Expected growth of log revenue in a month, from its level before."""
        headroom = np.maximum(1.0 - level / float(self.number("ceiling")), 0.0)
        pace = self.number("growth")[regime] * np.where(regime == 0, headroom, 1.0)
        return (pace - 0.5 * float(self.number("volatility")) ** 2) * MONTH

    def prior(self, sequences: Int64[np.ndarray, "s k"]) -> Float64[np.ndarray, " s"]:
        """Log-probability of a sequence given its first regime."""
        with np.errstate(divide="ignore"):
            steps = np.log(self.transition)
        return steps[sequences[:, :-1], sequences[:, 1:]].sum(axis=1)

    def by_factor(
        self,
        shocks: Float64[np.ndarray, "periods given"],
        active: np.ndarray,
        step: int,
    ) -> dict[str, Float64[np.ndarray, " periods"]]:
        """Shocks of the given factors; revenue's over a period are those of its months together."""
        shocks = np.where(active, shocks, np.nan)
        named = {factor: shocks[:, row] for row, factor in enumerate(ENDS)}
        named["demand"] = shocks[:, len(ENDS) :].sum(axis=1) / step**0.5
        return {factor: values for factor, values in named.items() if np.isfinite(values).any()}


SPEEDS = {"rates": "rate_reversion", "credit": "spread_reversion", "power": "power_reversion"}
VOLATILITIES = {"rates": "rate_volatility", "credit": "spread_volatility", "power": "power_volatility"}


def projections(
    response: Float64[np.ndarray, "periods given normals"],
    active: np.ndarray,
    centre: Float64[np.ndarray, "periods sequences given"],
    step: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """G, the log-density of o by sequence, and the standard deviation of each given factor, by period."""
    periods, slots, normals = response.shape
    gain, score = np.zeros((periods, normals, slots)), np.zeros(centre.shape[:2])
    deviation = np.ones((periods, slots))
    names = (*ENDS, *(("demand",) * step))
    for period in range(periods):
        rows = np.flatnonzero(active[period])
        if not len(rows):
            continue
        own = response[period, rows]
        covariance = own @ own.T
        scale = np.sqrt(np.diag(covariance))
        if not (scale > 0.0).all():
            still = names[rows[int(np.argmin(scale))]]
            raise Impossible(f"{still}: got values, expected none: its volatility is 0 in this run")
        correlation = covariance / np.outer(scale, scale)
        if np.linalg.eigvalsh(correlation)[0] < RESOLVED:
            both = ", ".join(dict.fromkeys(names[row] for row in rows))
            raise Impossible(
                f"{both}: got values of all, expected fewer: their correlation ties them together"
            )
        gain[period][:, rows] = np.linalg.solve(covariance, own).T
        surprise = centre[period][:, rows]
        score[period] = -0.5 * (surprise * np.linalg.solve(covariance, surprise.T).T).sum(axis=1)
        deviation[period, rows] = scale
    return gain, score, deviation


def regime_scores(
    pins: Pins, sequences: Int64[np.ndarray, "s k"], periods: int
) -> Float64[np.ndarray, "periods s"]:
    """Zero for sequences that keep to the regimes given, minus infinity for the others."""
    own = pins.values.get("regime", np.full(0, np.nan))[:periods]
    given = np.concatenate([own, np.full(periods - len(own), np.nan)])[:, None, None]
    possible = (np.isnan(given) | (sequences[None, :, 1:] == given)).all(axis=2)
    return np.where(possible, 0.0, -np.inf)


def chain(
    score: Float64[np.ndarray, "periods s"],
    transition: Float64[np.ndarray, "regimes regimes"],
    start: int,
    step: int,
) -> tuple[np.ndarray, Float64[np.ndarray, "periods s"]]:
    """Cumulative law of each month's regime given those before and the whole scenario, and of sequences.

    Backward messages m_j(s) = sum of exp(score) m_{j+1} over the sequences of period j that begin in s.
    """
    count = len(transition)
    axes = (count,) * (step + 1)
    message, laws = np.zeros(count), []
    for period in range(len(score))[::-1]:
        joint = score[period].reshape(axes) + message
        laws.append(joint)
        message = log_sum(joint, tuple(range(1, step + 1)))
    if not np.isfinite(message[start]):
        raise Impossible("regime: got a path that the model cannot take from its first regime")
    bounds = np.zeros((len(score), step, count**step, 2))
    posterior, now = np.zeros_like(score), np.eye(count)[start]
    nominal = np.cumsum(transition, axis=1)[:, :2]
    for period, joint in enumerate(laws[::-1]):
        for month in range(step):
            law = log_sum(joint, tuple(range(month + 2, step + 1))).reshape(-1, count)
            whole = log_sum(law, (1,))[:, None]
            own = np.cumsum(np.exp(law - np.where(np.isfinite(whole), whole, 0.0)), axis=1)[:, :2]
            fallback = nominal[np.arange(len(law)) % count]
            bounds[period, month, : len(law)] = np.where(np.isfinite(whole), own, fallback)
        whole = log_sum(joint, tuple(range(1, step + 1)))
        given = np.exp(joint - np.where(np.isfinite(whole), whole, 0.0).reshape(-1, *(1,) * step))
        weighted = given * now.reshape(-1, *(1,) * step)
        posterior[period], now = weighted.reshape(-1), weighted.sum(axis=tuple(range(step)))
    return bounds, posterior


def log_sum(values: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    """ln of the sum of exp over some axes; minus infinity where all are."""
    if not axes:
        return values
    most = np.max(values, axis=axes, keepdims=True)
    most = np.where(np.isfinite(most), most, 0.0)
    with np.errstate(divide="ignore"):
        return np.log(np.exp(values - most).sum(axis=axes)) + np.squeeze(most, axis=axes)

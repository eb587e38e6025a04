"""Correlated and jump diffusions: option prices from the engine's draws against published closed forms."""

import functools
import pathlib
from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import stats

from experiments.validation.checks import Check, worst

if TYPE_CHECKING:
    from engine.draws.samplers import Sampler

PATHS = 2**18
MONTHS = 12
CHUNK = 2**12
REPLICATIONS = 64

Row = dict[Hashable, Any]
"""An option: its terms by name."""

Payoff = Callable[[Row, str], np.ndarray]
"""Payoff of an option on each path of the sampler of this name [paths]."""


@functools.cache
def draws_of(name: str) -> tuple[np.ndarray, np.ndarray]:
    """(normals [months, 2, paths], uniforms [months, paths]) of a sampler in float64.

    The last axis holds REPLICATIONS equal parts in turn.
    """
    import jax
    import jax.numpy as jnp

    from engine.draws.address import seed_words
    from engine.draws.samplers import PSEUDO_RANDOM, sobol

    samplers: Sequence[Sampler] = [PSEUDO_RANDOM] * REPLICATIONS
    if name == "sobol":
        samplers = sobol(REPLICATIONS, PATHS // REPLICATIONS, MONTHS, 2, 2, 7)
    size = PATHS // REPLICATIONS

    @jax.jit
    def draw(sampler, first):
        ids = first + jnp.arange(min(CHUNK, size), dtype=jnp.int64)
        return jax.vmap(lambda path: sampler(seed_words(7), path, MONTHS, 2))(ids)

    parts = [
        draw(sampler, number * size + first)
        for number, sampler in enumerate(samplers)
        for first in range(0, size, CHUNK)
    ]
    normals = np.concatenate([np.asarray(part.normals, np.float64) for part in parts])
    uniforms = np.concatenate([np.asarray(part.uniforms, np.float64) for part in parts])
    return np.moveaxis(normals, 0, -1), np.moveaxis(uniforms, 0, -1)


def brownian(name: str) -> np.ndarray:
    """Standard normals [2, paths]: the sum of twelve months of each factor, scaled."""
    return draws_of(name)[0].sum(axis=0) / np.sqrt(MONTHS)


def mean_of(payoffs: np.ndarray) -> tuple[float, float]:
    """Mean and standard error of payoffs, from the spread of the replications."""
    each = payoffs.reshape(REPLICATIONS, -1).mean(axis=1)
    return float(each.mean()), float(each.std(ddof=1) / np.sqrt(REPLICATIONS))


def terminal(row: Row, w: np.ndarray, which: str) -> np.ndarray:
    """A lognormal asset at maturity under the pricing measure."""
    spot, dividend, volatility = (float(row[f"{key}{which}"]) for key in ("s", "q", "v"))
    drift = (row["r"] - dividend - 0.5 * volatility**2) * row["t"]
    return spot * np.exp(drift + volatility * np.sqrt(row["t"]) * w)


def pair(row: Row, w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both assets of a row at maturity, correlated."""
    second = row["rho"] * w[0] + np.sqrt(1.0 - row["rho"] ** 2) * w[1]
    return terminal(row, w[0], "1"), terminal(row, second, "2")


def price_checks(source: str, quantity: str, table: pd.DataFrame, payoff: Payoff) -> list[Check]:
    """Discounted mean payoff of every row, by plain draws and by Sobol points."""
    checks = []
    for name, label in (("pseudo_random", "plain"), ("sobol", "Sobol")):
        estimates = []
        for row in table.to_dict("records"):
            mean, error = mean_of(payoff(row, name))
            discount = np.exp(-row["r"] * row["t"])
            estimates.append((discount * mean, discount * error))
        ours, errors = np.asarray(estimates).T
        checks.append(worst(source, f"{quantity}, {label}", table["price"], ours, table["tol"], errors))
    return checks


def baskets(folder: pathlib.Path) -> list[Check]:
    """Calls and puts on the better and the worse of two assets."""

    def payoff(row: Row, name: str) -> np.ndarray:
        first, second = pair(row, brownian(name))
        asset = np.minimum(first, second) if row["basket"] == "MinBasket" else np.maximum(first, second)
        return np.maximum((asset - row["strike"]) * (1.0 if row["type"] == "Call" else -1.0), 0.0)

    table = pd.read_csv(folder / "13_correlated_two_asset_baskets.csv")
    return price_checks("Haug (1998) and Firth, two-asset baskets", "prices", table, payoff)


def exchange(folder: pathlib.Path) -> list[Check]:
    """Margrabe's option to exchange one asset for another."""

    def payoff(row: Row, name: str) -> np.ndarray:
        first, second = pair(row, brownian(name))
        return np.maximum(row["Q1"] * first - row["Q2"] * second, 0.0)

    table = pd.read_csv(folder / "13_margrabe_exchange.csv")
    return price_checks("Haug (1998), Margrabe exchange options", "prices", table, payoff)


@functools.cache
def jumps(name: str, intensity: float) -> tuple[np.ndarray, np.ndarray]:
    """(number of jumps, sum of as many standard normals) [paths] of a Poisson process over the year.

    A month's number is the quantile of its uniform; its normals are those of the second factor.
    """
    normals, uniforms = draws_of(name)
    steps = stats.poisson(intensity / MONTHS).cdf(np.arange(40))
    counts = np.searchsorted(steps, uniforms).astype(np.float64)
    return counts.sum(axis=0), np.sum(np.sqrt(counts) * normals[:, 1], axis=0)


def jump_diffusion(folder: pathlib.Path) -> list[Check]:
    """Merton's (1976) calls with lognormal jumps of mean one."""

    def payoff(row: Row, name: str) -> np.ndarray:
        share, total = row["gamma_jump_share_of_variance"], row["total_vol"] ** 2
        jump = np.sqrt(share * total / row["jump_intensity"])
        smooth = (1.0 - share) * total
        count, noise = jumps(name, row["jump_intensity"] * row["t"])
        drift = (row["r"] - row["q"] - 0.5 * smooth) * row["t"] - 0.5 * jump**2 * count
        diffusion = np.sqrt(smooth * row["t"]) * brownian(name)[0] + jump * noise
        return np.maximum(row["spot"] * np.exp(drift + diffusion) - row["strike"], 0.0)

    table = pd.read_csv(folder / "13_merton76_jump_diffusion.csv")
    return price_checks("Haug (1998), Merton jump diffusion", "prices", table, payoff)

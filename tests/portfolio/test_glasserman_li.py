"""Table 1 of Glasserman and Li (2005): 1,000 obligors on 21 factors."""

import json
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from engine.draws.address import seed_words
from engine.draws.samplers import PSEUDO_RANDOM
from engine.portfolio import losses
from engine.portfolio.importance import factor_mean, tuned
from engine.portfolio.portfolio import portfolio

FILE = pathlib.Path(__file__).parents[1] / "oracles/15_glasserman_li_2005_table1.json"
ORACLE = json.loads(FILE.read_text())
PATHS = 2**16


@pytest.fixture(scope="module")
def book():
    k = np.arange(1, 1001)
    loadings = np.zeros((1000, 21))
    loadings[:, 0] = 0.8
    loadings[k - 1, 1 + (k - 1) // 100] = 0.4
    loadings[k - 1, 11 + (k - 1) % 100 // 10] = 0.4
    pd = 0.01 * (1.0 + np.sin(16.0 * np.pi * k / 1000))
    return portfolio(np.clip(pd, 0.0, 1.0), np.linspace(1.0, 100.0, 1000), 1.0, loadings)


def tilted(book, target):
    sample = jax.jit(losses.sample)
    tilt = tuned(book, target, defensive=0.0)
    drawn = [
        sample(book, PSEUDO_RANDOM, seed_words(7), start + jnp.arange(512), tilt)
        for start in range(0, PATHS, 512)
    ]
    return (np.concatenate([np.asarray(d[i], np.float64) for d in drawn]) for i in (0, 1))


def ratio_of(hits):
    """Variance of one plain path over that of one tilted path."""
    p = hits.mean()
    return p * (1.0 - p) / hits.var()


def test_probabilities_and_variance_ratios(book):
    loss, log_weight = tilted(book, ORACLE["tuned_at"])
    for row in ORACLE["rows"]:
        hits = np.exp(log_weight) * (loss > row["y"])
        error = hits.std() / np.sqrt(PATHS)
        # An independent float64 run of 80,000 paths. The printed table has an error that it does not state:
        # its second row, 0.0065, lies as far from that run as from the engine.
        own = error * np.sqrt(PATHS / 80_000)
        assert abs(hits.mean() - row["P_reproduced"]) < 4 * np.hypot(error, own)
        assert hits.mean() == pytest.approx(row["P_published"], rel=0.05, abs=0.5e-4)
        assert ratio_of(hits) == pytest.approx(row["variance_ratio_published"], rel=0.10)


def test_retuned_far_out(book):
    loss, log_weight = tilted(book, 40_000)
    assert ratio_of(np.exp(log_weight) * (loss > 40_000)) > 2000


def test_first_component_of_the_mean(book):
    found = factor_mean(book, ORACLE["tuned_at"])
    assert found[0] == pytest.approx(ORACLE["first_mean_shift_component"]["published"], abs=0.01)

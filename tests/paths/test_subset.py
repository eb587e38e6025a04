"""Chosen paths: the run's own losses whatever they are run beside, and regimes that add up."""

import dataclasses

import numpy as np

from engine.book.system import System
from engine.paths.ledger import ledger
from engine.paths.subset import run_subsets
from engine.run.plan import CHUNK, Plan


def harsher(system: System) -> System:
    """The same with every loss from the pools twice as large."""
    return dataclasses.replace(system, pools=dataclasses.replace(system.pools, lgd=2.0 * system.pools.lgd))


def test_each_job_has_its_own_system_and_its_own_paths(year):
    """Three jobs on two devices: the losses are the ledger's, path by path."""
    plain, harsh = (ledger(system, Plan(4 * CHUNK, CHUNK, 7)).loss for system in (year, harsher(year)))
    some = np.random.default_rng(1).permutation(4 * CHUNK)[:CHUNK]
    jobs = [(year, some), (harsher(year), some), (year, np.arange(CHUNK))]
    found = list(run_subsets(jobs, 7))
    for made, expected in zip(found, (plain[some], harsh[some], plain[:CHUNK]), strict=True):
        np.testing.assert_allclose(made.loss, expected, rtol=1e-4, atol=1e-4)
    assert found[1].loss.mean() > found[0].loss.mean()


def test_every_month_goes_from_one_regime_to_one(year):
    (made,) = run_subsets([(year, np.arange(2 * CHUNK))], 7)
    assert made.moves.shape == (3, 3, 2 * CHUNK)
    np.testing.assert_array_equal(made.moves.sum(axis=(0, 1)), 12.0)
    boom = made.moves[0].sum(axis=0)
    assert boom.min() >= 1.0 and boom.mean() < 12.0  # every path starts in the boom and some leave it

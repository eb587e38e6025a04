"""Sampled networks: totals and known cells, links against their law, amounts against brute force."""

import itertools
import json
import pathlib

import numpy as np
import pytest

from engine.contagion.ensembles import sample_fitness, sample_gibbs
from engine.contagion.networks import EisenbergNoe, RogersVeraart, clear
from engine.contagion.reconstruct import maximum_entropy

ORACLE = pathlib.Path(__file__).parents[1] / "oracles" / "02_eisenberg_noe_rogers_veraart.json"
VIGNETTE = json.loads(ORACLE.read_text(encoding="utf-8"))["B_systemicrisk_vignette"]

KEPT = 4e-12
"""Totals are met to 1e-12 of their sum; known cells and the scaling of columns add as much again."""
ERRORS = 4.0
"""Standard errors that a mean may lie off."""

SAMPLERS = {
    "fitness": lambda *totals, **options: sample_fitness(totals[0], totals[1], 0.4, *totals[2:], **options),
    "gibbs": lambda *totals, **options: sample_gibbs(totals[0], totals[1], 0.4, *totals[2:], **options),
}


def keeps(networks, rows, columns):
    """Totals are met by each, nothing is negative."""
    slack = KEPT * np.sum(rows)
    np.testing.assert_allclose(networks.sum(axis=2), np.tile(rows, (len(networks), 1)), rtol=0, atol=slack)
    np.testing.assert_allclose(networks.sum(axis=1), np.tile(columns, (len(networks), 1)), rtol=0, atol=slack)
    assert (networks >= 0.0).all()


def close(sample, expected):
    """The mean of a nearly independent sample is as expected, error by means of batches."""
    batches = np.array_split(np.asarray(sample, float), 40)
    means = np.array([batch.mean() for batch in batches])
    error = max(means.std(ddof=1) / np.sqrt(len(means)), 1e-12)
    assert abs(np.mean(sample) - expected) < ERRORS * error, (np.mean(sample), expected, error)


def totals(seed, firms=7):
    """Totals that differ from firm to firm, and some known cells."""
    rng = np.random.default_rng(seed)
    matrix = rng.exponential(1.0, (firms, firms)) * (1 - np.eye(firms))
    known = np.where(rng.random(matrix.shape) < 0.2, matrix, np.nan)
    return matrix.sum(axis=1), matrix.sum(axis=0), known


@pytest.mark.parametrize("name", SAMPLERS)
@pytest.mark.parametrize("seed", range(3))
def test_totals_and_known_cells_are_kept(name, seed):
    rows, columns, known = totals(seed)
    networks = SAMPLERS[name](rows, columns, known, count=20, seed=seed)
    keeps(networks, rows, columns)
    there = ~np.isnan(known)
    np.testing.assert_array_equal(networks[:, there], np.tile(known[there], (20, 1)))
    assert not networks[:, np.arange(7), np.arange(7)].any()
    assert len({network.tobytes() for network in networks}) == 20


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_seed_is_an_ensemble(name):
    rows, columns, _ = totals(1)
    first, again, other = (SAMPLERS[name](rows, columns, count=2, seed=s) for s in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@pytest.mark.parametrize("name", SAMPLERS)
def test_totals_that_leave_one_network_give_it(name):
    networks = SAMPLERS[name]([2, 1], [1, 2], count=3)
    np.testing.assert_allclose(networks, np.tile([[0, 2], [1, 0]], (3, 1, 1)), atol=KEPT * 3)


@pytest.mark.parametrize("name", SAMPLERS)
def test_lenders_and_loans_differ_in_number(name):
    matrix = np.random.default_rng(0).exponential(1.0, (3, 8))
    networks = SAMPLERS[name](matrix.sum(axis=1), matrix.sum(axis=0), count=5, bipartite=True)
    keeps(networks, matrix.sum(axis=1), matrix.sum(axis=0))
    assert networks.shape == (5, 3, 8)


def test_the_fitness_model_has_the_density_asked_and_links_the_large():
    """Where no link need be added, the number of links is a sum of independent draws."""
    rows = np.concatenate([np.full(10, 6.0), np.full(10, 3.0)])
    networks = sample_fitness(rows, rows, 0.5, count=60, seed=2)
    links = networks > 0
    close(links.sum(axis=(1, 2)), 0.5 * 20 * 19)
    assert links[:, :10, :10].mean() > links[:, 10:, 10:].mean()


def test_the_complete_fitness_model_is_maximum_entropy():
    rows, columns, known = totals(2)
    networks = sample_fitness(rows, columns, 1.0, known, count=2)
    np.testing.assert_allclose(networks[0], maximum_entropy(rows, columns, known), atol=KEPT * rows.sum())


@pytest.mark.parametrize("probability, rate", [(0.5, 0.25), (0.9, 1.0), (0.3, 2.0)])
def test_three_banks_against_their_exact_law(probability, rate):
    """One amount is free, x_01 in [0, 1]: the rest follows. A mass at each end where a link is missing."""
    rows, columns = [1.0, 2.5, 3.0], [0.7, 2.7, 3.1]
    networks = sample_gibbs(rows, columns, probability, rate=rate, count=4000, thin=1, seed=8)
    # x_01 = t, x_02 = 1 - t, x_21 = 2.7 - t, x_20 = 0.3 + t, x_10 = 0.4 - t, x_12 = 2.1 + t
    mass = (1 - probability) / (probability * rate)
    law = np.array([mass, 0.4, mass]) / (2 * mass + 0.4)
    free = networks[:, 0, 1]
    np.testing.assert_allclose(networks[:, 1, 0], 0.4 - free, atol=KEPT * 7)
    close(free == 0.0, law[0])
    close(networks[:, 1, 0] == 0.0, law[2])
    close(free, 0.2 * law[1] + 0.4 * law[2])
    inside = (free > 0.0) & (networks[:, 1, 0] > 0.0)
    close(free[inside] ** 2, 0.4**2 / 3)


def test_rates_that_differ_tilt_the_amounts():
    """The same with x_01 at a rate of 6 and all certain: an exponential of rate 6 - 1 cut off at 0.4."""
    rates = np.ones((3, 3))
    rates[0, 1] = 6.0
    networks = sample_gibbs([1, 2.5, 3], [0.7, 2.7, 3.1], 1.0, rate=rates, count=4000, thin=1, seed=5)
    # sign of each cell as x_01 grows: + 01, - 02, - 21, + 20, - 10, + 12
    slope = 5.0
    expected = 1 / slope - 0.4 / np.expm1(slope * 0.4)
    close(networks[:, 0, 1], expected)


def test_two_free_amounts_against_the_whole_polygon():
    """Two lenders of 3 and 4, loans of 2, 2.5 and 2.5: area, edges and corners, each with its weight."""
    probability, rate = 0.6, 0.8
    networks = sample_gibbs(
        [3, 4], [2, 2.5, 2.5], probability, rate=rate, count=2000, thin=4, bipartite=True, seed=1
    )
    mass = (1 - probability) / (probability * rate)
    corners = polygon(np.array([2.0, 2.5, 2.5]), 3.0)
    following = np.roll(corners, -1, axis=0)
    cross = corners[:, 0] * following[:, 1] - following[:, 0] * corners[:, 1]
    area = cross.sum() / 2
    centre = ((corners + following) * cross[:, None]).sum(axis=0) / (6 * area)
    length = np.abs(following - corners).max(axis=1)
    weights = np.concatenate([[area], mass * length, np.full(len(corners), mass**2)])
    places = np.concatenate([centre[None], (corners + following) / 2, corners])
    links = np.concatenate([[6], np.full(len(corners), 5), np.full(len(corners), 4)])
    share = weights / weights.sum()
    close(networks[:, 0, 0], share @ places[:, 0])
    close(networks[:, 0, 1], share @ places[:, 1])
    close((networks > 0).sum(axis=(1, 2)), share @ links)


def polygon(columns, row):
    """Corners, in order, of the first row's first two amounts: all cells of both rows at least zero."""
    # u <= c0, v <= c1, u + v <= row, u + v >= row - c2, u >= 0, v >= 0 as normals . x <= bounds
    normals = np.array([[1, 0], [0, 1], [1, 1], [-1, -1], [-1, 0], [0, -1]], float)
    bounds = np.array([columns[0], columns[1], row, columns[2] - row, 0, 0])
    found = []
    for i, j in itertools.combinations(range(6), 2):
        pair = normals[[i, j]]
        if abs(np.linalg.det(pair)) > 0.5:
            x = np.linalg.solve(pair, bounds[[i, j]])
            if (normals @ x <= bounds + 1e-12).all():
                found.append(x)
    found = np.array(found)
    middle = found.mean(axis=0)
    return found[np.argsort(np.arctan2(*(found - middle).T[::-1]))]


def test_more_probable_links_are_more_links():
    rows = np.random.default_rng(4).exponential(1.0, 8) + 0.5
    columns = np.roll(rows, 3)
    density = [(sample_gibbs(rows, columns, p, count=40, seed=6) > 0).sum() / 2240 for p in (0.2, 0.5, 0.8)]
    assert density[0] < density[1] < density[2]
    np.testing.assert_allclose(density[1:], [0.5, 0.8], atol=0.1)  # by the default rate; totals hold few down
    everything = sample_gibbs(rows, columns, 1.0, count=5, seed=6)
    assert ((everything > 0).sum(axis=(1, 2)) == 56).all()


@pytest.mark.parametrize(
    "name, valuation", [("EN", EisenbergNoe()), ("RV_0.98_0.98", RogersVeraart(0.98, 0.98))]
)
def test_default_frequencies_of_a_published_ensemble(name, valuation):
    """200 networks by the authors' sampler: bank 3 defaults in 51.5% of them under Eisenberg and Noe."""
    networks = sample_gibbs([1, 2.5, 3], [0.7, 2.7, 3.1], 0.5, rate=0.25, count=200, thin=5, seed=3)
    defaults = np.array([clear(x, 1.0, 1.0, valuation=valuation).defaulted for x in networks])
    published = np.array(VIGNETTE["ensemble_published"][name], float)
    error = np.sqrt(2 * published * (1 - published) / 200)
    assert (np.abs(defaults.mean(axis=0) - published) <= ERRORS * error).all()


THREE = [1.0, 1.0, 1.0]


@pytest.mark.parametrize(
    "draw, words",
    [
        (lambda: sample_fitness(THREE, THREE, 0.0), "density: got 0.0, expected more than 0 and at most 1"),
        (
            lambda: sample_fitness([1, 1, 0], THREE[:2] + [0], 0.9),
            "density: got 0.9, expected more than 0 and at",
        ),
        (lambda: sample_fitness(THREE, THREE, 0.5, count=0), "count: got 0, expected at least 1"),
        (lambda: sample_gibbs(THREE, THREE, 1.5), "probability: got 1.5"),
        (lambda: sample_gibbs(THREE, THREE, np.ones(2)), r"probability: got shape \(2,\), expected \(3, 3\)"),
        (lambda: sample_gibbs(THREE, THREE, 0.5, rate=0.0), "rate: got 0.0"),
        (lambda: sample_gibbs(THREE, THREE, 0.5, thin=0), "thin: got 0, expected at least 1"),
        (lambda: sample_gibbs(THREE, THREE, 0.5, count=0), "count: got 0, expected at least 1"),
        (lambda: sample_gibbs([3, 1, 1], [3, 1, 1], 0.5), r"rows\[0\]: got 3.0 besides known cells"),
    ],
)
def test_what_cannot_be_is_refused(draw, words):
    with pytest.raises(ValueError, match=words):
        draw()

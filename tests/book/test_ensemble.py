"""Networks drawn from a book: what is known stays, what must add up does, methods differ as they should."""

import dataclasses
import types

import numpy as np
import pandas as pd
import pytest

from engine.book.build import build_system
from engine.book.checks.claims import holdings_within_assets
from engine.book.ensemble import METHODS, fill, sample_holdings, with_holdings
from engine.book.load import load_book, shipped_book
from engine.book.marginals import marginals_of, truncated_dirichlet
from engine.book.parameters import Parameters
from engine.contagion.reconstruct import maximum_entropy

COUNT, DENSITY, SEED = 3, 0.3, 7


@pytest.fixture(scope="module")
def book():
    return load_book(shipped_book("ai_credit_2025"))


@pytest.fixture(scope="module")
def marginals(book):
    return marginals_of(book)


@pytest.fixture(scope="module")
def drawn(book):
    """Networks of the shipped book by method; the slow sampler on one network."""
    return {
        method: sample_holdings(book, method, 1 if method == "gibbs" else COUNT, DENSITY, SEED)
        for method in METHODS
    }


@pytest.mark.parametrize("method", METHODS)
def test_every_instrument_is_held_in_full(method, drawn):
    shares = drawn[method]
    assert (shares >= 0.0).all()
    assert np.abs(shares.sum(axis=1) - 1.0).max() < 1e-12


@pytest.mark.parametrize("method", METHODS)
def test_known_cells_stay(method, drawn, marginals):
    known = np.isfinite(marginals.known)
    assert known.sum() == 7
    assert np.abs(drawn[method] - marginals.known)[:, known].max() < 1e-12


@pytest.mark.parametrize("method", METHODS)
def test_named_holders_hold_all_that_others_do_not(method, drawn, marginals):
    """MUFG and SMBC are named for one loan without amounts: nobody else holds it."""
    place = marginals.instruments.index("ROWAN_LOAN")
    banks = [marginals.lenders.index(name) for name in ("MUFG", "SMBC")]
    assert np.abs(drawn[method][:, banks, place].sum(axis=1) - 1.0).max() < 1e-12
    assert (drawn[method][:, banks, place] > 0.0).all()


@pytest.mark.parametrize("method", METHODS)
def test_nobody_holds_more_than_its_assets(method, book, drawn):
    for shares in drawn[method]:
        assert not list(holdings_within_assets(with_holdings(book, shares).tables))


@pytest.mark.parametrize("method", METHODS)
def test_banks_keep_large_exposures_within_limits(method, drawn, marginals):
    """Known and named cells aside."""
    free = np.isnan(marginals.known) & ~marginals.named
    over = drawn[method] * marginals.size / marginals.largest[:, None]
    assert over[:, free].max() <= 1.0 + 1e-6


def test_class_shares_lie_within_their_bounds(book, drawn, marginals):
    """But for the first GPU facilities: all of their lenders are named, and most are private credit."""
    for prior in marginals.priors:
        size = marginals.size[prior.members]
        if size.sum() > 0.0 and not marginals.named[:, prior.members].any(axis=0).all():
            amounts = drawn["fitness"][:, :, prior.members] @ size / size.sum()
            shares = amounts @ marginals.member.T
            assert (shares >= prior.low - 1e-6).all() and (shares <= prior.high + 1e-6).all(), prior.name


def test_methods_share_the_totals_and_differ_in_their_links(drawn, marginals):
    totals = {method: shares[0] @ marginals.size for method, shares in drawn.items()}
    for method in METHODS:
        assert np.abs(totals[method] - totals["fitness"]).max() < 1e-6, method
    links = {method: np.count_nonzero(shares[0] > 1e-9) for method, shares in drawn.items()}
    assert links["minimum_density"] < 0.6 * links["maximum_entropy"]
    for method in ("fitness", "gibbs"):
        assert links["minimum_density"] < links[method] < links["maximum_entropy"]


def test_a_network_is_the_same_however_many_are_drawn(book, drawn):
    alone = sample_holdings(book, "fitness", 1, DENSITY, SEED)
    assert np.array_equal(alone[0], drawn["fitness"][0])
    assert not np.array_equal(drawn["fitness"][1], drawn["fitness"][0])
    assert not np.array_equal(sample_holdings(book, "fitness", 1, DENSITY, 8)[0], alone[0])


def test_the_mean_of_fitness_networks_is_near_the_smooth_one():
    """Links are drawn by the totals and amounts divided by their chance: on average independence."""
    rng = np.random.default_rng(1)
    rows, columns = rng.dirichlet(np.ones(8)) + 0.05, rng.dirichlet(np.ones(10)) + 0.02
    rows, columns = rows / rows.sum(), columns / columns.sum()
    free = np.full((8, 10), np.nan)
    found = np.stack([fill(rows, columns, free, "fitness", 0.7, seed) for seed in range(200)])
    smooth = maximum_entropy(rows, columns, bipartite=True)
    error = found.std(axis=0, ddof=1) / np.sqrt(len(found))
    # Fitting bends the mean of sparse links: by less than a fifth of what one network scatters.
    assert (np.abs(found.mean(axis=0) - smooth) < 4.0 * error + 0.2 * found.std(axis=0)).all()


def test_the_filled_holdings_give_the_system_of_the_book(book, marginals):
    import jax

    plain, again = (
        build_system(each, Parameters(), 12) for each in (book, with_holdings(book, marginals.filled))
    )
    for one, two in zip(jax.tree.leaves(plain), jax.tree.leaves(again), strict=True):
        np.testing.assert_array_equal(one, two)


def test_a_vehicle_s_assets_stay_what_they_are(book, drawn, marginals):
    tables = with_holdings(book, drawn["fitness"][0]).tables
    vehicle = (book["lenders"]["vehicle"] == 1).to_numpy()
    before = marginals.filled @ marginals.size + book["lenders"]["other_assets"]
    after = drawn["fitness"][0] @ marginals.size + tables["lenders"]["other_assets"]
    assert np.abs(after - before)[vehicle].max() < 1e-6


def test_the_cut_dirichlet_has_the_moments_of_rejection():
    alpha, low, high = np.array([11.0, 5.0, 4.0]), np.array([0.4, 0.1, 0.0]), np.array([0.7, 0.4, 0.25])
    rng = np.random.default_rng(2)
    found = np.array([truncated_dirichlet(alpha, low, high, rng) for _ in range(1000)])
    every = rng.dirichlet(alpha, 40_000)
    kept = every[((every >= low) & (every <= high)).all(axis=1)]
    assert np.abs(found.sum(axis=1) - 1.0).max() < 1e-12
    assert (found >= low - 1e-12).all() and (found <= high + 1e-12).all()
    error = np.sqrt(kept.var(axis=0) * (1 / len(found) + 1 / len(kept)))
    assert (np.abs(found.mean(axis=0) - kept.mean(axis=0)) < 4.0 * error).all()
    assert (np.abs(found.std(axis=0) / kept.std(axis=0) - 1.0) < 4.0 / np.sqrt(2 * len(found))).all()


def changed(book, **tables):
    """The book with other tables."""
    return dataclasses.replace(book, tables=types.MappingProxyType({**book.tables, **tables}))


def test_totals_that_nobody_can_carry_are_refused_by_name(book):
    """Nine tenths of 120 bn are more than hedge funds of 22 bn can hold."""
    table = book["priors"]
    private = table["class"] == "UNNAMED_PC"
    hedge = private & (table["holder_class"] == "HEDGE_FUND")
    greedy = table.assign(
        mean=table["mean"].where(~private, 0.025).where(~hedge, 0.9),
        low=table["low"].where(~private, 0.0).where(~hedge, 0.85),
        high=table["high"].where(~private, 0.15).where(~hedge, 0.95),
    )
    with pytest.raises(ValueError, match=r"lacks USD bn: HEDGE_FUND [78]\d.*; expected as much more capital"):
        sample_holdings(changed(book, priors=greedy), "fitness", 1, DENSITY, SEED)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("cosine", 1, 0.3), "network.method: got 'cosine', expected one of maximum_entropy"),
        (("fitness", 0, 0.3), "network.networks: got 0, expected at least 1"),
        (("fitness", 1, 0.0), "network.density: got 0.0, expected more than 0"),
    ],
)
def test_impossible_requests_are_refused(book, arguments, words):
    with pytest.raises(ValueError, match=words):
        sample_holdings(book, *arguments, SEED)


def priors(small, *rows):
    """Write a table of priors beside the worked book and load."""
    head = ["class", "holder_class", "mean", "low", "high", "concentration", "source", "grade"]
    small.write("priors", [head, *([*map(str, row), "20", "test", "C"] for row in rows)])
    return [(problem.file, problem.row, problem.column, problem.expected) for problem in small.problems()]


def test_good_priors_load(small):
    assert not priors(small, ("HY_CONV", "MUTUAL_FUND", 0.7, 0.5, 0.9), ("HY_CONV", "PENSION", 0.3, 0.1, 0.5))


def test_priors_are_checked(small):
    found = priors(
        small,
        ("HY_CONV", "MUTUAL_FUND", 0.5, 0.6, 0.9), ("HY_CONV", "PENSION", 0.3, 0.0, 0.5),
        ("GPU_DDTL_1_2", "PRIVATE_CREDIT", 0.5, 0.1, 0.55), ("GPU_DDTL_1_2", "BANK", 0.5, 0.0, 1.0),
        ("ABS", "HEDGE_FUND", 1.0, 0.0, 1.0),
    )  # fmt: skip
    said = {(row, column): expected for _, row, column, expected in found}
    assert (
        said[2, "mean"].startswith("shares of HY_CONV that sum to 1") or "a mean from low" in said[2, "mean"]
    )
    assert said[4, "high"] == "at least 0.6, what holdings with known = 1 give PRIVATE_CREDIT of GPU_DDTL_1_2"
    assert said[6, "holder_class"] == "a class that lenders of the book have"


def test_without_priors_the_filled_holdings_are_the_means(small):
    (small.folder / "priors.csv").unlink()
    book = load_book(small.folder)
    assert isinstance(book["priors"], pd.DataFrame) and book["priors"].empty
    m = marginals_of(book)
    drawn = sample_holdings(book, "maximum_entropy", 60, DENSITY, SEED) @ m.size
    error = drawn.std(axis=0, ddof=1) / np.sqrt(len(drawn))
    # Lognormal weights and capacities move means a little beside the noise.
    assert (np.abs(drawn.mean(axis=0) - m.filled @ m.size) < 4.0 * error + 0.05 * m.size.sum()).all()

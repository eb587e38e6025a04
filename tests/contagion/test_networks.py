"""Clearing payments: hand-worked networks, identities, both ends, numbers published elsewhere."""

import json
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from engine.contagion.debtrank import debtrank
from engine.contagion.networks import EisenbergNoe, LinearDebtRank, RogersVeraart, Threshold, clear

ORACLE = pathlib.Path(__file__).parents[1] / "oracles" / "02_eisenberg_noe_rogers_veraart.json"
PUBLISHED = json.loads(ORACLE.read_text(encoding="utf-8"))
AGREES = 1e-9
ROUNDING = 64 * float(np.finfo(np.float64).eps)

RING = np.array([[0.0, 4, 0], [0, 0, 4], [4, 0, 0]])
VALUATIONS = {
    "eisenberg_noe": EisenbergNoe(),
    "rogers_veraart": RogersVeraart(0.6, 0.8),
    "threshold": Threshold(0.4),
    "linear_debtrank": LinearDebtRank(0.3),
}


def random_network(seed, firms=7):
    """Liabilities, external assets and liabilities of a network in which some firms default."""
    rng = np.random.default_rng(seed)
    liabilities = rng.exponential(1.0, (firms, firms)) * (rng.random((firms, firms)) < 0.5)
    np.fill_diagonal(liabilities, 0.0)
    return liabilities, rng.exponential(1.5, firms), rng.exponential(1.0, firms)


def test_a_triangle_by_hand():
    """a (2 outside) owes b and c 3 each, b (1) owes c 4, c owes a 1: 2 + 1 = 3 of 6, and 1 + 1.5 of 4."""
    cleared = clear([[0, 3, 3], [0, 0, 4], [1, 0, 0]], [2, 1, 0])
    np.testing.assert_allclose(cleared.payments, [3.0, 2.5, 1.0], rtol=ROUNDING)
    np.testing.assert_allclose(cleared.recovery, [0.5, 0.625, 1.0], rtol=ROUNDING)
    np.testing.assert_allclose(cleared.equity, [0.0, 0.0, 3.0], rtol=ROUNDING)
    assert cleared.defaulted.tolist() == [True, True, False] and bool(cleared.converged)


def test_a_triangle_with_default_costs_by_hand():
    """The same with half of outside assets and four fifths of claims kept in default: 1 + 0.8, 0.5 + 0.72."""
    cleared = clear([[0, 3, 3], [0, 0, 4], [1, 0, 0]], [2, 1, 0], valuation=RogersVeraart(0.5, 0.8))
    np.testing.assert_allclose(cleared.payments, [1.8, 0.5 + 0.8 * 0.9, 1.0], rtol=ROUNDING)
    np.testing.assert_allclose(cleared.cost, [1.2, 0.5 + 0.2 * 0.9, 0.0], rtol=ROUNDING, atol=ROUNDING)


def test_outsiders_are_paid_alongside():
    cleared = clear([[0, 6], [0, 0]], [4, 0], [2, 0])
    np.testing.assert_allclose(cleared.payments, [4.0, 0.0], rtol=ROUNDING)
    assert float(cleared.equity[1]) == pytest.approx(3.0, rel=ROUNDING)


def test_a_ring_that_passes_on_all_but_a_thousandth():
    """p = a + 0.999 p: the plain iteration's error is a thousand residuals, the last step's none."""
    liabilities = 999.0 * np.roll(np.eye(3), 1, axis=1)
    cleared = clear(liabilities, 0.5, 1.0)
    np.testing.assert_allclose(cleared.payments, 0.5 * 1000, rtol=1000 * ROUNDING)
    assert bool(cleared.converged) and bool(cleared.defaulted.all())


def test_a_ring_without_outside_money_has_two_ends():
    """4 round the ring settles itself, or nobody pays because nobody does."""
    greatest, least = (clear(RING, 0.0, start=start) for start in ("greatest", "least"))
    np.testing.assert_array_equal(greatest.payments, 4.0)
    np.testing.assert_array_equal(least.payments, 0.0)
    assert not greatest.defaulted.any() and least.defaulted.all()
    assert bool(least.converged) and bool(greatest.converged)


def test_default_costs_have_two_ends_in_between():
    """Each needs 3 of the 4 it is owed: from above all pay; from below p = (1 + p) / 2, so p = 1."""
    greatest, least = (
        clear(RING, 1.0, valuation=RogersVeraart(0.5, 0.5), start=start) for start in ("greatest", "least")
    )
    np.testing.assert_array_equal(greatest.payments, 4.0)
    np.testing.assert_allclose(least.payments, 1.0, rtol=ROUNDING)


@pytest.mark.parametrize(
    "valuation, outside, least",
    [
        (Threshold(0.25), 1.0, 1.0),  # each has 1 + 1 for the 4 it owes and pays a quarter of that
        (Threshold(0.8), 1.0, 4.0),  # each has 1 + 3.2, which is enough: no second end
        (LinearDebtRank(1.0), 1.0, 0.0),  # equity 1 + 4 theta - 4 over 1: theta is one, or falls to nothing
        (LinearDebtRank(8.0), 8.0, 4.0),  # equity 8 + 4 theta - 4 over 8: theta = (1 + theta) / 2 has one end
    ],
)
def test_each_valuation_has_the_ends_that_a_ring_gives_it(valuation, outside, least):
    ends = [clear(RING, outside, valuation=valuation, start=start) for start in ("greatest", "least")]
    for end, payment in zip(ends, (4.0, least), strict=True):
        np.testing.assert_allclose(end.payments, payment, rtol=AGREES, atol=AGREES)
        assert bool(end.converged) and float(end.residual) <= 1e-13 * 4.0


def test_nobody_owes_anything():
    cleared = clear(np.zeros((3, 3)), [1, 0, 2])
    np.testing.assert_array_equal(cleared.payments, 0.0)
    np.testing.assert_array_equal(cleared.recovery, 1.0)
    assert not cleared.defaulted.any() and bool(cleared.converged)


def test_costs_of_nothing_are_eisenberg_and_noe():
    network = random_network(3)
    plain, free = clear(*network), clear(*network, valuation=RogersVeraart(1.0, 1.0))
    assert plain.defaulted.any() and not plain.defaulted.all()
    np.testing.assert_allclose(plain.payments, free.payments, rtol=ROUNDING)


@pytest.mark.parametrize("start", ["greatest", "least"])
@pytest.mark.parametrize("name", VALUATIONS)
@pytest.mark.parametrize("seed", range(5))
def test_money_is_neither_made_nor_lost(seed, name, start):
    """Equity of owners = external assets - paid to outsiders - cost, and payments are what V says."""
    liabilities, external, outside = random_network(seed)
    cleared = clear(liabilities, external, outside, valuation=VALUATIONS[name], start=start)
    owed = liabilities.sum(axis=1) + outside
    theta = np.asarray(cleared.payments) / owed
    owners = float(cleared.equity.sum())
    paid_outside = theta @ outside
    kept = external.sum() - paid_outside - np.asarray(cleared.cost).sum()
    assert owners == pytest.approx(kept, rel=ROUNDING)
    assert bool(cleared.converged)
    if name == "eisenberg_noe":
        np.testing.assert_allclose(cleared.cost, 0.0, atol=1e-12 * owed.max())
    if name == "rogers_veraart":
        received = liabilities.T @ theta
        lost = np.where(cleared.defaulted, 0.4 * external + 0.2 * received, 0.0)
        np.testing.assert_allclose(cleared.cost, lost, rtol=AGREES, atol=1e-12 * owed.max())


@pytest.mark.parametrize("name", VALUATIONS)
@pytest.mark.parametrize("seed", range(5))
def test_order(seed, name):
    """The greatest is not below the least, and more money for one lowers no payment."""
    liabilities, external, outside = random_network(seed)
    external = 2.0 * external  # enough for some equity, of which linear DebtRank pays
    slack = AGREES * liabilities.sum()
    most, least, richer = (
        np.asarray(clear(liabilities, assets, outside, valuation=VALUATIONS[name], start=start).payments)
        for assets, start in (
            (external, "greatest"),
            (external, "least"),
            (external + np.eye(7)[seed], "greatest"),
        )
    )
    assert (most >= least - slack).all() and (richer >= most - slack).all()
    assert most.sum() > 0.0


@pytest.mark.parametrize("seed", range(3))
def test_linear_debtrank_is_a_valuation(seed):
    """theta = 1 - min(h, 1), with h(0) the loss of external assets over book equity."""
    rng = np.random.default_rng(seed)
    exposures = rng.exponential(1.0, (6, 6)) * (1 - np.eye(6))
    book, loss = rng.uniform(4, 8, 6), rng.uniform(0, 5, 6)
    outside = np.full(6, 20.0)
    external = outside + exposures.sum(axis=0) - exposures.sum(axis=1) + book
    cleared = clear(exposures.T, external - loss, outside, valuation=LinearDebtRank(book))
    spread = debtrank(book, loss / book, exposures=exposures)
    np.testing.assert_allclose(cleared.recovery, 1 - np.minimum(spread.distress, 1), atol=AGREES)
    np.testing.assert_array_equal(cleared.defaulted, spread.defaulted)


def test_a_batch_is_each_alone():
    liabilities, external, outside = random_network(2)
    shocks = jnp.linspace(0.2, 1.0, 5)
    batch = jax.jit(jax.vmap(lambda left: clear(liabilities, left * external, outside)))(shocks)
    costs = jax.vmap(lambda a: clear(liabilities, external, outside, valuation=RogersVeraart(a, a)))(shocks)
    for i, left in enumerate(np.asarray(shocks)):
        alone = clear(liabilities, left * external, outside)
        np.testing.assert_allclose(batch.payments[i], alone.payments, rtol=AGREES)
        alone = clear(liabilities, external, outside, valuation=RogersVeraart(left, left))
        np.testing.assert_allclose(costs.payments[i], alone.payments, rtol=AGREES)


def test_rounds_are_the_most_there_may_be_and_the_residual_says_what_is_missing():
    """A chain of three defaults takes three rounds; before the first all pay, though one has 1 for its 4."""
    cleared = clear(4.0 * np.eye(4, k=1), [1, 0, 0, 0], rounds=0)
    np.testing.assert_array_equal(cleared.payments, [4.0, 4.0, 4.0, 0.0])
    assert int(cleared.rounds) == 0 and not bool(cleared.converged)
    assert float(cleared.residual) == pytest.approx(3.0)
    assert bool(clear(4.0 * np.eye(4, k=1), [1, 0, 0, 0], rounds=3).converged)


@pytest.mark.parametrize(
    "change, words",
    [
        ({"liabilities": -RING}, r"liabilities\[0, 1\]: got -4.0, expected a number at least 0"),
        ({"liabilities": RING + np.diag([0, 2, 0])}, r"liabilities\[1, 1\]: got 2.0, expected 0"),
        ({"liabilities": RING[:2]}, r"liabilities: got shape \(2, 3\), expected a square matrix"),
        ({"external_assets": [1, 2]}, r"external_assets: got shape \(2,\), expected \(3,\)"),
        ({"external_assets": [1, np.inf, 2]}, r"external_assets\[1\]: got inf"),
        ({"external_liabilities": [1, -2, 0]}, r"external_liabilities\[1\]: got -2.0"),
        ({"start": "middle"}, "start: got 'middle', expected greatest or least"),
    ],
)
def test_what_cannot_be_is_refused(change, words):
    case = {"liabilities": RING, "external_assets": [1, 1, 1]} | change
    with pytest.raises(ValueError, match=words):
        clear(**case)


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: RogersVeraart(alpha=1.2), r"alpha: got 1.2, expected a number from 0 to 1"),
        (lambda: RogersVeraart(beta=[0.5, -0.1]), r"beta\[1\]: got -0.1"),
        (lambda: Threshold(2.0), r"recovery: got 2.0"),
        (lambda: LinearDebtRank([1.0, 0.0]), r"book\[1\]: got 0.0"),
    ],
)
def test_shares_lie_between_zero_and_one(make, words):
    with pytest.raises(ValueError, match=words):
        make()


@pytest.mark.parametrize("case", PUBLISHED["A_systemicrisk_three_bank"]["cases"], ids=lambda c: f"x={c['x']}")
def test_three_banks_as_computed_elsewhere(case):
    network = case["L_row_owes_col"], case["external_assets"], case["external_liabilities"]
    plain = clear(*network)
    np.testing.assert_allclose(plain.payments, case["EN_clearing_vector_total_payments"], rtol=AGREES)
    np.testing.assert_array_equal(plain.defaulted, np.bool_(case["EN_default"]))
    costly = clear(*network, valuation=RogersVeraart(0.5, 0.7))
    np.testing.assert_allclose(costly.payments, case["RV_alpha0.5_beta0.7_clearing"], rtol=AGREES)
    np.testing.assert_array_equal(costly.defaulted, np.bool_(case["RV_default"]))
    cascade = clear(*network, valuation=Threshold(0.0))
    np.testing.assert_array_equal(cascade.defaulted, np.bool_(case["cascade_zero_recovery_default"]))


@pytest.mark.parametrize("case", PUBLISHED["B_systemicrisk_vignette"]["cases"])
def test_a_published_example(case):
    assets, outside = (
        PUBLISHED["B_systemicrisk_vignette"][k] for k in ("external_assets", "external_liabilities")
    )
    for name, valuation in (
        ("EN_clearing_run", EisenbergNoe()),
        ("RV_0.98_0.98_clearing_run", RogersVeraart(0.98, 0.98)),
    ):
        cleared = clear(case["L"], assets, outside, valuation=valuation)
        np.testing.assert_array_equal(cleared.defaulted, np.bool_(case["published_default"]))
        np.testing.assert_allclose(cleared.payments, case[name], rtol=0, atol=1e-8)  # printed digits


@pytest.mark.parametrize("case", PUBLISHED["C_rogers_veraart_2013"]["cases"], ids=lambda c: c["name"])
def test_rogers_and_veraart_2013(case):
    firms = len(case["ea"])
    liabilities = np.zeros((firms, firms))
    for pair, amount in case.get("L_nonzero", {}).items():
        liabilities[tuple(int(i) for i in pair.split("->"))] = amount
    liabilities = np.asarray(case["L"]) if "L" in case else liabilities
    cleared = clear(liabilities, case["ea"], valuation=RogersVeraart(0.5, 0.5))
    np.testing.assert_allclose(cleared.payments, case["greatest_clearing"], atol=AGREES)
    if case.get("all_insolvent"):
        assert cleared.defaulted.all()
        at_first = np.asarray(case["ea"]) + liabilities.sum(axis=0) < liabilities.sum(axis=1)
        assert np.flatnonzero(at_first).tolist() == case["round0_insolvent"]

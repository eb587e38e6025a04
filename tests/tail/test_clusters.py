"""Defaults by quarter: dispersion of independent and of mixed borrowers, and errors as stated."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import binom

from engine.tail.clusters import ALL, DRAWS, WORST, count_law, dispersion, independent_worst, probabilities
from engine.tail.outcome import Outcome
from engine.tail.tally import init, merge, update
from tests.tail.samples import identical, of_losses, take

K = 4.0
"""Standard errors of the estimate."""

MONTHS, FIRMS = 12, 12
OWN = np.linspace(0.004, 0.05, FIRMS)
"""Probability of default of each firm in each month."""


def paths_of(month, weight=None):
    """Paths with these default months [firms, n], 0 for none, and nothing else."""
    base = of_losses(np.zeros((1, month.shape[1])), weight)
    cause = jnp.asarray(month > 0, jnp.int32)
    trace = jnp.zeros((MONTHS, 0, month.shape[1]), jnp.float32)
    return Outcome(
        **{**vars(base), "default_month": jnp.asarray(month, jnp.int32), "cause": cause, "trace": trace}
    )


def tally_of(paths):
    return update(init(1, 1, 0, FIRMS, MONTHS, 0), paths)


def geometric(random, own):
    """Months of default of firms that default with probability `own` [firms n] in each month."""
    month = np.ceil(np.log(random.random(own.shape)) / np.log1p(-own)).astype(int)
    return np.where(month > MONTHS, 0, month)


def independent(random, paths):
    return geometric(random, np.broadcast_to(OWN[:, None], (FIRMS, paths)))


def mixed(random, paths):
    """One path in five is a bust, with five times the probabilities."""
    return geometric(random, OWN[:, None] * np.where(random.random(paths) < 0.2, 5.0, 1.0))


def test_counts_of_one_path_by_hand():
    """Months 1, 3, 4, 6, 6 and 12: two, three, none and one a quarter, at most three, six in all."""
    month = np.zeros((FIRMS, 1), int)
    month[:6, 0] = 1, 3, 4, 6, 6, 12
    law = [count_law(tally_of(paths_of(month)), span)[0].argmax() for span in (0, 1, 2, 3, WORST, ALL)]
    assert law == [2, 3, 0, 1, 3, 6]


def test_independence_has_dispersion_one():
    tally = tally_of(paths_of(independent(np.random.default_rng(51), 200_000)))
    for span in (0, 1, 2, 3, ALL):
        found = dispersion(tally, span)
        assert abs(found.value - 1.0) < K * found.standard_error
        assert found.standard_error < 0.01


def test_dispersion_of_a_mixture():
    """Var(N) = E[Var(N | s)] + Var(E[N | s]) in the first quarter, over sum p (1 - p)."""
    tally = tally_of(paths_of(mixed(np.random.default_rng(52), 200_000)))
    each = np.stack([1 - (1 - OWN) ** 3, 1 - (1 - 5 * OWN) ** 3])
    within, between = (each * (1 - each)).sum(axis=1), each.sum(axis=1)
    variance = 0.8 * within[0] + 0.2 * within[1] + 0.16 * (between[1] - between[0]) ** 2
    whole = 0.8 * each[0] + 0.2 * each[1]
    found = dispersion(tally, 0)
    expected = variance / (whole * (1 - whole)).sum()
    assert expected > 2.0 and abs(found.value - expected) < K * found.standard_error


@pytest.mark.parametrize("draw", [independent, mixed])
@pytest.mark.parametrize("span", [1, ALL])
def test_stated_error_of_the_dispersion_is_its_spread(draw, span):
    random, replications = np.random.default_rng(53), 200
    found = [dispersion(tally_of(paths_of(draw(random, 2_000))), span) for _ in range(replications)]
    spread = np.std([each.value for each in found], ddof=1)
    stated = np.mean([each.standard_error for each in found])
    assert stated == pytest.approx(spread, rel=K / np.sqrt(2 * (replications - 1)))


def test_law_of_a_quarter_and_its_error():
    """Of twelve firms alike it is binomial."""
    random, paths = np.random.default_rng(54), 100_000
    tally = tally_of(paths_of(geometric(random, np.full((FIRMS, paths), 0.03))))
    law, error = count_law(tally, 0)
    expected = binom.pmf(np.arange(FIRMS + 1), FIRMS, 1 - 0.97**3)
    seen = expected * paths > 10
    assert (np.abs(law - expected)[seen] < K * error[seen]).all()
    np.testing.assert_allclose(error, np.sqrt(law * (1 - law) / paths), rtol=1e-9)


def test_worst_quarter_of_independent_firms_is_the_simulated_one():
    tally = tally_of(paths_of(independent(np.random.default_rng(55), 200_000)))
    law, error = count_law(tally, WORST)
    drawn = independent_worst(tally)
    assert drawn.sum() == pytest.approx(1.0)
    seen = law * DRAWS > 20
    both = np.sqrt(error**2 + drawn * (1 - drawn) / DRAWS)
    assert (np.abs(law - drawn)[seen] < K * both[seen]).all()


def test_weights_count_and_merging_is_exact():
    random = np.random.default_rng(56)
    paths = paths_of(mixed(random, 3_000), random.choice([0.5, 1.0, 2.0], 3_000))
    parts = merge(tally_of(take(paths, slice(1_000))), tally_of(take(paths, slice(1_000, 3_000))))
    assert identical(parts, tally_of(paths))
    weight = np.asarray(paths.weight)
    count = ((np.asarray(paths.default_month) > 0) & (np.asarray(paths.default_month) <= 3)).sum(axis=0)
    law, _ = count_law(parts, 0)
    np.testing.assert_allclose(law, np.bincount(count, weight, FIRMS + 1) / 3_000, rtol=1e-12)


def test_nobody_defaults():
    tally = tally_of(paths_of(np.zeros((FIRMS, 100), int)))
    assert np.isnan(dispersion(tally, ALL).value) and count_law(tally, WORST)[0][0] == 1.0
    assert independent_worst(tally)[0] == 1.0
    with pytest.raises(ValueError, match="span: got 4, expected a quarter from 0 to 3, or ALL"):
        probabilities(tally, 4)

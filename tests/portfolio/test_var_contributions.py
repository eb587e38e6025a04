"""VaR contributions of simulated portfolios: the exact law of the band, and errors against seeds."""

import numpy as np
import pytest

from engine.portfolio.contributions import euler_var_contributions
from engine.portfolio.portfolio import portfolio
from engine.portfolio.recursion import exact_distribution, shortfall_contributions
from engine.portfolio.simulate import portfolio_tail
from engine.tail.intervals import HALF_WIDTH

LEVEL = 0.95
POOL = dict(
    pd=np.repeat([0.01, 0.02, 0.04, 0.08], 10), exposure=np.tile([1.0, 2.0, 3.0, 5.0, 8.0], 8), loading=0.5
)


def simulated(seed, sampler="pseudo_random", groups=None):
    """Contributions and errors from 8,192 paths."""
    book = portfolio(POOL["pd"], POOL["exposure"], 1.0, POOL["loading"])
    result = portfolio_tail(book, (LEVEL,), paths=2**13, seed=seed, sampler=sampler)
    return *euler_var_contributions(book, result, LEVEL, groups), result


def exact():
    """E[L_k | 0.8 to 1.25 times as far in the tail], scaled to VaR: from ES contributions at both ends."""
    ends = [1.0 - factor * (1.0 - LEVEL) for factor in (1.25, 0.8)]
    wide, narrow = ((1.0 - end) * shortfall_contributions(**POOL, level=end) for end in ends)
    band = wide - narrow
    return band * exact_distribution(**POOL).value_at_risk(LEVEL) / band.sum()


@pytest.mark.parametrize("sampler", ["pseudo_random", "importance"])
def test_against_the_exact_law_of_the_band(sampler):
    parts, errors, result = simulated(7, sampler)
    assert parts.sum() == pytest.approx(result.table["var"][0], rel=1e-9)
    assert (np.abs(parts - exact()) < 4.0 * errors).all()


def test_errors_are_the_spread_of_seeds():
    """Of 24 seeds the deviations from their mean, in standard errors, have a mean square of about one."""
    runs = [simulated(seed)[:2] for seed in range(24)]
    parts, errors = (np.array(each) for each in zip(*runs, strict=True))
    spread = parts.std(axis=0, ddof=1)
    ratio = np.sqrt(np.mean(spread**2) / np.mean(errors**2))
    assert 0.7 < ratio < 1.4


def test_groups_add_up_with_the_error_of_their_sum():
    labels = np.repeat(["rare", "often"], 20)
    parts, errors, result = simulated(3)
    grouped, group_errors, _ = simulated(3, groups=labels)
    np.testing.assert_allclose(grouped, [parts[20:].sum(), parts[:20].sum()], rtol=1e-9)
    whole, error, _ = simulated(3, groups=np.zeros(40))
    row = result.table.iloc[0]
    assert float(whole[0]) == pytest.approx(row["var"], rel=1e-9)
    assert float(error[0]) == pytest.approx((row.var_hi - row.var_lo) / (2.0 * HALF_WIDTH), rel=1e-6)
    assert (group_errors >= errors.max() * 0.5).all()


def test_what_cannot_be_is_refused():
    book = portfolio(POOL["pd"], POOL["exposure"], 1.0, 0.5)
    result = portfolio_tail(book, (LEVEL,), paths=2**10, sampler="antithetic")
    with pytest.raises(ValueError, match="sampler: got 'antithetic', expected pseudo_random or importance"):
        euler_var_contributions(book, result, LEVEL)
    plain = portfolio_tail(book, (LEVEL,), paths=2**10)
    with pytest.raises(ValueError, match="level: got 1.0"):
        euler_var_contributions(book, plain, 1.0)
    with pytest.raises(ValueError, match=r"groups: got shape \(2,\), expected \(40,\)"):
        euler_var_contributions(book, plain, LEVEL, [0, 1])

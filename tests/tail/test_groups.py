"""The system loss by group of paths against the same sums over the paths themselves."""

import jax.numpy as jnp
import numpy as np
import pytest

from engine.paths.simulate import break_groups, break_quarter
from engine.tail import groups, measures
from engine.tail.histogram import LOSS
from engine.tail.tally import init, update
from tests.tail.samples import of_losses, relative_error

COUNT = 20_000


@pytest.fixture(scope="module")
def sample():
    """Losses, groups and their tally: three groups with different laws, a fourth without paths."""
    random = np.random.default_rng(5)
    group = random.choice(3, COUNT, p=[0.5, 0.3, 0.2]).astype(np.int32)
    loss = np.float32(random.lognormal(2.0 + 0.5 * group, 0.7))
    paths = of_losses(loss[None])
    paths = type(paths)(**{**vars(paths), "group": jnp.asarray(group)})
    return loss.astype(np.float64), group, update(init(1, 1, 0, 0, 1, 0, groups=4), paths)


def test_shares_add_up_and_are_those_of_the_sample(sample):
    loss, group, tally = sample
    found = [groups.probability(tally, place) for place in range(4)]
    np.testing.assert_allclose(found, np.bincount(group, minlength=4) / COUNT, rtol=1e-12)


def test_law_within_a_group(sample):
    loss, group, tally = sample
    for place in range(3):
        own = loss[group == place]
        found = measures.expected_loss(groups.group_losses(tally, place))
        assert found.value == pytest.approx(own.mean(), rel=relative_error(LOSS))
        assert found.standard_error == pytest.approx(own.std() / np.sqrt(own.size), rel=1e-2)
        worst = np.sort(own)[-round(0.05 * own.size) :].mean()
        tail = measures.tail(groups.group_losses(tally, place), 0.95)
        assert tail.expected_shortfall == pytest.approx(worst, rel=0.01)


def test_tail_shares_are_those_of_the_worst_paths(sample):
    loss, group, tally = sample
    worst = np.argsort(loss)[-round(0.01 * COUNT) :]
    want = np.bincount(group[worst], minlength=4) / worst.size
    got = groups.tail_shares(tally, 0.99)
    assert got.sum() == pytest.approx(1.0)
    # The bin at VaR is shared in proportion to all its paths: a few of them may be on the other side.
    np.testing.assert_allclose(got, want, atol=3.0 / worst.size)


def test_a_group_without_paths_is_refused(sample):
    with pytest.raises(ValueError, match="group 3 has no paths"):
        groups.group_losses(sample[2], 3)


def test_break_quarter_is_that_of_the_first_month_outside_the_boom():
    regime = np.zeros((12, 5), np.float32)
    regime[0:, 1] = 1.0
    regime[2:4, 2] = 2.0
    regime[3:, 3] = 1.0
    regime[11:, 4] = 2.0
    assert break_quarter(jnp.asarray(regime)).tolist() == [4, 0, 0, 1, 3]
    assert break_groups(12) == ("1", "2", "3", "4", "unbroken")

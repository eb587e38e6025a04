"""Expected loss, VaR and ES against closed forms, and against the unbinned sample."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import expon, lognorm, norm

from engine.tail.histogram import LOSS
from engine.tail.intervals import es_error
from engine.tail.measures import (
    Losses,
    binned,
    column_losses,
    counted_paths,
    expected_loss,
    expected_shortfall,
    from_losses,
    locate,
    tail,
    value_at_risk,
)
from engine.tail.tally import init
from tests.tail.samples import of_losses, relative_error, tally_of

PATHS = 200_000
LEVELS = (0.9, 0.99, 0.999)
K = 4.0
"""Standard errors: one of the 27 comparisons fails by chance with probability 0.2%."""


def lognormal_shortfall(law, level):
    sigma, scale = law.args[0], law.kwds["scale"]
    return scale * np.exp(sigma**2 / 2) * norm.cdf(sigma - norm.ppf(level)) / (1 - level)


def normal_shortfall(law, level):
    mean, deviation = law.args
    return mean + deviation * norm.pdf(norm.ppf(level)) / (1 - level)


LAWS = (
    (expon(scale=20.0), lambda law, level: law.ppf(level) + 20.0),
    (lognorm(0.8, scale=20.0), lognormal_shortfall),
    (norm(100.0, 20.0), normal_shortfall),
)
SHIFT, DEFENSIVE = 2.0, 0.2


def lognormal_sample(random, paths):
    """Losses 20 exp(0.8 z), z from a mixture of the nominal and a shifted normal, and likelihood ratios."""
    z = random.standard_normal(paths) + SHIFT * (random.random(paths) > DEFENSIVE)
    return 20.0 * np.exp(0.8 * z), 1.0 / (DEFENSIVE + (1 - DEFENSIVE) * np.exp(SHIFT * z - SHIFT**2 / 2))


@pytest.fixture(scope="module")
def tally():
    random = np.random.default_rng(11)
    return tally_of(of_losses(np.stack([law.rvs(PATHS, random_state=random) for law, _ in LAWS])))


@pytest.fixture(scope="module")
def tilted():
    """Lognormal losses with likelihood ratios."""
    losses, weight = lognormal_sample(np.random.default_rng(12), PATHS)
    return tally_of(of_losses(losses[None], weight))


@pytest.mark.parametrize("column", range(3))
def test_closed_forms_of_plain_paths(tally, column):
    law, shortfall = LAWS[column]
    losses = column_losses(tally, 0, column)
    mean = expected_loss(losses)
    assert mean.standard_error == pytest.approx(law.std() / np.sqrt(PATHS), rel=0.02)
    assert abs(mean.value - law.mean()) < K * mean.standard_error
    for level in LEVELS:
        quantile = law.ppf(level)
        error = np.sqrt(level * (1 - level) / PATHS) / law.pdf(quantile)
        assert abs(value_at_risk(losses, level) - quantile) < K * error
        assert abs(expected_shortfall(losses, level) - shortfall(law, level)) < K * es_error(losses, level)


@pytest.mark.parametrize("self_normalised", [False, True])
def test_closed_forms_under_importance_sampling(tilted, self_normalised):
    law, shortfall = LAWS[1]
    losses = column_losses(tilted, 0, self_normalised=self_normalised)
    mean = expected_loss(losses)
    assert abs(mean.value - law.mean()) < K * mean.standard_error
    for level in LEVELS:
        error = es_error(losses, level)
        quantile = law.ppf(level)
        assert abs(expected_shortfall(losses, level) - shortfall(law, level)) < K * error
        # At most the error plain paths would have: the shift only helps beyond these levels.
        plain = np.sqrt(level * (1 - level) / PATHS) / law.pdf(quantile)
        assert abs(value_at_risk(losses, level) - quantile) < K * plain


def test_likelihood_ratios_make_the_far_tail_more_precise(tally, tilted):
    plain, shifted = column_losses(tally, 0, 1), column_losses(tilted, 0)
    ratio = column_losses(tilted, 0, self_normalised=True)
    assert es_error(shifted, 0.999) < es_error(ratio, 0.999) < es_error(plain, 0.999) / 3


def test_the_mean_weight_corrects_the_expected_loss():
    """On 400 runs: unbiased, errors that cover, and the smaller by the correlation of w L and w."""
    truth, random = 20.0 * np.exp(0.8**2 / 2), np.random.default_rng(18)
    runs, paths = 400, 2000
    found, uncorrected = [], []
    for _ in range(runs):
        x, w = lognormal_sample(random, paths)
        found.append(expected_loss(from_losses(x, w, self_normalised=False)))
        uncorrected.append((w * x).mean())
    value, error = np.asarray([(e.value, e.standard_error) for e in found]).T
    assert abs(value.mean() - truth) < K * value.std() / np.sqrt(runs)
    # The spread of 400 values is known to 1/sqrt(800), 3.5%.
    assert ((value - truth) / error).std() == pytest.approx(1.0, abs=K / np.sqrt(2 * runs))
    x, w = lognormal_sample(random, 10**6)
    left = np.sqrt(1.0 - np.corrcoef(w * x, w)[0, 1] ** 2)
    assert left < 1.0 - K / np.sqrt(runs), "too little is gained for the next line to notice"
    assert value.std() / np.std(uncorrected) == pytest.approx(left, rel=K / np.sqrt(runs))


def test_a_loss_that_is_always_the_same_is_known_exactly():
    w = lognormal_sample(np.random.default_rng(19), 500)[1]
    found = expected_loss(from_losses(np.full(500, 64.0), w, self_normalised=False))
    assert abs(w.mean() - 1.0) > 0.01
    assert found.value == pytest.approx(64.0, rel=1e-12)
    assert found.standard_error == pytest.approx(0.0, abs=1e-5)


def test_corrected_parts_still_add_up():
    """The slope is linear in the loss, up to half a bin in the sum of w^2 L."""
    random = np.random.default_rng(20)
    x, w = lognormal_sample(random, 2000)
    part = x * random.random(2000)
    whole, one, other = (
        expected_loss(from_losses(each, w, self_normalised=False)).value for each in (x, part, x - part)
    )
    slack = relative_error(LOSS) * whole * abs(w.mean() - 1.0) * 2 * np.mean(w**2) / w.var()
    assert abs(one + other - whole) <= slack


@pytest.mark.parametrize("noise", [0.0, 1e-5])
def test_weights_all_alike_correct_nothing(noise):
    random = np.random.default_rng(21)
    x = random.lognormal(3.0, 1.0, 5000).astype(np.float32).astype(np.float64)
    losses = from_losses(x, 1.0 + noise * random.standard_normal(5000), self_normalised=False)
    found, mean = expected_loss(losses), float(losses.loss.sum()) / 5000
    assert found.value == mean
    assert found.standard_error == np.sqrt((losses.squared_loss / 5000 - mean**2) / 5000)


def sample_tail(x: np.ndarray, w: np.ndarray, level: float) -> tuple[float, float]:
    """VaR and ES of the sample itself: VaR = inf{x : P(L > x) <= 1 - level}."""
    order = np.argsort(-x)
    x, w = x[order], w[order]
    mass = (1.0 - level) * w.sum()
    above = np.concatenate([[0.0], np.cumsum(w)[:-1]])
    last = int(np.flatnonzero(above <= mass * (1 + 1e-12))[-1])
    return x[last], (np.sum((w * x)[:last]) + (mass - above[last]) * x[last]) / mass


losses_in_range = st.floats(0.5, 4000.0, width=32)


@settings(deadline=None, derandomize=True)
@given(
    st.lists(st.tuples(losses_in_range, st.integers(1, 5)), min_size=24, max_size=24),
    st.lists(st.sampled_from([64.0, 64.125, 64.2]), min_size=24, max_size=24),
    st.sampled_from([0.5, 0.75, 0.9, 0.96]),
    st.booleans(),
)
def test_binning_moves_var_and_es_by_at_most_half_a_bin(drawn, crowded, level, crowd):
    x, w = np.asarray(drawn, np.float64).T
    x = np.asarray(crowded, np.float32).astype(np.float64) if crowd else x
    found = tail(binned(x, w), level)
    var, es = sample_tail(x, w, level)
    slack = relative_error(LOSS) * (1 + 1e-9)
    assert abs(found.value_at_risk - var) <= slack * var
    inside = found.fraction * binned(x, w).weight[found.bin] / found.mass
    assert abs(found.expected_shortfall - es) <= slack * inside * found.inside + 1e-12 * es
    assert found.expected_shortfall >= found.value_at_risk * (1 - 1e-12)


def test_a_single_atom_is_read_within_the_guarantee():
    losses = binned(np.full(1000, 64.0))
    for level in (0.1, 0.5, 0.999):
        assert value_at_risk(losses, level) == pytest.approx(64.0, rel=relative_error(LOSS))
        assert expected_shortfall(losses, level) == pytest.approx(64.0, rel=relative_error(LOSS))


def test_an_evenly_filled_bin_is_read_as_if_unbinned():
    # Uniform losses on the one bin [64, 64.25): VaR = 64 + a / 4 and ES = 64 + (1 + a) / 8, to a grid step.
    step = 0.25 / 10_000
    losses = binned(np.arange(64.0 + step / 2, 64.25, step))
    for level in (0.1, 0.5, 0.9):
        assert value_at_risk(losses, level) == pytest.approx(64.0 + level / 4, abs=step)
        assert expected_shortfall(losses, level) == pytest.approx(64.0 + (1 + level) / 8, abs=step)


def test_measures_rise_with_the_level(tally):
    losses = column_losses(tally, 0, 1)
    levels = np.linspace(0.01, 0.9999, 300)
    var, es = np.asarray([(value_at_risk(losses, a), expected_shortfall(losses, a)) for a in levels]).T
    assert (np.diff(var) >= 0).all() and (np.diff(es) >= 0).all() and (es >= var).all()


def test_a_weight_of_two_is_a_path_twice():
    x = np.random.default_rng(13).lognormal(3.0, 1.0, 500).astype(np.float32).astype(np.float64)
    w = np.random.default_rng(14).integers(1, 4, 500)
    once, repeated = from_losses(x, w), from_losses(np.repeat(x, w))
    for measure in (value_at_risk, expected_shortfall):
        assert measure(once, 0.95) == pytest.approx(measure(repeated, 0.95), rel=1e-12)
    assert expected_loss(once).value == pytest.approx(expected_loss(repeated).value, rel=1e-12)


def test_losses_too_small_to_tell_apart_are_their_mean():
    losses = binned(np.concatenate([np.zeros(90), np.full(10, 5.0)]))
    assert value_at_risk(losses, 0.5) == 0.0
    assert expected_shortfall(losses, 0.5) == pytest.approx(1.0, rel=1e-12)


def test_arrays_and_paths_give_the_same_losses():
    x = np.random.default_rng(15).lognormal(3.0, 1.0, 2000).astype(np.float32)
    w = np.random.default_rng(16).uniform(0.5, 2.0, 2000).astype(np.float32)
    arrays = binned(x, w, self_normalised=False)
    paths = column_losses(tally_of(of_losses(x[None], w)), 0)
    # Fixed point rounds each path by half a unit at most: 2^-25 of a loss, 2^-29 and 2^-33 of weights.
    np.testing.assert_allclose(paths.loss, arrays.loss, atol=2000 * 2.0**-25)
    np.testing.assert_allclose(paths.weight, arrays.weight, atol=2000 * 2.0**-29)
    np.testing.assert_allclose(paths.square, arrays.square, atol=2000 * 2.0**-33)
    assert paths.squared_loss == pytest.approx(arrays.squared_loss, rel=2.0**-23)
    assert paths.paths == arrays.paths == 2000


def test_exactly_the_worst_ten_of_a_thousand_lie_beyond_the_99_percent_level():
    bin_of_ten, fraction = locate(np.asarray([900.0, 90.0, 10.0]), (1.0 - 0.99) * 1000)
    assert (bin_of_ten, fraction) == (1, pytest.approx(0.0, abs=1e-12))
    assert locate(np.asarray([90.0, 10.0]), (1.0 - 0.9) * 100)[0] == 0


def test_one_path_is_a_tally():
    assert counted_paths(tally_of(of_losses(np.asarray([[3.0]])))) == 1


def test_nonsense_is_refused():
    losses = from_losses(np.asarray([1.0, 2.0]))
    for level in (0.0, 1.0, 99.0):
        with pytest.raises(ValueError, match="level: got .*, expected a number between 0 and 1"):
            tail(losses, level)
    with pytest.raises(ValueError, match="at least one path, got 0"):
        column_losses(init(1, 1, 0, 0, 1, 0), 0)
    for x, w in (([1.0, np.nan], None), ([1.0], [-1.0]), ([1.0], [0.0]), ([1.0, 2.0], [1.0])):
        with pytest.raises(ValueError, match="losses"):
            from_losses(np.asarray(x), None if w is None else np.asarray(w))


@pytest.mark.parametrize("value", [0.1, 0.2, 0.7, 1.1])
def test_a_loss_is_not_beyond_itself(value):
    """Whatever the rounding of three times a tenth over three."""
    assert from_losses([value] * 3 + [2 * value]).beyond(value).value == 0.25


def test_what_is_not_known_of_a_bin_is_in_the_error():
    """All losses in one bin, about the one asked for: half of them may be beyond it, or none, or all."""
    p = binned(np.full(1000, 15.0)).beyond(15.0)
    assert 0.0 < p.value < 1.0
    drawn = np.sqrt(p.value * (1.0 - p.value) / 1000)
    assert p.standard_error == pytest.approx(np.hypot(drawn, 1.0 / np.sqrt(12.0)), rel=1e-12)


@pytest.mark.parametrize(
    ("mean", "loss", "share"), [(9.5, 1.0, 1.0), (0.5, 9.0, 0.0), (5.0, 5.0, 0.5), (6.0, 5.0, 0.6)]
)
def test_a_bin_counts_in_part_where_its_mean_says(mean, loss, share):
    """One bin from 0 to 10 with four paths, and an empty one: 1/2 - (loss - mean) / 10, from none to all."""
    weight = np.array([4.0, 0.0])
    own = Losses(
        weight,
        weight,
        mean * weight,
        4.0 * mean**2,
        4,
        lower=np.array([0.0, 10.0]),
        upper=np.array([10.0, 20.0]),
    )
    assert own.beyond(loss).value == pytest.approx(share)


def test_the_error_of_a_mean_under_weights_on_any_scale():
    w, x = 0.37 * np.arange(1.0, 11.0), np.arange(10.0) ** 1.5
    mean = np.sum(w * x) / np.sum(w)
    estimate = expected_loss(from_losses(x, w))
    assert estimate.value == pytest.approx(mean, rel=1e-12)
    error = np.sqrt(np.sum(w**2 * (x - mean) ** 2)) / np.sum(w)
    assert estimate.standard_error == pytest.approx(error, rel=1e-12)

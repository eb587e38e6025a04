"""Samples in any unit and weights on any scale, what lies outside the bins, tiny weights, and NaN."""

import numpy as np
import pytest

from engine.tail import intervals, paired
from engine.tail.intervals import es_error, resolved, var_interval
from engine.tail.measures import (
    binned,
    column_losses,
    expected_loss,
    expected_shortfall,
    from_losses,
    value_at_risk,
)
from engine.tail.sample import median_interval, sample_tail
from engine.tail.tally import init, merge, update
from engine.tail.worst_case import worst_case
from tests.tail.samples import identical, of_losses

SAMPLE = np.arange(1.0, 1001.0)


@pytest.mark.parametrize("unit", [1e-9, 1.0, 1e3, 1e6, 1e30])
def test_a_sample_is_exact_in_any_unit(unit):
    losses = from_losses(SAMPLE * unit)
    assert value_at_risk(losses, 0.99) == 990.0 * unit
    assert expected_shortfall(losses, 0.99) == pytest.approx(995.5 * unit, rel=1e-14)
    assert expected_loss(losses).value == pytest.approx(500.5 * unit, rel=1e-14)
    worst, near = (
        worst_case(from_losses(SAMPLE * each), 0.99, 0.005).expected_shortfall for each in (unit, 1.0)
    )
    assert worst == pytest.approx(near * unit, rel=1e-6) and near > 995.5


def test_gains_and_losses_of_a_sample_are_told_apart():
    losses = from_losses(SAMPLE - 995.0)
    assert value_at_risk(losses, 0.5) == -495.0 and value_at_risk(losses, 0.99) == -5.0
    assert expected_shortfall(losses, 0.9) == pytest.approx(-44.5)


@pytest.mark.parametrize("scale", [1e-250, 1e-20, 1.0, 1e20, 1e250])
def test_weights_on_any_scale_are_the_same(scale):
    weights = np.exp(np.random.default_rng(0).normal(0.0, 0.5, 1000))
    tail = sample_tail(SAMPLE, 0.95, weights * scale)
    assert (tail.value_at_risk, round(tail.expected_shortfall, 4), round(tail.es_error, 4)) == (
        944.0,
        972.7327,
        5.1649,
    )
    losses = from_losses(SAMPLE, weights * scale)
    assert value_at_risk(losses, 0.95) == 944.0 and es_error(losses, 0.95) == pytest.approx(5.1649, abs=5e-5)


@pytest.mark.parametrize("ratios", [False, True])
@pytest.mark.parametrize("level", [0.3, 0.9])
def test_errors_of_bins_without_width_are_those_of_the_sample(ratios, level):
    """Also where the mean excess is as large as the excess, which a wrong sign would add."""
    weights = np.exp(np.random.default_rng(1).normal(0.0, 0.5, 1000))
    weights /= weights.mean()
    exact = sample_tail(SAMPLE, level, weights, likelihood_ratios=ratios)
    losses = from_losses(SAMPLE, weights, self_normalised=not ratios)
    assert es_error(losses, level) == pytest.approx(exact.es_error, rel=1e-9)
    assert intervals.effective_beyond(losses, level) == pytest.approx(exact.effective_paths, rel=1e-9)
    found = var_interval(losses, level)
    # The sample counts the loss at VaR whole, the bins its part: one loss of a thousand.
    assert found.lower == pytest.approx(exact.var_lower, abs=2.0) and found.upper == pytest.approx(
        exact.var_upper, abs=2.0
    )


def test_a_scale_brings_losses_into_the_bins():
    millions = SAMPLE * 1e6
    losses = binned(millions, scale=2.0**-20, unit="USD")
    assert value_at_risk(losses, 0.99) == pytest.approx(990.0e6, rel=1 / 512)
    assert expected_shortfall(losses, 0.99) == pytest.approx(995.5e6, rel=1 / 512)
    assert "8,192" not in (resolved(losses, 0.9) or "")


@pytest.mark.parametrize("scale", [2.0**-4, 2.0**2])
def test_a_tally_is_read_in_the_unit_its_losses_had(scale):
    x = np.random.default_rng(2).lognormal(3.0, 1.0, 2000).astype(np.float32).astype(np.float64)
    plain, scaled = (
        column_losses(update(init(1, 1, 0, 0, 1, 0, groups=3), of_losses((x * by)[None])), 0, scale=by)
        for by in (1.0, scale)
    )
    for measure in (value_at_risk, expected_shortfall, es_error):
        assert measure(scaled, 0.9) == pytest.approx(measure(plain, 0.9), rel=1e-6)
    assert expected_loss(scaled).standard_error == pytest.approx(
        expected_loss(plain).standard_error, rel=1e-6
    )


def test_what_lies_outside_the_bins_is_counted_and_said():
    high = binned(np.concatenate([np.full(990, 1.0), np.full(10, 1e6)]))
    assert "Losses of 8,192 USD bn or more, or not numbers, on 0.01 of the paths" in resolved(high, 0.5)
    low = binned(np.concatenate([np.full(900, 0.0002), np.full(100, 5.0)]), scale=1.0)
    assert "VaR at the 50% level lies among losses below 0.000977 USD bn, 0.9 of the paths" in resolved(
        low, 0.5
    )
    assert resolved(binned(np.concatenate([np.zeros(900), np.full(100, 5.0)])), 0.5) is None
    gains = binned(np.concatenate([np.full(900, -3.0), np.full(100, 5.0)]))
    assert "lies among losses below" in resolved(gains, 0.5)


def far_weights():
    """Ten thousand losses of which the worst half weighs 1e-6 each."""
    x = np.linspace(1.0, 100.0, 10_000).astype(np.float32)
    return x, np.where(np.arange(10_000) < 5000, 1.0, 1e-6).astype(np.float32)


def tally_of(x, weights, far):
    return update(init(1, 1, 0, 0, 1, 0, groups=3, far=far), of_losses(x[None], weights))


def test_squares_of_tiny_weights_are_resolved():
    x, weights = far_weights()
    level = 1.0 - 2e-7
    exact = sample_tail(x, level, weights.astype(np.float64), likelihood_ratios=True)
    losses = column_losses(tally_of(x, weights, far=True), 0)
    assert es_error(losses, level) == pytest.approx(exact.es_error, rel=0.01)  # half a bin
    assert intervals.effective_beyond(losses, level) == pytest.approx(exact.effective_paths, rel=0.01)
    assert resolved(losses, level) is None


def test_squares_that_are_not_resolved_are_said():
    x, weights = far_weights()
    plain = column_losses(tally_of(x, weights, far=False), 0)
    assert "beyond the 99.99998% level are so small that their squares were rounded" in resolved(
        plain, 1.0 - 2e-7
    )
    assert "squares" not in (resolved(plain, 0.75) or "")


def test_fine_squares_are_what_rounding_left_and_merge():
    x, weights = far_weights()
    one, other = (tally_of(x[part], weights[part], far=True) for part in (slice(0, 4000), slice(4000, None)))
    whole = tally_of(x, weights, far=True)
    assert identical(merge(*map(on_host, (one, other))).fine_squares, whole.fine_squares)
    squares = np.asarray(whole.squares).sum() / 2.0**32 + np.asarray(whole.fine_squares).sum() / 2.0**64
    assert squares - 5000.0 == pytest.approx(5000 * float(np.float32(1e-6)) ** 2, rel=1e-9)


def on_host(tally):
    import jax

    return jax.device_get(tally)


NAN = np.array([1.0, np.nan, 3.0])


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: from_losses(NAN), "losses"), (lambda: binned(NAN), "losses"),
        (lambda: sample_tail(NAN, 0.5), "losses"),
        (lambda: from_losses([1.0, 2.0, 3.0], NAN), "weights"), (lambda: median_interval(NAN), "values"),
        (lambda: paired.influence(NAN, 0.5), "losses"), (lambda: paired.influence([1.0], np.nan), "level"),
        (lambda: paired.mean_of(NAN), "values"), (lambda: paired.worst(NAN, 0.5), "losses"),
        (lambda: paired.change(NAN, NAN), "values"), (lambda: paired.ratio(NAN, [1.0, 2.0, 3.0]), "above"),
        (lambda: worst_case(from_losses([1.0, 2.0]), 0.5, np.nan), "radius"),
        (lambda: value_at_risk(from_losses([1.0, 2.0]), np.nan), "level"),
        (lambda: es_error(from_losses([1.0, 2.0]), np.nan), "level"),
        (lambda: column_losses(init(1, 1, 0, 0, 1, 0), 3), "horizon"),
        (lambda: binned([1.0], scale=np.nan), "scale"),
    ],
)  # fmt: skip
def test_nan_is_refused_by_name(call, name):
    with pytest.raises(ValueError, match=rf"^{name}(\[\d\])?: got"):
        call()

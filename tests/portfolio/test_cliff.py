"""The tranche cliff against closed forms, tiling, the large pool, and its own monotonicity."""

import numpy as np
import pytest
from scipy import integrate, stats

from engine.portfolio.cliff import tranche_cliff, tranche_loss_law
from engine.portfolio.vasicek import conditional_pd

PD, LGD = 0.1, 0.5
TRANCHES = {"equity": (0.0, 0.05), "BBB": (0.05, 0.15), "A": (0.15, 1.0)}


def test_one_name_is_one_name_whatever_its_correlation():
    for rho in (0.0, 0.4, 0.9, 1.0):
        loss, chance = tranche_loss_law(1, PD, LGD, rho, 0.15, 1.0)
        assert loss == pytest.approx(PD * (LGD - 0.15) / 0.85, rel=1e-9)
        assert chance == pytest.approx(PD, rel=1e-9)


def test_without_correlation_defaults_are_binomial():
    n = 12
    count = np.arange(n + 1)
    law = stats.binom.pmf(count, n, PD)
    loss, chance = tranche_loss_law(n, PD, LGD, 0.0, 0.05, 0.15)
    assert loss == pytest.approx(law @ np.clip(LGD * count / n - 0.05, 0.0, 0.1) / 0.1, rel=1e-10)
    assert chance == pytest.approx(law[LGD * count / n > 0.05 + 1e-12].sum(), rel=1e-10)


def test_full_correlation_makes_any_pool_one_name():
    assert tranche_loss_law(30, PD, LGD, 1.0, 0.15, 1.0) == pytest.approx(
        tranche_loss_law(1, PD, LGD, 0.0, 0.15, 1.0)
    )


@pytest.mark.parametrize("rho", [0.0, 0.2, 0.6, 0.95, 1.0])
def test_tranches_that_tile_lose_what_the_pool_loses(rho):
    parts = [
        tranche_loss_law(9, PD, LGD, rho, *edges)[0] * (edges[1] - edges[0]) for edges in TRANCHES.values()
    ]
    assert sum(parts) == pytest.approx(PD * LGD, rel=1e-8)


def test_many_tenants_are_the_large_pool():
    """The loss of a finite pool differs from that of an infinite one by about 1 / n."""
    rho = 0.3

    def given(z):
        return max(LGD * conditional_pd(PD, rho, z) - 0.15, 0.0) / 0.85 * stats.norm.pdf(z)

    limit = integrate.quad(given, -9.0, 9.0, limit=400)[0]
    few, many = (tranche_loss_law(n, PD, LGD, rho, 0.15, 1.0)[0] for n in (250, 1000))
    assert abs(many - limit) < 0.3 * abs(few - limit)
    assert many == pytest.approx(limit, rel=0.02)


def test_correlation_moves_loss_from_the_first_loss_to_the_senior_tranche():
    table = tranche_cliff([20], PD, LGD, np.linspace(0.0, 1.0, 11), TRANCHES)
    by_name = {name: part["expected_loss"].to_numpy() for name, part in table.groupby("tranche")}
    assert (np.diff(by_name["A"]) > 0.0).all()
    assert (np.diff(by_name["equity"]) < 0.0).all()


def test_fewer_tenants_never_help_the_senior_tranche():
    losses = tranche_cliff([100, 30, 10, 3, 1], PD, LGD, [0.1], {"A": (0.15, 1.0)})["expected_loss"]
    assert (np.diff(losses) > 0.0).all()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((0, PD, LGD, 0.2, 0.0, 1.0), "tenants: got 0"),
        ((3, 1.2, LGD, 0.2, 0.0, 1.0), "default_probability: got 1.2"),
        ((3, PD, -0.1, 0.2, 0.0, 1.0), "lgd: got -0.1"),
        ((3, PD, LGD, 1.1, 0.0, 1.0), "correlation: got 1.1"),
        ((3, PD, LGD, 0.2, 0.5, 0.5), "detachment: got 0.5"),
        ((3, PD, LGD, np.nan, 0.0, 1.0), "correlation: got nan"),
    ],
)
def test_bad_input_is_named(arguments, said):
    with pytest.raises(ValueError, match=said):
        tranche_loss_law(*arguments)

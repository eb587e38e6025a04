"""What a portfolio accepts and refuses, from arrays and from a CSV."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from engine.portfolio.portfolio import portfolio, read_portfolio


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(pd=[0.1, 1.2]), "pd: got obligor 1: 1.2, expected numbers from 0 to 1"),
        (dict(pd=[0.1, np.nan]), "pd: got obligor 1: nan"),
        (dict(pd=[]), "pd: got shape"),
        (dict(pd=[0.1], lgd=-0.1), "lgd: got obligor 0: -0.1"),
        (dict(pd=[0.1, 0.1], exposure=[1.0, -5.0]), "exposure: got obligor 1: -5, expected numbers"),
        (dict(pd=[0.1, 0.1], exposure=[1.0, 2.0, 3.0]), r"exposure: got shape \(3,\), expected \(2,\)"),
        (dict(pd=[0.1, 0.1], loadings=[[0.8, 0.7], [0.1, 0.2]]), "norm of loadings: got obligor 0: 1.06"),
        (dict(pd=[0.1], loadings=1.01), "norm of loadings: got obligor 0"),
        (dict(pd=[0.1], lgd_loadings=1.5), "norm of lgd_loadings"),
        (dict(pd=[0.1], dof=0.0), "dof: got 0.0, expected a positive number"),
        (dict(pd=[0.1], lgd_volatility=-1.0), "lgd_volatility: got obligor 0"),
    ],
)
def test_refusals_name_the_obligor(arguments, message):
    with pytest.raises(ValueError, match=message):
        portfolio(**arguments)


def test_thresholds_are_quantiles_of_the_copula_and_ends_of_pd_are_certain():
    book = portfolio([0.0, 0.01, 1.0], dof=None)
    assert np.isinf(book.threshold[0]) and np.isneginf(book.threshold[2])
    assert float(book.threshold[1]) == pytest.approx(stats.norm.isf(0.01), rel=1e-6)
    assert float(portfolio([0.01], dof=5.0).threshold[0]) == pytest.approx(stats.t(5).isf(0.01), rel=1e-6)


def test_mixing_is_the_quantile_of_the_chi_square():
    """Interpolated on 4,097 nodes over 14 standard deviations: within 1e-5 of ln sqrt(W / dof)."""
    book = portfolio([0.01], dof=4.0)
    normals = np.linspace(-6.0, 6.0, 1001)
    exact = np.sqrt(np.where(normals < 0.0, stats.chi2.isf(stats.norm.cdf(normals), 4.0),
                             stats.chi2.ppf(stats.norm.sf(normals), 4.0)) / 4.0)  # fmt: skip
    assert np.asarray(book.mixing(jnp.asarray(normals, jnp.float32))) == pytest.approx(exact, rel=3e-5)


def test_a_csv_gives_the_same_as_arrays(tmp_path):
    path = tmp_path / "obligors.csv"
    path.write_text(
        "name,pd,exposure,lgd,loading_1,loading_2\nA,0.01,10,0.4,0.5,0.1\nB,0.02,20,0.6,0.3,0.2\n"
    )
    book = read_portfolio(path)
    same = portfolio([0.01, 0.02], [10.0, 20.0], [0.4, 0.6], [[0.5, 0.1], [0.3, 0.2]])
    for ours, theirs in zip(vars(book).values(), vars(same).values(), strict=True):
        assert np.array_equal(ours, theirs)


def test_a_csv_is_refused_with_line_and_column(tmp_path):
    path = tmp_path / "obligors.csv"
    path.write_text("name,pd,exposure\nA,0.01,10\nB,much,20\n")
    with pytest.raises(ValueError, match="line 3, column pd: got 'much', expected a number"):
        read_portfolio(path)
    path.write_text("name,exposure\nA,10\n")
    with pytest.raises(ValueError, match="expected at least pd"):
        read_portfolio(path)

"""The classic one-period credit portfolio: obligors that default when common and own distress add up.

    X_k = s (a_k . Z + sqrt(1 - |a_k|^2) e_k),   obligor k defaults if X_k > F^-1(1 - p_k)

Z are standard normal factors, e_k the obligor's own; s = 1 is the Gaussian copula and s = sqrt(dof / W) with
one chi-square W for all the t copula (Li 2000; Glasserman and Li 2005, section 2). High factors are bad, so
that losses and factors rise together. Loss given default is a mean, or drawn as

    LGD_k = Phi(m_k + v_k (b_k . Z + sqrt(1 - |b_k|^2) h_k)),   E[LGD_k] = lgd_k

which can be worse when defaults are many (Andersen and Sidenius 2004, section 3).
"""

import pathlib

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float32
from numpy.typing import ArrayLike
from scipy import stats

from engine import arguments
from engine.portfolio.obligors import check_range, matrix, probabilities, vector
from engine.portfolio.reading import read_obligors

REACH = 7.0
"""Normals beyond which the table of the chi-square quantile stops; Phi(-7) = 1.3e-12."""
NODES = 4097
MOST_VOLATILITY = 100.0
MONEY = (1e-30, 1e30)
"""Exposures on the device are float32, which holds these and sums of them."""
LEAST_RESIDUAL = 1e-6
"""An obligor without a share of its own is given this one: its conditional default is a step."""


class Portfolio(eqx.Module):
    """Obligors on the device. Build with `portfolio` or `read_portfolio`; losses in the exposures' unit."""

    pd: Float[Array, "obligors"]
    exposure: Float[Array, "obligors"]
    lgd: Float[Array, "obligors"]  # mean
    loadings: Float[Array, "obligors factors"]
    threshold: Float[Array, "obligors"]  # F^-1(1 - pd)
    residual: Float[Array, "obligors"]  # sqrt(1 - |a|^2)
    lgd_mean: Float[Array, "obligors"]  # m
    lgd_volatility: Float[Array, "obligors"]  # v
    lgd_loadings: Float[Array, "obligors factors"]
    lgd_residual: Float[Array, "obligors"]
    log_mixing: Float32[Array, "nodes"]  # ln sqrt(W / dof) on a grid of normals; empty for the Gaussian
    random_lgd: bool = eqx.field(static=True)
    student: bool = eqx.field(static=True)

    @property
    def factors(self) -> int:
        """Normals a path needs: the factors and, for the t copula, the mixing variable's."""
        return self.loadings.shape[1] + int(self.student)

    @property
    def total(self) -> float:
        """Largest loss there can be."""
        largest = np.ones_like(self.lgd) if self.random_lgd else np.asarray(self.lgd)
        return float(np.sum(np.asarray(self.exposure, np.float64) * largest))

    def mixing(self, normal: Float[Array, "..."]) -> Float[Array, "..."]:
        """sqrt(W / dof) where W is the chi-square quantile at Phi(-normal): high normals are bad."""
        grid = jnp.linspace(-REACH, REACH, NODES, dtype=jnp.float32)
        return jnp.exp(jnp.interp(-normal, grid, self.log_mixing))


def portfolio(
    pd: ArrayLike,
    exposure: ArrayLike = 1.0,
    lgd: ArrayLike = 1.0,
    loadings: ArrayLike = 0.0,
    *,
    dof: float | None = None,
    lgd_volatility: ArrayLike = 0.0,
    lgd_loadings: ArrayLike = 0.0,
) -> Portfolio:
    """A portfolio from NumPy arrays, the copula Gaussian or, with `dof`, Student's t.

    Args: pd, default probabilities of the period; exposure, in any money unit; lgd, mean loss given default,
    a share; lgd_volatility v of the module's equation: [obligors] or one number for all. loadings a and
    lgd_loadings b [obligors factors], [obligors] for one factor, or one number. dof, degrees of freedom.
    Raises ValueError naming the obligors whose pd or lgd lies outside [0, 1], exposure or volatility is
    negative or too large or small for float32, loadings have a norm above one, or pandas labels differ.

    Example:
        >>> two = portfolio([0.01, 0.02], exposure=[3.0, 5.0], lgd=0.45, loadings=0.5)
        >>> two.loadings.shape, round(two.total, 2), two.threshold.round(2).tolist()
        ((2, 1), 3.6, [2.3299999237060547, 2.049999952316284])
    """
    pd = probabilities(
        pd,
        exposure=exposure,
        lgd=lgd,
        loadings=loadings,
        lgd_volatility=lgd_volatility,
        lgd_loadings=lgd_loadings,
    )
    n = len(pd)
    exposure, lgd, volatility = (
        vector(name, value, n)
        for name, value in (("exposure", exposure), ("lgd", lgd), ("lgd_volatility", lgd_volatility))
    )
    loadings = matrix("loadings", loadings, n)
    lgd_loadings = matrix("lgd_loadings", lgd_loadings, n, loadings.shape[1])
    check_range("lgd", lgd, 0.0, 1.0)
    check_range("exposure", exposure, 0.0)
    check_range("exposure", np.where(exposure == 0.0, MONEY[0], exposure), *MONEY)
    check_range("lgd_volatility", volatility, 0.0, MOST_VOLATILITY)
    for name, rows in (("loadings", loadings), ("lgd_loadings", lgd_loadings)):
        check_range(f"entries of {name}", np.abs(rows).max(axis=1, initial=0.0), 0.0)
        check_range(f"norm of {name}", np.linalg.norm(rows, axis=1), 0.0, 1.0 + 1e-9)
    if dof is not None:
        dof = arguments.positive("dof", dof)
    law = stats.norm if dof is None else stats.t(dof)
    threshold = law.isf(pd)
    for k in np.flatnonzero((pd > 0.0) & (pd < 1.0) & ~(np.abs(threshold) < MONEY[1])):
        raise ValueError(
            f"dof: got {dof:g}, expected more: the threshold of obligor {k}, PD {pd[k]:g}, is beyond float32"
        )
    residual = np.sqrt(np.clip(1.0 - np.sum(loadings**2, axis=1), LEAST_RESIDUAL**2, 1.0))
    middle = stats.norm.ppf(lgd) * np.sqrt(1.0 + volatility**2)
    arrays = {
        "pd": pd, "exposure": exposure, "lgd": lgd, "loadings": loadings, "threshold": threshold,
        "residual": residual, "lgd_mean": middle, "lgd_volatility": volatility, "lgd_loadings": lgd_loadings,
        "lgd_residual": np.sqrt(np.clip(1.0 - np.sum(lgd_loadings**2, axis=1), 0.0, 1.0)),
        "log_mixing": log_mixing(dof),
    }  # fmt: skip
    return Portfolio(
        **{name: jnp.asarray(array, jnp.float32) for name, array in arrays.items()},
        random_lgd=bool((volatility > 0.0).any()),
        student=dof is not None,
    )


def read_portfolio(path: str | pathlib.Path, dof: float | None = None) -> Portfolio:
    """A portfolio from a CSV of obligors.

    Columns: pd; optionally exposure, lgd, lgd_volatility; loadings as loading_1, loading_2, ... and those of
    LGD as lgd_loading_1, ..., by the numbers of their factors; others are ignored. `dof` as for `portfolio`.
    Raises ValueError for a missing pd, a row or cell that is not read as meant (naming line and column), a
    column twice or nearly of one of these names, and what `portfolio` refuses.

    Example:
        >>> read_portfolio("obligors.csv").exposure.tolist()  # doctest: +SKIP
        [3.0, 5.0]
    """
    return portfolio(**read_obligors(path), dof=dof)


def log_mixing(dof: float | None) -> np.ndarray:
    """ln sqrt(W / dof), W the chi-square quantile at Phi(z), for z on the grid of `Portfolio.mixing`."""
    if dof is None:
        return np.zeros(0)
    z = np.linspace(-REACH, REACH, NODES)
    # The upper half from the survival function: near one Phi loses the tail.
    quantile = np.where(
        z < 0.0, stats.chi2.ppf(stats.norm.cdf(z), dof), stats.chi2.isf(stats.norm.sf(z), dof)
    )
    return 0.5 * np.log(np.maximum(quantile, 1e-30) / dof)

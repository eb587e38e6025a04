"""A small portfolio and its exact law by enumeration, in plain NumPy; engine code is not used."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

NODES, SPAN = 401, 9.0


def exact_law(pd, exposure, lgd, loading, dof=None):
    """Losses of all 2^n sets of defaults, their probabilities, and each obligor's part.

    Trapezoid over the factor, and for the t copula over the normal that the mixing variable is a quantile of.
    """
    z = np.linspace(-SPAN, SPAN, NODES)
    weight = stats.norm.pdf(z) * (z[1] - z[0])
    threshold = stats.norm.isf(pd) if dof is None else stats.t(dof).isf(pd)
    scales, scale_weight = np.ones(1), np.ones(1)
    if dof is not None:
        scales, scale_weight = np.sqrt(stats.chi2(dof).ppf(stats.norm.cdf(z)) / dof), weight
        scales[z > 5.0] = np.sqrt(stats.chi2(dof).isf(stats.norm.sf(z[z > 5.0])) / dof)
    own = np.sqrt(1.0 - loading**2)
    sets = np.asarray(list(itertools.product((0, 1), repeat=len(pd))))
    probability = np.zeros(len(sets))
    for s, v in zip(scales, scale_weight, strict=True):
        p = stats.norm.cdf((loading * z[:, None] - threshold * s) / own)
        joint = np.ones((len(z), len(sets)))
        for k in range(len(pd)):
            joint *= np.where(sets[:, k], p[:, [k]], 1.0 - p[:, [k]])
        probability += v * (weight @ joint)
    parts = sets * exposure * lgd
    return parts.sum(axis=1), probability, parts


@pytest.fixture(scope="session")
def small():
    """Eight obligors of four kinds with losses that are all different."""
    pd = np.asarray([0.10, 0.05, 0.02, 0.08, 0.15, 0.03, 0.06, 0.01])
    exposure = np.asarray([1.0, 2.0, 7.0, 3.0, 1.5, 5.0, 2.5, 11.0])
    lgd = np.asarray([0.4, 0.6, 0.45, 0.5, 0.9, 0.35, 0.7, 0.55])
    loading = np.asarray([0.5, 0.3, 0.6, 0.4, 0.2, 0.5, 0.7, 0.45])
    return SimpleNamespace(pd=pd, exposure=exposure, lgd=lgd, loading=loading)

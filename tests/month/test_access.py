"""One firm that lenders lend less, and no other: its default rate on the same paths."""

import numpy as np
import pytest

from benchmarks.access import lent, needy
from engine.vocabulary import FORECLOSURE

K = 3.0
"""Standard errors by which a mean change must differ from none."""


def moved(before, after):
    """Mean change of paths that a flag marks, and its paired standard error."""
    change = after.astype(np.float64) - before.astype(np.float64)
    return change.mean(), change.std() / np.sqrt(change.size)


def defaulted(system, outcome, firm):
    """Paths on which a firm has defaulted."""
    return outcome.default_month[system.names.firms.index(firm)] > 0


@pytest.mark.parametrize("firm", ["CRWV", "IREN"])
def test_a_cloud_whose_contracts_need_chips_is_no_safer_with_less_access(firm, book, outcome_of):
    system = needy(book, firm)
    full = defaulted(system, outcome_of(system), firm)
    less, none = (defaulted(system, outcome_of(lent(system, [firm], share)), firm) for share in (0.3, 0.0))
    mean, error = moved(full, less)
    assert mean > K * error
    mean, error = moved(full, none)
    assert mean > K * error


def test_a_site_whose_tenant_pays_is_no_safer_where_nobody_refinances_it(five_years, base, outcome_of):
    sites = ("VANT_TX", "NM_ORCL", "ROWAN")
    closed = outcome_of(lent(five_years, sites, 0.0))
    for site in sites:
        mean, error = moved(defaulted(five_years, base, site), defaulted(five_years, closed, site))
        assert mean >= -K * error, site


def test_a_cloud_that_builds_beyond_its_contracts_is_safer_with_less_access(five_years, base, outcome_of):
    """CoreWeave plans several times what its contracts need; the rest is pledged and let at spot rents."""
    less = outcome_of(lent(five_years, ["CRWV"], 0.6))
    mean, error = moved(defaulted(five_years, base, "CRWV"), defaulted(five_years, less, "CRWV"))
    assert mean < -K * error
    cloud = five_years.names.firms.index("CRWV")
    foreclosed = [outcome.cause[cloud] == FORECLOSURE for outcome in (base, less)]
    assert moved(*foreclosed)[0] < mean, "fewer foreclosures, and nothing else, make it safer"

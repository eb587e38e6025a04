"""Plants of month 0 by hand: what contracts need in a year is bought, what they grow by is being installed.

Of the worked small book: OLD rents at 2.1 and NEW at 5.5 USD an hour, so a million units earn 8.76 x 0.7 x
rent = 12.8772 and 33.726 USD bn a year; the cloud pledges 40 thousand OLD and 30 thousand NEW, a capacity of
0.515088 + 1.01178 = 1.526868. Its contracts pay 0.5 (to 1.5 over 18 months) and 1: 1.5 today, 1.5 + 2/3 in a
year.
"""

import numpy as np
import pytest

from engine.book.build import build_system
from engine.book.load import load_book
from engine.book.parameters import Chips, Parameters

OLD, NEW = 8.76 * 0.7 * 2.1, 8.76 * 0.7 * 5.5
PLEDGED = 0.04 * OLD + 0.03 * NEW
CLOUD, HOST, SITE = 1, 2, 3


def plants(small, **numbers):
    """The plants of the book as it stands: owned [firms, gens] and online [firms]."""
    system = build_system(load_book(small.folder), Parameters(chips=Chips(**numbers)), 12)
    owned = np.zeros((len(system.names.firms), len(system.names.generations)))
    owned[system.plants.owner.group] = system.plants.owned
    return owned, np.asarray(system.plants.online)


def capacity(units, rent=(OLD, NEW, 0.0)):
    return float(units @ np.array(rent))


def test_the_mix_of_what_is_missing_is_that_of_the_pledges(small):
    """0.64 more than the pledges serve is needed in a year; 4 of 7 units are OLD."""
    owned, online = plants(small)
    missing = 1.5 + 2 / 3 - PLEDGED
    np.testing.assert_allclose(owned[CLOUD] / owned[CLOUD].sum(), [4 / 7, 3 / 7, 0.0], rtol=1e-6)
    assert capacity(owned[CLOUD]) == pytest.approx(missing, rel=1e-6)
    assert online[CLOUD] == pytest.approx(PLEDGED + missing - 2 / 3, rel=1e-6) == pytest.approx(1.5, rel=1e-6)


def test_who_sells_no_compute_has_no_plant(small):
    owned, online = plants(small)
    assert not owned[[0, HOST, SITE, 4, 5]].any() and not online[[0, HOST, SITE, 4, 5]].any()


def test_pledges_beyond_the_contracts_run_free(small):
    """A thousandth of either contract: nothing is bought, all but the growth of 0.000667 is online."""
    for row, annual, today in ((2, "0.0015", "0.0005"), (3, "0.001", "0.001")):
        small.set("contracts", row, "annual", annual)
        small.set("contracts", row, "start_annual", today)
    owned, online = plants(small)
    assert not owned.any()
    assert online[CLOUD] == pytest.approx(PLEDGED - 0.002 / 3, rel=1e-6)


def test_a_cloud_without_contracts_has_its_pledges_online(small):
    for table, row in (("security", 3), ("security", 2), ("contracts", 3), ("contracts", 2)):
        small.drop(table, row)
    small.set("loans", 4, "uncontracted_share", "1")
    small.set("firms", 3, "capex_contract", "")
    owned, online = plants(small)
    assert not owned.any()
    assert online[CLOUD] == pytest.approx(PLEDGED, rel=1e-6)


def test_without_pledges_the_mix_is_that_of_the_fleet(small):
    """2 million OLD and 1 million NEW are installed."""
    for table, row in (("pledges", 3), ("pledges", 2), ("security", 3), ("security", 2)):
        small.drop(table, row)
    for row in (2, 4):
        small.set("loans", row, "collateral", "0")
    owned, online = plants(small)
    need = 1.5 + 2 / 3
    units = need / (2 * OLD + NEW)
    np.testing.assert_allclose(owned[CLOUD], [2 * units, units, 0.0], rtol=1e-6)
    assert online[CLOUD] == pytest.approx(1.5, rel=1e-6)


def test_a_contract_yet_to_begin_is_bought_but_not_online(small):
    """From month 6 over 12 months to 1: 6/12 of it in a year, nothing today."""
    for column, value in (("start_annual", "0"), ("start_month", "6"), ("ramp_months", "12")):
        small.set("contracts", 3, column, value)
    owned, online = plants(small)
    ahead, today = 0.5 + 2 / 3 + 0.5, 0.5
    assert capacity(owned[CLOUD]) == pytest.approx(ahead - PLEDGED, rel=1e-6)
    assert online[CLOUD] == pytest.approx(today, rel=1e-6)


def test_a_contract_that_begins_after_a_year_is_not_yet_bought(small):
    for column, value in (("start_annual", "0"), ("start_month", "13"), ("ramp_months", "0")):
        small.set("contracts", 3, column, value)
    owned, online = plants(small)
    assert not owned.any()
    assert online[CLOUD] == pytest.approx(PLEDGED - 2 / 3, rel=1e-6)


def test_a_host_that_sells_compute_is_an_operator(small):
    """The hall's contract as one of compute: 0.2 a year, in the mix of the fleet, all of it online."""
    small.set("contracts", 4, "kind", "compute")
    owned, online = plants(small)
    assert capacity(owned[HOST]) == pytest.approx(0.2, rel=1e-6) == pytest.approx(online[HOST], rel=1e-6)
    np.testing.assert_allclose(owned[HOST, 0], 2 * owned[HOST, 1], rtol=1e-6)


def test_fewer_hours_need_more_chips(small):
    """At a utilisation of 0.6 the same contracts need more of the cloud's own."""
    owned, online = plants(small, utilisation=0.6)
    unit = 0.6 / 0.7
    assert capacity(owned[CLOUD]) * unit == pytest.approx(1.5 + 2 / 3 - PLEDGED * unit, rel=1e-6)
    assert online[CLOUD] == pytest.approx(1.5, rel=1e-6)

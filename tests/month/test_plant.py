"""Plants by hand: delivery, customers that leave, spot income, renewal rent, upkeep, seizure, sites."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest

from engine.month import contracts, plant
from engine.month.setting import Standing

T = 24
"""A month in which the clouds' contracts run."""


@pytest.fixture(scope="module")
def cloud(five_years):
    return five_years.names.firms.index("CRWV")


@pytest.fixture(scope="module")
def sold(five_years, cloud):
    """A contract of compute that the cloud sells and that still pays a year after month T."""
    table, row = five_years.contracts, five_years.calendar
    mine = (np.asarray(table.seller) == cloud) & (np.asarray(table.compute) > 0.0)
    return int(np.flatnonzero(mine & (np.asarray(row.term_ahead)[T - 1] > 0.0))[0])


def only(values, place, value):
    """Zeros but for one entry."""
    return jnp.zeros_like(values).at[place].set(value)


def row_of(system, firm):
    """Place of a firm among the operators."""
    return int(np.flatnonzero(np.asarray(system.plants.owner.group) == firm)[0])


@pytest.fixture
def month(five_years, setting_of, cloud, sold):
    """Plants of month T: the cloud alone has chips, of generation 0, and the contract alone has a size.

    Capacity is in USD bn a year at the rents of the book; the contract needs `need` in this month.
    """
    capacity = float(plant.unit_capacity(five_years)[0])

    def run(installed, online, need, late=0.0, rent=1.0, system=five_years, earning=0.0, peak=None):
        setting = setting_of(T)
        many = jnp.ones_like(system.chips.rental)
        market = dataclasses.replace(setting.chips, rent=rent * system.chips.rental, earnings=earning * many)
        setting = dataclasses.replace(setting, chips=market)
        firms = system.firms.cash
        state = plant.PlantState(
            owned=jnp.zeros_like(system.plants.owned).at[row_of(system, cloud), 0].set(installed / capacity),
            online=only(firms, cloud, online),
            late=only(firms, cloud, late),
        )
        size = only(setting.month.term, sold, need / setting.month.term[sold])
        peak = system.loans.planned if peak is None else peak
        return plant.step(system, state, 0.0 * system.loans.pledged, size, peak, setting)

    return run


def test_what_is_bought_comes_online_in_months_and_customers_get_what_is_online(month, cloud, changed):
    """8 installed, 2 online: 3 after a month of six. 4 are needed, three quarters are delivered."""
    state, now = month(installed=8.0, online=2.0, need=4.0)
    assert float(now.installed[cloud]) == pytest.approx(8.0, rel=1e-5)
    assert float(state.online[cloud]) == pytest.approx(3.0, rel=1e-5)
    assert float(now.needed[cloud]) == pytest.approx(4.0, rel=1e-5)
    assert float(now.delivered[cloud]) == pytest.approx(0.75, rel=1e-5)
    assert float(now.free[cloud]) == float(now.spot[cloud]) == 0.0
    _, half = month(installed=8.0, online=2.0, need=4.0, system=changed("mechanisms.plant", 0.5))
    assert float(half.delivered[cloud]) == pytest.approx(0.875, rel=1e-5)
    state, _ = month(installed=1.0, online=2.0, need=4.0)
    assert float(state.online[cloud]) == pytest.approx(1.0, rel=1e-5), "what failed is no longer online"
    others = np.delete(np.asarray(now.installed), cloud)
    assert not others.any()


def test_customers_leave_what_is_late_for_more_than_six_months(month, cloud, five_years):
    """A quarter is missing; half of it goes a month once seven months were short. A twentieth is no delay."""
    for before, after, lost in ((0.0, 1.0, 0.0), (5.0, 6.0, 0.0), (6.0, 7.0, 0.125)):
        state, now = month(installed=3.0, online=3.0, need=4.0, late=before)
        assert float(state.late[cloud]) == after
        assert float(now.lost[cloud]) == pytest.approx(lost, rel=1e-5)
    state, now = month(installed=3.8, online=3.8, need=4.0, late=9.0)
    assert float(state.late[cloud]) == float(now.lost[cloud]) == 0.0


def test_only_compute_shrinks_by_what_its_seller_does_not_deliver(five_years, sold, cloud):
    table = five_years.contracts
    ones = jnp.ones_like(table.margin)
    everybody = jnp.ones_like(five_years.firms.cash)
    state = contracts.init(five_years)
    lost = only(everybody, cloud, 0.125)
    size, _ = contracts.renegotiate(five_years, state, 0.0 * ones, ones, everybody, lost, everybody)
    compute = (np.asarray(table.seller) == cloud) & (np.asarray(table.compute) > 0.0)
    np.testing.assert_allclose(size, np.where(compute, 0.875, 1.0), rtol=1e-6)
    assert compute.any() and not compute.all()


def test_free_capacity_earns_what_is_left_of_spot_rents(month, cloud, five_years, sold, changed):
    """5 of 8 online after 6 more of nothing: 2 needed, so 3/8 of 8/capacity million units earn 2 thousand."""
    units = 8.0 / float(plant.unit_capacity(five_years)[0])
    row = five_years.calendar
    ahead = 2.0 * float(row.term_ahead[T - 1, sold]) / float(row.term[T - 1, sold])
    for switch in (1.0, 0.5):
        system = changed("mechanisms.plant", switch, "chips.installation_months", 1e9)
        _, now = month(installed=8.0, online=5.0, need=2.0, earning=2.0, system=system)
        assert float(now.delivered[cloud]) == 1.0
        assert float(now.free[cloud]) == pytest.approx(switch * 3.0 / 8.0, rel=1e-5)
        assert float(now.spot[cloud]) == pytest.approx(switch * 3.0 / 8.0 * 2.0 * units, rel=1e-5)
        free = switch * max(5.0 - ahead, 0.0) / 8.0
        later = free * 2.0 * units * np.exp(-float(system.chips.decline))
        assert float(now.spot_ahead[cloud]) == pytest.approx(later, rel=1e-4)
    assert ahead < 5.0


def test_compute_is_renewed_at_the_rent_of_the_day(month, cloud, five_years, calm_economy, changed):
    table = five_years.contracts
    boom = float(five_years.numbers.contracts.renewal[0])
    for rent, ratio, system in ((0.4, 0.4, five_years), (1.3, 1.0, five_years),
                                (0.4, 0.7, changed("mechanisms.plant", 0.5))):  # fmt: skip
        _, now = month(installed=8.0, online=8.0, need=2.0, rent=rent, system=system)
        assert float(now.rent[cloud]) == pytest.approx(ratio, rel=1e-5)
        renewed = np.asarray(contracts.renewed(five_years, calm_economy, now))
        mine = (np.asarray(table.seller) == cloud) & (np.asarray(table.compute) > 0.0)
        np.testing.assert_allclose(renewed, np.where(mine, boom * ratio, boom), rtol=1e-5)


def test_upkeep_orders_what_contracts_will_need_and_replaces_what_fails(five_years, setting_of, cloud):
    """Chips of generation 0 alone; 5 needed in a year, 3 installed, 2 needed now."""
    chips, table, firms = five_years.numbers.chips, five_years.chips, five_years.firms.cash
    market = dataclasses.replace(setting_of(T).chips, mix=only(table.rental, 0, 1.0))
    cost = float(table.list_price[0]) / float(plant.unit_capacity(five_years)[0])
    assert float(plant.cost_of_capacity(five_years, market)) == pytest.approx(cost, rel=1e-5)
    zero = jnp.zeros_like(firms)
    now = plant.Plant(
        installed=only(firms, cloud, 3.0), online=zero, needed=only(firms, cloud, 2.0),
        needed_ahead=only(firms, cloud, 5.0), delivered=zero, lost=zero, rent=zero, spot=zero,
        spot_ahead=zero, free=zero,
    )  # fmt: skip
    growth, replacement = plant.upkeep(five_years, now, market)
    capex = cost / float(chips.plant_chip_share)
    assert float(growth[cloud]) == pytest.approx(2.0 * capex / float(chips.order_months), rel=1e-5)
    assert float(replacement[cloud]) == pytest.approx(float(chips.failure) / 12.0 * 2.0 * capex, rel=1e-5)
    assert float(jnp.sum(growth)) == float(growth[cloud])


def test_chips_fail_idle_ones_that_are_free_retire_and_the_bankrupt_lose_theirs(
    five_years, month, setting_of, cloud
):
    """A quarter is free and generation 0 is idle. 3 bn buy chips of generation 1; the firm goes on or not."""
    chips, row = five_years.numbers.chips, row_of(five_years, cloud)
    state, now = month(installed=8.0, online=4.0, need=2.0)
    now = dataclasses.replace(now, free=only(now.free, cloud, 0.25))
    setting, firms = setting_of(T), five_years.firms.cash
    mix, idle = only(five_years.chips.rental, 1, 1.0), only(five_years.chips.rental, 0, 1.0)
    market = dataclasses.replace(setting.chips, mix=mix, idle=idle)
    setting = dataclasses.replace(setting, chips=market)
    bought = only(firms, cloud, 3.0)
    alive = jnp.ones_like(firms)
    after, seized = plant.close(five_years, state, now, setting, bought, Standing(alive, alive))
    gone = float(chips.failure) + 0.25 * (float(chips.retire_idle) - float(chips.failure))
    first = float(state.owned[row, 0]) * (1.0 - gone / 12.0)
    assert float(after.owned[row, 0]) == pytest.approx(first, rel=1e-6)
    units = 3.0 / float(five_years.chips.list_price[1])
    assert float(after.owned[row, 1]) == pytest.approx(units, rel=1e-6) and not seized.any()
    # After an exchange the firm still operates and keeps its chips; a bankrupt one loses them to lenders.
    fallen = alive.at[cloud].set(0.0)
    kept, seized = plant.close(five_years, state, now, setting, bought, Standing(fallen, alive))
    np.testing.assert_array_equal(kept.owned, after.owned)
    assert not seized.any()
    lost, seized = plant.close(five_years, state, now, setting, bought, Standing(fallen, fallen))
    assert not lost.owned[row].any()
    np.testing.assert_allclose(seized[:2], [first, units], rtol=1e-6)


def test_a_site_is_as_large_as_what_was_lent_for_it_and_never_late(five_years, month, changed):
    """Half of what was planned for the first project's loans was ever lent."""
    firms, loans = five_years.firms, five_years.loans
    planned = np.bincount(
        np.asarray(loans.borrower), np.asarray(loans.planned), minlength=len(five_years.names.firms)
    )
    site = int(np.flatnonzero((np.asarray(firms.project) > 0.0) & (planned > 0.0))[0])
    half = jnp.where(loans.borrower == site, 0.5 * loans.planned, loans.planned)
    state, now = month(installed=1.0, online=1.0, need=1.0, peak=half)
    assert float(now.delivered[site]) == pytest.approx(0.5, rel=1e-6) and float(state.late[site]) == 0.0
    _, soft = month(1.0, 1.0, 1.0, peak=half, system=changed("mechanisms.plant", 0.5))
    assert float(soft.delivered[site]) == pytest.approx(0.75, rel=1e-6)
    assert float(plant.built(five_years, 3.0 * loans.planned)[site]) == pytest.approx(3.0, rel=1e-6)
    _, more = month(1.0, 1.0, 1.0, peak=3.0 * loans.planned)
    assert float(more.delivered[site]) == 1.0

"""The reference over whole paths: what switches turn off, going on from a state, dying once."""

import functools

import numpy as np
import pytest

from tests.reference import example, path
from tests.reference.by_hand import MONTHS, path_of, stressed
from tests.reference.scalars import BALANCE_SHEET, DT, EXCHANGE, FORECLOSURE, HAZARD, LIQUIDITY, NON_PAYMENT

PATHS = 50


@functools.cache
def stressed_paths():
    """Paths of the stressed system; each month of each passed the audit."""
    return [path_of(stressed(), seed) for seed in range(PATHS)]


def losses(system, seeds=range(8)):
    """Loss by instrument of a few paths."""
    return np.array([path_of(system, seed)["loss_by_instrument"] for seed in seeds])


def test_the_audit_passes_on_random_paths_of_the_small_system():
    assert sum(path_of(example.whole_system(), seed)["system_loss"].sum() for seed in range(PATHS)) > 0.0


def test_every_cause_of_default_and_every_channel_occurs():
    causes = {int(cause) for result in stressed_paths() for cause in result["cause"]}
    assert causes == {0, FORECLOSURE, LIQUIDITY, NON_PAYMENT, BALANCE_SHEET, HAZARD, EXCHANGE}
    months = [month for result in stressed_paths() for month in result["months"]]
    channels = "fire_sale network cured swept guarantee relet tranche_loss obligor_loss purse converted"
    channels += " sold withdrawn impact trading stop spot fees ahead tries wins plant_bought plant_failed"
    channels += " replacement short_delivery early"
    for name in channels.split():
        assert any(month[name].max() > 0.0 for month in months), f"{name} never happens in these paths"
    assert min(month["supply"] for month in months) < 0.9
    for name in ("support_share_equity", "support_paid", "to_relet", "delivered", "rent_ratio", "maturing"):
        assert min(month[name].min() for month in months) < 1.0, f"{name} is never short"


def test_the_audit_passes_where_debt_is_lent_in_need():
    system, cloud = stressed(plant=0.0), example.CLOUD
    system.firms.equity_value[cloud], system.firms.fixed_cost[cloud] = 10.0, 10.0
    system.numbers.credit.ltv_covenant = 1.5
    system.firms.debt_multiple[cloud] = 7.0
    system.contracts.backstop[example.CONTRACTS.index("BACKSTOP")] = 0.0
    results = [path_of(system, seed) for seed in range(12)]
    assert any(month["bridged"][cloud] > 0.0 for result in results for month in result["months"])
    assert any(result["cause"][cloud] == LIQUIDITY for result in results), "need is never refused"


def test_without_shocks_nobody_defaults_and_contracts_are_paid():
    system = example.small_system()
    result = path.simulate_path(system, example.calm_fate(system), example.calm_shocks(system, 60), 60)
    assert not result["cause"].any() and result["flags"] == 0
    for month in result["months"]:
        assert month["paid"] == pytest.approx(month["obligation"], rel=1e-12)
        assert 0.6 < month["utilisation"] < 1.1


def test_going_on_from_a_state_is_the_same_path():
    system = stressed()
    fate, shocks = example.random_draws(system, MONTHS, 3)
    whole = path.simulate_path(system, fate, shocks, MONTHS)
    first = path.simulate_path(system, fate, {name: rows[:10] for name, rows in shocks.items()}, 10)
    rest = {name: rows[10:] for name, rows in shocks.items()}
    second = path.simulate_path(system, fate, rest, MONTHS - 10, start=first["final"])
    joined = np.concatenate([first["system_loss"], second["system_loss"]])
    assert np.array_equal(joined, whole["system_loss"])
    for name, value in whole["months"][-1].items():
        assert np.array_equal(value, second["months"][-1][name], equal_nan=True), name


def test_the_dead_neither_pay_nor_receive_nor_draw():
    seen = 0
    for result in stressed_paths():
        for before, month in zip(result["months"], result["months"][1:], strict=False):
            dead = [i for i, cause in enumerate(before["cause"]) if cause not in (0, EXCHANGE)]
            seen += len(dead)
            contracts = example.small_contracts()
            for c in range(len(contracts.buyer)):
                assert month["paid"][c] == 0.0 or contracts.buyer[c] not in dead
                assert month["received"][c] == 0.0 or contracts.seller[c] not in dead
            for m, borrower in enumerate(example.small_loans().borrower):
                assert borrower not in dead or month["borrowed"][m] == month["balance"][m] == 0.0
            for i in [i for i, cause in enumerate(before["cause"]) if cause != 0]:
                assert month["bridged"][i] == month["revolver_draw"][i] == month["capex_debt"][i] == 0.0
    assert seen > 0


def test_no_fire_sale_no_discount():
    for seed in range(8):
        for month in path_of(stressed(fire_sale=0.0), seed)["months"]:
            assert not month["fire_sale"].any()
            assert np.array_equal(month["price"], month["price_before_sales"])


def test_without_the_purse_vendors_support_whatever_is_asked():
    short, rich = stressed(vendor_purse=0.0), stressed(vendor_purse=0.0)
    rich.firms.support_share[example.GIANT] = 1.0
    assert np.array_equal(losses(short), losses(rich))
    short.numbers.mechanisms.vendor_purse = rich.numbers.mechanisms.vendor_purse = 1.0
    assert losses(short).sum() != losses(rich).sum(), "the purse does nothing even when it is on"


def test_without_circular_contracts_sellers_receive_in_full():
    contracts = example.small_contracts()
    for seed in range(8):
        for month in path_of(stressed(circular_contracts=0.0), seed)["months"]:
            for c in np.flatnonzero(contracts.operating):
                full = month["full_size"][c] * month["delivered"][contracts.seller[c]] * DT
                if not (contracts.compute[c] or contracts.lease_project[c]):
                    full = month["full_size"][c] * DT
                assert month["received"][c] in (0.0, full), f"the seller of contract {c} is not paid in full"
                assert month["quality"][c] == 1.0, f"contract {c} is worth less than its cash"


def test_without_the_funding_loop_lenders_losses_do_not_come_back():
    gentle, harsh = (stressed(funding_loop=0.0, recession=0.0) for _ in range(2))
    gentle.numbers.lenders.supply_loss, harsh.numbers.lenders.supply_loss = 0.0, 30.0
    assert np.array_equal(losses(gentle), losses(harsh))
    gentle.numbers.mechanisms.funding_loop = harsh.numbers.mechanisms.funding_loop = 1.0
    assert losses(gentle).sum() != losses(harsh).sum(), "the loop does nothing even when it is on"


def test_without_the_lender_network_losses_stay_where_they_fall():
    for seed in range(8):
        traded = np.zeros(len(example.LENDERS))
        for month in path_of(stressed(lender_network=0.0), seed)["months"]:
            assert not month["network"].any()
            assert np.array_equal(month["gross"], month["booked"] + traded)
            assert np.array_equal(month["kept"], month["gross"])
            traded = month["trading"]


def test_without_paper_sales_nobody_sells():
    for seed in range(8):
        for month in path_of(stressed(paper_sales=0.0), seed)["months"]:
            assert not month["sold"].any() and not month["impact"].any() and not month["trading"].any()


def test_without_redemptions_no_investor_leaves():
    for seed in range(8):
        for month in path_of(stressed(redemptions=0.0), seed)["months"]:
            assert not month["withdrawn"].any()


def test_without_credit_lines_funds_pay_nobody_and_who_is_past_its_limit_stops_all_the_same():
    vehicles = example.small_lenders().vehicle > 0
    left = [month for seed in range(8) for month in path_of(stressed(credit_lines=0.0), seed)["months"]]
    assert any(month["past_limit"].any() for month in left)
    assert any(month["withdrawn"].any() for month in left)
    for month in left:
        assert not month["withdrawn"][vehicles].any()
        assert np.array_equal(month["stop"], np.minimum(1.0, month["past_limit"] / 0.05))


def test_without_the_recession_lost_supply_slows_no_revenue():
    mild, deep = stressed(recession=0.0), stressed(recession=0.0)
    deep.numbers.economy.recession_drag = 2.0
    assert np.array_equal(losses(mild), losses(deep))
    mild.numbers.mechanisms.recession = deep.numbers.mechanisms.recession = 1.0
    assert losses(mild).sum() != losses(deep).sum(), "the drag does nothing even when it is on"


def test_without_step_in_no_guarantor_adds_to_recovery():
    months = [month for result in stressed_paths() for month in result["months"]]
    assert any((month["recovery"] > month["own_recovery"]).any() for month in months)
    for seed in range(8):
        for month in path_of(stressed(step_in=0.0), seed)["months"]:
            assert np.array_equal(month["recovery"], month["own_recovery"])


def test_without_build_up_nothing_new_is_lent_beyond_commitments():
    for seed in range(8):
        for month in path_of(stressed(build_up=0.0), seed)["months"]:
            assert month["origination"] == 0.0
            assert not month["capex_debt"].any() and not month["new_money"].any()
            assert np.array_equal(month["borrowed"], month["draw"])


def test_without_pool_links_pools_feel_neither_refinancing_nor_chips():
    near, far = stressed(pool_links=0.0), stressed(pool_links=0.0)
    far.numbers.credit.refinancing_link, far.numbers.credit.chip_link = 5.0, 5.0
    assert np.array_equal(losses(near), losses(far))
    near.numbers.mechanisms.pool_links = far.numbers.mechanisms.pool_links = 1.0
    assert losses(near).sum() != losses(far).sum(), "the links do nothing even when they are on"

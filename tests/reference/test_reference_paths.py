"""The reference over whole paths: its audit, what switches turn off, going on from a state, dying once."""

import functools

import numpy as np
import pytest

from tests.reference import example, funding, lenders, paper, path, vendors
from tests.reference.scalars import BALANCE_SHEET, DT, EXCHANGE, FORECLOSURE, HAZARD, LIQUIDITY, NON_PAYMENT

MONTHS, PATHS = 24, 50


def stressed(**switches):
    """The small system in a bust with strict lenders and thin cash, so that every cause of default occurs."""
    system = example.small_system()
    numbers = system.numbers
    numbers.economy.start = "bust"
    numbers.credit.waiver, numbers.credit.capacity_scale, numbers.chips.depth = 0.3, 0.8, 0.005
    numbers.contracts.non_payment_months, numbers.contracts.renegotiation = 4.0, 0.1
    system.contracts.annual[:2] *= 4.0
    system.firms.cash[example.LAB], system.firms.value_multiple[example.LAB] = 5.0, 0.3
    system.firms.sponsor_capacity[example.HOST] = 0.0
    system.firms.asset_multiple[example.PROJECT] = 5.0
    system.firms.cash[example.GIANT] = 3.0
    system.pools.hazard[:] = (0.25, 0.10)
    system.lenders.withdrawal_start[example.INSURER] = 0.01
    for name, value in switches.items():
        setattr(numbers.mechanisms, name, value)
    return system


def path_of(system, seed: int, months: int = MONTHS):
    """One random path."""
    fate, shocks = example.random_draws(system, months, seed)
    return path.simulate_path(system, fate, shocks, months)


@functools.cache
def stressed_paths():
    """Paths of the stressed system; each month of each passed the audit."""
    return [path_of(stressed(), seed) for seed in range(PATHS)]


def losses(system, seeds=range(8)):
    """Loss by instrument of a few paths."""
    return np.array([path_of(system, seed)["loss_by_instrument"] for seed in seeds])


def test_the_audit_passes_on_random_paths_of_the_small_system():
    assert sum(path_of(example.small_system(), seed)["system_loss"].sum() for seed in range(PATHS)) > 0.0


def test_every_cause_of_default_and_every_channel_occurs():
    causes = {int(cause) for result in stressed_paths() for cause in result["cause"]}
    assert causes == {0, FORECLOSURE, LIQUIDITY, NON_PAYMENT, BALANCE_SHEET, HAZARD, EXCHANGE}
    months = [month for result in stressed_paths() for month in result["months"]]
    channels = "fire_sale network cured swept guarantee relet tranche_loss obligor_loss purse converted"
    channels += " sold withdrawn impact trading stop"
    for name in channels.split():
        assert any(month[name].max() > 0.0 for month in months), f"{name} never happens in these paths"
    assert min(month["supply"] for month in months) < 0.9
    for name in ("support_share_equity", "support_paid", "to_relet"):
        assert min(month[name].min() for month in months) < 1.0, f"{name} is never short"


def test_the_audit_passes_where_debt_is_lent_in_need():
    system, cloud = stressed(), example.CLOUD
    system.firms.equity_value[cloud], system.firms.fixed_cost[cloud] = 10.0, 7.0
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


def test_the_audit_sees_a_vendor_that_gives_what_it_has_not(monkeypatch):
    monkeypatch.setattr(vendors, "share_paid", lambda book, i, funds, called: 1.0)
    with pytest.raises(AssertionError, match="gives more support than it has"):
        for seed in range(PATHS):
            path_of(stressed(), seed)


def test_the_audit_sees_notes_that_convert_and_stay(monkeypatch):
    def forgetful(book, state, now, new, t, balances=funding.balances):
        balances(book, state, now, new, t)
        now["balance_after_service"] = np.add(now["balance_after_service"], now["converted"]).tolist()

    monkeypatch.setattr(funding, "balances", forgetful)
    with pytest.raises(AssertionError, match="does not follow its payments"):
        for seed in range(PATHS):
            path_of(example.small_system(), seed)


def test_the_audit_sees_a_warrant_that_is_paid_in_cash(monkeypatch):
    def cash(book, state, now, equity=vendors.equity):
        equity(book, state, now)
        given = [book.contracts.warrant[c] * q for c, q in enumerate(now["commitment"])]
        now["support_left"][example.GIANT] -= sum(given)

    monkeypatch.setattr(vendors, "equity", cash)
    with pytest.raises(AssertionError, match="purse of vendor 4 does not follow its payments"):
        for seed in range(PATHS):
            path_of(stressed(), seed)


def test_without_circular_contracts_sellers_receive_in_full():
    contracts = example.small_contracts()
    for seed in range(8):
        for month in path_of(stressed(circular_contracts=0.0), seed)["months"]:
            for c in np.flatnonzero(contracts.operating):
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
    other = example.small_lenders().other_assets
    for seed in range(8):
        traded = np.zeros(len(other))
        for month in path_of(stressed(lender_network=0.0), seed)["months"]:
            assert not month["network"].any()
            assert np.array_equal(month["gross"], month["booked"] + traded + other * month["excess_loss"])
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


def test_without_credit_lines_funds_pay_nobody_and_everybody_lends():
    vehicles = example.small_lenders().vehicle > 0
    left = [month for seed in range(8) for month in path_of(stressed(credit_lines=0.0), seed)["months"]]
    assert any(month["past_limit"].any() for month in left)
    assert any(month["withdrawn"].any() for month in left)
    for month in left:
        assert not month["withdrawn"][vehicles].any() and not month["stop"].any()


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


def test_the_audit_sees_holdings_that_do_not_add_up():
    system = stressed()
    system.lenders.holdings[2, :] *= 0.5
    with pytest.raises(AssertionError, match="do not add up to one"):
        for seed in range(PATHS):
            path_of(system, seed)


def test_the_audit_sees_a_loss_that_no_lender_bears(monkeypatch):
    system = stressed()

    def leaky(book, now, capital, owed, own, clear=lenders.clear):
        network, vehicles = clear(book, now, capital, owed, own)
        return [0.99 * loss for loss in network], vehicles

    monkeypatch.setattr(lenders, "clear", leaky)
    with pytest.raises(AssertionError, match="bearers do not bear all"):
        for seed in range(PATHS):
            path_of(system, seed)


def test_the_audit_sees_paper_that_nobody_bought(monkeypatch):
    def careless(book, state, now, new, losses=lenders.book_losses):
        losses(book, state, now, new)
        new["booked"][example.PENSION] = state["booked"][example.PENSION]

    monkeypatch.setattr(lenders, "book_losses", careless)
    with pytest.raises(AssertionError, match="lenders do not book the system's loss"):
        for seed in range(PATHS):
            path_of(stressed(), seed)


def test_the_audit_sees_buyers_that_gain_nothing(monkeypatch):
    def generous(book, state, now, new, trade=paper.trade):
        trade(book, state, now, new)
        new["trading"] = [max(loss, 0.0) for loss in new["trading"]]

    monkeypatch.setattr(paper, "trade", generous)
    with pytest.raises(AssertionError, match="what sellers lose is not what buyers gain"):
        for seed in range(PATHS):
            path_of(stressed(), seed)


def test_the_audit_sees_sales_that_are_taken_back(monkeypatch):
    def repenting(book, state, lender, past, left, sold=paper.sold):
        return sold(book, state, lender, past, left) if state["sold"][lender] == 0.0 else 0.0

    monkeypatch.setattr(paper, "sold", repenting)
    with pytest.raises(AssertionError, match="share sold of lender . falls"):
        for seed in range(PATHS):
            path_of(stressed(), seed)


def test_the_audit_sees_a_fund_that_sells_too_little(monkeypatch):
    def lenient(book, lender, lost, left):
        return max(lost - paper.limit(book, lender)[1], 0.0)

    monkeypatch.setattr(paper, "past_limit", lenient)
    with pytest.raises(AssertionError, match="sells less than its asset coverage asks"):
        for seed in range(PATHS):
            path_of(stressed(), seed)


def test_the_audit_sees_paper_that_is_not_held():
    system = example.small_system()
    system.paper.held[example.BANK, 0] += 1.0
    with pytest.raises(AssertionError, match="paper of lender 2 is not what it holds of it"):
        path_of(system, 0, months=1)


def test_the_audit_sees_tranches_that_leave_a_gap():
    system = stressed()
    system.pools.detachment[0] = 0.2
    system.paper.marketable[12:], system.paper.held[:, 2] = 0.0, 0.0
    with pytest.raises(AssertionError, match="do not lose what the pool loses"):
        for seed in range(PATHS):
            path_of(system, seed)

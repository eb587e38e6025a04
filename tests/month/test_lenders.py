"""Lenders under stress: sales, withdrawals, lines, limits, and the way of a loss to its last bearer."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from engine.book.build import build_system
from engine.book.load import load_book, shipped_book
from engine.book.parameters import Parameters
from engine.month import bearers, capital, lenders, paper, supply
from engine.paths.replay import replay
from tests.month.conftest import FEW

ROUNDING = 2e-5
SWITCHES = ("paper_sales", "credit_lines", "redemptions", "recession", "lender_network")


@pytest.fixture(scope="module")
def small():
    """The worked small book: one fund, bank, insurer, bond fund and pension fund."""
    return build_system(load_book(shipped_book("worked_small")), Parameters(), 12)


def with_numbers(system, group, **changes):
    """The system with other numbers of a group."""
    new = dataclasses.replace(
        getattr(system.numbers, group), **{k: jnp.float32(v) for k, v in changes.items()}
    )
    return eqx.tree_at(lambda s: getattr(s.numbers, group), system, new)


def of(system, **amounts):
    """An array by lender."""
    return jnp.asarray([amounts.get(name, 0.0) for name in system.names.lenders], jnp.float32)


def at(system, values, name):
    return float(values[system.names.lenders.index(name)])


def unchanged(system, scale=1.0):
    """Capital `scale` times that of month 0, with nothing lost elsewhere."""
    one = jnp.full_like(system.lenders.capital, scale)
    return capital.Capital(growth=one, means=one, scale=one, eroded=0.0 * one)


def react(system, written_off, spread=1.0, state=None):
    state = paper.init(system) if state is None else state
    return paper.step(system, state, jnp.float32(spread), written_off, unchanged(system), jnp.float32(0.0))


def test_nothing_happens_without_loss_and_at_todays_spread(small):
    state, market = react(small, of(small))
    assert float(jnp.max(state.sold)) == float(jnp.max(state.withdrawn)) == 0.0
    assert float(jnp.max(jnp.abs(state.trading))) == float(jnp.max(market.stopped)) == 0.0
    np.testing.assert_array_equal(market.price, 1.0)


def test_redemptions_and_price_by_hand(small):
    """Bonds hold 2.05 of high yield (depth 2.5) of 20 in all; a loss of one makes a twentieth leave.

    With marks the share lost is y = 1/20 + sum_q H_q (1 - e^-F_q)/20 and F_q = H_q y/depth_q.
    """
    held = np.asarray(small.paper.held, np.float64)[small.names.lenders.index("BONDS")]
    depth, share, lost = np.asarray(small.paper.depth, np.float64), 0.0, 0.05
    for _ in range(paper.ROUNDS):
        lost = 0.05 + held @ (1.0 - np.exp(-held * share / depth)) / 20.0
        share = lost
    state, market = react(small, of(small, BONDS=1.0))
    assert at(small, state.sold, "BONDS") == pytest.approx(share, rel=ROUNDING)
    np.testing.assert_allclose(market.price, np.exp(-held * share / depth), rtol=ROUNDING)
    discount = share * held @ (1.0 - np.exp(-held * share / depth))
    assert at(small, state.trading, "BONDS") == pytest.approx(discount, rel=1e-3)
    assert at(small, state.trading, "PENSION") == pytest.approx(-discount, rel=1e-3)


def test_wider_spreads_are_marks_and_tighter_ones_are_not(small):
    _, wide = react(small, of(small), spread=2.0)
    expected = np.exp(-np.asarray(small.paper.spread) * np.asarray(small.paper.duration))
    assert (np.asarray(wide.price) <= expected * (1 + ROUNDING)).all()
    _, tight = react(small, of(small), spread=0.5)
    np.testing.assert_array_equal(tight.price, 1.0)
    assert (
        at(small, wide.lost, "PENSION") == 0.0 < at(small, wide.lost, "LIFE") < at(small, wide.lost, "BONDS")
    )


def test_a_bank_stops_lending_beyond_its_limit_and_a_fund_beyond_its_coverage(small):
    """The fund: 3.2 of capital, 4 of debt, 150%: 1.2 may be lost, then 6 of assets face 4 of debt."""
    for written_off, past in [(1.1, 0.0), (1.25, 0.05 / 3.2), (3.2, 2.0 / 3.2)]:
        _, market = react(with_numbers(small, "mechanisms", redemptions=0.0), of(small, FUND=written_off))
        expected = min(past / 0.05, 1.0)
        assert at(small, market.stopped, "FUND") == pytest.approx(expected, rel=1e-4, abs=1e-6)
    _, market = react(small, of(small, BANK=2.4))
    assert at(small, market.stopped, "BANK") == 0.0
    _, market = react(small, of(small, BANK=2.6))
    assert at(small, market.stopped, "BANK") == pytest.approx(0.02 / 0.05, rel=1e-4)


def test_a_gated_fund_pays_from_its_line_while_its_coverage_holds(small):
    """A quarter is lost and wanted; the gate lets 1.67% a month out; the line would pay 1/3.2."""
    state = paper.init(small)
    for month in range(1, 4):
        state, _ = react(small, of(small, FUND=0.8), state=state)
        assert at(small, state.withdrawn, "FUND") == pytest.approx(0.0167 * month, rel=ROUNDING)
    # Coverage 1.5 leaves (1.2 - 1.15)/(1.5 x 3.2) to draw: less than the gate, and then nothing more.
    for _ in range(2):
        drawn, market = react(small, of(small, FUND=1.15))
        assert at(small, drawn.withdrawn, "FUND") == pytest.approx(0.05 / 4.8, rel=1e-3)
        assert at(small, market.stopped, "FUND") == pytest.approx(0.0, abs=1e-4)
    cut, _ = react(small, of(small, FUND=2.0), state=state)
    assert at(small, cut.withdrawn, "FUND") == at(small, state.withdrawn, "FUND")
    wide = eqx.tree_at(lambda s: (s.lenders.gate, s.lenders.limit_start), small,
                       (jnp.ones_like(small.lenders.gate), small.lenders.limit_start + 10.0))  # fmt: skip
    drained, _ = react(wide, of(small, FUND=3.2))
    assert at(small, drained.withdrawn, "FUND") == pytest.approx(1.0 / 3.2, rel=ROUNDING)


def test_policyholders_run_late_and_slowly(small):
    calm, _ = react(small, of(small, LIFE=1.9))
    assert at(small, calm.withdrawn, "LIFE") == 0.0
    run, _ = react(small, of(small, LIFE=3.0))
    assert at(small, run.withdrawn, "LIFE") == pytest.approx(0.02, rel=ROUNDING)


def test_a_drawn_line_takes_the_place_of_capital_and_a_sale_repays_debt(small):
    sales = paper.init(small)
    sales = eqx.tree_at(lambda s: s.withdrawn, sales, of(small, FUND=0.25))
    own_funds, debt = lenders.balance_sheets(small, sales, unchanged(small, 2.0))
    np.testing.assert_allclose([own_funds[0], debt[0]], [0.75 * 6.4, 8.0 + 0.25 * 6.4], rtol=ROUNDING)
    held = eqx.tree_at(lambda s: s.paper.held, small, small.paper.held.at[0, 0].set(1.0))
    sales = eqx.tree_at(
        lambda s: (s.sold, s.trading), paper.init(small), (of(small, FUND=0.5), of(small, FUND=0.1))
    )
    own_funds, debt = lenders.balance_sheets(held, sales, unchanged(small))
    np.testing.assert_allclose([own_funds[0], debt[0]], [3.2, 4.0 - 0.4], rtol=ROUNDING)


def test_neither_capital_nor_debt_falls_below_nothing(small):
    held = eqx.tree_at(lambda s: s.paper.held, small, small.paper.held.at[0, 0].set(1.0))
    drawn = eqx.tree_at(lambda s: s.withdrawn, paper.init(small), of(small, FUND=1.25))
    sold = eqx.tree_at(lambda s: s.sold, paper.init(small), of(small, FUND=5.0))
    own_funds, debt = lenders.balance_sheets(held, drawn, unchanged(small))
    np.testing.assert_allclose([own_funds[0], debt[0]], [0.0, 4.0 + 1.25 * 3.2], rtol=ROUNDING)
    own_funds, debt = lenders.balance_sheets(held, sold, unchanged(small))
    np.testing.assert_allclose([own_funds[0], debt[0]], [3.2, 0.0], rtol=ROUNDING)


def test_what_was_sold_is_lost_by_the_buyer(small):
    loss = jnp.zeros_like(small.lenders.holdings[0]).at[small.names.instruments.index("HOST_NOTES")].set(2.0)
    sold = of(small, BONDS=0.25)
    by_lender = lenders.holders(small, sold, loss)
    assert at(small, by_lender, "BONDS") == pytest.approx(1.5) and at(small, by_lender, "PENSION") == 0.5
    assert float(jnp.sum(by_lender)) == pytest.approx(2.0)


def test_impact_halves_in_half_a_year(small):
    state = eqx.tree_at(lambda s: s.impact, paper.init(small), jnp.full_like(small.paper.depth, 0.2))
    quiet = with_numbers(small, "mechanisms", redemptions=0.0, paper_sales=0.0)
    for _ in range(6):
        state, _ = react(quiet, of(small), state=state)
    np.testing.assert_allclose(state.impact, 0.1, rtol=ROUNDING)


def test_bearers_by_hand(small):
    """The bank's equity is 20: of 23 lost shareholders bear 20, taxpayers 3. Savers stand behind the rest."""
    gross = of(small, BANK=23.0, LIFE=8.0, FUND=2.0, PENSION=1.0)
    one = jnp.ones_like(gross)
    borne = dict(zip(small.names.bearers, bearers.borne(small, gross, one).tolist(), strict=True))
    expected = {"SAVERS": 1.0, "POLICYHOLDERS": 1.0, "SHAREHOLDERS": 27.0, "TAXPAYERS": 3.0}
    assert borne == pytest.approx(expected)
    alone = bearers.borne(with_numbers(small, "mechanisms", lender_network=0.0), gross, one)
    assert float(jnp.sum(alone)) == pytest.approx(34.0)


def test_supply_is_what_those_lend_who_still_do(small):
    """Fund 0.4 and bank 0.3 of lending stop by all and by half: others lend 0.45 and replace half of 0.55."""

    def supplied(missing=0.0, held=1.0, **stopped):
        _, market = react(small, of(small))
        market = eqx.tree_at(lambda m: m.stopped, market, of(small, **stopped))
        zero, table = jnp.zeros((), jnp.float32), small.lenders
        exposure, gone = held * table.exposure_start, jnp.full_like(table.capital, missing)
        quiet = lenders.LenderLosses(of(small), exposure, unchanged(small), gone, zero[None], market, zero)
        return float(supply.step(small, quiet))

    weight = {name: at(small, small.lenders.lending_weight, name) for name in small.names.lenders}
    left = 1.0 - weight["FUND"] - 0.5 * weight["BANK"]
    assert supplied() == 1.0
    assert supplied(FUND=1.0, BANK=0.5) == pytest.approx(left + 0.5 * (1.0 - left) * left)
    assert supplied(**dict.fromkeys(small.names.lenders, 1.0)) == pytest.approx(0.0, abs=1e-6)
    assert supplied(missing=0.1) == pytest.approx(0.4 + 0.5 * 0.6 * 0.4, rel=1e-5)
    assert supplied(held=1e3) == pytest.approx(0.0, abs=1e-6)


def test_a_richer_lender_never_lends_less(five_years, written_off):
    """The capital of all lenders and room for all: supply rises with either."""
    table = five_years.lenders
    missing = written_off[0][0] / table.capital
    _, market = react(five_years, written_off[0][0])
    zero = jnp.zeros((), jnp.float32)

    def supplied(part, held):
        quiet = lenders.LenderLosses(
            missing,
            held * table.exposure_start,
            unchanged(five_years),
            part * missing,
            zero[None],
            market,
            zero,
        )
        return float(supply.step(five_years, quiet))

    assert supplied(0.0, 1.0) > supplied(0.5, 1.0) > supplied(1.0, 1.0)
    assert supplied(0.5, 1.0) > supplied(0.5, 4.0) > supplied(0.5, 8.0)


# On the shipped book.


@pytest.fixture(scope="module")
def written_off(five_years):
    """Random losses of up to all capital, and a state in which something was sold and drawn."""
    random = np.random.default_rng(5)
    size = np.asarray(five_years.lenders.capital)
    losses = size * random.random((64, len(size))) ** 4
    start = jnp.asarray(random.random((64, len(size))) ** 4, jnp.float32)
    buyer = five_years.lenders.buyer_weight > 0.0
    sold = jnp.where(buyer, 0.0, start * 0.5)
    fresh = jax.tree.map(lambda x: jnp.broadcast_to(x, (64, *x.shape)), paper.init(five_years))
    return jnp.asarray(losses, jnp.float32), eqx.tree_at(
        lambda s: (s.sold, s.withdrawn), fresh, (sold, start * 0.01)
    )


def reactions(system, written_off, spread=1.5):
    losses, state = written_off
    return jax.vmap(lambda loss, state: react(system, loss, spread, state))(losses, state)


def test_trading_losses_are_a_transfer(five_years, written_off):
    state, _ = reactions(five_years, written_off)
    sellers = np.asarray(state.trading, np.float64).clip(0).sum(axis=1)
    assert sellers.min() > 0.01
    assert np.abs(np.asarray(state.trading, np.float64).sum(axis=1)).max() < 1e-5 * sellers.max()


def test_prices_solve_their_equation(five_years, written_off):
    """Four rounds leave losses that fit the prices, to what the last round may still have moved them."""
    state, market = reactions(five_years, written_off)
    assert float(market.move.max()) < lenders.SETTLED
    table, kept = five_years.paper, 1.0 - np.asarray(written_off[1].sold)
    value = np.exp(-np.asarray(table.spread) * np.asarray(table.duration) * 0.5)
    marked = (
        np.asarray(five_years.lenders.mark_weight)
        * kept
        * ((1.0 - np.asarray(market.price)) @ np.asarray(table.held).T)
    )
    lost = (np.asarray(written_off[0]) + marked) / np.asarray(five_years.lenders.capital)
    weight = np.asarray(five_years.lenders.mark_weight / five_years.lenders.capital)
    left = float(market.move.max()) * weight * np.asarray(table.held).sum(axis=1)
    assert (np.abs(np.asarray(market.lost) - lost) <= left + 1e-5).all()
    np.testing.assert_allclose(market.price, value * np.exp(-np.asarray(state.impact)), rtol=1e-5)


@pytest.mark.parametrize("factor", [1.2, 2.0])
def test_more_capital_never_makes_a_lender_sell_more(five_years, written_off, factor):
    """All else equal, a richer lender loses a smaller share, sells no more and lends no less."""
    for number in range(0, len(five_years.names.lenders), 4):
        capital = five_years.lenders.capital.at[number].multiply(factor)
        rich = eqx.tree_at(lambda s: s.lenders.capital, five_years, capital)
        (poor_state, poor), (state, market) = reactions(five_years, written_off), reactions(rich, written_off)
        assert (market.lost[:, number] <= poor.lost[:, number] + 1e-6).all()
        assert (state.sold[:, number] <= poor_state.sold[:, number] + 1e-6).all()
        assert (market.stopped[:, number] <= poor.stopped[:, number] + 1e-5).all()


def test_greater_losses_sell_more_and_at_lower_prices(five_years, written_off):
    losses, state = written_off
    mild, mild_market = reactions(five_years, (0.5 * losses, state))
    hard, hard_market = reactions(five_years, written_off)
    assert (hard.sold >= mild.sold).all() and (hard_market.price <= mild_market.price).all()
    assert (hard_market.stopped >= mild_market.stopped - 1e-5).all()
    assert float((hard.sold - mild.sold).max()) > 0.01


@pytest.mark.parametrize("network", [1.0, 0.4, 0.0])
def test_every_dollar_reaches_one_bearer_every_month(five_years, network):
    """Bearers' losses are the system's and the cost of failures."""
    system = with_numbers(five_years, "mechanisms", lender_network=network)
    system = eqx.tree_at(
        lambda s: (s.numbers.economy.start, s.lenders.capital),
        system,
        (jnp.asarray(2, jnp.int32), jnp.where(system.lenders.vehicle > 0, 0.3, 1.0) * system.lenders.capital),
    )
    failed = 0
    for path in range(3):
        state, _ = jax.device_get(replay(system, 3, path))
        gap, scale, failures = unexplained(system, state)
        failed += failures
        assert np.abs(gap).max() < 1e-5 * scale
    assert failed > 100


def unexplained(system, state):
    """Gap of the identity by month, its scale, and vehicle-months in failure; all in float64."""
    table, kept = system.lenders, state.lenders
    vehicles = table.debt_share.shape[1]
    borne = jax.vmap(lambda gross, scale: bearers.borne(system, gross, scale))(kept.gross, kept.scale)
    borne = np.asarray(borne, np.float64).sum(axis=1)
    credit = np.asarray(state.legacy_loss + state.new_money_loss, np.float64)
    # The month clears on the sales and lines of the month before.
    before = jax.tree.map(lambda x: np.concatenate([np.zeros_like(x[:1]), x[:-1]]), kept.paper)

    def sheets(sales, growth, scale, eroded):
        return lenders.balance_sheets(system, sales, capital.Capital(growth, scale, scale, eroded))

    sizes = (kept.capital.growth, kept.scale, kept.capital.eroded)
    own_funds, debt = (np.asarray(x, np.float64) for x in jax.vmap(sheets)(before, *sizes))
    left = own_funds + debt - np.asarray(kept.gross, np.float64)[:, :vehicles]
    failed = left < debt
    cost = float(system.numbers.lenders.bankruptcy_cost) * np.where(failed, left.clip(0), 0).sum(axis=1)
    switch = float(system.numbers.mechanisms.lender_network)
    return borne - credit - switch * cost, credit.max(), int(failed.sum())


def test_the_buyers_of_a_path_gain_what_its_sellers_lose(five_years):
    state, _ = jax.device_get(replay(five_years, 7, 0))
    trading = np.asarray(state.lenders.paper.trading, np.float64)
    assert np.abs(trading.sum(axis=1)).max() < 1e-5


def test_a_mechanism_switched_off_contributes_nothing(changed, outcome_of, few, five_years):
    """Off equals the system whose numbers leave the mechanism nothing to do, to the bit."""

    def without(**numbers):
        return eqx.tree_at(
            lambda s: tuple(getattr(s.lenders, name) for name in numbers), five_years,
            tuple(jnp.full_like(five_years.lenders.capital, value) for value in numbers.values()),
        )  # fmt: skip

    nothing = {
        "credit_lines": without(line=0.0),
        "redemptions": without(withdrawal_slope=0.0),
        "recession": changed("economy.recession_drag", 0.0),
        "paper_sales": eqx.tree_at(lambda s: s.lenders.limit_slope, without(withdrawal_slope=0.0),
                                   jnp.zeros_like(five_years.lenders.limit_slope)),
    }  # fmt: skip
    for switch, empty in nothing.items():
        off = [f"mechanisms.{switch}", 0.0] + (["mechanisms.redemptions", 0.0] * (switch == "paper_sales"))
        got, want = outcome_of(changed(*off), FEW), outcome_of(empty, FEW)
        np.testing.assert_array_equal(got.losses, want.losses, err_msg=switch)
        assert not np.array_equal(got.losses, few.losses), switch


def test_a_recession_costs_revenue(changed, outcome_of, few):
    off = outcome_of(changed("mechanisms.recession", 0.0), FEW)
    assert (few.trace[-1, 0] <= off.trace[-1, 0] * 1.0001).all()
    assert few.trace[-1, 0].mean() < off.trace[-1, 0].mean()

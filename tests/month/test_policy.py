"""Levers of policy: each by hand, by sign on common random numbers, and off to the bit."""

import dataclasses

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest

from engine.book import calendar
from engine.book.build import build_system
from engine.book.load import load_book, shipped_book
from engine.book.parameters import Parameters, Policy
from engine.month import paper, policy
from engine.vocabulary import LEVERS
from tests.calm import calm
from tests.month.conftest import FEW, MONTHS, NEW, THREE_YEARS, TODAY, month_of, paired_change

DATED = {f"{lever}_month": 1.0 for lever in LEVERS}


@pytest.fixture(scope="module")
def pulling(five_years):
    """The System with levers pulled: pulling(bailout_month=25.0, bailout=30.0)."""

    def pull(**numbers):
        levers = calendar.levers(Policy(**numbers), np.arange(1, MONTHS + 1))
        rows = {name: jnp.asarray(values, jnp.float32) for name, values in levers.items()}
        return eqx.tree_at(lambda s: s.calendar, five_years, dataclasses.replace(five_years.calendar, **rows))

    return pull


def firms(system, **amounts):
    """An amount by firm, zero but for those named."""
    return jnp.asarray([amounts.get(name, 0.0) for name in system.names.firms], jnp.float32)


def test_levers_are_pulled_from_their_month_for_as_long_as_they_last(pulling):
    row = pulling(**{f"{lever}_month": 25.0 for lever in LEVERS}).calendar
    for name, value, last in (
        ("supply_floor", 0.85, 48), ("bailout", 50.0 / 12.0, 48), ("line_cut", 0.5, 60),
        ("fund_cut", 0.25, 60), ("disclosed", 1.0, 60), ("barred", 0.10, 60),
    ):  # fmt: skip
        wanted = [value if 25 <= t <= last else 0.0 for t in range(1, 61)]
        np.testing.assert_allclose(getattr(row, name), wanted, rtol=1e-6)
    np.testing.assert_allclose(row.advance_cap, [0.45 if t >= 25 else 10.0 for t in range(1, 61)])


def test_support_is_shared_by_what_is_missing(five_years, pulling):
    """Labs miss 3 and 1, one has 2 to spare, another firm misses 4: of 24 a year, 1.5 and 0.5 a month."""
    row = month_of(pulling(bailout_month=1.0, bailout=24.0), 1)
    gap = firms(five_years, OAI=3.0, ANTH=1.0, XAI=-2.0, CRWV=4.0)
    got = policy.aid(row, five_years.firms.lab, gap)
    np.testing.assert_allclose(got, firms(five_years, OAI=1.5, ANTH=0.5), rtol=1e-6)
    small = policy.aid(row, five_years.firms.lab, 0.1 * gap)
    np.testing.assert_allclose(small, firms(five_years, OAI=0.3, ANTH=0.1), rtol=1e-6)
    assert float(jnp.sum(policy.aid(row, five_years.firms.lab, 0.0 * gap))) == 0.0
    assert float(jnp.sum(policy.aid(month_of(five_years, 1), five_years.firms.lab, gap))) == 0.0


def test_debt_for_capex_is_capped_for_neoclouds_then_cut_by_what_funds_hold(five_years, pulling):
    """CoreWeave puts in 2 and wants 10: at 60% of what is spent it gets 3, of which funds would hold 25%."""
    own, debt = firms(five_years, CRWV=2.0, ORCL=2.0), firms(five_years, CRWV=10.0, ORCL=10.0)
    capped = month_of(pulling(advance_cap_month=1.0, advance_cap=0.6), 1)
    kept, refused = policy.limit_debt(five_years, capped, own, debt)
    np.testing.assert_allclose(kept, firms(five_years, CRWV=3.0, ORCL=10.0), rtol=1e-6)
    np.testing.assert_allclose(refused.above_cap, firms(five_years, CRWV=7.0), rtol=1e-6)
    both = month_of(pulling(advance_cap_month=1.0, advance_cap=0.6, capital_rule_month=1.0), 1)
    kept, refused = policy.limit_debt(five_years, both, own, debt)
    cut = 3.0 * 0.25 * 0.25
    np.testing.assert_allclose(kept, firms(five_years, CRWV=3.0 - cut, ORCL=10.0), rtol=1e-5)
    np.testing.assert_allclose(refused.by_funds, firms(five_years, CRWV=cut), rtol=1e-5)
    free, none = policy.limit_debt(five_years, month_of(five_years, 1), own, debt)
    np.testing.assert_array_equal(free, debt)
    assert float(jnp.sum(none.above_cap) + jnp.sum(none.by_funds)) == 0.0


def test_new_gpu_debt_starts_at_the_cap_and_brings_more_chips(pulling, five_years):
    """On the calm path CoreWeave's new facility starts at 55% of value, a month of boom looser, under the cap
    at 45%.
    """
    place = five_years.names.loans.index("CRWV_NEW")
    found = []
    for system in (five_years, pulling(advance_cap_month=1.0)):
        state, info = calm(system)
        chips_a_dollar = state.collateral.pledged[0, place].sum() / state.funding.balance[0, place]
        found.append((float(info.collateral.ltv[0, place]), float(chips_a_dollar)))
    (ltv, chips), (capped, more) = found
    loose = 0.55 * (1.0 + float(five_years.numbers.credit.loosening) / 12.0)
    assert ltv == pytest.approx(loose, rel=1e-4) and capped == pytest.approx(0.45, rel=1e-4)
    assert more / chips == pytest.approx(loose / 0.45, rel=1e-4)


def test_disclosure_shortens_the_lag_to_a_month(five_years, pulling):
    """A fund marks after six months: 6 without, 3.5 half disclosed, 1 in full; a bank after one anyhow."""
    fund, bank = (five_years.names.lenders.index(name) for name in ("OWL_AI", "JPM"))
    for share, expected in ((0.0, 6.0), (0.5, 3.5), (1.0, 1.0)):
        row = month_of(pulling(disclosure_month=1.0, disclosure=share), 1)
        got = policy.recognition_months(five_years, row)
        assert float(got[fund]) == expected and float(got[bank]) == 1.0


def test_under_disclosure_all_hidden_debt_counts(pulling, five_years):
    """On the calm path nobody looks through in the boom; with the rule lenders do from its month."""
    _, without = calm(five_years)
    _, info = calm(pulling(disclosure_month=13.0))
    assert float(jnp.sum(without.hidden.counted)) == 0.0
    assert float(jnp.sum(info.hidden.counted[:12])) == 0.0
    np.testing.assert_array_equal(info.hidden.counted[12:], info.hidden.hidden[12:])


def test_lines_are_cut_but_what_is_drawn_stays(five_years):
    """All want out: asset coverage binds before the line, half the line before that; what is drawn stays."""
    table = five_years.lenders
    state, calm_loss = paper.init(five_years), jnp.full_like(table.capital, 0.05)
    open_gate = eqx.tree_at(
        lambda s: (s.lenders.gate, s.lenders.withdrawal_start, s.lenders.withdrawal_slope),
        five_years,
        (jnp.ones_like(table.gate), 0.0 * table.gate, 0.0 * table.gate + 100.0),
    )
    fund = five_years.names.lenders.index("OWL_SLEEVE")
    line = float(table.line[fund] / table.capital[fund])
    room = float((table.limit_start[fund] - 0.05) / max(float(table.coverage[fund]), 1.0))
    assert line > room > 0.5 * line
    whole, half = (paper.answer(open_gate, state, calm_loss, jnp.float32(cut))[0][fund] for cut in (0.0, 0.5))
    assert float(whole) == pytest.approx(room, rel=1e-6)
    assert float(half) == pytest.approx(0.5 * line, rel=1e-6)
    drawn = eqx.tree_at(lambda s: s.withdrawn, state, jnp.full_like(table.capital, 0.9 * line))
    kept = paper.answer(open_gate, drawn, calm_loss, jnp.float32(0.5))[0][fund]
    assert float(kept) == pytest.approx(0.9 * line, rel=1e-6)


def test_what_funds_hold_of_loans_and_pools(five_years, book):
    """Weights of the book's own rows: a loan's holders, a pool's obligors, a pool's tranches by thickness."""
    funds = set(book["lenders"].query("vehicle == 1")["lender"])
    holdings = book["holdings"]
    held = holdings[holdings["lender"].isin(funds)].groupby("instrument")["share"].sum()
    names = five_years.names
    loans = dict(zip(names.loans, np.asarray(five_years.loans.fund_share), strict=True))
    pools = dict(zip(names.pools, np.asarray(five_years.pools.fund_share), strict=True))
    for loan in ("CRWV_NEW", "FLUI_GPU", "ORCL_NEW"):
        assert loans[loan] == pytest.approx(held.get(loan, 0.0), abs=1e-6)
    tranches = book["tranches"].query("pool == 'CMBS_SASB'")
    thick = tranches["detachment"] - tranches["attachment"]
    expected = sum(w * held.get(name, 0.0) for w, name in zip(thick, tranches["tranche"], strict=True))
    assert pools["CMBS_SASB"] == pytest.approx(expected, abs=1e-6)
    small = build_system(load_book(shipped_book("worked_small")), Parameters(), 12)
    filled = np.asarray(small.lenders.vehicle @ small.lenders.holdings)[len(small.names.loans) :]
    credit = small.names.pools.index("CREDIT")
    members = np.asarray(small.pools.obligor_share.matrix)[credit]
    assert members.sum() == pytest.approx(1.0, rel=1e-5)
    expected = sum(share * held for share, held in zip(members, filled, strict=False))
    assert float(small.pools.fund_share[credit]) == pytest.approx(expected, abs=1e-6) and expected > 0.0


def test_public_credit_is_what_private_lenders_would_not_have_given(five_years, changed, calm_economy):
    """Private lenders at 0.5 of 0.8 leave 3/8 of 10 lent; where supply does not count, nothing."""
    now = dataclasses.replace(calm_economy, supply=jnp.float32(0.8))
    ten, zero = jnp.float32(10.0), jnp.float32(0.0)
    lending = policy.Lending(lent=ten, by_funds=zero + 1.0, by_savers=zero + 2.0, above_cap=zero + 3.0)
    aid = firms(five_years, OAI=4.0)
    got = policy.costs(five_years, jnp.float32(0.5), now, aid, lending)
    np.testing.assert_allclose(got, [3.75, 4.0, 1.0, 0.0, 2.0, 3.0], rtol=1e-6)
    off = changed("mechanisms.funding_loop", 0.0)
    full = dataclasses.replace(calm_economy, supply=jnp.float32(1.0))
    assert float(policy.costs(off, jnp.float32(0.5), full, aid, lending)[0]) == 0.0


def test_lending_by_hand(five_years, pulling):
    """Of 10 offered a tenth is barred; funds hold part of the rest and lend a quarter less of it."""
    row = month_of(pulling(savers_month=1.0, capital_rule_month=1.0), 1)
    alive = jnp.ones(len(five_years.names.firms), jnp.float32)
    nothing = 0.0 * alive
    refused = policy.Refused(nothing, nothing)
    got = policy.lending(five_years, row, jnp.float32(5.0), nothing, refused, jnp.float32(10.0), alive)
    loans, pools = five_years.loans, five_years.pools
    shares = np.concatenate([row.origination, pools.origination_share]).astype(np.float64)
    of_funds = shares @ np.concatenate([loans.fund_share, pools.fund_share]).astype(np.float64)
    assert float(got.by_savers) == pytest.approx(shares.sum(), rel=1e-5)
    assert float(got.by_funds) == pytest.approx(9.0 * 0.25 * of_funds, rel=1e-5)
    assert float(got.lent) == pytest.approx(5.0 + 9.0 * (shares.sum() - 0.25 * of_funds), rel=1e-5)
    dead = policy.lending(five_years, row, jnp.float32(5.0), nothing, refused, jnp.float32(10.0), nothing)
    assert float(dead.by_savers) == pytest.approx(float(jnp.sum(pools.origination_share)), rel=1e-5)
    assert float(dead.by_savers) < float(got.by_savers)


def test_levers_that_are_never_pulled_leave_every_bit(pulling, few, outcome_of):
    """Sizes alone change nothing, nor does a date after the run."""
    late = outcome_of(pulling(**{name: 61.0 for name in DATED}, bailout=1e3, advance_cap=0.01), FEW)
    for before, after in ((few.losses, late.losses), (few.trace, late.trace)):
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("lever", LEVERS)
def test_a_lever_changes_nothing_before_its_month(lever, pulling, few, outcome_of):
    late = outcome_of(pulling(**{f"{lever}_month": 37.0}), FEW)
    np.testing.assert_array_equal(few.trace[:36], late.trace[:36])
    assert not np.array_equal(few.trace[36:], late.trace[36:])


@pytest.mark.parametrize("lever", ["bailout", "capital_rule", "savers", "advance_cap"])
def test_levers_that_lower_losses(lever, pulling, base, outcome_of):
    """On average: on single paths more support can also mean more debt when it fails later."""
    found = outcome_of(pulling(**{f"{lever}_month": 13.0}))
    mean, error = paired_change(base, found)
    assert mean < -3.0 * error < 0.0


def test_a_backstop_lowers_losses_on_todays_debt(pulling, base, outcome_of):
    """A high one, in three years; over five, what is lent anew under it fails too."""
    found = outcome_of(pulling(backstop_month=13.0, backstop=0.95))
    mean, error = paired_change(base, found, TODAY, THREE_YEARS)
    assert mean < -3.0 * error < 0.0


def test_disclosure_lowers_losses_on_what_is_lent_anew(pulling, base, outcome_of):
    """Losses marked at once shrink credit, and hidden debt that counts is refused: less is lent."""
    found = outcome_of(pulling(disclosure_month=13.0))
    mean, error = paired_change(base, found, NEW)
    assert mean < -3.0 * error < 0.0


def test_a_higher_floor_lowers_mean_losses_on_todays_debt(pulling, outcome_of):
    low, high = (outcome_of(pulling(backstop_month=13.0, backstop=floor)) for floor in (0.6, 0.95))
    mean, error = paired_change(low, high, TODAY, THREE_YEARS)
    assert mean < -3.0 * error < 0.0

"""The engine and the independent reference, path by path on the same draws."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from engine.book.build import build_system
from engine.book.load import load_book, shipped_book
from engine.book.parameters import Parameters
from engine.draws.address import seed_words
from engine.draws.samplers import PSEUDO_RANDOM
from engine.paths import draws
from engine.paths.replay import replay
from engine.vocabulary import ALIVE, FORECLOSURE, HAZARD, LEVERS, LIQUIDITY, NON_PAYMENT
from tests.reference.path import simulate_path

MONTHS, SEED = 60, 20251231
RELATIVE = 1e-4
RUNNING = ("cash", "balance", "pledged", "held", "owned", "ebitda", "forward")
FLOOR = 1e-2
"""USD bn and shares below this are held to RELATIVE x FLOOR: sums of larger numbers cancel in float32."""
SMALL_LOAN = 0.1
FLOORS = {
    "sold": 0.1, "withdrawn": 0.1, "policy_cost": 1.0, "raised": 1.0, "ebitda": 1.0, "forward": 1.0,
    "spot": 0.1, "spot_ahead": 0.1, "free_share": 0.1, "fees": 0.1, "ltv": 0.1, "paid": 0.2,
    "maturing": 0.2, "received": 0.2, "coupon": 0.1,
}  # fmt: skip
"""Shares up to five times the difference of two shares of capital lost; what a firm may not borrow, which is
a difference of limits and debts of tens of bn; what a lab lacks and what a firm earns or will earn,
differences of cash and of contracts that come in and go out; what a plant has beyond its contracts, and what
is cancelled of its orders; an LTV,
which is judged near one; what is left for the second rank of payments, and what of a maturity is not yet
refinanced, out of cash that float32 knows to 1.5e-5; a margin, to a tenth of a basis point."""


def stressed() -> Parameters:
    """A bust from the first month, impatient lenders, and every mechanism half on: all doors are used."""
    numbers = Parameters()
    numbers.economy.start = "bust"
    numbers.chips.release_effect, numbers.chips.impact = 0.4, 1.5
    numbers.credit.waiver, numbers.credit.ltv_covenant, numbers.credit.ltv_cure = 0.2, 0.75, 0.65
    numbers.lenders.supply_loss = 20.0
    for switch in dataclasses.fields(numbers.mechanisms):
        setattr(numbers.mechanisms, switch.name, 0.5)
    return numbers


MOVED = {
    "chips": {
        "hours_elasticity": 0.5, "hours_bounds": [0.5, 0.8], "stress_bounds": [-0.2, 0.4], "gap_cap": 0.3,
        "depth_floor": 0.8, "other_buyers": 0.3, "buyer_tightness_cap": 0.9, "capex_credit": 0.9,
        "idle_margin": 1.4, "underwritten_life": 4.0,
    },
    "contracts": {"renegotiation_months": 5.0, "low_payment": 0.8},
    "credit": {
        "least_cure": 0.3, "dscr_cap": 2.0, "hazard_leverage": 1.1, "hazard_leverage_bounds": [-0.3, 0.8],
        "best_recovery": 0.6, "worst_lgd": 0.5,
    },
}  # fmt: skip
"""Bounds, floors and shares of the stages, each where it binds on some path under stress."""


def bounded() -> Parameters:
    """The stress above, with every bound, floor and share of the stages elsewhere."""
    numbers = stressed()
    for group, values in MOVED.items():
        for name, value in values.items():
            assert getattr(getattr(numbers, group), name) != value
            setattr(getattr(numbers, group), name, value)
    return numbers


def policed() -> Parameters:
    """A bust from the first month and every lever of policy, some for a time."""
    numbers = Parameters()
    numbers.economy.start = "bust"
    for lever in LEVERS:
        setattr(numbers.policy, f"{lever}_month", 7.0)
    numbers.policy.bailout_months, numbers.policy.backstop_months, numbers.policy.disclosure = 30.0, 12.0, 0.7
    return numbers


CASES = {
    "as shipped": (Parameters, range(8)),
    "under stress": (stressed, range(100, 104)),
    "with other bounds": (bounded, range(100, 104)),
    "with policy": (policed, range(200, 204)),
}


def stern(system):
    """The System in which no lender extends a loan, nor stands still on it."""
    never = jnp.zeros_like(system.loans.extension_probability)
    return eqx.tree_at(lambda s: s.loans.extension_probability, system, never)


@pytest.fixture(scope="module", params=CASES)
def case(request):
    make, paths = CASES[request.param]
    system = build_system(load_book(shipped_book("ai_credit_2025")), make(), MONTHS)
    return stern(system) if make is bounded else system, paths


@pytest.fixture(scope="module")
def system(case):
    return case[0]


@pytest.fixture(scope="module")
def exact(system):
    """The System with shares that sum to one in float64, as the reference's audit wants."""

    def normalised(shares):
        shares = np.asarray(shares, np.float64)
        total = shares.sum(axis=0)
        return shares / np.where(total > 0.0, total, 1.0)

    table = system.lenders
    return eqx.tree_at(
        lambda s: (s.lenders.holdings, s.lenders.debt_share, s.lenders.equity_share, s.pools.obligor_share),
        system,
        (
            normalised(table.holdings), normalised(table.debt_share.matrix),
            normalised(table.equity_share.matrix),
            normalised(np.asarray(system.pools.obligor_share.matrix).T).T,
        ),
    )  # fmt: skip


def raw_draws(system, path):
    """The path's draws as float64, in the words of the reference."""
    seed, number = seed_words(SEED), jnp.int64(path)
    once = jax.jit(draws.path_draws)(system, seed, number)
    shared = jax.jit(draws.systematic_draws)(system, PSEUDO_RANDOM, seed, number)
    monthly = jax.jit(jax.vmap(draws.month_shocks, in_axes=(None, None, None, 0, 0, 0)))(
        system, seed, number, jnp.arange(1, MONTHS + 1, dtype=jnp.int32), shared.normals, shared.uniforms
    )
    fate = {
        "threshold_firms": -np.log(np.asarray(once.firms, np.float64)),
        "threshold_obligors": -np.log(np.asarray(once.obligors, np.float64)),
        "slip": np.asarray(once.slip, np.float64),
        "slip_length": np.asarray(once.slip_length, np.float64),
        "release_effect": np.asarray(once.release_effect, np.float64),
        "frailty": np.asarray(once.frailty, np.float64),
        "leadership": np.asarray(once.leadership, np.float64),
    }
    shocks = {
        name: np.asarray(getattr(monthly, name), np.float64)
        for name in ("normals", "regime", "waiver", "extension", "own", "round")
    }
    return fate, shocks


COMPARED = {
    "revenue": lambda s, i: i.economy.revenue,
    "spread": lambda s, i: i.economy.spread,
    "equity": lambda s, i: i.economy.equity,
    "own_value": lambda s, i: s.own_value,
    "value": lambda s, i: i.revenue.value,
    "firm_spread": lambda s, i: i.revenue.spread,
    "firm_access": lambda s, i: i.revenue.access,
    "utilisation": lambda s, i: i.chips.utilisation,
    "rent": lambda s, i: i.chips.rent,
    "capex_factor": lambda s, i: s.chips.capex_pace,
    "order_factor": lambda s, i: s.chips.ordered_pace,
    "price": lambda s, i: i.collateral.price,
    "appraised": lambda s, i: s.chips.value,
    "owned": lambda s, i: s.plants.owned,
    "online": lambda s, i: s.plants.online,
    "short_delivery": lambda s, i: s.plants.late,
    "installed": lambda s, i: i.plants.installed,
    "need": lambda s, i: i.plants.needed,
    "need_ahead": lambda s, i: i.plants.needed_ahead,
    "delivered": lambda s, i: i.plants.delivered,
    "rent_ratio": lambda s, i: i.plants.rent,
    "free_share": lambda s, i: i.plants.free,
    "spot": lambda s, i: i.plants.spot,
    "spot_ahead": lambda s, i: i.plants.spot_ahead,
    "size": lambda s, i: s.contracts.size,
    "purse": lambda s, i: s.contracts.purse,
    "since_round": lambda s, i: s.contracts.since_round,
    "paid": lambda s, i: i.contracts.paid,
    "received": lambda s, i: i.contracts.received,
    "raised": lambda s, i: i.contracts.raised,
    "equity_capacity": lambda s, i: i.contracts.capacity,
    "ebitda": lambda s, i: i.contracts.ebitda,
    "forward": lambda s, i: i.contracts.forward,
    "cash": lambda s, i: s.funding.cash,
    "fees": lambda s, i: s.funding.fees,
    "maturity": lambda s, i: s.funding.maturity,
    "maturing": lambda s, i: s.funding.maturing,
    "coupon": lambda s, i: s.funding.coupon,
    "ahead_coupon": lambda s, i: s.funding.ahead_coupon,
    "option": lambda s, i: s.funding.option,
    "limit": lambda s, i: i.funding.limit,
    "belief": lambda s, i: s.belief,
    "hidden": lambda s, i: i.hidden.hidden,
    "accounting_value": lambda s, i: i.chips.accounting_value,
    "balance": lambda s, i: s.funding.balance,
    "peak": lambda s, i: s.funding.peak,
    "pledged": lambda s, i: s.collateral.pledged,
    "held": lambda s, i: s.collateral.held,
    "ltv": lambda s, i: i.collateral.ltv,
    "dscr": lambda s, i: i.collateral.dscr,
    "hazard_integral": lambda s, i: s.credit.hazard,
    "pool_hazard": lambda s, i: s.pools.hazard,
    "cumulative_loss": lambda s, i: s.lenders.loss,
    "gross": lambda s, i: s.lenders.gross,
    "booked": lambda s, i: s.lenders.booked,
    "sold": lambda s, i: s.lenders.paper.sold,
    "withdrawn": lambda s, i: s.lenders.paper.withdrawn,
    "impact": lambda s, i: s.lenders.paper.impact,
    "trading": lambda s, i: s.lenders.paper.trading,
    "supply": lambda s, i: s.supply,
    "held_exposure": lambda s, i: i.lenders.held,
    "growth": lambda s, i: s.lenders.capital.growth,
    "scale": lambda s, i: s.lenders.scale,
    "eroded": lambda s, i: s.lenders.capital.eroded,
    "capital_missing": lambda s, i: s.lenders.capital.missing,
    "failed": lambda s, i: s.lenders.failed,
    "failed_alone": lambda s, i: s.lenders.failed_alone,
    "exposure": lambda s, i: i.exposure,
    "policy_cost": lambda s, i: i.policy_cost,
}


def test_what_is_planned_for_a_loan_is_its_commitment_and_the_plan_of_its_vintage(case):
    """From the book's own rows: the reference reads both from the System, which has no vintage."""
    system, _ = case
    rows = load_book(shipped_book("ai_credit_2025"))["loans"].set_index("loan").loc[list(system.names.loans)]
    year = np.arange(MONTHS) // 12 + 1
    vintage, share = rows["vintage"].to_numpy(), rows["origination_share"].to_numpy(np.float64)
    taken = np.where((vintage == 0) | (year[:, None] == vintage), share, 0.0)
    np.testing.assert_allclose(system.calendar.origination, taken, rtol=1e-6)
    plan = np.repeat(np.asarray(system.numbers.chips.capex, np.float64), 12)[:MONTHS, None] / 12.0
    lent = float(system.numbers.credit.origination) * (plan * taken).sum(axis=0) * (vintage > 0)
    np.testing.assert_allclose(system.loans.planned, rows["committed"] + lent, rtol=1e-5)
    assert (lent > 0.0).sum() == (vintage > 0).sum() > 0 and vintage.max() * 12 <= MONTHS


def test_path_by_path(case, exact):
    system, paths = case
    causes = [compare(system, exact, path) for path in paths]
    if float(system.numbers.mechanisms.fire_sale) < 1.0:
        assert set(np.concatenate(causes)) >= {ALIVE, FORECLOSURE, LIQUIDITY, NON_PAYMENT, HAZARD}


def compare(system, exact, path):
    """Hold one path's every month to the reference; returns the causes of default."""
    state, info = jax.device_get(replay(system, SEED, path))
    fate, shocks = raw_draws(system, path)
    expected = simulate_path(exact, fate, shocks, MONTHS)
    np.testing.assert_array_equal(state.credit.default_month[-1], expected["default_month"])
    np.testing.assert_array_equal(state.credit.cause[-1], expected["cause"])
    for name, read in COMPARED.items():
        got = np.asarray(read(state, info), np.float64)
        if name == "owned":
            # Firms that are no operators own no chips.
            operators, got = got, np.zeros((MONTHS, len(system.names.firms), got.shape[-1]))
            got[:, system.plants.owner.group] = operators
        want = np.array([record[name] for record in expected["months"]], np.float64).reshape(got.shape)
        if name in ("ltv", "dscr"):
            # The engine reports LTV where it tests; ratios of a repaid loan are rounding.
            live = state.funding.balance[:, : want.shape[1]] > SMALL_LOAN
            got = np.where(live, got, 0.0)
            want = np.where(live & (got > 0.0), want, 0.0)
        size = np.abs(want)
        if name in RUNNING:
            # What is left of an account is known to the rounding of what went through it.
            size = np.maximum.accumulate(size, axis=0)
        # Sums of terms of both signs are held to the size of the largest such number in the path's month.
        largest = size.reshape(MONTHS, -1).max(axis=1).reshape(-1, *[1] * (want.ndim - 1))
        scale = np.maximum(size, 1e-2 * largest)
        error = np.abs(got - want) / np.maximum(scale, FLOORS.get(name, FLOOR))
        worst = np.unravel_index(np.argmax(error), error.shape)
        assert error.max() < RELATIVE, (
            f"{name} month {worst[0] + 1} {worst[1:]}: got {got[worst]}, expected {want[worst]}"
        )
    return expected["cause"]

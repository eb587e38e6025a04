"""Collateral: LTV and DSCR tests, waiver, cure, foreclosure, sales and prices (docs/model.md, section 5)."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from engine.book.system import Month, System
from engine.contagion.valuation import market_price, saturating_impact
from engine.month.chips import Chips
from engine.month.contracts import Contracts
from engine.month.economy import Economy
from engine.month.funding import Funding, FundingState, Service
from engine.vocabulary import MONTH, indicator

ROUNDS = 4
SMALL = 0.01
NO_DEBT_SERVICE = 10.0


class CollateralState(eqx.Module):
    """Pledged and foreclosed chips (million units), valuation scale, waivers in force, fire-sale discount."""

    pledged: Float[Array, "collateralised gens"]
    scale: Float[Array, "collateralised"]  # documented value over model value of the collateral
    waived_until: Float[Array, "collateralised"]  # month
    held: Float[Array, "gens"]  # by lenders, after foreclosure
    discount: Float[Array, "gens"]  # log


class Collateral(eqx.Module):
    """What the other stages read of this month's collateral tests."""

    price: Float[Array, "gens"]  # thousand USD, after sales
    gap: Float[Array, ""]  # log shortfall of chip prices below the underwritten path
    contract_value: Float[Array, "collateralised"]
    foreclosed: Float[Array, "firms"]
    seized: Float[Array, "collateralised gens"]  # million units foreclosed this month
    ltv: Float[Array, "collateralised"]
    dscr: Float[Array, "collateralised"]
    unsettled: Float[Array, ""]


class Test(eqx.Module):
    """One round's verdict on every collateralised loan."""

    ltv: Float[Array, "collateralised"]
    cure: Float[Array, "collateralised"]  # USD bn the borrower would have to pay
    waived: Float[Array, "collateralised"]  # newly waived
    failed: Float[Array, "collateralised"]  # called and not curable
    called: Float[Array, "collateralised"]


def init(system: System) -> CollateralState:
    """Pledges of the book, no waiver, nothing held."""
    pledged = system.loans.pledged
    scale = system.loans.collateral_scale
    return CollateralState(
        pledged, scale, jnp.zeros_like(scale), jnp.zeros_like(pledged[0]), jnp.zeros_like(pledged[0])
    )


def scale_after_draws(state_scale, worth_before, worth_after, borrowed, ltv_target):
    """Every dollar drawn brings collateral at the documented LTV: k' = (k w + drawn / target) / w'."""
    scaled = (state_scale * worth_before + borrowed / ltv_target) / jnp.maximum(worth_after, 1e-6)
    return jnp.where(borrowed > 0.0, scaled, state_scale)


def price_gap(system: System, price, month):
    """Mean log shortfall of recent chips' prices against the path lenders planned on, in [0, 1]."""
    chips, table = system.numbers.chips, system.chips
    fall = jnp.sum(table.recent * jnp.log(table.price_start / price)) / jnp.sum(table.recent)
    planned = chips.underwritten_price_decline * month.month.astype(jnp.float32) * MONTH
    return jnp.clip(fall - planned, 0.0, 1.0)


def quarterly_depth(system: System, chips: Chips, live):
    """Million units of each generation the second-hand market takes in a quarter."""
    numbers = system.numbers.chips
    tightness = chips.utilisation / numbers.utilisation
    buyers = 0.5 + 0.5 * live * jnp.minimum(tightness, 1.5)
    return numbers.depth * system.chips.hosting * jnp.maximum(3.0 * chips.bought, 0.1) * buyers


def step(
    system: System,
    state: CollateralState,
    funds: FundingState,
    economy: Economy,
    chips: Chips,
    contracts: Contracts,
    service: Service,
    funding: Funding,
    month: Month,
    u_waiver,
    alive,
) -> tuple[CollateralState, FundingState, Collateral]:
    """One month of tests and the fire-sale spiral to its least fixed point."""
    numbers, credit, table = system.numbers.chips, system.numbers.credit, system.loans
    count = state.pledged.shape[0]
    time = month.month.astype(jnp.float32)
    borrower = table.borrower[:count]
    borrowed = table.borrowed[:, :count]
    balance = funds.balance[:count]

    borrowed_now = funding.borrowed[:count]
    bought = credit.chips_per_draw * borrowed_now[:, None] * (chips.mix / system.chips.list_price)[None, :]
    pledged = state.pledged + bought
    secured = table.security @ (
        system.contracts.margin * contracts.size * contracts.quality * month.present_value
    )
    kept = jnp.exp(-numbers.underwritten_decline * month.contract_years)

    live = jnp.sum(system.firms.neocloud * alive) / jnp.maximum(jnp.sum(system.firms.neocloud), 1.0)
    depth = quarterly_depth(system, chips, live)
    meter = 1.0 - (1.0 - numbers.quarterly_sales) ** (1.0 / 3.0)
    resting = state.discount * jnp.exp2(-MONTH / numbers.impact_half_life)
    scrap = numbers.scrap * system.chips.list_price
    impact = numbers.impact * system.numbers.mechanisms.fire_sale

    resting_price = market_price(chips.value, resting, scrap)
    gap = price_gap(system, resting_price, month)
    worth_before = credit.contract_advance * secured + kept * (state.pledged @ resting_price)
    worth_after = worth_before + kept * (bought @ resting_price)
    scale = scale_after_draws(state.scale, worth_before, worth_after, borrowed_now, table.ltv_target)

    income = table.security @ (system.contracts.margin * contracts.received)
    spot = table.uncontracted_share * (pledged @ chips.earnings) * MONTH
    owed = (service.interest + service.amortisation)[:count]
    has_service = owed > 0.0
    covered = (income + spot) / jnp.where(has_service, owed, 1.0)
    dscr = jnp.where(has_service, jnp.minimum(covered, NO_DEBT_SERVICE), NO_DEBT_SERVICE)
    tested = (alive[borrower] > 0.0) & (balance > SMALL)
    weak = (dscr < credit.dscr_default) & tested
    resources = funds.cash + funds.headroom

    def test(price):
        worth = scale * (credit.contract_advance * secured + kept * (pledged @ price))
        ltv = balance / jnp.maximum(worth, 1e-6)
        breach = ((ltv > credit.ltv_covenant) & tested) | weak
        open_breach = breach & (time > state.waived_until)
        waived = open_breach & (u_waiver[:count] < credit.waiver)
        called = open_breach & ~waived
        floor = jnp.where(weak, 0.1 * balance, 0.0)
        cure = jnp.where(called, jnp.maximum(balance - credit.ltv_cure * worth, floor), 0.0)
        broke = (borrowed @ cure) > resources
        failed = called & broke[borrower]
        return Test(ltv, cure, *map(indicator, (waived, failed, called)))

    failed = jnp.zeros_like(balance)
    for _ in range(ROUNDS):
        before = failed
        sold = meter * (state.held + failed @ pledged)
        discount = saturating_impact(resting, sold, depth, impact, numbers.impact_cap)
        price = market_price(chips.value, discount, scrap)
        verdict = test(price)
        failed = jnp.maximum(failed, verdict.failed)

    cured = verdict.called * (1.0 - failed) * verdict.cure
    waived_until = jnp.where(verdict.waived > 0.0, time + credit.waiver_months - 1.0, state.waived_until)
    cost = borrowed @ cured
    cash = jnp.maximum(funds.cash - cost, 0.0)
    headroom = funds.headroom - jnp.maximum(cost - funds.cash, 0.0)

    trapped = tested & (dscr < credit.dscr_trap) & (dscr >= credit.dscr_default) & (failed < 0.5)
    after_cure = balance - cured
    surplus = credit.sweep_share * jnp.maximum(income + spot - owed, 0.0)
    sweep = jnp.where(trapped, jnp.minimum(surplus, after_cure), 0.0)
    wanted = borrowed @ sweep
    spare = jnp.maximum(cash - system.firms.minimum_cash, 0.0)
    possible = jnp.where(wanted > 0.0, jnp.minimum(spare / jnp.where(wanted > 0.0, wanted, 1.0), 1.0), 0.0)
    sweep = sweep * possible[borrower]

    seized = failed[:, None] * pledged
    repaid = jnp.concatenate([cured + sweep, jnp.zeros_like(funds.balance[count:])])
    held = state.held + jnp.sum(seized, axis=0) - sold
    return (
        CollateralState(pledged - seized, scale, waived_until, held, discount),
        eqx.tree_at(
            lambda f: (f.cash, f.headroom, f.balance),
            funds,
            (cash - borrowed @ sweep, headroom, funds.balance - repaid),
        ),
        Collateral(
            price=price,
            gap=gap,
            contract_value=secured,
            foreclosed=jnp.minimum(borrowed @ failed, 1.0),
            seized=seized,
            ltv=jnp.where(tested, verdict.ltv, 0.0),
            dscr=dscr,
            unsettled=jnp.max(jnp.abs(failed - before)),
        ),
    )

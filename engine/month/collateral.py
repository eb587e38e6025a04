"""Collateral: LTV and DSCR tests, waiver, cure, foreclosure, sales and prices (docs/model.md, section 5)."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from engine.book.system import Month, System
from engine.contagion.valuation import market_price, saturating_impact
from engine.month.chips import Chips
from engine.month.contracts import Contracts
from engine.month.funding import Funding, FundingState, Service
from engine.numerics import indicator
from engine.vocabulary import MONTH

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


class Secured(eqx.Module):
    """What stands behind each collateralised loan this month."""

    balance: Float[Array, "collateralised"]  # USD bn, before cures
    pledged: Float[Array, "collateralised gens"]  # million units, with this month's purchases
    scale: Float[Array, "collateralised"]
    contract_value: Float[Array, "collateralised"]  # USD bn
    kept: Float[Array, "collateralised"]  # share of chip value left when the contract ends

    def worth(self, advance, pledged, price):
        """Model value: advance PV + kept units x price, before `scale`."""
        return advance * self.contract_value + self.kept * (pledged @ price)


class Coverage(eqx.Module):
    """Cash available for debt service against what is owed (USD bn this month)."""

    available: Float[Array, "collateralised"]
    owed: Float[Array, "collateralised"]
    dscr: Float[Array, "collateralised"]
    tested: Bool[Array, "collateralised"]  # the borrower lives and the loan is not repaid
    weak: Bool[Array, "collateralised"]  # tested and under the default DSCR


class Market(eqx.Module):
    """The second-hand market before this month's sales."""

    value: Float[Array, "gens"]  # income value, thousand USD
    scrap: Float[Array, "gens"]
    discount: Float[Array, "gens"]  # what is left of earlier sales
    depth: Float[Array, "gens"]  # million units a quarter
    impact: Float[Array, ""]
    cap: Float[Array, ""]
    meter: Float[Array, ""]  # share of foreclosed chips sold in a month

    def after(self, sold):
        """Discount and price once `sold` units have gone."""
        discount = saturating_impact(self.discount, sold, self.depth, self.impact, self.cap)
        return discount, market_price(self.value, discount, self.scrap)


class Verdict(eqx.Module):
    """One round's verdict on every collateralised loan (1 or 0 but for the amounts)."""

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


def scale_after_draws(state_scale, worth_before, worth_after, brought):
    """What is drawn and lent brings collateral at the LTV of its documents: k' = (k w + brought) / w'."""
    scaled = (state_scale * worth_before + brought) / jnp.maximum(worth_after, 1e-6)
    return jnp.where(brought > 0.0, scaled, state_scale)


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


def market_of(system: System, state: CollateralState, chips: Chips, alive) -> Market:
    """Depth, decayed discount and scrap at the start of the month's sales."""
    numbers, neocloud = system.numbers.chips, system.firms.neocloud
    live = jnp.sum(neocloud * alive) / jnp.maximum(jnp.sum(neocloud), 1.0)
    return Market(
        value=chips.value,
        scrap=numbers.scrap * system.chips.list_price,
        discount=state.discount * jnp.exp2(-MONTH / numbers.impact_half_life),
        depth=quarterly_depth(system, chips, live),
        impact=numbers.impact * system.numbers.mechanisms.fire_sale,
        cap=numbers.impact_cap,
        meter=1.0 - (1.0 - numbers.quarterly_sales) ** (1.0 / 3.0),
    )


def secure(
    system: System,
    state: CollateralState,
    chips: Chips,
    contracts: Contracts,
    month: Month,
    balance,
    brought,
    price,
) -> Secured:
    """Collateral after this month's purchases; what was borrowed adds `brought` [collateralised] of value."""
    credit, table = system.numbers.credit, system.loans
    spent = brought * table.ltv_target  # at the documented LTV the debt itself, under a lower one more
    bought = credit.chips_per_draw * spent[:, None] * (chips.mix / system.chips.list_price)[None, :]
    contract = system.contracts.margin * contracts.size * contracts.quality * month.present_value
    # Years until the chips are free: none where the contract is not honoured.
    tied = table.security_weight @ (contracts.quality * month.years_left)
    secured = Secured(
        balance=balance,
        pledged=state.pledged + bought,
        scale=state.scale,
        contract_value=table.security @ contract,
        kept=jnp.exp(-system.numbers.chips.underwritten_decline * tied),
    )
    before = secured.worth(credit.contract_advance, state.pledged, price)
    after = before + secured.kept * (bought @ price)
    scale = scale_after_draws(state.scale, before, after, brought)
    return eqx.tree_at(lambda s: s.scale, secured, scale)


def coverage(
    system: System, secured: Secured, chips: Chips, contracts: Contracts, service: Service, alive
) -> Coverage:
    """DSCR = (contract cash + uncontracted rent) / (interest + amortisation), at most 10."""
    credit, table = system.numbers.credit, system.loans
    count = secured.balance.shape[0]
    income = table.security @ (system.contracts.margin * contracts.received)
    spot = table.uncontracted_share * (secured.pledged @ chips.earnings) * MONTH
    owed = (service.interest + service.amortisation)[:count]
    has_service = owed > 0.0
    covered = (income + spot) / jnp.where(has_service, owed, 1.0)
    dscr = jnp.where(has_service, jnp.minimum(covered, NO_DEBT_SERVICE), NO_DEBT_SERVICE)
    tested = (alive[table.borrower[:count]] > 0.0) & (secured.balance > SMALL)
    return Coverage(income + spot, owed, dscr, tested, (dscr < credit.dscr_default) & tested)


def judge(
    system: System, secured: Secured, covered: Coverage, open_month, resources, u_waiver, price
) -> Verdict:
    """Breach, waiver, call and cure at a price. `open_month` is true where no waiver is in force."""
    credit, table = system.numbers.credit, system.loans
    count = secured.balance.shape[0]
    worth = secured.scale * secured.worth(credit.contract_advance, secured.pledged, price)
    ltv = secured.balance / jnp.maximum(worth, 1e-6)
    breach = ((ltv > credit.ltv_covenant) & covered.tested) | covered.weak
    waived = breach & open_month & (u_waiver[:count] < credit.waiver)
    called = breach & open_month & ~waived
    floor = jnp.where(covered.weak, 0.1 * secured.balance, 0.0)
    cure = jnp.where(called, jnp.maximum(secured.balance - credit.ltv_cure * worth, floor), 0.0)
    broke = (table.borrowed.first(count) @ cure) > resources
    failed = called & broke[table.borrower[:count]]
    return Verdict(ltv, cure, *map(indicator, (waived, failed, called)))


def spiral(market: Market, held, pledged, verdict_at):
    """Foreclosures sell chips, sales move prices, prices fail loans: the least fixed point.

    Returns the failed loans, those of the round before, the last verdict, units sold, discount and price.
    """
    failed = jnp.zeros_like(pledged[:, 0])
    for _ in range(ROUNDS):
        before = failed
        sold = market.meter * (held + failed @ pledged)
        discount, price = market.after(sold)
        verdict = verdict_at(price)
        failed = jnp.maximum(failed, verdict.failed)
    return failed, before, verdict, sold, discount, price


def cure_and_sweep(
    system: System, funds: FundingState, secured: Secured, covered: Coverage, verdict: Verdict, failed
) -> FundingState:
    """Cures are paid from cash, then equity; loans under the trap sweep part of their surplus."""
    credit, table = system.numbers.credit, system.loans
    count = secured.balance.shape[0]
    borrowed = table.borrowed.first(count)
    cured = verdict.called * (1.0 - failed) * verdict.cure
    cost = borrowed @ cured
    cash = jnp.maximum(funds.cash - cost, 0.0)
    headroom = funds.headroom - jnp.maximum(cost - funds.cash, 0.0)

    above_default = covered.dscr >= credit.dscr_default
    foreclosed = ((borrowed @ failed) > 0.0)[table.borrower[:count]]
    trapped = covered.tested & (covered.dscr < credit.dscr_trap) & above_default & ~foreclosed
    surplus = credit.sweep_share * jnp.maximum(covered.available - covered.owed, 0.0)
    sweep = jnp.where(trapped, jnp.minimum(surplus, secured.balance - cured), 0.0)
    wanted = borrowed @ sweep
    spare = jnp.maximum(cash - system.firms.minimum_cash, 0.0)
    possible = jnp.where(wanted > 0.0, jnp.minimum(spare / jnp.where(wanted > 0.0, wanted, 1.0), 1.0), 0.0)
    sweep = sweep * possible[table.borrower[:count]]
    repaid = jnp.concatenate([cured + sweep, jnp.zeros_like(funds.balance[count:])])
    return eqx.tree_at(
        lambda f: (f.cash, f.headroom, f.balance),
        funds,
        (cash - borrowed @ sweep, headroom, funds.balance - repaid),
    )


def step(
    system: System,
    state: CollateralState,
    funds: FundingState,
    chips: Chips,
    contracts: Contracts,
    service: Service,
    funding: Funding,
    month: Month,
    u_waiver,
    alive,
) -> tuple[CollateralState, FundingState, Collateral]:
    """One month of tests and the fire-sale spiral."""
    count = state.pledged.shape[0]
    time = month.month.astype(jnp.float32)
    market = market_of(system, state, chips, alive)
    resting_price = market_price(market.value, market.discount, market.scrap)
    documented = system.loans.ltv_target
    # Policy caps what is newly lent; commitments are drawn as they were documented.
    advance = jnp.minimum(documented, month.advance_cap)
    brought = funding.drawn[:count] / documented + funding.lent[:count] / advance
    secured = secure(system, state, chips, contracts, month, funds.balance[:count], brought, resting_price)
    covered = coverage(system, secured, chips, contracts, service, alive)
    open_month, resources = time > state.waived_until, funds.cash + funds.headroom

    def verdict_at(price):
        return judge(system, secured, covered, open_month, resources, u_waiver, price)

    failed, before, verdict, sold, discount, price = spiral(market, state.held, secured.pledged, verdict_at)
    seized = failed[:, None] * secured.pledged
    waiver_end = time + system.numbers.credit.waiver_months - 1.0
    return (
        CollateralState(
            pledged=secured.pledged - seized,
            scale=secured.scale,
            waived_until=jnp.where(verdict.waived > 0.0, waiver_end, state.waived_until),
            held=state.held + jnp.sum(seized, axis=0) - sold,
            discount=discount,
        ),
        cure_and_sweep(system, funds, secured, covered, verdict, failed),
        Collateral(
            price=price,
            gap=price_gap(system, resting_price, month),
            contract_value=secured.contract_value,
            foreclosed=jnp.minimum(system.loans.borrowed.first(count) @ failed, 1.0),
            seized=seized,
            ltv=jnp.where(covered.tested, verdict.ltv, 0.0),
            dscr=covered.dscr,
            unsettled=jnp.max(jnp.abs(failed - before)),
        ),
    )

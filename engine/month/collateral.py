"""Collateral: LTV and DSCR tests, waiver, cure, foreclosure, sales and prices (docs/model.md, section 5)."""

from collections.abc import Callable

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from engine.book.system import Month, System
from engine.contagion.valuation import market_price, saturating_impact
from engine.month.chips import ChipMarket, bought_per_usd
from engine.month.contracts import ContractFlows
from engine.month.debt_service import FundingState
from engine.month.funding import Funding
from engine.month.setting import Setting
from engine.numerics import indicator
from engine.vocabulary import MONTH, REGIMES

ROUNDS = 4
"""Of the spiral, from no foreclosure; a loan that would fail in a later one raises a flag."""
QUARTER = 3.0
"""Months."""
WORTHLESS = 1e-6
"""USD bn; collateral without value must not divide by zero."""


class CollateralState(eqx.Module):
    """Pledged and foreclosed chips (million units), valuation scale, waivers in force, fire-sale discount."""

    pledged: Float[Array, "collateralised gens"]
    scale: Float[Array, "collateralised"]  # documented value over model value of the collateral
    waived_until: Float[Array, "collateralised"]  # month
    held: Float[Array, "gens"]  # by lenders, after foreclosure
    discount: Float[Array, "gens"]  # log
    boom: Float[Array, ""]  # years of it since month 0, without a break


class Collateral(eqx.Module):
    """What the other stages read of this month's collateral tests."""

    price: Float[Array, "gens"]  # thousand USD, after sales
    gap: Float[Array, ""]  # log shortfall of chip prices below the underwritten path
    contract_value: Float[Array, "collateralised"]
    foreclosed: Float[Array, "firms"]
    chips: Float[Array, "collateralised"]  # value of those that stay in pledge, USD bn
    seized: Float[Array, "collateralised"]  # value of those foreclosed this month, USD bn
    ltv: Float[Array, "collateralised"]
    dscr: Float[Array, "collateralised"]
    unsettled: Float[Array, ""]


class Secured(eqx.Module):
    """What stands behind each collateralised loan this month."""

    balance: Float[Array, "collateralised"]  # USD bn, before cures
    pledged: Float[Array, "collateralised gens"]  # million units, with this month's purchases
    scale: Float[Array, "collateralised"]
    contract_value: Float[Array, "collateralised"]  # USD bn
    residual: Float[Array, "collateralised"]  # share of chip value left when the contract ends

    def value_at(
        self,
        advance: Float[Array, ""],
        pledged: Float[Array, "collateralised gens"],
        price: Float[Array, "gens"],
    ) -> Float[Array, "collateralised"]:
        """Model value (USD bn), before `scale`: advance PV + residual units x price."""
        return advance * self.contract_value + self.residual * (pledged @ price)


class Coverage(eqx.Module):
    """Cash available for debt service against what is owed (USD bn this month)."""

    available: Float[Array, "collateralised"]
    owed: Float[Array, "collateralised"]
    dscr: Float[Array, "collateralised"]
    tested: Bool[Array, "collateralised"]  # the borrower lives and the loan is not repaid
    weak: Bool[Array, "collateralised"]  # tested and under the default DSCR


class SecondHandMarket(eqx.Module):
    """The second-hand market before this month's sales."""

    value: Float[Array, "gens"]  # income value, thousand USD
    scrap: Float[Array, "gens"]
    discount: Float[Array, "gens"]  # what is left of earlier sales
    depth: Float[Array, "gens"]  # million units a quarter
    impact: Float[Array, ""]
    cap: Float[Array, ""]
    meter: Float[Array, ""]  # share of foreclosed chips sold in a month

    def after(self, sold: Float[Array, "gens"]) -> tuple[Float[Array, "gens"], Float[Array, "gens"]]:
        """Discount and price once `sold` million units are sold."""
        discount = saturating_impact(self.discount, sold, self.depth, self.impact, self.cap)
        return discount, market_price(self.value, discount, self.scrap)


class Verdict(eqx.Module):
    """One round's verdict on every collateralised loan, 1 or 0 where no unit is given."""

    ltv: Float[Array, "collateralised"]
    cure: Float[Array, "collateralised"]  # USD bn the borrower would have to pay
    waived: Float[Array, "collateralised"]  # newly waived
    failed: Float[Array, "collateralised"]  # called and not curable
    called: Float[Array, "collateralised"]


def init(system: System) -> CollateralState:
    """Pledges of the book, no waiver, nothing held."""
    pledged = system.loans.pledged
    scale = system.loans.collateral_scale
    none = jnp.zeros(pledged.shape[1], pledged.dtype)
    return CollateralState(pledged, scale, jnp.zeros_like(scale), none, none, jnp.zeros((), jnp.float32))


def take(state: CollateralState, units: Float[Array, "gens"]) -> CollateralState:
    """More chips held by lenders (million units): those of the bankrupt that were free of pledge."""
    return eqx.tree_at(lambda s: s.held, state, state.held + units)


def scale_after_draws(
    scale: Float[Array, "collateralised"],
    before: Float[Array, "collateralised"],
    after: Float[Array, "collateralised"],
    brought: Float[Array, "collateralised"],
) -> Float[Array, "collateralised"]:
    """What is drawn and lent brings collateral at the LTV of its documents: k' = (k w + brought) / w'."""
    scaled = (scale * before + brought) / jnp.maximum(after, WORTHLESS)
    return jnp.where(brought > 0.0, scaled, scale)


def price_gap(system: System, price: Float[Array, "gens"], month: Month) -> Float[Array, ""]:
    """Mean log shortfall of recent chips' prices against the path lenders planned on, in [0, gap_cap]."""
    chips, table = system.numbers.chips, system.chips
    fall = jnp.sum(table.recent * jnp.log(table.price_start / price)) / jnp.sum(table.recent)
    planned = chips.underwritten_price_decline * month.month.astype(jnp.float32) * MONTH
    return jnp.clip(fall - planned, 0.0, chips.gap_cap)


def quarterly_depth(system: System, chips: ChipMarket, live: Float[Array, ""]) -> Float[Array, "gens"]:
    """Million units of each generation the second-hand market takes in a quarter.

    depth hosting max(purchases, floor) (o + (1 - o) live min(U/U0, cap)), o the share of other buyers
    """
    numbers = system.numbers.chips
    tightness = chips.utilisation / numbers.utilisation
    busy = jnp.minimum(tightness, numbers.buyer_tightness_cap)
    buyers = numbers.other_buyers + (1.0 - numbers.other_buyers) * live * busy
    purchases = jnp.maximum(QUARTER * chips.bought, numbers.depth_floor)
    return numbers.depth * system.chips.hosting * purchases * buyers


def market_of(
    system: System, state: CollateralState, chips: ChipMarket, alive: Float[Array, "firms"]
) -> SecondHandMarket:
    """Depth, decayed discount and scrap at the start of the month's sales."""
    numbers, neocloud = system.numbers.chips, system.firms.neocloud
    live = jnp.sum(neocloud * alive) / jnp.maximum(jnp.sum(neocloud), 1.0)
    return SecondHandMarket(
        value=chips.value,
        scrap=numbers.scrap * system.chips.list_price,
        discount=state.discount * jnp.exp2(-MONTH / numbers.impact_half_life),
        depth=quarterly_depth(system, chips, live),
        impact=numbers.impact * system.numbers.mechanisms.fire_sale,
        cap=numbers.impact_cap,
        meter=1.0 - (1.0 - numbers.quarterly_sales) ** (1.0 / QUARTER),
    )


def advance_rate(system: System, boom: Float[Array, ""], month: Month) -> Float[Array, "collateralised"]:
    """What is lent anew against a USD of collateral: more as the boom lasts, and at most policy's cap.

    min(ltv (1 + loosening boom), cap), `boom` the years of boom without a break since month 0
    """
    loose = 1.0 + system.numbers.mechanisms.screening * system.numbers.credit.loosening * boom
    return jnp.minimum(system.loans.ltv_target * loose, month.advance_cap)


def secure(
    system: System,
    state: CollateralState,
    setting: Setting,
    contracts: ContractFlows,
    balance: Float[Array, "collateralised"],
    brought: Float[Array, "collateralised"],
    price: Float[Array, "gens"],
) -> Secured:
    """Collateral after this month's purchases; new debt adds `brought` of value (USD bn)."""
    credit, table, month = system.numbers.credit, system.loans, setting.month
    # At the documented LTV the debt itself, under a lower one more.
    spent = credit.chips_per_draw * brought * table.ltv_target
    units = bought_per_usd(system, setting.chips)
    honoured = contracts.quality * contracts.delivered
    contract = system.contracts.margin * contracts.size * honoured * month.present_value
    # Years until the chips are free: none where the contract is not honoured.
    tied = table.security_weight @ (contracts.quality * month.years_left)
    # Chips fail in pledge as elsewhere.
    standing = state.pledged * (1.0 - system.numbers.chips.failure * MONTH)
    secured = Secured(
        balance=balance,
        pledged=standing + spent[:, None] * units[None, :],
        scale=state.scale,
        contract_value=table.security @ contract,
        residual=jnp.exp(-system.chips.decline * tied),
    )
    before = secured.value_at(credit.contract_advance, standing, price)
    after = before + secured.residual * spent * (units @ price)
    scale = scale_after_draws(state.scale, before, after, brought)
    return eqx.tree_at(lambda s: s.scale, secured, scale)


def coverage(
    system: System,
    secured: Secured,
    setting: Setting,
    contracts: ContractFlows,
    debt_service: Float[Array, "collateralised"],
) -> Coverage:
    """DSCR = (contract cash + uncontracted rent) / (interest + amortisation), at most `dscr_cap`."""
    credit, table = system.numbers.credit, system.loans
    count = secured.balance.shape[0]
    income = table.security @ (system.contracts.margin * contracts.received)
    spot = table.uncontracted_share * (secured.pledged @ setting.chips.earnings) * MONTH
    has_service = debt_service > 0.0
    covered = (income + spot) / jnp.where(has_service, debt_service, 1.0)
    dscr = jnp.where(has_service, jnp.minimum(covered, credit.dscr_cap), credit.dscr_cap)
    owed = secured.balance > table.remnant
    tested = (setting.standing.alive[table.borrower[:count]] > 0.0) & owed
    return Coverage(income + spot, debt_service, dscr, tested, (dscr < credit.dscr_default) & tested)


def judge(
    system: System,
    secured: Secured,
    covered: Coverage,
    open_month: Bool[Array, "collateralised"],
    resources: Float[Array, "firms"],
    waiver: Float[Array, "loans"],
    price: Float[Array, "gens"],
) -> Verdict:
    """Breach, waiver, call and cure at a price. `open_month` is true where no waiver is in force."""
    credit, table = system.numbers.credit, system.loans
    count = secured.balance.shape[0]
    value = secured.scale * secured.value_at(credit.contract_advance, secured.pledged, price)
    ltv = secured.balance / jnp.maximum(value, WORTHLESS)
    breach = ((ltv > credit.ltv_covenant) & covered.tested) | covered.weak
    waived = breach & open_month & (waiver[:count] < credit.waiver)
    called = breach & open_month & ~waived
    floor = jnp.where(covered.weak, credit.least_cure * secured.balance, 0.0)
    cure = jnp.where(called, jnp.maximum(secured.balance - credit.ltv_cure * value, floor), 0.0)
    broke = (table.borrowed.first(count) @ cure) > resources
    failed = called & broke[table.borrower[:count]]
    return Verdict(ltv, cure, indicator(waived), indicator(failed), indicator(called))


class Spiral(eqx.Module):
    """Where the rounds of foreclosures and sales end."""

    failed: Float[Array, "collateralised"]
    before: Float[Array, "collateralised"]  # the round before the last
    verdict: Verdict
    sold: Float[Array, "gens"]  # million units
    discount: Float[Array, "gens"]  # log
    price: Float[Array, "gens"]  # thousand USD


def spiral(
    market: SecondHandMarket,
    held: Float[Array, "gens"],
    pledged: Float[Array, "collateralised gens"],
    verdict_at: Callable[[Float[Array, "gens"]], Verdict],
) -> Spiral:
    """Foreclosures sell chips, sales move prices, prices fail loans: the least fixed point."""
    failed = jnp.zeros_like(pledged[:, 0])
    for _ in range(ROUNDS):
        before = failed
        sold = market.meter * (held + failed @ pledged)
        discount, price = market.after(sold)
        verdict = verdict_at(price)
        failed = jnp.maximum(failed, verdict.failed)
    return Spiral(failed, before, verdict, sold, discount, price)


def cure_and_sweep(
    system: System,
    funds: FundingState,
    secured: Secured,
    covered: Coverage,
    verdict: Verdict,
    failed: Float[Array, "collateralised"],
) -> FundingState:
    """Cures are paid from cash, then equity; loans under the trap sweep part of their surplus."""
    credit, table = system.numbers.credit, system.loans
    count = secured.balance.shape[0]
    borrowed = table.borrowed.first(count)
    cured = verdict.called * (1.0 - failed) * verdict.cure
    cost = borrowed @ cured
    cash = jnp.maximum(funds.cash - cost, 0.0)
    headroom = jnp.maximum(funds.headroom - jnp.maximum(cost - funds.cash, 0.0), 0.0)

    above_default = covered.dscr >= credit.dscr_default
    foreclosed = ((borrowed @ failed) > 0.0)[table.borrower[:count]]
    trapped = covered.tested & (covered.dscr < credit.dscr_trap) & above_default & ~foreclosed
    surplus = credit.sweep_share * jnp.maximum(covered.available - covered.owed, 0.0)
    sweep = jnp.where(trapped, jnp.minimum(surplus, secured.balance - cured), 0.0)
    total = borrowed @ sweep
    spare = jnp.maximum(cash - system.firms.minimum_cash, 0.0)
    possible = jnp.where(total > 0.0, jnp.minimum(spare / jnp.where(total > 0.0, total, 1.0), 1.0), 0.0)
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
    setting: Setting,
    contracts: ContractFlows,
    funding: Funding,
    waiver: Float[Array, "loans"],
) -> tuple[CollateralState, FundingState, Collateral]:
    """One month of tests and the fire-sale spiral. `waiver` is the month's uniform of each loan."""
    count = state.pledged.shape[0]
    month, time = setting.month, setting.month.month.astype(jnp.float32)
    market = market_of(system, state, setting.chips, setting.standing.alive)
    resting_price = market_price(market.value, market.discount, market.scrap)
    documented = system.loans.ltv_target
    boom = (state.boom + MONTH) * setting.economy.regime[REGIMES.index("boom")]
    # Commitments are drawn as they were documented.
    advance = advance_rate(system, boom, month)
    brought = funding.drawn[:count] / documented + funding.lent[:count] / advance
    secured = secure(system, state, setting, contracts, funds.balance[:count], brought, resting_price)
    covered = coverage(system, secured, setting, contracts, funding.debt_service[:count])
    open_month, resources = time > state.waived_until, funds.cash + funding.spare_equity

    def verdict_at(price: Float[Array, "gens"]) -> Verdict:
        return judge(system, secured, covered, open_month, resources, waiver, price)

    end = spiral(market, state.held, secured.pledged, verdict_at)
    chip_value = secured.pledged @ end.price
    waiver_end = time + system.numbers.credit.waiver_months - 1.0
    return (
        CollateralState(
            pledged=secured.pledged * (1.0 - end.failed)[:, None],
            scale=secured.scale,
            waived_until=jnp.where(end.verdict.waived > 0.0, waiver_end, state.waived_until),
            held=state.held + end.failed @ secured.pledged - end.sold,
            discount=end.discount,
            boom=boom,
        ),
        cure_and_sweep(system, funds, secured, covered, end.verdict, end.failed),
        Collateral(
            price=end.price,
            gap=price_gap(system, resting_price, month),
            contract_value=secured.contract_value,
            foreclosed=jnp.minimum(system.loans.borrowed.first(count) @ end.failed, 1.0),
            chips=(1.0 - end.failed) * chip_value,
            seized=end.failed * chip_value,
            ltv=jnp.where(covered.tested, end.verdict.ltv, 0.0),
            dscr=covered.dscr,
            unsettled=jnp.max(jnp.abs(end.failed - end.before), initial=0.0),
        ),
    )

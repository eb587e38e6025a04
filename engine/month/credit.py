"""Credit: defaults by cause, and what lenders recover (docs/model.md, section 6)."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from engine.book.system import System
from engine.month.collateral import Collateral, CollateralState
from engine.month.contracts import ContractFlows
from engine.month.debt_service import FundingState
from engine.month.funding import Funding
from engine.month.inputs import Fate
from engine.month.setting import Setting, Standing
from engine.month.terms import earning_power
from engine.numerics import indicator
from engine.vocabulary import (
    ALIVE,
    BALANCE_SHEET,
    EXCHANGE,
    FORECLOSURE,
    GROUP,
    HAZARD,
    LIQUIDITY,
    MONTH,
    NON_PAYMENT,
)

UNMET = 1e-4
"""USD bn; a smaller amount unpaid is the rounding of float32."""


class CreditState(eqx.Module):
    """Cumulative hazard, and when and why each firm defaulted."""

    hazard: Float[Array, "firms"]
    default_month: Int[Array, "firms"]  # 0 while alive
    cause: Int[Array, "firms"]

    @property
    def standing(self) -> Standing:
        """Who never defaulted, and who is in business."""
        alive = self.default_month == 0
        return Standing(indicator(alive), indicator(alive | (self.cause == EXCHANGE)))


class Triggers(eqx.Module):
    """What the month has brought to borrowers by the time defaults are counted."""

    contracts: ContractFlows
    funding: Funding
    collateral: Collateral


class CreditLosses(eqx.Module):
    """Losses of the month on loans of named firms."""

    loss: Float[Array, "loans"]  # USD bn


def init(system: System) -> CreditState:
    """Everybody alive."""
    zero = jnp.zeros_like(system.firms.cash)
    return CreditState(zero, zero.astype(jnp.int32), zero.astype(jnp.int32))


def failed_share(neocloud: Float[Array, "firms"], alive: Float[Array, "firms"]) -> Float[Array, ""]:
    """Share of the neoclouds (1, else 0) that have failed; zero where there is none."""
    return jnp.sum(neocloud * (1.0 - alive)) / jnp.maximum(jnp.sum(neocloud), 1.0)


def intensity(
    system: System,
    setting: Setting,
    leverage: Float[Array, "firms"],
    failed: Float[Array, ""],
) -> Float[Array, "firms"]:
    """Default intensity of each firm (a year).

    hazard h exp(a stress+ + b ln spread + c failed + beta clip(leverage - hazard_leverage, bounds))
    """
    credit, firms = system.numbers.credit, system.firms
    common = (
        credit.hazard_stress * jnp.maximum(setting.chips.stress, 0.0)
        + credit.hazard_spread * jnp.log(setting.revenue.spread)
        + credit.hazard_contagion * failed
    )
    least, most = credit.hazard_leverage_bounds[0], credit.hazard_leverage_bounds[1]
    indebted = firms.leverage_beta * jnp.clip(leverage - credit.hazard_leverage, least, most)
    return firms.hazard * setting.economy.hazard_multiplier * jnp.exp(common) * jnp.exp(indebted)


def default_cause(
    system: System,
    fate: Fate,
    hazard: Float[Array, "firms"],
    insolvent: Bool[Array, "firms"],
    triggers: Triggers,
    standing: Standing,
) -> Int[Array, "firms"]:
    """Cause code of each firm that defaults this month, ALIVE for the others; the first that holds wins."""
    contracts, funding, collateral = triggers.contracts, triggers.funding, triggers.collateral
    inside = system.firms.outside < 0.5
    fallen_parent = (1.0 - standing.operating) @ system.firms.cross_default
    causes = (
        (collateral.foreclosed > 0.0, FORECLOSURE),
        ((funding.unmet > UNMET) & (funding.exchange < 0.5) & inside, LIQUIDITY),
        (contracts.low_payment >= system.numbers.contracts.non_payment_months, NON_PAYMENT),
        (insolvent, BALANCE_SHEET),
        (hazard >= fate.threshold_firms, HAZARD),
        (funding.exchange > 0.5, EXCHANGE),
        (system.numbers.mechanisms.cross_default * fallen_parent > 0.5, GROUP),
    )
    code = jnp.full_like(standing.alive, ALIVE, dtype=jnp.int32)
    for holds, cause in reversed(causes):
        code = jnp.where(holds, jnp.int32(cause), code)
    return jnp.where(standing.alive > 0.0, code, jnp.int32(ALIVE))


def recovery(
    system: System,
    setting: Setting,
    balance: Float[Array, "loans"],
    debt: Float[Array, "firms"],
    forward: Float[Array, "firms"],
    collateral: Float[Array, "collateralised"],
    cause: Int[Array, "firms"],
) -> Float[Array, "loans"]:
    """Share of each loan's balance its lenders get back if the borrower defaults now.

    own = clip(collateral / balance + base e^(-fall) + share of forward EBITDA / debt, 0, best_recovery);
    a guarantor lifts it towards `best_recovery`; an exchange recovers 1 - exchange_loss.
    """
    credit, loans, economy = system.numbers.credit, system.loans, setting.economy
    count = collateral.shape[0]
    safe_balance = jnp.where(balance[:count] > 0.0, balance[:count], 1.0)
    secured = jnp.concatenate([collateral / safe_balance, jnp.zeros_like(balance[count:])])
    fall = credit.recovery_stress * jnp.maximum(setting.chips.stress, 0.0)
    fall = fall + credit.recovery_spread * jnp.maximum(jnp.log(economy.spread), 0.0)
    earning = (jnp.maximum(forward, 0.0) / jnp.where(debt > 0.0, debt, 1.0))[loans.borrower]
    plain = loans.base_recovery * jnp.exp(-fall) + loans.ebitda_recovery * earning
    own = jnp.clip(secured + plain, 0.0, credit.best_recovery)
    cover = (
        system.numbers.mechanisms.step_in * loans.guarantee_cover * setting.standing.alive[loans.guarantor]
    )
    best = own + cover * (credit.best_recovery - own)
    return jnp.where((cause == EXCHANGE)[loans.borrower], 1.0 - credit.exchange_loss, best)


def strain(
    system: System, debt: Float[Array, "firms"], limit: Float[Array, "firms"]
) -> Float[Array, "firms"]:
    """Debt over debt capacity: 0 without debt, the most that the hazard feels with debt and no capacity."""
    credit = system.numbers.credit
    most = credit.hazard_leverage + credit.hazard_leverage_bounds[1]
    has_limit = limit > 0.0
    leverage = jnp.where(has_limit, debt / jnp.where(has_limit, limit, 1.0), most)
    return jnp.where(debt > 0.0, leverage, 0.0)


def insolvency(
    system: System,
    access: Float[Array, "firms"],
    funds: FundingState,
    forward: Float[Array, "firms"],
    chip_assets: Float[Array, "collateralised"],
    debt: Float[Array, "firms"],
) -> Bool[Array, "firms"]:
    """True where the market is shut and assets are under `insolvency_ratio` of debt."""
    credit, firms = system.numbers.credit, system.firms
    earning = earning_power(system, forward, funds.ebitda_ttm)
    pledged = system.loans.borrowed.first(chip_assets.shape[0]) @ chip_assets
    assets = funds.cash + firms.asset_multiple * earning + pledged
    shut = (access < credit.insolvency_supply) & (firms.asset_multiple > 0.0)
    return shut & (debt > firms.remnant) & (assets < credit.insolvency_ratio * debt)


def write_off(
    system: System, funds: FundingState, pledges: CollateralState, cause: Int[Array, "firms"]
) -> tuple[FundingState, CollateralState]:
    """Defaulted firms leave the book: balances go; chips and cash go too, but for an exchange."""
    borrower = system.loans.borrower
    count = pledges.pledged.shape[0]
    gone = indicator(cause != ALIVE)[borrower]
    bankrupt = indicator((cause != ALIVE) & (cause != EXCHANGE))
    # Called chips of a foreclosed borrower moved already; all other chips of the bankrupt move now.
    calls = bankrupt[borrower[:count]]
    held = pledges.held + calls @ pledges.pledged
    pledged = pledges.pledged * (1.0 - calls)[:, None]
    return eqx.tree_at(
        lambda f: (f.cash, f.balance), funds, (funds.cash * (1.0 - bankrupt), funds.balance * (1.0 - gone))
    ), eqx.tree_at(lambda p: (p.pledged, p.held), pledges, (pledged, held))


def step(
    system: System,
    fate: Fate,
    state: CreditState,
    funds: FundingState,
    pledges: CollateralState,
    setting: Setting,
    triggers: Triggers,
) -> tuple[CreditState, FundingState, CollateralState, CreditLosses]:
    """One month of defaults and recoveries."""
    credit, firms, loans = system.numbers.credit, system.firms, system.loans
    standing, collateral, forward = setting.standing, triggers.collateral, triggers.contracts.forward
    debt = loans.borrowed @ funds.balance
    leverage = strain(system, debt + triggers.funding.counted, triggers.funding.limit)
    rate = intensity(system, setting, leverage, failed_share(firms.neocloud, standing.alive))
    hazard = state.hazard + MONTH * rate
    insolvent = insolvency(system, setting.revenue.access, funds, forward, collateral.chips, debt)
    cause = default_cause(system, fate, hazard, insolvent, triggers, standing)

    chip_value = collateral.chips + collateral.seized
    secured = (1.0 - system.numbers.chips.sale_cost) * chip_value + credit.step_in * collateral.contract_value
    share = recovery(system, setting, funds.balance, debt, forward, secured, cause)
    fallen = cause != ALIVE
    loss = indicator(fallen)[loans.borrower] * funds.balance * (1.0 - share)
    funds_after, pledges_after = write_off(system, funds, pledges, cause)
    time = setting.month.month.astype(jnp.int32)
    return (
        CreditState(
            hazard,
            jnp.where(fallen, time, state.default_month),
            jnp.where(fallen, cause, state.cause),
        ),
        funds_after,
        pledges_after,
        CreditLosses(loss=loss),
    )

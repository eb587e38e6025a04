"""Credit: defaults by cause, and what lenders recover (docs/model.md, section 6)."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from engine.book.system import Month, System
from engine.month.chips import Chips
from engine.month.collateral import Collateral, CollateralState
from engine.month.contracts import Contracts
from engine.month.economy import Economy
from engine.month.funding import Funding, FundingState, earning_power
from engine.month.inputs import Fate
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
SMALL = 0.01
BEST_RECOVERY = 0.95


class CreditState(eqx.Module):
    """Cumulative hazard, and when and why each firm defaulted."""

    hazard: Float[Array, "firms"]
    default_month: Int[Array, "firms"]  # 0 while alive
    cause: Int[Array, "firms"]

    @property
    def alive(self):
        """1 for firms that never defaulted."""
        return indicator(self.default_month == 0)

    @property
    def operating(self):
        """1 for firms in business: alive, or reorganised by a distressed exchange."""
        return indicator((self.default_month == 0) | (self.cause == EXCHANGE))


class Credit(eqx.Module):
    """Losses of the month."""

    loss: Float[Array, "loans"]  # USD bn


def init(system: System) -> CreditState:
    """Everybody alive."""
    zero = jnp.zeros_like(system.firms.cash)
    return CreditState(zero, zero.astype(jnp.int32), zero.astype(jnp.int32))


def intensity(system: System, economy: Economy, stress, leverage, dead):
    """Default intensity of each firm (a year)."""
    credit, firms = system.numbers.credit, system.firms
    common = (
        credit.hazard_stress * jnp.maximum(stress, 0.0)
        + credit.hazard_spread * jnp.log(economy.spread)
        + credit.hazard_contagion * dead
    )
    indebted = firms.leverage_beta * jnp.clip(leverage - 0.75, -0.5, 2.0)
    return firms.hazard * economy.hazard_multiplier * jnp.exp(common) * jnp.exp(indebted)


def why(system: System, fate: Fate, hazard, funding, contracts, collateral, insolvent, alive, operating):
    """Cause code of each firm that defaults this month, ALIVE for the others; the first that holds wins."""
    inside = system.firms.outside < 0.5
    fallen_parent = (1.0 - operating) @ system.firms.cross_default
    causes = (
        (collateral.foreclosed > 0.0, FORECLOSURE),
        ((funding.unmet > UNMET) & (funding.exchange < 0.5) & inside, LIQUIDITY),
        (contracts.low_payment >= system.numbers.contracts.non_payment_months, NON_PAYMENT),
        (insolvent, BALANCE_SHEET),
        (hazard >= fate.threshold_firms, HAZARD),
        (funding.exchange > 0.5, EXCHANGE),
        (system.numbers.mechanisms.cross_default * fallen_parent > 0.5, GROUP),
    )
    code = jnp.full_like(alive, ALIVE, dtype=jnp.int32)
    for holds, cause in reversed(causes):
        code = jnp.where(holds, jnp.int32(cause), code)
    return jnp.where(alive > 0.0, code, jnp.int32(ALIVE))


def recovery(system: System, economy: Economy, stress, balance, debt, forward, chips_worth, cause, alive):
    """Share of each loan's balance its lenders get back if the borrower defaults now."""
    credit, loans = system.numbers.credit, system.loans
    count = chips_worth.shape[0]
    safe_balance = jnp.where(balance[:count] > 0.0, balance[:count], 1.0)
    secured = jnp.concatenate([chips_worth / safe_balance, jnp.zeros_like(balance[count:])])
    fall = credit.recovery_stress * jnp.maximum(stress, 0.0)
    fall = fall + credit.recovery_spread * jnp.maximum(jnp.log(economy.spread), 0.0)
    earning = (jnp.maximum(forward, 0.0) / jnp.where(debt > 0.0, debt, 1.0))[loans.borrower]
    plain = loans.base_recovery * jnp.exp(-fall) + loans.ebitda_recovery * earning
    own = jnp.clip(secured + plain, 0.0, BEST_RECOVERY)
    cover = system.numbers.mechanisms.step_in * loans.guarantee_cover * alive[loans.guarantor]
    best = own + cover * (BEST_RECOVERY - own)
    return jnp.where((cause == EXCHANGE)[loans.borrower], 1.0 - credit.exchange_loss, best)


def strain(debt, limit):
    """Debt over debt capacity: 0 without debt, 2.75 with debt and no capacity."""
    has_limit = limit > 0.0
    leverage = jnp.where(has_limit, debt / jnp.where(has_limit, limit, 1.0), 2.75)
    return jnp.where(debt > 0.0, leverage, 0.0)


def insolvency(system: System, economy: Economy, funds: FundingState, forward, chip_assets, debt):
    """True where the market is shut and assets are under `insolvency_ratio` of debt."""
    credit, firms = system.numbers.credit, system.firms
    earning = earning_power(system, forward, funds.ebitda_ttm)
    pledged = system.loans.borrowed.first(chip_assets.shape[0]) @ chip_assets
    assets = funds.cash + firms.asset_multiple * earning + pledged
    shut = (economy.access < credit.insolvency_supply) & (firms.asset_multiple > 0.0)
    return shut & (debt > SMALL) & (assets < credit.insolvency_ratio * debt)


def settle(system: System, funds: FundingState, pledges: CollateralState, cause):
    """The fallen leave the book: balances go, chips go to lenders, cash stays only with an exchange."""
    borrower = system.loans.borrower
    count = pledges.pledged.shape[0]
    gone = indicator(cause != ALIVE)[borrower]
    bankrupt = indicator((cause != ALIVE) & (cause != EXCHANGE))
    # Called chips of a foreclosed borrower moved already; all other chips of the bankrupt move now.
    released = gone[:count, None] * pledges.pledged
    handed = bankrupt[borrower[:count]] @ pledges.pledged
    return eqx.tree_at(
        lambda f: (f.cash, f.balance), funds, (funds.cash * (1.0 - bankrupt), funds.balance * (1.0 - gone))
    ), eqx.tree_at(
        lambda p: (p.pledged, p.held), pledges, (pledges.pledged - released, pledges.held + handed)
    )


def step(
    system: System,
    fate: Fate,
    state: CreditState,
    funds: FundingState,
    pledges: CollateralState,
    economy: Economy,
    chips: Chips,
    contracts: Contracts,
    funding: Funding,
    counted,
    collateral: Collateral,
    month: Month,
) -> tuple[CreditState, FundingState, CollateralState, Credit]:
    """One month of defaults and recoveries. `counted` [firms] is hidden debt that lenders see."""
    credit, firms, loans = system.numbers.credit, system.firms, system.loans
    alive = state.alive
    debt = loans.borrowed @ funds.balance
    dead = jnp.sum(firms.neocloud * (1.0 - alive)) / jnp.maximum(jnp.sum(firms.neocloud), 1.0)
    rate = intensity(system, economy, chips.stress, strain(debt + counted, funding.limit), dead)
    hazard = state.hazard + MONTH * rate
    chip_assets = pledges.pledged @ collateral.price
    insolvent = insolvency(system, economy, funds, contracts.forward, chip_assets, debt)
    cause = why(system, fate, hazard, funding, contracts, collateral, insolvent, alive, state.operating)

    chips_worth = chip_assets + collateral.seized @ collateral.price
    worth = (1.0 - system.numbers.chips.sale_cost) * chips_worth + credit.step_in * collateral.contract_value
    share = recovery(
        system, economy, chips.stress, funds.balance, debt, contracts.forward, worth, cause, alive
    )
    fallen = cause != ALIVE
    loss = indicator(fallen)[loans.borrower] * funds.balance * (1.0 - share)
    funds_after, pledges_after = settle(system, funds, pledges, cause)
    return (
        CreditState(
            hazard,
            jnp.where(fallen, month.month.astype(jnp.int32), state.default_month),
            jnp.where(fallen, cause, state.cause),
        ),
        funds_after,
        pledges_after,
        Credit(loss=loss),
    )

"""Debt service: interest, amortisation, what matures, and the means of firms (docs/model.md, section 4)."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from engine.book.system import System
from engine.month.contracts import Means
from engine.month.economy import Conditions
from engine.month.setting import Setting
from engine.numerics import indicator
from engine.vocabulary import MONTH


class FundingState(eqx.Module):
    """Cash, equity headroom and fees of firms; balance, peak, maturity and coupon of loans."""

    cash: Float[Array, "firms"]
    ebitda_ttm: Float[Array, "firms"]  # a year
    headroom: Float[Array, "firms"]  # equity not yet raised
    balance: Float[Array, "loans"]
    peak: Float[Array, "loans"]
    maturity: Float[Array, "loans"]  # month
    coupon: Float[Array, "loans"]  # of what still matures; margin over the short rate where floating
    maturing: Float[Array, "loans"]  # share of the balance not yet refinanced ahead
    ahead_coupon: Float[Array, "loans"]  # of the rest
    option: Float[Array, "loans"]  # 1 until the right to extend is used
    spare_debt: Float[Array, "firms"]  # what lenders would still lend in need, as of last month
    fees: Float[Array, "firms"]  # for orders cancelled last month, USD bn


class Service(eqx.Module):
    """What is owed this month before contracts clear (USD bn)."""

    interest: Float[Array, "loans"]
    amortisation: Float[Array, "loans"]
    due: Float[Array, "loans"]  # principal maturing, to be paid in cash
    converted: Float[Array, "loans"]  # principal maturing, paid in shares
    early: Float[Array, "loans"]  # principal that may be refinanced ahead of its maturity
    bullet: Float[Array, "loans"]  # 1 where the whole loan matures
    by_right: Float[Array, "loans"]  # 1 where it is rather extended as agreed
    accrued: Float[Array, "firms"]  # equity that a round, or the market, would give now
    owner: Float[Array, "firms"]  # what an owner would pay in
    undrawn: Float[Array, "firms"]  # revolver
    spare_debt: Float[Array, "firms"]  # new debt in need


def equity_speed(system: System, economy: Conditions) -> Float[Array, "firms"]:
    """Share of value a year that can be raised as equity: labs and listed firms differ."""
    lab = economy.by_regime(system.numbers.contracts.equity_speed)
    listed = economy.by_regime(system.numbers.credit.equity_speed)
    return jnp.where(system.firms.lab > 0.0, lab, listed)


def equity_months(system: System) -> Float[Array, "firms"]:
    """Months of equity issuance that can be raised at once."""
    numbers = system.numbers
    return jnp.where(system.firms.lab > 0.0, numbers.contracts.equity_months, numbers.credit.equity_months)


def can_bridge(system: System) -> Float[Array, "firms"]:
    """1 for firms inside the model with a loan that takes new debt in need."""
    return system.firms.bridge.belongs * (1.0 - system.firms.outside)


def init(system: System) -> FundingState:
    """Balances of the book; half a year of equity issuance in hand."""
    numbers, firms, loans = system.numbers, system.firms, system.loans
    speed = jnp.where(firms.lab > 0.0, numbers.contracts.equity_speed[0], numbers.credit.equity_speed[0])
    headroom = speed * equity_months(system) * MONTH * firms.equity_value
    earning = numbers.credit.trailing_weight * jnp.maximum(firms.ebitda_ttm, 0.0)
    limit = (
        firms.debt_multiple * earning + firms.value_multiple * firms.equity_value
    ) * numbers.credit.capacity_scale
    spare = can_bridge(system) * jnp.maximum(limit - loans.borrowed @ loans.drawn, 0.0)
    return FundingState(
        cash=firms.cash,
        ebitda_ttm=firms.ebitda_ttm,
        headroom=headroom,
        balance=loans.drawn,
        peak=loans.drawn,
        maturity=loans.maturity_month,
        coupon=loans.coupon,
        maturing=jnp.ones_like(loans.drawn),
        ahead_coupon=loans.coupon,
        option=jnp.ones_like(loans.drawn),
        spare_debt=spare,
        fees=jnp.zeros_like(spare),
    )


def margin(state: FundingState) -> Float[Array, "loans"]:
    """Coupon of the whole balance, over the short rate where floating: mu k + (1 - mu) k_ahead."""
    return state.ahead_coupon + state.maturing * (state.coupon - state.ahead_coupon)


def service(system: System, state: FundingState, setting: Setting) -> Service:
    """Interest, amortisation, maturities, and the equity and revolver a firm could still use."""
    loans, credit = system.loans, system.numbers.credit
    economy, value, standing = setting.economy, setting.revenue.value, setting.standing
    time = setting.month.month.astype(jnp.float32)
    coupon = margin(state) + loans.floating * economy.rate
    # An interest reserve is paid out while the tenant stands: its default ends the holiday.
    deserted = loans.has_tenant * (1.0 - standing.operating[loans.tenant])
    payable = jnp.maximum(indicator(time > loans.interest_from_month), deserted)
    interest = state.balance * coupon * MONTH * payable
    # Where lenders plan on a shorter life than documents did, what is newly lent is repaid sooner.
    sooner = jnp.maximum(system.chips.decline / system.chips.documented_decline, 1.0) - 1.0
    chip_loan = indicator(jnp.arange(state.peak.shape[0]) < loans.ltv_target.shape[0])
    scheduled = loans.amortisation * (1.0 + chip_loan * loans.new_money * sooner) * MONTH * state.peak
    amortisation = jnp.minimum(state.balance, scheduled) * indicator(time > loans.amortisation_from_month)
    bullet = indicator((time >= state.maturity) & (state.balance > 0.0))
    left = state.balance - amortisation
    converted = left * state.maturing * bullet * in_the_money(system, value)
    due = left * (state.maturing * bullet + (1.0 - bullet) * loans.ladder * MONTH) - converted
    months_left = state.maturity - time
    near = indicator((months_left > 0.0) & (months_left <= credit.refinance_months))
    early = near * left * state.maturing / (1.0 + jnp.maximum(months_left, 0.0))

    speed = equity_speed(system, economy)
    accrued = state.headroom + speed * MONTH * value
    owner = system.firms.sponsor_capacity * economy.by_regime(credit.sponsor_regime) * MONTH
    accrued = jnp.minimum(accrued, speed * equity_months(system) * MONTH * value)
    undrawn = jnp.maximum(loans.committed - state.balance, 0.0) @ system.firms.revolver
    return Service(
        interest, amortisation, due, converted, early, bullet, jnp.zeros_like(bullet), accrued, owner,
        undrawn=undrawn * standing.alive, spare_debt=state.spare_debt * standing.alive,
    )  # fmt: skip


def means(system: System, state: FundingState, service: Service) -> Means:
    """What firms can pay contracts with."""
    return Means(
        cash=state.cash,
        reserved=system.loans.borrowed @ (service.interest + service.amortisation),
        accrued=service.accrued,
        owner=service.owner,
        undrawn=service.undrawn + service.spare_debt,
    )


def in_the_money(system: System, value: Float[Array, "firms"]) -> Float[Array, "loans"]:
    """1 for convertible loans whose holders would rather have the shares [loans]."""
    firms, loans = system.firms, system.loans
    listed = firms.equity_value > 0.0
    rise = jnp.where(listed, value / jnp.where(listed, firms.equity_value, 1.0), 0.0)
    return indicator((loans.conversion > 0.0) & (rise[loans.borrower] >= loans.conversion))


def tenant_pays(system: System, operating: Float[Array, "firms"]) -> Float[Array, "loans"]:
    """1 for loans on a site whose tenant is in business."""
    return system.loans.has_tenant * operating[system.loans.tenant]

"""Funding: debt service, maturities, new equity and debt, capex last (docs/model.md, section 4)."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from engine.book.system import System
from engine.month import policy
from engine.month.contracts import ContractFlows, Means
from engine.month.economy import Conditions
from engine.month.hidden_debt import HiddenDebt
from engine.month.setting import Setting
from engine.numerics import indicator
from engine.vocabulary import MONTH

NOTHING = 1e-6
"""USD bn; an unpaid maturity below this is the rounding of float32."""
NO_DEBT = 1e-9
"""USD bn; a firm without debt must not divide by zero."""
UNLIMITED = 1e6
"""USD bn that firms outside the model can borrow."""


class FundingState(eqx.Module):
    """Cash and equity headroom of firms; balance, peak, maturity and coupon of loans."""

    cash: Float[Array, "firms"]
    ebitda_ttm: Float[Array, "firms"]  # a year
    headroom: Float[Array, "firms"]  # equity not yet raised
    balance: Float[Array, "loans"]
    peak: Float[Array, "loans"]
    maturity: Float[Array, "loans"]  # month
    coupon: Float[Array, "loans"]  # margin over the short rate where floating
    spare_debt: Float[Array, "firms"]  # what lenders would still lend in need, as of last month


class Service(eqx.Module):
    """What is owed this month before contracts clear (USD bn)."""

    interest: Float[Array, "loans"]
    amortisation: Float[Array, "loans"]
    due: Float[Array, "loans"]  # principal maturing, to be paid in cash
    converted: Float[Array, "loans"]  # principal maturing, paid in shares
    bullet: Float[Array, "loans"]  # 1 where the whole loan matures
    capacity: Float[Array, "firms"]  # equity that can be raised now
    undrawn: Float[Array, "firms"]  # revolver
    spare_debt: Float[Array, "firms"]  # new debt in need


class Refinancing(eqx.Module):
    """How what was due and what was short was met (USD bn)."""

    rolled: Float[Array, "loans"]
    unpaid: Float[Array, "loans"]
    issued: Float[Array, "firms"]  # equity
    drawn: Float[Array, "firms"]  # revolver
    bridged: Float[Array, "firms"]  # new debt in need
    in_kind: Float[Array, "loans"]  # interest added to the balance
    cash: Float[Array, "firms"]  # afterwards, before capex
    unmet: Float[Array, "firms"]
    exchange: Float[Array, "firms"]


class Funding(eqx.Module):
    """What the other stages read of this month's funding (USD bn)."""

    unmet: Float[Array, "firms"]
    exchange: Float[Array, "firms"]  # 1 where creditors take a distressed exchange
    limit: Float[Array, "firms"]  # debt capacity
    counted: Float[Array, "firms"]  # hidden debt that lenders count against it
    debt_service: Float[Array, "loans"]  # interest and amortisation due
    drawn: Float[Array, "loans"]  # this month, as committed
    lent: Float[Array, "loans"]  # newly this month, other than refinancing
    origination: Float[Array, ""]  # of the sector, shared by loans and pools
    lending: policy.Lending


def equity_speed(system: System, economy: Conditions) -> Float[Array, "firms"]:
    """Share of value a year that can be raised as equity: labs and listed firms differ."""
    lab = economy.by_regime(system.numbers.contracts.equity_speed)
    listed = economy.by_regime(system.numbers.credit.equity_speed)
    return jnp.where(system.firms.lab > 0.0, lab, listed)


def init(system: System) -> FundingState:
    """Balances of the book; half a year of equity issuance in hand."""
    numbers, firms, loans = system.numbers, system.firms, system.loans
    speed = jnp.where(firms.lab > 0.0, numbers.contracts.equity_speed[0], numbers.credit.equity_speed[0])
    headroom = speed * numbers.credit.equity_months * MONTH * firms.equity_value
    earning = numbers.credit.trailing_weight * jnp.maximum(firms.ebitda_ttm, 0.0)
    limit = (
        firms.debt_multiple * earning + firms.value_multiple * firms.equity_value
    ) * numbers.credit.capacity_scale
    spare = can_bridge(system) * jnp.maximum(limit - loans.borrowed @ loans.drawn, 0.0)
    return FundingState(
        firms.cash,
        firms.ebitda_ttm,
        headroom,
        loans.drawn,
        loans.drawn,
        loans.maturity_month,
        loans.coupon,
        spare,
    )


def can_bridge(system: System) -> Float[Array, "firms"]:
    """1 for firms inside the model with a loan that takes new debt in need."""
    return system.firms.bridge.belongs * (1.0 - system.firms.outside)


def service(system: System, state: FundingState, setting: Setting) -> Service:
    """Interest, amortisation, maturities, and the equity and revolver a firm could still use."""
    loans, credit = system.loans, system.numbers.credit
    economy, value, standing = setting.economy, setting.revenue.value, setting.standing
    time = setting.month.month.astype(jnp.float32)
    coupon = state.coupon + loans.floating * economy.rate
    interest = state.balance * coupon * MONTH * indicator(time > loans.interest_from_month)
    scheduled = loans.amortisation * MONTH * state.peak
    amortisation = jnp.minimum(state.balance, scheduled) * indicator(time > loans.amortisation_from_month)
    bullet = indicator((time >= state.maturity) & (state.balance > 0.0))
    converted = (state.balance - amortisation) * bullet * in_the_money(system, value)
    due = (state.balance - amortisation) * (bullet + (1.0 - bullet) * loans.ladder * MONTH) - converted

    speed = equity_speed(system, economy)
    accrued = state.headroom + speed * MONTH * value
    owner = system.firms.sponsor_capacity * economy.by_regime(credit.sponsor_regime) * MONTH
    capacity = (
        jnp.minimum(accrued, speed * credit.equity_months * MONTH * value) + owner
    ) * standing.operating
    undrawn = jnp.maximum(loans.committed - state.balance, 0.0) @ system.firms.revolver
    return Service(
        interest, amortisation, due, converted, bullet, capacity,
        undrawn=undrawn * standing.alive, spare_debt=state.spare_debt * standing.alive,
    )  # fmt: skip


def means(system: System, state: FundingState, service: Service) -> Means:
    """What firms can pay contracts with."""
    return Means(
        cash=state.cash,
        reserved=system.loans.borrowed @ (service.interest + service.amortisation),
        capacity=service.capacity,
        undrawn=service.undrawn + service.spare_debt,
    )


def in_the_money(system: System, value: Float[Array, "firms"]) -> Float[Array, "loans"]:
    """1 for convertible loans whose holders would rather have the shares [loans]."""
    firms, loans = system.firms, system.loans
    listed = firms.equity_value > 0.0
    rise = jnp.where(listed, value / jnp.where(listed, firms.equity_value, 1.0), 0.0)
    return indicator((loans.conversion > 0.0) & (rise[loans.borrower] >= loans.conversion))


def earning_power(
    system: System, forward: Float[Array, "firms"], trailing: Float[Array, "firms"]
) -> Float[Array, "firms"]:
    """EBITDA lenders count on (a year): what is contracted, or a part of the last twelve months."""
    return jnp.maximum(jnp.maximum(forward, system.numbers.credit.trailing_weight * trailing), 0.0)


def debt_limit(
    system: System, state: FundingState, setting: Setting, contracts: ContractFlows
) -> Float[Array, "firms"]:
    """Debt capacity of each firm: (multiple x EBITDA + multiple x equity value) x market access."""
    firms = system.firms
    earning = earning_power(system, contracts.forward, state.ebitda_ttm)
    value = setting.revenue.value
    return (firms.debt_multiple * earning + firms.value_multiple * value) * setting.economy.access


def pay_in_kind(system: System, service: Service, lacking: Float[Array, "firms"]) -> Float[Array, "loans"]:
    """Interest that is added to the balance where cash is short [loans]."""
    loans = system.loans
    possible = system.numbers.mechanisms.payment_in_kind * loans.pik_share * service.interest
    by_firm = loans.borrowed @ possible
    agreed = by_firm > 0.0
    taken = jnp.where(agreed, jnp.minimum(lacking / jnp.where(agreed, by_firm, 1.0), 1.0), 0.0)
    return possible * taken[loans.borrower]


def debt_room(
    system: System,
    state: FundingState,
    service: Service,
    limit: Float[Array, "firms"],
    counted: Float[Array, "firms"],
) -> Float[Array, "firms"]:
    """What lenders would still lend to refinance maturities: (limit - debt that stays - counted)+."""
    loans = system.loans
    due = loans.borrowed @ service.due
    staying = loans.borrowed @ (state.balance - service.amortisation - service.converted) - due
    room = jnp.maximum(limit - staying - counted, 0.0)
    return jnp.where(system.firms.outside > 0.0, UNLIMITED, room)


def refinance(
    system: System,
    state: FundingState,
    setting: Setting,
    service: Service,
    contracts: ContractFlows,
    room: Float[Array, "firms"],
    extension: Float[Array, "loans"],
) -> Refinancing:
    """Roll what fits, pay the rest; in need interest in kind, equity, revolver, new debt, extension."""
    loans, firms = system.loans, system.firms
    due = loans.borrowed @ service.due
    serviced = loans.borrowed @ (service.interest + service.amortisation)
    equity = contracts.raised + contracts.committed_equity + contracts.aid
    short_of = state.cash + contracts.ebitda + equity - serviced
    in_kind = pay_in_kind(system, service, jnp.maximum(-short_of, 0.0))
    free = short_of + loans.borrowed @ in_kind

    none_due = due <= 0.0
    safe_due = jnp.where(none_due, 1.0, due)
    rolled_share = jnp.where(none_due, 1.0, jnp.minimum(room / safe_due, 1.0))
    left = due * (1.0 - rolled_share)
    paid = jnp.minimum(jnp.maximum(free - firms.minimum_cash, 0.0), left)
    need = jnp.maximum(-free, 0.0) + left - paid
    issued = jnp.minimum(need, service.capacity - contracts.raised)
    drawn = jnp.minimum(need - issued, service.undrawn)
    bridged = jnp.minimum(need - issued - drawn, service.spare_debt)
    still = need - issued - drawn - bridged
    unpaid_by_firm = jnp.minimum(left - paid, still)

    unpaid = service.due * (unpaid_by_firm / safe_due)[loans.borrower]
    extended, exchange = forbearance(system, unpaid, contracts.forward, extension, setting.standing.operating)
    short = still - unpaid_by_firm + contracts.arrears
    return Refinancing(
        rolled=service.due * rolled_share[loans.borrower],
        unpaid=unpaid,
        issued=issued,
        drawn=drawn,
        bridged=bridged,
        in_kind=in_kind,
        cash=jnp.maximum(free + issued + drawn + bridged - (left - unpaid_by_firm), 0.0),
        unmet=short + loans.borrowed @ (unpaid * (1.0 - extended)),
        exchange=exchange,
    )


def forbearance(
    system: System,
    unpaid: Float[Array, "loans"],
    forward: Float[Array, "firms"],
    extension: Float[Array, "loans"],
    operating: Float[Array, "firms"],
) -> tuple[Float[Array, "loans"], Float[Array, "firms"]]:
    """Which unpaid maturities are extended, which firms get a distressed exchange; `extension` is uniform."""
    loans = system.loans
    solvent = forward[loans.borrower] > 0.0
    willing = (extension < loans.extension_probability) & solvent
    extended = jnp.maximum(loans.has_tenant * operating[loans.tenant], indicator(willing))
    swapped = (
        (unpaid > NOTHING) & (extended < 0.5) & solvent
        & (extension < loans.extension_probability + loans.exchange_probability)
    )  # fmt: skip
    return extended, jnp.minimum(loans.borrowed @ indicator(swapped), 1.0)


def renew(
    system: System,
    state: FundingState,
    setting: Setting,
    service: Service,
    deal: Refinancing,
    counted: Float[Array, "firms"],
    draw: Float[Array, "loans"],
) -> tuple[Float[Array, "loans"], Float[Array, "loans"], Float[Array, "loans"]]:
    """Balances, coupons and maturities once what is due was rolled, paid or extended."""
    loans, firms, economy = system.loans, system.firms, setting.economy
    balance = (
        state.balance
        - service.amortisation
        - service.converted
        - service.due
        + deal.rolled
        + deal.unpaid
        + deal.in_kind
        + draw
        + firms.revolver @ deal.drawn
        + firms.bridge @ deal.bridged
    )
    replaced = deal.rolled / jnp.maximum(balance, NO_DEBT)
    owed = loans.borrowed @ state.balance
    hidden_share = counted / jnp.maximum(owed + counted, NO_DEBT)
    repriced = 1.0 + system.numbers.credit.look_through_spread * hidden_share[loans.borrower]
    margin = loans.refinancing_margin * economy.spread * repriced
    market_coupon = margin + (1.0 - loans.floating) * economy.rate
    coupon = state.coupon + replaced * (market_coupon - state.coupon)
    tenor = jnp.where(deal.unpaid > NOTHING, system.numbers.credit.extension_months, loans.tenor_months)
    time = setting.month.month.astype(jnp.float32)
    return balance, coupon, jnp.where(service.bullet > 0.0, time + tenor, state.maturity)


def invest(
    system: System,
    setting: Setting,
    size: Float[Array, "contracts"],
    cash: Float[Array, "firms"],
    spare: Float[Array, "firms"],
    owed: Float[Array, "firms"],
    limit: Float[Array, "firms"],
) -> tuple[Float[Array, "firms"], Float[Array, "firms"], Float[Array, "firms"]]:
    """A firm's own capex, last: from cash, then equity, then new debt as far as lenders go.

    Returns what is paid from cash, from equity, and from new debt [firms].
    """
    firms, numbers = system.firms, system.numbers
    scale = size @ firms.capex_contract + (1.0 - firms.capex_contract.belongs)
    alive = setting.standing.alive
    plan = setting.month.firm_capex * MONTH * setting.chips.capex_pace * scale * alive
    own = jnp.minimum(plan, jnp.maximum(cash - firms.minimum_cash, 0.0))
    stock = jnp.minimum(firms.equity_capex_share * (plan - own), spare)
    can_grow = firms.growth_loan.belongs * (1.0 - firms.outside)
    lendable = jnp.maximum(numbers.credit.growth_limit * limit - owed, 0.0) * setting.economy.supply
    lent = jnp.minimum(plan - own - stock, lendable)
    return own, stock, numbers.mechanisms.build_up * can_grow * lent


def step(
    system: System,
    state: FundingState,
    setting: Setting,
    service: Service,
    contracts: ContractFlows,
    hidden: HiddenDebt,
    extension: Float[Array, "loans"],
) -> tuple[FundingState, Funding]:
    """One month of funding for every firm, capex last. `extension` is the month's uniform of each loan."""
    firms, loans, numbers = system.firms, system.loans, system.numbers
    month, economy, alive, counted = setting.month, setting.economy, setting.standing.alive, hidden.counted
    limit = debt_limit(system, state, setting, contracts)
    room = debt_room(system, state, service, limit, counted)
    deal = refinance(system, state, setting, service, contracts, room, extension)
    draw = month.draw * jnp.minimum(setting.chips.capex_pace, 1.0) * alive[loans.borrower]
    balance, coupon, maturity = renew(system, state, setting, service, deal, counted, draw)

    owed = loans.borrowed @ balance
    spare = service.capacity - contracts.raised - deal.issued
    own, stock, planned_debt = invest(
        system, setting, contracts.size, deal.cash, spare, owed + counted, limit
    )
    new_debt, refused = policy.limit_debt(system, month, own + stock, planned_debt)
    borrowed_share = numbers.mechanisms.build_up * numbers.credit.origination
    offered = borrowed_share * setting.chips.capex * MONTH * economy.supply
    origination = offered * (1.0 - month.barred)
    to_loans = policy.by_funds(month, loans.fund_share) * loans.origination_share * alive[loans.borrower]
    grown = firms.growth_loan @ new_debt + to_loans * origination
    balance = balance + grown
    rolled = jnp.sum(deal.rolled) + jnp.sum(deal.bridged)
    unused = jnp.maximum(limit - owed - counted - new_debt, 0.0)
    return FundingState(
        cash=deal.cash - own,
        ebitda_ttm=state.ebitda_ttm + MONTH * (contracts.ebitda / MONTH - state.ebitda_ttm),
        headroom=spare - stock,
        balance=balance,
        peak=jnp.maximum(state.peak, balance),
        maturity=maturity,
        coupon=coupon,
        spare_debt=can_bridge(system) * unused * economy.supply,
    ), Funding(
        unmet=deal.unmet,
        exchange=deal.exchange,
        limit=limit,
        counted=counted,
        debt_service=service.interest + service.amortisation,
        drawn=draw,
        lent=grown,
        origination=origination,
        lending=policy.lending(system, month, rolled, new_debt, refused, offered, alive),
    )

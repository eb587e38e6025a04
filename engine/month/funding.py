"""Funding: debt service, maturities, new equity and debt, capex last (docs/model.md, section 4)."""

import dataclasses

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from engine.book.system import System
from engine.month import policy
from engine.month.contracts import ContractFlows, Means
from engine.month.economy import Conditions
from engine.month.hidden_debt import HiddenDebt
from engine.month.plant import Plant, upkeep
from engine.month.setting import Setting
from engine.month.terms import NO_DEBT, Terms, terms
from engine.numerics import indicator, ratio
from engine.vocabulary import MONTH

NOTHING = 1e-6
"""USD bn; an unpaid maturity below this is the rounding of float32."""
UNLIMITED = 1e6
"""USD bn that firms outside the model can borrow."""


class FundingState(eqx.Module):
    """Cash, equity headroom and fees of firms; balance, peak, maturity and coupon of loans."""

    cash: Float[Array, "firms"]
    ebitda_ttm: Float[Array, "firms"]  # a year
    headroom: Float[Array, "firms"]  # equity not yet raised
    balance: Float[Array, "loans"]
    peak: Float[Array, "loans"]
    maturity: Float[Array, "loans"]  # month
    coupon: Float[Array, "loans"]  # margin over the short rate where floating
    maturing: Float[Array, "loans"]  # share of the balance not yet refinanced ahead
    spare_debt: Float[Array, "firms"]  # what lenders would still lend in need, as of last month
    fees: Float[Array, "firms"]  # for orders cancelled last month, USD bn


class Obligations(eqx.Module):
    """What weighs on a firm beside its debt: plants to build for contracts, debt off the balance sheet."""

    plant: Plant
    hidden: HiddenDebt


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


class Refinancing(eqx.Module):
    """How what was due and what was short was met (USD bn)."""

    rolled: Float[Array, "loans"]
    ahead: Float[Array, "loans"]  # refinanced before it matures
    unpaid: Float[Array, "loans"]
    standstill: Float[Array, "loans"]  # 1 where the lender has not decided yet
    amended: Float[Array, "loans"]  # 1 where the lender extends, at the terms of the month
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
    spare_equity: Float[Array, "firms"]  # that could still be raised this month
    bought: Float[Array, "firms"]  # spent on chips free of pledge
    drawn: Float[Array, "loans"]  # this month, as committed
    lent: Float[Array, "loans"]  # newly this month, other than refinancing
    origination: Float[Array, ""]  # of the sector, shared by loans and pools
    lending: policy.Lending


def equity_speed(system: System, economy: Conditions) -> Float[Array, "firms"]:
    """Share of value a year that can be raised as equity: labs and listed firms differ."""
    lab = economy.by_regime(system.numbers.contracts.equity_speed)
    listed = economy.by_regime(system.numbers.credit.equity_speed)
    return jnp.where(system.firms.lab > 0.0, lab, listed)


def equity_months(system: System) -> Float[Array, "firms"]:
    """Months of equity issuance that can be raised at once."""
    numbers = system.numbers
    return jnp.where(system.firms.lab > 0.0, numbers.contracts.equity_months, numbers.credit.equity_months)


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
        firms.cash,
        firms.ebitda_ttm,
        headroom,
        loans.drawn,
        loans.drawn,
        loans.maturity_month,
        loans.coupon,
        jnp.ones_like(loans.drawn),
        spare,
        jnp.zeros_like(spare),
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


def extend_by_right(
    system: System, state: FundingState, setting: Setting, service: Service, offer: Terms
) -> Service:
    """What falls due and is refinanced ahead, without loans that are cheaper to extend as agreed.

    A right to extend ends with the contracts of the site.
    """
    table = system.contracts
    let = indicator(table.sold @ (table.operating * setting.month.term) > 0.0)[system.loans.borrower]
    dearer = indicator(offer.coupon > state.coupon)
    by_right = tenant_pays(system, setting.standing.operating) * let * dearer
    return dataclasses.replace(
        service,
        due=service.due * (1.0 - service.bullet * by_right),
        early=service.early * (1.0 - by_right),
        by_right=by_right,
    )


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
    offer: Terms,
    due: Float[Array, "firms"],
) -> Float[Array, "firms"]:
    """What lenders would lend in place of what is due: (limit - debt that stays - counted)+."""
    loans = system.loans
    staying = loans.borrowed @ (state.balance - service.amortisation - service.converted) - due
    room = jnp.maximum(offer.limit - staying - offer.counted, 0.0)
    return jnp.where(system.firms.outside > 0.0, UNLIMITED, room)


def refinance(
    system: System,
    state: FundingState,
    setting: Setting,
    service: Service,
    contracts: ContractFlows,
    offer: Terms,
    extension: Float[Array, "loans"],
) -> Refinancing:
    """Roll what fits, pay the rest; in need interest in kind, equity, revolver, new debt, extension."""
    loans, firms = system.loans, system.firms
    due, early = loans.borrowed @ service.due, loans.borrowed @ service.early
    room = debt_room(system, state, service, offer, due)
    serviced = loans.borrowed @ (service.interest + service.amortisation) + state.fees
    equity = contracts.raised + contracts.committed_equity + contracts.aid
    short_of = state.cash + contracts.ebitda + equity - serviced
    in_kind = pay_in_kind(system, service, jnp.maximum(-short_of, 0.0))
    free = short_of + loans.borrowed @ in_kind

    rolled_share = jnp.minimum(ratio(room, due, 1.0), 1.0)[loans.borrower] * offer.granted
    rolled = service.due * rolled_share
    spare_room = debt_room(system, state, service, offer, due + early) - loans.borrowed @ rolled
    ahead_share = jnp.minimum(ratio(jnp.maximum(spare_room, 0.0), early, 1.0), 1.0)
    not_rolled = service.due * (1.0 - rolled_share)
    left = loans.borrowed @ not_rolled
    paid = jnp.minimum(jnp.maximum(free - firms.minimum_cash, 0.0), left)
    need = jnp.maximum(-free, 0.0) + left - paid
    issued = jnp.minimum(need, contracts.capacity - contracts.raised)
    drawn = jnp.minimum(need - issued, service.undrawn)
    bridged = jnp.minimum(need - issued - drawn, service.spare_debt)
    still = need - issued - drawn - bridged
    unpaid_by_firm = jnp.minimum(left - paid, still)

    unpaid = not_rolled * ratio(unpaid_by_firm, left, 0.0)[loans.borrower]
    operating = setting.standing.operating
    standstill, amended, exchange = forbearance(system, unpaid, offer.limit, extension, operating)
    forborne = jnp.maximum(jnp.maximum(standstill, amended), tenant_pays(system, operating))
    short = still - unpaid_by_firm + contracts.arrears
    return Refinancing(
        rolled=rolled,
        ahead=service.early * ahead_share[loans.borrower] * offer.granted,
        unpaid=unpaid,
        standstill=standstill,
        amended=amended,
        issued=issued,
        drawn=drawn,
        bridged=bridged,
        in_kind=in_kind,
        cash=jnp.maximum(free + issued + drawn + bridged - (left - unpaid_by_firm), 0.0),
        unmet=short + loans.borrowed @ (unpaid * (1.0 - forborne)),
        exchange=exchange,
    )


def forbearance(
    system: System,
    unpaid: Float[Array, "loans"],
    limit: Float[Array, "firms"],
    extension: Float[Array, "loans"],
    operating: Float[Array, "firms"],
) -> tuple[Float[Array, "loans"], Float[Array, "loans"], Float[Array, "firms"]]:
    """Unpaid maturities on which lenders stand still, those they extend, firms that get an exchange.

    Lenders who may extend decide within `standstill_months`, in any month alike; `extension` is uniform.
    Where the tenant pays they have nothing to decide.
    """
    loans = system.loans
    months = jnp.where(loans.extension_probability > 0.0, system.numbers.credit.standstill_months, 1.0)
    decision = 1.0 - months * (1.0 - extension)  # uniform where not negative: then it is taken this month
    worth = limit[loans.borrower] > 0.0
    open_to = worth & (tenant_pays(system, operating) < 0.5)
    standstill = indicator((decision < 0.0) & open_to)
    willing = (decision < loans.extension_probability) & open_to & (standstill < 0.5)
    amended = indicator(willing)
    swapped = (
        (unpaid > NOTHING) & (standstill < 0.5) & ~willing & open_to
        & (decision < loans.extension_probability + loans.exchange_probability)
    )  # fmt: skip
    return standstill, amended, jnp.minimum(loans.borrowed @ indicator(swapped), 1.0)


def renew(
    system: System,
    state: FundingState,
    setting: Setting,
    service: Service,
    deal: Refinancing,
    offer: Terms,
    draw: Float[Array, "loans"],
) -> tuple[Float[Array, "loans"], Float[Array, "loans"], Float[Array, "loans"], Float[Array, "loans"]]:
    """Balances, coupons, maturities and shares still maturing, once what is due was dealt with."""
    loans, firms = system.loans, system.firms
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
    repriced = (deal.rolled + deal.ahead + deal.amended * deal.unpaid) / jnp.maximum(balance, NO_DEBT)
    coupon = state.coupon + repriced * (offer.coupon - state.coupon)
    unpaid = deal.unpaid > NOTHING
    extended = unpaid | (service.by_right > 0.0)
    tenor = jnp.where(extended, system.numbers.credit.extension_months, loans.tenor_months)
    time = setting.month.month.astype(jnp.float32)
    matured = service.bullet > 0.0
    settled = matured & ~(unpaid & (deal.standstill > 0.0))
    still = jnp.maximum(state.maturing - ratio(deal.ahead, state.balance - service.amortisation, 0.0), 0.0)
    return (
        balance, coupon, jnp.where(settled, time + tenor, state.maturity), jnp.where(matured, 1.0, still)
    )  # fmt: skip


def capex_wanted(
    system: System, setting: Setting, plant: Plant, size: Float[Array, "contracts"]
) -> tuple[Float[Array, "firms"], Float[Array, "firms"]]:
    """Capex of the month that a firm wants, and the part of it that was ordered ahead (USD bn).

    Its plan at the sector's pace, or more where contracts will need more in a year; and chips that fail.
    Of the plan, at the pace of when it was ordered, and of what contracts will need, `order_share` is owed.
    """
    firms, chips, share = system.firms, setting.chips, system.numbers.chips.order_share
    scale = size @ firms.capex_contract + (1.0 - firms.capex_contract.belongs)
    alive = setting.standing.alive
    plan = setting.month.firm_capex * MONTH * scale
    growth, replacement = upkeep(system, plant, chips)
    ordered = share * jnp.maximum(chips.ordered_pace * plan, growth)
    planned = plan * chips.capex_pace * chips.capex_answer
    wanted = jnp.maximum(jnp.maximum(planned, ordered), growth) + replacement
    return wanted * alive, ordered * alive


def advance_on_life(system: System) -> Float[Array, "firms"]:
    """Share of new debt that lenders still advance to operators who plan on a shorter life of chips."""
    chips = system.chips
    shorter = jnp.maximum(chips.decline - chips.documented_decline, 0.0)
    advanced = jnp.exp(-shorter * system.numbers.credit.underwriting_years)
    return 1.0 - system.firms.operator * (1.0 - advanced)


def invest(
    system: System,
    setting: Setting,
    wanted: Float[Array, "firms"],
    cash: Float[Array, "firms"],
    spare: Float[Array, "firms"],
    owed: Float[Array, "firms"],
    offer: Terms,
) -> tuple[Float[Array, "firms"], Float[Array, "firms"], Float[Array, "firms"]]:
    """A firm's own capex, last: from cash, then equity, then new debt as far as lenders go.

    Returns what is paid from cash, from equity, and from new debt [firms].
    """
    firms, numbers = system.firms, system.numbers
    own = jnp.minimum(wanted, jnp.maximum(cash - firms.minimum_cash, 0.0))
    stock = jnp.minimum(firms.equity_capex_share * (wanted - own), spare)
    granted = (offer.granted @ firms.growth_loan) * (1.0 - firms.outside)
    room = jnp.maximum(numbers.credit.growth_limit * offer.limit - (owed + offer.counted), 0.0)
    lendable = room * setting.economy.supply
    lent = advance_on_life(system) * jnp.minimum(wanted - own - stock, lendable)
    return own, stock, numbers.mechanisms.build_up * granted * lent


def free_of_pledge(
    system: System, spent: Float[Array, "firms"], debt: Float[Array, "firms"]
) -> Float[Array, "firms"]:
    """What an operator spends on chips beyond those that its new debt pledges (USD bn)."""
    count = system.loans.ltv_target.shape[0]
    pledges = indicator(system.firms.growth_loan.group < count) * system.firms.growth_loan.belongs
    pledged = system.numbers.credit.chips_per_draw * debt * pledges
    return system.firms.operator * jnp.maximum(system.numbers.chips.plant_chip_share * spent - pledged, 0.0)


def step(
    system: System,
    state: FundingState,
    setting: Setting,
    service: Service,
    contracts: ContractFlows,
    obligations: Obligations,
    extension: Float[Array, "loans"],
) -> tuple[FundingState, Funding]:
    """One month of funding for every firm, capex last. `extension` is the month's uniform of each loan."""
    firms, loans, numbers = system.firms, system.loans, system.numbers
    month, economy, standing = setting.month, setting.economy, setting.standing
    alive, counted, plant = standing.alive, obligations.hidden.counted, obligations.plant
    offer = terms(
        system, setting, contracts.forward, state.ebitda_ttm, loans.borrowed @ state.balance, counted
    )
    service = extend_by_right(system, state, setting, service, offer)
    deal = refinance(system, state, setting, service, contracts, offer, extension)
    draw = month.draw * jnp.minimum(setting.chips.capex_pace, 1.0) * alive[loans.borrower]
    balance, coupon, maturity, maturing = renew(system, state, setting, service, deal, offer, draw)

    owed = loans.borrowed @ balance
    spare = contracts.capacity - contracts.raised - deal.issued
    wanted, ordered = capex_wanted(system, setting, plant, contracts.size)
    own, stock, planned_debt = invest(system, setting, wanted, deal.cash, spare, owed, offer)
    new_debt, refused = policy.limit_debt(system, month, own + stock, planned_debt)
    borrowed_share = numbers.mechanisms.build_up * numbers.credit.origination
    offered = borrowed_share * setting.chips.capex * MONTH * economy.supply
    origination = offered * (1.0 - month.barred)
    to_loans = policy.by_funds(month, loans.fund_share) * month.origination * alive[loans.borrower]
    grown = firms.growth_loan @ new_debt + to_loans * origination
    balance = balance + grown
    rolled = jnp.sum(deal.rolled) + jnp.sum(deal.bridged)
    spent = own + stock + new_debt
    cancelled = numbers.mechanisms.orders * jnp.maximum(ordered - spent, 0.0) * standing.operating
    from_market = jnp.maximum(
        contracts.raised + deal.issued + stock - service.owner * standing.operating, 0.0
    )
    unused = jnp.maximum(offer.limit - owed - counted - new_debt, 0.0)
    return FundingState(
        cash=deal.cash - own,
        ebitda_ttm=state.ebitda_ttm + MONTH * (contracts.ebitda / MONTH - state.ebitda_ttm),
        headroom=jnp.maximum(service.accrued - from_market, 0.0) * standing.operating,
        balance=balance,
        peak=jnp.maximum(state.peak, balance),
        maturity=maturity,
        coupon=coupon,
        maturing=maturing,
        fees=numbers.chips.order_fee * cancelled,
        spare_debt=can_bridge(system) * (offer.granted @ firms.bridge) * unused * economy.supply,
    ), Funding(
        unmet=deal.unmet,
        exchange=deal.exchange,
        limit=offer.limit,
        counted=counted,
        spare_equity=spare - stock,
        bought=free_of_pledge(system, spent, new_debt),
        debt_service=service.interest + service.amortisation,
        drawn=draw,
        lent=grown,
        origination=origination,
        lending=policy.lending(system, month, rolled, new_debt, refused, offered, alive),
    )

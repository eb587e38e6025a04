"""Refinancing: what falls due is rolled, paid, extended or not paid (docs/model.md, section 4)."""

import dataclasses

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from engine.book.system import System
from engine.month.contracts import ContractFlows
from engine.month.debt_service import FundingState, Service, tenant_pays
from engine.month.setting import Setting
from engine.month.terms import Terms
from engine.numerics import indicator, ratio

NOTHING = 1e-6
"""USD bn; an unpaid maturity below this is the rounding of float32."""
UNLIMITED = 1e6
"""USD bn that firms outside the model can borrow."""


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


def extend_by_right(
    system: System, state: FundingState, setting: Setting, service: Service, offer: Terms
) -> Service:
    """What falls due and is refinanced ahead, without loans that are cheaper to extend as agreed.

    A right to extend is used once, and ends with the contracts of the site.
    """
    table = system.contracts
    let = indicator(table.sold @ (table.operating * setting.month.term) > 0.0)[system.loans.borrower]
    dearer = indicator(offer.coupon > state.coupon)
    by_right = tenant_pays(system, setting.standing.operating) * let * dearer * state.option
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
) -> FundingState:
    """The state with its loans once what is due was dealt with; `draw` is paid out as committed (USD bn)."""
    loans, firms = system.loans, system.firms
    left = state.balance - service.amortisation
    balance = (
        left
        - service.converted
        - service.due
        + deal.rolled
        + deal.unpaid
        + deal.in_kind
        + draw
        + firms.revolver @ deal.drawn
        + firms.bridge @ deal.bridged
    )
    unpaid = indicator(deal.unpaid > NOTHING)
    settled = service.bullet * (1.0 - unpaid * deal.standstill)
    fresh = deal.ahead + service.bullet * (deal.rolled + deal.amended * deal.unpaid)
    renewed = left * (1.0 - state.maturing) + fresh
    ahead_coupon = state.ahead_coupon + ratio(fresh, renewed, 0.0) * (offer.coupon - state.ahead_coupon)
    share = jnp.minimum(ratio(renewed, jnp.where(service.bullet > 0.0, balance, left), 0.0), 1.0)
    # A loan has one coupon again once all of it was dealt with; a ladder's stock has one always.
    rung = jnp.minimum(ratio(deal.rolled, balance, 0.0), 1.0) * (1.0 - service.bullet)
    merged = settled * share * (ahead_coupon - state.coupon)
    coupon = state.coupon + merged + rung * (offer.coupon - state.coupon)
    extended = jnp.maximum(unpaid, service.by_right)
    fully = settled * (1.0 - extended)
    tenor = jnp.where(extended > 0.0, system.numbers.credit.extension_months, loans.tenor_months)
    time = setting.month.month.astype(jnp.float32)
    return dataclasses.replace(
        state,
        balance=balance,
        coupon=coupon,
        ahead_coupon=ahead_coupon,
        maturity=jnp.where(settled > 0.0, time + tenor, state.maturity),
        maturing=jnp.where(settled > 0.0, 1.0, 1.0 - share),
        option=jnp.where(fully > 0.0, 1.0, state.option * (1.0 - service.bullet * service.by_right)),
    )

"""Levers of policy: what each one changes in a month, and what it costs (docs/model.md).

A lever acts through its entry in `Month`, which is zero (a cap: out of reach) where it is not pulled.
"""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from engine.book.system import Month, System
from engine.month.economy import Conditions

CLOSED = 1e-6
"""Of credit supply; a market without any must not divide by zero."""


class Lending(eqx.Module):
    """New credit of a month, and what policy kept from being lent (USD bn)."""

    lent: Float[Array, ""]  # refinanced, lent in need, for capex and by the sector
    by_funds: Float[Array, ""]  # forgone under the bank-to-nonbank rule
    by_savers: Float[Array, ""]  # forgone without savers
    above_cap: Float[Array, ""]  # forgone above the advance-rate cap


class Refused(eqx.Module):
    """New debt for capex that policy kept from being lent, by firm (USD bn)."""

    above_cap: Float[Array, "firms"]
    by_funds: Float[Array, "firms"]


def aid(month: Month, eligible: Float[Array, "firms"], gap: Float[Array, "firms"]) -> Float[Array, "firms"]:
    """Support paid in (USD bn): pro rata to what the eligible cannot pay, USD bn `month.bailout` at most.

    aid_i = gap_i min(1, bailout / sum gap), gap_i = eligible_i (gap_i)+
    """
    gap = eligible * jnp.maximum(gap, 0.0)
    total = jnp.sum(gap)
    needed = total > 0.0
    return gap * jnp.where(needed, jnp.minimum(month.bailout / jnp.where(needed, total, 1.0), 1.0), 0.0)


def by_funds(month: Month, fund_share: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Share of new lending left when funds, which hold `fund_share` of it, lend less."""
    return 1.0 - month.fund_cut * fund_share


def limit_debt(
    system: System, month: Month, own_money: Float[Array, "firms"], debt: Float[Array, "firms"]
) -> tuple[Float[Array, "firms"], Refused]:
    """New debt for capex under the advance-rate cap (neoclouds), then the bank-to-nonbank rule.

    With spending own + debt, debt <= cap (own + debt) is debt <= own cap / (1 - cap).
    """
    cap = month.advance_cap
    capped = (system.firms.neocloud > 0.0) & (cap < 1.0)
    most = own_money * cap / jnp.where(cap < 1.0, 1.0 - cap, 1.0)
    advanced = jnp.where(capped, jnp.minimum(debt, most), debt)
    granted = advanced * by_funds(month, system.loans.fund_share @ system.firms.growth_loan)
    return granted, Refused(debt - advanced, advanced - granted)


def lending(
    system: System,
    month: Month,
    rolled: Float[Array, ""],
    new_debt: Float[Array, "firms"],
    refused: Refused,
    offered: Float[Array, ""],
    alive: Float[Array, "firms"],
) -> Lending:
    """New credit of the month. `offered` is the sector's origination before policy."""
    loans, pools = system.loans, system.pools
    to_loans = month.origination * alive[loans.borrower]
    shared = jnp.sum(to_loans) + jnp.sum(pools.origination_share)
    of_funds = to_loans @ loans.fund_share + pools.origination_share @ pools.fund_share
    origination = offered * (1.0 - month.barred)
    not_by_funds = origination * month.fund_cut * of_funds
    return Lending(
        lent=rolled + jnp.sum(new_debt) + origination * shared - not_by_funds,
        by_funds=jnp.sum(refused.by_funds) + not_by_funds,
        by_savers=offered * month.barred * shared,
        above_cap=jnp.sum(refused.above_cap),
    )


def recognition_months(system: System, month: Month) -> Float[Array, "lenders"]:
    """Months from loss to recognition; one where all is disclosed."""
    lag = system.lenders.recognition_months
    return lag - month.disclosed * (lag - 1.0)


def costs(
    system: System,
    supply: Float[Array, ""],
    economy: Conditions,
    aid: Float[Array, "firms"],
    lending: Lending,
) -> Float[Array, "levers"]:
    """USD bn of the month by lever, in the order of `vocabulary.LEVERS`.

    Public credit is the share of new credit that private lenders, at their own `supply`, would not have
    given; support is what was paid in; of rules it is the lending forgone. Disclosure costs nothing here.
    """
    private = 1.0 - system.numbers.mechanisms.funding_loop * (1.0 - supply)
    public = (economy.supply - private) / jnp.maximum(economy.supply, CLOSED) * lending.lent
    nothing = jnp.zeros_like(public)
    return jnp.stack([public, jnp.sum(aid), lending.by_funds, nothing, lending.by_savers, lending.above_cap])

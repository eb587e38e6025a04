"""Vendors: the cash behind equity, guarantees and backstops (docs/model.md, section 3).

Sellers of chips put part of the proceeds into their customers. When purchases fall, so does the cash behind
guarantees, in the months in which they are called.
"""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from engine.book.system import System
from engine.month.chips import ChipMarket
from engine.numerics import indicator
from engine.vocabulary import MONTH


class Obligations(eqx.Module):
    """What contracts ask for this month."""

    full: Float[Array, "contracts"]  # full size, USD bn a year
    at_full: Float[Array, "contracts"]  # of operating flows whose seller operates, USD bn this month
    due: Float[Array, "contracts"]  # renegotiated and flexed, USD bn this month


class Support(eqx.Module):
    """Guarantees and backstops of the month (USD bn), and the cash left for later ones."""

    covered: Float[Array, "contracts"]  # by guarantors
    backed: Float[Array, "contracts"]  # under backstops, to the seller
    honoured: Float[Array, "firms"]  # share of what was called
    purse: Float[Array, "firms"]


def sells_chips(system: System) -> Float[Array, "firms"]:
    """1 for firms that sell chips: their cash limits the support they give [firms]."""
    return indicator(system.firms.chip_sales_share > 0.0)


def opening(system: System) -> Float[Array, "firms"]:
    """Purses of month 0: the cash of those who sell chips [firms], USD bn."""
    return sells_chips(system) * system.firms.cash


def means(
    system: System, purse: Float[Array, "firms"], chips: ChipMarket, owed: Float[Array, "firms"]
) -> Float[Array, "firms"]:
    """Cash of chip vendors for support: their purse and part of chip sales, after own purchases [firms]."""
    firms = system.firms
    sales = firms.chip_sales_share * system.numbers.chips.capex_chip_share * chips.capex * MONTH
    return jnp.maximum(purse + firms.support_share * sales - owed, 0.0)


def paid_share(
    system: System, cash: Float[Array, "firms"], demand: Float[Array, "firms"]
) -> Float[Array, "firms"]:
    """Share of a demand on a firm that it pays: min(1, cash / demand) for vendors, 1 for others."""
    limited = sells_chips(system) * indicator(demand > 0.0)
    possible = jnp.minimum(cash / jnp.where(demand > 0.0, demand, 1.0), 1.0)
    return 1.0 - system.numbers.mechanisms.vendor_purse * limited * (1.0 - possible)


def invest(
    system: System, cash: Float[Array, "firms"], promised: Float[Array, "contracts"]
) -> Float[Array, "contracts"]:
    """Equity that is put in under each contract: what was promised, as far as the vendor's cash goes."""
    table = system.contracts
    return paid_share(system, cash, table.bought @ promised)[table.buyer] * promised


def callable_backstop(
    system: System, full: Float[Array, "contracts"], unsold: Float[Array, "firms"]
) -> Float[Array, "contracts"]:
    """What a backstop would pay: min(full size, its share of what its seller cannot sell) [contracts]."""
    table = system.contracts
    return table.backstop * jnp.minimum(full, unsold[table.seller] * table.backstop_share)


def left_over(taken: Float[Array, "firms"], of: Float[Array, "firms"]) -> Float[Array, "firms"]:
    """Share of an amount that is left: 1 - min(1, taken / of), 1 where there is nothing."""
    return 1.0 - jnp.where(of > 0.0, jnp.minimum(taken / jnp.where(of > 0.0, of, 1.0), 1.0), 0.0)


def support(
    system: System,
    cash: Float[Array, "firms"],
    asked: Obligations,
    paid: Float[Array, "contracts"],
    cover: Float[Array, "contracts"],
    operating: Float[Array, "firms"],
) -> Support:
    """Guarantees and backstops that are called, and paid as far as the supporter's cash goes."""
    table = system.contracts
    guarantee = cover * (asked.due - paid)
    unsold = table.sold @ jnp.maximum(asked.at_full - paid - guarantee, 0.0)
    both = operating[table.buyer] * operating[table.seller]
    backstop = callable_backstop(system, asked.full * MONTH, unsold) * both
    called = table.supported @ (guarantee + backstop)
    honoured = paid_share(system, cash, called)
    share = honoured[table.supporter]
    left = jnp.minimum(jnp.maximum(cash - honoured * called, 0.0), opening(system))
    return Support(share * guarantee, share * backstop, honoured, left)

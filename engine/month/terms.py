"""Terms of new debt: how much lenders lend to a firm, and at what margin (docs/model.md, section 4)."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from engine.book.system import System
from engine.month.setting import Setting

NO_DEBT = 1e-9
"""USD bn; a firm without debt must not divide by zero."""


class Terms(eqx.Module):
    """What lenders offer each firm, and ask of each loan, this month."""

    limit: Float[Array, "firms"]  # debt capacity, USD bn
    counted: Float[Array, "firms"]  # hidden debt that lenders count against it, USD bn
    coupon: Float[Array, "loans"]  # a year; over the short rate where floating
    granted: Float[Array, "loans"]  # share lent, at that coupon, of what they have room for


def earning_power(
    system: System, forward: Float[Array, "firms"], trailing: Float[Array, "firms"]
) -> Float[Array, "firms"]:
    """EBITDA lenders count on (a year): what is contracted, or a part of the last twelve months."""
    return jnp.maximum(jnp.maximum(forward, system.numbers.credit.trailing_weight * trailing), 0.0)


def debt_limit(
    system: System, setting: Setting, forward: Float[Array, "firms"], trailing: Float[Array, "firms"]
) -> Float[Array, "firms"]:
    """Debt capacity of each firm: (multiple x EBITDA + multiple x equity value) x market access."""
    firms, revenue = system.firms, setting.revenue
    earning = earning_power(system, forward, trailing)
    return (firms.debt_multiple * earning + firms.value_multiple * revenue.value) * revenue.access


def asked_margin(
    system: System, setting: Setting, owed: Float[Array, "firms"], counted: Float[Array, "firms"]
) -> Float[Array, "loans"]:
    """Margin that would pay for the risk of each loan: margin_m X_i j_i, j_i for debt that was hidden."""
    hidden_share = counted / jnp.maximum(owed + counted, NO_DEBT)
    repriced = 1.0 + system.numbers.credit.look_through_spread * hidden_share
    return system.loans.refinancing_margin * (setting.revenue.spread * repriced)[system.loans.borrower]


def rationed(
    system: System, asked: Float[Array, "loans"]
) -> tuple[Float[Array, "loans"], Float[Array, "loans"]]:
    """Margins up to the ceiling, and the share that is lent: min(1, ceiling / asked), all to outside firms.

    Beyond some price a lender loses by asking for more, and lends less instead (Stiglitz and Weiss 1981).
    """
    ceiling = system.numbers.credit.margin_ceiling
    share = ceiling / jnp.maximum(asked, ceiling)
    outside = system.firms.outside[system.loans.borrower]
    return jnp.minimum(asked, ceiling), jnp.where(outside > 0.0, 1.0, share)


def terms(
    system: System,
    setting: Setting,
    forward: Float[Array, "firms"],
    trailing: Float[Array, "firms"],
    owed: Float[Array, "firms"],
    counted: Float[Array, "firms"],
) -> Terms:
    """What lenders offer on EBITDA a year from now and of the last year, with debt `owed` and `counted`."""
    margin, granted = rationed(system, asked_margin(system, setting, owed, counted))
    coupon = margin + (1.0 - system.loans.floating) * setting.economy.rate
    return Terms(debt_limit(system, setting, forward, trailing), counted, coupon, granted)

"""Hidden debt: what sponsors owe off balance sheet, and when lenders see it (docs/model.md, section 4)."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from engine.book.system import Month, System
from engine.month.contracts import ContractFlows
from engine.month.economy import Conditions
from engine.month.setting import Setting


class HiddenDebt(eqx.Module):
    """What the other stages read of it (USD bn)."""

    hidden: Float[Array, "firms"]  # off the balance sheet
    counted: Float[Array, "firms"]  # part of it that lenders count


def off_balance_sheet(
    system: System,
    balance: Float[Array, "loans"],
    size: Float[Array, "contracts"],
    month: Month,
    operating: Float[Array, "firms"],
) -> Float[Array, "firms"]:
    """Debt that a firm's reports leave out: guarantees, and leases beyond what EBITDA after rent carries.

    hidden_i = sum of cover x guaranteed balance + sum of (PV of the lease - debt multiple x rent in a year)+
    """
    table, firms = system.contracts, system.firms
    carried = firms.debt_multiple[table.buyer] * month.term_ahead
    standing = table.senior * table.operating * size * operating[table.seller]
    lease = standing * jnp.maximum(month.present_value - carried, 0.0)
    return system.loans.guaranteed @ balance + table.bought @ lease


def believed(
    system: System, belief: Float[Array, ""], economy: Conditions, alive: Float[Array, "firms"]
) -> Float[Array, ""]:
    """Share that lenders count: by the worst regime so far, all once a project with a sponsor defaulted."""
    seen = economy.by_regime(system.numbers.credit.look_through)
    fallen = jnp.max(system.loans.project * (1.0 - alive[system.loans.borrower]), initial=0.0)
    return jnp.maximum(jnp.maximum(belief, seen), fallen)


def step(
    system: System,
    belief: Float[Array, ""],
    setting: Setting,
    contracts: ContractFlows,
    balance: Float[Array, "loans"],
) -> tuple[Float[Array, ""], HiddenDebt]:
    """Belief of the month, and the debt it makes lenders count. `belief` is last month's share."""
    month, standing = setting.month, setting.standing
    hidden = off_balance_sheet(system, balance, contracts.size, month, standing.operating)
    share = jnp.maximum(believed(system, belief, setting.economy, standing.alive), month.disclosed)
    return share, HiddenDebt(hidden, system.numbers.mechanisms.look_through * share * hidden)

"""Accounts of a month: losses by instrument, exposure, and the flags of a path (docs/model.md, section 8)."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from engine.book.links import of_first
from engine.book.system import System
from engine.month.collateral import Collateral
from engine.month.contracts import ContractFlows
from engine.month.credit import CreditLosses
from engine.month.debt_service import FundingState
from engine.month.lenders import LenderLosses
from engine.month.pools import Pools

NOTHING = 1e-6
"""USD bn; a book without pools must not divide by zero."""


class Accounts(eqx.Module):
    """Losses of the month and what is still outstanding at its end (USD bn)."""

    loss: Float[Array, "instruments"]
    total: Float[Array, ""]
    new_money: Float[Array, ""]  # part of it on debt lent since month 0
    exposure: Float[Array, ""]
    held: Float[Array, "lenders"]  # of it, by lender


def step(system: System, funds: FundingState, defaults: CreditLosses, pools: Pools) -> Accounts:
    """Losses of loans, obligors and tranches in the order of the instruments, and what is outstanding."""
    table = system.lenders
    loans = of_first(table.holdings, funds.balance)
    pooled = pools.exposure / jnp.maximum(jnp.sum(system.pools.balance), NOTHING)
    loss = jnp.concatenate([defaults.loss, pools.obligor_loss, pools.tranche_loss])
    return Accounts(
        loss=loss,
        total=jnp.sum(loss),
        new_money=jnp.sum(defaults.loss * system.loans.new_money) + pools.new_money_loss,
        exposure=jnp.sum(funds.balance) + pools.exposure,
        held=loans + table.pool_exposure_start * pooled,
    )


def flags(
    contracts: ContractFlows,
    collateral: Collateral,
    lenders: LenderLosses,
    broken: Bool[Array, ""],
) -> Bool[Array, "flags"]:
    """What went wrong this month, in the order of `vocabulary.FLAGS`; `broken`: a number is not finite."""
    return jnp.stack(
        [
            contracts.unsettled > 0.0,
            collateral.unsettled > 0.0,
            lenders.unsettled > 0.0,
            broken,
        ]
    )

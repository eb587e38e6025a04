"""Clearing payments under contracts with two ranks: a buyer's shortfall is its seller's loss of revenue."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from engine.contagion.linear import Linear

Firms = Float[Array | np.ndarray, " firms"]
Contracts = Float[Array | np.ndarray, " contracts"]


def pay(
    resources: Firms, senior_due: Firms, junior_due: Firms
) -> tuple[Float[Array, " firms"], Float[Array, " firms"]]:
    """Shares of the senior and the junior obligations that the resources cover.

    senior = clip(W / O1, 0, 1),  junior = clip((W - O1) / O2, 0, 1),  1 where nothing is due
    """
    senior = jnp.where(senior_due > 0.0, resources / jnp.where(senior_due > 0.0, senior_due, 1.0), 1.0)
    rest = resources - senior_due
    junior = jnp.where(junior_due > 0.0, rest / jnp.where(junior_due > 0.0, junior_due, 1.0), 1.0)
    return jnp.clip(senior, 0.0, 1.0), jnp.clip(junior, 0.0, 1.0)


def clear(
    due: Contracts,
    senior: Contracts,
    buyer: Int[Array | np.ndarray, " contracts"],
    bought: Linear,
    sold: Linear,
    margin: Contracts,
    resources: Firms,
    able: Firms,
    always: Firms,
    rounds: int,
) -> tuple[Float[Array, " contracts"], Float[Array, " contracts"], Float[Array, " firms"], Float[Array, ""]]:
    """Greatest clearing payments by iteration from full payment.

        W_i = resources_i + sum over what i sells of margin_c p_c;   p_c = share(buyer, rank) due_c

    Args: due, payable now, any one money unit; senior, 1 for the first rank; buyer, index of the firm; bought
    and sold, one-hot or memberships; margin, share of its revenue that the seller can pay on; resources,
    before contract income; able, 0 for firms that pay nothing; always, 1 for firms that always pay. Returns
    payments, share of each contract paid, share of the junior rank paid by firm, last move relative to due.

    Example: a pays b, b pays c; a can pay only half, and b lives on what it receives.
        >>> one = jnp.eye(3, dtype=jnp.float32)
        >>> paid, *_ = clear(jnp.float32([4, 4]), jnp.zeros(2, jnp.float32), jnp.int32([0, 1]),
        ...     one[:, :2], jnp.roll(one, 1, axis=0)[:, :2], jnp.ones(2, jnp.float32),
        ...     jnp.float32([2, 1, 0]), jnp.ones(3, jnp.float32), jnp.zeros(3, jnp.float32), 4)
        >>> [float(p) for p in paid]
        [2.0, 3.0]
    """
    senior_due = bought @ (due * senior)
    junior_due = bought @ (due * (1.0 - senior))
    paid = jnp.asarray(due)
    for _ in range(rounds):
        before = paid
        first, second = pay(resources + sold @ (margin * paid), senior_due, junior_due)
        first = jnp.where(always > 0.0, 1.0, first) * able
        second = jnp.where(always > 0.0, 1.0, second) * able
        share = jnp.where(senior > 0.0, first[buyer], second[buyer])
        paid = share * due
    move = jnp.max(jnp.abs(paid - before), initial=0.0) / jnp.max(due, initial=1.0)
    return paid, share, second, move

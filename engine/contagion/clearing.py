"""Clearing of vehicles' debt and equity among lenders, with bankruptcy cost (Rogers-Veraart, Suzuki-Elsinger)."""

import jax.numpy as jnp


def clear_vehicles(assets, debt, equity_start, debt_share, equity_share, passing, bankruptcy_cost, rounds: int):
    """Losses that lenders take on their claims on vehicles: the least fixed point, from no loss.

        equity_j = (assets_j - n_j - debt_j)+
        theta_j  = 1 if assets_j - n_j >= debt_j, else clip((1 - cost)(assets_j - n_j) / debt_j, 0, 1)
        n_l = passing * sum_j ( debt_share_lj debt_j (1 - theta_j) + equity_share_lj (equity_start_j - equity_j) )

    Args: assets [vehicles] after own losses; debt, equity_start [vehicles]; debt_share, equity_share
    [lenders vehicles], columns summing to one; vehicles are the first lenders; passing in [0, 1] switches
    the network. Returns (n [lenders], theta [vehicles], last move).

    Example: a fund with 10 of debt and 10 of equity loses 12; the bank takes 2, the pension 10.
        >>> n, theta, _ = clear_vehicles(jnp.float32([8.0]), jnp.float32([10.0]), jnp.float32([10.0]),
        ...     jnp.float32([[0], [1], [0]]), jnp.float32([[0], [0], [1]]), 1.0, 0.0, 3)
        >>> [round(float(x), 3) for x in n]
        [0.0, 2.0, 10.0]
    """
    vehicles = debt.shape[0]
    owes = debt > 0.0
    passed = jnp.zeros_like(debt_share[:, 0])
    for _ in range(rounds):
        before = passed
        worth = assets - passed[:vehicles]
        partial = jnp.clip((1.0 - bankruptcy_cost) * worth / jnp.where(owes, debt, 1.0), 0.0, 1.0)
        theta = jnp.where(worth >= debt, 1.0, partial)
        equity = jnp.maximum(worth - debt, 0.0)
        passed = passing * (debt_share @ (debt * (1.0 - theta)) + equity_share @ (equity_start - equity))
    return passed, theta, jnp.max(jnp.abs(passed - before))

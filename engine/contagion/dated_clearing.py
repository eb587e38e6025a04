"""A dated sequence of clearings: cash that is left, and what is unpaid, go on to the next date.

At every date t, with L(t) the liabilities that fall due and a(t) the cash that comes in from outside,

    D(t) = L(t) + U(t-1)               due, with arrears (or L(t) alone where they are written off)
    theta(t) = V(c(t-1) + a(t), r(t), o(t)),   r_j = sum_i D_ij theta_i,   o_i = sum_j D_ij + d_i
    c_i(t) = max(c_i(t-1) + a_i(t) + r_i(t) - o_i(t), 0),   U(t) = (1 - theta(t)) D(t)

with d_i what is due to outsiders. A firm that misses a date is late, and may catch up. Carried arrears are
Calafiore, Fracastoro and Proskurnikov's (2022, "Clearing payments in dynamic financial networks") with
proportional payments, and the discrete form of Banerjee, Bernstein and Feinstein's (2018, "Dynamic clearing
and contagion in financial networks"). Any one money unit.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float64, Int64
from numpy.typing import ArrayLike

from engine import arguments
from engine.contagion.amounts import amounts, check_iteration, check_valuation, network, to_array
from engine.contagion.fixed_point import check_start
from engine.contagion.networks import EisenbergNoe, Valuation, clear_arrays

UNPAID = ("carried", "written_off")


class DatedClearing(eqx.Module):
    """Payments by date, in the money unit of the liabilities."""

    due: Float64[Array, "dates firms"]  # o, with arrears
    payments: Float64[Array, "dates firms"]  # to firms and outsiders
    receipts: Float64[Array, "dates firms"]  # r, from firms
    cash: Float64[Array, "dates firms"]  # c, after payment
    arrears: Float64[Array, "dates firms"]  # (1 - theta) o, after payment
    signed_equity: Float64[Array, "dates firms"]  # cash and receipts less what is due
    cost: Float64[Array, "dates firms"]  # lost in default
    defaulted: Bool[Array, "dates firms"]  # what is due is not paid in full
    default_date: Int64[Array, " firms"]  # position of the first, -1 never
    residual: Float64[Array, " dates"]
    converged: Bool[Array, " dates"]
    solution: str = eqx.field(static=True)  # greatest: most paid, fewest defaults; or least


def clear_dates(
    liabilities: ArrayLike,
    external_assets: ArrayLike,
    external_liabilities: ArrayLike = 0.0,
    *,
    unpaid: str = "carried",
    valuation: Valuation | None = None,
    start: str = "greatest",
    rounds: int = 100_000,
    tolerance: float = 1e-13,
) -> DatedClearing:
    """Clearing payments date by date; cash and arrears go on to the next (see the module).

    Args: liabilities [dates debtors creditors], what falls due, row owes column; external_assets [dates
    firms], cash that comes in, the first with what is in hand; external_liabilities [dates firms]; unpaid,
    carried or written_off; valuation, EisenbergNoe() if None; start, rounds and tolerance as for `clear`, at
    every date. Traceable: jit it, or vmap it over any argument.

    Raises ValueError for liabilities that are not [dates firms firms], owe themselves or are negative,
    negative external amounts, shapes that do not fit, a valuation outside [0, 1], an unknown start or unpaid.

    Example: a owes b 5 a date and takes in 3, then 4, then 9; b owes outsiders 4 a date and has 1.
        >>> owes = [[[0, 5], [0, 0]]] * 3
        >>> after = clear_dates(owes, [[3, 1], [4, 0], [9, 0]], [[0, 4]] * 3)
        >>> after.arrears[:, 0].tolist(), after.cash.tolist()
        ([2.0, 3.0, 0.0], [[0.0, 0.0], [0.0, 0.0], [1.0, 4.0]])
        >>> after.default_date.tolist()
        [0, -1]
    """
    check_start(start)
    check_iteration(rounds, tolerance)
    arguments.choice("unpaid", unpaid, UNPAID)
    owes = to_array("liabilities", liabilities)
    if owes.ndim != 3 or owes.shape[1] != owes.shape[2] or not owes.shape[0]:
        raise ValueError(
            f"liabilities: got shape {owes.shape}, expected (dates, firms, firms), a date or more"
        )
    arguments.names_along(1, external_assets=external_assets, external_liabilities=external_liabilities)
    due = jnp.stack([network(f"liabilities[{t}]", each) for t, each in enumerate(owes)])
    external = amounts("external_assets", external_assets, due.shape[:2])
    outside = amounts("external_liabilities", external_liabilities, due.shape[:2])
    valuation = EisenbergNoe() if valuation is None else valuation
    check_valuation(valuation, external[0], jnp.sum(due[0], axis=0), jnp.sum(due[0], axis=1) + outside[0])
    after = clear_in_turn(due, external, outside, unpaid == "carried", valuation, start, rounds, tolerance)
    for t in range(due.shape[0]):
        in_hand = after.signed_equity[t] - after.receipts[t] + after.due[t]
        check_valuation(valuation, in_hand, after.receipts[t], after.due[t])
    return after


@eqx.filter_jit
def clear_in_turn(
    due: Float64[Array, "dates firms firms"], external: Float64[Array, "dates firms"],
    outside: Float64[Array, "dates firms"], carried: bool, valuation: Valuation,
    start: str, rounds: int, tolerance: float,
) -> DatedClearing:  # fmt: skip
    """`clear_dates` on checked arrays."""

    def one_date(state, new):
        cash, arrears, late = state
        owes, abroad = new[0] + arrears, new[2] + late
        total = jnp.sum(owes, axis=1) + abroad
        cleared = clear_arrays(owes, cash + new[1], abroad, valuation, start, rounds, tolerance)
        missing = jnp.where(carried, 1.0 - cleared.recovery, 0.0)
        rest = (1.0 - cleared.recovery) * total
        row = (
            total, cleared.payments, cleared.receipts, cleared.equity, rest, cleared.signed_equity,
            cleared.cost, cleared.defaulted, cleared.residual, cleared.converged,
        )  # fmt: skip
        return (cleared.equity, missing[:, None] * owes, missing * abroad), row

    nothing = jnp.zeros_like(external[0])
    begin = (nothing, jnp.zeros_like(due[0]), nothing)
    _, rows = jax.lax.scan(one_date, begin, (due, external, outside))
    owed, payments, receipts, cash, rest, signed, cost, defaulted, residual, converged = rows
    first = jnp.where(jnp.any(defaulted, axis=0), jnp.argmax(defaulted, axis=0), -1)
    return DatedClearing(
        owed, payments, receipts, cash, rest, signed, cost, defaulted, first, residual, converged, start
    )

"""A cascade of defaults, round by round: who fails first, who because of whom, and what each round pays.

    fictitious default   with the firms D in default so far, solve for what all then pay; those who now
                         cannot pay in full join D, until nobody does (Eisenberg and Noe 2001, section 3.1)
    iteration            p(k+1) = o V(a, r(p(k)), o) from full payment, or from none for the least solution

Row 0 is full payment (or none). A fictitious round is one wave of defaults, and there are no more than firms;
given D, valuations that are linear in payments leave the equations (Rogers and Veraart 2013, definition 3.6)

    p_i = o_i outside D,   p_i = alpha_i a_i + beta_i sum_j (L_ji / o_j) p_j in D

The last row is what `networks.clear` finds, which reaches it faster and keeps no rounds.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float64, Int64
from numpy.typing import ArrayLike

from engine import arguments
from engine.contagion.amounts import check_iteration, check_valuation
from engine.contagion.fixed_point import check_start
from engine.contagion.networks import EDGE, EisenbergNoe, RogersVeraart, Threshold, Valuation, balance_of

METHODS = ("fictitious_default", "iteration")

Firms = Float64[np.ndarray, " firms"]
Defaults = Bool[np.ndarray, " firms"]


@dataclasses.dataclass(frozen=True)
class Cascade:
    """Payments and defaults by round, in the money unit of the liabilities."""

    payments: Float64[np.ndarray, "rows firms"]
    receipts: Float64[np.ndarray, "rows firms"]  # r, from firms
    signed_equity: Float64[np.ndarray, "rows firms"]  # a + r - o, below zero in default
    defaulted: Bool[np.ndarray, "rows firms"]  # a + r < o
    default_round: Int64[np.ndarray, " firms"]  # first row in default, -1 never
    rounds: int
    converged: bool
    solution: str  # greatest: most paid, fewest defaults; or least


@dataclasses.dataclass(frozen=True)
class Network:
    """Balance sheets: relative liabilities [debtors creditors], outside assets, total liabilities."""

    shares: Float64[np.ndarray, "firms firms"]
    external: Firms
    owed: Firms

    def received(self, payments: Firms) -> Firms:
        """r, from firms."""
        return self.shares.T @ payments

    def signed_equity(self, payments: Firms) -> Firms:
        """a + r - o."""
        return self.external + self.received(payments) - self.owed

    def defaults(self, payments: Firms) -> Defaults:
        """a + r < o, by more than rounding."""
        return self.signed_equity(payments) < -EDGE * self.owed


def default_rounds(
    liabilities: ArrayLike,
    external_assets: ArrayLike,
    external_liabilities: ArrayLike = 0.0,
    *,
    valuation: Valuation | None = None,
    method: str = "fictitious_default",
    start: str = "greatest",
    rounds: int = 10_000,
    tolerance: float = 1e-13,
) -> Cascade:
    """The rounds of a cascade of defaults, none skipped (see the module).

    Args: liabilities [debtors creditors], row owes column; external_assets, external_liabilities [firms];
    valuation, EisenbergNoe() if None; method, fictitious_default (EisenbergNoe, RogersVeraart and Threshold,
    from full payment) or iteration (any valuation, either start); start, greatest or least; rounds, the most
    there may be; tolerance of the iteration's last move, as a share of the largest liabilities of a firm.

    Raises ValueError as `clear`, for an unknown method, and for a valuation or start that fictitious default
    does not know.

    Example: a fails by itself, b because a paid 2 of 4, and c, which nobody owes enough, because of b.
        >>> chain = [[0, 4, 0, 0], [0, 0, 4, 0], [0, 0, 0, 3], [0, 0, 0, 0]]
        >>> after = default_rounds(chain, [2, 1, 0.5, 0])
        >>> after.default_round.tolist(), after.payments[-1].tolist()
        ([0, 1, -1, -1], [2.0, 3.0, 3.0, 0.0])
        >>> after.payments.tolist()[:2]
        [[4.0, 4.0, 3.0, 0.0], [2.0, 4.0, 3.0, 0.0]]
    """
    check_start(start)
    check_iteration(rounds, tolerance)
    arguments.choice("method", method, METHODS)
    owes, external, outside = balance_of(liabilities, external_assets, external_liabilities)
    valuation = EisenbergNoe() if valuation is None else valuation
    owed = jnp.sum(owes, axis=1) + outside
    check_valuation(valuation, external, jnp.sum(owes, axis=0), owed)
    total = np.asarray(owed)
    network = Network(
        np.asarray(owes) / np.where(total > 0.0, total, 1.0)[:, None], np.asarray(external), total
    )
    if method == "fictitious_default":
        if start != "greatest":
            arguments.refuse("start", start, "greatest, which fictitious default finds")
        rows, converged = fictitious(network, loss_given_default(valuation), rounds)
    else:
        rows, converged = iterated(network, valuation, start, rounds, tolerance)
    payments = np.stack(rows)
    defaulted = np.stack([network.defaults(row) for row in rows])
    return Cascade(
        payments=payments,
        receipts=payments @ network.shares,
        signed_equity=np.stack([network.signed_equity(row) for row in rows]),
        defaulted=defaulted,
        default_round=np.where(defaulted.any(axis=0), defaulted.argmax(axis=0), -1),
        rounds=len(rows) - 1,
        converged=converged,
        solution=start,
    )


Payout = Callable[[Network, Defaults], Firms]


def loss_given_default(valuation: Valuation) -> Payout:
    """What all pay once it is known who defaults; ValueError for a valuation that is not linear then."""
    if isinstance(valuation, EisenbergNoe):
        return lambda network, defaults: linear_payout(network, defaults, 1.0, 1.0)
    if isinstance(valuation, RogersVeraart):
        alpha, beta = np.asarray(valuation.alpha), np.asarray(valuation.beta)
        return lambda network, defaults: linear_payout(network, defaults, alpha, beta)
    if isinstance(valuation, Threshold):
        recovery = np.asarray(valuation.recovery)
        return lambda network, defaults: np.where(defaults, recovery * network.owed, network.owed)
    arguments.refuse(
        "valuation", type(valuation).__name__,
        "EisenbergNoe, RogersVeraart or Threshold for fictitious default, or method='iteration'",
    )  # fmt: skip


def linear_payout(network: Network, defaults: Defaults, alpha: Any, beta: Any) -> Firms:
    """p = alpha a + beta r(p) in default, o otherwise."""
    beta = np.where(defaults, beta, 0.0)
    own = np.where(defaults, alpha * network.external, network.owed)
    return np.linalg.solve(np.eye(len(own)) - beta[:, None] * network.shares.T, own)


def fictitious(network: Network, payout: Payout, rounds: int) -> tuple[list[Firms], bool]:
    """Payments wave by wave, and whether nobody joins the last one."""
    rows, defaults = [network.owed], np.zeros(len(network.owed), bool)
    while (now := network.defaults(rows[-1]) | defaults).sum() > defaults.sum():
        if len(rows) > rounds:
            return rows, False
        defaults = now
        rows.append(payout(network, defaults))
    return rows, True


def iterated(
    network: Network, valuation: Valuation, start: str, rounds: int, tolerance: float
) -> tuple[list[Firms], bool]:
    """Payments round by round, and whether the last move is within the tolerance."""
    external, owed = jnp.asarray(network.external), jnp.asarray(network.owed)
    small = tolerance * float(network.owed.max(initial=0.0))
    rows = [network.owed if start == "greatest" else np.zeros_like(network.owed)]
    for _ in range(rounds):
        share = np.asarray(valuation(external, jnp.asarray(network.received(rows[-1])), owed))
        new = network.owed * share
        if np.abs(new - rows[-1]).max(initial=0.0) <= small:
            return rows, True
        rows.append(new)
    return rows, False

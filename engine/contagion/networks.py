"""Clearing payments of a network of firms: one fixed-point map over balance sheets.

Assets = liabilities + equity, for every firm i,

    a_i + r_i = o_i + e_i,   r_i = sum_j L_ji theta_j,   o_i = sum_j L_ij + l_i

with L_ij (row i, column j) the liabilities of i to j, l_i those to outsiders, a_i external assets, r_i
receipts from firms, o_i total liabilities, and theta_j the share of its liabilities that j pays to all alike.
Every model of contagion is one valuation V (Barucca, Bardoscia, Caccioli, D'Errico, Visentin, Caldarelli and
Battiston 2020, "Network valuation in financial systems", NEVA):

    theta = V(a, r, o)

    EisenbergNoe      min(1, (a + r) / o)                                    Eisenberg and Noe (2001)
    RogersVeraart     1 if a + r >= o else (alpha a + beta r) / o            Rogers and Veraart (2013)
    Threshold         1 if a + r >= o else recovery                          Furfine (2003)
    LinearDebtRank    clip((a + r - o) / book equity, 0, 1)                  Bardoscia et al. (2015)

Eisenberg and Noe, Management Science 47(2), 236-249; Rogers and Veraart, idem 59(4), 882-898;
Bardoscia, Battiston, Caccioli and Caldarelli, PLoS ONE 10(6), e0130406.

Any other valuation is a function of the three arrays [firms] that rises in r and lies in [0, 1].
Outsiders rank with the firms (pari passu); for deposits that rank first see `cross_holdings`. Who fails in
which round is `cascade`'s, payments due at several dates `dated_clearing`'s. Any one money unit.
"""

from collections.abc import Callable

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float64, Int64
from numpy.typing import ArrayLike

from engine import arguments
from engine.arguments import TINY
from engine.contagion.amounts import amounts, check_iteration, check_valuation, network
from engine.contagion.fixed_point import check_start, iterate

EDGE = 1e-12
"""A firm that misses its liabilities by less than this share of them is solvent: sums have rounding."""

Firms = Float64[Array, " firms"]
Valuation = Callable[[Firms, Firms, Firms], Firms]


class Clearing(eqx.Module):
    """Payments that clear the network, in the money unit of the liabilities."""

    payments: Float64[Array, " firms"]  # to all creditors, firms and outsiders
    recovery: Float64[Array, " firms"]  # theta: payments over liabilities, 1 where nothing is owed
    receipts: Float64[Array, " firms"]  # r, from firms
    equity: Float64[Array, " firms"]  # max(a + r - o, 0)
    signed_equity: Float64[Array, " firms"]  # a + r - o, in default less than nothing: the shortfall
    defaulted: Bool[Array, " firms"]  # a + r < o
    cost: Float64[Array, " firms"]  # a + r - payments - equity: lost in default, put in if negative
    rounds: Int64[Array, ""]
    residual: Float64[Array, ""]  # largest |payments - o V(a, r, o)|
    converged: Bool[Array, ""]
    solution: str = eqx.field(static=True)  # greatest: most paid, fewest defaults; or least


class EisenbergNoe(eqx.Module):
    """A firm in default pays all it has: min(1, (a + r) / o).

    >>> EisenbergNoe()(*(jnp.array([x]) for x in (1.0, 2.0, 4.0))).tolist()
    [0.75]
    """

    def __call__(self, external: Firms, received: Firms, owed: Firms) -> Firms:
        return jnp.where(solvent(external, received, owed), 1.0, (external + received) / positive(owed))


class RogersVeraart(eqx.Module):
    """Default costs: a share alpha of external assets and beta of claims on firms is recovered, in [0, 1].

    One number or one a firm. Raises ValueError outside [0, 1].

    >>> RogersVeraart(0.5, 0.6)(*(jnp.array([x]) for x in (1.0, 2.0, 4.0))).tolist()
    [0.425]
    """

    alpha: Float64[Array, "..."]
    beta: Float64[Array, "..."]

    def __init__(self, alpha: ArrayLike = 1.0, beta: ArrayLike = 1.0):
        self.alpha, self.beta = share("alpha", alpha), share("beta", beta)

    def __call__(self, external: Firms, received: Firms, owed: Firms) -> Firms:
        recovery = (self.alpha * external + self.beta * received) / positive(owed)
        return jnp.where(solvent(external, received, owed), 1.0, jnp.minimum(recovery, 1.0))


class Threshold(eqx.Module):
    """A firm in default pays a fixed share, in [0, 1]; one number or one a firm. Raises ValueError outside.

    The share does not depend on the firm's assets, so that `Clearing.cost` may be negative.

    >>> Threshold(0.4)(*(jnp.array([x]) for x in (1.0, 2.0, 4.0))).tolist()
    [0.4]
    """

    recovery: Float64[Array, "..."]

    def __init__(self, recovery: ArrayLike = 0.0):
        self.recovery = share("recovery", recovery)

    def __call__(self, external: Firms, received: Firms, owed: Firms) -> Firms:
        return jnp.where(solvent(external, received, owed), 1.0, self.recovery)


class LinearDebtRank(eqx.Module):
    """Claims lose value with their debtor's equity, before any default: clip((a + r - o) / book, 0, 1).

    book: equity before the shock [firms], in money. Raises ValueError where it is not positive.

    >>> LinearDebtRank([2.0])(*(jnp.array([x]) for x in (3.0, 2.0, 4.0))).tolist()
    [0.5]
    """

    book: Float64[Array, "..."]

    def __init__(self, book: ArrayLike):
        self.book = amounts("book", book, lowest=TINY)

    def __call__(self, external: Firms, received: Firms, owed: Firms) -> Firms:
        return jnp.clip((external + received - owed) / self.book, 0.0, 1.0)


def clear(
    liabilities: ArrayLike,
    external_assets: ArrayLike,
    external_liabilities: ArrayLike = 0.0,
    *,
    valuation: Valuation | None = None,
    start: str = "greatest",
    rounds: int = 100_000,
    tolerance: float = 1e-13,
) -> Clearing:
    """The greatest or the least clearing payments of a network.

        p = o V(a, r, o),   r_j = sum_i (L_ij / o_i) p_i,   o_i = sum_j L_ij + l_i

    Args: liabilities [debtors creditors], row owes column; external_assets, external_liabilities [firms];
    valuation, EisenbergNoe() if None; start, the greatest (from full payment: no firm defaults that need not)
    or the least (from none); rounds, the most there may be; tolerance of the residual, as a share of the
    largest liabilities of a firm. Traceable: jit it, or vmap it over any argument.

    Raises ValueError for liabilities that are not square, owe themselves or are negative, negative external
    assets or liabilities, shapes that do not fit, pandas labels that differ, a valuation outside [0, 1],
    and an unknown start.

    Example: a owes b 4 and has 2, b owes c 4 and has 1, c owes nobody.
        >>> chain = [[0, 4, 0], [0, 0, 4], [0, 0, 0]]
        >>> cleared = clear(chain, [2, 1, 0])
        >>> cleared.payments.tolist(), cleared.equity.tolist(), cleared.defaulted.tolist()
        ([2.0, 3.0, 0.0], [0.0, 0.0, 3.0], [True, True, False])
        >>> cleared.receipts.tolist(), cleared.signed_equity.tolist()
        ([0.0, 2.0, 3.0], [-2.0, -1.0, 3.0])
        >>> clear(chain, [2, 1, 0], valuation=RogersVeraart(alpha=0.5, beta=1.0)).payments.tolist()
        [1.0, 1.5, 0.0]
    """
    check_start(start)
    check_iteration(rounds, tolerance)
    owes, external, outside = balance_of(liabilities, external_assets, external_liabilities)
    valuation = EisenbergNoe() if valuation is None else valuation
    owed = jnp.sum(owes, axis=1) + outside
    check_valuation(valuation, external, jnp.sum(owes, axis=0), owed)
    cleared = clear_arrays(owes, external, outside, valuation, start, rounds, tolerance)
    check_valuation(valuation, external, cleared.receipts, owed)
    return cleared


def balance_of(
    liabilities: ArrayLike, external_assets: ArrayLike, external_liabilities: ArrayLike
) -> tuple[Float64[Array, "firms firms"], Firms, Firms]:
    """Liabilities, external assets and external liabilities, checked; raises what `clear` promises."""
    arguments.names_along(
        0, liabilities=liabilities, external_assets=external_assets, external_liabilities=external_liabilities
    )
    owes = network("liabilities", liabilities)
    external = amounts("external_assets", external_assets, owes.shape[:1])
    return owes, external, amounts("external_liabilities", external_liabilities, owes.shape[:1])


@eqx.filter_jit
def clear_arrays(
    liabilities: Float64[Array, "firms firms"], external: Firms, outside: Firms, valuation: Valuation,
    start: str, rounds: int, tolerance: float,
) -> Clearing:  # fmt: skip
    """`clear` on checked arrays."""
    owed = jnp.sum(liabilities, axis=1) + outside
    shares = liabilities / positive(owed)[:, None]

    def pay(payments):
        return owed * valuation(external, shares.T @ payments, owed)

    begin = owed if start == "greatest" else jnp.zeros_like(owed)
    small = tolerance * jnp.max(owed, initial=0.0)
    payments, count, residual, converged, _ = iterate(pay, begin, rounds, small)
    received = shares.T @ payments
    signed = external + received - owed
    equity = jnp.maximum(signed, 0.0)
    return Clearing(
        payments=payments,
        recovery=jnp.where(owed > 0.0, payments / positive(owed), 1.0),
        receipts=received,
        equity=equity,
        signed_equity=signed,
        defaulted=~solvent(external, received, owed),
        cost=external + received - payments - equity,
        rounds=count,
        residual=residual,
        converged=converged,
        solution=start,
    )


def solvent(external: Firms, received: Firms, owed: Firms) -> Bool[Array, " firms"]:
    """Whether assets cover liabilities."""
    return external + received >= owed * (1.0 - EDGE)


def positive(owed: Float64[Array, "..."]) -> Float64[Array, "..."]:
    """A divisor: liabilities, and 1 where there are none."""
    return jnp.where(owed > 0.0, owed, 1.0)


def share(name: str, value: ArrayLike) -> Float64[Array, "..."]:
    """A number or numbers in [0, 1]; ValueError otherwise."""
    return amounts(name, value, highest=1.0)

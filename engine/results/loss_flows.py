"""Where a loss goes: borrowers, instruments, funds, lenders and final bearers, in flows that add up.

In the symbols of docs/model.md, section 8, each flow is a mean over all paths or over the worst:

    kind of borrower -> class of instrument    sum of loss_i
    class of instrument -> holder              sum of W_li loss_i            a class of lenders, or the funds
    funds -> class of lenders                  sum of gross_l - W_li loss_i  its claims, paper that it bought
    class of lenders -> bearer                 sum of G_bl first_l + R_bl (kept_l - first_l)

Funds are the vehicles. Every mean is a sum of the tally's but that of first_l = min(kept_l, equity_l A_l):
what lenders lose beyond their equity follows from the losses of the bearers, where these leave no choice.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Array, Float, Float64
from scipy.optimize import linprog, nnls

from engine.book.links import dense
from engine.book.load import Book
from engine.book.system import LenderTable, System
from engine.results.estimates import Estimates
from engine.results.losses import Labels, horizon_names
from engine.run.programs import Kept
from engine.tail.contributions import expected_losses
from engine.tail.tally import Layout

FUNDS, COST, LENDERS = "funds", "bankruptcy", "lenders"
"""Nodes that are no class of anything: vehicles, what bankruptcies of vehicles cost, lenders together."""

SECURITISED = "borrower:securitised"
"""Node of those who pay into tranches."""

NOTHING = 1e-6
"""Share of the system's loss below which a flow is rounding."""

CERTAIN = 1e-3
"""Share of the system's loss by which a flow to bearers may be open."""


class Means(NamedTuple):
    """Mean losses over the same paths, USD bn."""

    system: float
    components: Float64[np.ndarray, "instruments"]
    gross: Float64[np.ndarray, "lenders"]
    bearers: Float64[np.ndarray, "bearers"]


class Nodes(NamedTuple):
    """The node of every instrument's borrower, every instrument, every lender and every bearer."""

    borrowers: list[str]
    instruments: list[str]
    lenders: list[str]
    bearers: list[str]


Flow = tuple[str, str, float]
"""Source, target, USD bn."""


def flows_table(
    estimates: Estimates, layout: Layout, labels: Labels, system: System, book: Book
) -> pd.DataFrame:
    """Flows by horizon, over `all` paths (the expected loss) and the `worst` 1% (ES 99%), USD bn.

    A flow has one direction: a class that sold more paper before it defaulted than its claims on funds lost
    has one to the funds. Where the bearers' losses leave open which class they come from, the classes flow
    into `lenders`, and these to the bearers.
    """
    nodes, tally = nodes_of(layout, labels, system, book), estimates.tally
    rows = []
    for place, horizon in enumerate(horizon_names(layout)):
        for paths, means in (
            ("all", expected_losses(tally, place)), ("worst", estimates.contributions[place])
        ):  # fmt: skip
            named = means_of(means, layout, system)
            rows += [(horizon, paths, *flow) for flow in joined(flows(named, nodes, system), named.system)]
    return pd.DataFrame(rows, columns=["horizon", "paths", "source", "target", "loss"])


def means_of(means: Float64[np.ndarray, "parts"], layout: Layout, system: System) -> Means:
    """The means of a tally's parts by what they are of."""
    column = {name: place for place, name in enumerate(layout.columns)}
    names = system.names
    return Means(
        float(means[0]), means[len(layout.columns) :],
        means[[column[f"lender:{name}"] for name in names.lenders]],
        means[[column[f"bearer:{name}"] for name in names.bearers]],
    )  # fmt: skip


def nodes_of(layout: Layout, labels: Labels, system: System, book: Book) -> Nodes:
    """Names of the nodes; what has no class, as a tenant that owes rent and no debt, loses nothing."""
    loans, firms = book["loans"].set_index("loan"), book["firms"].set_index("firm")
    kinds = "borrower:" + loans["borrower"].map(firms["kind"])
    classes = book["lenders"].set_index("lender")["class"]
    vehicle = np.asarray(system.lenders.vehicle) > 0.0
    ids = [key.partition(":")[2] for key in layout.components]
    return Nodes(
        [kinds.get(name, SECURITISED) for name in ids],
        [f"instrument:{labels.group.get(key, '')}" for key in layout.components],
        [
            FUNDS if fund else f"lenders:{classes[name]}"
            for name, fund in zip(system.names.lenders, vehicle, strict=True)
        ],
        [f"bearer:{name}" for name in system.names.bearers],
    )


@Kept
def bearer_shares(table: LenderTable) -> tuple[Float[Array, "bearers lenders"], ...]:
    """By which shares a lender's first losses fall on bearers, and the rest."""
    return table.first_bearer.matrix, table.last_bearer.matrix


def flows(means: Means, nodes: Nodes, system: System) -> Iterator[Flow]:
    """Every flow, one by one."""
    table = system.lenders
    vehicle, holdings = np.asarray(table.vehicle, np.float64), dense(table.holdings)
    passing = float(np.asarray(system.numbers.mechanisms.lender_network))
    kept = means.gross * (1.0 - vehicle * passing)
    direct = holdings * means.components
    received = np.where(vehicle > 0.0, 0.0, means.gross - direct.sum(axis=1))
    yield from zip(nodes.borrowers, nodes.instruments, means.components.tolist(), strict=True)
    for lender, row in zip(nodes.lenders, direct, strict=True):
        yield from (
            (instrument, lender, loss) for instrument, loss in zip(nodes.instruments, row, strict=True)
        )
    yield from ((FUNDS, lender, loss) for lender, loss in zip(nodes.lenders, received, strict=True))
    yield COST, FUNDS, float(means.bearers.sum() - means.system)
    first, rest = (np.asarray(shares, np.float64) for shares in bearer_shares(table))
    shares = borne(means, kept, first, rest)
    if shares is None:
        yield from ((lender, LENDERS, loss) for lender, loss in zip(nodes.lenders, kept, strict=True))
        yield from (
            (LENDERS, bearer, loss) for bearer, loss in zip(nodes.bearers, means.bearers, strict=True)
        )
        return
    for bearer, row in zip(nodes.bearers, shares, strict=True):
        yield from ((lender, bearer, loss) for lender, loss in zip(nodes.lenders, row, strict=True))


def borne(
    means: Means,
    kept: Float64[np.ndarray, "lenders"],
    first: Float64[np.ndarray, "bearers lenders"],
    rest: Float64[np.ndarray, "bearers lenders"],
) -> Float64[np.ndarray, "bearers lenders"] | None:
    """What of each lender's loss falls on each bearer, USD bn; None where the bearers' losses leave it open.

    With G, R as `first`, `rest`, lenders that share them are one unknown, their loss beyond equity x >= 0:
    (R - G) x = bearers - G kept.
    """
    if not means.system > 0.0:
        return first * kept
    alike, group = np.unique(np.round((rest - first).T, 6), axis=0, return_inverse=True)
    shifted = np.abs(alike).sum(axis=1) > 0.0
    moves, due = alike[shifted].T, (means.bearers - first @ kept) / means.system
    beyond = np.zeros(len(alike))
    if shifted.any():
        beyond[shifted], open_by = solved(moves, due)
        if open_by > CERTAIN:
            return None
    # All of a group have the same G and R: how its loss beyond equity is split moves no flow of their sum.
    weight = np.maximum(kept, 0.0) + NOTHING * means.system
    share = weight / np.bincount(group, weight)[group]
    return first * kept + (rest - first) * (beyond[group] * share * means.system)


def solved(
    moves: Float64[np.ndarray, "bearers groups"], due: Float64[np.ndarray, "bearers"]
) -> tuple[Float64[np.ndarray, "groups"], float]:
    """The x >= 0 nearest to moves x = due, and the widest range of any of its entries."""
    x, residual = nnls(moves, due)
    slack = max(residual, NOTHING)
    bounds = np.concatenate([moves, -moves]), np.concatenate([due + slack, slack - due])
    ends = [
        linprog(sign * unit, *bounds, bounds=(0.0, 1.0)).fun
        for unit in np.eye(len(x))
        for sign in (1.0, -1.0)
    ]
    if residual > CERTAIN or any(end is None for end in ends):
        return x, np.inf
    return x, max(-high - low for low, high in zip(ends[::2], ends[1::2], strict=True))


def joined(flows: Iterator[Flow], system: float) -> list[Flow]:
    """Flows of the same ends added up, those that are rounding left out, negative ones turned round."""
    totals: dict[tuple[str, str], float] = {}
    for source, target, loss in flows:
        totals[source, target] = totals.get((source, target), 0.0) + float(loss)
    return [
        (source, target, loss) if loss > 0.0 else (target, source, -loss)
        for (source, target), loss in totals.items()
        if abs(loss) > NOTHING * max(system, 0.0) and source != target
    ]

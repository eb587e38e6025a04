"""What is known of the totals behind the holdings: a prior on who holds how much of each instrument class.

For an instrument class with the amount A (committed, USD bn) and its holder classes h,

    shares s_h      Dirichlet(concentration_h mean_h), cut to [low_h, high_h]
    lender l of h   gets (s_h A - what its class is known to hold) w_l / sum w,   w_l = mean_l exp(sd_l z_l)

with one standard normal z_l a lender and mean_l what the filled holdings give it. Nobody gets more than its
assets carry beside its claims on vehicles, nor more than there is that it may hold, and no bank more of one
instrument than a large exposure may be: what is over goes to the others of its holder class. Known cells are
part of the totals and stay fixed.
"""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Bool, Float64
from scipy import special

from engine.book.checks.claims import claim_values, lender_assets, per_lender
from engine.book.checks.faults import AMOUNT_ROUNDING
from engine.book.frames import Frame
from engine.book.holdings import holding_shares, instruments
from engine.book.load import Book
from engine.book.network import instrument_class

CONCENTRATION = 20.0
"""Of the Dirichlet law where the book has no prior: a share of one half then has a sd of 0.11."""

SPLIT_SD = {"INSURER": 0.35}
OTHER_SD = 0.5
"""Sd of a lender's log weight inside its class: assumed; insurers report their assets."""

LARGE_EXPOSURE = 0.25
"""Most that a bank holds of one instrument over its capital (Basel III, LEX20), unless the book says more."""

DRAWS = 100
"""Draws of the class shares before totals that nobody can carry are refused."""

Cells = Float64[np.ndarray, "lenders instruments"]


@dataclasses.dataclass(frozen=True)
class Prior:
    """The law of the holder classes' shares of one instrument class."""

    name: str
    members: np.ndarray  # positions of its instruments
    alpha: Float64[np.ndarray, "holders"]
    low: Float64[np.ndarray, "holders"]
    high: Float64[np.ndarray, "holders"]


@dataclasses.dataclass(frozen=True)
class Marginals:
    """What a book says of its holdings before any network is drawn. Amounts USD bn, committed."""

    lenders: tuple[str, ...]
    instruments: tuple[str, ...]
    holders: tuple[str, ...]  # holder classes
    member: Bool[np.ndarray, "holders lenders"]
    size: Float64[np.ndarray, "instruments"]
    filled: Cells  # the book's shares, blanks filled
    known: Cells  # shares a source fixes, NaN elsewhere
    named: Bool[np.ndarray, "lenders instruments"]  # holders named without an amount, and all beside them
    capacity: Float64[np.ndarray, "lenders"]
    largest: Float64[np.ndarray, "lenders"]  # of one instrument, inf without a limit
    spread: Float64[np.ndarray, "lenders"]  # sd of the log weight
    priors: tuple[Prior, ...]


def marginals_of(book: Book) -> Marginals:
    """The marginals of a checked book; without priors the filled holdings are the means."""
    tables = book.tables
    table = tables["lenders"]
    lenders, kinds = tuple(table["lender"]), table["class"].to_numpy()
    every = instruments(tables)
    names = tuple(every["instrument"])
    size = every["committed"].to_numpy(np.float64)
    filled, known, named = cells_of(tables, lenders, names)
    classes = instrument_class(tables)
    holders = tuple(dict.fromkeys(kinds))
    member = np.array([kinds == holder for holder in holders])
    claims = per_lender(tables, claim_values(tables), tables["interlender"]["lender"])
    carried = (lender_assets(tables)[0] - claims).to_numpy(np.float64)
    held = filled @ size
    vehicle = table["vehicle"].to_numpy() == 1
    capacity = np.where(
        vehicle, np.minimum(carried, held + table["other_assets"].to_numpy(np.float64)), carried
    )
    limit = np.maximum(LARGE_EXPOSURE * table["capital"].to_numpy(np.float64), (filled * size).max(axis=1))
    order = dict.fromkeys(classes[name] for name in names)
    priors = tuple(
        prior_of(tables["priors"], kind, np.flatnonzero([classes[name] == kind for name in names]), holders,
                 member, filled, size)
        for kind in order
    )  # fmt: skip
    return Marginals(
        lenders, names, holders, member, size, filled, known, named, np.maximum(capacity, held),
        np.where((kinds == "BANK") & ~vehicle, limit, np.inf),
        np.array([SPLIT_SD.get(kind, OTHER_SD) for kind in kinds]), priors,
    )  # fmt: skip


def cells_of(
    tables: Mapping[str, Frame], lenders: Sequence[str], names: Sequence[str]
) -> tuple[Cells, Cells, np.ndarray]:
    """(filled shares, known shares, named cells) [lenders, instruments].

    Where an instrument has a holder without an amount, all its holders are taken to be named.
    """
    import pandas as pd

    rows = tables["holdings"]
    blank = rows["share"].isna()
    filled, known, unsized = np.zeros((3, len(lenders), len(names)))
    for table, flag in ((known, (rows["known"] == 1) & ~blank), (unsized, blank)):
        shares = holding_shares({**tables, "holdings": rows.assign(known=flag.astype("int64"))})
        place = tuple(pd.Index(axis).get_indexer(shares[key]) for axis, key in
                      ((lenders, "lender"), (names, "instrument")))  # fmt: skip
        filled[place], table[place] = shares["share"], shares["known"]
    named = (unsized.any(axis=0) & (filled > 0.0)) & (known == 0.0)
    return filled, np.where(known > 0.0, filled, np.nan), named


def prior_of(
    table: Frame,
    kind: str,
    members: np.ndarray,
    holders: Sequence[str],
    member: np.ndarray,
    filled: np.ndarray,
    size: np.ndarray,
) -> Prior:
    """The prior of one instrument class from the book's table, or about the filled holdings."""
    rows = table[table["class"] == kind].set_index("holder_class")
    weight = size[members] if size[members].sum() > 0.0 else np.ones(len(members))
    if rows.empty:
        mean = member @ filled[:, members] @ weight / weight.sum()
        return Prior(
            kind, members, CONCENTRATION * mean, np.zeros(len(holders)), (mean > 0.0).astype(np.float64)
        )
    rows = rows.reindex(list(holders))
    mean, low, high = (rows[name].fillna(0.0).to_numpy(np.float64) for name in ("mean", "low", "high"))
    return Prior(kind, members, rows["concentration"].fillna(0.0).to_numpy(np.float64) * mean, low, high)


def truncated_dirichlet(
    alpha: np.ndarray, low: np.ndarray, high: np.ndarray, rng: np.random.Generator, sweeps: int = 30
) -> np.ndarray:
    """One draw of Dirichlet(alpha) given low <= share <= high, by a Gibbs sampler over pairs.

    Of two shares with the sum t, s_i / t is Beta(alpha_i, alpha_j) cut to what the bounds leave; drawn by
    inversion. The bounds must leave a point: sum low <= 1 <= sum high.
    """
    spare = 1.0 - low.sum()
    room = high - low
    share = low + room * (spare / room.sum() if room.sum() > 0.0 else 0.0)
    free = np.flatnonzero((room > 0.0) & (alpha > 0.0))
    for _ in range(sweeps if len(free) > 1 else 0):
        order = rng.permutation(free)
        for i, j in zip(order, np.roll(order, 1), strict=True):
            both = share[i] + share[j]
            least, most = max(low[i], both - high[j]), min(high[i], both - low[j])
            if both <= 0.0 or most <= least:
                continue
            below, above = special.betainc(alpha[i], alpha[j], np.array([least, most]) / both)
            drawn = special.betaincinv(alpha[i], alpha[j], below + (above - below) * rng.random())
            share[i] = np.clip(both * drawn, least, most)
            share[j] = both - share[i]
    return share


@dataclasses.dataclass(frozen=True)
class Totals:
    """One draw of the totals."""

    known: Cells  # shares, NaN where free
    free: Float64[np.ndarray, "classes lenders"]  # USD bn beside known cells; rows sum to what is free
    split: Float64[np.ndarray, "classes lenders"]  # shares of the whole class


def draw_totals(m: Marginals, rng: np.random.Generator) -> Totals:
    """One draw. Raises ValueError naming the holder class whose lenders cannot carry its share."""
    weight = np.exp(m.spread * rng.standard_normal(len(m.lenders)))
    known = with_named(m, np.exp(m.spread[:, None] * rng.standard_normal(m.filled.shape)))
    least = np.full(len(m.holders), np.inf)
    for _ in range(DRAWS):
        wanted = np.stack([class_amounts(m, prior, known, rng) for prior in m.priors])
        free, missing = carried(m, wanted, known, weight)
        if not missing.any():
            split = [split_of(m, p, known, own, weight, rng) for p, own in zip(m.priors, free, strict=True)]
            return Totals(known, free, np.stack(split))
        least = missing if missing.sum() < least.sum() else least
    short = ", ".join(f"{m.holders[h]} {least[h]:.3g}" for h in np.flatnonzero(least))
    raise ValueError(
        "holdings: got holder classes whose lenders' assets, beside claims on vehicles, do not carry the "
        f"shares that priors give them; the nearest of {DRAWS} draws lacks USD bn: {short}; expected as much "
        "more capital (of vehicles, other_assets), or a lower mean, low and high in priors"
    )


def with_named(m: Marginals, weight: Cells) -> Cells:
    """Known shares, with what is left of an instrument with named holders split over these by weight."""
    drawn = np.where(m.named, m.filled * weight, 0.0)
    left = 1.0 - np.nansum(m.known, axis=0)
    drawn = drawn * left / np.where(drawn.sum(axis=0) > 0.0, drawn.sum(axis=0), 1.0)
    return np.where(m.named.any(axis=0) & np.isnan(m.known), drawn, m.known)


def class_amounts(m: Marginals, prior: Prior, known: Cells, rng: np.random.Generator) -> np.ndarray:
    """Free amount of each holder class: its drawn share of the instrument class less its known cells."""
    size = m.size[prior.members]
    total = size.sum()
    if not total > 0.0:
        return np.zeros(len(m.holders))
    held = m.member @ np.nan_to_num(known[:, prior.members]) @ size / total
    closed = ~(m.member @ open_amounts(m, prior, known) > 0.0)
    low = np.where(closed, held, np.maximum(prior.low, held))
    high = np.where(closed, held, np.maximum(prior.high, held))
    scarce = 1.0 - high.sum()
    if scarce > 0.0:  # known cells elsewhere leave more than the bounds allow: the open classes take it
        high = np.where(closed, high, high + scarce)
    low = held + (low - held) * min(1.0, (1.0 - held.sum()) / max(low.sum() - held.sum(), 1e-300))
    return np.maximum(truncated_dirichlet(prior.alpha, low, high, rng) - held, 0.0) * total


def open_amounts(m: Marginals, prior: Prior, known: Cells) -> np.ndarray:
    """What each lender may hold at most of an instrument class beside known cells, USD bn [lenders]."""
    cells = known[:, prior.members]
    left = m.size[prior.members] * np.maximum(1.0 - np.nansum(cells, axis=0), 0.0)
    left = np.where(left > AMOUNT_ROUNDING * m.size[prior.members], left, 0.0)
    return np.sum(np.isnan(cells) * np.minimum(left, m.largest[:, None]), axis=1)


def base_weights(m: Marginals, prior: Prior, known: Cells) -> np.ndarray:
    """What the filled holdings give each lender of an instrument class, or of all where they give nothing."""
    free = np.where(np.isnan(known), m.filled, 0.0)
    size = m.size[prior.members]
    mean = free[:, prior.members] @ np.where(size.sum() > 0.0, size, 1.0)
    nobody = (m.member @ mean <= 0.0) @ m.member > 0.0
    return np.where(nobody, m.filled @ m.size + AMOUNT_ROUNDING * m.capacity, mean)


def carried(
    m: Marginals, wanted: np.ndarray, known: Cells, weight: np.ndarray, rounds: int = 200
) -> tuple[np.ndarray, np.ndarray]:
    """(free amounts [classes lenders], amounts each holder class cannot carry [holders]).

    In proportion to the weights; then by turns cut to what a lender can carry, and what is missing given to
    those of the holder class that have room.
    """
    room = np.stack([open_amounts(m, prior, known) for prior in m.priors])
    share = np.stack([base_weights(m, prior, known) for prior in m.priors]) * weight * (room > 0.0)
    capacity = np.maximum(m.capacity - np.nan_to_num(known) @ m.size, 0.0)
    amounts, small = np.zeros_like(share), 1e-10 * m.size.sum()
    for _ in range(rounds):
        missing = np.maximum(wanted - amounts @ m.member.T, 0.0)
        if missing.max() <= small:
            break
        spare = (room - amounts > small) & (capacity - amounts.sum(axis=0) > small)
        amounts = np.minimum(amounts + spread(m, missing, share * spare), room)
        amounts = amounts * np.minimum(1.0, capacity / np.maximum(amounts.sum(axis=0), small))
    left = missing.sum(axis=0)
    return amounts, np.where(left > 1e-6 * m.size.sum(), left, 0.0)


def spread(m: Marginals, amounts: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Amounts of the holder classes [classes holders] over their lenders by weight [classes lenders]."""
    total = weight @ m.member.T
    part = np.divide(amounts, total, out=np.zeros_like(total), where=total > 0.0)
    return (part @ m.member) * weight


def split_of(
    m: Marginals, prior: Prior, known: Cells, free: np.ndarray, weight: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Shares of the lenders in a whole instrument class: what its new money goes by [lenders].

    Of a class in which nothing is lent yet they are drawn as they would be for any other.
    """
    size = m.size[prior.members]
    if size.sum() > 0.0:
        held = free + np.nan_to_num(known[:, prior.members]) @ size
        return held / held.sum()
    drawn = truncated_dirichlet(prior.alpha, prior.low, prior.high, rng)
    share = spread(m, drawn[None], (base_weights(m, prior, known) * weight)[None])[0]
    return share / share.sum()

"""What lenders can carry: claims within assets, vehicles owned from outside, blanks that can be filled.

A lender's assets are, for a vehicle, capital + debt; for a bank or an insurer, whose deposits and policies
the book does not list, loss-absorbing capital over the 8% minimum ratio of Basel; for every other holder,
which owes nothing, its capital. They must carry its holdings at drawn value, its other assets and its claims
on vehicles. Every refusal names the smallest change that would do.
"""

from collections.abc import Iterator

import numpy as np

from engine.book.checks.faults import AMOUNT_ROUNDING, Check, faults, register
from engine.book.checks.problems import Problem
from engine.book.frames import Frame, Series, Tables
from engine.book.holdings import holding_shares, instruments, looked_up

CHECKS: list[tuple[tuple[str, ...], Check]] = []
"""(columns read, check) of this module, in order of report."""

MINIMUM_CAPITAL = 0.08
"""Basel minimum of total capital over risk-weighted assets."""

reads = register(CHECKS)

LENDER_COLUMNS = (
    "lenders.lender", "lenders.class", "lenders.vehicle", "lenders.capital", "lenders.debt",
    "lenders.other_assets", "interlender.lender", "interlender.vehicle", "interlender.kind",
    "interlender.share",
)  # fmt: skip

HOLDING_COLUMNS = (
    "holdings.instrument", "holdings.lender", "holdings.share", "loans.loan", "loans.borrower",
    "loans.drawn", "loans.committed", "firms.firm", "firms.kind", "firms.pool", "tranches.tranche",
    "tranches.pool", "tranches.attachment", "tranches.detachment", "pools.pool", "pools.balance",
)  # fmt: skip


def lender_assets(frames: Tables) -> tuple[Series, Series]:
    """Assets of each row of lenders (USD bn), and the capital that one of them takes."""
    lenders = frames["lenders"]
    leveraged = lenders["class"].isin(["BANK", "INSURER"]) & (lenders["vehicle"] == 0)
    ratio = leveraged.map({True: MINIMUM_CAPITAL, False: 1.0})
    return lenders["capital"] / ratio + lenders["debt"], ratio


def claim_values(frames: Tables) -> Series:
    """Value of each row of interlender: its share of the vehicle's debt or capital, USD bn."""
    claims = frames["interlender"]
    owed, owned = (looked_up(frames, "lenders", column, claims["vehicle"]) for column in ("debt", "capital"))
    return claims["share"] * owed.where(claims["kind"] == "debt", owned)


def per_lender(frames: Tables, values: Series, holders: Series) -> Series:
    """Sums of `values` over `holders`, by row of lenders; zero where there are none."""
    return frames["lenders"]["lender"].map(values.groupby(holders).sum()).fillna(0.0)


def enough(most: float, got: float, ratio: float) -> str:
    """What is allowed, and the smallest changes that make it so."""
    return (
        f"at most its assets of {most:.6g}: {got - most:.4g} less, or {ratio * (got - most):.4g} more capital"
    )


@reads(*LENDER_COLUMNS)
def claims_within_assets(frames: Tables) -> Iterator[Problem]:
    """No creditor's claims on vehicles exceed its assets, and only a vehicle with debt owes any."""
    lenders, claims = frames["lenders"], frames["interlender"]
    debt = looked_up(frames, "lenders", "debt", claims["vehicle"])
    empty = claims[(claims["kind"] == "debt") & (debt == 0.0)]
    yield from faults("interlender", empty, "vehicle", "a vehicle with debt above 0, or no claim on its debt")
    values = claim_values(frames)
    sums = per_lender(frames, values, claims["lender"])
    for lender, got, most, ratio in zip(lenders["lender"], sums, *lender_assets(frames), strict=True):
        if got > most * (1 + AMOUNT_ROUNDING):
            own = values[claims["lender"] == lender].sort_values(ascending=False)
            on = ", ".join(
                f"{claims['vehicle'][line]} {claims['kind'][line]} {own[line]:.4g}" for line in own.index
            )
            yield Problem(
                "interlender", int(own.index[0]), "share", f"{lender} claims {got:.6g} ({on})",
                enough(most, got, ratio),
            )  # fmt: skip


@reads("lenders.lender", "lenders.vehicle", "interlender.lender", "interlender.vehicle", "interlender.kind",
       "interlender.share")  # fmt: skip
def somebody_outside_owns(frames: Tables) -> Iterator[Problem]:
    """No vehicles hold all of each other's equity, or debt: nothing would say what it is worth."""
    claims = frames["interlender"]
    for kind, part in claims[claims["share"] > 0.0].groupby("kind", sort=False):
        for ring in closed_groups(part):
            rows = part[part["vehicle"].isin(ring)]
            stakes = ", ".join(
                f"{row.lender} {row.share:.4g} of {row.vehicle}" for row in rows.itertuples(index=False)
            )
            expected = f"some of the {kind} of {' or '.join(ring)}, however little, held by another lender"
            yield Problem("interlender", int(rows.index[0]), "lender", stakes, expected)


def closed_groups(claims: Frame) -> list[list[str]]:
    """Groups of two or more vehicles all of whose holders are among them, the smallest such groups."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    names = list(dict.fromkeys([*claims["vehicle"], *claims["lender"]]))
    held, by = (claims[column].map(names.index).to_numpy() for column in ("vehicle", "lender"))
    links = coo_array((np.ones(len(held)), (held, by)), shape=(len(names), len(names)))
    _, group = connected_components(links, connection="strong")
    leaves = set(group[held][group[held] != group[by]])
    members = [
        [name for name, own in zip(names, group, strict=True) if own == one] for one in np.unique(group)
    ]
    return [ring for one, ring in enumerate(members) if len(ring) > 1 and one not in leaves]


@reads(*HOLDING_COLUMNS, *LENDER_COLUMNS)
def blanks_can_be_filled(frames: Tables) -> Iterator[Problem]:
    """Some way to share out what known shares leave to the blank ones stays within everybody's assets."""
    rows, lenders = frames["holdings"], frames["lenders"]
    known_lender = rows["lender"].isin(set(lenders["lender"]))
    blank = rows[rows["share"].isna() & known_lender]
    if blank.empty:
        return
    size, given = instrument_amounts(frames), rows["share"].fillna(0.0)
    left = (size * (1.0 - given.groupby(rows["instrument"]).sum())).clip(lower=0.0)
    assets, ratio = lender_assets(frames)
    known = per_lender(frames, given * rows["instrument"].map(size).fillna(0.0), rows["lender"])
    claimed = per_lender(frames, claim_values(frames), frames["interlender"]["lender"])
    spare = assets - known - lenders["other_assets"] - claimed
    line_of = dict(zip(lenders["lender"], lenders.index, strict=True))
    lines = {lender: line_of[lender] for lender in dict.fromkeys(blank["lender"])}
    missing = least_missing(blank, left, {lender: spare[line] for lender, line in lines.items()})
    for lender, more in missing.items():
        line = lines[lender]
        if more > AMOUNT_ROUNDING * assets[line]:
            where = ", ".join(dict.fromkeys(blank["instrument"][blank["lender"] == lender]))
            expected = (
                f"room for the blank shares of {where}: {more:.4g} more of assets, "
                f"{ratio[line] * more:.4g} of capital, or as much less in known shares"
            )
            yield Problem("lenders", int(line), "capital", f"{lender} has {spare[line]:.6g} left", expected)


def least_missing(blank: Frame, left: Series, spare: dict[str, float]) -> dict[str, float]:
    """By how much lenders' assets must grow, in all as little as can be, for the blank cells to be filled.

    min sum_l e_l   over   x_il >= 0 (the cells of `blank`), e_l >= 0
    with   sum_l x_il = left_i,   sum_i x_il <= spare_l + e_l
    """
    from scipy.optimize import linprog

    items, takers, cells = list(dict.fromkeys(blank["instrument"])), list(spare), np.arange(len(blank))
    fills, takes = np.zeros((len(items), len(blank))), np.zeros((len(takers), len(blank)))
    fills[blank["instrument"].map(items.index).to_numpy(), cells] = 1.0
    takes[blank["lender"].map(takers.index).to_numpy(), cells] = 1.0
    found = linprog(
        np.concatenate([np.zeros(len(cells)), np.ones(len(takers))]),
        A_ub=np.hstack([takes, -np.eye(len(takers))]), b_ub=np.array(list(spare.values())),
        A_eq=np.hstack([fills, np.zeros((len(items), len(takers)))]),
        b_eq=left.reindex(items).fillna(0.0).to_numpy(),
    )  # fmt: skip
    return {} if found.x is None else dict(zip(takers, found.x[len(cells) :].tolist(), strict=True))


def instrument_amounts(frames: Tables) -> Frame:
    """Drawn amount behind each id that holdings name: a loan, a tranche, a pool's loans without own rows."""
    every, named = instruments(frames), set(frames["holdings"]["instrument"])
    owner = every["instrument"].where(every["instrument"].isin(named), every["pool"])
    return every["drawn"].groupby(owner).sum()


@reads(*HOLDING_COLUMNS, *LENDER_COLUMNS)
def holdings_within_assets(frames: Tables) -> Iterator[Problem]:
    """No lender holds more than its assets (see the module), blanks filled by capital."""
    lenders, claims = frames["lenders"], frames["interlender"]
    shares = holding_shares(frames)
    held = per_lender(frames, shares["drawn"], shares["lender"]) + lenders["other_assets"]
    held += per_lender(frames, claim_values(frames), claims["lender"])
    for line, lender, got, most, ratio in zip(
        lenders.index, lenders["lender"], held, *lender_assets(frames), strict=True
    ):
        if got > most * (1 + AMOUNT_ROUNDING):
            yield Problem("lenders", line, "capital", f"{lender} holds {got:.6g}", enough(most, got, ratio))

"""What a lender could do about its loans, as changes of a book: paths of both books face the same draws.

advance_rate    a tenth less is lent against the same chips; the owners put in the difference
amortisation    a further tenth of a loan's largest balance is repaid a year
sale            loans pass at par to those who buy paper, or else to the others by capital
guarantee       the largest off-taker of a loan's chips, or its tenant, guarantees the loan
"""

import dataclasses
import types
from collections.abc import Sequence

import pandas as pd

from engine.book.frames import Frame, Series
from engine.book.holdings import holding_shares
from engine.book.load import Book

CUT = 0.1
"""Share by which less is lent."""
FASTER = 0.1
"""Of the largest balance, a year, that is repaid besides."""
SOLD = 3
"""Loans that are sold."""


@dataclasses.dataclass(frozen=True)
class Action:
    """A changed book, and the loans that differ."""

    key: str
    loans: tuple[str, ...]
    book: Book


def actions_of(
    book: Book, loans: Sequence[str], lender: str | None = None, largest: Sequence[str] = ()
) -> list[Action]:
    """The actions that change something about some loans.

    `lender` sells the first of its `largest` loans; without one nothing is sold.
    """
    chosen = book["loans"]["loan"].isin(list(loans))
    actions = [lower_advance(book, chosen), faster_amortisation(book, chosen), guaranteed(book, chosen)]
    if lender is not None:
        actions.insert(2, sale(book, lender, largest[:SOLD]))
    return [action for action in actions if action.loans]


def changed(book: Book, key: str, touched: Sequence[str], **tables: Frame) -> Action:
    """The action of these tables in place of the book's."""
    frames = types.MappingProxyType(dict(book.tables) | tables)
    return Action(key, tuple(touched), dataclasses.replace(book, tables=frames))


def lower_advance(book: Book, chosen: Series) -> Action:
    """Loans with an LTV: drawn, committed and LTV a tenth lower."""
    table = book["loans"].copy()
    rows = chosen & (table["ltv_target"].fillna(0.0) > 0.0)
    for column in ("drawn", "committed", "ltv_target"):
        table[column] = table[column].where(~rows, table[column] * (1.0 - CUT))
    return changed(book, "advance_rate", table["loan"][rows].tolist(), loans=table)


def faster_amortisation(book: Book, chosen: Series) -> Action:
    """Loans that repay, or are lent against chips, and are no revolvers."""
    table = book["loans"].copy()
    repays = (table["amortisation"].fillna(0.0) > 0.0) | (table["ltv_target"].fillna(0.0) > 0.0)
    rows = chosen & repays & (table["revolver"].fillna(0) == 0)
    faster = (table["amortisation"].fillna(0.0) + FASTER).clip(upper=1.0)
    table["amortisation"] = table["amortisation"].where(~rows, faster)
    return changed(book, "amortisation", table["loan"][rows].tolist(), loans=table)


def guaranteed(book: Book, chosen: Series) -> Action:
    """Loans with an off-taker or a tenant and no guarantor."""
    table, backers = book["loans"].copy(), backers_of(book)
    backer = table["loan"].map(backers).fillna("")
    rows = chosen & (backer != "") & (table["guarantee_cover"].fillna(0.0) == 0.0)
    table["guarantor"] = table["guarantor"].where(~rows, backer)
    table["guarantee_cover"] = table["guarantee_cover"].where(~rows, 1.0)
    return changed(book, "guarantee", table["loan"][rows].tolist(), loans=table)


def backers_of(book: Book) -> dict[str, str]:
    """The tenant of each loan, else who buys most of the compute that secures it, by loan."""
    loans, contracts = book["loans"], book["contracts"].set_index("contract")
    secured = book["security"].join(contracts[["buyer", "annual"]], on="contract")
    size = (secured["share"] * secured["annual"].fillna(0.0)).groupby([secured["loan"], secured["buyer"]])
    buyers = size.sum().sort_values(kind="stable").reset_index().drop_duplicates("loan", keep="last")
    tenants = loans[loans["tenant"].fillna("") != ""]
    return dict(zip(buyers["loan"], buyers["buyer"], strict=True)) | dict(
        zip(tenants["loan"], tenants["tenant"], strict=True)
    )


def sale(book: Book, lender: str, loans: Sequence[str]) -> Action:
    """The lender's part of some loans passes to others."""
    shares = holding_shares(book.tables)
    rows = shares[shares["instrument"].isin(list(loans))]
    own = rows["lender"] == lender
    others = buyers_of(book, lender)
    if not own.any() or not others:
        return changed(book, "sale", ())
    sold = rows[own].set_index("instrument")["share"]
    bought = [(loan, buyer, part * weight) for loan, part in sold.items() for buyer, weight in others.items()]
    others_own = [tuple(row) for row in rows[~own][["instrument", "lender", "share"]].itertuples(index=False)]
    table = book["holdings"]
    like = table.iloc[0].to_dict() | {"known": 0, "source": "sold", "grade": "C"}
    total: dict[tuple[str, str], float] = {}
    for loan, holder, share in [*others_own, *bought]:
        total[loan, holder] = total.get((loan, holder), 0.0) + share
    new = [
        like | {"instrument": loan, "lender": holder, "share": share}
        for (loan, holder), share in total.items()
    ]
    stays = table[~table["instrument"].isin(sold.index)]
    holdings = pd.concat([stays, pd.DataFrame(new, columns=table.columns)], ignore_index=True)
    return changed(book, "sale", sold.index.tolist(), holdings=holdings.astype(table.dtypes.to_dict()))


def buyers_of(book: Book, seller: str) -> dict[str, float]:
    """Who buys, with shares that sum to one: the buyers of paper, where there are none all by capital."""
    table = book["lenders"][book["lenders"]["lender"] != seller].set_index("lender")
    weight = table["buyer_weight"].fillna(0.0)
    weight = weight if weight.sum() > 0.0 else table["capital"].fillna(0.0)
    weight = weight[weight > 0.0]
    return {str(name): float(share) for name, share in (weight / weight.sum()).items()} if len(weight) else {}

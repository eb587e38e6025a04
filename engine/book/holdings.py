"""Shares of every instrument by lender, with pools spread over their loans and blanks filled."""

from engine.book.frames import Frame, Series, Tables
from engine.book.tables import TABLES


def looked_up(frames: Tables, table: str, column: str, ids: Series) -> Series:
    """`column` of `table` for each of `ids`, in the column's type; missing where the id is unknown."""
    key = TABLES[table].key[0]
    values = frames[table].drop_duplicates(key).set_index(key)[column].reindex(ids)
    return values.set_axis(ids.index)


def tranched_pools(frames: Tables) -> set[str]:
    """Pools that have tranches."""
    return set(frames["tranches"]["pool"])


def obligor_pools(frames: Tables) -> Series:
    """Pool or group of every loan's borrower ("" where it has none), by line of loans."""
    return looked_up(frames, "firms", "pool", frames["loans"]["borrower"]).fillna("")


def instruments(frames: Tables) -> Frame:
    """Every instrument that has holders: id, amounts, and the pool whose holdings it inherits ("" if none).

    Loans of a tranched pool are left out (their tranches are held); a tranche's amount is its slice of the
    pool's balance. Columns: instrument, drawn, committed, pool, table, line.
    """
    import pandas as pd

    loans, tranches = frames["loans"], frames["tranches"]
    owner = obligor_pools(frames)
    direct = ~owner.isin(tranched_pools(frames))
    balance = looked_up(frames, "pools", "balance", tranches["pool"]).fillna(0.0)
    slices = (tranches["detachment"] - tranches["attachment"]) * balance
    loan_part = pd.DataFrame(
        {"instrument": loans["loan"], "drawn": loans["drawn"], "committed": loans["committed"], "pool": owner}
    )[direct].assign(table="loans")
    tranche_part = pd.DataFrame(
        {
            "instrument": tranches["tranche"],
            "drawn": slices,
            "committed": slices,
            "pool": "",
            "table": "tranches",
        }
    )
    return pd.concat([loan_part, tranche_part]).rename_axis("line").reset_index()


def filled(frames: Tables) -> Frame:
    """Rows of `holdings` with blank shares filled: what an instrument's known shares leave is split over its
    blank rows by the lenders' capital. Nothing is left for a blank where the known shares reach one.
    """
    rows = frames["holdings"].copy()
    blank = rows["share"].isna()
    weight = looked_up(frames, "lenders", "capital", rows["lender"]).fillna(0.0).where(blank, 0.0)
    total = weight.groupby(rows["instrument"]).transform("sum")
    left = (1.0 - rows["share"].groupby(rows["instrument"]).transform("sum")).clip(lower=0.0)
    rows["share"] = rows["share"].where(~blank, left * weight / total.where(total > 0, 1.0))
    return rows


def holding_shares(frames: Tables) -> Frame:
    """Shares of every instrument by lender, each instrument's shares scaled to sum to exactly one.

    frames: tables by name (a `Book` or its tables). Returns a table with columns instrument, lender, share,
    known, drawn and committed (the holder's part, USD bn); a pool's rows are repeated for each of its loans
    that has no rows of its own.
    """
    import pandas as pd

    rows = filled(frames)[["instrument", "lender", "share", "known"]]
    every = instruments(frames)
    own = every["instrument"].isin(rows["instrument"])
    direct = every[own].merge(rows, on="instrument")
    inherited = every[~own].merge(rows, left_on="pool", right_on="instrument", suffixes=("", "_pool"))
    shares = pd.concat([direct, inherited])[["instrument", "lender", "share", "known", "drawn", "committed"]]
    total = shares.groupby("instrument")["share"].transform("sum")
    shares["share"] = shares["share"] / total.where(total > 0, 1.0)
    shares["drawn"] *= shares["share"]
    shares["committed"] *= shares["share"]
    return shares.reset_index(drop=True)

"""The small book without some of its optional tables, and without what refers to their rows."""

import itertools

DISPLAY = ("about", "classes", "market", "history", "references", "priors", "correlation")
"""Tables that no other one refers to; `about` and `classes` change no array."""

STRUCTURE = ("pools", "tranches", "contracts", "pledges", "security", "interlender", "paper")
"""Tables whose rows become axes of the System; tenants go with tranches: a lease pool has both."""


def combinations(tables):
    """Every set of these tables, the empty one first."""
    return [each for count in range(len(tables) + 1) for each in itertools.combinations(tables, count)]


def without(book, tables, absent):
    """Take tables out of a copy of the small book: their files if `absent`, else all their rows."""
    gone = set(tables)
    if gone & {"pools", "tranches"}:
        gone |= {"tranches", "tenants"}
    if gone & {"pledges", "contracts"}:
        gone |= {"security"}
    for table in sorted(gone):
        if absent:
            (book.folder / f"{table}.csv").unlink()
        else:
            book.write(table, book.read(table)[:1])
    if "pools" in gone:
        keep(book, "firms", lambda row: row["kind"] != "synthetic")
        keep(book, "loans", lambda row: not row["loan"].startswith("OBLIGOR"))
        keep(book, "holdings", lambda row: not row["instrument"].startswith(("CREDIT", "OBLIGOR", "RENTS")))
    elif "tranches" in gone:
        keep(book, "pools", lambda row: row["pool"] != "RENTS")
        keep(book, "holdings", lambda row: not row["instrument"].startswith("RENTS"))
    if "contracts" in gone:
        book.set("firms", 3, "capex_contract", "")
    if "pledges" in gone:
        book.set("loans", 2, "collateral", "")
    if "security" in gone:
        book.set("loans", 4, "collateral", "")
    if "interlender" in gone:
        for column in ("vehicle", "debt", "asset_coverage", "line", "other_assets"):
            book.set("lenders", 2, column, "")
        book.set("lenders", 2, "capital", "7.2")
    present = {row["class"] for table in ("loans", "tranches") for row in rows(book, table)}
    for table in ("paper", "priors", "classes"):
        if table not in gone:
            keep(book, table, lambda row: row["class"] in present)


def rows(book, table):
    """Rows of a table by column; none where it is absent."""
    if not (book.folder / f"{table}.csv").exists():
        return []
    header, *cells = book.read(table)
    return [dict(zip(header, each, strict=True)) for each in cells]


def keep(book, table, wanted):
    """Keep the rows of a table that pass."""
    header, *cells = book.read(table)
    book.write(table, [header, *(each for each in cells if wanted(dict(zip(header, each, strict=True))))])

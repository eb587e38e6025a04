"""Rows of a book from the loans of a tape, and the cells in which they are written."""

import dataclasses
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from engine.book.columns import Column
from engine.book.tables import TABLES
from engine.book.tape.defaults import value
from engine.book.tape.positions import NO_COUNT, Position

Row = dict[str, Any]

TAPE, PARTLY, ASSUMED = "A", "B", "C"
"""Grades of a row that the tape says whole, with some terms assumed, and of defaults only."""


@dataclasses.dataclass
class Overlay:
    """Rows by table, and what happened to the book below in words."""

    rows: dict[str, list[Row]] = dataclasses.field(default_factory=lambda: defaultdict(list))
    ids: dict[int, str] = dataclasses.field(default_factory=dict)  # loan in the book, by line of the tape
    firms: dict[str, str] = dataclasses.field(default_factory=dict)  # firm in the book, by borrower
    problems: list[str] = dataclasses.field(default_factory=list)


def loan_row(overlay: Overlay, loan: Position, firm: str, repaid: float | None, uncontracted: float) -> Row:
    """The row of a loan: the tape's terms, and the usual ones of its kind."""
    row: Row = {
        "loan": overlay.ids[loan.line], "name": f"{loan.borrower} {loan.loan}", "borrower": firm,
        "class": loan.kind.id, "committed": loan.committed, "drawn": loan.drawn,
        "maturity_month": loan.maturity_month, "floating": int(loan.floating), "coupon": loan.coupon,
        "refinancing_margin": loan.coupon if loan.floating else max(loan.coupon - value("short_rate"), 0.01),
        "amortisation": repaid or 0.0, "guarantor": loan.guarantor if loan.guarantor != firm else "",
        "guarantee_cover": 1.0 if loan.guarantor and loan.guarantor != firm else 0.0,
        "source": "; ".join([f"tape, row {loan.line}", *(f"assumed: {each}" for each in loan.assumed)]),
        "grade": PARTLY if loan.assumed else TAPE,
    }  # fmt: skip
    undrawn = loan.committed - loan.drawn
    if loan.kind.word == "revolver":
        row |= {
            "revolver": 1,
            "base_recovery": 0.5,
            "extension_probability": 0.6,
            "exchange_probability": 0.35,
        }
        for each in overlay.rows["firms"]:
            if each["firm"] == firm:
                each.setdefault("revolver", row["loan"])
        return row
    if undrawn > 0.0 and loan.draws:
        row |= {"draw_months": min(int(value("draw_months")), loan.maturity_month)}
    if loan.chips:
        pik = value("pik") if loan.pik is None else float(loan.pik)
        return row | {
            "collateral": 1, "ltv_target": loan.ltv, "uncontracted_share": uncontracted, "pik_share": pik,
            "base_recovery": value("recovery_chips"), "extension_probability": 0.5,
            "exchange_probability": 0.25,
        }  # fmt: skip
    recovery = "recovery_project" if loan.kind.word == "project" else "recovery_corporate"
    return row | {"base_recovery": value(recovery), "pik_share": float(loan.pik or False)}


def pledge(overlay: Overlay, loan: Position) -> None:
    """Rows of the chips pledged to a loan."""
    overlay.rows["pledges"] += [
        {
            "loan": overlay.ids[loan.line], "generation": generation, "thousand_units": thousand,
            "source": f"tape, row {loan.line}",
            "grade": ASSUMED if NO_COUNT in loan.assumed else TAPE,
        }
        for generation, thousand in loan.chips.items()
    ]  # fmt: skip


def cells(table: str, rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    """Header and cells of a table: the columns that any row fills, numbers short, defaults blank."""
    columns = [
        column
        for column in TABLES[table].columns
        if column.required or any(text_of(column, row.get(column.name)) for row in rows)
    ]
    return [column.name for column in columns], [
        [text_of(column, row.get(column.name)) for column in columns] for row in rows
    ]


def text_of(column: Column, content: Any) -> str:
    """A value as a cell; blank where it is the column's default, or none."""
    if content is None or content != content or (content == column.default and not column.required):
        return ""
    if isinstance(content, float):
        return f"{content:.9g}"
    return str(content)

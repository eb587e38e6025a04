"""Loans of a lender as the tables of a book that lies over a shipped one: few sheets, every row with a grade.

A loan whose borrower the book below has is added to that borrower's debt, or taken out of the shipped loan of
which the lender says it is a part (`part`). A new borrower gets a row built from its loans (`borrower`).
"""

import dataclasses
from collections import defaultdict
from collections.abc import Sequence

from engine.book.frames import Tables
from engine.book.tape.borrower import of_new_borrower
from engine.book.tape.defaults import KINDS, value
from engine.book.tape.entries import ASSUMED, TAPE, Overlay, loan_row, pledge
from engine.book.tape.names import bare, identity
from engine.book.tape.part import carve
from engine.book.tape.positions import Position

LEVERAGED = ("BANK", "INSURER")


@dataclasses.dataclass(frozen=True)
class Lender:
    """Whose loans they are: name, holder class, capital in USD bn (None: from the loans)."""

    name: str
    kind: str
    capital: float | None = None


def overlay_of(positions: Sequence[Position], below: Tables, base: str, name: str, lender: Lender) -> Overlay:
    """The rows of a book of these loans over the book `below`, whose name is `base`."""
    overlay = Overlay()
    about = below["about"].iloc[0].to_dict()
    overlay.rows["about"].append(
        about | {"name": name, "base": base, "source": f"tape of {lender.name}", "grade": TAPE}
    )
    taken = {*below["loans"]["loan"], *below["pools"]["pool"], *below["tranches"]["tranche"]}
    overlay.ids = {each.line: identity(each.loan, taken) for each in positions}
    taken = set(below["firms"]["firm"])
    for each in positions:
        if each.borrower not in overlay.firms:
            overlay.firms[each.borrower] = each.firm or identity(bare(each.borrower), taken)
    for word in dict.fromkeys(each.kind.word for each in positions):
        kind = KINDS[word]
        overlay.rows["classes"].append(
            {"class": kind.id, "name": kind.name, "source": "neutral class of a tape", "grade": ASSUMED}
        )
    loans = defaultdict(list)
    for each in positions:
        loans[each.borrower].append(each)
    for borrower, firm in overlay.firms.items():
        own = loans[borrower]
        if own[0].firm:
            for each in own:
                of_shipped_borrower(overlay, each, firm, below)
        else:
            of_new_borrower(overlay, own, firm, below)
    lend(overlay, positions, below, lender)
    return overlay


def of_shipped_borrower(overlay: Overlay, loan: Position, firm: str, below: Tables) -> None:
    """A loan to a firm of the book below: out of the shipped loan it is part of, or more debt of the firm."""
    if loan.part_of:
        carve(overlay, loan, firm, below)
    else:
        overlay.rows["loans"].append(loan_row(overlay, loan, firm, loan.amortisation, uncontracted=1.0))
        pledge(overlay, loan)


def lend(overlay: Overlay, positions: Sequence[Position], below: Tables, lender: Lender) -> None:
    """The lender, its holdings, and on whom its losses fall: as on those of the same class below."""
    alike = below["lenders"][below["lenders"]["class"] == lender.kind]
    identifier = identity(lender.name, set(below["lenders"]["lender"]))
    committed = sum(each.committed for each in positions)
    ratio = 0.1 if lender.kind in LEVERAGED else value("capital")
    given = lender.capital is not None
    overlay.rows["lenders"].append({
        "lender": identifier, "name": lender.name, "class": lender.kind,
        "capital": lender.capital if lender.capital is not None else ratio * committed,
        "recognition_months": int(alike["recognition_months"].mode().iloc[0]) if len(alike) else 1,
        "capital_growth": 0.0,
        "source": "capital as given" if given else f"capital assumed: {ratio:g} of the tape's commitments",
        "grade": TAPE if given else ASSUMED,
    })  # fmt: skip
    overlay.rows["holdings"] += [
        {
            "instrument": overlay.ids[each.line], "lender": identifier, "share": 1.0, "known": 1,
            "source": f"tape, row {each.line}", "grade": TAPE,
        }
        for each in positions
    ]  # fmt: skip
    model = below["incidence"][
        below["incidence"]["lender"] == (alike["lender"].iloc[0] if len(alike) else "")
    ]
    overlay.rows["incidence"] += [
        {**row, "lender": identifier, "source": f"as {row['lender']} of its class", "grade": ASSUMED}
        for row in model.to_dict("records")
    ]

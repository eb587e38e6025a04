"""A loan that is part of a shipped one: it is taken out there, with its chips and contract cash."""

from collections.abc import Mapping, Sequence

from engine.book.frames import Tables
from engine.book.tables import TABLES
from engine.book.tape.entries import Overlay, Row, loan_row
from engine.book.tape.positions import NO_LTV, Position

AS_WHOLE = (
    "collateral", "base_recovery", "tenant", "extension_probability", "exchange_probability",
    "interest_from_month", "amortisation_from_month", "uncontracted_share", "draw_months",
)  # fmt: skip
"""What a part of a shipped loan has as the whole of it."""


def carve(overlay: Overlay, loan: Position, firm: str, below: Tables) -> None:
    """Take a loan out of the shipped loan of which it is a part; amounts, chips, contract cash go with it."""
    rows = below["loans"][below["loans"]["loan"] == loan.part_of]
    place = f"row {loan.line}: loan {loan.loan}"
    if not len(rows) or rows["borrower"].iloc[0] != firm:
        own = below["loans"]["loan"][below["loans"]["borrower"] == firm].tolist()
        overlay.problems.append(f"{place}: got part of {loan.part_of!r}, expected one of {', '.join(own)}")
        return
    whole = next(
        (row for row in overlay.rows["loans"] if row["loan"] == loan.part_of), rows.iloc[0].to_dict()
    )
    left = {name: whole[name] - getattr(loan, name) for name in ("committed", "drawn")}
    if left["drawn"] <= 0.0 or left["committed"] < left["drawn"]:
        size = f"{loan.drawn:.6g} drawn of {loan.committed:.6g}"
        expected = f"less than the {whole['drawn']:.6g} drawn of {whole['committed']:.6g} of {loan.part_of}"
        overlay.problems.append(f"{place}: got {size} USD bn, expected {expected}")
        return
    share = loan.drawn / whole["drawn"]
    note = f"; {loan.committed:.6g} of it are {overlay.ids[loan.line]} of a tape"
    replace(overlay, "loans", {**whole, **left, "source": whole["source"] + note})
    pledges = current(overlay, below, "pledges", "loan", loan.part_of)
    chips = loan.chips if covers(pledges, loan.chips) else {}
    for row in pledges:
        part = chips.get(row["generation"], 0.0) if chips else share * row["thousand_units"]
        if part > 0.0:
            replace(overlay, "pledges", {**row, "thousand_units": row["thousand_units"] - part})
            moved = {**row, "loan": overlay.ids[loan.line], "thousand_units": part}
            overlay.rows["pledges"].append(moved)
    for row in current(overlay, below, "security", "loan", loan.part_of):
        replace(overlay, "security", {**row, "share": (1.0 - share) * row["share"]})
        overlay.rows["security"].append(
            {**row, "loan": overlay.ids[loan.line], "share": share * row["share"]}
        )
    terms = loan_row(overlay, loan, firm, loan.amortisation, whole["uncontracted_share"])
    terms |= {name: whole[name] for name in AS_WHOLE}
    if whole["collateral"]:
        terms |= {
            "ltv_target": loan.ltv if NO_LTV not in loan.assumed and loan.chips else whole["ltv_target"]
        }
    if loan.amortisation is None:
        terms |= {"amortisation": whole["amortisation"]}
    overlay.rows["loans"].append(terms)


def current(overlay: Overlay, below: Tables, table: str, column: str, key: str) -> list[Row]:
    """Rows of a table for a key: those of the book below, as far as the overlay has not replaced them."""
    keys = TABLES[table].key
    rows = below[table][below[table][column] == key].to_dict("records")
    own = {tuple(row[each] for each in keys): row for row in overlay.rows[table]}
    return [own.get(tuple(row[each] for each in keys), row) for row in rows]


def covers(pledges: Sequence[Row], chips: Mapping[str, float]) -> bool:
    """Whether these chips can be taken out of the pledges, leaving some of each generation."""
    units = {row["generation"]: row["thousand_units"] for row in pledges}
    return bool(chips) and all(thousand < units.get(each, 0.0) for each, thousand in chips.items())


def replace(overlay: Overlay, table: str, row: Row) -> None:
    """Put a row in the place of that of the same key."""
    keys = TABLES[table].key
    rest = [each for each in overlay.rows[table] if any(each[key] != row[key] for key in keys)]
    overlay.rows[table] = [*rest, row]

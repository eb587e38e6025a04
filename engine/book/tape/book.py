"""Loans of a lender as the tables of a book that lies over a shipped one: few sheets, every row with a grade.

A loan whose borrower the book below has is added to that borrower's debt, or taken out of the shipped loan of
which the lender says it is a part. A borrower that is new gets a row built from its loans (`defaults`).
"""

import dataclasses
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from engine.book.columns import Column
from engine.book.frames import Tables
from engine.book.parameters import Chips
from engine.book.tables import TABLES
from engine.book.tape.defaults import KINDS, value
from engine.book.tape.names import bare, identity
from engine.book.tape.positions import Position
from engine.vocabulary import HOURS

Row = dict[str, Any]

TAPE, PARTLY, ASSUMED = "A", "B", "C"
"""Grades of a row that the tape says whole, with some terms assumed, and of defaults only."""

LEVERAGED = ("BANK", "INSURER")

AS_WHOLE = (
    "collateral", "base_recovery", "tenant", "extension_probability", "exchange_probability",
    "interest_from_month", "amortisation_from_month", "uncontracted_share", "draw_months",
)  # fmt: skip
"""What a part of a shipped loan has as the whole of it."""


@dataclasses.dataclass(frozen=True)
class Lender:
    """Whose loans they are: name, holder class, capital in USD bn (None: from the loans)."""

    name: str
    kind: str
    capital: float | None = None


@dataclasses.dataclass
class Overlay:
    """Rows by table, and what happened to the book below in words."""

    rows: dict[str, list[Row]] = dataclasses.field(default_factory=lambda: defaultdict(list))
    ids: dict[int, str] = dataclasses.field(default_factory=dict)  # loan in the book, by line of the tape
    firms: dict[str, str] = dataclasses.field(default_factory=dict)  # firm in the book, by borrower
    problems: list[str] = dataclasses.field(default_factory=list)


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
    for borrower, firm in overlay.firms.items():
        own = [each for each in positions if each.borrower == borrower]
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


def of_new_borrower(overlay: Overlay, loans: Sequence[Position], firm: str, below: Tables) -> None:
    """A borrower that only the tape has, with its loans, chips and contracts."""
    contracts, cash = defaultdict(float), {}
    ends: dict[str, int] = {}
    for loan in loans:
        capacity, spot = earnings(loan.chips, below)
        cover = value("cover") if loan.buyer else 0.0
        annual = cover * capacity if loan.contract_annual is None else loan.contract_annual
        if not loan.buyer or loan.contract_end < 1:
            annual = 0.0
        if loan.contract_annual is not None and capacity > 0.0:
            cover = min(annual / capacity, 1.0)
        if loan.chips:
            cash[loan.line] = value("contract_margin") * annual + (1.0 - cover) * spot
        if loan.chips and annual > 0.0:
            contracts[loan.buyer] += annual
            ends[loan.buyer] = max(ends.get(loan.buyer, 1), loan.contract_end)
    kind = "neocloud" if cash else "project" if any(each.kind.word == "project" for each in loans) else "host"
    overlay.rows["firms"].append(firm_row(loans, firm, kind, sum(cash.values())))
    for buyer, annual in contracts.items():
        overlay.rows["contracts"].append(compute_row(firm, buyer, annual, ends[buyer], below))
    for loan in loans:
        repaid = loan.amortisation
        if repaid is None and loan.chips:
            repaid = repayment(loan, cash[loan.line])
        cover = covered(loan, below)
        row = loan_row(overlay, loan, firm, repaid, uncontracted=round(1.0 - cover, 4))
        if loan.kind.word == "project":
            row |= site(overlay, loan, firm)
        overlay.rows["loans"].append(row)
        pledge(overlay, loan)
        if loan.chips and contracts.get(loan.buyer):
            own = contract_part(loan, below) / contracts[loan.buyer]
            overlay.rows["security"].append({
                "loan": overlay.ids[loan.line], "contract": contract_id(firm, loan.buyer),
                "share": round(own, 6), "source": "off-taker named in the tape", "grade": ASSUMED,
            })  # fmt: skip


def earnings(chips: Mapping[str, float], below: Tables) -> tuple[float, float]:
    """(Capacity at normal utilisation, what it earns on the market), USD bn a year at today's rents."""
    table, hours = below["chips"].set_index("generation"), Chips().utilisation
    capacity = spot = 0.0
    for generation, thousand in chips.items():
        row = table.loc[generation]
        rent = HOURS * hours * row["rental_usd_per_hour"] * thousand / 1e3
        capacity += rent
        spot += max(rent - HOURS * row["operating_cost_usd_per_hour"] * thousand / 1e3, 0.0)
    return float(capacity), float(spot)


def contract_part(loan: Position, below: Tables) -> float:
    """What a loan's contract pays a year, USD bn."""
    if not loan.buyer or loan.contract_end < 1:
        return 0.0
    capacity, _ = earnings(loan.chips, below)
    return value("cover") * capacity if loan.contract_annual is None else loan.contract_annual


def covered(loan: Position, below: Tables) -> float:
    """Share of the pledged chips' capacity that the contract takes."""
    capacity, _ = earnings(loan.chips, below)
    return min(contract_part(loan, below) / capacity, 1.0) if capacity > 0.0 else 0.0


def repayment(loan: Position, cash: float) -> float:
    """Amortisation a year that leaves the usual DSCR at today's rents, from 0 to that of such loans."""
    if loan.drawn <= 0.0:
        return value("amortisation")
    rate = loan.coupon + (value("short_rate") if loan.floating else 0.0)
    room = cash / (value("coverage") * loan.drawn) - rate
    return round(min(max(room, 0.0), value("amortisation")), 4)


def firm_row(loans: Sequence[Position], firm: str, kind: str, cash: float) -> Row:
    """A borrower of its loans' size; its hazard is that of its worst rating."""
    debt = sum(each.committed for each in loans)
    bare = sum(each.committed for each in loans if not each.chips and each.kind.word != "project")
    hazards = [each.hazard for each in loans if each.hazard is not None]
    core = bare / value("leverage")
    row = {
        "firm": firm, "name": loans[0].borrower, "kind": kind, "core_ebitda": core, "ebitda_ttm": core + cash,
        "cash": value("cash") * debt, "minimum_cash": value("cash") * debt,
        "sponsor_capacity": value("owner") * debt, "hazard": max(hazards, default=value("hazard")),
        "rating": next((each.rating for each in loans if each.hazard is not None), ""),
        "source": "tape; size and cash from its loans, the rest as firms without names", "grade": ASSUMED,
    }  # fmt: skip
    if kind == "project":
        return row | {"debt_multiple": 13.8}
    row |= {"equity_value": value("equity") * debt}
    if kind == "neocloud":
        return row | {
            "core_stress_beta": 1.0,
            "equity_volatility": 0.8,
            "debt_multiple": 4.5,
            "asset_multiple": 7.0,
        }
    return row | {
        "core_stress_beta": 0.3,
        "equity_volatility": 0.65,
        "debt_multiple": 9.5,
        "asset_multiple": 11.0,
    }


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
            "grade": ASSUMED if "number of chips" in loan.assumed else TAPE,
        }
        for generation, thousand in loan.chips.items()
    ]  # fmt: skip


def contract_id(firm: str, buyer: str) -> str:
    """Id of the contract between an off-taker and a borrower of the tape."""
    return f"{buyer}_{firm}"


def compute_row(firm: str, buyer: str, annual: float, end: int, below: Tables) -> Row:
    """What an off-taker pays a borrower for its chips."""
    kinds = dict(zip(below["firms"]["firm"], below["firms"]["kind"], strict=True))
    return {
        "contract": contract_id(firm, buyer), "buyer": buyer, "seller": firm, "kind": "compute",
        "flow": "operating", "annual": round(annual, 7), "start_annual": round(annual, 7), "end_month": end,
        "flexibility": value("flexibility") if kinds.get(buyer) == "lab" else 0.0, "rank": 2,
        "margin": value("contract_margin"), "relet": value("contract_relet"),
        "source": "off-taker named in the tape; size from the chips, end with the loan where not given",
        "grade": ASSUMED,
    }  # fmt: skip


def site(overlay: Overlay, loan: Position, firm: str) -> Row:
    """A leased site behind a project loan: its rent, and the tenant that extends the loan.

    Without a tenant that the book knows the same rent is the firm's own income.
    """
    building = int(value("draw_months")) if loan.draws else 0
    rent = loan.contract_annual or value("project_yield") * loan.committed
    if not loan.buyer:
        for each in overlay.rows["firms"]:
            if each["firm"] == firm:
                income = each["core_ebitda"] + value("lease_margin") * rent
                each |= {"core_ebitda": income, "ebitda_ttm": max(income, each["ebitda_ttm"])}
        return {}
    number = sum(each["seller"] == firm for each in overlay.rows["contracts"])
    overlay.rows["contracts"].append({
        "contract": contract_id(firm, loan.buyer) + (f"_{number + 1}" if number else ""), "buyer": loan.buyer,
        "seller": firm, "kind": "lease", "flow": "operating", "annual": round(rent, 7),
        "start_annual": 0.0 if building else round(rent, 7), "start_month": building,
        "end_month": max(loan.contract_end, building + 120), "rank": 1, "margin": value("lease_margin"),
        "relet": 0.5, "source": "tenant named in the tape; rent from the debt where not given",
        "grade": ASSUMED,
    })  # fmt: skip
    return {"tenant": loan.buyer, "interest_from_month": building}


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
        terms |= {"ltv_target": loan.ltv if "ltv" not in loan.assumed and loan.chips else whole["ltv_target"]}
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

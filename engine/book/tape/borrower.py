"""A borrower that only the tape has: its row from the size of its loans, contracts from its chips or site."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from engine.book.frames import Tables
from engine.book.parameters import Chips
from engine.book.tape.defaults import value
from engine.book.tape.entries import ASSUMED, Overlay, Row, loan_row, pledge
from engine.book.tape.positions import Position
from engine.vocabulary import HOURS


def of_new_borrower(overlay: Overlay, loans: Sequence[Position], firm: str, below: Tables) -> None:
    """A borrower that only the tape has, with its loans, chips and contracts."""
    earned = {loan.line: earnings(loan.chips, below) for loan in loans}
    paid = {loan.line: contract_part(loan, earned[loan.line][0]) for loan in loans}
    contracts: dict[str, float] = defaultdict(float)
    cash: dict[int, float] = {}
    ends: dict[str, int] = {}
    for loan in loans:
        (capacity, spot), annual = earned[loan.line], paid[loan.line]
        cover = value("cover") if loan.buyer else 0.0
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
        capacity, annual = earned[loan.line][0], paid[loan.line]
        cover = min(annual / capacity, 1.0) if capacity > 0.0 else 0.0
        row = loan_row(overlay, loan, firm, repaid, uncontracted=round(1.0 - cover, 4))
        if loan.kind.word == "project":
            row |= site(overlay, loan, firm)
        overlay.rows["loans"].append(row)
        pledge(overlay, loan)
        if loan.chips and contracts.get(loan.buyer):
            overlay.rows["security"].append({
                "loan": overlay.ids[loan.line], "contract": contract_id(firm, loan.buyer),
                "share": round(annual / contracts[loan.buyer], 6),
                "source": "off-taker named in the tape", "grade": ASSUMED,
            })  # fmt: skip


def earnings(chips: Mapping[str, float], below: Tables) -> tuple[float, float]:
    """(Capacity at normal utilisation, what it earns on the market), USD bn a year at today's rents."""
    table, hours = below["chips"], Chips().utilisation
    capacity = spot = 0.0
    columns = ("generation", "rental_usd_per_hour", "operating_cost_usd_per_hour")
    for generation, hourly, cost in zip(*(table[column] for column in columns), strict=True):
        if generation in chips:
            rent = HOURS * hours * hourly * chips[generation] / 1e3
            capacity += rent
            spot += max(rent - HOURS * cost * chips[generation] / 1e3, 0.0)
    return float(capacity), float(spot)


def contract_part(loan: Position, capacity: float) -> float:
    """What a loan's contract pays a year, USD bn."""
    if not loan.buyer or loan.contract_end < 1:
        return 0.0
    return value("cover") * capacity if loan.contract_annual is None else loan.contract_annual


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
    worst = max((each for each in loans if each.hazard), key=lambda each: each.hazard or 0.0, default=None)
    unrated = value("hazard_site" if kind == "project" else "hazard")
    core = bare / value("leverage")
    row = {
        "firm": firm, "name": loans[0].borrower, "kind": kind, "core_ebitda": core, "ebitda_ttm": core + cash,
        "cash": value("cash") * debt, "minimum_cash": value("cash") * debt,
        "sponsor_capacity": value("owner") * debt, "hazard": worst.hazard if worst else unrated,
        "rating": worst.rating if worst else "",
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
        "source": "off-taker named in the tape; size and end assumed where not given",
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

"""Lenders and the claims between them.

Capital absorbs losses first: a bank's CET1 above its requirement, 0.6 of an insurer's surplus, a fund's
equity. Funds are sized by their exposure: assets = exposure / AI share, of which the debt share is owed to
banks and insurers. Equity is the most that owners can lose: a bank's CET1, an insurer's surplus.
"""

from collections.abc import Iterable, Mapping

from experiments.shipped_book import behaviour, bust
from experiments.shipped_book.facts import Facts, Row
from experiments.shipped_book.sums import plain_sum

SLEEVE = (0.5, 0.5)
"""AI share and debt share of a diversified private-credit sleeve."""

VEHICLES = {
    "APO_SLEEVE": ("Apollo diversified sleeve", "PRIVATE_CREDIT", "APOLLO", *SLEEVE),
    "APO_AI": ("Apollo AI fund", "PRIVATE_CREDIT", "APOLLO", 0.9, 0.55),
    "BX_SLEEVE": ("Blackstone diversified sleeve", "PRIVATE_CREDIT", "BLACKSTONE", *SLEEVE),
    "BX_AI": ("Blackstone AI fund", "PRIVATE_CREDIT", "BLACKSTONE", 0.9, 0.55),
    "OWL_SLEEVE": ("Blue Owl diversified sleeve", "PRIVATE_CREDIT", "BLUE_OWL", *SLEEVE),
    "OWL_AI": ("Blue Owl digital infrastructure fund", "PRIVATE_CREDIT", "BLUE_OWL", 1.0, 0.6),
    "BAM_SLEEVE": ("Brookfield diversified sleeve", "PRIVATE_CREDIT", "BROOKFIELD", *SLEEVE),
    "BAM_AI": ("Brookfield AI infrastructure fund", "PRIVATE_CREDIT", "BROOKFIELD", 1.0, 0.55),
    "KKR_SLEEVE": ("KKR diversified sleeve", "PRIVATE_CREDIT", "KKR", *SLEEVE),
    "KKR_AI": ("KKR AI fund", "PRIVATE_CREDIT", "KKR", 0.85, 0.5),
    "ARES_SLEEVE": ("Ares diversified sleeve", "PRIVATE_CREDIT", "ARES", *SLEEVE),
    "ARES_AI": ("Ares AI fund", "PRIVATE_CREDIT", "ARES", 0.8, 0.55),
    "CG_SLEEVE": ("Carlyle diversified sleeve", "PRIVATE_CREDIT", "CARLYLE", *SLEEVE),
    "BLK_HPS": ("BlackRock HPS sleeve", "PRIVATE_CREDIT", "BLACKROCK", *SLEEVE),
    "MACQ_AI": ("Macquarie GPU fund", "PRIVATE_CREDIT", "MACQUARIE", 1.0, 0.6),
    "OTHER_PC_SLEEVE": ("Other managers' diversified sleeve", "PRIVATE_CREDIT", "OTHER_PC", *SLEEVE),
    "OTHER_PC_AI": ("Other managers' AI fund", "PRIVATE_CREDIT", "OTHER_PC", 0.85, 0.6),
    "MAGN_AI": ("Magnetar AI fund", "HEDGE_FUND", "MAGNETAR", 0.7, 0.5),
    "DIAM_AI": ("Diameter AI fund", "HEDGE_FUND", "DIAMETER", 0.7, 0.5),
    "COAT_AI": ("Coatue AI credit fund", "HEDGE_FUND", "COATUE", 0.7, 0.5),
}
"""Name, class, manager, AI share of assets, debt share of assets."""

DIVERSIFIED = {name for name, (*_, part, debt) in VEHICLES.items() if (part, debt) == SLEEVE}
"""Vehicles that investors may leave."""

LEAST_ASSETS = {"MAGN_AI": 6.0, "COAT_AI": 3.0, "CG_SLEEVE": 5.0, "BLK_HPS": 10.0}
"""Funds whose holdings are named without amounts: assets from their managers' size, USD bn."""

BANKS = {"JPM": "JPMorgan", "MUFG": "MUFG", "SMBC": "SMFG", "MS": "Morgan Stanley", "WFC": "Wells Fargo",
         "GS": "Goldman Sachs", "BAC": "Bank of America", "BNP": "BNP Paribas", "MIZ": "Mizuho"}  # fmt: skip
OTHER_US, OTHER_FOREIGN = 300.0, 200.0
"""Buffers of all US banks but JPMorgan and Morgan Stanley, of all foreign ones but MUFG and SMFG."""

SECTOR_MULTIPLE = 4.0
"""CET1 over the buffer above requirement of the other banks, as of the named ones; assumed."""

SURPLUS_SHARE = 0.6
"""Share of an insurer's surplus that absorbs losses of this book."""

INSURERS = {
    "ATH": ("Athene", "APOLLO", 18), "GA": ("Global Atlantic", "KKR", 16),
    "OTHER_PE_LIFE": ("Other PE-owned life insurers", "", 20), "MM": ("MassMutual", "", 22),
    "NYL": ("New York Life", "", 20), "OTHER_LIFE": ("Other US life insurers", "", 216),
}  # fmt: skip
"""Name, owner, 0.6 of surplus (54 PE-owned with Athene 18; 258 mutual and other)."""

UNLEVERED = {
    "US_PENSIONS": ("US pensions and endowments", "PENSION", "", 0.1),
    "CDPQ": ("CDPQ", "PENSION", "", 0.1),
    "PIMCO": ("PIMCO funds", "MUTUAL_FUND", "PIMCO", 0.2),
    "BLK_FUNDS": ("BlackRock bond funds and ETFs", "MUTUAL_FUND", "BLACKROCK", 0.2),
    "OTHER_FUNDS": ("Other mutual funds and retail vehicles", "MUTUAL_FUND", "", 0.2),
    "OTHER_HF": ("Other hedge funds", "HEDGE_FUND", "", 0.4),
    "OEM": ("Equipment makers", "VENDOR", "", 0.1),
    "FOREIGN": ("Foreign official and other holders", "FOREIGN", "", 0.2),
}
"""Name, class, manager, AI share of the sleeve that counts as capital."""

LENDING = {"PRIVATE_CREDIT": 0.30, "BANK": 0.25, "INSURER": 0.20, "MUTUAL_FUND": 0.15, "HEDGE_FUND": 0.05,
           "FOREIGN": 0.05}  # fmt: skip
"""Share of each class in new lending."""

RECOGNITION = {"PRIVATE_CREDIT": 6, "INSURER": 3, "PENSION": 3}
"""Months from loss to mark; one for other lenders."""


def lenders(facts: Facts, exposure: Mapping[str, float]) -> list[Row]:
    """Every lender. `exposure`: committed holdings by lender, USD bn."""
    rows = [*vehicles(exposure), *banks(facts), *insurers()]
    claims = claim_values(rows)
    rows += unlevered(exposure, claims)
    totals = {
        kind: plain_sum(exposure.get(r["lender"], 0) for r in rows if r["class"] == kind) for kind in LENDING
    }
    weights = {
        r["lender"]: LENDING[r["class"]] * exposure.get(r["lender"], 0) / totals[r["class"]]
        for r in rows
        if r["class"] in LENDING
    }
    from experiments.shipped_book.holdings import rounded

    weights = rounded(weights, 5)
    for row in rows:
        behaviour.behave(row, DIVERSIFIED)
        bust.suffer(facts, row, {kind: 1.0 - part for _, kind, _, part in UNLEVERED.values()})
        row["recognition_months"] = RECOGNITION.get(row["class"], 1)
        row["lending_weight"] = weights.get(row["lender"], 0)
    return rows


def vehicles(exposure: Mapping[str, float]) -> list[Row]:
    """Funds, sized by their exposure."""
    out = []
    for lender, (name, kind, manager, part, debt) in VEHICLES.items():
        assets = max(exposure[lender] / part, LEAST_ASSETS.get(lender, 0.0))
        out.append(
            {"lender": lender, "name": name, "class": kind, "vehicle": 1, "manager": manager,
             "capital": round((1 - debt) * assets + 0.001, 3), "debt": round(debt * assets + 0.001, 3),
             "other_assets": round(assets - exposure[lender], 3),
             "source": f"assumed: exposure up to {part:.0%} of assets, debt {debt:.0%}", "grade": "C"}
        )  # fmt: skip
    return out


def buffer(facts: Facts, bank: str) -> float:
    """CET1 above requirement: (ratio - requirement) x risk-weighted assets."""
    ratio = facts.lender(bank, "cet1_ratio")
    return (ratio - facts.lender(bank, "cet1_requirement")) * facts.lender(bank, "cet1_capital") / ratio


def banks(facts: Facts) -> list[Row]:
    """Named banks, and the rest of the sector in two rows."""

    def row(lender: str, name: str, capital: float, equity: float, source: str, grade: str) -> Row:
        return {"lender": lender, "name": name, "class": "BANK", "capital": round(capital, 1),
                "equity": round(equity, 1), "source": source, "grade": grade}  # fmt: skip

    equity = {bank: facts.lender(bank, "cet1_capital") for bank in BANKS}
    buffers = {bank: buffer(facts, bank) for bank in BANKS}
    grades = {"JPM": "A", **dict.fromkeys(("MS", "WFC", "GS", "BAC"), "B")}
    source = "CET1 ratio less requirement, times risk-weighted assets (company reports Q3-2025)"
    rows = [
        row(bank, name, buffers[bank], equity[bank], source, grades.get(bank, "C"))
        for bank, name in BANKS.items()
    ]
    american = OTHER_US - plain_sum(buffers[bank] for bank in ("WFC", "GS", "BAC"))
    foreign = OTHER_FOREIGN - plain_sum(buffers[bank] for bank in ("BNP", "MIZ"))
    residual = "sector buffer assumed, less the named banks"
    return [
        *rows,
        row("OTHER_US_BANKS", "Other US banks", american, american * SECTOR_MULTIPLE, residual, "C"),
        row("OTHER_FOREIGN_BANKS", "Other foreign banks", foreign, foreign * SECTOR_MULTIPLE, residual, "C"),
    ]


def insurers() -> list[Row]:
    """Life insurers, with 0.6 of their surplus as capital."""
    return [
        {"lender": lender, "name": name, "class": "INSURER", "manager": owner, "capital": capital,
         "equity": round(capital / SURPLUS_SHARE, 1),
         "source": "0.6 of surplus; sector 520 (NAIC 2024), split assumed", "grade": "C"}
        for lender, (name, owner, capital) in INSURERS.items()
    ]  # fmt: skip


def unlevered(exposure: Mapping[str, float], claims: Mapping[str, float]) -> list[Row]:
    """Unlevered holders: capital is a sleeve, exposure and claims over the AI share."""
    return [
        {"lender": lender, "name": name, "class": kind, "manager": manager,
         "capital": round((exposure.get(lender, 0) + claims.get(lender, 0)) / part, 1),
         "source": f"assumed: exposure and claims are {part:.0%} of the sleeve", "grade": "C"}
        for lender, (name, kind, manager, part) in UNLEVERED.items()
    ]  # fmt: skip


def owners(lender: str) -> dict[str, float]:
    """Owners of a vehicle: pensions 40%, foreign 15%, mutual insurers 15%, PE-owned 8%, retail the rest."""
    if VEHICLES[lender][1] == "HEDGE_FUND":
        return {"US_PENSIONS": 0.5, "FOREIGN": 0.2, "OTHER_FUNDS": 0.3}
    manager = VEHICLES[lender][2]
    stakes = {"US_PENSIONS": 0.36, "CDPQ": 0.04, "FOREIGN": 0.15, "OTHER_LIFE": 0.09, "MM": 0.03, "NYL": 0.03,
              "OTHER_PE_LIFE": 0.08, "OTHER_FUNDS": 0.22}  # fmt: skip
    affiliate = {"APOLLO": ("ATH", 0.25), "KKR": ("GA", 0.12), "BROOKFIELD": ("OTHER_PE_LIFE", 0.18)}.get(
        manager
    )
    if affiliate:
        name, share = affiliate
        others = plain_sum(part for owner, part in stakes.items() if owner != name)
        stakes = {owner: part * (1 - share) / others for owner, part in stakes.items() if owner != name}
        stakes[name] = share
    return stakes


def creditors(lender: str) -> dict[str, float]:
    """Creditors of a vehicle: banks on a line, for AI funds three or four holders."""
    if VEHICLES[lender][3:] == SLEEVE:
        return {"JPM": 0.17, "WFC": 0.12, "BAC": 0.10, "GS": 0.08, "MS": 0.06, "MUFG": 0.07, "SMBC": 0.05,
                "MIZ": 0.04, "BNP": 0.05, "OTHER_US_BANKS": 0.16, "OTHER_FOREIGN_BANKS": 0.10}  # fmt: skip
    lines = {
        "APO_AI": ("JPM", "MUFG", "BNP", "ATH"), "BX_AI": ("JPM", "WFC", "SMBC", "OTHER_LIFE"),
        "OWL_AI": ("MS", "MUFG", "SMBC", "OTHER_PE_LIFE"), "BAM_AI": ("MIZ", "BAC", "OTHER_FOREIGN_BANKS",
                                                                      "OTHER_PE_LIFE"),
        "KKR_AI": ("WFC", "MIZ", "GS", "GA"), "ARES_AI": ("BAC", "WFC", "OTHER_US_BANKS", "NYL"),
        "MACQ_AI": ("OTHER_FOREIGN_BANKS", "MUFG", "SMBC", "OTHER_LIFE"),
        "OTHER_PC_AI": ("OTHER_US_BANKS", "GS", "BAC", "MM"), "MAGN_AI": ("GS", "MS", "JPM", "OTHER_LIFE"),
        "DIAM_AI": ("MS", "GS", "BNP", "OTHER_LIFE"), "COAT_AI": ("GS", "JPM", "BAC", "OTHER_LIFE"),
    }  # fmt: skip
    return dict(zip(lines[lender], (0.4, 0.25, 0.15, 0.2), strict=True))


def interlender() -> list[Row]:
    """Claims on vehicles; amounts follow the vehicles' debt and capital."""
    from experiments.shipped_book.holdings import rounded

    sources = {
        "debt": ("bank lines of 95-525 bn to private credit (Fed, Moody's); names and split assumed", "C"),
        "equity": ("pensions 40% of private-credit capital (Preqin, IMF); rest and affiliates assumed", "C"),
    }
    out = []
    for vehicle in VEHICLES:
        for kind, shares in (("debt", creditors(vehicle)), ("equity", owners(vehicle))):
            source, grade = sources[kind]
            out += [
                {
                    "lender": lender,
                    "vehicle": vehicle,
                    "kind": kind,
                    "share": share,
                    "source": source,
                    "grade": grade,
                }
                for lender, share in rounded(shares).items()
            ]
    return out


def claim_values(vehicle_rows: Iterable[Row]) -> dict[str, float]:
    """Value of each lender's claims on vehicles."""
    rows = {row["lender"]: row for row in vehicle_rows}
    values: dict[str, float] = {}
    for claim in interlender():
        amount = rows[claim["vehicle"]]["debt" if claim["kind"] == "debt" else "capital"]
        values[claim["lender"]] = values.get(claim["lender"], 0) + claim["share"] * amount
    return values

"""Final bearers of losses, and the incidence of each lender's loss on them."""

from collections.abc import Iterable

from experiments.shipped_book.facts import Row

BEARERS = (
    ("POLICYHOLDERS", "Life insurance policyholders", 10650,
     "life insurers' assets 11,172 (Fed FSR May 2026) less surplus 520", "B"),
    ("INSURER_SHAREHOLDERS", "Insurance shareholders", 360, "0.7 of surplus 520 (NAIC 2024), assumed", "C"),
    ("PENSIONERS", "Members of pension plans", 9900, "funded DB plans, Fed Z.1 2025 (approx.)", "C"),
    ("RETIREMENT_SAVERS", "401(k) and IRA savers", 31000,
     "DC plans 13.0 tn and IRAs 18.0 tn, ICI 2025Q2", "B"),
    ("ENDOWMENTS", "Endowments", 874, "NACUBO study, fiscal 2024", "B"),
    ("BANK_SHAREHOLDERS", "Bank shareholders", 2400, "equity of US banks (FDIC QBP 2025, approx.)", "B"),
    ("HEDGE_FUND_INVESTORS", "Hedge-fund investors", 4980, "HFR 2025Q3", "B"),
    ("FUND_INVESTORS", "Fund investors outside retirement plans", 12760,
     "0.54 of mutual funds' 23,635 (Fed FSR May 2026; retirement share ICI)", "C"),
    ("VENDORS", "Equipment makers' shareholders", 150, "market value, assumed", "C"),
    ("TAXPAYERS", "Taxpayers", 5200, "federal receipts of fiscal 2025 (CBO)", "B"),
    ("FOREIGN_HOLDERS", "Foreign holders", 30900, "foreign holdings of US securities, TIC June 2024", "B"),
)  # fmt: skip
"""Short name, full name, wealth (USD bn), source, grade."""

GUARANTY = {"POLICYHOLDERS": 0.7, "TAXPAYERS": 0.3}
"""Beyond an insurer's surplus: policyholders above the guaranty funds' caps, and premium-tax credits."""

STOCK = {"INSURER_SHAREHOLDERS": 1.0}
OWNERS = {"FUND_INVESTORS": 1.0}
RETAIL = {"RETIREMENT_SAVERS": 0.46, "FUND_INVESTORS": 0.54}
PLANS = {"PENSIONERS": 0.45, "TAXPAYERS": 0.4, "ENDOWMENTS": 0.15}
HEDGE = {"HEDGE_FUND_INVESTORS": 1.0}

BY_CLASS = {
    "BANK": ({"BANK_SHAREHOLDERS": 1.0}, {"TAXPAYERS": 1.0}),
    "INSURER": (STOCK, GUARANTY),
    "PENSION": (PLANS, PLANS),
    "MUTUAL_FUND": (RETAIL, RETAIL),
    "HEDGE_FUND": (HEDGE, HEDGE),
    "PRIVATE_CREDIT": (OWNERS, OWNERS),
    "VENDOR": ({"VENDORS": 1.0}, {"VENDORS": 1.0}),
    "FOREIGN": ({"FOREIGN_HOLDERS": 1.0}, {"FOREIGN_HOLDERS": 1.0}),
}
"""Incidence of losses up to equity, and beyond it. Public plans' sponsors are taxpayers."""

ABROAD = ({"BANK_SHAREHOLDERS": 1.0}, {"FOREIGN_HOLDERS": 1.0})
MUTUAL = ({"POLICYHOLDERS": 1.0}, GUARANTY)
BY_LENDER = {
    **dict.fromkeys(("MUFG", "SMBC", "MIZ", "BNP", "OTHER_FOREIGN_BANKS"), ABROAD),
    **dict.fromkeys(("MM", "NYL"), MUTUAL),
    "OTHER_LIFE": ({"INSURER_SHAREHOLDERS": 0.65, "POLICYHOLDERS": 0.35}, GUARANTY),
    "CDPQ": ({"PENSIONERS": 1.0}, {"PENSIONERS": 1.0}),
}
"""Mutual insurers belong to their policyholders; foreign banks have other taxpayers."""


def bearers() -> list[Row]:
    """Every row of the bearers table."""
    columns = ("bearer", "name", "wealth", "source", "grade")
    return [dict(zip(columns, row, strict=True)) for row in BEARERS]


def incidence(lenders: Iterable[Row]) -> list[Row]:
    """Rows for each lender and layer."""
    return [
        {"lender": row["lender"], "bearer": bearer, "layer": layer, "share": share,
         "source": "by the lender's legal form; shares assumed", "grade": "C"}
        for row in lenders
        for layer, shares in zip(
            ("first", "rest"), BY_LENDER.get(row["lender"], BY_CLASS[row["class"]]), strict=True
        )
        for bearer, share in shares.items()
    ]  # fmt: skip

"""Lenders under stress: limits, credit lines, withdrawals, sales of marketable paper.

One form of schedule serves all lenders: beyond its limit a lender sells, and its investors withdraw as losses
appear, up to a gate.
"""

from collections.abc import Container

from experiments.shipped_book.facts import Row

COVERAGE = 1.5
"""Assets over debt of a business development company (Investment Company Act of 1940)."""

MARGIN = 1.6
"""Assets over debt at which a hedge fund's lenders call margin; assumed."""

OPEN_SHARE = (203 + 78) / 1340
"""Perpetual and non-traded funds (LSTA, 2024Q4) over US private credit (Federal Reserve, 2024Q2)."""

UNDRAWN = 0.4
"""Line still undrawn over debt drawn, of diversified and hedge funds; assumed (79 of 95 bn are revolvers)."""

SCHEDULES: dict[str, Row] = {
    "BANK": {"limit_start": 0.5, "limit_slope": 0.5, "mark_weight": 0.2},
    "INSURER": {"limit_start": 0.3, "limit_slope": 1, "withdrawal_start": 0.5, "withdrawal_slope": 1,
                "gate": 0.02, "mark_weight": 0.35},
    "MUTUAL_FUND": {"withdrawal_slope": 1, "mark_weight": 1},
    "HEDGE_FUND": {"limit_start": 0.1, "limit_slope": 2, "withdrawal_slope": 1, "gate": 0.083,
                   "mark_weight": 1},
}  # fmt: skip
"""Banks shrink after losing half their buffer. Insurers sell after losing three tenths of theirs to capital
charges of downgraded bonds (a price fall of ten points is about a downgrade, which costs 3.5 points of
charge), and see surrenders from a half. Fund investors withdraw a percent for each percent lost (Goldstein,
Jiang and Ng 2017 find 0.5 to 1); hedge funds gate a quarter of capital a quarter."""

BUYERS = {"US_PENSIONS": 0.5, "CDPQ": 0.05, "FOREIGN": 0.45}
"""Patient capital that buys what others must sell."""


def behave(row: Row, diversified: Container[str]) -> None:
    """Add the conduct under stress to a lender's row; `diversified` are vehicles open to redemptions."""
    if row.get("vehicle"):
        hedge = row["class"] == "HEDGE_FUND"
        row["asset_coverage"] = MARGIN if hedge else COVERAGE
        row["mark_weight"] = 1 if hedge else 0
        if hedge or row["lender"] in diversified:
            row["line"] = round(UNDRAWN * row["debt"], 3)
            row["withdrawal_slope"] = 1
            row["gate"] = 0.083 if hedge else round(0.05 / 3 * OPEN_SHARE, 4)
    else:
        row |= SCHEDULES.get(row["class"], {})
    row["source"] += "; conduct of its class"
    if row["lender"] in BUYERS:
        row["buyer_weight"] = BUYERS[row["lender"]]


def paper() -> list[Row]:
    """Marketable classes: spread and its duration; selling a whole class divides its price by e."""
    rows = [
        ("IG_TECH", 0.0079, 8.0, 191, "US investment-grade spread, ICE BofA Dec-2025", "B"),
        ("HY_CONV", 0.045, 3.5, 24.6, "between US high yield (290 bp) and CoreWeave's CDS (643 bp)", "C"),
        ("HYPERION", 0.0225, 9.0, 27.3, "spread OUCHYI Oct-2025", "A"),
        ("ABS", 0.017, 4.5, 33, "level judged from a BofA note", "C"),
        ("CMBS", 0.02, 5.0, 15, "assumed above ABS", "C"),
    ]
    return [
        {"class": kind, "spread": spread, "duration": duration, "depth": depth,
         "source": f"{source}; duration and depth (= class outstanding) assumed", "grade": grade}
        for kind, spread, duration, depth, source, grade in rows
    ]  # fmt: skip

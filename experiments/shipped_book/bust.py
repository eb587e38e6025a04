"""Lenders outside this book: how their capital grows, and what a bust takes from it elsewhere.

Shares of capital per unit of what the model moves: log fall of the AI complex's equity, rise of the spread
index above one, and a year of bust. All as the lender's accounts show it. Each is a published stress
or the record of 2008 over the same measure of severity.
"""

from collections.abc import Mapping

from experiments.shipped_book.facts import Facts, Row

TEST_YEARS = 9 / 4
"""Horizon of the Federal Reserve's stress test, taken as one long bust."""

BANK_LOSS = 0.028
"""Of risk-weighted assets: CET1 of 31 banks falls from 12.7 to 9.9% (Federal Reserve, June 2024)."""

SECTOR_RATIO = 0.127
"""Their CET1 ratio before the test: risk-weighted assets of banks whose own are not in the facts."""

FUND_LOSS = (6.91 + 2.96 + 1.78) / 100 - 3 * 0.0105
"""Of direct loans: credit losses of 2009 to 2011 above the mean of 1.05% a year (Cliffwater index)."""

INSURER_LOSS = 0.4
"""Of own funds: assets over liabilities fall from 110 to 106% (EIOPA stress test, 2021); the spread index is
taken to double."""

INSURER_MARK = 0.35
"""Of a fall in prices that shows in statutory surplus, as of marketable paper."""

MARKET = 0.67 / 1.51
"""Log fall of the S&P 500 over that of the Nasdaq, 2000 to 2002 (49 and 78%)."""

HEDGE = 0.21 / 0.46
"""Log fall of hedge funds over that of the S&P 500 in 2008 (19 and 37%)."""

EQUITIES = 0.5
"""Share of equities in pension plans and reserves of foreign holders; assumed."""

BOND_SPREAD = 0.11
"""Price lost where spreads double: spread x duration, between investment grade 0.06 and high yield 0.16."""

GROWTH = {"PRIVATE_CREDIT": 0.11, "BANK": 0.05, "INSURER": 0.04, "PENSION": 0.05, "MUTUAL_FUND": 0.05,
          "HEDGE_FUND": 0.06, "FOREIGN": 0.06, "VENDOR": 0.05}  # fmt: skip
"""A year: US private credit fivefold since 2009 (Federal Reserve note of May 2025), a bank's return on equity
of 12% less a payout of six tenths, surplus of life insurers 2014 to 2024, others assumed."""


APPETITE = {"BANK": 8, "INSURER": 4, "MUTUAL_FUND": 4, "PRIVATE_CREDIT": 3, "HEDGE_FUND": 4, "FOREIGN": 8,
            "PENSION": 8, "VENDOR": 4}  # fmt: skip
"""Most exposure over today's, for capital of today. Assumed limits on one sector: a third of banks' CET1
(this book is 3.4% of it), a tenth of what insurers and bond funds invest (2.3 and 1.8%), a third of private
credit (about 12% now; a third of the deals of 2025)."""


def suffer(facts: Facts, row: Row, elsewhere: Mapping[str, float]) -> None:
    """Add growth of capital and losses elsewhere to a lender's row.

    `elsewhere`: share of an unlevered lender's capital outside this book; a vehicle's is its other_assets.
    """
    kind, capital = row["class"], row["capital"]
    outside = row.get("other_assets", 0.0) / capital if row.get("vehicle") else elsewhere.get(kind, 0.0)
    row["capital_growth"], row["appetite"] = GROWTH[kind], APPETITE[kind]
    per_year = 1.0 / TEST_YEARS
    if kind == "BANK":
        row["bust_credit"] = round(BANK_LOSS * per_year * risk_weighted(facts, row) / capital, 3)
    elif kind == "PRIVATE_CREDIT":
        row["bust_credit"] = round(FUND_LOSS * per_year * outside, 4)
    elif kind == "INSURER":
        row["bust_spread"] = round(INSURER_MARK * INSURER_LOSS * row["equity"] / capital, 3)
    elif kind == "MUTUAL_FUND":
        row["bust_spread"] = round(BOND_SPREAD * outside, 3)
    elif kind == "HEDGE_FUND":
        row["bust_equity"] = round(HEDGE * MARKET * outside, 3)
    elif kind in ("PENSION", "FOREIGN"):
        row["bust_equity"] = round(EQUITIES * MARKET * outside, 3)
    if kind != "PRIVATE_CREDIT" and row.get("vehicle"):
        row["bust_credit"] = 0
    row["source"] += "; losses elsewhere from stress tests of its class"


def risk_weighted(facts: Facts, row: Row) -> float:
    """A bank's risk-weighted assets, USD bn: CET1 over its ratio, the sector's where the facts have none."""
    try:
        return row["equity"] / facts.lender(row["lender"], "cet1_ratio")
    except KeyError:
        return row["equity"] / SECTOR_RATIO

"""Market levels at month 0 and observed series, for checks and plots."""

import re
from typing import Any

from experiments.shipped_book.facts import Facts, Row, only
from experiments.shipped_book.sums import plain_sum

SERIES = {
    ("AI_SECTOR", "revenue_direct"): "AI_REVENUE",
    ("OpenAI", "revenue"): "OPENAI_REVENUE",
    ("OpenAI", "revenue_mgmt"): "OPENAI_REVENUE",
    ("OpenAI", "arr"): "OPENAI_RUN_RATE",
    ("Anthropic", "revenue"): "ANTHROPIC_REVENUE",
    ("Anthropic", "arr"): "ANTHROPIC_RUN_RATE",
    ("CoreWeave", "revenue"): "COREWEAVE_REVENUE",
    ("Top5", "capex_total"): "TOP5_CAPEX",
}
YEARS = ("2022", "2023", "2024", "2025")
RENTALS = ("H100", "A100-80GB", "H200", "B200", "GB200")
FOUR = ("Amazon", "Microsoft", "Alphabet", "Meta")
QUOTES = {
    ("CoreWeave", "cds_5y_bps"): ("COREWEAVE_CDS_5Y", "bp", 1.0),
    ("Oracle", "cds_5y_bps"): ("ORACLE_CDS_5Y", "bp", 1.0),
    ("CoreWeave DDTL", "new_money_spread_bps"): ("COREWEAVE_LOAN_MARGIN", "bp", 1.0),
    ("CoreWeave", "ipo_price"): ("COREWEAVE_SHARE", "USD", 1.0),
    ("CoreWeave", "share_price"): ("COREWEAVE_SHARE", "USD", 1.0),
    ("SOFR", "rate_pct"): ("SOFR", "1/yr", 0.01),
}
"""Series, unit and scale of the market's quotes; without peaks: a greatest value is none of a date."""
JUNK_PART = "1300"
"""Margin of the part of a loan that other customers' contracts secure; the series has the other part."""
FISCAL_YEARS = {"FY2023(Jan23)": "2022", "FY2024(Jan24)": "2023", "FY2025(Jan25)": "2024"}
"""Years to January, by the calendar year that ends a month sooner."""


def short(source: str) -> str:
    """Host name of a web address; other sources without their web addresses."""
    if source.startswith("http"):
        return source.split("//")[1].split("/")[0]
    return re.sub(r" (at )?\(?https?://\S*( \S*\))?", "", source)


def market() -> list[Row]:
    """Levels at the end of 2025."""
    rows = (
        ("SOFR", 0.037, "1/yr", "NY Fed Dec-2025", "B"),
        ("UST10", 0.0415, "1/yr", "US Treasury Dec-2025", "B"),
        ("US_IG_OAS", 79, "bp", "ICE BofA Dec-2025 (approx.)", "B"),
        ("US_HY_OAS", 290, "bp", "ICE BofA Dec-2025 (approx.)", "B"),
        ("ORCL_CDS_5Y", 151, "bp", "OUCNYI Dec-2025", "A"),
        ("CRWV_CDS_5Y", 643, "bp", "Bloomberg via Parameter, 5-Dec-2025", "A"),
        ("CRWV_CDS_5Y_PEAK", 881, "bp", "Let's Data Science Dec-2025", "A"),
        ("CRWV_SHARE", 86.24, "USD", "Parameter, 8-Dec-2025", "A"),
        ("HYPERION_SPREAD", 225, "bp", "OUCHYI Oct-2025", "A"),
        ("VANTAGE_MARGIN", 250, "bp", "MEXC Oct-2025", "A"),
        ("WULF_SPREAD", 360, "bp", "yield 7.75% (AiCoin Oct-2025) over UST10", "B"),
        ("APLD_SPREAD", 585, "bp", "yield 10.0% (Let's Data Science Nov-2025) over UST10", "B"),
        ("DIRECT_LENDING_SPREAD", 500, "bp", "KBRA Q2-2025", "A"),
        ("GPU_LOAN_ALL_IN", 0.105, "1/yr", "Reportify Jul-2025", "A"),
        ("ABS_A_SPREAD", 170, "bp", "level judged from a BofA note", "C"),
        ("H100_RENT", 2.1, "USD/h", "marketplace indices, interpolated", "C"),
        ("GPU_LOAN_STOCK", 20, "USD bn", "lbkrs.com Jul-2025 (over 20)", "A"),
        ("AI_DEBT_2028", 1500, "USD bn", "Morgan Stanley via the article", "A"),
        ("AI_REVENUE_2025", 60, "USD bn/yr", "Exponential View Oct-2025", "A"),
        ("DATACENTRE_CAPEX_2025", 400, "USD bn/yr", "Exponential View Oct-2025", "A"),
    )
    return [dict(zip(("name", "value", "unit", "source", "grade"), row, strict=True)) for row in rows]


def history(facts: Facts) -> list[Row]:
    """Revenue, capex, rents, spreads, equity values and debt, as far as they were observed more than once."""
    rows = []
    for row in facts.read("revenue_history"):
        series = SERIES.get((row["entity"], row["metric"]))
        dated = row["period"] in YEARS or row["metric"] == "arr"
        if series and dated and row["src_kind"] != "seed":
            rows.append((row["period"], series, row["value"], "USD bn/yr", row["source"], row["confidence"]))
    for row in facts.read("capex_history"):
        series = SERIES.get((row["company"], row["metric"]))
        if series and row["period"] in YEARS:
            rows.append((row["period"], series, row["value"], "USD bn/yr", row["source"], row["confidence"]))
    for row in facts.read("chip_rental_history"):
        if row["chip"] in RENTALS and "Q" in row["quarter"][4:5] and row["price_mid_usd_hr"]:
            name = f"RENT_{row['chip'].partition('-')[0]}"
            rows.append(
                (row["quarter"], name, row["price_mid_usd_hr"], "USD/h", row["source"], row["confidence"])
            )
    rows += [*capex(facts), *chips_sold(facts), *quotes(facts), *debt(facts)]
    columns = ("date", "series", "value", "unit", "source", "grade")
    return [dict(zip(columns, (*row[:4], short(row[4]), row[5]), strict=True)) for row in rows]


def capex(facts: Facts) -> list[tuple[Any, ...]]:
    """Capex of the four companies that one source has for three years."""
    rows = facts.read("capex_history")
    own = [row for row in rows if row["company"] in FOUR and row["basis"] == "calendar-year approx"]
    source = f"{short(own[0]['source'])}: Amazon, Microsoft, Alphabet, Meta; third party's compilation"
    totals = {
        year: plain_sum(float(row["value"]) for row in own if row["period"] == year)
        for year in sorted({row["period"] for row in own})
    }
    return [(year, "TOP4_CAPEX", round(total, 1), "USD bn/yr", source, "B") for year, total in totals.items()]


def chips_sold(facts: Facts) -> list[tuple[Any, ...]]:
    """Nvidia's data-centre revenue: years to January, and a quarter times four."""
    rows = [row for row in facts.read("revenue_history") if row["metric"] == "datacentre_revenue"]
    name, series = "NVIDIA_DATACENTRE_REVENUE", []
    for row in rows:
        source = f"{row['source']}, {row['period']}"
        if row["period"] in FISCAL_YEARS:
            date, value = FISCAL_YEARS[row["period"]], float(row["value"])
        else:
            date, value = "2025Q3", 4.0 * float(row["value"])
            source = f"{short(row['source'])}, quarter to October 2025 times four"
        series.append((date, name, value, "USD bn/yr", source, row["confidence"]))
    return series


def quotes(facts: Facts) -> list[tuple[Any, ...]]:
    """Dated quotes of the market, a list price of rent, and the valuation of a lab."""
    rows: list[tuple[Any, ...]] = []
    for row in facts.read("market_spreads"):
        named = QUOTES.get((row["name"], row["measure"]))
        if named and row["value"] != JUNK_PART:
            series, unit, scale = named
            value = round(scale * float(row["value"]), 6) if scale != 1.0 else row["value"]
            rows.append((row["date"], series, value, unit, row["source"], row["confidence"]))
        if row["measure"] == "valuation":
            source = f"{row['source'].split(';')[0]} (round)"
            rows += [
                ("2025-09", "ANTHROPIC_VALUATION", 183, "USD bn", source, row["confidence"]),
                (row["date"], "ANTHROPIC_VALUATION", row["value"], "USD bn", source, row["confidence"]),
            ]
    for row in facts.read("chip_rental_history"):
        if row["chip"] == "H100-AWS":
            source = f"{short(row['source'])} (list price)"
            rows.append(
                (row["quarter"], "AWS_H100", row["price_mid_usd_hr"], "USD/GPU-h", source, row["confidence"])
            )
    return sorted(rows, key=lambda row: (row[1], row[0]))


def debt(facts: Facts) -> list[tuple[Any, ...]]:
    """CoreWeave's debt and the stock of loans against chips."""
    rows: list[tuple[Any, ...]] = [
        (row["as_of"], "COREWEAVE_DEBT", row["value"], "USD bn", row["source"], row["confidence"])
        for row in facts.read("borrowers")
        if row["borrower_id"] == "CRWV" and row["attribute"] == "total_debt"
    ]
    stock = only(facts.read("loans"), loan_id="L82")
    rows += [
        ("2024-11", "GPU_LOAN_STOCK", 11, "USD bn", stock["source"], "A"),
        ("2025-07", "GPU_LOAN_STOCK", stock["drawn_usd_bn"], "USD bn", stock["source"], "A"),
    ]
    return sorted(rows, key=lambda row: (row[1], row[0]))

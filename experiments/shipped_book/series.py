"""Market levels at month 0 and observed series, for checks and plots."""

import re

from experiments.shipped_book.facts import Facts, Row

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
    """Yearly revenue and capex, quarterly rents."""
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
    columns = ("date", "series", "value", "unit", "source", "grade")
    return [dict(zip(columns, (*row[:4], short(row[4]), row[5]), strict=True)) for row in rows]

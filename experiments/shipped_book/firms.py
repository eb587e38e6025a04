"""Named firms: labs, clouds, hosts, hyperscalers, vendors and project companies.

Grade of a row: that of its weakest figure that moves the result (EBITDA, cash, market value); hazards and
multiples are assumptions throughout and do not set it.
"""

from collections.abc import Sequence
from typing import Any

from experiments.shipped_book.facts import Facts, Row

CAPEX = tuple(f"capex_{year}" for year in range(1, 6))


def firm(
    name_id: str, name: str, kind: str, source: str, grade: str, capex: Sequence[float] = (), **values: Any
) -> Row:
    """One row; `capex` from year 1, 2026, on, USD bn a year."""
    plan = dict(zip(CAPEX, capex, strict=False))
    return {"firm": name_id, "name": name, "kind": kind, **plan, **values, "source": source, "grade": grade}


def named_firms(facts: Facts) -> list[Row]:
    """Every firm with a name."""
    return [*labs(), *neoclouds(facts), *hosts(), *hyperscalers(), *vendors(facts), *projects()]


def labs() -> list[Row]:
    """Revenue shares are of the 60 bn of direct AI revenue in 2025."""
    common: Row = {"value_multiple": 0.1, "equity_capex_share": 0}
    return [
        firm("OAI", "OpenAI", "lab", "revenue 13 (management, Business Times Nov-2025; the article says 10); "
             "value 500 (press Oct-2025); cost and cash assumed", "C", revenue_share=0.216667, fixed_cost=6,
             cash=25, minimum_cash=2, equity_value=500, hazard=0.005, **common),
        firm("ANTH", "Anthropic", "lab", "run-rate 4-5 mid-2025 (wheresyoured.at), 4.7 taken for the year; "
             "value 350 (press Nov-2025); cost and cash assumed", "C", revenue_share=0.078333, fixed_cost=2.2,
             cash=12, minimum_cash=1, equity_value=350, hazard=0.005, **common),
        firm("XAI", "xAI", "lab", "burn 1 a month (Particle News Oct-2025); revenue 0.6, value 200, owner's "
             "support 6 a year assumed", "C", revenue_share=0.01, fixed_cost=3.5, cash=10, minimum_cash=1,
             equity_value=200, sponsor_capacity=6, hazard=0.01, rating="B-", **common),
    ]  # fmt: skip


def neoclouds(facts: Facts) -> list[Row]:
    """Clouds that rent out chips; debt is sized to EBITDA."""

    def cloud(name_id: str, name: str, source: str, grade: str = "C", **values: Any) -> Row:
        common: Row = {
            "core_stress_beta": 1,
            "debt_multiple": 4.5,
            "asset_multiple": 7,
            "equity_capex_share": 0.2,
        }
        return firm(name_id, name, "neocloud", source, grade, **{**common, **values})

    trailing = round(
        facts.borrower("CRWV", "revenue_2025") * facts.borrower("CRWV", "adj_ebitda_margin_2025Q3"), 2
    )
    value = round(facts.borrower("CRWV", "share_price") * 0.487, 1)
    return [
        cloud("CRWV", "CoreWeave", "EBITDA = revenue 5.13 x margin 0.61 (10-K via Bakshi, Q3 release); "
              "market value = 86.24 USD x 487m shares; capex plan and cash assumed", ebitda_ttm=trailing,
              cash=3, minimum_cash=1.5, equity_value=value, debt_multiple=5.5, hazard=0.009,
              capex=(20, 9, 2.5, 2.5, 2.5), rating="B+",
              capex_contract="META_CRWV_FURTHER", growth_loan="CRWV_NEW", revolver="CRWV_RCF", cds_bps=643,
              equity_capex_share=0.25),
        cloud("LAMB", "Lambda", "revenue 0.52 (press estimate), margin 0.35; equity raised 1.5 (Lambda "
              "release Nov-2025); rest assumed", core_ebitda=0.10, ebitda_ttm=0.18, cash=1, minimum_cash=0.1,
              equity_value=5, hazard=0.02, capex=(0.8, 0.5, 0.1, 0.1, 0.1), equity_capex_share=0.6,
              rating="B"),
        cloud("CRUS", "Crusoe", "valuation 10 (Series E press); revenue 0.5, margin 0.3 assumed",
              core_ebitda=0.12, ebitda_ttm=0.15, cash=1, minimum_cash=0.1, equity_value=10, hazard=0.02,
              capex=(0.5, 0.3, 0.1, 0.1, 0.1), equity_capex_share=0.7, rating="B"),
        cloud("NBIS", "Nebius", "converts 3.75 and backlog 17.4-19.4 (Nebius releases 2025); rest assumed",
              core_ebitda=0.2, ebitda_ttm=0.06, cash=3, minimum_cash=0.3, equity_value=22, hazard=0.015,
              capex=(6, 4, 0.5, 0.3, 0.3), capex_contract="MSFT_NBIS", growth_loan="NBIS_NEW",
              equity_capex_share=0.25, rating="B+"),
        cloud("NSCL", "Nscale", "equity raised 1.53 (City AM); loan 1.4; rest assumed", core_ebitda=0.03,
              ebitda_ttm=0.02, cash=0.8, minimum_cash=0.1, equity_value=5, hazard=0.022,
              capex=(3, 3.5, 0.3, 0.2, 0.2),
              capex_contract="MSFT_NSCL", growth_loan="NSCL_NEW", equity_capex_share=0.3, rating="B"),
        cloud("FLUI", "Fluidstack", "revenue forecast above 0.4 (press Jul-2025), margin 0.2; rest assumed",
              core_ebitda=0.08, ebitda_ttm=0.08, cash=0.5, minimum_cash=0.1, equity_value=5, hazard=0.026,
              capex=(2.5, 1.5, 0.2, 0.2, 0.2), capex_contract="ANTH_FLUI", growth_loan="FLUI_NEW",
              equity_capex_share=0.3, rating="B-"),
        cloud("IREN", "IREN", "converts 3.3 and the Microsoft contract (IREN releases 2025); mining EBITDA "
              "and market value assumed", core_ebitda=0.4, core_stress_beta=0.3, ebitda_ttm=0.44, cash=1,
              minimum_cash=0.1, equity_value=12, hazard=0.015, capex=(4, 1.5, 0.2, 0.2, 0.2),
              capex_contract="MSFT_IREN", growth_loan="IREN_NEW", equity_capex_share=0.3, rating="B+"),
    ]  # fmt: skip


def hosts() -> list[Row]:
    """Former miners that lease halls; debt is sized to rent."""

    def host(name_id: str, name: str, source: str, **values: Any) -> Row:
        common: Row = {
            "core_stress_beta": 0.3,
            "debt_multiple": 9.5,
            "asset_multiple": 11,
            "minimum_cash": 0.05,
        }
        return firm(name_id, name, "host", source, "C", **{**common, **values})

    return [
        host("WULF", "TeraWulf", "bonds 3.2 and 1.275 (press Oct, Dec-2025); EBITDA, cash, value assumed",
             core_ebitda=0.05, ebitda_ttm=0.08, cash=0.7, equity_value=5, hazard=0.012, rating="BB-"),
        host("CIFR", "Cipher Mining", "bonds 1.733 (Cipher releases Nov-2025); EBITDA, cash, value assumed",
             core_ebitda=0.08, ebitda_ttm=0.10, cash=0.7, equity_value=6, hazard=0.012, rating="BB-"),
        host("APLD", "Applied Digital", "bonds 2.35 (release Nov-2025); EBITDA, cash, value assumed",
             core_ebitda=0.06, ebitda_ttm=0.07, cash=0.6, equity_value=7, hazard=0.014, rating="B+"),
    ]  # fmt: skip


def hyperscalers() -> list[Row]:
    """Oracle in full; the others as obligors outside the model."""

    def outside(name_id: str, name: str, hazard: float, value: float, rating: str, source: str) -> Row:
        return firm(name_id, name, "hyperscaler", source, "B", outside=1, hazard=hazard, equity_value=value,
                    rating=rating)  # fmt: skip

    return [
        firm("ORCL", "Oracle", "hyperscaler", "cash 19, capex guidance 50 (Oracle release Dec-2025); core "
             "EBITDA 27 of revenue 61, capex path and market value 550 partly assumed", "B", core_ebitda=27,
             core_growth=0.03, core_stress_beta=0.05, ebitda_ttm=27.9, cash=19, minimum_cash=5,
             equity_value=550, debt_multiple=6.5, asset_multiple=12, hazard=0.0021, leverage_beta=1.2,
             capex=(48, 60, 60, 50, 35), capex_contract="OAI_ORCL", equity_capex_share=0.1,
             growth_loan="ORCL_NEW", rating="BBB", cds_bps=151),
        outside("MSFT", "Microsoft", 0.00005, 3600, "AAA", "S&P rating; market data (approx.)"),
        outside("META", "Meta", 0.00015, 1650, "AA-", "S&P rating; market data (approx.)"),
        outside("AMZN", "Amazon", 0.0001, 2400, "AA", "S&P rating; market data (approx.)"),
        outside("GOOG", "Alphabet", 0.0001, 3700, "AA+", "S&P rating; market data (approx.)"),
    ]  # fmt: skip


def vendors(facts: Facts) -> list[Row]:
    """Shares of chip sales, and the part free to support customers: assumptions near free cash flow."""

    def vendor(
        name_id: str, name: str, hazard: float, value: float, source: str, grade: str = "C", **values: Any
    ) -> Row:
        return firm(
            name_id, name, "vendor", source, grade, outside=1, hazard=hazard, equity_value=value, **values
        )

    free = "market value Dec-2025 (approx.); share of sales and free cash flow assumed"
    return [
        vendor("NVDA", "Nvidia", 0.0001, 4500, "cash 60.6 (10-Q Oct-2025); " + free,
               cash=facts.borrower("NVDA", "cash"), chip_sales_share=0.80, support_share=0.45),
        vendor("AMD", "AMD", 0.0005, 350, "cash 7 (10-Q Sep-2025, approx.); " + free, cash=7,
               chip_sales_share=0.07, support_share=0.20),
        vendor("AVGO", "Broadcom", 0.0005, 1600, "cash 11 (10-Q, approx.); " + free, cash=11,
               chip_sales_share=0.10, support_share=0.45),
        vendor(
            "LANDLORD", "data-centre landlords not modelled", 0, 0, "stands for landlords without a row"
        ),
    ]  # fmt: skip


def projects() -> list[Row]:
    """Single-lease companies; debt is sized to rent at a debt yield of 7.25%.

    No balance-sheet test: a site under construction has no EBITDA to be valued by.
    """

    def project(name_id: str, name: str, hazard: float, source: str, **values: Any) -> Row:
        common = {"debt_multiple": 13.8}
        return firm(name_id, name, "project", source, "C", hazard=hazard, **{**common, **values})

    return [
        project("VANT_TX", "Vantage Shackelford (Texas)", 0.002, "hazard assumed for BB+", rating="BB+"),
        project("VANT_WI", "Vantage Port Washington (Wisconsin)", 0.002, "hazard assumed for BB+",
                rating="BB+"),
        project("NM_ORCL", "New Mexico campus", 0.0015, "hazard assumed for BBB-", rating="BBB-"),
        project("ABIL", "Abilene joint venture", 0.0015, "hazard assumed for BBB-", cash=0.3, rating="BBB-"),
        project("BEIG", "Beignet (Hyperion, Louisiana)", 0.0003, "interest to 2028 prefunded, 6.5 of 27.3; "
                "A+ (The Real Deal Oct-2025)", cash=6.5, rating="A+"),
        project("XSPV", "xAI Colossus 2 compute SPV", 0.01, "equity up to 7.5 spent on chips (Inkl "
                "Oct-2025); cash and its default with xAI assumed", cash=0.3, debt_multiple=4,
                rating="B", parent="XAI", cross_default=1),
        project("ROWAN", "Rowan Digital Infrastructure", 0.006, "hazard assumed for BB+", rating="BB+"),
    ]  # fmt: skip

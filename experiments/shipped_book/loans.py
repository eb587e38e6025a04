"""Loans and bonds with names. Amounts and coupons are the facts'; `source` says which are assumed.

Grade of a row: that of the drawn amount. Recoveries and option probabilities are assumptions throughout.
"""

from typing import Any

from experiments.shipped_book.facts import Facts, Row

BOND: Row = {
    "extension_probability": 0.25,
    "exchange_probability": 0.35,
    "base_recovery": 0.38,
    "tenor_months": 72,
}
SECURED_BOND: Row = {**BOND, "base_recovery": 0.55}
CONVERT: Row = {**BOND, "base_recovery": 0.2, "conversion": 1.3}
"""Conversion premium of 30%: usual at issue, assumed for all."""
IG: Row = {**BOND, "exchange_probability": 0.2, "base_recovery": 0.4, "refinancing_margin": 0.015}
ORACLE: Row = {"base_recovery": 0, "ebitda_recovery": 5.4, "exchange_probability": 0.25}
"""Recovery 0.6 x 9 x EBITDA over debt."""
GPU: Row = {
    "floating": 1, "collateral": 1, "uncontracted_share": 0.3, "amortisation": 0.2, "base_recovery": 0.1,
    "extension_probability": 0.5, "exchange_probability": 0.25, "refinancing_margin": 0.05,
}  # fmt: skip
"""Recovery comes from chips and contracts; the base is that of the residual claim on the borrower."""
PROJECT: Row = {
    "floating": 0, "coupon": 0.062, "refinancing_margin": 0.025, "extension_probability": 0.5,
    "exchange_probability": 0.3, "base_recovery": 0.62, "tenor_months": 60, "amortisation": 0.01,
}  # fmt: skip
"""Bank margin 2.5% over 3.7%, swapped to fixed as project lenders ask (assumed)."""
PRIVATE: Row = {**GPU, "pik_share": 0.5}
"""Private credit may let half the interest be added to the balance (assumed; no agreement is public)."""
NEW: Row = {"new_money": 1, "committed": 0, "drawn": 0}


def loan(
    name_id: str, name: str, borrower: str, kind: str, terms: Row, source: str, grade: str, **values: Any
) -> Row:
    """One row. A documented LTV is that of the full draw; a partly drawn loan has its share of it."""
    row = {"loan": name_id, "name": name, "borrower": borrower, "class": kind, **terms, **values}
    if "ltv_target" in row and row["drawn"] < row["committed"]:
        source = f"{source}; LTV {row['ltv_target']} when fully drawn"
        row["ltv_target"] = round(row["ltv_target"] * row["drawn"] / row["committed"], 3)
    return {**row, "source": source, "grade": grade}


def named_loans(facts: Facts) -> list[Row]:
    """Every loan and bond with a name."""
    return [
        *coreweave(facts), *clouds(facts), *hosts(facts), *projects(facts), *bonds(facts), *new_money(),
    ]  # fmt: skip


def coreweave(facts: Facts) -> list[Row]:
    """CoreWeave's debt; December balances are the June filing rolled forward to the 21.4 of the 10-K."""
    roll = "(10-Q Jun-2025) rolled to December"
    return [
        loan("CRWV_DDTL1", "DDTL 1.0", "CRWV", "GPU_DDTL_1_2", GPU, f"1.78 drawn {roll}; margin 9.62% (S-1)",
             "B", committed=1.6, drawn=1.6, maturity_month=27, coupon=0.0962, amortisation=0.35,
             ltv_target=0.5, extension_probability=0.4),
        loan("CRWV_DDTL2", "DDTL 2.0", "CRWV", "GPU_DDTL_1_2", GPU,
             f"4.95 drawn of 7.6 {roll}; margin 6.0-6.5% and 13% (agreement)", "B", committed=4.4, drawn=4.4,
             maturity_month=41, coupon=0.07, amortisation=0.24, ltv_target=0.62, extension_probability=0.4),
        loan("CRWV_DDTL21", "DDTL 2.1", "CRWV", "GPU_DDTL_1_2", GPU, "3.0 to March 2026 (Fifth Amendment); "
             "drawn and margin assumed", "C", committed=facts.committed("L03"), drawn=2.0, draw_months=3,
             maturity_month=60, coupon=0.0425, amortisation_from_month=3, ltv_target=0.62,
             extension_probability=0.4),
        loan("CRWV_DDTL3", "DDTL 3.0", "CRWV", "GPU_DDTL_3_PLUS", GPU, "2.6 (release Jul-2025); drawn so "
             "that debt is about 21 (10-K)", "C", committed=facts.committed("L04"), drawn=2.1, draw_months=4,
             maturity_month=56, coupon=0.04, amortisation_from_month=6, ltv_target=0.7,
             extension_probability=0.4),
        loan("CRWV_SN30", "9.25% senior notes 2030", "CRWV", "HY_CONV", BOND, "10-Q Jun-2025", "A",
             committed=facts.committed("L05"), drawn=facts.drawn("L05"), maturity_month=54, coupon=0.0925),
        loan("CRWV_SN31", "9.00% senior notes 2031", "CRWV", "HY_CONV", BOND, "8-K Jul-2025", "A",
             committed=facts.committed("L06"), drawn=facts.drawn("L06"), maturity_month=62, coupon=0.09),
        loan("CRWV_CB31", "1.75% convertible 2031", "CRWV", "HY_CONV", CONVERT, "Webull Dec-2025; greenshoe "
             "0.34 as the undrawn part", "A", committed=facts.committed("L07"), drawn=facts.drawn("L07"),
             draw_months=1, maturity_month=72, coupon=0.0175),
        loan("CRWV_RCF", "Revolver", "CRWV", "RCF_OEM_OTHER", BOND, "2.5 to Nov-2029 (release "
             "Nov-2025); drawn 2.0 assumed: residual of the class total 4.0", "C",
             committed=facts.committed("L08"), drawn=2.0,
             maturity_month=47, floating=1, coupon=0.02, revolver=1, tenor_months=36,
             extension_probability=0.6, base_recovery=0.5),
        loan("CRWV_OEM", "OEM financing", "CRWV", "RCF_OEM_OTHER", BOND, "10-Q Jun-2025", "A",
             committed=facts.committed("L09"), drawn=facts.drawn("L09"), maturity_month=29, coupon=0.095,
             amortisation=0.42, base_recovery=0.45),
        loan("CRWV_MAGN", "Magnetar loan", "CRWV", "RCF_OEM_OTHER", BOND, "10-Q Jun-2025", "A",
             committed=facts.committed("L10"), drawn=facts.drawn("L10"), maturity_month=37, coupon=0.12,
             amortisation=0.3),
    ]  # fmt: skip


def clouds(facts: Facts) -> list[Row]:
    """Other neoclouds and xAI."""
    fluidstack = round(6.0 - 1.4 - facts.committed("L52") - facts.committed("L53"), 3)
    return [
        loan("FLUI_GPU", "Macquarie GPU facility", "FLUI", "GPU_DDTL_3_PLUS", PRIVATE, "up to 10 (lbkrs.com "
             "Jul-2025); 3 drawn assumed; carried at the class total's share", "C", committed=fluidstack,
             drawn=3.0, draw_months=9, maturity_month=48, coupon=0.06, ltv_target=0.72,
             amortisation_from_month=9),
        loan("LAMB_GPU", "Macquarie GPU facility", "LAMB", "GPU_DDTL_3_PLUS", PRIVATE, "0.5 (Shark Monitor); "
             "terms assumed", "A", committed=facts.committed("L52"), drawn=facts.drawn("L52"),
             maturity_month=40, coupon=0.06, ltv_target=0.6, uncontracted_share=0.6),
        loan("CRUS_GPU", "GPU debt", "CRUS", "GPU_DDTL_3_PLUS", PRIVATE, "0.425 (Shark Monitor); rest "
             "assumed", "A", committed=facts.committed("L53"), drawn=facts.drawn("L53"), maturity_month=36,
             coupon=0.065, ltv_target=0.6, uncontracted_share=0.6),
        loan("NSCL_GPU", "GPU loan", "NSCL", "GPU_DDTL_3_PLUS", GPU, "1.4 (City AM); terms assumed", "A",
             committed=1.4, drawn=1.0, draw_months=6, maturity_month=54, coupon=0.055, ltv_target=0.72,
             interest_from_month=6, amortisation_from_month=12),
        loan("NBIS_CB", "Convertible notes 2029-32", "NBIS", "HY_CONV", CONVERT, "2.75 in Sep-2025 and 1.0 "
             "in Jun-2025 (Nebius releases)", "B", committed=3.75, drawn=3.75, maturity_month=63,
             coupon=0.02),
        loan("IREN_CB", "Convertible notes 2029-33", "IREN", "HY_CONV", CONVERT, "3.3 (IREN releases 2025)",
             "B", committed=3.3, drawn=3.3, maturity_month=66, coupon=0.01),
        loan("XSPV_GPU", "SPV debt", "XSPV", "XAI_SPV", PRIVATE, "up to 12.5 (Inkl Oct-2025); drawn and rate "
             "assumed", "C", committed=facts.committed("L31"), drawn=facts.drawn("L31"), draw_months=9,
             maturity_month=58, floating=0, coupon=0.105, ltv_target=0.625, uncontracted_share=0.2,
             amortisation_from_month=12),
        loan("XAI_NOTES", "Notes and loans 2030", "XAI", "XAI_SPV", BOND, "press Jun, Jul-2025", "B",
             committed=facts.committed("L32"), drawn=facts.drawn("L32"), maturity_month=54, coupon=0.125,
             base_recovery=0.3),
    ]  # fmt: skip


def hosts(facts: Facts) -> list[Row]:
    """Notes and convertibles of former miners."""
    return [
        loan("WULF_SN30", "7.75% secured notes 2030", "WULF", "HY_CONV", SECURED_BOND, "AiCoin Oct-2025", "A",
             committed=facts.committed("L40"), drawn=facts.drawn("L40"), maturity_month=58, coupon=0.0775,
             interest_from_month=10),
        loan("WULF_JV30", "Flash Compute 8.0% notes 2030", "WULF", "HY_CONV", SECURED_BOND, "Reportify "
             "Dec-2025", "A", committed=facts.committed("L41"), drawn=facts.drawn("L41"), maturity_month=59,
             coupon=0.08, interest_from_month=12, amortisation=0.05, amortisation_from_month=15),
        loan("WULF_CB31", "Convertible notes", "WULF", "HY_CONV", CONVERT, "1.85 (TeraWulf releases)", "B",
             committed=1.85, drawn=1.85, maturity_month=66, coupon=0.01),
        loan("CIFR_SN30", "7.125% secured notes 2030", "CIFR", "HY_CONV", SECURED_BOND, "1.4 + 0.333 (Cipher "
             "releases Nov-2025)", "B", committed=1.733, drawn=1.733, maturity_month=59, coupon=0.07125,
             interest_from_month=12),
        loan("CIFR_CB31", "Convertible notes", "CIFR", "HY_CONV", CONVERT, "residual of the 2.9 total", "C",
             committed=1.167, drawn=1.167, maturity_month=70, coupon=0.005),
        loan("APLD_SN30", "9.25% secured notes 2030", "APLD", "HY_CONV", SECURED_BOND, "Applied Digital "
             "release Nov-2025", "B", committed=facts.committed("L43"), drawn=facts.drawn("L43"),
             maturity_month=60, coupon=0.0925, interest_from_month=9),
    ]  # fmt: skip


def projects(facts: Facts) -> list[Row]:
    """Construction and lease debt; interest until completion is in the budget."""

    def oracle(
        name_id: str, name: str, borrower: str, fact: str, source: str, grade: str = "C", **values: Any
    ) -> Row:
        amounts = {"committed": facts.committed(fact), "drawn": facts.drawn(fact), "tenant": "ORCL"}
        return loan(name_id, name, borrower, "PROJECT_LOANS", {**PROJECT, **amounts}, source, grade, **values)

    terms = "committed and 4y+1+1 terms (TradingKey Oct-2025); drawn assumed"
    return [
        oracle("VANT_TX_LOAN", "Texas construction loan", "VANT_TX", "L21", terms, draw_months=18,
               maturity_month=46, interest_from_month=20, amortisation_from_month=30),
        oracle("VANT_WI_LOAN", "Wisconsin construction loan", "VANT_WI", "L22", terms, draw_months=18,
               maturity_month=46, interest_from_month=22, amortisation_from_month=30),
        oracle("NM_LOAN", "New Mexico facility", "NM_ORCL", "L23", "18 from about 20 banks (Octus Nov-2025); "
               "drawn and margin assumed", draw_months=20, maturity_month=47, interest_from_month=24,
               amortisation_from_month=33),
        oracle("ABIL_1", "Abilene phase 1", "ABIL", "L25", "2.3 of a 3.4 venture (Commercial Observer "
               "Jan-2025)", "A",
               maturity_month=37, amortisation_from_month=15),
        oracle("ABIL_2", "Abilene phase 2", "ABIL", "L26", "7.1 of 11.6 (Commercial Observer May-2025); "
               "drawn assumed", draw_months=9, maturity_month=41, interest_from_month=9,
               amortisation_from_month=18),
        loan("ROWAN_LOAN", "Construction loan", "ROWAN", "OTHER_CONSTRUCTION", PROJECT, "3.1 (Reportify "
             "2025); drawn assumed", "C", committed=facts.committed("L62"), drawn=facts.drawn("L62"),
             draw_months=15, maturity_month=42, interest_from_month=18, coupon=0.0595,
             amortisation_from_month=24, tenant="AMZN"),
        loan("BEIG_2049", "6.58% notes 2049", "BEIG", "HYPERION", BOND, "27.3, A+, residual value guarantee "
             "16 years (The Real Deal, Vinod Kothari Oct-2025)", "A", committed=facts.committed("L30"),
             drawn=facts.drawn("L30"), maturity_month=281, coupon=0.0658, tenant="META", amortisation=0.022,
             amortisation_from_month=42, guarantor="META", guarantee_cover=0.85, base_recovery=0.5),
    ]  # fmt: skip


def bonds(facts: Facts) -> list[Row]:
    """Investment-grade stocks, maturing on a ladder."""
    older = facts.committed("L20") - facts.committed("L73")
    oracle = {**IG, **ORACLE}
    ladder = {"maturity_month": 240, "tenor_months": 120}
    return [
        loan("ORCL_OLDER", "Senior notes before Sep-2025", "ORCL", "IG_TECH", oracle, "108 in all (10-Q "
             "Nov-2025) less the 18 of September; recovery 0.6 x 9 x EBITDA assumed", "B", committed=older,
             drawn=older, coupon=0.047, ladder=0.08, **ladder),
        loan("ORCL_2025", "Senior notes Sep-2025", "ORCL", "IG_TECH", oracle, "The Common Sense Sep-2025; "
             "inside the 108 of the 10-Q", "A", committed=facts.committed("L73"), drawn=facts.drawn("L73"),
             coupon=0.054, ladder=0.08, **ladder),
        loan("META_2025", "Notes Oct-2025", "META", "IG_TECH", IG, "Allibnews Dec-2025", "A",
             committed=facts.committed("L70"), drawn=facts.drawn("L70"), coupon=0.052, ladder=0.04, **ladder),
        loan("AMZN_2025", "Notes Nov-2025", "AMZN", "IG_TECH", IG, "Allibnews Dec-2025 (12-15)", "A",
             committed=facts.committed("L71"), drawn=facts.drawn("L71"), coupon=0.047, ladder=0.04, **ladder),
        loan("GOOG_2025", "Notes 2025", "GOOG", "IG_TECH", IG, "press Nov-2025, about 38 in the year", "B",
             committed=facts.committed("L72"), drawn=facts.drawn("L72"), coupon=0.046, ladder=0.04, **ladder),
    ]  # fmt: skip


def new_money() -> list[Row]:
    """Future loans, which fund capex beyond cash and equity."""
    gpu = {
        **GPU,
        **NEW,
        "coupon": 0.05,
        "ltv_target": 0.55,
        "maturity_month": 84,
        "amortisation_from_month": 18,
    }
    bond = {**IG, **NEW, "maturity_month": 360, "tenor_months": 120, "ladder": 0.02}
    assumed = "new debt does not exist at month 0: terms as the borrower's latest"
    mix = "Morgan Stanley 2025-28: 200 of 1,500 corporate; split assumed"

    def cloud(borrower: str, **values: Any) -> Row:
        return loan(
            f"{borrower}_NEW", "New GPU debt", borrower, "GPU_DDTL_3_PLUS", gpu, assumed, "C", **values
        )

    def corporate(borrower: str, part: float) -> Row:
        return loan(f"{borrower}_NEW", "New senior notes", borrower, "IG_TECH", bond, mix, "C", coupon=0.05,
                    origination_share=part)  # fmt: skip

    return [
        cloud("CRWV", extension_probability=0.4, amortisation=0.12, amortisation_from_month=24),
        cloud("NBIS"),
        cloud("NSCL", coupon=0.055),
        cloud("FLUI", coupon=0.06),
        cloud("IREN"),
        loan("ORCL_NEW", "New senior notes", "ORCL", "IG_TECH", {**bond, **ORACLE}, assumed, "C",
             coupon=0.055),
        corporate("META", 0.05), corporate("AMZN", 0.03), corporate("GOOG", 0.03), corporate("MSFT", 0.02),
    ]  # fmt: skip

"""Holdings: four amounts and some names are public; the rest is filled, class by class and loan by loan.

Holder classes take the marginals' mean shares of each instrument class. Within a class the split follows the
priors of exposure, except that concentrated funds lead a few loans each and hold nothing else, so that
lenders' losses differ from those of the average book. Amounts from sources come first; the classes share the
rest.
"""

from collections.abc import Iterable, Mapping

from experiments.shipped_book import loans, pools
from experiments.shipped_book.facts import Facts, Row
from experiments.shipped_book.sums import plain_sum

Shares = dict[str, float]
"""Of an instrument, by lender."""

Cell = tuple[str, float | None, int, str, str]
"""Lender, share, whether a source fixes it, source, grade."""

Cells = tuple[str, Shares, str, str]
"""Instrument, shares, source, grade."""

WITHIN: dict[str, Shares] = {
    "BANK": {"JPM": 25, "MUFG": 22, "SMBC": 16, "MS": 15, "WFC": 10, "GS": 10, "BAC": 8, "BNP": 8, "MIZ": 8,
             "OTHER_US_BANKS": 39, "OTHER_FOREIGN_BANKS": 35},
    "INSURER": {"ATH": 18, "GA": 10, "OTHER_PE_LIFE": 10, "MM": 10, "NYL": 9, "OTHER_LIFE": 43},
    "PENSION": {"US_PENSIONS": 92, "CDPQ": 8},
    "MUTUAL_FUND": {"PIMCO": 25, "BLK_FUNDS": 20, "OTHER_FUNDS": 55},
    "HEDGE_FUND": {"OTHER_HF": 72, "DIAM_AI": 14, "COAT_AI": 14},
    "PRIVATE_CREDIT": {"APO_SLEEVE": 16, "BX_SLEEVE": 16, "OWL_SLEEVE": 13, "BAM_SLEEVE": 10, "KKR_SLEEVE": 8,
                       "ARES_SLEEVE": 8, "BLK_HPS": 8, "CG_SLEEVE": 4, "OTHER_PC_SLEEVE": 17},
    "FOREIGN": {"FOREIGN": 1},
    "VENDOR": {"OEM": 1},
}  # fmt: skip
"""Priors of exposure inside a class: bank loan commitments and managers' exposures of the fact tables."""

IG_INSURERS = {"ATH": 6, "GA": 4, "OTHER_PE_LIFE": 3, "MM": 5, "NYL": 6, "OTHER_LIFE": 76}
"""Public bonds follow invested assets instead of private placements."""

LEADS = {
    "APO_AI": (1, 2, 3), "BX_AI": (4, 5, 6), "OWL_AI": (7, 8, 9), "BAM_AI": (10, 11, 12),
    "OTHER_PC_AI": (13, 14, 15), "KKR_AI": (16, 17), "ARES_AI": (18, 19), "MACQ_AI": (20,),
}  # fmt: skip
"""Concentrated funds and the private-credit obligors each leads with 40%."""

AFFILIATES = {"APO_AI": "ATH", "KKR_AI": "GA", "BAM_AI": "OTHER_PE_LIFE"}
"""Insurers that buy what their owner originates."""

SITE_FUNDS = {3: "OWL_AI", 6: "BAM_AI", 9: "BX_AI", 12: "KKR_AI"}
"""Construction obligors in which a concentrated fund holds a fifth."""

LEAD_BANKS = ("JPM", "MUFG", "SMBC", "MS", "WFC", "GS", "BAC", "BNP", "MIZ")

CLASS_FILL = "holder classes as in marginals (modelling from deal descriptions), split by exposure priors"


def holdings(facts: Facts) -> list[Row]:
    """Every row of the holdings table."""
    split = {name: class_split(facts, name) for name in CLASSES}
    cells = [(name, shares, CLASS_FILL, "C") for name, shares in by_class(facts, split).items()]
    cells += named(facts) + private_credit(facts) + construction() + tranches()
    rows = []
    for instrument, shares, source, grade in cells:
        for lender, share in rounded(shares).items():
            rows.append(
                {"instrument": instrument, "lender": lender, "share": share, "known": 0, "source": source,
                 "grade": grade}
            )  # fmt: skip
    return rows + known(facts)


CLASSES = ("GPU_DDTL_3_PLUS", "HY_CONV", "PROJECT_LOANS", "UNNAMED_PC", "IG_TECH", "XAI_SPV", "HYPERION")


def class_split(facts: Facts, instrument_class: str) -> Shares:
    """Shares by lender from the class shares and the priors inside each class."""
    split: Shares = {}
    for holder, share in facts.class_shares(instrument_class).items():
        inside = IG_INSURERS if holder == "INSURER" and instrument_class == "IG_TECH" else WITHIN[holder]
        total = plain_sum(inside.values())
        split |= {lender: share * weight / total for lender, weight in inside.items()}
    return split


def by_class(facts: Facts, split: dict[str, Shares]) -> dict[str, Shares]:
    """Instruments without named holders: the split of their class."""
    named_here = {"CRWV_DDTL1", "CRWV_DDTL2", "CRWV_DDTL21", "CRWV_DDTL3", "CRWV_RCF", "CRWV_OEM",
                  "CRWV_MAGN", "FLUI_GPU", "LAMB_GPU", "CRUS_GPU", "XSPV_GPU", "XAI_NOTES", "VANT_TX_LOAN",
                  "VANT_WI_LOAN", "NM_LOAN", "ABIL_1", "ABIL_2", "ROWAN_LOAN", "BEIG_2049"}  # fmt: skip
    rows = [row for row in loans.named_loans(facts) if row["loan"] not in named_here]
    unnamed = {"UNNAMED_PC": private_split(facts), "OTHER_CONSTRUCTION": split["PROJECT_LOANS"]}
    return unnamed | {row["loan"]: split[row["class"]] for row in rows}


LEAD = 0.40
"""Share of a private loan that the concentrated fund which leads it holds."""


def private_split(facts: Facts) -> Shares:
    """New private lending: the classes of today's, concentrated funds by the loans that each leads."""
    split = class_split(facts, "UNNAMED_PC")
    whole = facts.class_shares("UNNAMED_PC")["PRIVATE_CREDIT"]
    sleeves = {
        name: share * (1.0 - LEAD / whole) for name, share in split.items() if name.endswith("_SLEEVE")
    }
    leads = sum(len(numbers) for numbers in LEADS.values())
    return split | sleeves | {fund: LEAD * len(numbers) / leads for fund, numbers in LEADS.items()}


def spread(total: float, names: Iterable[str], weights: Mapping[str, float] | None = None) -> Shares:
    """`total` over `names` by `weights` (their class priors by default, else evenly)."""
    priors = {lender: weight for inside in WITHIN.values() for lender, weight in inside.items()}
    weight = {name: (weights or priors).get(name, 1) for name in names}
    return {name: total * weight[name] / plain_sum(weight.values()) for name in names}


def named(facts: Facts) -> list[Cells]:
    """Filled cells of loans whose lead lenders a source names without amounts."""
    sponsors = ("APO_SLEEVE", "OWL_SLEEVE", "BAM_SLEEVE")
    life = ("MM", "NYL", "OTHER_LIFE")
    tail = {**spread(0.12, life), **spread(0.08, sponsors), "US_PENSIONS": 0.05}
    vantage = {"JPM": 25, "MUFG": 25, "WFC": 10, "BNP": 10, "GS": 10, "SMBC": 10, "BAC": 5, "MIZ": 5, "MS": 3,
               "OTHER_US_BANKS": 12, "OTHER_FOREIGN_BANKS": 20}  # fmt: skip
    mexico = {"SMBC": 16, "MUFG": 16, "BNP": 14, "GS": 12, "JPM": 5, "MIZ": 8, "WFC": 5, "OTHER_US_BANKS": 10,
              "OTHER_FOREIGN_BANKS": 24}  # fmt: skip
    abilene = {"JPM": 50, "MUFG": 8, "SMBC": 6, "WFC": 6, "OTHER_US_BANKS": 15, "OTHER_FOREIGN_BANKS": 15}
    ddtl3 = {**spread(0.45, ("MS", "MUFG", "GS"), {"MS": 4, "MUFG": 3, "GS": 3}), **spread(0.2, life),
             **spread(0.25, ("BX_SLEEVE", "APO_SLEEVE", "BLK_HPS")),
             **spread(0.1, WITHIN["MUTUAL_FUND"])}  # fmt: skip
    banks, funds = WITHIN["BANK"], WITHIN["MUTUAL_FUND"]
    return [
        *((loan, {**spread(0.75, vantage, vantage), **tail}, "lead and joint underwriters named (TradingKey "
           "Oct-2025), amounts assumed", "C") for loan in ("VANT_TX_LOAN", "VANT_WI_LOAN")),
        ("NM_LOAN", {**spread(0.75, mexico, mexico), **tail}, "four banks of about 20 named (Octus, GateWeb3 "
         "Nov-2025), amounts assumed", "C"),
        ("ABIL_2", spread(1, abilene, abilene), "JPMorgan-led consortium (Commercial Observer May-2025), "
         "amounts assumed", "C"),
        ("CRWV_DDTL3", ddtl3, "Morgan Stanley, MUFG, Goldman Sachs arranged (CoreWeave release Jul-2025), "
         "amounts assumed", "C"),
        ("CRWV_RCF", spread(1, ("JPM", "GS", "MS", "MUFG", "WFC", "BAC"), {"JPM": 3, "GS": 2, "MS": 2}),
         "JPMorgan, Goldman Sachs, Morgan Stanley and others (10-Q), amounts assumed", "C"),
        ("FLUI_GPU", {"MACQ_AI": 0.4, **spread(0.35, banks),
                      **spread(0.15, WITHIN["INSURER"]), **spread(0.1, funds)},
         "Macquarie leads (lbkrs.com Jul-2025), amounts assumed", "C"),
        ("LAMB_GPU", {"MACQ_AI": 0.6, "OTHER_PC_SLEEVE": 0.4}, "Macquarie and another (Shark Monitor), "
         "amounts assumed", "C"),
        ("CRUS_GPU", {"OTHER_PC_AI": 0.6, "OTHER_PC_SLEEVE": 0.4}, "Upper90, Generate and others (Shark "
         "Monitor), amounts assumed", "C"),
        ("XSPV_GPU", {"APO_AI": 0.35, "APO_SLEEVE": 0.15, "OTHER_PC_SLEEVE": 0.15, "DIAM_AI": 0.15,
                      "ATH": 0.11, "GA": 0.04, "MS": 0.05}, "Apollo and Diameter lend (Particle News "
                      "Oct-2025), amounts assumed", "C"),
        ("XAI_NOTES", {"APO_SLEEVE": 0.2, "OTHER_PC_SLEEVE": 0.25, "ARES_SLEEVE": 0.1, "KKR_SLEEVE": 0.1,
                       "OTHER_HF": 0.1, "DIAM_AI": 0.05, "ATH": 0.05, "OTHER_LIFE": 0.1, "MS": 0.05},
                       CLASS_FILL, "C"),
    ]  # fmt: skip


def private_credit(facts: Facts) -> list[Cells]:
    """Obligors led by a concentrated fund; class shares stay the marginals' (55, 25, 12, 5, 3%)."""
    shares = facts.class_shares("UNNAMED_PC")
    life = ("MM", "NYL", "OTHER_LIFE", "OTHER_PE_LIFE")
    out = []
    for fund, numbers in LEADS.items():
        sleeve = {"OTHER_PC_AI": "OTHER_PC_SLEEVE", "MACQ_AI": "BLK_HPS"}.get(
            fund, fund.replace("_AI", "_SLEEVE")
        )
        for number in numbers:
            affiliate = AFFILIATES.get(fund, life[number % 3])
            others = [each for each in life if each != affiliate]
            cells = {fund: LEAD, sleeve: shares["PRIVATE_CREDIT"] - LEAD}
            cells |= {affiliate: 0.6 * shares["INSURER"], **spread(0.4 * shares["INSURER"], others)}
            cells |= {"US_PENSIONS": shares["PENSION"], LEAD_BANKS[number % len(LEAD_BANKS)]: shares["BANK"]}
            cells |= {("DIAM_AI", "OTHER_HF")[number % 2]: shares["HEDGE_FUND"]}
            out.append((f"PC_{number:02d}_LOAN", cells, "invented obligor led by a concentrated fund; class "
                        "shares as in marginals", "C"))  # fmt: skip
    return out


def construction() -> list[Cells]:
    """Each site has a lead and a second bank; a concentrated fund is in four of them."""
    out = []
    for number in range(1, pools.BORROWERS["OTHER_CONSTRUCTION"][2] + 1):
        lead, second = (LEAD_BANKS[(number + step) % len(LEAD_BANKS)] for step in (0, 3))
        fund = SITE_FUNDS.get(number)
        cells = {lead: 0.25, second: 0.15, "US_PENSIONS": 0.05}
        cells |= spread(0.12, ("MM", "NYL", "OTHER_LIFE"))
        if fund:
            cells |= {fund: 0.20, "OTHER_US_BANKS": 0.10, "OTHER_FOREIGN_BANKS": 0.13}
        else:
            cells |= {
                **spread(0.03, ("BLK_HPS", "KKR_SLEEVE")),
                "OTHER_US_BANKS": 0.17,
                "OTHER_FOREIGN_BANKS": 0.23,
            }
        out.append(
            (
                f"CON_{number:02d}_LOAN",
                cells,
                "invented obligor; class shares about those of project loans",
                "C",
            )
        )
    return out


def tranches() -> list[Cells]:
    """Class shares of ABS and CMBS, with hedge funds and mutual funds at the bottom."""
    levels = {
        ("ABS_COLO_A", "ABS_HYPER_A"): {"INSURER": 0.42, "MUTUAL_FUND": 0.23, "PENSION": 0.14, "BANK": 0.13,
                                        "FOREIGN": 0.08},
        ("ABS_COLO_B", "ABS_HYPER_B"): {"INSURER": 0.30, "MUTUAL_FUND": 0.35, "PENSION": 0.20, "BANK": 0.07,
                                        "FOREIGN": 0.08},
        ("CMBS_A",): {"INSURER": 0.36, "MUTUAL_FUND": 0.28, "BANK": 0.36},
        ("CMBS_B",): {"INSURER": 0.45, "MUTUAL_FUND": 0.40, "BANK": 0.15},
        ("CMBS_C",): {"INSURER": 0.10, "MUTUAL_FUND": 0.40, "BANK": 0.15, "HEDGE_FUND": 0.35},
        ("CMBS_D",): {"MUTUAL_FUND": 0.20, "HEDGE_FUND": 0.80},
    }  # fmt: skip
    return [
        (name, {k: v for holder, part in shares.items() for k, v in spread(part, WITHIN[holder]).items()},
         "class totals as in marginals; order by rating assumed", "C")
        for names, shares in levels.items()
        for name in names
    ]  # fmt: skip


def known(facts: Facts) -> list[Row]:
    """Holdings from sources; a holder named without an amount has a blank share."""
    beignet = facts.committed("L30")
    pimco, blackrock = round(18 / beignet, 4), round(3 / beignet, 4)
    rest = {"OTHER_LIFE": 0.3, "MM": 0.1, "NYL": 0.1, "ATH": 0.05, "US_PENSIONS": 0.3, "FOREIGN": 0.15}
    rest = {lender: share * (1 - pimco - blackrock) for lender, share in rest.items()}
    rest = rounded({**rest, "PIMCO": pimco, "BLK_FUNDS": blackrock})
    coreweave = "participants named, split unknown (CoreWeave release May-2024)"
    press = "about 4.5 of 7.6 Blackstone (press, uncertain)"
    two: list[Cell] = [
        ("BX_AI", 0.44, 1, press, "C"), ("BX_SLEEVE", 0.15, 1, press, "C"), ("CDPQ", 0.06, 0, coreweave, "C"),
        ("MAGN_AI", None, 1, coreweave, "B"), ("COAT_AI", None, 1, coreweave, "B"),
        ("CG_SLEEVE", None, 1, coreweave, "B"),
        ("BLK_HPS", None, 1, coreweave, "B"),
    ]  # fmt: skip
    lead = "Magnetar and Blackstone lead, others named (CoreWeave release Aug-2023), amounts assumed"
    cells: dict[str, list[Cell]] = {
        "CRWV_DDTL1": [("MAGN_AI", 0.25, 0, lead, "C"), ("BX_AI", 0.25, 0, lead, "C"),
                       ("PIMCO", 0.08, 0, lead, "C"),
                       ("OTHER_LIFE", 0.07, 0, lead, "C"), ("COAT_AI", None, 1, lead, "B"),
                       ("CG_SLEEVE", None, 1, lead, "B"), ("BLK_HPS", None, 1, lead, "B")],
        "CRWV_DDTL2": two,
        "CRWV_DDTL21": [(lender, share, 0 if share else flag, f"lenders of DDTL 2.0 (agreement): {source}",
                         grade)
                        for lender, share, flag, source, grade in two],
        "CRWV_OEM": [("OEM", 1, 1, "OEMs (10-Q)", "A")],
        "CRWV_MAGN": [("MAGN_AI", 1, 1, "10-Q Jun-2025", "A")],
        "ABIL_1": [("JPM", 1, 1, "before syndication (Commercial Observer Jan-2025)", "A")],
        "ROWAN_LOAN": [(bank, None, 1, "lenders named, split unknown (Reportify)", "A") for bank in ("MUFG",
                                                                                                     "SMBC")],
        "BEIG_2049": [("PIMCO", rest.pop("PIMCO"), 1, "18 of 27.3 (The Real Deal Oct-2025)", "A"),
                      ("BLK_FUNDS", rest.pop("BLK_FUNDS"), 1, "more than 3 of 27.3 (Fudzilla Oct-2025)", "A"),
                      *((lender, share, 0, "others, 6.3: class shares as in marginals", "C")
                        for lender, share in rest.items())],
    }  # fmt: skip
    columns = ("lender", "share", "known", "source", "grade")
    return [
        {"instrument": instrument, **dict(zip(columns, row, strict=True))}
        for instrument, rows in cells.items()
        for row in rows
    ]


def rounded(shares: Mapping[str, float], decimals: int = 4) -> Shares:
    """Shares in whole units of the last decimal that sum to exactly one (largest remainders get the rest)."""
    unit = 10**decimals
    total = plain_sum(shares.values())
    exact = {name: share / total * unit for name, share in shares.items()}
    whole = {name: int(value) for name, value in exact.items()}
    order = sorted(exact, key=lambda name: whole[name] - exact[name])
    for name in order[: unit - sum(whole.values())]:
        whole[name] += 1
    return {name: count / unit for name, count in whole.items() if count}

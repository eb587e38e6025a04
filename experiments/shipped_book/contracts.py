"""Purchases, leases, equity and backstops between firms.

Full sizes are the facts' annual amounts. Today's spend, ramps and margins are assumptions unless the source
says otherwise, so the grade is that of the annual amount. Rows with flow none are for the record: never
binding, already paid, or part of another row.
"""

from typing import Any

from experiments.shipped_book.assumptions import LEASES
from experiments.shipped_book.facts import Facts, Row
from experiments.shipped_book.sums import plain_sum

LEASE: Row = {"kind": "lease", "rank": 1, "margin": 0.95, "relet": 0.5}
HOSTING: Row = {"kind": "colocation", "rank": 1, "margin": 0.85, "relet": 0.6}
COMPUTE: Row = {"kind": "compute", "rank": 2, "margin": 0.7, "relet": 0.5}
"""Margin before leases that start later: CoreWeave's 0.61 is after those of today."""
LAB: Row = {**COMPUTE, "flexibility": 0.5}
"""A lab's purchases: half flexes with AI revenue ("yes, conditional")."""


def contract(
    name: str, buyer: str, seller: str, terms: Row, annual: float, source: str, grade: str,
    months: tuple[int, int, int], start_annual: float = 0.0, **values: Any,
) -> Row:  # fmt: skip
    """One row. `annual`: full size, USD bn a year; `months`: (start, ramp, end)."""
    start, ramp, end = months
    row = {"contract": name, "buyer": buyer, "seller": seller, "flow": "operating", "annual": annual}
    timing = {"start_annual": start_annual, "start_month": start, "ramp_months": ramp, "end_month": end}
    return {**row, **timing, **terms, **values, "source": source, "grade": grade}


def contracts(facts: Facts, drawn: list[Row]) -> list[Row]:
    """Every row of named parties. Leases of `drawn` sites are part of those of landlords without a row."""
    parts = (labs, clouds, leases, hosting, equity, backstops, on_record)
    rows = [row for part in parts for row in part(facts)]
    for row in rows:
        if row["seller"] == "LANDLORD" and row["flow"] == "operating":
            known = plain_sum(
                lease["annual"] for lease in drawn if lease["buyer"] == row["buyer"] and lease["rank"] == 1
            )
            row["annual"] = round(max(row["annual"] - known, 0.0), 3)
    return rows


def labs(facts: Facts) -> list[Row]:
    """Purchases of the labs."""
    size = facts.annual
    return [
        contract("OAI_ORCL", "OAI", "ORCL", LAB, size("K05"), "300 over 5 years, 4.5 GW (Newsbeep Sep-2025); "
                 "spend 1.5 today assumed", "A", (0, 48, 84), 1.5, margin=0.62, relet=0.4),
        contract("OAI_MSFT", "OAI", "MSFT", LAB, size("K06"), "250 incremental (Newsbeep Oct-2025), 7 years "
                 "assumed; 12 a year today (8.7 in nine months, The Outpost)", "B", (0, 48, 84), 12),
        contract("OAI_AMZN", "OAI", "AMZN", LAB, size("K07"), "38 over 7 years (Newsbeep Nov-2025)", "A",
                 (0, 18, 84), 0.3),
        contract("OAI_CRWV", "OAI", "CRWV", LAB, size("K08"), "22.4 to 2031 (Newsbeep Sep-2025)", "A",
                 (0, 18, 72), 1.0),
        contract("OAI_AMD", "OAI", "AMD", {**LAB, "kind": "chips"}, size("K09"), "6 GW, above 100 over four "
                 "years (AMD claim, Oct-2025), staged", "B", (6, 24, 60), margin=0.5, relet=0.3),
        contract("ANTH_MSFT", "ANTH", "MSFT", LAB, size("K17"), "30 (Wyoming Star Nov-2025), 5 years assumed",
                 "B", (3, 24, 66)),
        contract("ANTH_GOOG", "ANTH", "GOOG", LAB, size("K20"), "up to 1m TPUs, 'tens of billions' (release "
                 "Oct-2025); 30 over 4 years assumed", "C", (0, 24, 60), 0.5),
        contract("ANTH_FLUI", "ANTH", "FLUI", {**LAB, "flexibility": 0.3}, 2.9, "stands for the first sites "
                 "of the 50 announced programme (Anthropic Nov-2025): the part on its own chips; "
                 "amount assumed", "C", (0, 18, 84), 0.3),
        contract("ANTH_FLUI_SITES", "ANTH", "FLUI", {**HOSTING, "margin": 0.95}, 2.6, "the same: halls that "
                 "Fluidstack leases on, for chips of the tenant; amount assumed", "C", (2, 12, 84)),
        contract("XAI_XSPV", "XAI", "XSPV", {**LEASE, "relet": 0.5}, size("K30"), "five-year chip lease "
                 "(Particle News Oct-2025); amount assumed", "C", (0, 9, 60), 1.0, margin=0.97),
    ]  # fmt: skip


def clouds(facts: Facts) -> list[Row]:
    """Purchases of hyperscalers and Nvidia from neoclouds, and of Meta from Alphabet."""
    size = facts.annual
    microsoft = round(
        facts.borrower("CRWV", "cust_share_Microsoft_2025") * facts.borrower("CRWV", "revenue_2025"), 2
    )
    return [
        contract("MSFT_CRWV", "MSFT", "CRWV", COMPUTE, microsoft, "67% of revenue 5.13 (10-K via Bakshi); "
                 "end assumed", "A", (0, 0, 60), microsoft),
        contract("META_CRWV", "META", "CRWV", COMPUTE, size("K21"), "14.2 to 2031 (Stockburger Sep-2025)",
                 "A", (0, 18, 72), 0.3),
        contract("META_CRWV_FURTHER", "META", "CRWV", COMPUTE, 3.5, "stands for backlog 66.8 (AI Realist) "
                 "not in any named contract; buyer, size and start assumed", "C", (9, 15, 87)),
        contract("NVDA_CRWV", "NVDA", "CRWV", COMPUTE, 0.4, "15% of 2024 revenue (S-1, USA Today24), carried "
                 "on; assumed", "C", (0, 0, 60), 0.4),
        contract("NVDA_LAMB", "NVDA", "LAMB", COMPUTE, size("K24"), "lease-back 1.5 over 4 years (IDC Nova "
                 "Sep-2025)",
                 "A", (0, 6, 48), 0.2),
        contract("MSFT_NBIS", "MSFT", "NBIS", COMPUTE, size("K31"), "17.4 to 2031 (USA Today24 Sep-2025)",
                 "A", (0, 18, 66), 0.1),
        contract("MSFT_IREN", "MSFT", "IREN", COMPUTE, size("K32"), "9.7 over 5 years (IREN release "
                 "Nov-2025)", "B",
                 (4, 12, 66)),
        contract("MSFT_NSCL", "MSFT", "NSCL", COMPUTE, size("K33"), "14-24 (Nscale and Microsoft releases "
                 "Oct-2025)",
                 "B", (6, 18, 72)),
        contract("MSFT_LAMB", "MSFT", "LAMB", COMPUTE, 0.6, "'multi-billion' (Lambda release Nov-2025); "
                 "amount assumed", "C", (0, 18, 63), 0.2),
        contract("META_NBIS", "META", "NBIS", COMPUTE, size("K36"), "3 over 5 years (Nebius Q3-2025)", "B",
                 (0, 12, 60)),
        contract("META_GOOG", "META", "GOOG", COMPUTE, size("K37"), "10 over 6 years (press Aug-2025)", "B",
                 (0, 12, 72), 0.3),
        contract("ORCL_CRUS", "ORCL", "CRUS", COMPUTE, 0.3, "60% of revenue 0.5 (fact table); assumed", "C",
                 (0, 0, 48), 0.3),
    ]  # fmt: skip


def leases(facts: Facts) -> list[Row]:
    """Halls and campuses. Rents of Oracle's project companies: a debt yield of 9% on the commitment."""
    texas, wisconsin, mexico = (round(0.09 * facts.committed(loan), 2) for loan in ("L21", "L22", "L23"))
    rent = "rent assumed: 9% of the facility"
    return [
        contract("ORCL_VANT_TX", "ORCL", "VANT_TX", LEASE, texas, rent, "C", (16, 6, 196)),
        contract("ORCL_VANT_WI", "ORCL", "VANT_WI", LEASE, wisconsin, rent, "C", (18, 6, 198)),
        contract("ORCL_NM", "ORCL", "NM_ORCL", LEASE, mexico, rent, "C", (20, 6, 200)),
        contract("ORCL_ABIL", "ORCL", "ABIL", LEASE, facts.annual("K39"), "15-year term (r/AIGuild "
                 "May-2025); amount assumed", "C", (0, 9, 174), 0.4),
        contract("ORCL_LANDLORD", "ORCL", "LANDLORD", LEASE, LEASES["ORCL"], "248 of leases not commenced "
                 "over 15-19 years (Oracle 10-Q Nov-2025), less the named projects", "B", (3, 36, 200)),
        contract("CRWV_LANDLORD", "CRWV", "LANDLORD", LEASE, LEASES["CRWV"], "34 of leases starting to 2028 "
                 "(10-Q Q3-2025, the article), 12 years assumed, less Applied Digital", "B", (3, 30, 150)),
        contract("META_BEIG", "META", "BEIG", {**LEASE, "relet": 0.4}, 2.6, "lease from 2029, first renewal "
                 "after 4 years (Vinod Kothari, Barely Human); rent assumed", "C", (34, 3, 82)),
        contract("AMZN_ROWAN", "AMZN", "ROWAN", LEASE, 0.28, "hyperscale tenant not named; buyer and rent "
                 "(9% of the facility) assumed", "C", (14, 6, 190)),
    ]  # fmt: skip


def hosting(facts: Facts) -> list[Row]:
    """Halls of former miners; Alphabet backs Fluidstack's leases and takes them over if it fails."""
    size = facts.annual
    backstop: Row = {"guarantor": "GOOG"}
    return [
        contract("FLUI_WULF_LAKE", "FLUI", "WULF", HOSTING, 0.65, "10-year leases behind the 3.2 notes; rent "
                 "assumed; Google backstop 3.2 (MEXC Sep-2025)", "C", (2, 9, 125), cover=0.85, **backstop),
        contract("FLUI_WULF_JV", "FLUI", "WULF", HOSTING, size("K45"), "9.5 over 10 years; Google assumes "
                 "the lease (Reportify Dec-2025)", "A", (10, 6, 132), cover=0.9, **backstop),
        contract("FLUI_CIFR", "FLUI", "CIFR", HOSTING, 0.3, "3 over 10 years (press Sep-2025); Google "
                 "backstop 1.4 (Minority Mindset)", "B", (9, 6, 130), cover=0.85, **backstop),
        contract("AMZN_CIFR", "AMZN", "CIFR", HOSTING, 0.37, "5.5 over 15 years (press Nov-2025)", "B",
                 (8, 6, 188)),
        contract("CRWV_APLD", "CRWV", "APLD", HOSTING, size("K47"), "11 over 15 years (Applied Digital "
                 "releases 2025)",
                 "A", (0, 12, 180), 0.1),
    ]  # fmt: skip


def equity(facts: Facts) -> list[Row]:
    """Equity of vendors and clouds in labs."""
    terms = {"kind": "equity", "flow": "equity", "margin": 1}
    return [
        contract("NVDA_OAI", "NVDA", "OAI", terms, facts.annual("K01"), "letter of intent, 100 over 5 years "
                 "(EUIS Sep-2025), never signed: honoured in booms only", "A", (6, 12, 66), staged=0),
        contract("NVDA_ANTH", "NVDA", "ANTH", terms, 5, "up to 10 (Wyoming Star Nov-2025), over two years",
                 "A", (1, 0, 25)),
        contract("MSFT_ANTH", "MSFT", "ANTH", terms, 2.5, "up to 5 (Wyoming Star Nov-2025), over two years",
                 "A", (1, 0, 25)),
        contract("AMD_OAI_WARRANTS", "AMD", "OAI", {**terms, "kind": "warrant", "flow": "warrant"}, 6.4,
                 "160m warrants at 0.01, worth 32 at 200 USD a share (assumed); vest as OAI_AMD is delivered",
                 "C", (6, 24, 60), vests_with="OAI_AMD"),
    ]  # fmt: skip


def backstops(facts: Facts) -> list[Row]:
    """Backstops of capacity that a cloud cannot sell."""
    terms = {"kind": "backstop", "flow": "backstop", "margin": COMPUTE["margin"]}
    return [
        contract("NVDA_CRWV_BACKSTOP", "NVDA", "CRWV", terms, facts.annual("K23"), "unsold capacity, 6.3 to "
                 "April 2032 (IDC Nova)", "A", (0, 0, 76)),
    ]  # fmt: skip


def on_record(facts: Facts) -> list[Row]:
    """Announced, paid, or part of another row: no cash in the model."""

    def record(
        name: str, buyer: str, seller: str, kind: str, annual: float, source: str, grade: str,
        months: tuple[int, int, int] = (0, 0, 60), **values: Any,
    ) -> Row:  # fmt: skip
        return contract(
            name, buyer, seller, {"kind": kind, "flow": "none"}, annual, source, grade, months, **values
        )

    size = facts.annual
    return [
        record("OAI_AVGO", "OAI", "AVGO", "chips", 0, "10 GW of own chips, value undisclosed (release "
               "Oct-2025)", "B"),
        record("STARGATE_PLAN", "OAI", "LANDLORD", "plan", size("K13"), "Stargate, 500 over 4 years: a plan",
               "A"),
        record("AMZN_ANTH", "AMZN", "ANTH", "equity", size("K18"), "8 in 2023-24, paid (Business Times)",
               "A"),
        record("GOOG_ANTH", "GOOG", "ANTH", "equity", size("K19"), "3 in 2023-25, paid (Business Times)",
               "A"),
        record("NVDA_CLOUDS", "NVDA", "CRWV", "compute", size("K25"), "26 of cloud commitments, sellers "
               "undisclosed (QNC News): only the part named in NVDA_CRWV and NVDA_LAMB flows", "A",
               (0, 0, 72)),
        record("NVDA_XSPV", "NVDA", "XSPV", "equity", 2, "up to 2 (Inkl Oct-2025): inside the SPV's chips",
               "A", (0, 0, 9)),
        record("XSPV_NVDA", "XSPV", "NVDA", "chips", size("K29"), "20 of chips (Inkl Oct-2025): paid by the "
               "SPV's draws and equity", "A", (0, 0, 18)),
        record("ORCL_NVDA", "ORCL", "NVDA", "chips", size("K38"), "40 for Abilene (FT May-2025): inside "
               "Oracle's capex", "B", (0, 0, 36)),
        record("ANTH_FLUI_PLAN", "ANTH", "FLUI", "plan", size("K46"), "50 of data centres announced "
               "(Nov-2025): ANTH_FLUI carries its start", "B", (0, 0, 36)),
        record("GOOG_WULF_BACKSTOP", "GOOG", "WULF", "backstop", 0.32, "3.2 (MEXC Sep-2025): carried as "
               "cover of FLUI_WULF_LAKE", "A", (0, 0, 120)),
        record("GOOG_CIFR_BACKSTOP", "GOOG", "CIFR", "backstop", 0.14, "1.4 (Minority Mindset Sep-2025): "
               "carried as cover of FLUI_CIFR", "A", (0, 0, 120)),
    ]  # fmt: skip


def security() -> list[Row]:
    """Contracts that secure loans: sources name offtakers only, so pro rata to balance within a firm."""
    shares = {
        "MSFT_CRWV": {"CRWV_DDTL1": 0.3, "CRWV_DDTL2": 0.6, "CRWV_DDTL21": 0.1},
        "OAI_CRWV": {"CRWV_DDTL3": 0.4, "CRWV_NEW": 0.6},
        "META_CRWV": {"CRWV_DDTL21": 0.3, "CRWV_NEW": 0.7},
        "META_CRWV_FURTHER": {"CRWV_NEW": 1.0},
        "XAI_XSPV": {"XSPV_GPU": 1.0},
        "ANTH_FLUI": {"FLUI_GPU": 0.4, "FLUI_NEW": 0.4},
        "MSFT_LAMB": {"LAMB_GPU": 0.6, "LAMB_NEW": 0.4},
        "NVDA_LAMB": {"LAMB_GPU": 0.6},
        "ORCL_CRUS": {"CRUS_GPU": 0.9, "CRUS_NEW": 0.1},
        "MSFT_NSCL": {"NSCL_GPU": 0.3, "NSCL_NEW": 0.65},
        "MSFT_NBIS": {"NBIS_NEW": 1.0},
        "MSFT_IREN": {"IREN_NEW": 1.0},
    }
    source = "offtakers named in the loan's terms; share assumed, pro rata to balance"
    return [
        {"loan": loan, "contract": name, "share": part, "source": source, "grade": "C"}
        for name, loans in shares.items()
        for loan, part in loans.items()
    ]

"""Borrowers behind credit without names, and behind what will be lent: drawn once from stated distributions.

A pool of credit is made of clouds that pledge chips and of companies that lease out sites; each year's new
lending goes to a few of both kinds. They are ordinary firms with loans, pledges and contracts. Known of such
lending are its size and the usual terms; who the borrowers are is not: `DRAWN` states what is assumed.
"""

import dataclasses
from typing import Any

import numpy as np

from engine.book.parameters import Chips, Credit, Economy
from experiments.shipped_book import pools
from experiments.shipped_book.chips import chips
from experiments.shipped_book.facts import Facts, Row

SEED = 20251231
DRAWN: dict[str, tuple[Any, str]] = {
    "cloud_share": (0.6, "of private credit that is lent against chips; the rest against sites"),
    "chips_per_debt": ((0.65, 0.95), "USD of chips at list per USD of debt: 2/3 of cost, 70 to 80% advanced"),
    "vintage": ((0.15, 0.35, 0.50), "shares of 2023, 2024 and 2025 in what is outstanding"),
    "coverage": (1.3, "least DSCR at today's rents: lenders refuse less, so it is drawn again"),
    "cover": ((3.0, 1.6), "Beta law of the share of capacity under contract, of clouds with a tenant"),
    "tenor": ((24, 60), "months that a contract still runs; five years at signing at most"),
    "cloud_tenant": ({"hyperscaler": 0.40, "developer": 0.35, "none": 0.25}, "of a cloud"),
    "site_tenant": ({"hyperscaler": 0.75, "cloud": 0.10, "developer": 0.15}, "of a site"),
    "advance": ((0.55, 0.75), "documented LTV"),
    "amortisation": ((0.15, 0.30), "of the peak balance, a year: that of the named loans against chips"),
    "maturity": ((30, 66), "months; five-year terms, up to two of them gone"),
    "cash_per_debt": ((0.03, 0.08), "a covenant reserve of about six months of interest"),
    "equity_per_debt": ((0.3, 0.8), "value of the owners' stake at cost, at 55 to 75% LTV"),
    "owner_per_debt": ((0.0, 0.04), "what a sponsor would put in, a year"),
    "margin": ((0.05, 0.07), "of private loans over the short rate"),
    "debt_yield": ((0.105, 0.14), "rent over debt of a privately financed site"),
    "bank_debt_yield": ((0.082, 0.095), "rent over debt of a site that banks finance"),
    "opening": ((2, 24), "months until a site under construction earns rent"),
}  # fmt: skip
"""What is drawn: law and reason. Uniform between two numbers where nothing else is said."""

GENERATIONS = {2023: {"A100": 0.2, "H100": 0.8}, 2024: {"H100": 0.6, "H200": 0.4},
               2025: {"H200": 0.2, "B200": 0.35, "GB200": 0.35, "GB300": 0.10}}  # fmt: skip
"""Mix of chips bought in a year."""
BUYERS = {"MSFT": 0.4, "META": 0.3, "AMZN": 0.2, "GOOG": 0.1}
"""Hyperscalers that rent compute from clouds without a name."""
TENANTS = {"MSFT": 0.3, "META": 0.25, "AMZN": 0.2, "GOOG": 0.1, "ORCL": 0.15}
"""Hyperscalers that lease sites; Oracle's leases are of those not commenced (contracts.py)."""
DEVELOPERS = ("DEV_A", "DEV_B", "DEV_C")
"""Buyers of compute who are neither labs with a row nor hyperscalers."""
A_YEAR = {"UNNAMED_PC": {"cloud": 3, "site": 1}, "OTHER_CONSTRUCTION": {"cloud": 0, "site": 2}}
"""Borrowers of a year's new lending by pool."""
ORIGINATION = {"UNNAMED_PC": 0.53, "OTHER_CONSTRUCTION": 0.24}
"""Shares of new sector borrowing (Morgan Stanley 2025-28: private credit 800 of 1,500, other 350)."""
CONTRACT_MARGIN, LEASE_MARGIN, BANK_MARGIN, RAMP = 0.7, 0.95, 0.025, 6
INVENTED: Row = {"source": "drawn from the distributions of population.py; pool total sourced", "grade": "C"}


@dataclasses.dataclass
class Rows:
    """Rows of the book's tables that the population adds."""

    firms: list[Row] = dataclasses.field(default_factory=list)
    loans: list[Row] = dataclasses.field(default_factory=list)
    contracts: list[Row] = dataclasses.field(default_factory=list)
    pledges: list[Row] = dataclasses.field(default_factory=list)
    security: list[Row] = dataclasses.field(default_factory=list)


class Draw:
    """Random numbers of the population, by the names of `DRAWN`."""

    def __init__(self) -> None:
        self.random = np.random.default_rng(SEED)

    def between(self, name: str) -> float:
        """Uniform over the range of `name`."""
        low, high = DRAWN[name][0]
        return float(self.random.uniform(low, high))

    def one_of(self, weights: dict[str, float]) -> str:
        """A name by its weight."""
        return str(self.random.choice(list(weights), p=np.array(list(weights.values()))))

    def tenant(self, kind: str) -> str:
        """The tenant of a cloud or a site; blank for none."""
        group = self.one_of(DRAWN[f"{kind}_tenant"][0])
        if group == "none":
            return ""
        if group == "developer":
            return str(self.random.choice(DEVELOPERS))
        if group == "cloud":
            return "CRWV"
        return self.one_of(BUYERS if kind == "cloud" else TENANTS)


def population(facts: Facts) -> Rows:
    """Borrowers of today's pools, then those of each year's lending."""
    draw, rows = Draw(), developers()
    for pool, members in standing(facts).items():
        clouds = round(DRAWN["cloud_share"][0] * len(members)) if pool == "UNNAMED_PC" else 0
        order = draw.random.permutation(len(members))
        for place, (firm, name, size) in enumerate(members):
            kind = "cloud" if order[place] < clouds else "site"
            borrower(rows, draw, kind, pool, firm, name, size, year=0)
    for year, planned in enumerate(Chips().capex, start=1):
        for pool, kinds in A_YEAR.items():
            each = Credit().origination * planned * ORIGINATION[pool] / sum(kinds.values())
            share = round(ORIGINATION[pool] / sum(kinds.values()), 6)
            for kind, count in kinds.items():
                for number in range(1, count + 1):
                    prefix = "NPC" if pool == "UNNAMED_PC" else "NCON"
                    firm = f"{prefix}_{2025 + year}_{kind[0].upper()}{number}"
                    name = f"New {kind} of {2025 + year}, {number}"
                    borrower(rows, draw, kind, pool, firm, name, each, year, share)
    return rows


def standing(facts: Facts) -> dict[str, list[tuple[str, str, float]]]:
    """(firm, name, size) of the borrowers of each pool of today."""
    members: dict[str, list[tuple[str, str, float]]] = {}
    for firm, name, pool, size, row in pools.borrowers(facts):
        if row["kind"] == "group":
            members.setdefault(pool, []).append((firm, name, size))
    return members


def developers() -> Rows:
    """AI developers without a row of their own: small labs that live on equity rounds."""
    common = {
        "kind": "lab", "revenue_share": 0.02, "fixed_cost": 0.6, "cash": 4, "minimum_cash": 0.3,
        "equity_value": 40,
        "equity_volatility": 0.55, "value_multiple": 0.1, "hazard": 0.0025, **INVENTED,
        "source": "stand for AI developers behind Anthropic and xAI in size; invented",
    }  # fmt: skip
    names = {name: f"AI developer {name[-1]} (stand-in)" for name in DEVELOPERS}
    return Rows(firms=[{"firm": firm, "name": name, **common} for firm, name in names.items()])


def borrower(
    rows: Rows,
    draw: Draw,
    kind: str,
    pool: str,
    firm: str,
    name: str,
    debt: float,
    year: int,
    share: float = 0.0,
) -> None:
    """One borrower with its loan; `debt` is lent today, or planned in `year` as a `share` of the sector's."""
    terms: Row = {
        "loan": f"{firm}_LOAN", "name": name, "borrower": firm, "class": pool, "floating": 1,
        "maturity_month": round(draw.between("maturity")) + 12 * year, **INVENTED,
    }  # fmt: skip
    terms |= {"committed": debt, "drawn": debt} if year == 0 else {
        "committed": 0, "drawn": 0, "new_money": 1, "origination_share": share, "vintage": year
    }  # fmt: skip
    firm_row: Row = {"firm": firm, "name": name, "pool": pool, **INVENTED}
    build = cloud if kind == "cloud" else site
    build(rows, draw, firm_row, terms, debt, year)


def cloud(rows: Rows, draw: Draw, firm: Row, loan: Row, debt: float, year: int) -> None:
    """A cloud that pledges chips, with a contract for part of them or none."""
    vintage = int(draw.random.choice(list(GENERATIONS), p=DRAWN["vintage"][0])) if year == 0 else 2025
    tenant, tenor = draw.tenant("cloud"), round(draw.between("tenor"))
    while True:
        margin, repaid = draw.between("margin"), draw.between("amortisation")
        age = 2025.5 - vintage if year == 0 else 0.0
        units = chips_behind(draw.between("chips_per_debt") * debt / (1.0 - repaid * age), vintage)
        cover = float(draw.random.beta(*DRAWN["cover"][0])) if tenant else 0.0
        capacity, spot = earnings(units)
        cash = CONTRACT_MARGIN * cover * capacity + (1.0 - cover) * spot
        if cash >= DRAWN["coverage"][0] * (repaid + margin + Economy().rate) * debt:
            break
    rows.loans.append({
        **loan, "coupon": round(margin, 4), "refinancing_margin": round(margin, 4), "collateral": 1,
        "ltv_target": round(draw.between("advance"), 3), "uncontracted_share": round(1.0 - cover, 3),
        "amortisation": round(repaid, 3), "amortisation_from_month": 12 * year + RAMP if year else 0,
        "interest_from_month": 12 * year,
        "base_recovery": 0.1, "extension_probability": 0.5, "exchange_probability": 0.25, "pik_share": 0.25,
    })  # fmt: skip
    equity = draw.between("equity_per_debt") * debt
    rows.firms.append({
        **firm, "kind": "neocloud", "cash": amount(draw.between("cash_per_debt") * debt), "minimum_cash": 0,
        "equity_value": amount(equity), "equity_volatility": 0.8, "debt_multiple": 4.5, "asset_multiple": 7,
        "sponsor_capacity": amount(draw.between("owner_per_debt") * debt), "hazard": 0.005,
        "core_stress_beta": 1,
        "ebitda_ttm": amount(cash if year == 0 else 0.0), "equity_capex_share": 0.2,
        "growth_loan": loan["loan"] if year else "",
    })  # fmt: skip
    if year == 0:
        rows.pledges += [
            {"loan": loan["loan"], "generation": g, "thousand_units": round(1000 * million, 3), **INVENTED}
            for g, million in units.items()
        ]
    if not tenant:
        return
    start = 12 * (year - 1) + 4 if year else 0
    name = f"{tenant}_{firm['firm']}"
    rows.contracts.append({
        "contract": name, "buyer": tenant, "seller": firm["firm"], "kind": "compute", "flow": "operating",
        "annual": amount(cover * capacity), "start_annual": 0 if year else amount(cover * capacity),
        "rank": 2, "start_month": start, "ramp_months": 12 if year else 0,
        "end_month": start + (tenor if year == 0 else 60), "margin": CONTRACT_MARGIN, "relet": 0.3,
        "flexibility": 0.5 if tenant in DEVELOPERS else 0, **INVENTED,
    })  # fmt: skip
    rows.security.append({"loan": loan["loan"], "contract": name, "share": 1.0, **INVENTED})


def chips_behind(spent: float, vintage: int) -> dict[str, float]:
    """Million units by generation that `spent` (USD bn) bought at list prices."""
    table = {row["generation"]: row for row in chips()}
    return {g: share * spent / table[g]["list_price_kusd"] for g, share in GENERATIONS[vintage].items()}


def earnings(units: dict[str, float]) -> tuple[float, float]:
    """(Capacity at normal utilisation, what it earns on the spot market), USD bn a year at today's rents."""
    table, hours = {row["generation"]: row for row in chips()}, Chips().utilisation
    rent = {g: 8.76 * hours * table[g]["rental_usd_per_hour"] for g in units}
    cost = {g: 8.76 * table[g]["operating_cost_usd_per_hour"] for g in units}
    capacity = sum(million * rent[g] for g, million in units.items())
    return capacity, sum(million * max(rent[g] - cost[g], 0.0) for g, million in units.items())


def site(rows: Rows, draw: Draw, firm: Row, loan: Row, debt: float, year: int) -> None:
    """A company with one leased site, open or under construction."""
    private = loan["class"] == "UNNAMED_PC"
    while True:
        rent = draw.between("debt_yield" if private else "bank_debt_yield") * debt
        margin = draw.between("margin") if private else BANK_MARGIN
        if LEASE_MARGIN * rent >= DRAWN["coverage"][0] * (margin + Economy().rate) * debt:
            break
    tenant, opening = draw.tenant("site"), round(draw.between("opening"))
    built = bool(draw.random.random() < 0.5) and year == 0
    start = 0 if built else opening + 12 * max(year - 1, 0) + (6 if year else 0)
    rows.loans.append({
        **loan, "coupon": round(margin, 4), "refinancing_margin": round(margin, 4), "tenant": tenant,
        "interest_from_month": 0 if built else start + RAMP, "base_recovery": 0.5 if private else 0.62,
        "extension_probability": 0.5, "exchange_probability": 0.3,
    })  # fmt: skip
    rows.firms.append({
        **firm, "kind": "project", "cash": amount(draw.between("cash_per_debt") * debt),
        "debt_multiple": 11.5 if private else 13.8, "hazard": 0.0015,
        "sponsor_capacity": amount(draw.between("owner_per_debt") * debt),
    })  # fmt: skip
    rows.contracts.append({
        "contract": f"{tenant}_{firm['firm']}", "buyer": tenant, "seller": firm["firm"], "kind": "lease",
        "flow": "operating", "annual": amount(rent), "start_annual": amount(rent) if built else 0,
        "start_month": start, "ramp_months": 0 if built else RAMP, "end_month": start + 120, "rank": 1,
        "margin": LEASE_MARGIN,
        "relet": 0.5, **INVENTED,
    })  # fmt: skip


def amount(value: float) -> float:
    """USD bn to a hundredth of a million."""
    return round(value, 5)

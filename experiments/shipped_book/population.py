"""Borrowers behind credit without names, and behind what will be lent: drawn once from stated distributions.

A group of credit is lent to clouds that pledge chips and to companies that lease out sites; each year's new
lending goes to a few of both kinds. They are ordinary firms with loans, pledges and contracts. Known of such
lending are its size and the usual terms; who the borrowers are is not: `DRAWN` states what is assumed
(docs/population.md).
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from engine.book.parameters import Chips, Credit, Economy
from experiments.shipped_book import pools
from experiments.shipped_book.assumptions import (
    A_YEAR,
    BANK_MARGIN,
    CLOUDS,
    CONTRACT_MARGIN,
    DEVELOPER_SHARE,
    DEVELOPERS,
    DRAWN,
    GENERATIONS,
    LEASE_MARGIN,
    LEASES,
    MERCHANTS,
    ORIGINATION,
    RAMP,
    SIGNED,
)
from experiments.shipped_book.chips import chips
from experiments.shipped_book.facts import Facts, Row
from experiments.shipped_book.sums import plain_sum

SEED = 20251231
"""Of the draw that is shipped."""

ATTEMPTS = 1000
"""Draws of terms until one has the coverage, and of tenants until one has room."""
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
    """Random numbers of the population, by the names of `DRAWN`, and what tenants can still sign for."""

    def __init__(self, seed: int = SEED, room: Mapping[str, float] | None = None) -> None:
        self.random = np.random.default_rng(seed)
        self.room = dict(most_signed() if room is None else room)

    def of(self, name: str) -> Any:
        """A draw from the law of `name`."""
        return DRAWN[name].law.sample(self.random)

    def tenant(self, kind: str, annual: float) -> str:
        """A tenant of a cloud or a site with room for `annual` (USD bn a year).

        Raises ValueError where none is drawn that has it.
        """
        for _ in range(ATTEMPTS):
            party = self.of(f"{kind}_tenant")
            law = {"hyperscaler": f"{kind}_hyperscaler", "developer": "developer"}.get(party)
            name = str(self.of(law)) if law else {"none": "", "cloud": "CRWV"}[party]
            if name and annual <= self.room.get(name, np.inf):
                self.room[name] = self.room.get(name, np.inf) - annual
                return name
        raise ValueError(
            f"{ATTEMPTS} draws of tenants without room for {annual:g} bn a year, expected one with"
        )


@dataclasses.dataclass(frozen=True)
class Terms:
    """What a lender looks at: a year's cash and debt service, and what they come from."""

    cash: float  # USD bn a year at today's rents
    margin: float  # over the short rate
    amortisation: float  # of the peak balance, a year
    annual: float  # what the tenant pays at full size, USD bn a year
    cover: float = 1.0  # share of capacity that the tenant takes
    units: Mapping[str, float] = dataclasses.field(default_factory=dict)  # million, by generation

    def coverage(self, debt: float) -> float:
        """DSCR."""
        return self.cash / ((self.amortisation + self.margin + Economy().rate) * debt)


def accepted(offer: Callable[[], Terms], debt: float, least: float) -> Terms:
    """The first offer with at least this coverage; raises ValueError where lenders refuse all."""
    for _ in range(ATTEMPTS):
        terms = offer()
        if terms.coverage(debt) >= least:
            return terms
    raise ValueError(f"{ATTEMPTS} draws of terms with a DSCR below {least:g}, expected one above")


def most_signed() -> dict[str, float]:
    """What tenants sign for at most, USD bn a year; those that are not named here, without limit."""
    return LEASES | dict.fromkeys(DEVELOPERS, SIGNED * DEVELOPER_SHARE * Economy().plan[5])


def population(
    members: Mapping[str, list[tuple[str, str, float]]],
    seed: int = SEED,
    room: Mapping[str, float] | None = None,
) -> Rows:
    """Borrowers of today's groups, then those of each year's lending.

    members: (firm, name, size in USD bn) of today's borrowers by group (`standing`); room: what tenants sign
    for at most (`most_signed`).
    """
    draw, rows = Draw(seed, room), developers()
    for group, borrowers in members.items():
        kinds = draw.random.permutation(kinds_of(group, len(borrowers)))
        for kind, (firm, name, size) in zip(kinds, borrowers, strict=True):
            borrower(rows, draw, str(kind), group, firm, name, size, year=0)
    for year, planned in enumerate(Chips().capex, start=1):
        for group, counts in A_YEAR.items():
            for kind, count in counts.items():
                share = ORIGINATION[group] * parts_of(group)[kind] / count
                for number in range(1, count + 1):
                    prefix = "NPC" if group == "UNNAMED_PC" else "NCON"
                    firm = f"{prefix}_{2025 + year}_{kind[0].upper()}{number}"
                    paper = "private" if group == "UNNAMED_PC" else "bank"
                    name = f"New {kind} of {2025 + year}, {paper} {number}"
                    size = Credit().origination * planned * share
                    borrower(rows, draw, kind, group, firm, name, size, year, round(share, 6))
    return rows


def parts_of(group: str) -> dict[str, float]:
    """Shares of the kinds of borrower in a group's credit."""
    clouds = CLOUDS if group == "UNNAMED_PC" else 0.0
    return {"cloud": clouds * (1.0 - MERCHANTS), "merchant": clouds * MERCHANTS, "site": 1.0 - clouds}


def kinds_of(group: str, count: int) -> list[str]:
    """Kinds of so many borrowers, in their shares; sites are the rest."""
    clouds = round((1.0 - parts_of(group)["site"]) * count)
    merchants = round(MERCHANTS * clouds)
    return ["merchant"] * merchants + ["cloud"] * (clouds - merchants) + ["site"] * (count - clouds)


def standing(facts: Facts) -> dict[str, list[tuple[str, str, float]]]:
    """(firm, name, size) of today's borrowers of each group."""
    members: dict[str, list[tuple[str, str, float]]] = {}
    for firm, name, group, size, row in pools.borrowers(facts):
        if row["kind"] == "group":
            members.setdefault(group, []).append((firm, name, size))
    return members


def developers() -> Rows:
    """AI developers without a row of their own: small labs that live on equity rounds."""
    common = {
        "kind": "lab", "revenue_share": DEVELOPER_SHARE, "fixed_cost": 0.6, "cash": 4, "minimum_cash": 0.3,
        "equity_value": 40, "equity_volatility": 0.55, "value_multiple": 0.1, "hazard": 0.0025, **INVENTED,
        "source": "stand for AI developers behind Anthropic and xAI in size; invented",
    }  # fmt: skip
    names = {name: f"AI developer {name[-1]} (stand-in)" for name in DEVELOPERS}
    return Rows(firms=[{"firm": firm, "name": name, **common} for firm, name in names.items()])


def borrower(
    rows: Rows,
    draw: Draw,
    kind: str,
    group: str,
    firm: str,
    name: str,
    debt: float,
    year: int,
    share: float = 0.0,
) -> None:
    """One borrower with its loan; `debt` is lent today, or planned in `year` as a `share` of the sector's."""
    loan: Row = {
        "loan": f"{firm}_LOAN", "name": name, "borrower": firm, "class": group, "floating": 1,
        "maturity_month": round(draw.of("maturity")) + 12 * year, **INVENTED,
    }  # fmt: skip
    loan |= {"committed": debt, "drawn": debt} if year == 0 else {
        "committed": 0, "drawn": 0, "new_money": 1, "origination_share": share, "vintage": year
    }  # fmt: skip
    row: Row = {"firm": firm, "name": name, "pool": group, **INVENTED}
    if kind == "site":
        site(rows, draw, row, loan, debt, year)
    else:
        cloud(rows, draw, row, loan, debt, year, let=kind == "cloud")


def cloud(rows: Rows, draw: Draw, firm: Row, loan: Row, debt: float, year: int, let: bool) -> None:
    """A cloud that pledges chips, with a contract for part of them where they are let."""
    vintage = int(draw.of("vintage")) if year == 0 else 2025
    tenor = round(draw.of("tenor"))
    age = 2025.5 - vintage if year == 0 else 0.0
    terms = accepted(lambda: cloud_terms(draw, debt, vintage, age, let), debt, draw.of("coverage"))
    rows.loans.append({
        **loan, "coupon": round(terms.margin, 4), "refinancing_margin": round(terms.margin, 4),
        "collateral": 1, "ltv_target": round(draw.of("advance"), 3),
        "uncontracted_share": round(1.0 - terms.cover, 3),
        "amortisation": round(terms.amortisation, 3), "interest_from_month": 12 * year,
        "amortisation_from_month": 12 * year + RAMP if year else 0,
        "base_recovery": 0.1, "extension_probability": 0.5, "exchange_probability": 0.25, "pik_share": 0.25,
    })  # fmt: skip
    equity = draw.of("equity_per_debt") * debt
    rows.firms.append({
        **firm, "kind": "neocloud", **reserve(draw, debt),
        "equity_value": amount(equity), "equity_volatility": 0.8, "debt_multiple": 4.5, "asset_multiple": 7,
        "sponsor_capacity": amount(draw.of("owner_per_debt") * debt), "hazard": 0.005,
        "core_stress_beta": 1, "ebitda_ttm": amount(terms.cash if year == 0 else 0.0),
        "equity_capex_share": 0.2, "growth_loan": loan["loan"] if year else "",
    })  # fmt: skip
    if year == 0:
        rows.pledges += [
            {"loan": loan["loan"], "generation": g, "thousand_units": round(1000 * million, 3), **INVENTED}
            for g, million in terms.units.items()
        ]
    if not let:
        return
    tenant = draw.tenant("cloud", terms.annual)
    start = 12 * (year - 1) + 4 if year else 0
    name = f"{tenant}_{firm['firm']}"
    rows.contracts.append({
        "contract": name, "buyer": tenant, "seller": firm["firm"], "kind": "compute", "flow": "operating",
        "annual": amount(terms.annual), "start_annual": 0 if year else amount(terms.annual),
        "rank": 2, "start_month": start, "ramp_months": 12 if year else 0,
        "end_month": start + (tenor if year == 0 else 60), "margin": CONTRACT_MARGIN, "relet": 0.3,
        "flexibility": 0.5 if tenant in DEVELOPERS else 0, **INVENTED,
    })  # fmt: skip
    rows.security.append({"loan": loan["loan"], "contract": name, "share": 1.0, **INVENTED})


def cloud_terms(draw: Draw, debt: float, vintage: int, age: float, contracted: bool) -> Terms:
    """Terms of a loan against chips bought `age` years ago, when the balance was at its peak."""
    margin, repaid = draw.of("margin"), draw.of("amortisation")
    units = chips_behind(draw.of("chips_per_debt") * debt / (1.0 - repaid * age), vintage)
    cover = draw.of("cover") if contracted else 0.0
    capacity, spot = earnings(units)
    cash = CONTRACT_MARGIN * cover * capacity + (1.0 - cover) * spot
    return Terms(cash, margin, repaid, cover * capacity, cover, units)


def chips_behind(spent: float, vintage: int) -> dict[str, float]:
    """Million units by generation that `spent` (USD bn) bought at list prices."""
    table = {row["generation"]: row for row in chips()}
    return {g: share * spent / table[g]["list_price_kusd"] for g, share in GENERATIONS[vintage].items()}


def earnings(units: Mapping[str, float]) -> tuple[float, float]:
    """(Capacity at normal utilisation, what it earns on the spot market), USD bn a year at today's rents."""
    table, hours = {row["generation"]: row for row in chips()}, Chips().utilisation
    rent = {g: 8.76 * hours * table[g]["rental_usd_per_hour"] for g in units}
    cost = {g: 8.76 * table[g]["operating_cost_usd_per_hour"] for g in units}
    capacity = plain_sum(million * rent[g] for g, million in units.items())
    return capacity, plain_sum(million * max(rent[g] - cost[g], 0.0) for g, million in units.items())


def site(rows: Rows, draw: Draw, firm: Row, loan: Row, debt: float, year: int) -> None:
    """A company with one leased site, open or under construction."""
    private = loan["class"] == "UNNAMED_PC"
    terms = accepted(lambda: site_terms(draw, debt, private), debt, draw.of("coverage"))
    tenant, opening = draw.tenant("site", terms.annual), round(draw.of("opening"))
    built = bool(draw.random.random() < draw.of("open")) and year == 0
    start = 0 if built else opening + 12 * max(year - 1, 0) + (6 if year else 0)
    rows.loans.append({
        **loan, "coupon": round(terms.margin, 4), "refinancing_margin": round(terms.margin, 4),
        "tenant": tenant, "interest_from_month": 0 if built else start + RAMP,
        "base_recovery": 0.5 if private else 0.62, "extension_probability": 0.5, "exchange_probability": 0.3,
    })  # fmt: skip
    rows.firms.append({
        **firm, "kind": "project", **reserve(draw, debt),
        "debt_multiple": 11.5 if private else 13.8, "hazard": 0.0015,
        "sponsor_capacity": amount(draw.of("owner_per_debt") * debt),
    })  # fmt: skip
    rows.contracts.append({
        "contract": f"{tenant}_{firm['firm']}", "buyer": tenant, "seller": firm["firm"], "kind": "lease",
        "flow": "operating", "annual": amount(terms.annual),
        "start_annual": amount(terms.annual) if built else 0, "start_month": start,
        "ramp_months": 0 if built else RAMP, "end_month": start + 120, "rank": 1, "margin": LEASE_MARGIN,
        "relet": 0.5, **INVENTED,
    })  # fmt: skip


def site_terms(draw: Draw, debt: float, private: bool) -> Terms:
    """Terms of a loan against a leased site: a bullet, paid by the rent."""
    rent = draw.of("debt_yield" if private else "bank_debt_yield") * debt
    margin = draw.of("margin") if private else BANK_MARGIN
    return Terms(LEASE_MARGIN * rent, margin, 0.0, rent)


def reserve(draw: Draw, debt: float) -> Row:
    """Cash that a lender wants to see: it pays interest, not principal or chips."""
    cash = amount(draw.of("cash_per_debt") * debt)
    return {"cash": cash, "minimum_cash": cash}


def amount(value: float) -> float:
    """USD bn to a hundredth of a million."""
    return round(value, 5)

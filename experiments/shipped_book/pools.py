"""Credit without names: groups and pools, their borrowers and tenants, and their tranches.

Every borrower and tenant is invented, 3 to 8 bn each so that a single default and a lender's concentration
matter; only class totals have sources. Sizes rise evenly and sum to the total.
"""

from experiments.shipped_book.facts import Facts, Row
from experiments.shipped_book.sums import plain_sum

BORROWERS = {
    "UNNAMED_PC": ("PC", "Private credit obligor", 20, 1.5),
    "OTHER_CONSTRUCTION": ("CON", "Hyperscale construction obligor", 10, 1.0),
    "CMBS_SASB": ("CMBS", "Single-asset CMBS obligor", 5, 0.8),
}
"""Pool: prefix, name, number, half range of sizes (USD bn)."""

COLO_TENANTS = 16


def pools(facts: Facts) -> list[Row]:
    """Origination follows Morgan Stanley: private credit 800, ABS and CMBS 150, other 350, corporate 200."""
    columns = (
        "pool", "name", "kind", "hazard", "lgd", "refinancing_link", "chip_link", "frailty", "relet", "dscr",
        "ltv", "origination_share", "repayment_month", "balance", "source", "grade",
    )  # fmt: skip
    rows = (
        ("CMBS_SASB", "Single-asset data-centre CMBS", "credit", 0.008, 0.40, 0.5, 0.5, 0.3, 0, 0, 0, 0.02, 0,
         facts.committed("L61"), "31% of 48.2 outstanding (The News Bit Aug-2025; KBRA)", "C"),
        ("ABS_COLO", "Colocation ABS, granular tenants", "lease", 0.01, 0.4, 0.5, 0, 0.3, 0.6, 1.8, 0.68,
         0.03, 36, 21, "69% of 48.2 (The News Bit Aug-2025), two thirds granular assumed; repayment date in "
         "five years from issue (usual), two of them gone (assumed)", "C"),
        ("ABS_HYPER", "Hyperscale ABS, few tenants", "lease", 0, 0.4, 0.5, 0, 0.3, 0.3, 1.45, 0.70, 0.05, 36,
         12, "69% of 48.2 (The News Bit Aug-2025), one third with hyperscale tenants assumed; repayment "
         "date as above", "C"),
    )  # fmt: skip
    return groups(facts) + [dict(zip(columns, row, strict=True)) for row in rows]


def groups(facts: Facts) -> list[Row]:
    """Credit to firms without names (population.py): its size is known; the rest is that of each firm."""
    construction = round(60 - facts.committed("L62"), 3)
    rows = (
        ("UNNAMED_PC", "Private credit to AI infrastructure without names", facts.column("UNNAMED_PC"),
         "12% of 1,340 (Fed, FSB) less named rows"),
        ("OTHER_CONSTRUCTION", "Other hyperscale construction", construction,
         "guess of 60 from 275 of mega-borrowing in 2025, less Rowan"),
    )  # fmt: skip
    columns = ("pool", "name", "balance", "source")
    return [{**dict(zip(columns, row, strict=True)), "kind": "group", "grade": "C"} for row in rows]


def sizes(total: float, count: int, spread: float) -> list[float]:
    """`count` sizes rising evenly over +-spread, summing to total."""
    mean, step = total / count, 2 * spread / (count - 1)
    values = [round(mean - spread + step * i, 3) for i in range(count)]
    values[-1] = round(values[-1] + total - plain_sum(values), 3)
    return values


def shuffled(values: list[float]) -> list[float]:
    """The same values in a fixed order in which neighbours differ."""
    count, stride = len(values), 7
    return [values[(stride * i) % count] for i in range(count)] if count % stride else values


def borrowers(facts: Facts) -> list[tuple[str, str, str, float, Row]]:
    """(firm, name, pool, size, pool row) of every borrower without a name."""
    out = []
    for row in pools(facts):
        if row["pool"] not in BORROWERS:
            continue
        prefix, name, count, spread = BORROWERS[row["pool"]]
        for i, size in enumerate(shuffled(sizes(row["balance"], count, spread)), start=1):
            out.append((f"{prefix}_{i:02d}", f"{name} {i:02d}", row["pool"], size, row))
    return out


def obligors(facts: Facts) -> list[tuple[str, str, str, float, Row]]:
    """Those of credit pools; borrowers of groups are firms of their own (population.py)."""
    return [each for each in borrowers(facts) if each[4]["kind"] == "credit"]


def synthetic_firms(facts: Facts) -> list[Row]:
    """Obligors of the credit pools and tenants of the granular ABS."""
    invented = {"kind": "synthetic", "source": "invented; pool total sourced", "grade": "C"}
    out = [
        {"firm": firm, "name": name, "pool": pool, "pool_share": round(size / row["balance"], 6),
         "hazard": row["hazard"], **invented}
        for firm, name, pool, size, row in obligors(facts)
    ]  # fmt: skip
    return out + [
        {"firm": f"TENANT_{i:02d}", "name": f"Colocation tenant {i:02d}", "pool": "ABS_COLO",
         "pool_share": share, "hazard": 0.01, **invented}
        for i, share in enumerate(colo_shares(), start=1)
    ]  # fmt: skip


def colo_shares() -> list[float]:
    """Rent shares falling evenly from the largest published, 6.5%, to what makes them sum to one."""
    return [round(0.065 - 0.005 * i / (COLO_TENANTS - 1), 4) for i in range(COLO_TENANTS)]


def tenants() -> list[Row]:
    """Tenants of the lease pools and their shares of the rent."""
    granular = {"source": "largest customer 6.5% (Asset Securitization Report: Centersquare)", "grade": "C"}
    named = {"source": "hyperscale tenants assumed; one common factor shows the cliff of the senior tranche",
             "grade": "C"}  # fmt: skip
    mix = {
        "MSFT": 0.22,
        "ORCL": 0.20,
        "META": 0.14,
        "AMZN": 0.14,
        "GOOG": 0.12,
        "CRWV": 0.12,
        "XAI": 0.03,
        "NBIS": 0.03,
    }
    out = [
        {"pool": "ABS_COLO", "firm": f"TENANT_{i:02d}", "share": share, **granular}
        for i, share in enumerate(colo_shares(), start=1)
    ]
    return out + [{"pool": "ABS_HYPER", "firm": firm, "share": share, **named} for firm, share in mix.items()]


def obligor_loans(facts: Facts) -> list[Row]:
    """One loan for each obligor; maturities spread evenly over three to five years, since none is listed."""
    terms = {"class": "CMBS", "floating": 1, "coupon": 0.0225, "refinancing_margin": 0.0225, "grade": "C"}
    return [
        {"loan": f"{firm}_LOAN", "name": name, "borrower": firm, "committed": size, "drawn": size,
         "maturity_month": 36 + (7 * position) % 25, "base_recovery": round(1 - row["lgd"], 4), **terms,
         "source": "invented obligor; pool total and LGD as in pools"}
        for position, (firm, name, _, size, row) in enumerate(obligors(facts))
    ]  # fmt: skip


def tranches() -> list[Row]:
    """Tranches of the securitised pools, attachment and detachment as shares of the debt."""
    abs_source = "A- and BBB- classes (Asset Securitization Report); senior 85% of debt assumed"
    cmbs_source = "AAA to BB classes (KBRA); attachments assumed"
    rows = (
        ("ABS_COLO_A", "ABS_COLO", "Colocation ABS class A-2", "ABS", 0.15, 1, "A-", abs_source),
        ("ABS_COLO_B", "ABS_COLO", "Colocation ABS class B", "ABS", 0, 0.15, "BBB-", abs_source),
        ("ABS_HYPER_A", "ABS_HYPER", "Hyperscale ABS class A-2", "ABS", 0.15, 1, "A-", abs_source),
        ("ABS_HYPER_B", "ABS_HYPER", "Hyperscale ABS class B", "ABS", 0, 0.15, "BBB-", abs_source),
        ("CMBS_A", "CMBS_SASB", "CMBS class A", "CMBS", 0.45, 1, "AAA", cmbs_source),
        ("CMBS_B", "CMBS_SASB", "CMBS class B", "CMBS", 0.28, 0.45, "A-", cmbs_source),
        ("CMBS_C", "CMBS_SASB", "CMBS class C", "CMBS", 0.12, 0.28, "BBB-", cmbs_source),
        ("CMBS_D", "CMBS_SASB", "CMBS class D", "CMBS", 0, 0.12, "BB", cmbs_source),
    )
    columns = ("tranche", "pool", "name", "class", "attachment", "detachment", "rating", "source")
    return [{**dict(zip(columns, row, strict=True)), "grade": "C"} for row in rows]

"""What is assumed of the borrowers behind credit without names; docs/population.md prints it."""

from experiments.shipped_book.laws import Assumption, Beta, Fixed, OneOf, Shares, Uniform

DEVELOPERS = ("DEV_A", "DEV_B", "DEV_C")
"""Buyers of compute who are neither labs with a row nor hyperscalers."""

CLOUDS, MERCHANTS = 0.6, 0.25
"""Share of clouds in private credit, and of clouds without a tenant among them."""

DRAWN = {
    "cloud_share": Assumption(Fixed(CLOUDS), "of private credit: clouds; the rest are sites"),
    "cloud_tenant": Assumption(
        Shares({"hyperscaler": 0.40, "developer": 0.35, "none": MERCHANTS}), "who rents from a cloud"
    ),
    "cloud_hyperscaler": Assumption(
        Shares({"MSFT": 0.4, "META": 0.3, "AMZN": 0.2, "GOOG": 0.1}), "hyperscaler that rents from a cloud"
    ),
    "site_tenant": Assumption(
        Shares({"hyperscaler": 0.75, "cloud": 0.10, "developer": 0.15}),
        "who leases a site; the cloud is CoreWeave",
    ),
    "site_hyperscaler": Assumption(
        Shares({"MSFT": 0.3, "META": 0.25, "AMZN": 0.2, "GOOG": 0.1, "ORCL": 0.15}),
        "hyperscaler that leases a site; the lease is part of those of landlords without a row",
    ),
    "developer": Assumption(OneOf(DEVELOPERS), "AI developer without a row of its own"),
    "vintage": Assumption(
        Shares({"2023": 0.15, "2024": 0.35, "2025": 0.50}), "year in which today's chips were bought"
    ),
    "coverage": Assumption(
        Fixed(1.3), "least DSCR at today's rents: lenders refuse less, so the terms marked * are drawn again"
    ),
    "chips_per_debt": Assumption(
        Uniform(0.65, 0.95), "* USD of chips at list per USD of debt: 2/3 of cost, 70 to 80% advanced"
    ),
    "cover": Assumption(Beta(3.0, 1.6), "* share of capacity under contract, of clouds with a tenant"),
    "amortisation": Assumption(
        Uniform(0.15, 0.30), "* of the peak balance, a year: that of the named loans against chips"
    ),
    "margin": Assumption(Uniform(0.05, 0.07), "* of private loans over the short rate"),
    "debt_yield": Assumption(Uniform(0.105, 0.14), "* rent over debt of a privately financed site"),
    "bank_debt_yield": Assumption(Uniform(0.082, 0.095), "* rent over debt of a site that banks finance"),
    "tenor": Assumption(Uniform(24, 60), "months that a contract of today still runs; five years at signing"),
    "advance": Assumption(Uniform(0.55, 0.75), "documented LTV of a cloud's loan"),
    "maturity": Assumption(Uniform(30, 66), "months; five-year terms, up to two of them gone"),
    "open": Assumption(Fixed(0.5), "probability that a site of today earns rent already"),
    "opening": Assumption(Uniform(2, 24), "months until a site under construction earns rent"),
    "cash_per_debt": Assumption(Uniform(0.03, 0.08), "a covenant reserve of about six months of interest"),
    "equity_per_debt": Assumption(Uniform(0.3, 0.8), "value of the owners' stake at cost, at 55 to 75% LTV"),
    "owner_per_debt": Assumption(Uniform(0.0, 0.04), "what a sponsor would put in, a year"),
}  # fmt: skip
"""What is assumed of the borrowers: law and reason."""

GENERATIONS = {2023: {"A100": 0.2, "H100": 0.8}, 2024: {"H100": 0.6, "H200": 0.4},
               2025: {"H200": 0.2, "B200": 0.35, "GB200": 0.35, "GB300": 0.10}}  # fmt: skip
"""Mix of chips bought in a year."""
DEVELOPER_SHARE, SIGNED = 0.02, 1.4
"""A developer's share of AI revenue; what it signs for, over what it plans to earn in year 5 (as OpenAI)."""
LEASES = {"ORCL": 9.0, "CRWV": 2.1}
"""Rents to landlords without a row, USD bn a year: drawn sites are part of them."""
A_YEAR = {"UNNAMED_PC": {"cloud": 2, "merchant": 1, "site": 1}, "OTHER_CONSTRUCTION": {"site": 2}}
"""Borrowers of a year's new lending by group; a merchant is a cloud without a tenant."""
ORIGINATION = {"UNNAMED_PC": 0.53, "OTHER_CONSTRUCTION": 0.24}
"""Shares of new sector borrowing (Morgan Stanley 2025-28: private credit 800 of 1,500, other 350)."""
CONTRACT_MARGIN, LEASE_MARGIN, BANK_MARGIN, RAMP = 0.7, 0.95, 0.025, 6

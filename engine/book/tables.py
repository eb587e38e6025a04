"""The tables of a book, as data: the one place that says what a column means and which values it takes.

Amounts are USD bn, rates decimals, months counted from the book's date (the past is negative).
Ids are capital letters, digits and underscores. Every row carries `source` and `grade`.
"""

from engine.book.columns import (
    UNKNOWN,
    Column,
    amount,
    choice,
    flag,
    identity,
    months,
    reference,
    share,
    table,
    text,
)
from engine.vocabulary import FACTORS

LENDER_CLASSES = (
    "PRIVATE_CREDIT", "BANK", "INSURER", "PENSION", "HEDGE_FUND", "MUTUAL_FUND", "VENDOR", "FOREIGN",
)  # fmt: skip
"""Holder classes."""

CAPEX_YEARS = 5
"""Years from month 1 for which a firm's capex is planned; the last one holds afterwards."""

ABOUT = table(
    "about", "The book itself, in one row; absent, the shipped book's date stands.", ("name",),
    text("name", "of the book"),
    Column("date", "date", "last day before month 1; every month is counted from it"),
    choice("currency", "USD", "of every amount", "USD"),
    reference("benchmark", "chips", "rent and resale price are reported"),
    reference("second_benchmark", "chips", "resale price is reported too", ""),
    text("base", "shipped book that this one lies over; its rows replace those of the same key", ""),
    optional=True,
)  # fmt: skip

CLASSES = table(
    "classes", "Instrument classes in words; without rows any id is a class.", ("class",),
    identity("class", "instrument class"),
    text("name", "in the report"),
    optional=True,
)  # fmt: skip

CHIPS = table(
    "chips", "Accelerator generations, in order of release.", ("generation",),
    identity("generation", "short name"),
    text("name", "full name"),
    months("release_month", "first volume shipments; planned if positive"),
    flag("slips", "the release may be late"),
    amount("performance_gain", "over the generation before; 1 for released chips", 1.0, "x", strict=True),
    amount("list_price_kusd", "new, with its share of the rack", unit="thousand USD", strict=True),
    amount("price_kusd", "second-hand at month 0; blank if unreleased", UNKNOWN, "thousand USD", strict=True),
    amount("rental_usd_per_hour", "rent at month 0, or planned at release", unit="USD/h", strict=True),
    amount("operating_cost_usd_per_hour", "power and hosting", unit="USD/h"),
    amount("installed_million", "units in use at month 0", 0.0, "million"),
    share("hosting_share", "of data centres that can host it", 1.0, strict=True),
    amount("accounting_life_years", "depreciation life owners book", 6.0, "yr", strict=True),
    least=1,
)  # fmt: skip

FIRMS = table(
    "firms", "Who buys, sells, borrows or guarantees.", ("firm",),
    identity("firm", "short name"),
    text("name", "full name"),
    choice("kind", "lab neocloud host hyperscaler vendor project synthetic", "what it lives on"),
    reference("parent", "firms", "owner in the book", ""),
    flag("cross_default", "defaults the month after its parent does"),
    flag("outside", "cash not modelled: pays while alive"),
    reference("pool", "pools", "pool of a synthetic obligor or tenant, or group of a firm", ""),
    share("pool_share", "of its pool", 0.0),
    share("revenue_share", "of AI revenue (labs)", 0.0),
    amount("fixed_cost", "of a lab, a year", 0.0, "USD bn/yr"),
    amount("core_ebitda", "earned outside the contracts of this book", 0.0, "USD bn/yr", low=None),
    amount("core_growth", "of core EBITDA", 0.0, "1/yr", -1.0, 1.0),
    amount("core_stress_beta", "log fall of core EBITDA per unit of stress", 0.0, "1", high=5.0),
    amount("ebitda_ttm", "trailing twelve months at month 0", 0.0, "USD bn/yr", low=None),
    amount("cash", "at month 0", 0.0),
    amount("minimum_cash", "kept before capex", 0.0),
    amount("equity_value", "market cap or last round; 0 = no access to equity", 0.0, usual=(0.0, 1e4)),
    amount("equity_volatility", "of its own value, apart from the sector", 0.0, "1/sqrt(yr)", high=2.0),
    share("chip_sales_share", "of the sector's chip purchases that it sells (vendors)", 0.0),
    share("support_share", "of its chip sales that it may put into customers", 0.0),
    amount("sponsor_capacity", "an owner would pay in", 0.0, "USD bn/yr"),
    amount("debt_multiple", "debt a lender extends per EBITDA", 0.0, "x"),
    amount("value_multiple", "debt a lender extends per equity value", 0.0, "x"),
    amount("asset_multiple", "assets per EBITDA; 0 = no balance-sheet test", 0.0, "x"),
    amount("hazard", "residual default intensity", 0.0, "1/yr", high=1.0),
    amount("leverage_beta", "hazard's loading on debt over capacity", 0.0, "1", high=10.0),
    *(
        amount(f"capex_{year}", f"of year {year}, funded by the firm itself", 0.0, "USD bn/yr")
        for year in range(1, CAPEX_YEARS + 1)
    ),
    reference("capex_contract", "contracts", "whose size scales capex", ""),
    share("equity_capex_share", "of capex paid with new equity", 0.0),
    reference("growth_loan", "loans", "takes new debt", ""),
    reference("revolver", "loans", "drawn for liquidity", ""),
    text("rating", "agency rating, worst of two", ""),
    amount("cds_bps", "five-year CDS at month 0; blank if none trades", UNKNOWN, "bp"),
    least=1,
)  # fmt: skip

POOLS = table(
    "pools", "Credit without names (kind credit), securitised leases (lease), firms of the model (group).",
    ("pool",),
    identity("pool", "short name"),
    text("name", "full name"),
    choice("kind", "credit lease group", "credit: obligors are loans; lease: tenants pay; group: of firms"),
    amount("hazard", "of an obligor or tenant", 0.0, "1/yr", high=1.0),
    share("lgd", "loss given default before stress", 0.0),
    share("refinancing_link", "how much missing credit raises the hazard", 0.0),
    share("chip_link", "how much chip prices raise the loss given default", 0.0),
    amount("frailty", "sd of the pool's common log hazard", 0.0, "log", high=3.0),
    share("relet", "of lost rent recovered", 0.0),
    amount("dscr", "of a lease pool at month 0", 0.0, "x"),
    share("ltv", "debt over value of a lease pool at month 0", 0.0),
    share("origination_share", "of new sector borrowing; sums to at most 1 over loans and pools", 0.0),
    months("repayment_month", "anticipated repayment of a lease pool, turbo afterwards; 0 = none", 0, 0),
    amount("balance", "committed", strict=True),
    optional=True,
)  # fmt: skip

TENANTS = table(
    "tenants", "Who pays the rent of a lease pool.", ("pool", "firm"),
    reference("pool", "pools", "of kind lease"),
    reference("firm", "firms", "tenant"),
    share("share", "of the pool's rent", strict=True),
    optional=True,
)  # fmt: skip

LOANS = table(
    "loans", "Loans and bonds, one row for each synthetic obligor too.", ("loan",),
    identity("loan", "short name"),
    text("name", "full name"),
    reference("borrower", "firms", "who owes it"),
    identity("class", "instrument class"),
    amount("committed", "drawn and undrawn"),
    amount("drawn", "at month 0"),
    months("draw_months", "the undrawn part is drawn linearly over them; 0 = not drawn", 0, 0),
    months("maturity_month", "final maturity", low=1),
    reference("tenant", "firms", "whose being alive extends the loan", ""),
    months("tenor_months", "after refinancing", 60, 1),
    flag("floating", "coupon is a margin over the short rate"),
    amount("coupon", "fixed rate, or margin if floating", unit="1/yr", high=1.0),
    amount("refinancing_margin", "over the short rate, after refinancing", 0.03, "1/yr", high=1.0),
    months("interest_from_month", "before, interest is in the construction budget", 0),
    amount("amortisation", "of the peak balance", 0.0, "1/yr", high=1.0, usual=(0.0, 1.0)),
    months("amortisation_from_month", "first amortisation", 0),
    amount("ladder", "of a bond stock maturing", 0.0, "1/yr", high=1.0),
    share("extension_probability", "of a failed refinancing", 0.5),
    share("exchange_probability", "that what fails next is a distressed exchange", 0.3),
    flag("collateral", "LTV and DSCR tests on chips"),
    amount("ltv_target", "documented LTV at month 0", 0.0, "1", high=2.0),
    share("uncontracted_share", "of pledged chips' market income counted in DSCR", 0.0),
    share("base_recovery", "before stress", 0.4),
    amount("ebitda_recovery", "EBITDA multiple recovered by all debt, beside base_recovery", 0.0, "x"),
    reference("guarantor", "firms", "pays on default while alive", ""),
    share("guarantee_cover", "of the balance", 0.0),
    amount("conversion", "rise of equity value from which it is paid in shares; 0 = never", 0.0, "x"),
    share("pik_share", "of interest that may be added to the balance when cash is short", 0.0),
    flag("revolver", "drawn on need"),
    flag("new_money", "starts at zero and grows with capex"),
    share("origination_share", "of new sector borrowing; sums to at most 1 over loans and pools", 0.0),
    Column("vintage", "integer", "year in which it takes that share; 0 = every year", "", 0, 0, 10),
    least=1,
)  # fmt: skip

PLEDGES = table(
    "pledges", "Chips pledged to loans.", ("loan", "generation"),
    reference("loan", "loans", "with collateral = 1"),
    reference("generation", "chips", "released at month 0"),
    amount("thousand_units", "pledged", unit="thousand", strict=True),
    optional=True,
)  # fmt: skip

SECURITY = table(
    "security", "Contracts whose cash is pledged to loans.", ("loan", "contract"),
    reference("loan", "loans", "with collateral = 1"),
    reference("contract", "contracts", "sold by the borrower or its group"),
    share("share", "of the contract's cash", strict=True),
    optional=True,
)  # fmt: skip

TRANCHES = table(
    "tranches", "Slices of a pool's debt; they tile [0, 1].", ("tranche",),
    identity("tranche", "short name"),
    reference("pool", "pools", "sliced"),
    text("name", "full name"),
    identity("class", "instrument class"),
    share("attachment", "of the pool's debt; 0 = first loss"),
    share("detachment", "of the pool's debt", strict=True),
    text("rating", "agency rating", ""),
    optional=True,
)  # fmt: skip

CONTRACT_KINDS = (
    "compute", "chips", "lease", "colocation", "equity", "warrant", "backstop", "subscription", "plan",
)  # fmt: skip
CONTRACT_FLOWS = ("operating", "equity", "warrant", "backstop", "none")

CONTRACTS = table(
    "contracts", "Who owes whom for what.", ("contract",),
    identity("contract", "short name"),
    reference("buyer", "firms", "pays"),
    reference("seller", "firms", "is paid"),
    choice("kind", " ".join(CONTRACT_KINDS), "what is bought"),
    choice("flow", " ".join(CONTRACT_FLOWS), "none: information only, or inside another row"),
    amount("annual", "full size", unit="USD bn/yr"),
    amount("start_annual", "today's spend", 0.0, "USD bn/yr"),
    months("start_month", "first payment or start of the ramp", 0),
    months("ramp_months", "from today's spend to full size", 0, 0),
    months("end_month", "last payment before renewal"),
    flag("staged", "equity: 1 paid in stages, 0 a letter honoured in booms only", 1),
    reference("vests_with", "contracts", "warrant: contract whose size vests it", ""),
    share("flexibility", "that falls with AI revenue below plan", 0.0),
    Column("rank", "integer", "1 paid first (leases), 2 after (compute)", "", 2, 1, 2),
    share("margin", "seller's cash margin; 1 for equity", 1.0),
    share("relet", "of lost income recovered at market", 0.0),
    reference("guarantor", "firms", "pays for the buyer while alive", ""),
    share("cover", "of the payment guaranteed", 0.0),
    optional=True,
)  # fmt: skip

LENDERS = table(
    "lenders", "Who holds the debt; vehicles owe debt to, and are owned by, other lenders.", ("lender",),
    identity("lender", "short name"),
    text("name", "full name"),
    choice("class", " ".join(LENDER_CLASSES), "holder class"),
    flag("vehicle", "a fund whose debt and equity are in interlender"),
    text("manager", "group that runs the vehicle", ""),
    amount("capital", "that absorbs losses", strict=True, usual=(0.0, 1e4)),
    amount("other_assets", "of a vehicle, outside this book", 0.0),
    amount("debt", "of a vehicle", 0.0),
    months("recognition_months", "from loss to mark", 1, 0),
    share("lending_weight", "in new lending", 0.0),
    share("capital_growth", "of capital a year: earnings retained, for a vehicle money raised", 0.05),
    amount("appetite", "exposure at which it stops to lend, over today's", 4.0, "x", 1.0, 100.0, strict=True),
    amount("bust_equity", "share of capital lost elsewhere per log fall of equity", 0.0, "1", high=10.0),
    amount("bust_spread", "share of capital lost elsewhere per rise of spreads by one", 0.0, "1", high=10.0),
    amount(
        "bust_credit", "share of capital lost elsewhere in a year of bust; blank = 1% of other_assets",
        UNKNOWN, "1/yr", high=10.0, usual=(0.0, 1.0),
    ),
    amount("equity", "first bearers can lose; blank = capital", UNKNOWN, strict=True, usual=(0.0, 1e4)),
    amount(
        "asset_coverage", "of a vehicle: least assets over debt; blank = none", UNKNOWN, "x", 1.0, strict=True
    ),
    amount("line", "committed to a vehicle by its creditors, undrawn at month 0", 0.0),
    share("limit_start", "of capital lost when another lender's limit binds; blank = never", UNKNOWN),
    amount("limit_slope", "paper sold beyond, share per share of capital", 0.0, "1", high=100.0),
    share("withdrawal_start", "of capital lost when its investors begin to leave", 0.0),
    amount("withdrawal_slope", "capital withdrawn beyond, share per share lost", 0.0, "1", high=100.0),
    share("gate", "most withdrawn in a month, of capital", 1.0),
    share("mark_weight", "of price falls of paper that counts as capital lost", 0.0),
    share("buyer_weight", "in purchases of paper that others must sell", 0.0),
    least=1,
)  # fmt: skip

HOLDINGS = table(
    "holdings", "Who holds what share of an instrument.", ("instrument", "lender"),
    reference("instrument", "loans tranches pools", "a pool or group stands for its loans without own rows"),
    reference("lender", "lenders", "holder"),
    share("share", "of the instrument; blank = holder known, amount unknown", UNKNOWN),
    flag("known", "1 fixed by a source, 0 filled"),
    least=1,
)  # fmt: skip

PRIORS = table(
    "priors", "Who holds an instrument class, as far as known; without rows its filled holdings are means.",
    ("class", "holder_class"),
    identity("class", "instrument class"),
    choice("holder_class", " ".join(LENDER_CLASSES), "class of the holders"),
    share("mean", "of the class's commitments; sums to 1 over its holder classes"),
    share("low", "least share", 0.0),
    share("high", "greatest share", 1.0),
    amount("concentration", "of the Dirichlet law of the shares", 20.0, "1", strict=True),
    optional=True,
)  # fmt: skip

INTERLENDER = table(
    "interlender", "Claims of lenders on vehicles.", ("lender", "vehicle", "kind"),
    reference("lender", "lenders", "creditor or owner"),
    reference("vehicle", "lenders", "with vehicle = 1"),
    choice("kind", "debt equity", "of the vehicle"),
    share("share", "of the vehicle's debt or capital", strict=True),
    optional=True,
)  # fmt: skip

PAPER = table(
    "paper", "Marketable instrument classes; lenders sell no other.", ("class",),
    identity("class", "instrument class"),
    amount("spread", "over the short rate at month 0", unit="1/yr", high=1.0),
    amount("duration", "of the spread", unit="yr", high=50.0),
    amount("depth", "sale that divides the price by e", strict=True, usual=(0.0, 1e5)),
    optional=True,
)  # fmt: skip

BEARERS = table(
    "bearers", "Who bears losses in the end.", ("bearer",),
    identity("bearer", "short name"),
    text("name", "full name"),
    amount("wealth", "that the loss is held against", strict=True, usual=(0.0, 1e6)),
    least=1,
)  # fmt: skip

INCIDENCE = table(
    "incidence", "On whom a lender's loss falls.", ("lender", "bearer", "layer"),
    reference("lender", "lenders", "whose loss it is; of a vehicle, what it does not pass on"),
    reference("bearer", "bearers", "on whom it falls"),
    choice("layer", "first rest", "first: up to the lender's equity; rest: beyond"),
    share("share", "of the layer", strict=True),
    least=1,
)  # fmt: skip

MARKET = table(
    "market", "Market levels at month 0, for checks and plots.", ("name",),
    text("name", "what is quoted"),
    amount("value", "level", unit="", low=None),
    text("unit", "of the level"),
    optional=True,
)  # fmt: skip

HISTORY = table(
    "history", "Observed series, for checks and plots.", ("date", "series"),
    Column("date", "date", "period"),
    text("series", "what is observed"),
    amount("value", "observation", unit="", low=None),
    text("unit", "of the series"),
    optional=True,
)  # fmt: skip

REFERENCE_QUANTITIES = ("el", "var_99", "es_99", "exposure", "boom", "plateau", "bust", "pd")

REFERENCES = table(
    "references", "Results of other models, shown beside the run's.", ("quantity", "firm", "horizon"),
    choice(
        "quantity", " ".join(REFERENCE_QUANTITIES),
        "el, var_99, es_99: system loss, USD bn; exposure: debt it refers to, USD bn; boom, plateau, bust: "
        "share of paths; pd: default probability",
    ),
    reference("firm", "firms", "whose default probability", ""),
    months("horizon", "from the book's date; of a default probability 12", 0, 0),
    amount("value", "result", unit=""),
    optional=True,
)  # fmt: skip

CORRELATION = table(
    "correlation", "Replaces the correlation of the factors; empty keeps the parameters'.", ("factor",),
    choice("factor", " ".join(FACTORS), "row of the matrix"),
    *(amount(factor, f"correlation with {factor}", unit="1", low=-1.0, high=1.0) for factor in FACTORS),
    optional=True,
)  # fmt: skip

TABLES = {
    each.name: each
    for each in (
        ABOUT, CLASSES, CHIPS, FIRMS, POOLS, TENANTS, LOANS, PLEDGES, SECURITY, TRANCHES, CONTRACTS,
        LENDERS, HOLDINGS, PRIORS, INTERLENDER, PAPER, BEARERS, INCIDENCE, MARKET, HISTORY, REFERENCES,
        CORRELATION,
    )
}  # fmt: skip
"""Every table of a book by name."""

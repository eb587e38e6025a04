"""Every identity of a book, broken once: the edit of the small book, and where it is told, in what words."""


def cell(table, row, column, value):
    return lambda book: book.set(table, row, column, value)


def drop(table, row):
    return lambda book: book.drop(table, row)


def add(table, **cells):
    return lambda book: book.add(table, **cells)


BREAKS = {
    # what breaks: (edit, file, row, column, words of what was expected)
    "a date within a month": (
        cell("about", 2, "date", "2025-12-30"), "about.csv", 2, "date", "last day of a month",
    ),
    "one benchmark twice": (
        cell("about", 2, "second_benchmark", "OLD"), "about.csv", 2, "second_benchmark", "another chip",
    ),
    "unknown benchmark": (cell("about", 2, "benchmark", "GONE"), "about.csv", 2, "benchmark", "id of chips"),
    "two rows about a book": (
        add("about", name="Another", date="2026-12-31", benchmark="NEW"), "about.csv", 3, "name", "one row",
    ),
    "a class that is not listed": (
        cell("paper", 2, "class", "JUNK"), "paper.csv", 2, "class", "one of GPU_DDTL_1_2, GPU_DDTL_3_PLUS",
    ),
    "a class that nothing has": (
        lambda book: (
            book.write("classes", book.read("classes")[:1]), book.set("priors", 2, "class", "JUNK"),
        ),
        "priors.csv", 2, "class", "one of ABS, GPU_DDTL_1_2",
    ),
    "reference of a default to nobody": (
        cell("references", 2, "quantity", "pd"), "references.csv", 2, "firm", "the firm of pd",
    ),
    "reference of a loss to a firm": (
        cell("references", 2, "firm", "CLOUD"), "references.csv", 2, "firm", "blank: quantity = el",
    ),
    "unknown buyer": (cell("contracts", 2, "buyer", "NOBODY"), "contracts.csv", 2, "buyer", "id of firms"),
    "paper without buyers": (
        cell("lenders", 6, "buyer_weight", ""), "lenders.csv", 2, "buyer_weight", "sum to 1",
    ),
    "a buyer who must sell": (
        cell("lenders", 6, "withdrawal_slope", "1"), "lenders.csv", 6, "withdrawal_slope", "buyer_weight = 1",
    ),
    "asset coverage of a bank": (
        cell("lenders", 3, "asset_coverage", "1.5"), "lenders.csv", 3, "asset_coverage", "no debt",
    ),
    "a fund past its limit from the start": (
        cell("lenders", 2, "asset_coverage", "2"), "lenders.csv", 2, "asset_coverage", "at most (capital",
    ),
    "line of a bank": (cell("lenders", 3, "line", "1"), "lenders.csv", 3, "line", "no debt"),
    "start of a fund's limit": (
        cell("lenders", 2, "limit_start", "0.5"), "lenders.csv", 2, "limit_start", "vehicle = 1",
    ),
    "slope without a start": (
        cell("lenders", 5, "limit_slope", "1"), "lenders.csv", 5, "limit_slope", "without a limit_start",
    ),
    "equity below capital": (
        cell("lenders", 3, "equity", "4"), "lenders.csv", 3, "equity", "at least capital",
    ),
    "half a bearer": (cell("incidence", 4, "share", "0.5"), "incidence.csv", 4, "share", "BANK first"),
    "nobody stands behind a bank": (drop("incidence", 5), "lenders.csv", 3, "lender", "layer rest"),
    "unknown bearer": (
        cell("incidence", 4, "bearer", "NOBODY"), "incidence.csv", 4, "bearer", "id of bearers",
    ),
    "unknown lender": (cell("holdings", 5, "lender", "NOBODY"), "holdings.csv", 5, "lender", "id of lenders"),
    "unknown instrument": (
        add("holdings", instrument="NOTHING", lender="BANK", share="1"),
        "holdings.csv", 20, "instrument", "id of loans or tranches or pools",
    ),
    "unknown borrower": (cell("loans", 3, "borrower", "NOBODY"), "loans.csv", 3, "borrower", "id of firms"),
    "firm twice": (cell("firms", 4, "firm", "CLOUD"), "firms.csv", 4, "firm", "also in row 3"),
    "holding twice": (cell("holdings", 4, "lender", "BANK"), "holdings.csv", 4, "lender", "also in row 3"),
    "tranche named as a loan": (
        cell("tranches", 2, "tranche", "HOST_NOTES"), "tranches.csv", 2, "tranche",
        "no loan, tranche or pool",
    ),
    "release order": (cell("chips", 3, "release_month", "-40"), "chips.csv", 3, "release_month", "row above"),
    "released chip without price": (cell("chips", 3, "price_kusd", ""), "chips.csv", 3, "price_kusd",
                                    "released"),
    "units of a future chip": (
        cell("chips", 4, "installed_million", "1"), "chips.csv", 4, "installed_million", "not released",
    ),
    "synthetic firm without pool": (cell("firms", 8, "pool", ""), "firms.csv", 8, "pool", "synthetic"),
    "named firm in a pool": (cell("firms", 4, "pool", "CREDIT"), "firms.csv", 4, "pool", "blank"),
    "revenue share of a cloud": (cell("firms", 3, "revenue_share", "0.1"), "firms.csv", 3, "revenue_share",
                                 "labs"),
    "labs earn more than all revenue": (
        lambda book: [
            book.set("firms", *at)
            for at in ((2, "revenue_share", "0.8"), (3, "kind", "lab"), (3, "revenue_share", "0.4"))
        ],
        "firms.csv", 2, "revenue_share", "at most 1",
    ),
    "nothing installed": (
        lambda book: (book.set("chips", 2, "installed_million", ""), book.set("chips", 3, "installed_million",
                                                                              "")),
        "chips.csv", None, "installed_million", "units of a generation",
    ),
    "lease pool without tenants": (
        lambda book: (book.drop("tenants", 4), book.drop("tenants", 3), book.drop("tenants", 2)),
        "pools.csv", 3, "pool", "tenants of RENTS",
    ),
    "firm owns itself": (cell("firms", 4, "parent", "HOST"), "firms.csv", 4, "parent", "own itself"),
    "growth loan of another": (
        cell("firms", 4, "growth_loan", "CLOUD_NEW"), "firms.csv", 4, "growth_loan",
        "a loan of HOST with new_money",
    ),
    "revolver that is none": (
        cell("firms", 3, "revolver", "CLOUD_NOTES"), "firms.csv", 3, "revolver",
        "a loan of CLOUD with revolver",
    ),
    "drawn above committed": (cell("loans", 3, "drawn", "1.6"), "loans.csv", 3, "drawn", "committed = 1.5"),
    "new money drawn": (
        lambda book: (book.set("loans", 4, "committed", "1"), book.set("loans", 4, "drawn", "1")),
        "loans.csv", 4, "drawn", "starts at zero",
    ),
    "cover without guarantor": (
        cell("loans", 5, "guarantee_cover", "0.5"), "loans.csv", 5, "guarantor", "a guarantor",
    ),
    "borrower guarantees itself": (
        lambda book: (book.set("loans", 5, "guarantee_cover", "0.5"), book.set("loans", 5, "guarantor",
                                                                               "SITE")),
        "loans.csv", 5, "guarantor", "other than the borrower",
    ),
    "covenant without an LTV": (cell("loans", 2, "ltv_target", ""), "loans.csv", 2, "ltv_target",
                                "LTV above 0"),
    "covenant without chips": (
        lambda book: (book.drop("pledges", 3), book.drop("pledges", 2)), "loans.csv", 2, "collateral",
        "chips",
    ),
    "new covenant without contract": (drop("security", 3), "loans.csv", 4, "collateral",
                                      "a contract in security"),
    "no maturity": (cell("loans", 3, "maturity_month", ""), "loans.csv", 3, "maturity_month", "whole number"),
    "chips of an untested loan": (
        cell("pledges", 2, "loan", "CLOUD_NOTES"), "pledges.csv", 2, "loan", "collateral = 1",
    ),
    "security of an untested loan": (
        cell("security", 2, "loan", "CLOUD_NOTES"), "security.csv", 2, "loan", "collateral = 1",
    ),
    "chips not yet released": (
        cell("pledges", 3, "generation", "NEXT"), "pledges.csv", 3, "generation", "released at month 0",
    ),
    "more chips than exist": (
        cell("pledges", 3, "thousand_units", "2000"), "pledges.csv", 3, "thousand_units", "1000 thousand NEW",
    ),
    "contract pledged twice": (
        add("security", loan="CLOUD_NEW", contract="BIG_CLOUD", share="0.4"), "security.csv", 2, "share",
        "BIG_CLOUD",
    ),
    "security of a stranger": (
        cell("security", 2, "contract", "BIG_SITE"), "security.csv", 2, "contract", "borrower of CLOUD_GPU",
    ),
    "buyer is seller": (cell("contracts", 2, "seller", "LAB"), "contracts.csv", 2, "seller",
                        "other than the buyer"),
    "contract ends first": (cell("contracts", 3, "end_month", "0"), "contracts.csv", 3, "end_month",
                            "start_month"),
    "equity as purchase": (cell("contracts", 6, "flow", "operating"), "contracts.csv", 6, "flow",
                           "equity or none"),
    "purchase as equity": (cell("contracts", 2, "flow", "equity"), "contracts.csv", 2, "flow",
                           "operating or none"),
    "backstop that is a lease": (
        cell("contracts", 2, "flow", "backstop"), "contracts.csv", 2, "flow", "operating or none",
    ),
    "purchase that vests": (
        cell("contracts", 2, "vests_with", "HALL"), "contracts.csv", 2, "vests_with", "only a warrant",
    ),
    "convertible of a firm without shares": (
        lambda book: (book.set("loans", 3, "conversion", "1.3"), book.set("firms", 3, "equity_value", "")),
        "loans.csv", 3, "conversion", "no equity_value",
    ),
    "purchase by letter": (cell("contracts", 2, "staged", "0"), "contracts.csv", 2, "staged", "only equity"),
    "spend before the start": (
        cell("contracts", 2, "start_month", "3"), "contracts.csv", 2, "start_month", "today's spend",
    ),
    "cover of nobody": (cell("contracts", 2, "guarantor", ""), "contracts.csv", 2, "guarantor",
                        "cover = 0.2"),
    "synthetic buyer": (
        cell("contracts", 2, "buyer", "OBLIGOR_1"), "contracts.csv", 2, "buyer", "not synthetic",
    ),
    "pool shares": (cell("firms", 8, "pool_share", "0.4"), "firms.csv", 8, "pool_share", "shares of CREDIT"),
    "obligor without loan": (
        lambda book: (book.drop("loans", 9), book.set("pools", 2, "balance", "4.8")),
        "firms.csv", 10, "firm", "one loan",
    ),
    "obligor's part of the pool": (
        lambda book: (book.set("firms", 8, "pool_share", "0.4"), book.set("firms", 9, "pool_share", "0.4")),
        "firms.csv", 8, "pool_share", "over the balance of CREDIT",
    ),
    "loan of a tenant": (cell("firms", 10, "pool", "RENTS"), "loans.csv", 9, "borrower", "lease pool"),
    "chips of an obligor": (cell("loans", 7, "collateral", "1"), "loans.csv", 7, "collateral", "synthetic"),
    "tenant from another pool": (
        cell("tenants", 2, "firm", "OBLIGOR_1"), "tenants.csv", 2, "firm", "synthetic tenant of RENTS",
    ),
    "pool balance": (cell("pools", 2, "balance", "7"), "pools.csv", 2, "balance", "6 committed"),
    "tenants of a credit pool": (cell("tenants", 2, "pool", "CREDIT"), "tenants.csv", 2, "pool",
                                 "kind lease"),
    "tenants' shares": (cell("tenants", 3, "share", "0.2"), "tenants.csv", 2, "share", "shares of RENTS"),
    "lease pool without value": (cell("pools", 3, "ltv", ""), "pools.csv", 3, "ltv", "above 0"),
    "lease pool without tranches": (
        lambda book: [book.drop(*at) for at in (("tranches", 3), ("tranches", 2), *(("holdings", 17),) * 3)],
        "pools.csv", 3, "pool", "tranches of RENTS",
    ),
    "gap between tranches": (
        cell("tranches", 2, "attachment", "0.3"), "tranches.csv", 2, "attachment",
        "0.2, where the tranche below",
    ),
    "tranches stop short": (cell("tranches", 2, "detachment", "0.9"), "tranches.csv", 2, "detachment",
                            "1 (tranches"),
    "tranche upside down": (
        cell("tranches", 2, "detachment", "0.1"), "tranches.csv", 2, "detachment", "more than attachment",
    ),
    "origination": (cell("pools", 2, "origination_share", "1"), "loans.csv", None, "origination_share",
                    "sum to at most 1"),
    "loan held in part": (cell("holdings", 5, "share", "0.6"), "holdings.csv", 5, "share",
                          "CLOUD_NOTES that sum"),
    "nothing left for a blank": (cell("holdings", 2, "share", "1"), "holdings.csv", 3, "share",
                                 "blank share"),
    "loan held by nobody": (drop("holdings", 11), "loans.csv", 6, "loan", "holders in holdings"),
    "tranche held by nobody": (drop("holdings", 19), "tranches.csv", 3, "tranche", "holders in holdings"),
    "lease pool held beside its tranches": (
        add("holdings", instrument="RENTS", lender="BANK", share="1"),
        "holdings.csv", 20, "instrument", "held through tranches",
    ),
    "lending weights": (cell("lenders", 3, "lending_weight", "0.5"), "lenders.csv", 2, "lending_weight",
                        "sum to 1"),
    "a bank with vehicle debt": (cell("lenders", 3, "debt", "2"), "lenders.csv", 3, "debt", "vehicle = 0"),
    "claim on no vehicle": (cell("interlender", 2, "vehicle", "BONDS"), "interlender.csv", 2, "vehicle",
                            "vehicle = 1"),
    "vehicle owns itself": (cell("interlender", 2, "lender", "FUND"), "interlender.csv", 2, "lender",
                            "another lender"),
    "vehicle's debt": (cell("interlender", 3, "share", "0.3"), "interlender.csv", 2, "share",
                       "FUND debt that sum"),
    "vehicle without owners": (
        lambda book: (book.drop("interlender", 5), book.drop("interlender", 4)),
        "lenders.csv", 2, "vehicle", "holders of the equity",
    ),
    "fund holds more than it has": (
        cell("lenders", 2, "capital", "1"), "lenders.csv", 2, "capital", "at most its assets of 5",
    ),
    "pension fund holds more than it has": (
        cell("lenders", 6, "capital", "3"), "lenders.csv", 6, "capital", "at most its assets of 3",
    ),
    "bank beyond its capital": (cell("lenders", 3, "capital", "0.2"), "lenders.csv", 3, "capital",
                                "assets of 2.5"),
    "claims beyond the bank's assets": (
        lambda book: (book.set("lenders", 3, "capital", "0.2"), book.set("lenders", 2, "debt", "40")),
        "interlender.csv", 2, "share", "at most its assets of 2.5: 29.5 less, or 2.36 more capital",
    ),
    "claims on debt that is not there": (
        cell("lenders", 2, "debt", "0"), "interlender.csv", 2, "vehicle", "a vehicle with debt above 0",
    ),
    "funds that own each other": (
        lambda book: (
            book.add("lenders", lender="FEEDER", name="Feeder fund", vehicle="1", capital="9", debt="0",
                     recognition_months="1", **{"class": "PRIVATE_CREDIT"}),
            book.drop("interlender", 5), book.drop("interlender", 4),
            book.add("interlender", lender="FEEDER", vehicle="FUND", kind="equity", share="1"),
            book.add("interlender", lender="FUND", vehicle="FEEDER", kind="equity", share="1"),
        ),
        "interlender.csv", 4, "lender", "some of the equity of FUND or FEEDER",
    ),
    "blanks that nobody can take": (
        lambda book: (
            book.set("loans", 2, "committed", "60"), book.set("loans", 2, "drawn", "60"),
            book.set("holdings", 2, "share", "0.01"), book.set("holdings", 4, "share", "0.01"),
            book.set("lenders", 3, "capital", "1"),
        ),
        "lenders.csv", 3, "capital", "room for the blank shares of CLOUD_GPU",
    ),
    "factor missing": (drop("correlation", 7), "correlation.csv", None, "factor", "one row for each"),
    "diagonal": (cell("correlation", 3, "technology", "0.9"), "correlation.csv", 3, "technology", "diagonal"),
    "symmetry": (cell("correlation", 5, "demand", "-0.3"), "correlation.csv", 5, "demand", "as in row 2"),
    "not semidefinite": (
        lambda book: [
            book.set("correlation", *at)
            for at in ((2, "equity", "0.99"), (6, "demand", "0.99"), (5, "equity", "0.99"), (6, "credit",
                                                                                             "0.99"))
        ],
        "correlation.csv", None, "", "positive semidefinite",
    ),
}  # fmt: skip

"""Borrowers without names: many draws against their stated laws, and the draw that is shipped.

A mean of n draws is held to within four standard errors of its law, with seeds that are fixed.
"""

import csv
import pathlib

import numpy as np
import pytest

from engine.book.load import load_book, shipped_book
from engine.book.parameters import Chips, Credit, Economy
from experiments.shipped_book import population
from experiments.shipped_book.assumptions import DEVELOPERS, DRAWN, GENERATIONS
from experiments.shipped_book.build import plain
from experiments.shipped_book.chips import chips
from experiments.shipped_book.laws import Shares, Uniform

DRAWS, ERRORS = 90, 4.0
RATE = Economy().rate
PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs/population.md"


@pytest.fixture(scope="module")
def book():
    return load_book(shipped_book("ai_credit_2025"))


@pytest.fixture(scope="module")
def members(book):
    """Today's borrowers by group, from the book that is shipped."""
    loans = book["loans"].set_index("borrower")
    groups = book["pools"].query("kind == 'group'")["pool"]
    today = book["firms"][book["firms"]["firm"].isin(loans.index[loans["committed"] > 0])]
    return {
        group: [
            (row.firm, row.name, loans.loc[row.firm, "committed"])
            for row in today[today["pool"] == group].itertuples(index=False)
        ]
        for group in groups
    }


@pytest.fixture(scope="module")
def draws(members):
    """Borrowers of many populations, each with its loan, contract and pledges."""
    return [
        borrower
        for seed in range(1, DRAWS + 1)
        for borrower in joined(population.population(members, seed), seed)
    ]


def joined(rows, seed):
    """A dict for each borrower: its rows, kind, debt and year."""
    loans = {row["borrower"]: row for row in rows.loans}
    contracts = {row["seller"]: row for row in rows.contracts}
    pledges = {}
    for row in rows.pledges:
        pledges.setdefault(row["loan"], {})[row["generation"]] = row["thousand_units"] / 1000.0
    for firm in rows.firms:
        if firm["kind"] == "lab":
            continue
        loan = loans[firm["firm"]]
        year = loan.get("vintage", 0)
        debt = loan["drawn"] if year == 0 else new_debt(loan)
        yield {
            "seed": seed, "firm": firm, "loan": loan, "kind": firm["kind"], "year": year, "debt": debt,
            "private": firm["pool"] == "UNNAMED_PC", "contract": contracts.get(firm["firm"]),
            "units": pledges.get(loan["loan"], {}),
        }  # fmt: skip


def new_debt(loan):
    return loan["origination_share"] * Credit().origination * Chips().capex[loan["vintage"] - 1]


def within(sample, mean, sd):
    """Whether the mean of a sample is that of its law."""
    return abs(np.mean(sample) - mean) < ERRORS * sd / np.sqrt(len(sample))


def follows(sample, shares):
    """Whether names come up as often as they should."""
    names, count = list(sample), len(sample)
    assert set(names) <= set(shares)
    return all(
        abs(names.count(name) - count * p) < ERRORS * np.sqrt(count * p * (1 - p) + 1e-9)
        for name, p in shares.items()
    )


def clouds(draws):
    return [each for each in draws if each["kind"] == "neocloud"]


def sites(draws):
    return [each for each in draws if each["kind"] == "project"]


def today(borrowers):
    return [each for each in borrowers if each["year"] == 0]


def test_the_book_has_the_draw_of_its_seed(members):
    """Row by row as the files are written; the build from the facts is held to the files elsewhere."""
    rows = population.population(members)
    for table, key in (("firms", "firm"), ("loans", "loan"), ("contracts", "contract")):
        with open(shipped_book("ai_credit_2025") / f"{table}.csv", newline="", encoding="utf-8") as file:
            shipped = {row[key]: row for row in csv.DictReader(file)}
        for row in getattr(rows, table):
            other = shipped[row[key]]
            assert {column: other[column] for column in row} == {c: plain(v) for c, v in row.items()}
    for table in ("pledges", "security"):
        with open(shipped_book("ai_credit_2025") / f"{table}.csv", newline="", encoding="utf-8") as file:
            shipped = [tuple(row.values()) for row in csv.DictReader(file)]
        assert {tuple(plain(v) for v in row.values()) for row in getattr(rows, table)} <= set(shipped)


def test_the_seed_is_all_that_a_draw_depends_on(members):
    one, same, other = (population.population(members, seed) for seed in (5, 5, 6))
    assert one == same and one.loans != other.loans


def test_three_in_five_private_borrowers_are_clouds(draws):
    """12 of 20 in each draw, and any borrower in as many draws; others' sites are no clouds."""
    private = [each for each in today(draws) if each["private"]]
    assert len(private) == 20 * DRAWS
    for seed in range(1, DRAWS + 1):
        assert sum(each["kind"] == "neocloud" for each in private if each["seed"] == seed) == 12
    first = [each["kind"] for each in private if each["firm"]["firm"] == "PC_01"]
    assert follows(first, {"neocloud": 0.6, "project": 0.4})
    assert {each["kind"] for each in draws if not each["private"]} == {"project"}


def test_a_year_of_new_lending_goes_to_six_borrowers(draws):
    for year in range(1, len(Chips().capex) + 1):
        new = [each for each in draws if each["year"] == year and each["seed"] == 1]
        kinds = sorted((each["kind"], each["private"]) for each in new)
        assert kinds == [("neocloud", True)] * 3 + [("project", False)] * 2 + [("project", True)]
        assert sum(each["loan"]["origination_share"] for each in new) == pytest.approx(0.77, abs=5e-6)


def parties(kind):
    """Probability of each tenant: of the kind of party times within it."""
    party, names = DRAWN[f"{kind}_tenant"].law.weights, DRAWN[f"{kind}_hyperscaler"].law.weights
    law = {name: party["hyperscaler"] * p for name, p in names.items()}
    law |= {name: party["developer"] / 3 for name in DEVELOPERS}
    return law | ({"": party["none"]} if kind == "cloud" else {"CRWV": party["cloud"]})


@pytest.fixture(scope="module")
def unlimited(members):
    """Borrowers of many populations whose tenants sign for whatever they like."""
    return [
        borrower
        for seed in range(1, DRAWS + 1)
        for borrower in joined(population.population(members, seed, {}), seed)
    ]


@pytest.mark.parametrize("kind", ["cloud", "site"])
def test_tenants_follow_their_law_where_they_sign_without_limit(unlimited, kind):
    part = clouds(unlimited) if kind == "cloud" else sites(unlimited)
    buyers = [each["contract"]["buyer"] if each["contract"] else "" for each in part]
    law = parties(kind)
    if kind == "cloud":  # the number without a tenant is that of the law, not random
        buyers = [buyer for buyer in buyers if buyer]
        law = {name: p / 0.75 for name, p in law.items() if name}
    assert sum(law.values()) == pytest.approx(1.0, rel=1e-12)
    assert len(buyers) > 1400 and follows(buyers, law)


def test_nobody_signs_for_more_than_it_can_pay(draws):
    """Developers 1.4 times what they plan to earn in year 5, Oracle and CoreWeave what is known."""
    most = dict.fromkeys(DEVELOPERS, 1.4 * 0.02 * Economy().plan[5]) | {"ORCL": 9.0, "CRWV": 2.1}
    signed = {}
    for each in draws:
        if each["contract"] and each["contract"]["buyer"] in most:
            key = each["seed"], each["contract"]["buyer"]
            signed[key] = signed.get(key, 0.0) + each["contract"]["annual"]
    assert len(signed) > 4 * DRAWS
    assert all(total <= most[buyer] + 1e-4 for (_, buyer), total in signed.items())
    for buyer, limit in most.items():
        assert max(total for (_, name), total in signed.items() if name == buyer) > 0.9 * limit


def test_a_cloud_in_four_has_no_tenant(draws):
    """3 of today's 12 and one of three in each year to come, with a quarter of what clouds are lent."""
    for seed in range(1, DRAWS + 1):
        vacant = [each for each in clouds(draws) if each["seed"] == seed and not each["contract"]]
        assert [each["year"] for each in vacant] == [0, 0, 0, 1, 2, 3, 4, 5]
    first = [each["contract"] is None for each in clouds(draws) if each["firm"]["firm"] == "PC_01"]
    assert follows(first, {True: 0.25, False: 0.75})
    new = [each for each in clouds(draws) if each["year"] == 3 and each["seed"] == 1]
    merchant = sum(each["debt"] for each in new if not each["contract"])
    assert merchant == pytest.approx(0.25 * sum(each["debt"] for each in new), rel=1e-4)


def test_vintages_of_chips_follow_their_law(draws):
    by_mix = {frozenset(mix): str(year) for year, mix in GENERATIONS.items()}
    vintages = [by_mix[frozenset(each["units"])] for each in today(clouds(draws))]
    assert follows(vintages, DRAWN["vintage"].law.weights)


def test_half_of_todays_sites_earn_rent(draws):
    open_ = [each["contract"]["start_annual"] > 0 for each in today(sites(draws))]
    assert follows(open_, {True: 0.5, False: 0.5})
    assert not any(each["contract"]["start_annual"] for each in sites(draws) if each["year"])


UNIFORM = {
    "advance": (clouds, lambda each: each["loan"]["ltv_target"]),
    "equity_per_debt": (clouds, lambda each: each["firm"]["equity_value"] / each["debt"]),
    "cash_per_debt": (list, lambda each: each["firm"]["cash"] / each["debt"]),
    "owner_per_debt": (list, lambda each: each["firm"]["sponsor_capacity"] / each["debt"]),
    "maturity": (list, lambda each: each["loan"]["maturity_month"] - 12 * each["year"]),
    "tenor": (
        lambda draws: [each for each in today(clouds(draws)) if each["contract"]],
        lambda each: each["contract"]["end_month"],
    ),
    "opening": (
        lambda draws: [each for each in today(sites(draws)) if each["contract"]["start_month"]],
        lambda each: each["contract"]["start_month"],
    ),
}


@pytest.mark.parametrize("name", UNIFORM)
def test_ranges_are_filled_evenly(draws, name):
    """Mean, variance and ends of a uniform law; months are rounded, amounts written to five decimals."""
    part, value = UNIFORM[name]
    sample = np.array([value(each) for each in part(draws)])
    law = DRAWN[name].law
    sd, width = (law.high - law.low) / np.sqrt(12.0), law.high - law.low
    assert len(sample) > 700
    assert law.low - 1e-3 * width <= sample.min() and sample.max() <= law.high + 1e-3 * width
    assert within(sample, (law.low + law.high) / 2.0, sd)
    assert abs(sample.var() / sd**2 - 1.0) < ERRORS * np.sqrt(0.8 / len(sample))


def cash_of(each):
    """A year's cash at today's rents from the rows alone, and the capacity of the pledged chips."""
    if each["kind"] == "project":
        return 0.95 * each["contract"]["annual"], 0.0
    table = {row["generation"]: row for row in chips()}
    rent = {g: 8.76 * 0.7 * table[g]["rental_usd_per_hour"] for g in each["units"]}
    cost = {g: 8.76 * table[g]["operating_cost_usd_per_hour"] for g in each["units"]}
    spot = sum(each["units"][g] * (rent[g] - cost[g]) for g in rent)
    annual = each["contract"]["annual"] if each["contract"] else 0.0
    free = each["loan"]["uncontracted_share"]
    return 0.7 * annual + free * spot, sum(each["units"][g] * rent[g] for g in rent)


def coverage_of(each):
    loan = each["loan"]
    return cash_of(each)[0] / ((loan.get("amortisation", 0.0) + loan["coupon"] + RATE) * each["debt"])


def test_nobody_is_lent_to_below_the_least_coverage(draws):
    """Of today's clouds and of all sites, from the rows; it binds, so the least is near 1.3."""
    coverage = np.array([coverage_of(each) for each in today(clouds(draws)) + sites(draws)])
    assert 1.3 * (1.0 - 2e-3) <= coverage.min() < 1.3 * (1.0 + 2e-3)


def test_a_tenant_takes_its_share_of_the_capacity(draws):
    for each in today(clouds(draws)):
        capacity = cash_of(each)[1]
        annual = each["contract"]["annual"] if each["contract"] else 0.0
        assert annual == pytest.approx(
            (1.0 - each["loan"]["uncontracted_share"]) * capacity, abs=1e-3 * capacity
        )


def test_terms_of_a_private_site_are_even_where_lenders_lend(draws):
    """Of the square of rents and margins a triangle is lent on: its centroid is the mean of both.

    0.95 rent = 1.3 (margin + 3.7%) runs from (5%, 11.905%) to (6.531%, 14%); the third corner is (5%, 14%).
    """
    part = [each for each in sites(draws) if each["private"]]
    least, most = 1.3 * (0.05 + RATE) / 0.95, 0.95 * 0.14 / 1.3 - RATE
    rent = [each["contract"]["annual"] / each["debt"] for each in part]
    margin = [each["loan"]["coupon"] for each in part]
    assert within(rent, 0.14 - (0.14 - least) / 3.0, (0.14 - least) / np.sqrt(18.0))
    assert within(margin, 0.05 + (most - 0.05) / 3.0, (most - 0.05) / np.sqrt(18.0))


def test_rents_of_sites_that_banks_finance_are_even_above_the_least(draws):
    part = [each for each in sites(draws) if not each["private"]]
    least = 1.3 * (0.025 + RATE) / 0.95
    rent = np.array([each["contract"]["annual"] / each["debt"] for each in part])
    assert within(rent, (least + 0.095) / 2.0, (0.095 - least) / np.sqrt(12.0))
    assert {each["loan"]["coupon"] for each in part} == {0.025}


def offers(vintage, age, contracted):
    """Terms that clouds ask for, by a sampler of this test, and whether they are lent on."""
    random, count = np.random.default_rng(1), 400_000
    terms = {
        "margin": random.uniform(0.05, 0.07, count),
        "amortisation": random.uniform(0.15, 0.30, count),
        "chips": random.uniform(0.65, 0.95, count),
        "cover": random.beta(3.0, 1.6, count) * contracted,
    }
    spent = terms["chips"] / (1.0 - terms["amortisation"] * age)
    table = {row["generation"]: row for row in chips()}
    per_usd = {g: share / table[g]["list_price_kusd"] for g, share in GENERATIONS[vintage].items()}
    rent = sum(units * 8.76 * 0.7 * table[g]["rental_usd_per_hour"] for g, units in per_usd.items())
    cost = sum(units * 8.76 * table[g]["operating_cost_usd_per_hour"] for g, units in per_usd.items())
    terms["size"] = spent * terms["cover"] * rent
    cash = 0.7 * terms["size"] + spent * (1.0 - terms["cover"]) * (rent - cost)
    return terms, cash >= 1.3 * (terms["margin"] + terms["amortisation"] + RATE)


def test_terms_of_a_new_cloud_are_those_of_their_law_given_coverage(draws):
    part = [each for each in clouds(draws) if each["year"] and each["contract"]]
    terms, lent = offers(2025, 0.0, True)
    drawn = {
        "margin": [each["loan"]["coupon"] for each in part],
        "amortisation": [each["loan"]["amortisation"] for each in part],
        "cover": [1.0 - each["loan"]["uncontracted_share"] for each in part],
        "size": [each["contract"]["annual"] / each["debt"] for each in part],
    }
    assert len(part) > 500
    for name, sample in drawn.items():
        assert within(sample, terms[name][lent].mean(), terms[name][lent].std()), name


def test_terms_that_no_lender_accepts_are_an_error():
    poor = population.Terms(cash=0.1, margin=0.06, amortisation=0.2, annual=0.1)
    assert poor.coverage(1.0) == pytest.approx(0.1 / (0.26 + RATE), rel=1e-12)
    with pytest.raises(ValueError, match=r"1000 draws of terms with a DSCR below 1\.3"):
        population.accepted(lambda: poor, 1.0, 1.3)


def test_tenants_without_room_are_an_error():
    full = population.Draw(seed=1, room=dict.fromkeys(["MSFT", "META", "AMZN", "GOOG", *DEVELOPERS], 0.0))
    with pytest.raises(ValueError, match=r"1000 draws of tenants without room for 2\.5 bn a year"):
        full.tenant("cloud", 2.5)


def test_every_uniform_law_is_held_to_its_draws():
    """Those that coverage does not bend are in UNIFORM; a new one must join them."""
    bent = {name for name, each in DRAWN.items() if each.why.startswith("*")}
    assert {name for name, each in DRAWN.items() if isinstance(each.law, Uniform)} == set(UNIFORM) | bent - {
        "cover"
    }
    for each in DRAWN.values():
        if isinstance(each.law, Shares):
            assert sum(each.law.weights.values()) == pytest.approx(1.0, rel=1e-12)


def listed(heading):
    """Rows of the page's table under a header row."""
    text = PAGE.read_text(encoding="utf-8")
    start = text.index("|\n", text.index(f"| {heading} |") + len(heading) + 4) + 2
    return text[start : text.index("\n\n", start)].splitlines()


def test_the_page_lists_what_is_drawn():
    lines = [f"| {name} | {each.law.words()} | {each.why} | {each.grade} |" for name, each in DRAWN.items()]
    assert listed("name | law | of what, why | grade") == lines


def test_the_page_says_how_much_is_refused():
    """Clouds by the sampler of this test; sites by the triangle and the interval on which lenders lend."""
    lines = []
    for vintage, age, name in ((2023, 2.5, "of 2023"), (2024, 1.5, "of 2024"), (2025, 0.5, "of 2025"),
                               (2025, 0.0, "to come")):  # fmt: skip
        for contracted, tenancy in ((True, "with a tenant"), (False, "without")):
            terms, lent = offers(vintage, age, contracted)
            means = " | ".join(
                f"{terms[term][lent].mean():.3f}" for term in ("chips", "amortisation", "margin")
            )
            lines.append(f"| cloud {name}, {tenancy} | {lent.mean():.0%} | {means} | |")
    least, most = 1.3 * (0.05 + RATE) / 0.95, 0.95 * 0.14 / 1.3 - RATE
    area = 0.5 * (0.14 - least) * (most - 0.05) / (0.035 * 0.02)
    rent, margin = 0.14 - (0.14 - least) / 3.0, 0.05 + (most - 0.05) / 3.0
    lines.append(f"| site, privately financed | {area:.0%} | | | {margin:.3f} | {rent:.3f} |")
    bank = 1.3 * (0.025 + RATE) / 0.95
    lines.append(
        f"| site that banks finance | {(0.095 - bank) / 0.013:.0%} | | | 0.025 | {(bank + 0.095) / 2:.3f} |"
    )
    assert listed("borrower | lent on | chips | amortisation | margin | rent") == lines


def test_the_page_counts_the_draw_that_is_shipped(members):
    each = list(joined(population.population(members), 0))
    now, new = today(clouds(each)), [one for one in clouds(each) if one["year"]]
    debt = sum(one["debt"] for one in today(each))
    words = (
        f"USD {debt:.1f} bn has no named borrower",
        f"{len(now)} clouds, {sum(one['contract'] is None for one in now)} of them without a tenant, and "
        f"{len(today(sites(each)))} sites today",
        f"{len(new)} clouds, {sum(one['contract'] is None for one in new)} of them without, and "
        f"{len(sites(each)) - len(today(sites(each)))} sites to come",
    )
    text = " ".join(PAGE.read_text(encoding="utf-8").split())
    assert all(line in text for line in words), words


def test_the_page_states_what_tenants_sign_for(book):
    contracts = book["contracts"].query("flow == 'operating'")
    signed = contracts[contracts["buyer"].isin(DEVELOPERS)]
    full = signed.groupby("buyer")["annual"].sum()
    drawn = contracts[contracts["source"].str.startswith("drawn from") & (contracts["kind"] == "lease")]
    leases = drawn.groupby("buyer")["annual"].sum()
    plan = Economy().plan[5]
    share = book["firms"].set_index("firm").loc[list(DEVELOPERS), "revenue_share"].unique().item()
    rest = book["contracts"].set_index("contract")["annual"]
    words = (
        f"pay {signed['start_annual'].sum():.1f} bn a year today and {full.sum():.1f} at the full size, "
        f"{full.max():.1f} of it the largest",
        f"{share:.0%} of AI revenue, {share * plan:.1f} of the {plan:.0f} bn planned for year 5, and "
        f"signs for {1.4 * share * plan:.1f} at most",
        f"to Oracle for {leases['ORCL']:.1f} bn a year and to CoreWeave for {leases.get('CRWV', 0.0):.1f}",
        f"other landlords {rest['ORCL_LANDLORD']:.1f} and {rest['CRWV_LANDLORD']:.1f} are left",
    )
    text = " ".join(PAGE.read_text(encoding="utf-8").split())
    assert [line for line in words if line not in text] == []

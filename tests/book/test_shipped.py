"""The shipped book: it loads, it is as large as promised, and its totals are those of the sources."""

import pathlib

import pytest

from engine.book.holdings import holding_shares
from engine.book.load import load_book, shipped_book
from engine.book.tables import LENDER_CLASSES

FACTS = pathlib.Path(__file__).resolve().parents[3] / "shared/data/facts"

needs_facts = pytest.mark.skipif(
    not FACTS.is_dir(),
    reason="the collected facts are not part of the repository: they lie beside it where it was built",
)


@pytest.fixture(scope="module")
def book():
    return load_book(shipped_book("ai_credit_2025"))


@pytest.fixture(scope="module")
def facts():
    from experiments.shipped_book.facts import Facts

    return Facts(FACTS)


def of_groups(book):
    """True for firms that a group names: borrowers drawn from stated distributions."""
    groups = book["pools"]["pool"][book["pools"]["kind"] == "group"]
    return book["firms"]["pool"].isin(groups)


def stand_ins(book):
    """True for firms that stand for others without a row."""
    return book["firms"]["source"].str.startswith("stand for")


def with_names(book):
    """True for loans of firms that exist under their name."""
    firms = book["firms"]
    invented = firms["firm"][(firms["kind"] == "synthetic") | of_groups(book) | stand_ins(book)]
    return ~book["loans"]["borrower"].isin(set(invented))


def test_it_is_as_large_as_promised(book):
    firms, loans = book["firms"], book["loans"]
    synthetic, drawn, stand_in = firms["kind"] == "synthetic", of_groups(book), stand_ins(book)
    borrowed = loans.groupby("borrower")["committed"].sum()
    today = drawn & (firms["firm"].map(borrowed) > 0)
    assert len(book["chips"]) == 10
    assert (~synthetic & ~drawn & ~stand_in).sum() >= 24
    assert synthetic.sum() + drawn.sum() >= 55 and today.sum() >= 30
    assert (today.sum(), drawn.sum() - today.sum(), stand_in.sum()) == (30, 30, 3)
    assert with_names(book).sum() >= 35
    assert (book["contracts"]["flow"] != "none").sum() >= 30
    assert 40 <= len(book["lenders"]) <= 46
    assert set(book["lenders"]["class"]) == set(LENDER_CLASSES)
    assert set(loans["class"]) | set(book["tranches"]["class"]) == set(book["classes"]["class"])
    assert len(book["correlation"]) == 0


def test_there_are_concentrated_funds(book):
    """Each private-credit one has few loans, most of its assets in this book, and debt of about half."""
    lenders = book["lenders"].set_index("lender")
    private = lenders["class"] == "PRIVATE_CREDIT"
    funds = lenders[(lenders["vehicle"] == 1) & private & lenders.index.str.endswith("_AI")]
    shares = holding_shares(book.tables)
    today = shares["drawn"] > 0.0  # what each year's lending will bring is spread wider
    large = shares[today & (shares["share"] >= 0.05)].groupby("lender")["instrument"].nunique()
    assets = funds["capital"] + funds["debt"]
    assert len(funds) >= 8
    assert (large[funds.index] <= 8).all()
    assert funds["debt"].div(assets).between(0.49, 0.61).all()
    in_book = 1.0 - funds["other_assets"] / assets
    assert in_book.between(0.7, 1.0).all()


def test_ids_of_invented_names_say_so(book):
    firms = book["firms"]
    invented = firms[firms["kind"] == "synthetic"]
    assert (invented["grade"] == "C").all() and invented["source"].str.contains("invented").all()


def test_rows_that_are_drawn_say_so(book):
    """Firms, loans, contracts, pledges and security of groups: grade C, with the place of their laws."""
    members = set(book["firms"]["firm"][of_groups(book)])
    loans = book["loans"][book["loans"]["borrower"].isin(members)]
    behind = [book[table][book[table]["loan"].isin(set(loans["loan"]))] for table in ("pledges", "security")]
    contracts = book["contracts"][book["contracts"]["seller"].isin(members)]
    for rows in (book["firms"][of_groups(book)], loans, contracts, *behind):
        assert len(rows) and (rows["grade"] == "C").all()
        assert rows["source"].str.startswith("drawn from the distributions of population.py").all()


def test_each_borrower_of_a_group_has_one_loan_of_its_class(book):
    firms, loans = book["firms"], book["loans"]
    members = firms[of_groups(book)].set_index("firm")["pool"]
    theirs = loans[loans["borrower"].isin(members.index)]
    assert sorted(theirs["borrower"]) == sorted(members.index)
    assert (theirs["class"] == theirs["borrower"].map(members)).all()
    assert ((theirs["vintage"] > 0) == (theirs["committed"] == 0)).all()
    assert ((theirs["new_money"] == 1) == (theirs["vintage"] > 0)).all()


@needs_facts
def test_loans_of_a_group_sum_to_the_sourced_total(book, facts):
    """Private credit without names; construction is a guess of 60, of which Rowan's loan has a name."""
    firms = book["firms"].set_index("firm")["pool"]
    owed = book["loans"]["committed"].groupby(book["loans"]["borrower"].map(firms)).sum()
    assert owed["UNNAMED_PC"] == pytest.approx(facts.column("UNNAMED_PC"), abs=1e-9)
    assert owed["OTHER_CONSTRUCTION"] == pytest.approx(60 - facts.committed("L62"), abs=1e-9)
    balance = book["pools"].set_index("pool")["balance"]
    assert (balance[["UNNAMED_PC", "OTHER_CONSTRUCTION"]] - owed).abs().max() < 1e-9


def test_stocks_that_overlap_others_are_left_out(book):
    """Sector stocks of the facts (450 bn of technology loans, 1,200 bn of bonds) contain other rows."""
    assert book["loans"]["committed"].max() < 100
    assert 560 <= book["loans"]["committed"].sum() + 33 <= 590


@needs_facts
def test_committed_by_class_is_that_of_the_marginals(book, facts):
    committed = book["loans"].groupby("class")["committed"].sum()
    low_high = {}
    for row in facts.read("marginals"):
        if row["side"] == "col":
            name = (
                "OTHER_CONSTRUCTION"
                if row["entity"] == "other hyperscale construction"
                else row["instrument_class"]
            )
            low, high = low_high.get(name, (0.0, 0.0))
            low_high[name] = (low + float(row["low"]), high + float(row["high"]))
    for name, total in committed.items():
        low, high = low_high[name]
        assert low <= total <= high, name


@needs_facts
def test_holdings_by_class_are_near_the_row_totals(book, facts):
    """Within a tenth of the mean of each holder class of the marginals, and inside their bounds."""
    shares = holding_shares(book.tables)
    kind = book["lenders"].set_index("lender")["class"]
    held = shares.groupby(shares["lender"].map(kind))["committed"].sum()
    for name, (mean, low, high) in facts.row_totals().items():
        assert low <= held[name] <= high
        assert abs(held[name] / mean - 1.0) < 0.1, name


@needs_facts
def test_the_build_script_writes_the_book_that_is_shipped(tmp_path, book):
    """File by file, to the byte."""
    from experiments.shipped_book.build import main

    main(["--facts", str(FACTS), "--out", str(tmp_path / "ai_credit_2025")])
    assert load_book(tmp_path / "ai_credit_2025").hash == book.hash
    shipped = {file.name: file.read_bytes() for file in shipped_book("ai_credit_2025").glob("*.csv")}
    written = {file.name: file.read_bytes() for file in (tmp_path / "ai_credit_2025").glob("*.csv")}
    assert sorted(written) == sorted(shipped)
    assert [name for name in shipped if written[name] != shipped[name]] == []


def test_the_build_script_says_what_it_needs(tmp_path):
    from experiments.shipped_book.build import main

    with pytest.raises(FileNotFoundError, match="--facts"):
        main(["--facts", str(tmp_path)])


KNOWN = {
    ("BEIG_2049", "PIMCO"): 18 / 27.3,
    ("BEIG_2049", "BLK_FUNDS"): 3 / 27.3,
    ("CRWV_MAGN", "MAGN_AI"): 1.0,
    ("ABIL_1", "JPM"): 1.0,
}


@pytest.mark.parametrize("cell", KNOWN)
def test_known_cells_are_fixed(book, cell):
    holdings = book["holdings"].set_index(["instrument", "lender"])
    assert holdings.loc[cell, "known"] == 1
    assert holdings.loc[cell, "grade"] == "A"
    assert abs(holdings.loc[cell, "share"] - KNOWN[cell]) < 5e-5


@pytest.mark.parametrize("year", range(1, 6))
def test_new_borrowing_follows_morgan_stanley(book, year):
    """Of 1,500 bn to 2028: private credit 800, corporate bonds 200, ABS and CMBS 150, other 350."""
    loans = book["loans"][book["loans"]["vintage"].isin((0, year))]
    by_class = loans.groupby("class")["origination_share"].sum()
    pools = book["pools"].set_index("pool")["origination_share"]
    other = pools[["ABS_COLO", "ABS_HYPER", "CMBS_SASB"]].sum()
    groups = by_class[["UNNAMED_PC", "OTHER_CONSTRUCTION"]]
    got = (groups["UNNAMED_PC"], by_class.sum() - groups.sum(), other, groups["OTHER_CONSTRUCTION"])
    for share, amount in zip(got, (800, 200, 150, 350), strict=True):
        assert abs(share - amount / 1500) < 0.01


def test_plans_and_letters_bind_nobody(book):
    contracts = book["contracts"].set_index("contract")
    assert contracts.loc["STARGATE_PLAN", "flow"] == "none"
    assert contracts.loc["NVDA_OAI", "staged"] == 0
    assert (contracts[contracts["kind"] == "plan"]["flow"] == "none").all()
    carried_as_cover = contracts[(contracts["kind"] == "backstop") & (contracts["flow"] == "none")]
    assert set(carried_as_cover["seller"]) <= set(contracts[contracts["cover"] > 0.0]["seller"])


def page() -> str:
    """The page that describes the shipped book."""
    return (pathlib.Path(__file__).resolve().parents[2] / "docs/book.md").read_text(encoding="utf-8")


def test_the_page_prints_the_totals_of_the_book(book):
    loans, lenders = book["loans"], book["lenders"]
    totals = loans.groupby("class")[["committed", "drawn"]].sum()
    totals.loc["ABS"] = book["pools"].query("kind == 'lease'")["balance"].sum()
    totals.loc["all"] = totals.sum()
    shares = holding_shares(book.tables)
    held = shares["committed"].groupby(shares["lender"].map(lenders.set_index("lender")["class"])).sum()
    lines = [f"| {name} | {row.committed:.1f} | {row.drawn:.1f} |" for name, row in totals.iterrows()]
    lines += [f"| {name} | {total:.1f} |" for name, total in held.items()]
    missing = [line for line in lines if line not in page()]
    assert not missing


def test_the_page_prints_the_grades_of_the_book(book):
    loans, contracts, holdings = book["loans"], book["contracts"], book["holdings"]
    grade_of_cell = holdings.set_index(["instrument", "lender"])["grade"]
    shares = holding_shares(book.tables)
    cells = shares.set_index(["instrument", "lender"])
    cells["grade"] = grade_of_cell.reindex(cells.index).fillna("C")
    named = loans[with_names(book)]
    cash = contracts.query("flow != 'none'")
    with_parties = cash[~cash["source"].str.startswith("drawn from")]
    parts = {
        "loans, committed": (loans["committed"], loans["grade"]),
        "loans with names": (named["committed"], named["grade"]),
        "contracts with cash, full size": (cash["annual"], cash["grade"]),
        "those of firms with names": (with_parties["annual"], cash["grade"]),
        "holdings, committed": (cells["committed"], cells["grade"]),
        "lenders, capital": (book["lenders"]["capital"], book["lenders"]["grade"]),
    }
    for name, (amount, grade) in parts.items():
        by = amount.groupby(grade.loc[amount.index]).sum() / amount.sum()
        assert f"| {name} | {by['A']:.0%} | {by['B']:.0%} | {by['C']:.0%} |" in page()


def test_the_page_prints_the_counts_of_the_book(book):
    firms, loans, contracts = book["firms"], book["loans"], book["contracts"]
    synthetic, drawn, stand_in = firms["kind"] == "synthetic", of_groups(book), stand_ins(book)
    of_synthetic = loans["borrower"].isin(set(firms["firm"][synthetic]))
    of_drawn = loans["borrower"].isin(set(firms["firm"][drawn]))
    named = with_names(book)
    counts = {
        "firms with names": (~synthetic & ~drawn & ~stand_in).sum(), "that stand for others": stand_in.sum(),
        "drawn": drawn.sum(), "synthetic": synthetic.sum(), "loans with names": named.sum(),
        "of them new money that starts at zero": loans["new_money"][named].sum(),
        "of firms drawn": of_drawn.sum(),
        "of them to be lent in one of five years": (loans["vintage"] > 0).sum(),
        "of synthetic obligors": of_synthetic.sum(), "groups": (book["pools"]["kind"] == "group").sum(),
        "pools with": (book["pools"]["kind"] != "group").sum(), "tranches": len(book["tranches"]),
        "contracts of which": len(contracts), "carry cash": (contracts["flow"] != "none").sum(),
        "lenders of which": len(book["lenders"]), "are vehicles": book["lenders"]["vehicle"].sum(),
    }  # fmt: skip
    text = " ".join(page().split())
    assert [f"{count} {words}" for words, count in counts.items() if f"{count} {words}" not in text] == []
    assert f"USD {book['pools']['balance'].sum():.0f} bn of debt has no named borrower" in text

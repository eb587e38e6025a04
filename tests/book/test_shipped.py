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


def test_it_is_as_large_as_promised(book):
    firms, loans = book["firms"], book["loans"]
    synthetic = set(firms["firm"][firms["kind"] == "synthetic"])
    named_loans = loans[~loans["borrower"].isin(synthetic)]
    assert len(book["chips"]) == 10
    assert len(firms) - len(synthetic) >= 24
    assert 55 <= len(synthetic) <= 65
    assert len(named_loans) >= 35
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
    large = shares[shares["share"] >= 0.05].groupby("lender")["instrument"].nunique()
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
    from experiments.shipped_book.build import main

    main(["--facts", str(FACTS), "--out", str(tmp_path / "ai_credit_2025")])
    assert load_book(tmp_path / "ai_credit_2025").hash == book.hash


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


def test_new_borrowing_follows_morgan_stanley(book):
    """Of 1,500 bn to 2028: private credit 800, corporate bonds 200, ABS and CMBS 150, other 350."""
    pools = book["pools"].set_index("pool")["origination_share"]
    bonds = book["loans"]["origination_share"].sum()
    other = pools[["ABS_COLO", "ABS_HYPER", "CMBS_SASB"]].sum()
    got = (pools["UNNAMED_PC"], bonds, other, pools["OTHER_CONSTRUCTION"])
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
    firms = book["firms"].set_index("firm")
    grade_of_cell = holdings.set_index(["instrument", "lender"])["grade"]
    shares = holding_shares(book.tables)
    cells = shares.set_index(["instrument", "lender"])
    cells["grade"] = grade_of_cell.reindex(cells.index).fillna("C")
    named = loans[loans["borrower"].map(firms["kind"]) != "synthetic"]
    parts = {
        "loans, committed": (loans["committed"], loans["grade"]),
        "loans with names": (named["committed"], named["grade"]),
        "contracts with cash, full size": (contracts.query("flow != 'none'")["annual"], contracts["grade"]),
        "holdings, committed": (cells["committed"], cells["grade"]),
        "lenders, capital": (book["lenders"]["capital"], book["lenders"]["grade"]),
    }
    for name, (amount, grade) in parts.items():
        by = amount.groupby(grade.loc[amount.index]).sum() / amount.sum()
        assert f"| {name} | {by['A']:.0%} | {by['B']:.0%} | {by['C']:.0%} |" in page()


def test_the_page_prints_the_counts_of_the_book(book):
    firms, loans, contracts = book["firms"], book["loans"], book["contracts"]
    synthetic = firms["kind"] == "synthetic"
    of_synthetic = loans["borrower"].isin(set(firms["firm"][synthetic]))
    text = " ".join(page().split())
    for words in (
        f"{(~synthetic).sum()} named firms and {synthetic.sum()} synthetic ones",
        f"{(~of_synthetic).sum()} named loans ({loans['new_money'].sum()} of them new money",
        f"{of_synthetic.sum()} of synthetic obligors",
        f"{len(contracts)} contracts of which {(contracts['flow'] != 'none').sum()} carry cash",
        f"{len(book['lenders'])} lenders of which {book['lenders']['vehicle'].sum()} are vehicles",
    ):
        assert words in text

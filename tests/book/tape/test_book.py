"""Loans of a tape as rows over the shipped book: amounts, chips, contracts, parts; by hand, by identities."""

import pathlib

import pytest

from engine.book.build import build_system
from engine.book.load import load_book, shipped_book
from engine.book.parameters import Chips, Economy, Parameters
from engine.book.tape.book import Lender, overlay_of
from engine.book.tape.folder import growth, write_folder
from engine.book.tape.grid import grids_of
from engine.book.tape.layout import layout_of
from engine.book.tape.positions import positions_of
from engine.book.tape.questions import Answers, Unsettled
from engine.book.tape.rows import read_lines
from engine.report.tape import loans_of, text
from engine.vocabulary import HOURS

HEAD = "Loan,Borrower,Facility,Commitment,Drawn,Margin,Maturity,LTV,GPU type,GPU count,Off-taker,Rating\n"
MINE = Lender("Me", "PRIVATE_CREDIT")


@pytest.fixture(scope="module")
def below():
    return load_book(shipped_book("ai_credit_2025"))


def read(tmp_path, rows: str, answers=None, head: str = HEAD):
    path = pathlib.Path(tmp_path) / "loans.csv"
    path.write_text(head + rows, encoding="utf-8")
    answers = Answers(answers or {})
    return read_lines(layout_of(grids_of(path), answers), answers), answers


def positions(tmp_path, below, rows, answers=None, rates=None, head=HEAD):
    tape, answers = read(tmp_path, rows, answers, head)
    aliases = {"Google": "GOOG"}
    return tape, positions_of(tape, below.tables, aliases, answers, rates or {"USD": 1.0})


def written(tmp_path, below, rows, answers=None, lender=MINE, **more):
    tape, loans = positions(tmp_path, below, rows, answers, **more)
    overlay = overlay_of(loans, below.tables, "ai_credit_2025", "Mine", lender)
    assert overlay.problems == []
    return write_folder(pathlib.Path(tmp_path) / "book", overlay, tape, loans).book, overlay, loans


def questions(tmp_path, below, rows, answers=None, **more):
    with pytest.raises(Unsettled) as caught:
        positions(tmp_path, below, rows, answers, **more)
    return caught.value


ONE = 'A-1,Alder Inc,DDTL,$100m,$80m,S+600,2028-12-31,60%,H100,"4,000",Microsoft,B+\n'


def test_one_loan_by_hand(tmp_path, below):
    """4,000 H100 at 2.1 USD/h for 70% of 8,760 hours: a capacity of 51.5 m USD a year, 65% of it let."""
    book, overlay, _ = written(tmp_path, below, ONE)
    loan = book["loans"].set_index("loan").loc["A_1"]
    assert (loan["committed"], loan["drawn"], loan["draw_months"]) == (
        pytest.approx(0.1),
        pytest.approx(0.08),
        12,
    )
    assert (loan["maturity_month"], loan["floating"], loan["coupon"]) == (36, 1, 0.06)
    assert (loan["ltv_target"], loan["class"], loan["grade"]) == (0.6, "GPU_TERM_LOAN", "B")
    [pledge] = book["pledges"][book["pledges"]["loan"] == "A_1"].to_dict("records")
    assert (pledge["generation"], pledge["thousand_units"], pledge["grade"]) == ("H100", 4.0, "A")
    rent = below["chips"].set_index("generation").loc["H100"]
    capacity = 4.0 * HOURS * Chips().utilisation * rent["rental_usd_per_hour"] / 1e3
    spot = capacity - 4.0 * HOURS * rent["operating_cost_usd_per_hour"] / 1e3
    [contract] = book["contracts"][book["contracts"]["seller"] == "ALDER"].to_dict("records")
    assert (contract["buyer"], contract["annual"]) == ("MSFT", pytest.approx(0.65 * capacity, rel=1e-5))
    assert loan["uncontracted_share"] == pytest.approx(0.35)
    cash = 0.7 * 0.65 * capacity + 0.35 * spot
    assert loan["amortisation"] == pytest.approx(
        min(max(cash / (1.3 * 0.08) - 0.06 - 0.037, 0.0), 0.2), abs=1e-4
    )
    firm = book["firms"].set_index("firm").loc["ALDER"]
    assert firm["ebitda_ttm"] == pytest.approx(cash, rel=1e-6) and firm["hazard"] == 0.00375
    assert overlay.firms == {"Alder Inc": "ALDER"}


def test_the_lender_holds_its_loans_and_nobody_else_does(tmp_path, below):
    book, _, loans = written(tmp_path, below, ONE + ONE.replace("A-1", "A-2"))
    held = book["holdings"][book["holdings"]["lender"] == "ME"]
    assert list(held["instrument"]) == ["A_1", "A_2"] and list(held["share"]) == [1.0, 1.0]
    assert book["holdings"][book["holdings"]["instrument"].isin(["A_1", "A_2"])].equals(held)
    lender = book["lenders"].set_index("lender").loc["ME"]
    assert lender["capital"] == pytest.approx(sum(each.committed for each in loans))
    assert lender["lending_weight"] == 0.0 and lender["grade"] == "C"
    bearers = book["incidence"][book["incidence"]["lender"] == "ME"]
    assert dict(zip(bearers["layer"], bearers["bearer"], strict=True)) == {
        "first": "FUND_INVESTORS",
        "rest": "FUND_INVESTORS",
    }


@pytest.mark.parametrize(
    "kind", ["BANK", "INSURER", "PENSION", "HEDGE_FUND", "MUTUAL_FUND", "FOREIGN", "VENDOR"]
)
def test_a_lender_of_every_class_passes_the_checks(tmp_path, below, kind):
    book, _, _ = written(tmp_path, below, ONE, lender=Lender("Me", kind, 0.5))
    lender = book["lenders"].set_index("lender").loc["ME"]
    assert (lender["capital"], lender["grade"]) == (0.5, "A")


def test_the_rest_of_the_book_is_untouched(tmp_path, below):
    book, _, _ = written(tmp_path, below, ONE)
    for table in ("chips", "pools", "tranches", "interlender", "paper", "priors", "bearers", "history"):
        assert book[table].equals(below[table]), table
    for table in (
        "firms",
        "loans",
        "pledges",
        "contracts",
        "security",
        "lenders",
        "holdings",
        "incidence",
        "classes",
    ):
        assert book[table].iloc[: len(below[table])].equals(below[table]), table


def test_a_shipped_borrower_gets_the_loan_on_top_and_the_growth_is_told(tmp_path, below):
    rows = "C-1,COREWEAVE INC.,DDTL,200m,150m,S+450,2029-09-30,60%,GB200,3600,,B+\n"
    book, overlay, loans = written(tmp_path, below, rows, head=HEAD.replace("Drawn", "Drawn (USD)"))
    assert book["loans"].set_index("loan").loc["C_1", "borrower"] == "CRWV" and "firms" not in overlay.rows
    owed = float(below["loans"]["committed"][below["loans"]["borrower"] == "CRWV"].sum())
    assert list(growth(loans, below.tables)) == [("CRWV", pytest.approx(owed), pytest.approx(0.2))]
    assert book["loans"]["committed"].sum() == pytest.approx(below["loans"]["committed"].sum() + 0.2)


def test_a_part_of_a_shipped_loan_is_taken_out_of_it(tmp_path, below):
    rows = "C-1,CoreWeave,DDTL,$260m,$210m,S+400,2030-08-31,,GB200,5000,,\n"
    rows += "C-2,CRWV,DDTL,$26m,$21m,S+400,2030-08-31,,,,,\n"
    answers = {("loan", "c-1"): "CRWV_DDTL3", ("loan", "c-2"): "crwv_ddtl3"}
    book, _, loans = written(tmp_path, below, rows, answers)
    after, before = (each["loans"].set_index("loan") for each in (book, below))
    for column in ("committed", "drawn"):
        parts = after.loc[["CRWV_DDTL3", "C_1", "C_2"], column].sum()
        assert parts == pytest.approx(before.loc["CRWV_DDTL3", column], rel=1e-12)
        assert book["loans"][column].sum() == pytest.approx(below["loans"][column].sum(), rel=1e-12)
    pledged = [each["pledges"].groupby("generation")["thousand_units"].sum() for each in (book, below)]
    assert (pledged[0] - pledged[1]).abs().max() < 1e-6
    mine = book["pledges"][book["pledges"]["loan"] == "C_1"].set_index("generation")["thousand_units"]
    assert dict(mine) == {"GB200": 5.0}
    secured = [each["security"].groupby("contract")["share"].sum() for each in (book, below)]
    assert (secured[0] - secured[1]).abs().max() < 1e-6
    assert after.loc["C_1", "class"] == "GPU_TERM_LOAN" and after.loc["C_1", "base_recovery"] == 0.1
    assert [more for _, _, more in growth(loans, below.tables)] == [0]


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("ORCL_2025", "got part of 'ORCL_2025', expected one of CRWV_DDTL1"),
        ("CRWV_DDTL3", "expected less than the 2.1 drawn"),
    ],
)
def test_a_part_that_cannot_be_is_refused(tmp_path, below, part, words):
    rows = "C-1,CoreWeave,DDTL,$2500m,$2400m,S+400,2030-08-31,,,,,\n"
    _, loans = positions(tmp_path, below, rows, {("loan", "c-1"): part})
    [problem] = overlay_of(loans, below.tables, "ai_credit_2025", "Mine", MINE).problems
    assert problem.startswith("row 2: loan C-1: ") and words in problem


def test_names_are_matched_by_id_name_alias_and_legal_form_and_near_ones_asked(tmp_path, below):
    names = ["CoreWeave, Inc.", "orcl", "GOOGLE LLC", "x.AI", "Meta", "OpenAI"]
    rows = "".join(f'{i},"{name}",Loan,$1m,$1m,5%,2030,,,,,\n' for i, name in enumerate(names))
    _, loans = positions(tmp_path, below, rows)
    assert [each.firm for each in loans] == ["CRWV", "ORCL", "GOOG", "XAI", "META", "OAI"]
    for name in ("Core Weave", "CoreWeave Compute Acquisition Co. IV LLC", "Lambda Peak", "Oracel"):
        [question] = questions(tmp_path, below, f"1,{name},Loan,$1m,$1m,5%,2030,,,,,\n").questions
        assert (question.about, question.item) == ("firm", name)
    for name in ("Alpha Cloud", "Metal Works", "Cedar Digital Infrastructure"):
        assert positions(tmp_path, below, f"1,{name},Loan,$1m,$1m,5%,2030,,,,,\n")[1][0].firm == ""
    answered = positions(
        tmp_path, below, "1,Lambda Peak,Loan,$1m,$1m,5%,2030,,,,,\n", {("firm", "lambda peak"): "lamb"}
    )
    assert answered[1][0].firm == "LAMB"
    again = questions(
        tmp_path, below, "1,Lambda Peak,Loan,$1m,$1m,5%,2030,,,,,\n", {("firm", "lambda peak"): "LAM"}
    )
    assert "no firm 'LAM'" in again.questions[0].why


def test_spellings_of_one_borrower_are_one_and_near_ones_asked(tmp_path, below):
    rows = "1,Alpha Cloud Inc.,Loan,$1m,$1m,5%,2030,,,,,\n2,ALPHA CLOUD LLC,Loan,$1m,$1m,5%,2030,,,,,\n"
    _, loans = positions(tmp_path, below, rows)
    assert {each.borrower for each in loans} == {"Alpha Cloud Inc."}
    near = rows.replace("ALPHA CLOUD LLC", "Alpha Clouds Ltd")
    assert questions(tmp_path, below, near).questions[0].item == "Alpha Clouds Ltd"
    for answer, count in (("same", 1), ("new", 2)):
        _, loans = positions(tmp_path, below, near, {("firm", "alpha clouds ltd"): answer})
        assert len({each.borrower for each in loans}) == count
    numbered = rows.replace("Alpha Cloud Inc.", "Alpha SPV 1").replace("ALPHA CLOUD LLC", "Alpha SPV 2")
    assert len({each.borrower for each in positions(tmp_path, below, numbered)[1]}) == 2
    lettered = rows.replace("Alpha Cloud Inc.", "Alpha Funding A1").replace(
        "ALPHA CLOUD LLC", "Alpha Funding B1"
    )
    assert len({each.borrower for each in positions(tmp_path, below, lettered)[1]}) == 2


def test_what_does_not_fit_together_is_asked_for(tmp_path, below):
    cases = {
        "1,A,Loan,$1m,$2m,5%,2030,,,,,\n": ("cell", "D2", "is less than what is drawn"),
        "1,A,Loan,$1m,$1m,5%,2024-06-30,,,,,\n": ("cell", "G2", "is not after the book's date, 2025-12-31"),
        "1,A,Loan,$1m,$1m,5%,2199,,,,,\n": ("cell", "G2", "more than 40 years"),
        "1,A,Loan,$0,$0,5%,2030,,,,,\n": ("cell", "D2", "is nothing lent"),
        "1,A,Sukuk,$1m,$1m,5%,2030,,,,,\n": ("class", "Sukuk", "kind of facility"),
        "1,A,DDTL,$1m,$1m,5%,2030,,H100 or GB200,5,,\n": ("chip", "H100 or GB200", "names H100 and GB200"),
        "1,A,Loan,1000000,1000000,5%,2030,,,,,\n": ("currency", "all amounts", "nothing says the currency"),
    }
    for rows, (about, item, why) in cases.items():
        [question] = set(questions(tmp_path, below, rows).questions)
        assert (question.about, question.item) == (about, item) and why in question.why
    twice = questions(tmp_path, below, 2 * "1,A,Loan,$1m,$1m,5%,2030,,,,,\n")
    assert "row 3: got loan '1' again, expected each loan once (first in row 2)" in twice.problems
    head = HEAD.replace("Margin", "Interest rate")
    [question] = questions(tmp_path, below, "1,A,Loan,$1m,$1m,5%,2030,,,,,\n", head=head).questions
    assert (question.about, question.item) == ("column", "Interest rate")


def test_a_short_rate_is_in_an_all_in_rate_that_floats(tmp_path, below):
    head = "Loan,Borrower,Facility,Drawn,All-in rate,Rate type,Maturity\n"
    rows = (
        "1,A,Loan,$1m,9.75%,Floating,2030\n2,B,Loan,$1m,9.75%,Fixed,2030\n3,C,Loan,$1m,S+600,Floating,2030\n"
    )
    _, loans = positions(tmp_path, below, rows, head=head)
    assert [(each.floating, each.coupon) for each in loans] == [
        (True, pytest.approx(0.0975 - Economy().rate)), (False, 0.0975), (True, 0.06)
    ]  # fmt: skip
    assert "margin: the all-in rate less a short rate of 3.7%" in loans[0].assumed
    [question] = questions(tmp_path, below, "1,A,Loan,$1m,3%,Floating,2030\n", head=head).questions
    assert question.item == "E2" and "less than the short rate" in question.why
    for row in ("1,A,Loan,$1m,9.75%,,2030\n", "1,A,Loan,$1m,9.75%,Floating,2030\n"):
        [question] = questions(
            tmp_path, below, row, head=head.replace("All-in rate", "Interest rate")
        ).questions
        assert (question.about, question.item) == ("column", "Interest rate")


def test_a_currency_needs_a_rate(tmp_path, below):
    rows = "1,A,Loan,€100m,€50m,5%,2030,,,,,\n"
    words = "tape_fx: amounts in EUR, expected USD for one EUR, as tape_fx=1.08"
    assert questions(tmp_path, below, rows).problems == (words,)
    _, [loan] = positions(tmp_path, below, rows, rates={"USD": 1.0, "EUR": 1.08})
    assert (loan.committed, loan.drawn) == (pytest.approx(0.108), pytest.approx(0.054))


def test_a_part_of_a_club_deal_takes_its_part_of_the_chips(tmp_path, below):
    head = HEAD.replace("Rating", "Facility size")
    _, [loan] = positions(tmp_path, below, "1,A,DDTL,$50m,$50m,5%,2030,60%,H100,8000,,$200m\n", head=head)
    assert loan.chips == {"H100": pytest.approx(2.0)} and loan.committed == pytest.approx(0.05)
    assert any("25% of the facility" in each for each in loan.assumed)


def test_off_takers_that_decide_nothing_are_named(tmp_path, below):
    shipped = "1,CoreWeave,DDTL,$50m,$50m,5%,2030,60%,H100,800,Meta,\n"
    _, [loan] = positions(tmp_path, below, shipped + "")
    assert "off-taker not used: a shipped borrower has the contracts of the shipped book" in loan.assumed
    _, [loan] = positions(tmp_path, below, "1,A,Revolver,$50m,$50m,5%,2030,,,,Meta,\n")
    assert "off-taker not used: no chips are tested" in loan.assumed


def test_letters_that_do_not_print_are_no_part_of_a_name(tmp_path, below):
    _, [loan] = positions(tmp_path, below, '1,"Alder\u200b\nCompute",Loan,$1m,$1m,5%,2030,,,,,\n')
    assert loan.borrower == "Alder Compute"


def test_every_kind_of_facility_becomes_a_system(tmp_path, below):
    """A delayed-draw loan that is not drawn yet, a lease, a revolver, a site, notes; nothing infinite."""
    rows = (
        "1,A,DDTL,$50m,$0,5%,2030,60%,H100,800,OpenAI,B\n2,A,Revolver,$9m,$1m,5%,2028,,,,,\n"
        "3,B,Equipment lease,$5m,$5m,9%,2027,,A100,90,,\n"
        "4,C,Construction loan,$90m,$10m,3%,2031,,,,Meta,BB+\n"
        "5,D,Senior notes,$9m,$9m,9%,2030,,,,,CCC\n6,Oracle,Term loan,$9m,$9m,2%,2030,,,,,\n"
    )
    book, overlay, _ = written(tmp_path, below, rows)
    system = build_system(book, Parameters(), 12)
    assert set(overlay.ids.values()) <= set(system.names.loans) and "ME" in system.names.lenders
    kinds = dict(zip(book["firms"]["firm"], book["firms"]["kind"], strict=True))
    assert [kinds[firm] for firm in "ABCD"] == ["neocloud", "neocloud", "project", "host"]
    assert book["loans"].set_index("loan").loc["4", "tenant"] == "META"


def test_what_the_tape_is_silent_about_is_named(tmp_path, below):
    _, [loan] = positions(tmp_path, below, "A,$50m,H100\n", head="Borrower,Drawn,GPU type\n")
    assert set(loan.assumed) == {
        "commitment = drawn", "number of chips from what is committed", "margin of 6% over the short rate",
        "maturity in 48 months", "default intensity as of a cloud rated B: no rating",
        "documented LTV of 65%",
    }  # fmt: skip
    assert (loan.coupon, loan.maturity_month, loan.ltv) == (0.06, 48, 0.65)
    assert loan.chips["H100"] == pytest.approx(0.8 * 0.05 / 30 * 1e3)


def test_of_a_long_tape_the_first_loans_are_shown_and_all_are_summed(tmp_path, below):
    rows = "".join(ONE.replace("A-1", f"A-{number}") for number in range(1, 31))
    tape, loans = positions(tmp_path, below, rows)
    overlay = overlay_of(loans, below.tables, "ai_credit_2025", "Mine", MINE)
    shown = text([loans_of(tape, loans, overlay)], 120)
    assert "the first 10 of 30 loans, all in loans.csv" in shown
    assert "A_10 " in shown and "A_11 " not in shown and "3,000.0" in shown

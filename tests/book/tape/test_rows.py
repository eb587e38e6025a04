"""Rows of a tape: loans, what is left out by name, and cells that cannot be read, asked for all at once."""

import openpyxl
import pytest

from engine.book.checks.problems import BookError
from engine.book.tape.grid import grids_of, letter
from engine.book.tape.layout import layout_of
from engine.book.tape.questions import Answers, Unsettled, read_answers, write_questions
from engine.book.tape.rows import read_lines

HEAD = "Loan,Borrower,Drawn (USD),Margin,Maturity"


def tape_of(tmp_path, *rows: str, head: str = HEAD, **answers: str):
    path = tmp_path / "loans.csv"
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    given = Answers({tuple(key.split("__")): value for key, value in answers.items()})
    return read_lines(layout_of(grids_of(path), given), given)


def asked(tmp_path, *rows: str, **more: str):
    with pytest.raises(Unsettled) as caught:
        tape_of(tmp_path, *rows, **more)
    return caught.value


GOOD = "1,Alpha,100m,6%,2029-06-30"


def test_totals_notes_and_blank_rows_are_left_out_by_name(tmp_path):
    tape = tape_of(
        tmp_path, "GPU loans,,,,", GOOD, "Sub-total,,100m,,", "", HEAD, "Grand total,,105m,,",
        "WA,,,6%,", "Source: agent,,,,",
    )  # fmt: skip
    assert [line.value("borrower") for line in tape.lines] == ["Alpha"]
    assert tape.left_out == (
        "row 2, a note: 'GPU loans'", "row 4, a total: 'Sub-total · 100m'", "row 6, the header again",
        "row 7, a total: 'Grand total · 105m'", "row 8, a total: 'WA · 6%'", "row 9, a note: 'Source: agent'",
    )  # fmt: skip


def test_a_row_that_may_be_a_loan_is_asked_for(tmp_path):
    questions = asked(tmp_path, GOOD, "2,,50m,6%,2029", "3,Beta,,6%,2029").questions
    assert [(each.about, each.item) for each in questions] == [("row", "3"), ("row", "4")]
    assert "no borrower" in questions[0].why and "no amount" in questions[1].why
    tape = tape_of(tmp_path, GOOD, "2,,50m,6%,2029", row__3="leave out")
    assert "row 3, as answered: '2 · 50m · 6% · 2029'" in tape.left_out


def test_a_borrower_that_is_called_total_is_asked_for(tmp_path):
    [question] = asked(tmp_path, GOOD, "2,Total Energies,5m,6%,2029").questions
    assert (question.about, question.item, question.expected) == ("row", "3", "leave out or loan")
    tape = tape_of(tmp_path, GOOD, "2,Total Energies,5m,6%,2029", row__3="loan")
    assert [line.value("borrower") for line in tape.lines] == ["Alpha", "Total Energies"]


def test_all_cells_that_cannot_be_read_are_asked_for_at_once(tmp_path):
    questions = asked(tmp_path, GOOD, "2,Beta,(50m),6-7%,soon").questions
    assert [each.item for each in questions] == ["C3", "D3", "E3"]
    assert "'(50m)' is not read" in questions[0].why and "negative" in questions[0].expected
    tape = tape_of(tmp_path, "2,Beta,(50m),6-7%,soon", cell__c2="50m", cell__d2="6.5%", cell__e2="2031-06-30")
    [line] = tape.lines
    assert (line.value("drawn"), line.value("margin")) == (50e6, (0.065, None))


def test_ambiguous_dates_are_settled_by_the_column_or_asked_for_once(tmp_path):
    rows = ("1,Alpha,1m,6%,03/04/2029", "2,Beta,1m,6%,05/06/2030")
    questions = asked(tmp_path, *rows).questions
    assert {(each.about, each.item) for each in questions} == {("date order", "Maturity")}
    days = [
        line.value("maturity").isoformat()
        for line in tape_of(tmp_path, *rows, **{"date order__maturity": "month first"}).lines
    ]
    assert days == ["2029-03-04", "2030-05-06"]
    tape = tape_of(tmp_path, *rows, "3,Gamma,1m,6%,30/06/2030")
    assert tape.lines[0].value("maturity").isoformat() == "2029-04-03"


def test_amounts_without_a_unit_are_asked_for_when_small(tmp_path):
    head = "Loan,Borrower,Drawn,Margin,Maturity"
    [question] = asked(tmp_path, "1,Alpha,100,6%,2029", head=head).questions
    assert (question.about, question.item) == (
        "unit",
        "Drawn",
    ) and "at most 100 without a unit" in question.why
    tape = tape_of(tmp_path, "1,Alpha,100,6%,2029", head=head, unit__drawn="EUR m")
    assert (tape.lines[0].value("drawn"), tape.lines[0].readings["drawn"].currency) == (100e6, "EUR")
    whole = tape_of(tmp_path, "1,Alpha,100000000,6%,2029", head=head)
    assert whole.lines[0].value("drawn") == 1e8 and whole.lines[0].readings["drawn"].currency == ""


def test_the_title_names_unit_and_date(tmp_path):
    tape = tape_of(
        tmp_path,
        "Loan,Borrower,Drawn,Margin,Maturity",
        "1,Alpha,100,6%,2029",
        head="Tape in EUR m as of 30 Jun 2031,,,,",
    )
    assert tape.lines[0].value("drawn") == 100e6 and tape.date.isoformat() == "2031-06-30"


def test_a_currency_column_and_one_that_nobody_knows(tmp_path):
    head = "Loan,Borrower,Drawn,Currency,Maturity"
    tape = tape_of(tmp_path, "1,A,1m,EUR,2029", "2,B,2m,usd,2029", head=head)
    assert [line.readings["drawn"].currency for line in tape.lines] == ["EUR", "USD"]
    questions = asked(tmp_path, "1,A,1m,XYZ,2029", head=head).questions
    assert [(each.item, each.expected) for each in questions] == [("D2", "a currency, as USD or EUR")]
    questions = asked(tmp_path, "1,A,$1m,EUR,2029", head=head).questions
    assert questions[0].item == "C2" and "in EUR, as its row says, not USD" in questions[0].expected


def test_rates_in_a_column_have_one_unit(tmp_path):
    head = HEAD.replace("Margin", "Margin (%)")
    assert tape_of(tmp_path, "1,A,1m,6.25,2029", head=head).lines[0].value("margin") == (0.0625, None)
    assert tape_of(tmp_path, "1,A,1m,0.0625,2029", head=head).lines[0].value("margin") == (0.0625, None)
    assert tape_of(tmp_path, "1,A,1m,575,2029").lines[0].value("margin") == (0.0575, None)
    for cells in (("0.0625", "6"), ("6", "600")):
        questions = asked(tmp_path, *(f"{i},A,1m,{cell},2029" for i, cell in enumerate(cells))).questions
        assert [(each.about, each.item) for each in questions] == [("unit", "Margin")]
    [question] = asked(tmp_path, "1,A,1m,6.25,2029", head=HEAD.replace("Margin", "Margin (bps)")).questions
    assert "the header says bp, the numbers look like %" in question.why


def test_cells_that_say_nothing_are_shown_and_not_read(tmp_path):
    [line] = tape_of(tmp_path, "1,Alpha,1m,n/a,2029").lines
    assert "margin" not in line.readings and line.blanks["margin"].written == "n/a"


def workbook(tmp_path, *rows, merge: str = ""):
    book = openpyxl.Workbook()
    for row in (HEAD.split(","), *rows):
        book.active.append(row)
    if merge:
        book.active.merge_cells(merge)
    book.save(tmp_path / "loans.xlsx")
    return tmp_path / "loans.xlsx"


def read_book(path, answers=None):
    answers = answers or Answers()
    return read_lines(layout_of(grids_of(path), answers), answers)


def test_merged_cells_in_the_table_are_refused_and_in_the_title_not(tmp_path):
    row = [1, "Alpha", 100e6, 0.06, "2029-06-30"]
    with pytest.raises(Unsettled) as caught:
        read_book(workbook(tmp_path, row, [2, "Beta", 1e6, 0.06, "2029"], merge="B2:B3"))
    assert "got merged B2:B3, expected cells that are not merged" in caught.value.problems[0]
    assert len(read_book(workbook(tmp_path, row, merge="A4:C4")).lines) == 1


def test_a_formula_without_a_value_is_asked_for(tmp_path):
    path = workbook(
        tmp_path, [1, "Alpha", "=50*2", 0.06, "2029-06-30"], ["Total", None, "=SUM(C2)", None, None]
    )
    with pytest.raises(Unsettled) as caught:
        read_book(path)
    [question] = caught.value.questions
    assert question.item == "C2" and "'=50*2' has no value" in question.why
    tape = read_book(path, Answers({("cell", "c2"): "100m"}))
    assert tape.lines[0].value("drawn") == 100e6 and "row 3, a total" in tape.left_out[0]


def test_files_that_are_no_tape(tmp_path):
    (tmp_path / "old.xls").write_bytes(b"x")
    (tmp_path / "torn.xlsx").write_bytes(b"x")
    (tmp_path / "latin.csv").write_bytes("Kredit;Zürich".encode("latin-1"))
    for name, words in (
        ("old.xls", "save it as"),
        ("torn.xlsx", "a readable .xlsx"),
        ("latin.csv", "UTF-8"),
        ("none.csv", "nothing there"),
    ):
        with pytest.raises(BookError, match=words):
            grids_of(tmp_path / name)


def test_letters_of_columns():
    assert [letter(place) for place in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]


def test_questions_go_to_a_file_and_answers_come_back(tmp_path):
    file = tmp_path / "loans.mapping.csv"
    error = asked(tmp_path, GOOD, "2,Beta,(50m),6-7%,2029")
    write_questions(file, [], error.questions)
    answers, rows = read_answers(file)
    assert answers == {} and [row[:2] for row in rows] == [("cell", "C3"), ("cell", "D3")]
    file.write_text(
        file.read_text(encoding="utf-8").replace("cell,C3,", "Cell,c3,50m") + "row,9,leave out\n",
        encoding="utf-8",
    )
    answers, rows = read_answers(file)
    assert answers.of("cell", "C3") == "50m" and answers.of("row", 9) == "leave out"
    write_questions(file, rows, error.questions[1:])
    assert read_answers(file)[0] == answers and len(read_answers(file)[1]) == 3
    file.write_text("about,item,answer\nplanet,C3,x\n", encoding="utf-8")
    with pytest.raises(BookError, match="column about: got 'planet'"):
        read_answers(file)
    file.write_text("about,item\ncell,C3\n", encoding="utf-8")
    with pytest.raises(BookError, match="column answer"):
        read_answers(file)

"""Where the loans stand: sheet, header row, fields and units; what is not clear is asked for."""

import pytest

from engine.book.tape.fields import exact, likely, split
from engine.book.tape.layout import layout_of, unit_of_text
from engine.book.tape.questions import Answers, Unsettled
from engine.book.workbook import Grid


def grid(*rows: str, title: str = "Loans") -> Grid:
    """A sheet from rows of cells with bars between them, numbered from 1; blank rows are not in it."""
    records = [
        (line, tuple(cell.strip() for cell in row.split("|"))) for line, row in enumerate(rows, 1) if row
    ]
    return Grid(title, records)


def asked(grids, **answers):
    with pytest.raises(Unsettled) as caught:
        layout_of(grids, Answers({tuple(key.split("__")): value for key, value in answers.items()}))
    return caught.value


@pytest.mark.parametrize(
    ("header", "field"),
    [("Commitment (USD)", "commitment"), ("BALANCE (USD m)", "drawn"), ("Commitment EUR mm", "commitment"),
     ("Outstanding $000", "drawn"), ("Spread (bps)", "margin"), ("LTV %", "ltv"), ("# GPUs", "units"),
     ("Off-taker", "offtaker"), ("Maturity Dt.", "maturity"), ("Fixed/Floating", "floating"),
     ("Obligor_Name", "borrower"),
     ("Ccy", "currency"), ("Int. Rating", "rating"), ("Par Amount", "drawn"),
     ("Portfolio Company", "borrower"),
     ("Fair Value", None), ("Cost", None), ("Country", None)],
)  # fmt: skip
def test_headers_by_meaning(header, field):
    assert exact(header) == field


@pytest.mark.parametrize(
    ("header", "field"),
    [("Facility Commitment Amount", "commitment"), ("Borower", "borrower"), 
     ("Date of Final Maturity", "maturity"),
     ("Sector", None)],
)  # fmt: skip
def test_headers_that_may_mean_a_field(header, field):
    assert exact(header) is None and likely(header) == field


def test_units_in_headers_and_titles():
    units = [split(header)[1] for header in ("Balance (USD m)", "Limit €k", "Spread (bps)", "LTV %", "Drawn")]
    assert [(unit.currency, unit.scale, unit.rate) for unit in units] == [
        ("USD", 1e6, None), ("EUR", 1e3, None), (None, None, "bp"), (None, None, "%"), (None, None, None)
    ]  # fmt: skip
    titles = (
        "Loans in EUR millions",
        "Schedule ($ in thousands)",
        "Beträge in EUR Mio, Stand",
        "Loans m of 2031",
    )
    assert [(unit_of_text(each).currency, unit_of_text(each).scale) for each in titles] == [
        ("EUR", 1e6), ("USD", 1e3), ("EUR", 1e6), (None, None)
    ]  # fmt: skip


def test_the_header_is_found_below_a_title_and_other_sheets_are_left_out():
    sheets = [
        grid("Cover"),
        grid("Harbour (USD m)", "", "Borrower|Drawn|Maturity", "A|1|2031"),
        grid("see above"),
    ]
    layout = layout_of(sheets, Answers())
    assert (layout.line, [each.field for each in layout.columns]) == (3, ["borrower", "drawn", "maturity"])
    assert layout.title == "Harbour (USD m)" and len(layout.left_out) == 2


def test_two_headers_are_asked_for_and_one_that_is_repeated_is_not():
    two = grid("Borrower|Drawn|Maturity", "A|1|2031", "", "Borrower|Commitment|Maturity|LTV", "B|1|2031|0.5")
    [question] = asked([two]).questions
    assert (question.about, question.item) == ("header row", "Loans") and "lines 1 and 4" in question.why
    assert layout_of([two], Answers({("header row", "loans"): "4"})).line == 4
    assert "got 'x'" in asked([two], **{"header row__loans": "x"}).questions[0].why
    same = grid("Borrower|Drawn|Maturity", "A|1|2031", "Borrower|Drawn|Maturity", "B|1|2031")
    assert layout_of([same], Answers()).line == 1


def test_two_sheets_with_loans_are_asked_for():
    sheets = [grid("Borrower|Drawn|Maturity", title=name) for name in ("Jan", "Feb")]
    assert asked(sheets).questions[0].expected == "one of Jan, Feb"
    assert layout_of(sheets, Answers({("sheet", "loans"): "feb"})).grid.title == "Feb"
    assert "no sheet 'Mar'" in asked(sheets, sheet__loans="Mar").questions[0].why


def test_no_header_is_asked_for():
    [question] = asked([grid("a|b|c", "1|2|3")]).questions
    assert question.about == "header row" and "no row of sheet 'Loans'" in question.why
    assert asked([Grid("Empty", [])]).problems == ("the file has no cells, expected a table of loans",)


def test_two_columns_of_one_field_are_asked_for():
    sheet = grid("Borrower|Balance|Outstanding|Maturity", "A|1|2|2031")
    questions = asked([sheet]).questions
    assert [each.item for each in questions] == ["Balance", "Outstanding"]
    layout = layout_of([sheet], Answers({("column", "balance"): "ignore"}))
    assert [each.field for each in layout.columns] == ["borrower", None, "drawn", "maturity"]
    same = grid("Borrower|Drawn|Drawn|Maturity", "A|1|2|2031")
    assert [each.item for each in asked([same]).questions] == ["Drawn [B]", "Drawn [C]"]


def test_a_likely_column_is_proposed_and_a_wrong_answer_asked_again():
    sheet = grid("Borrower|Drawn|Date of Final Maturity|LTV|Sector", "A|1|2031|0.5|x")
    [question] = asked([sheet]).questions
    assert (question.item, question.proposal) == ("Date of Final Maturity", "maturity")
    layout = layout_of([sheet], Answers({("column", "date of final maturity"): "maturity"}))
    assert layout.column("maturity").place == 2
    assert "got 'mat'" in asked([sheet], **{"column__date of final maturity": "mat"}).questions[0].why


def test_a_table_without_borrower_or_amount_asks_for_every_other_column():
    questions = asked([grid("Loan ID|Maturity|Drawn|Who|What", "1|2031|5|A|x")]).questions
    assert [each.item for each in questions] == ["Who", "What"] and "no column is the borrower" in questions[
        0
    ].why
    assert "an amount" in asked([grid("Borrower|Maturity|LTV|Size", "A|2031|1|5")]).questions[0].why

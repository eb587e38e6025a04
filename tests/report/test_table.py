"""Tables as data: text and number of a cell, checks of the shape, the brief form."""

import pytest

from engine.report import table as cells
from engine.report.table import Cell, Table, row


@pytest.mark.parametrize(
    ("cell", "text", "value"),
    [(cells.amount(3.14159), "3.1", 3.14159), (cells.amount(None), "–", None),
     (cells.measured(274.6, 0.41, " *"), "275 ± 0.4 *", 274.6),
     (cells.interval(250.6, 245.8, 256.0), "251 [246–256]", 250.6),
     (cells.interval(21.9, 21.5, None), "21.9 [21.5 to –]", 21.9),
     (cells.probability(0.031, 0.0021), "3.1% ± 0.2%", 0.031),
     (cells.probability(0.26, 0.0001), "26% ± 0.01%", 0.26),
     (cells.probability(0.00016, 0.000028), "0.02% ± 0.003%", 0.00016),
     (cells.probability(0.0, 1.0 / 2048.0), "0% (< 0.15%)", 0.0),
     (cells.probability(1.0, 1.0 / 2048.0), "100% (all but < 0.15%)", 1.0),
     (cells.probability(0.0, 0.0), "0%", 0.0),
     (cells.changed_share(0.0, 0.001), "0% ± 0.1%", 0.0),
     (cells.changed_share(-0.02, 0.001, mark=" *"), "-2.0% ± 0.1% *", -0.02),
     (cells.probability(None, None), "–", None), (cells.multiple(1.234), "1.23x", 1.234),
     (cells.number(0.05, ".1%"), "5.0%", 0.05), (cells.number(None), "–", None)],
)  # fmt: skip
def test_a_cell_shows_a_rounded_number_and_keeps_the_whole(cell, text, value):
    assert (str(cell), cell.value) == (text, value)


def test_errors_and_intervals_stay_numbers():
    assert cells.measured(274.6, 0.91).bounds == (0.91,)
    assert cells.interval(250.6, 245.8, 256.0).bounds == (245.8, 256.0)


def test_a_row_as_long_as_the_head():
    with pytest.raises(ValueError, match="table 'a': row 1 has 1 cells, expected 2"):
        Table("a", "A", ("x", "y"), (row("one", "two"), row("one")))


def test_the_brief_form_keeps_the_columns_asked_for():
    rows = tuple(
        row(f"name {place}", "word", cells.amount(place), cells.amount(-place)) for place in range(4)
    )
    table = Table(
        "a",
        "A",
        ("Name", "Class", "x", "y"),
        rows,
        "note",
        "USD bn",
        words=2,
        brief_rows=2,
        brief_columns=(0, 3),
    )
    brief = table.brief()
    assert brief.head == ("Name", "y") and brief.words == 1 and len(brief.rows) == 2
    assert brief.rows[1] == (Cell("name 1"), cells.amount(-1)) and brief.units == "USD bn"

"""Cells that are not what they look like: formulas, merged cells, stale sizes, dates, units, rounding."""

import zipfile

import numpy as np
import openpyxl
import pytest

from engine.book.build import NotFinite, build_system, require_finite
from engine.book.checks.borrowers import group_heads, owned_by_itself
from engine.book.checks.problems import BookError
from engine.book.load import load_book, shipped_book
from engine.book.parameters import Parameters
from engine.book.sheets import MOST_ROWS, read_folder
from engine.vocabulary import FACTORS
from tests.book.test_load import told, workbook


@pytest.fixture
def sheets(small, tmp_path):
    """`sheets(edit)` is the small book as a workbook that `edit(workbook)` has changed."""

    def change(edit):
        path = workbook(small.folder, tmp_path / "book.xlsx")
        book = openpyxl.load_workbook(path)
        edit(book)
        book.save(path)
        return path

    return change


def column(sheet, name):
    """Number of a column of a sheet."""
    return next(cell.column for cell in sheet[1] if cell.value == name)


def put(table, row, name, value):
    """A change of one cell."""

    def edit(book):
        sheet = book[table]
        sheet.cell(row, column(sheet, name)).value = value

    return edit


VALUES = {
    "formula without a value": ("holdings", 2, "share", "=0.3*2", "=0.3*2", "this formula has none"),
    "formula of a text": ("loans", 3, "name", '="a"&"b"', '="a"&"b"', "this formula has none"),
    "true": ("chips", 3, "price_kusd", True, "TRUE", "a number above 0"),
    "true for a flag": ("loans", 3, "collateral", True, "TRUE", "0 or 1"),
    "an error": ("loans", 3, "name", "#N/A", "#N/A", "instead of a spreadsheet's error"),
    "an excel serial as months": ("loans", 3, "maturity_month", 46022, "46022", "at most 1,200 (months)"),
    "a year as months": ("loans", 3, "maturity_month", 2029, "2029", "at most 1,200 (months)"),
    "infinite in float32": ("firms", 3, "cash", 1e39, "1e+39", "at most 1,000,000 (USD bn)"),
    "nothing in float32": ("lenders", 3, "capital", 1e-40, "1e-40", "at least 1e-09 (USD bn)"),
}


@pytest.mark.parametrize("name", VALUES)
def test_a_cell_of_a_sheet_that_is_not_read_as_meant(name, sheets):
    table, row, column, value, got, words = VALUES[name]
    [problem] = told(sheets(put(table, row, column, value)))
    assert (problem.file, problem.row, problem.column) == (f"book.xlsx:{table}", row, column)
    assert problem.value == got and words in problem.expected


def test_merged_cells_are_refused_where_they_touch_the_table(sheets):
    def merge(book):
        sheet = book["loans"]
        place = openpyxl.utils.get_column_letter(column(sheet, "amortisation"))
        sheet.merge_cells(f"{place}2:{place}4")
        sheet.merge_cells("A30:C31")

    [problem] = told(sheets(merge))
    assert (problem.row, problem.column) == (2, "amortisation") and "merged" in problem.value


def test_a_stale_size_drops_no_row(sheets):
    path = sheets(lambda book: None)
    whole = zipfile.ZipFile(path)
    parts = {name: whole.read(name) for name in whole.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, part in parts.items():
            before, mark, after = part.partition(b'<dimension ref="')
            part = before + mark + b"A1:C2" + after[after.index(b'"') :] if mark else part
            archive.writestr(name, part)
    assert load_book(path).hash == load_book(shipped_book("worked_small")).hash


def test_a_format_in_the_last_cell_takes_no_time(sheets):
    def colour(book):
        book["loans"]["XFD1048576"].font = openpyxl.styles.Font(bold=True)

    assert load_book(sheets(colour)).hash == load_book(shipped_book("worked_small")).hash


@pytest.mark.parametrize(("day", "real"), [("2025-02-31", 0), ("2024-02-29", 1), ("2025-02-29", 0)])
def test_days_that_the_calendar_has(small, day, real):
    small.set("history", 4, "date", day)
    assert [(p.file, p.row, p.column) for p in small.problems()] == [("history.csv", 4, "date")] * (not real)


def test_two_files_of_one_table(small):
    (small.folder / "loans.CSV").write_bytes((small.folder / "loans.csv").read_bytes())
    [problem] = small.problems()
    assert problem.file == "loans.csv" and "loans.CSV is another" in problem.expected


def written(small, matrix):
    """The small book with a correlation matrix to eight decimals."""
    rows = [["factor", *FACTORS, "source", "grade"]]
    rows += [[f, *(f"{x:.8f}" for x in row), "t", "C"] for f, row in zip(FACTORS, matrix, strict=True)]
    small.write("correlation", rows)


def test_rounding_of_a_correlation_is_put_right_and_said(small):
    """Three factors behind six: the written entries have a least eigenvalue just below zero."""
    loadings = np.random.default_rng(5).normal(size=(6, 3))
    loadings /= np.linalg.norm(loadings, axis=1, keepdims=True)
    written(small, loadings @ loadings.T)
    book = load_book(small.folder)
    matrix = book["correlation"].set_index("factor").loc[list(FACTORS), list(FACTORS)].to_numpy()
    assert np.abs(matrix - loadings @ loadings.T).max() < 2e-8
    assert np.linalg.eigvalsh(matrix)[0] > -1e-13
    assert len(book.repairs) == 1 and "rounding of its entries" in book.repairs[0]
    assert np.isfinite(np.asarray(build_system(book, Parameters(), 12).economy.loading)).all()


WARNINGS = {
    "coupon of 90%": (
        "loans",
        3,
        "coupon",
        "0.9",
        "CLOUD_NOTES, column coupon: 0.9 is outside the usual 0",
    ),
    "ltv of a tenth": (
        "loans",
        2,
        "ltv_target",
        "0.1",
        "USD 2 bn drawn on chips worth 1.98 bn is an LTV of 1.01",
    ),
    "chip times a thousand": ("chips", 3, "price_kusd", "42000", "USD 42,000,000 for a chip"),
    "rent times a thousand": ("chips", 3, "rental_usd_per_hour", "5500", "USD 48,213,000 a year for a chip"),
    "cash times a thousand": ("firms", 7, "cash", "10000", "USD 10.0 trillion"),
    "investment grade that defaults": (
        "firms",
        6,
        "hazard",
        "0.1",
        "probability of 9.5% a year, 476 times",
    ),
    "interest beyond ebitda": ("firms", 3, "ebitda_ttm", "0.01", ""),
    "maturity after 41 years": (
        "loans",
        3,
        "maturity_month",
        "492",
        "outside the usual -240 to 480: 41.0",
    ),
}


@pytest.mark.parametrize("name", WARNINGS)
def test_what_is_hardly_meant_is_a_warning(name, small):
    assert load_book(small.folder).warnings == ()
    table, row, column, value, words = WARNINGS[name]
    small.set(table, row, column, value)
    if name == "interest beyond ebitda":
        small.set("firms", 4, "core_ebitda", "0.005")
        small.set("firms", 4, "ebitda_ttm", "0.005")
        words = "firms HOST: interest of 0.08 a year on its loans is 16 times its EBITDA of 0.005"
    warnings = load_book(small.folder).warnings
    assert any(words in warning for warning in warnings), warnings


def test_a_book_in_millions_is_a_warning(small):
    """Amounts of a thousand times the size: chips are then worth a thousandth of what is drawn on them."""
    lenders = ("capital", "debt", "other_assets", "equity", "line")
    amounts = {"loans": ("committed", "drawn"), "pools": ("balance",), "lenders": lenders}
    for table, names in amounts.items():
        rows = small.read(table)
        for name in names:
            place = rows[0].index(name)
            for row in rows[1:]:
                row[place] = f"{1000 * float(row[place]):g}" if row[place] else ""
        small.write(table, rows)
    warnings = load_book(small.folder).warnings
    assert any("LTV of 1010" in warning for warning in warnings), warnings
    assert any("in all is USD 15.0 trillion; amounts are USD bn" in warning for warning in warnings), warnings


def test_a_system_that_is_not_finite_is_refused():
    system = build_system(load_book(shipped_book("worked_small")), Parameters(), 12)
    import equinox as eqx

    broken = eqx.tree_at(lambda s: s.firms.cash, system, system.firms.cash.at[2].set(np.nan))
    with pytest.raises(NotFinite, match=r"firms.cash\[2\]: got nan, expected a finite number"):
        require_finite(broken)


def test_owners_in_rings_and_chains():
    parents = {"A": "B", "B": "C", "C": "B", "D": "", "E": "D", "F": "F"}
    assert owned_by_itself(parents) == {"B", "C", "F"}
    assert group_heads({"A": "B", "B": "C", "C": "", "D": "C"}) == dict.fromkeys("ABCD", "C")


def test_a_folder_that_cannot_be_read_is_a_message(small, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.iterdir", refuse)
    with pytest.raises(BookError, match="Permission denied"):
        load_book(small.folder)


def test_a_syndicate_s_holdings_are_a_longer_table(tmp_path):
    rows = "a,b\n" + "1,2\n" * (MOST_ROWS + 1)
    for table in ("holdings", "lenders"):
        (tmp_path / f"{table}.csv").write_text(rows)
    found, problems = read_folder(tmp_path)
    assert len(found["holdings"].rows) == MOST_ROWS + 1 and found["lenders"] is None
    assert [problem.expected for problem in problems] == ["at most 20,000 rows in a table"]

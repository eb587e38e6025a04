"""The report as files: the workbook's tables are the page's, its texts are no formulas; PDF and figures."""

import dataclasses
import re
import shutil
import struct
import xml.etree.ElementTree as ElementTree
import zipfile

import openpyxl
import plotly.graph_objects as go
import pytest

from engine.report.chromium import NAMES, NoBrowser, browser
from engine.report.columns import columns_of, format_of
from engine.report.files import write_report
from engine.report.images import write_figures
from engine.report.page import sections
from engine.report.section import Chart
from engine.report.table import Table, measured, row, share
from engine.report.workbook import HEAD, sheet_names, workbook

HOSTILE = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "\uff1d1")


@pytest.fixture(scope="module")
def contents(results):
    """Sections of the page."""
    return [section for _, section in sections(results)]


@pytest.fixture(scope="module")
def file(results, contents, tmp_path_factory):
    """The workbook, read back."""
    path = tmp_path_factory.mktemp("workbook") / "report.xlsx"
    workbook(results, contents).save(path)
    return openpyxl.load_workbook(path)


def test_every_table_of_the_page_is_a_sheet(file, contents):
    tables = [table for section in contents for table in section.tables]
    assert len(tables) > 12 and file.sheetnames == ["Contents", *sheet_names(tables)]
    for table, name in zip(tables, file.sheetnames[1:], strict=True):
        sheet = file[name]
        assert sheet.cell(1, 1).value == (table.title or table.name)
        assert sheet.max_row == HEAD + 1 + len(table.rows)
        assert [column.name or None for column in columns_of(table)] == [cell.value for cell in sheet[HEAD]]
    links = {cell.hyperlink.location for line in file["Contents"] for cell in line if cell.hyperlink}
    assert links == {f"'{name}'!A1" for name in file.sheetnames[1:]}


def test_numbers_are_whole_and_shown_as_on_the_page_with_their_units(file, results):
    sheet, loss = file["system"], results.system(results.last)
    head = [cell.value for cell in sheet[HEAD]]
    units = dict(zip(head, (cell.value for cell in sheet[HEAD + 1]), strict=True))
    last = dict(zip(head, sheet[sheet.max_row], strict=True))
    for name, key in {"Expected": "el", "VaR 99%, low": "var_99_lo", "ES 99%, s.e.": "es_99_se"}.items():
        assert last[name].value == pytest.approx(loss[key], rel=1e-15)  # a cell has 16 digits
        assert units[name] == "USD bn"
    assert last["Expected"].number_format == format_of(str(measured(loss["el"], loss["el_se"])).split()[0])
    assert units["ES 99% / debt today"] == "%" and "%" in last["ES 99% / debt today"].number_format
    assert last["ES 99% / debt today"].value == pytest.approx(loss["es_99"] / loss["exposure"])


def test_a_mark_of_the_page_is_a_column(file):
    sheet = file["system"]
    marks = [cell.value for cell in sheet[HEAD]].index("*")
    assert "VaR 99.9%" in sheet[HEAD + 2][marks].value
    assert "* Fewer than 50 effective paths" in sheet.cell(2, 1).value


def test_no_text_is_a_formula(results, contents, tmp_path):
    path = tmp_path / "hostile.xlsx"
    rows = tuple(row(text, text, measured(-2.5, 0.1)) for text in HOSTILE)
    table = Table("=cmd|' /C calc'!A0", "=1+1", ("=a", "+b", "@c"), rows, "=note", "=USD", words=2)
    workbook(results, [dataclasses.replace(contents[0], title="=title", parts=(table, table))]).save(path)
    with zipfile.ZipFile(path) as archive:
        sheets = [archive.read(name).decode() for name in archive.namelist() if "worksheets/" in name]
    assert len(sheets) == 3 and not any(re.search(r"<f[ >/]", sheet) for sheet in sheets)
    for sheet in openpyxl.load_workbook(path).worksheets[1:]:
        texts = [cell for line in sheet for cell in line if isinstance(cell.value, str)]
        assert {cell.data_type for cell in texts} == {"s"}
        assert [cell.value for cell in sheet["A"][HEAD + 1 :]] == list(HOSTILE)
        assert all(cell.quotePrefix for cell in texts) and sheet["C"][HEAD + 1].value == -2.5


def test_names_of_sheets_are_short_and_each_is_there_once():
    tables = [Table(name, "", (), ()) for name in ("x" * 40, "x" * 40, "Contents", "", "a[b]*?:/\\c")]
    assert sheet_names(tables) == ["x" * 31, "x" * 29 + " 2", "Contents 2", "table", "a b c"]


def test_a_column_of_several_units_has_none():
    rows = (row("x", measured(1.0, 0.1)), row("y", share(0.5)))
    names, amounts, errors = columns_of(Table("mixed", "", ("a", "b"), rows, units="USD bn"))
    assert (names.unit, amounts.unit, errors.unit) == ("", "", "")
    assert amounts.values == (1.0, 0.5) and errors.values == (0.1, None)


needs_browser = pytest.mark.skipif(not any(map(shutil.which, NAMES)), reason="needs Chromium or Chrome")


@needs_browser
def test_the_page_as_pdf(folder, tmp_path):
    for part in ("summary.json", "results"):
        (tmp_path / part).symlink_to(folder / part)
    write_report(tmp_path, ["pdf"])
    content = (tmp_path / "report.pdf").read_bytes()
    assert content.startswith(b"%PDF") and len(re.findall(rb"/Type\s*/Page\b", content)) > 5
    assert not (tmp_path / "report.html").exists()


@needs_browser
def test_figures_as_files(tmp_path):
    line = go.Figure(go.Scatter(x=[1, 2], y=[3, 4], name="<a href='x'>R&D</a>"), layout={"height": 300})
    write_figures(tmp_path, [Chart("fan/one", line, "<i>Revenue</i> & co")], ["svg", "png"], browser())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fan-one.png", "fan-one.svg"]
    drawing = ElementTree.parse(tmp_path / "fan-one.svg").getroot()
    words = " ".join("".join(text.itertext()) for text in drawing.iter("{http://www.w3.org/2000/svg}text"))
    assert "<i>Revenue</i> & co" in words and not list(drawing.iter("{http://www.w3.org/2000/svg}a"))
    png = (tmp_path / "fan-one.png").read_bytes()
    assert struct.unpack(">II", png[16:24]) == (2 * 960, 2 * 340)


def test_a_browser_that_is_none_is_said(tmp_path):
    with pytest.raises(NoBrowser, match="no program nowhere; install one, or name it by report.browser=PATH"):
        browser("nowhere")
    chart = Chart("a", go.Figure(), "A")
    with pytest.raises(NoBrowser, match="false ended with code 1"):
        write_figures(tmp_path, [chart], ["svg"], browser("false"))
    with pytest.raises(NoBrowser, match="true drew no a.svg"):
        write_figures(tmp_path, [chart], ["svg"], browser("true"))
    assert list(tmp_path.iterdir()) == []

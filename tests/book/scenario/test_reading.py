"""A scenario's table: the Federal Reserve's as published, one of one's own, and all that is refused."""

import math
import pathlib

import numpy as np
import pytest

from engine.book.scenario.mapping import SHIPPED, ScenarioError, read_mapping
from engine.book.scenario.reading import Choice, read_scenario
from engine.book.scenario.table import TABLES, month_of, shipped_tables, table_file

DATE, RATE = "2025-12-31", 0.037
ADVERSE = TABLES / "2026_Proposed_Supervisory_Severely_Adverse_Domestic.csv"
HISTORY = TABLES / "2026_Proposed_Historic_Domestic.csv"

OWN = """Date,short rate,spread index,equity index,AI revenue,power cost index,regime
2026-01,3.6,1.10,0.95,64,1.02,boom
2026-02,3.5,1.20,0.90,68,1.02,boom
2026-03,3.4,1.30,0.85,,1.02,plateau
"""
"""Made up: three months in the model's own terms."""


def read(text, tmp_path, months=60, **choice):
    file = tmp_path / "macro.csv"
    file.write_text(text, encoding="utf-8")
    return read_scenario(Choice(file, **choice), DATE, months, RATE)


def test_the_federal_reserve_s_table_is_read_as_it_comes():
    """BBB less ten years over its value of 2025 Q4, the market over its level then, bills as short rate."""
    scenario = read_scenario(Choice(ADVERSE, HISTORY), DATE, 60, RATE)
    values = scenario.pins.values
    assert (scenario.step, scenario.first, scenario.last, set(values)) == (
        3, "2026 Q1", "2029 Q1", {"rates", "credit", "equity"},
    )  # fmt: skip
    assert values["rates"][[0, 1, 12]] == pytest.approx([0.025, 0.001, 0.001])
    assert np.exp(values["credit"])[[0, 2]] == pytest.approx([(7.6 - 3.2) / (5.6 - 4.3), (8.1 - 2.4) / 1.3])
    assert np.exp(values["equity"])[[2, 12]] == pytest.approx([29052.6 / 62542.9, 56288.6 / 62542.9])
    uses = {column.name: column.use for column in scenario.columns}
    assert len(uses) == 16 and uses["10-year Treasury yield"] == "part"
    assert [name for name, use in uses.items() if use == "given"] == [
        "3-month Treasury rate", "BBB corporate yield", "Dow Jones Total Stock Market Index (Level)",
    ]  # fmt: skip
    assert all(column.meaning.why for column in scenario.columns)
    assert "public domain" in scenario.source


def test_the_shipped_tables_are_whole():
    """Figures that the Board's announcement names: 10% unemployment, 5.7 points of spread, a VIX of 72."""
    rows = [line.split(",") for line in ADVERSE.read_text(encoding="utf-8").splitlines()]
    head, table = rows[0], np.array([[float(cell) for cell in row[2:]] for row in rows[1:]])
    column = {name: table[:, place] for place, name in enumerate(head[2:])}
    assert len(table) == 13 and column["Unemployment rate"].max() == 10.0
    spread = column["BBB corporate yield"] - column["10-year Treasury yield"]
    assert spread.max() == pytest.approx(5.7) and column["Market Volatility Index (Level)"].max() == 72.0
    assert set(shipped_tables()) == {path.stem for path in TABLES.glob("*.csv")} - {"tables"}
    assert table_file(ADVERSE.stem) == ADVERSE and table_file("nothing") is None


def test_the_past_can_be_the_scenario():
    """2007 Q3 to 2010 Q2 of the published history, dated anew from the book's date on."""
    scenario = read_scenario(Choice(HISTORY, start="2007 Q3", end="2010 Q2"), DATE, 36, RATE)
    assert (scenario.first, scenario.last) == ("2007 Q3", "2010 Q2")
    assert len(scenario.pins.values["equity"]) == 12
    assert np.exp(scenario.pins.values["credit"][5]) == pytest.approx((9.7 - 3.7) / (6.2 - 4.9))


def test_a_table_in_the_model_s_own_terms(tmp_path):
    scenario = read(OWN, tmp_path)
    values = scenario.pins.values
    assert scenario.step == 1 and values["rates"] == pytest.approx([0.036, 0.035, 0.034])
    assert np.exp(values["demand"]) == pytest.approx([64.0, 68.0])
    assert values["regime"].tolist() == [0.0, 0.0, 1.0]
    assert values["power"] == pytest.approx([math.log(1.02)] * 3)


def test_gdp_is_named_as_not_used(tmp_path):
    scenario = read("Date,GDP growth,short rate\n2026 Q1,-2,3.0\n", tmp_path)
    gdp, rate = scenario.columns
    assert (gdp.use, rate.use) == ("unused", "given") and "no factor of output" in gdp.meaning.why


def test_a_mapping_of_one_s_own(tmp_path):
    """Any column by its name, here with a beta of 1.5; it also takes the place of a shipped row."""
    mapping = tmp_path / "mine.csv"
    head = SHIPPED.read_text(encoding="utf-8").splitlines()[0]
    rows = "Me,,Nasdaq,equity,ratio,level,,1.5,C,a narrower index\nMe,,AI revenue,,,,,,C,a view of ours\n"
    mapping.write_text(f"{head}\n{rows}", encoding="utf-8")
    text = "Date,Nasdaq,AI revenue\n2025 Q4,20000,60\n2026 Q1,10000,30\n"
    scenario = read(text, tmp_path, mapping=mapping)
    assert scenario.pins.values["equity"] == pytest.approx([1.5 * math.log(0.5)])
    assert set(scenario.pins.values) == {"equity"}


def test_every_row_of_the_mapping_has_a_reason_and_a_grade():
    rows = read_mapping(SHIPPED)
    assert all(row.why and row.grade in "ABC" for row in rows)
    names = {row.column for row in rows}
    assert {row.less for row in rows if row.less} <= names


@pytest.mark.parametrize(
    "text", ["2026 Q1", "2026Q1", "2026:Q1", "Q1 2026", "2026-03", "2026-03-31", "3/31/2026"]
)
def test_dates_as_people_write_them(text):
    assert month_of(text) == 12 * 2026 + 3


def test_a_december_is_a_year():
    assert month_of("2026") == month_of("2026-12") == 12 * 2027


def test_years_are_cut_into_quarters(tmp_path):
    """A rate from the book's 3.7% to 4.5% and back, an index to a quarter on a straight line of its log."""
    scenario = read("Date,short rate,equity index,regime\n2026,4.5,0.25,bust\n2027,3.7,0.25,boom\n", tmp_path)
    values = scenario.pins.values
    assert scenario.step == 3
    assert values["rates"] == pytest.approx([0.039, 0.041, 0.043, 0.045, 0.043, 0.041, 0.039, 0.037])
    assert np.exp(values["equity"]) == pytest.approx([0.25 ** (k / 4) for k in (1, 2, 3, 4)] + [0.25] * 4)
    assert values["regime"].tolist() == [2.0] * 4 + [0.0] * 4
    assert any("a year's value stands at its end" in note for note in scenario.notes)


@pytest.mark.parametrize("text", ["26", "Q5 2026", "31.3.2026", "2026 Q1 ?", ""])
def test_what_is_no_quarter_or_month(text):
    assert month_of(text) is None


QUARTERS = "Date,short rate\n2026 Q1,3.0\n2026 Q2,2.9\n"
REFUSED = {
    "unknown column": ("Date,shrt rate\n2026 Q1,3\n", ["row 1", "'shrt rate'", "such as 'short rate'"]),
    "no date": ("Quarter,short rate\n2026 Q1,3\n", ["a column Date"]),
    "no date in a row": (
        "Date,short rate\nsoon,3\n", ["row 2, column Date: got 'soon', expected a quarter, month or year"]
    ),
    "a year of revenue without its start": ("Date,AI revenue\n2026,64\n", ["its value at the book's date"]),
    "years with a gap": ("Date,short rate\n2026,3\n2028,3\n", ["row 3", "'2028'", "after 2026: no gap"]),
    "a gap": ("Date,short rate\n2026 Q1,3\n2026 Q3,3\n", ["row 3", "'2026 Q3'", "after 2026 Q1: no gap"]),
    "wrong order": ("Date,short rate\n2026 Q2,3\n2026 Q1,3\n", ["row 3", "a date after 2026 Q2"]),
    "twice": ("Date,short rate\n2026 Q1,3\n2026 Q1,3\n", ["row 3", "a date after 2026 Q1"]),
    "half years": ("Date,short rate\n2026-06,3\n2026-12,3\n", ["row 3", "one step"]),
    "begins late": ("Date,short rate\n2026 Q2,3\n", ["row 2", "the quarter after the book's date, 2025"]),
    "all past": ("Date,short rate\n2020 Q1,3\n2020 Q2,3\n", ["2020 Q1 to 2020 Q2", "scenario.start"]),
    "beyond": (
        "Date,short rate\n" + "".join(f"{y} Q{q},3\n" for y in range(2026, 2032) for q in (1, 2, 3, 4)),
        ["row 25", "'2031 Q4'", "the run's 60 months", "run.months=72"],
    ),
    "decimals": ("Date,short rate\n2026 Q1,0.036\n2026 Q2,0.03\n", ["0.03 to 0.036", "look like decimals"]),
    "a level for a rate": ("Date,short rate\n2026 Q1,4200\n", ["4200", "looks like a level"]),
    "a level for an index": ("Date,equity index\n2026 Q1,6000\n", ["6000", "1 at the book's date"]),
    "no logarithm": ("Date,AI revenue\n2026 Q1,-5\n", ["-5", "numbers above 0"]),
    "a sign of percent": ("Date,short rate\n2026 Q1,3.0%\n", ["row 2, column short rate: got '3.0%'"]),
    "a hole": ("Date,short rate\n2026 Q1,3\n2026 Q2,\n2026 Q3,3\n", ["row 3", "every row"]),
    "nothing": ("Date,short rate\n2026 Q1,\n", ["no number"]),
    "no rows": ("Date,short rate\n", ["no rows"]),
    "ragged": ("Date,short rate\n2026 Q1,3,4\n", ["row 2", "3 cells", "2 cells, as in the header"]),
    "a word for a regime": ("Date,regime\n2026 Q1,slump\n", ["'slump'", "one of boom, plateau, bust"]),
    "column twice": ("Date,short rate,Short Rate\n2026 Q1,3,3\n", ["each column once"]),
    "one factor twice": (
        "Date,short rate,3-month Treasury rate\n2026 Q1,3,3\n", ["one column of rates: short rate is"]
    ),
    "no start of a level": (
        "Date,Dow Jones Total Stock Market Index (Level)\n2026 Q1,60000\n",
        ["its value at the book's date", "scenario.history"],
    ),
    "spread without its other half": (
        "Date,BBB corporate yield\n2025 Q4,5.6\n2026 Q1,7.6\n", ["'10-year Treasury yield' beside it"]
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_bad_tables_are_refused_with_what_where_and_expected(name, tmp_path):
    text, parts = REFUSED[name]
    with pytest.raises(ScenarioError) as error:
        read(text, tmp_path)
    for part in parts:
        assert part in str(error.value), str(error.value)
    assert "macro.csv" in str(error.value)


def test_a_path_at_the_floor_of_rates_is_no_decimal(tmp_path):
    assert read("Date,short rate\n2026 Q1,0.1\n", tmp_path).pins.values["rates"] == pytest.approx([0.001])


def test_start_and_end_are_dates_of_the_file(tmp_path):
    for key in ("start", "end"):
        with pytest.raises(ScenarioError, match=f"scenario.{key}: got '2030 Q1', expected a date of macro"):
            read(QUARTERS, tmp_path, **{key: "2030 Q1"})


def test_a_history_lacks_no_column(tmp_path):
    with pytest.raises(ScenarioError, match="a column 'short rate'"):
        read(QUARTERS, tmp_path, history=HISTORY)


def test_a_mapping_is_checked(tmp_path):
    mapping = tmp_path / "mine.csv"
    head = SHIPPED.read_text(encoding="utf-8").splitlines()[0]
    for row, part in (
        ("Me,,X,output,level,percent,,1,C,w", "column factor: got 'output'"),
        ("Me,,X,rates,,percent,,1,C,w", "column reading: expected a reading where"),
        ("Me,,X,rates,level,percent,,much,C,w", "column elasticity: got 'much'"),
    ):
        mapping.write_text(f"{head}\n{row}\n", encoding="utf-8")
        with pytest.raises(ScenarioError) as error:
            read(QUARTERS, tmp_path, mapping=pathlib.Path(mapping))
        assert part in str(error.value), str(error.value)

"""Tables of the EBA and the Bank of England as they come, dates across, and what is refused of them."""

import csv
import math

import numpy as np
import pytest

from engine.book.scenario.mapping import SHIPPED, ScenarioError
from engine.book.scenario.reading import Choice, read_scenario
from tests.supervisors import bank_of_england, banking_authority, write

DATE, RATE = "2025-12-31", 0.037


def read(file, months=60, **choice):
    return read_scenario(Choice(file, **choice), DATE, months, RATE)


def uses(scenario):
    return {column.name: column.use for column in scenario.columns}


def test_the_bank_of_england_s_sheet_is_read_as_it_comes(tmp_path):
    """Equity and spread over their values in the last quarter of the past, the policy rate as it stands."""
    scenario = read(bank_of_england(tmp_path / "boe.xlsx"))
    values = scenario.pins.values
    assert (scenario.step, scenario.first, scenario.last) == (3, "Q1 2025", "Q4 2025")
    assert values["rates"] == pytest.approx([0.06, 0.07, 0.075, 0.07])
    assert np.exp(values["equity"]) == pytest.approx([0.8, 0.5, 0.45, 0.5])
    assert np.exp(values["credit"]) == pytest.approx([2.0, 3.0, 5.0, 4.0])
    assert [name for name, use in uses(scenario).items() if use == "given"] == [
        "US equity prices", "US policy rate", "US dollar IG corporate bond spread",
    ]  # fmt: skip
    assert scenario.notes == (
        "the stress scenario, region US",
        "read from the sheet Macroeconomic variables",
        "dated anew: Q1 2025 is the first period after the book's date, 2025-12-31",
    )


def test_what_the_mapping_does_not_know_is_named_and_left_out(tmp_path):
    whys = {
        column.name: column.meaning.why for column in read(bank_of_england(tmp_path / "boe.xlsx")).columns
    }
    assert "no row of the mapping knows it" in whys["Tea price"]
    assert whys["Bank Rate"] == "of another region: scenario.region=UK follows it"
    assert "no factor of output" in whys["UK real GDP"]


def test_a_region_s_variables_are_followed(tmp_path):
    values = read(bank_of_england(tmp_path / "boe.xlsx"), region="UK").pins.values
    assert values["rates"][0] == pytest.approx(0.06) and np.exp(values["equity"][2]) == pytest.approx(0.55)
    assert np.exp(values["credit"]) == pytest.approx([2.0, 3.0, 4.0, 3.0])


def test_one_of_several_scenarios_is_read(tmp_path):
    """The stress where one is called so; of two shocks one has to be named."""
    file = bank_of_england(tmp_path / "boe.xlsx", ("Base", "Stress"))
    assert np.exp(read(file).pins.values["credit"][0]) == pytest.approx(4.0)
    assert np.exp(read(file, case="base").pins.values["credit"][0]) == pytest.approx(2.0)
    shocks = bank_of_england(tmp_path / "shocks.xlsx", ("Demand shock", "Supply shock"))
    with pytest.raises(
        ScenarioError, match="scenario.case: got 'nothing', expected one of demand shock, supply"
    ):
        read(shocks)
    assert np.exp(read(shocks, case="Supply shock").pins.values["credit"][0]) == pytest.approx(4.0)


def test_a_date_of_the_past_can_be_the_start(tmp_path):
    scenario = read(bank_of_england(tmp_path / "boe.xlsx"), start="Q2 2025")
    assert scenario.first == "Q2 2025" and len(scenario.pins.values["equity"]) == 3
    assert np.exp(scenario.pins.values["equity"][0]) == pytest.approx(50 / 80)


def test_the_banking_authority_s_sheets_are_read_as_they_come(tmp_path):
    """Year ends as published, quarters on straight lines from the starting point."""
    scenario = read(banking_authority(tmp_path / "eba.xlsx"))
    values = scenario.pins.values
    assert (scenario.step, scenario.first, scenario.last) == (3, "2025", "2027")
    assert values["rates"][[0, 3, 7, 11]] == pytest.approx([0.044 + 0.004, 0.06, 0.056, 0.052])
    assert np.exp(values["equity"])[[3, 7, 11]] == pytest.approx([0.4, 0.45, 0.5])
    assert values["equity"][1] == pytest.approx(0.5 * math.log(0.4))
    assert np.exp(values["credit"])[[3, 7, 11]] == pytest.approx([4.0, 3.0, 2.5])
    assert uses(scenario) == {
        "GDP": "unused", "SWAP rates, 3M": "given", "SWAP rates, 10Y": "unused", "Stock prices": "given",
        "Itraxx, iTraxx Overall 5y": "given", "Itraxx, iTraxx Crossover 5y": "unused",
        "Freight, Baltic Dry": "unused",
    }  # fmt: skip
    assert "SWAP rates: USD for US" in scenario.notes


def test_the_baseline_leaves_free_what_it_does_not_have(tmp_path):
    scenario = read(banking_authority(tmp_path / "eba.xlsx"), case="baseline")
    assert set(scenario.pins.values) == {"rates", "credit"}
    assert scenario.pins.values["rates"][[3, 7]] == pytest.approx([0.042, 0.04])
    assert "Stock prices: not in the baseline scenario, left free" in scenario.notes


def test_a_member_state_has_its_currency_and_the_union_s_market(tmp_path):
    scenario = read(banking_authority(tmp_path / "eba.xlsx"), region="DE")
    assert np.exp(scenario.pins.values["equity"][3]) == pytest.approx(0.5)
    assert scenario.pins.values["rates"][3] == pytest.approx(0.032)
    assert "Stock prices: European Union for DE" in scenario.notes


def test_a_deviation_from_what_the_table_does_not_give_is_left_out(tmp_path):
    rows = [
        [None, None, "Deviation from baseline (%)", None], [None, None, 2025, 2026],
        [None, "United States", -60, -55],
    ]  # fmt: skip
    spreads = [
        [None, None, "Historical level", "Adverse level", None], [None, None, 2024, 2025, 2026],
        [None, "iTraxx Overall 5y", 60, 240, 180],
    ]  # fmt: skip
    scenario = read(write(tmp_path / "eba.xlsx", {"Stock prices": rows, "Itraxx": spreads}))
    assert set(scenario.pins.values) == {"credit"}
    assert any("Stock prices is left out: 'Deviation from baseline (%)'" in note for note in scenario.notes)


def test_another_index_takes_the_place_of_the_shipped_one(tmp_path):
    head = SHIPPED.read_text(encoding="utf-8").splitlines()[0]
    mapping = tmp_path / "mine.csv"
    with open(mapping, "w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(head.split(","))
        rows.writerow(["Me", "", "Itraxx, iTraxx Overall 5y", "", "", "", "", "", "C", "too safe"])
        rows.writerow(
            [
                "Me",
                "",
                "Itraxx, iTraxx Crossover 5y",
                "credit",
                "ratio",
                "basis points",
                "",
                "1",
                "C",
                "high yield",
            ]
        )
    scenario = read(banking_authority(tmp_path / "eba.xlsx"), mapping=mapping)
    assert np.exp(scenario.pins.values["credit"][3]) == pytest.approx(2.3)


ACROSS = """Variable,Country,Scenario,2026,2027
short rate,US,Adverse,4.5,3.7
short rate,DE,Adverse,2.5,2.0
short rate,US,Baseline,3.5,3.5
equity index,,Adverse,0.5,0.6
"""
"""Made up: years in columns, countries and scenarios in rows."""


def test_dates_may_stand_across(tmp_path):
    file = tmp_path / "across.csv"
    file.write_text(ACROSS, encoding="utf-8")
    scenario = read(file)
    assert scenario.pins.values["rates"][[3, 7]] == pytest.approx([0.045, 0.037])
    assert np.exp(scenario.pins.values["equity"][[3, 7]]) == pytest.approx([0.5, 0.6])
    assert read(file, region="DE").pins.values["rates"][3] == pytest.approx(0.025)
    assert read(file, case="baseline").pins.values["rates"][3] == pytest.approx(0.035)


def test_a_workbook_with_dates_down_is_read_too(tmp_path):
    rows = [["Date", "short rate"], ["2026 Q1", 3.5], ["2026 Q2", 3.25]]
    scenario = read(write(tmp_path / "own.xlsx", {"Notes": [["made up"]], "Paths": rows}))
    assert scenario.pins.values["rates"] == pytest.approx([0.035, 0.0325])


REFUSED = {
    "no such scenario": (
        banking_authority,
        {"case": "severe"},
        ["scenario.case", "'severe'", "adverse or base"],
    ),
    "too long": (bank_of_england, {"months": 6}, ["the run's 6 months", "scenario.end"]),
    "a start that is none": (bank_of_england, {"start": "Q1 2031"}, ["scenario.start", "'Q1 2031'"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_is_refused(name, tmp_path):
    build, choice, parts = REFUSED[name]
    with pytest.raises(ScenarioError) as error:
        read(build(tmp_path / "table.xlsx"), **choice)
    assert all(part in str(error.value) for part in parts), str(error.value)


def test_a_region_without_rows_is_named(tmp_path):
    scenario = read(banking_authority(tmp_path / "eba.xlsx"), region="JP")
    assert set(scenario.pins.values) == {"credit"}
    assert "Stock prices is left out: it has no row of JP" in scenario.notes


TABLE = {"own.csv": "Date,short rate\n2026 Q1,3\n", "across.csv": "Variable,2026\nshort rate,3\n"}


@pytest.mark.parametrize("file", TABLE)
@pytest.mark.parametrize(("key", "value"), [("case", "adverse"), ("region", "UK")])
def test_a_choice_that_a_table_does_not_offer_is_refused(file, key, value, tmp_path):
    (tmp_path / file).write_text(TABLE[file], encoding="utf-8")
    with pytest.raises(
        ScenarioError, match=f"scenario.{key}: got '{value}', expected none: {file} has one {key}"
    ):
        read(tmp_path / file, **{key: value})


def test_a_level_for_a_deviation_is_refused(tmp_path):
    rows = [
        [None, None, "Deviation from the starting point (%)"],
        [None, None, 2025],
        [None, "United States", 4200],
    ]
    with pytest.raises(ScenarioError, match="'4200 to 4200', expected a deviation in percent above -100"):
        read(write(tmp_path / "eba.xlsx", {"Stock prices": rows}))


@pytest.mark.parametrize("content", [b"PK\x03\x04 no workbook", b""])
def test_a_broken_workbook_is_refused(content, tmp_path):
    file = tmp_path / "broken.xlsx"
    file.write_bytes(content)
    with pytest.raises(ScenarioError, match="broken.xlsx"):
        read(file)


def test_a_workbook_of_no_layout_is_refused(tmp_path):
    file = write(tmp_path / "notes.xlsx", {"Notes": [["nothing to see"]]})
    with pytest.raises(ScenarioError, match="'Notes', expected a sheet with a column Date"):
        read(file)

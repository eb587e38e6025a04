"""Scenario workbooks in the layouts of the European Banking Authority and the Bank of England.

Layouts are reconstructed from the published workbooks of 2025 (EBA) and of 2022 and 2025 (Bank of England):
names of sheets, heads, groups of columns and labels of rows are theirs, the numbers are made up.
"""

import pathlib
from collections.abc import Sequence

from openpyxl import Workbook

Row = Sequence[object]
AHEAD = (2025, 2026, 2027)


def write(file: pathlib.Path, sheets: dict[str, Sequence[Row]]) -> pathlib.Path:
    """A workbook of these rows."""
    book = Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(list(row))
    book.save(file)
    return file


def groups(*names: str) -> list[object]:
    """The head of groups of three years, whose name stands in the first."""
    return [cell for name in names for cell in (name, None, None)]


def panel(title: str, head: Row, years: Row, rows: Sequence[Row], labels: int) -> list[Row]:
    """A sheet of the EBA: title, groups, years, rows, and a note below."""
    blank = [None] * (labels + 1)
    body = [[None, *row] for row in rows]
    return [
        [None],
        [None, title],
        [None],
        [*blank, *head],
        [*blank, *years],
        *body,
        [None, "Notes: made up."],
    ]


def banking_authority(file: pathlib.Path) -> pathlib.Path:
    """Growth, swap rates, share prices and spreads for three years."""
    growth = [
        "Historical growth (%)",
        *groups("Baseline growth (%)", "Adverse growth (%)"),
        "Cumulative growth from the starting point (%)",
        None,
        "Level of deviation in 2027 (%)",
    ]
    swaps = [
        "Starting point rates (%) – latest",
        "Starting point rates (%) – average",
        *groups("Baseline rate (%)", "Adverse rate (%)"),
    ]
    levels = ["Historical level", *groups("Baseline level", "Adverse level")]
    both = (*AHEAD, *AHEAD)
    return write(file, {
        "GDP": panel("Real GDP", growth, [2024, *both, "Baseline", "Adverse", None], [
            ["Germany", "DE", 0.1, 1, 1, 1, -3, -4, 0.5, 3, -6.5, -9],
            ["United States", "US", 2.0, 2, 2, 2, -2, -3, 1, 6, -4, -10],
        ], 2),
        "SWAP rates": panel("Swap rates", swaps, [2024, 2024, *both], [
            ["EUR", "3M", 2.8, 3.5, 2.0, 2.0, 2.0, 3.2, 3.0, 2.8],
            [None, "10Y", 2.2, 2.5, 2.3, 2.4, 2.5, 3.4, 3.4, 3.4],
            ["USD", "3M", 4.4, 5.0, 4.2, 4.0, 4.0, 6.0, 5.6, 5.2],
            [None, "10Y", 3.9, 3.7, 4.0, 4.0, 4.0, 5.0, 5.0, 5.0],
        ], 2),
        "Stock prices": panel("Stock prices", groups("Deviation from the starting point (%)"), AHEAD, [
            ["European Union", -50, -45, -40], ["United States", -60, -55, -50],
        ], 1),
        "Itraxx": panel("iTraxx", levels, [2024, *both], [
            ["iTraxx Overall 5y", 60, 70, 75, 80, 240, 180, 150],
            ["iTraxx Crossover 5y", 300, 320, 330, 330, 690, 590, 520],
        ], 1),
        "Freight": panel("Freight", levels, [2024, *both], [["Baltic Dry", 1, 1, 1, 1, 2, 2, 2]], 1),
    })  # fmt: skip


def bank_of_england(file: pathlib.Path, scenarios: Sequence[str] = ("",)) -> pathlib.Path:
    """Variables of two regions and a yield curve by quarter; spreads of scenario n are n times as wide."""
    head = [
        None, "UK real GDP", "UK equity prices", "Bank Rate", "Sterling IG corporate bond spread", None,
        "US equity prices", "US policy rate", "US dollar IG corporate bond spread", "Tea price",
    ]  # fmt: skip
    past = [
        ["Q3 2024", 101, 98, 5.1, 105, None, 97, 5.3, 95, 7],
        ["Q4 2024", 102, 100, 4.8, 100, None, 100, 4.7, 80, 7],
    ]
    sheets: dict[str, Sequence[Row]] = {"Disclaimer": [[None, "Made up."]]}
    for number, name in enumerate(scenarios, 1):
        ahead = [
            ["Q1 2025", 101, 80, 6.0, 200 * number, None, 80, 6.0, 160 * number, 8],
            ["Q2 2025", 99, 60, 7.0, 300 * number, None, 50, 7.0, 240 * number, 8],
            ["Q3 2025", 98, 55, 7.5, 400 * number, None, 45, 7.5, 400 * number, 9],
            ["Q4 2025", 97, 60, 7.0, 300 * number, None, 50, 7.0, 320 * number, 9],
        ]
        guidance = [["Guidance for extending projections beyond 2025Q4"],
                    ["Mean reversion in level or growth rate?", "Quarterly growth rate"]]  # fmt: skip
        suffix = f" ({name})" if name else ""
        sheets[f"{'Macro' if name else 'Macroeconomic'} variables{suffix}"] = [
            head, ["Historical data"], *past, ["Projections"], *ahead, *guidance,
        ]  # fmt: skip
        sheets[f"Yield curves{suffix}"] = [
            [None, "US government bond yields", None], ["Maturity:", 0.25, 10], ["Historical data"],
            ["Q4 2024", 4.4, 4.3], ["Projections"], ["Q1 2025", 5.6, 5.2],
        ]  # fmt: skip
    return write(file, sheets)

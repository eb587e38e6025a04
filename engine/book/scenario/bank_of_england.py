"""The Bank of England's variable paths as it publishes them: a sheet a scenario, one variable a column.

The header names the variables; `Historical data` and `Projections` stand in the first column above quarters
such as `Q1 2030`, and guidance for later years below them. A sheet's name ends with its scenario: `(Base)`,
`(Stress)`, `(Demand shock)`; without one it is the stress.
"""

import re
from collections.abc import Mapping, Sequence

import numpy as np

from engine.book.checks.problems import Problem
from engine.book.scenario.mapping import ScenarioError
from engine.book.scenario.table import Paths, month_of
from engine.book.workbook import Grid

PUBLISHER = "Bank of England"
HISTORY, AHEAD, MATURITY = "Historical data", "Projections", "Maturity:"
STRESS = "stress"
SUFFIX = re.compile(r"\((?P<case>[^)]+)\)\s*(\.csv)?$")


def cases(grids: Sequence[Grid]) -> Mapping[str, Grid]:
    """Sheets of variables by the name of their scenario; empty for a file of another layout."""
    return {case_of(grid.title): grid for grid in grids if paths_sheet(grid)}


def paths_sheet(grid: Grid) -> bool:
    """Whether a sheet has paths of variables; yield curves have a row of maturities, others no quarters."""
    first = [cells[0] for _, cells in grid.records]
    if HISTORY not in first or AHEAD not in first or MATURITY in first:
        return False
    return any(month_of(text) is not None for text in first[first.index(AHEAD) :])


def case_of(title: str) -> str:
    """The scenario in a sheet's name.

    >>> case_of("Macroeconomic variables (Base) "), case_of("Macroeconomic variables")
    ('base', 'stress')
    """
    suffix = SUFFIX.search(title.strip())
    return suffix["case"].strip().lower() if suffix else STRESS


def paths(label: str, sheets: Mapping[str, Grid], case: str | None, region: str) -> Paths:
    """The paths of one scenario, `stress` where none is named."""
    name = STRESS if case is None else case.lower()
    if name not in sheets:
        kind = f"one of {', '.join(sheets)}, the scenarios of {label}"
        raise ScenarioError([Problem("scenario.case", None, "", case or "nothing", kind)])
    records = sheets[name].records
    head = next(cells for _, cells in records if sum(map(bool, cells)) > 1)
    places = [place for place, text in enumerate(head) if place and text]
    ahead = next(row for row, (_, cells) in enumerate(records) if cells[0] == AHEAD)
    dated = [(line, cells) for line, cells in records if month_of(cells[0]) is not None]
    begins = next(cells[0] for _, cells in records[ahead:] if month_of(cells[0]) is not None)
    return Paths(
        label,
        tuple(line for line, _ in dated),
        tuple(cells[0] for _, cells in dated),
        np.array([month_of(cells[0]) for _, cells in dated], np.int64),
        tuple(head[place] for place in places),
        tuple(tuple(cells[place] if place < len(cells) else "" for place in places) for _, cells in dated),
        PUBLISHER, begins, name, region, (f"read from the sheet {sheets[name].title.strip()}",),
    )  # fmt: skip

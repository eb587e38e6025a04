"""Which layout a file has: a supervisor's own, dates across, or a column Date; and its paths."""

import pathlib
from collections.abc import Sequence

from engine.book.checks.problems import BookError, Problem
from engine.book.scenario import across, bank_of_england, banking_authority
from engine.book.scenario.mapping import ScenarioError, key_of
from engine.book.scenario.regions import DEFAULT
from engine.book.scenario.table import EXPECTED, Paths, paths_of, read_paths
from engine.book.sheets import Sheet, from_records
from engine.book.tape.grid import grids_of
from engine.book.workbook import Grid


def read_file(file: pathlib.Path, case: str | None = None, region: str = DEFAULT) -> Paths:
    """The paths of a CSV or .xlsx file, of one of its scenarios and regions.

    Raises ScenarioError where it cannot be read, has no such layout, or no such scenario or region.
    """
    try:
        grids = [grid for grid in grids_of(file) if grid.records]
    except BookError as error:
        raise ScenarioError(error.problems) from None
    if sheets := bank_of_england.cases(grids):
        return bank_of_england.paths(file.name, sheets, case, region)
    if panels := banking_authority.panels(grids):
        return banking_authority.paths(file.name, panels, case, region)
    table = next((grid for grid in grids if across.across(grid.records)), None)
    if table is not None:
        paths = across.paths(file.name, table.records, case, region)
    else:
        paths = plain(file, grids)
    chosen = (("case", case, paths.case), ("region", None if region == DEFAULT else region, paths.region))
    problems = [
        Problem(f"scenario.{key}", None, "", text, f"none: {file.name} has one {key}")
        for key, text, own in chosen
        if text is not None and not own
    ]
    if problems:
        raise ScenarioError(problems)
    return paths


def plain(file: pathlib.Path, grids: Sequence[Grid]) -> Paths:
    """The paths of a table with a column Date."""
    if file.suffix.lower() == ".csv":
        return read_paths(file)
    for grid in grids:
        if "date" in map(key_of, grid.records[0][1]):
            sheet = from_records(grid.records, f"{file.name}:{grid.title}")
            if isinstance(sheet, Sheet):
                return paths_of(sheet)
    titles = ", ".join(grid.title for grid in grids)
    kind = f"a sheet with a column Date and {EXPECTED}, or a layout of docs/scenarios.md"
    raise ScenarioError([Problem(file.name, None, "", titles[:80], kind)])

"""A table of the report outside the report: in a notebook as on the page, on a terminal as after a run."""

import pandas as pd

from engine.report.columns import Column, columns_of
from engine.report.html import render
from engine.report.table import Table
from engine.report.terminal import table_text


class ReportTable:
    """A table of the report; the numbers behind it are in `frame`."""

    def __init__(self, table: Table) -> None:
        self.table = table

    @property
    def frame(self) -> pd.DataFrame:
        """The table as a DataFrame by its first column; errors and intervals have columns of their own.

        Numbers are whole, not rounded as shown; units by column are in `attrs["units"]`, and a share in
        percent is a decimal here.
        """
        columns = columns_of(self.table)
        frame = pd.DataFrame({column.name: series(column) for column in columns})
        units = {column.name: "share" if column.unit == "%" else column.unit for column in columns}
        frame.attrs["units"] = {name: unit for name, unit in units.items() if unit}
        return frame.set_index(columns[0].name)

    def _repr_html_(self) -> str:
        """The table as the page has it."""
        return fragment(self.table)

    def __repr__(self) -> str:
        return table_text(self.table)


def series(column: Column) -> pd.Series:
    """The values of a column: numbers where it has no text."""
    text = any(isinstance(value, str) for value in column.values)
    return pd.Series(column.values, dtype=object if text else float)


def fragment(table: Table, texts: list[str] | None = None) -> str:
    """HTML of a table for a notebook, with sentences above it, the second of them a headline."""
    return render("fragment.html", table=table, texts=texts or [])

"""A book to start from: empty tables, a worked small one, and a page that explains every column."""

import csv
import os
import pathlib
import shutil

from engine.book.columns import REQUIRED, Column, Table
from engine.book.load import shipped_book
from engine.book.tables import TABLES

OPENING = """# A book of your own

A book is a folder of CSV files, or one .xlsx file with the same names as sheets. `empty/` holds the headers;
`worked_small/` is a small book that loads: copy it and replace its rows.

- Amounts are USD bn, rates decimals, months counted from the book's date in `about` (the past is negative).
- Ids are capital letters, digits and underscores; loans, tranches and pools share one set of ids.
- A blank cell takes the default; a column of defaults may be left out. A blank `share` in holdings means
  "holder known, amount unknown": what the known shares leave is split by the lenders' capital.
- Every row says where it comes from (`source`) and how good that is (`grade`): A seen in the source, B public
  figure of a named publication, C assumption.
- A loan without holders, a pool without obligors, shares that do not sum to one are errors, not zeros:
  loading lists every problem at once with its file, row and column.

Load it with `load_book("folder")` or `load_book("book.xlsx")`, or run with `book=own book.path=folder/`.
"""


def write_template(folder: str | os.PathLike) -> pathlib.Path:
    """Writes README.md, empty/ and worked_small/ into `folder` and returns it.

    Raises FileExistsError rather than write over an existing template.
    """
    folder = pathlib.Path(folder)
    for part in (folder / "README.md", folder / "empty", folder / "worked_small"):
        if part.exists():
            raise FileExistsError(f"got {part}, which exists, expected a folder without a template")
    (folder / "empty").mkdir(parents=True)
    for table in TABLES.values():
        with open(folder / "empty" / f"{table.name}.csv", "w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerow(table.names)
    shutil.copytree(shipped_book("worked_small"), folder / "worked_small", copy_function=shutil.copyfile)
    (folder / "README.md").write_text(explanation(), encoding="utf-8")
    return folder


def explanation() -> str:
    """Every table and column in words, from the schema."""
    return "\n".join([OPENING, *map(table_page, TABLES.values())])


def table_page(table: Table) -> str:
    """A table's section of the README in Markdown: meaning, key, number of rows, one row a column."""
    need = (
        "may be absent"
        if table.optional
        else f"at least {table.least} row"
        if table.least
        else "may be empty"
    )
    lines = [
        f"## {table.name}",
        "",
        f"{table.meaning} One row for each {' and '.join(table.key)}; {need}.",
        "",
    ]
    lines += ["| column | meaning | expected | if blank |", "|---|---|---|---|"]
    return "\n".join([*lines, *map(column_row, table.columns), ""])


def column_row(column: Column) -> str:
    """A column's row in Markdown: name, meaning, expected values, effect of a blank."""
    return f"| {column.name} | {column.meaning} | {column.expected} | {when_blank(column)} |"


def when_blank(column: Column) -> str:
    """The value of a blank cell: its default, none, unknown, or an error."""
    if column.default is REQUIRED:
        return "error"
    if isinstance(column.default, str):
        return column.default or "none"
    return "unknown" if column.default != column.default else f"{column.default:g}"

"""A book that lies over a shipped one: its rows replace those of the same key and add to the others.

Such a book is a folder or a workbook like any other, whose `about` names the book below in `base`. It holds
only the rows that differ, so a lender's own loans need not bring the sector along.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from engine.book.checks.problems import Problem
from engine.book.columns import Table
from engine.book.frames import Frame, Tables

BELOW = 1_000_000
"""Added to the line of a row of the book below, so that a problem knows which of two files it is in."""

WHOLE = ("about", "correlation")
"""Tables that are one statement: they are replaced as a whole, or not at all."""

SAME = {
    "firms": ("kind",), "lenders": ("class",), "loans": ("borrower",), "pools": ("kind",),
    "tranches": ("pool",), "contracts": ("buyer", "seller"),
}  # fmt: skip
"""What a row of the same key keeps: another borrower under the id of a shipped loan is a slip, no change."""


def below(frame: Frame) -> Frame:
    """A typed table of the book below, its rows numbered as an editor shows them, above all own lines."""
    return frame.set_axis(pd.RangeIndex(BELOW + 2, BELOW + 2 + len(frame), name="line"), axis="index")


def laid_over(table: Table, own: Frame, under: Frame) -> Frame:
    """Rows of `under` with those of `own` in the place of equal keys, and the new ones at the end."""
    if not len(own):
        return under
    if table.name in WHOLE:
        return own
    keys, under_keys = keys_of(table, own), keys_of(table, under)
    place = {key: position for position, key in enumerate(under_keys)}
    replaced = set(keys)
    rest = [position for position, key in enumerate(under_keys) if key not in replaced]
    order = [*rest, *(place.get(key, len(under)) for key in keys)]
    return pd.concat([under.iloc[rest], own]).iloc[np.argsort(order, kind="stable")]


def keys_of(table: Table, frame: Frame) -> list[tuple]:
    """The key of every row."""
    return list(zip(*(frame[column] for column in table.key), strict=True))


def contradictions(table: Table, own: Frame, under: Frame) -> Iterator[Problem]:
    """Rows that cannot lie over those of the same key, and another date, from which other months count."""
    if table.name == "about" and len(own) and own["date"].iloc[0] != under["date"].iloc[0]:
        expected = f"{under['date'].iloc[0]}, the date of the book below: its months count from it"
        yield Problem(table.name, int(own.index[0]), "date", own["date"].iloc[0], expected)
    rows = dict(zip(keys_of(table, under), under.to_dict("records"), strict=True))
    for line, key, row in zip(own.index, keys_of(table, own), own.to_dict("records"), strict=True):
        for column in SAME.get(table.name, ()):
            if key in rows and row[column] != rows[key][column]:
                name = ", ".join(map(str, key))
                expected = f"{rows[key][column]}, as {name} has in the book below; another id for another row"
                yield Problem(table.name, int(line), column, str(row[column]), expected)


def placed(problem: Problem, base: str) -> Problem:
    """The problem with its file and row in the book below where it is there."""
    if problem.row is None or problem.row < BELOW:
        return problem
    return Problem(
        f"{base}/{problem.file}.csv", problem.row - BELOW, problem.column, problem.value, problem.expected
    )


def summary_of(base: str, own: Tables, under: Tables, tables: dict[str, Table]) -> str:
    """What an overlay adds and replaces, in one sentence."""
    parts = []
    for name, table in tables.items():
        if name == "about" or not len(own[name]):
            continue
        shared = len(set(keys_of(table, own[name])) & set(keys_of(table, under[name])))
        added = len(own[name]) - shared
        counts = [f"{added} added" if added else "", f"{shared} replaced" if shared else ""]
        parts.append(f"{name} {', '.join(filter(None, counts))}")
    return f"lies over {base}: rows of " + "; ".join(parts) if parts else f"lies over {base} unchanged"

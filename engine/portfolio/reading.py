"""Obligors from a CSV, read as the tables of a book: a cell that is not read as meant is refused."""

import difflib
import os
import pathlib
import re

import numpy as np
from jaxtyping import Float64

from engine.book.cells import typed_table
from engine.book.checks.problems import SHOWN, Problem
from engine.book.columns import Column, Table, amount, share
from engine.book.sheets import Sheet, read_csv

NUMBERS = (
    share("pd", "default probability of the period"),
    amount("exposure", "exposure at default", unit="", high=1e30),
    share("lgd", "mean loss given default"),
    amount("lgd_volatility", "of the normal behind the loss given default", unit="1", high=100.0),
)
LOADING = re.compile(r"(lgd_)?loading_([1-9][0-9]{0,2})", re.ASCII)
"""A loading on a numbered factor, of default or of the loss given default."""

MOST_OBLIGORS = 1_000_000
"""Rows of a portfolio."""

OTHER_NAMES = ("ead", "probability_of_default", "loss_given_default", "rho", "notional", "balance")
"""What others call these columns; taken for a column that is ignored, they would fall to a default."""


def read_obligors(path: str | os.PathLike) -> dict[str, Float64[np.ndarray, "..."]]:
    """Arguments of `portfolio` by name, from the columns of a CSV.

    Loadings are ordered by the number of their factor. Raises ValueError with every problem, by line and
    column, an empty cell, a column twice and a name that nearly is a column's among them.
    """
    path = pathlib.Path(path)
    sheet = read_csv(path, MOST_OBLIGORS)
    problems = [sheet] if isinstance(sheet, Problem) else column_problems(sheet)
    if isinstance(sheet, Problem) or problems:
        raise ValueError(message(path, problems))
    columns = [column for column in NUMBERS if column.name in sheet.header]
    factors = sorted(filter(LOADING.fullmatch, sheet.header), key=factor_of)
    loadings = [amount(name, "loading", unit="1", low=-1.0, high=1.0) for name in factors]
    frame, problems = typed_table(table(*columns, *loadings), known(sheet))
    if problems:
        raise ValueError(message(path, problems))
    values = {column.name: frame[column.name].to_numpy(np.float64) for column in columns}
    for name in ("loadings", "lgd_loadings"):
        own = [each for each in factors if each.startswith(name[:-1])]
        if own:
            values[name] = frame[own].to_numpy(np.float64)
    return values


def table(*columns: Column) -> Table:
    """The schema of a file with these columns; at least one obligor."""
    return Table("obligors", "Obligors of a portfolio.", (), columns, least=1)


def known(sheet: Sheet) -> Sheet:
    """The sheet without the columns that are ignored."""
    places = [place for place, name in enumerate(sheet.header) if is_known(name)]
    rows = tuple((line, tuple(cells[place] for place in places)) for line, cells in sheet.rows)
    return Sheet(sheet.label, tuple(sheet.header[place] for place in places), rows)


def is_known(name: str) -> bool:
    """Whether a column is one of an obligor's."""
    return name in {column.name for column in NUMBERS} or bool(LOADING.fullmatch(name))


def factor_of(name: str) -> tuple[str, int]:
    """What a loading is of, and the number of its factor."""
    kind, _, number = name.rpartition("_")
    return kind, int(number)


def column_problems(sheet: Sheet) -> list[Problem]:
    """A missing pd, columns twice or of nearly a known name, factors without a loading, rows too wide."""
    header, label = sheet.header, sheet.label
    if "pd" not in header and not any(alike(name) == "pd" for name in header):
        return [Problem(label, None, "", f"columns {', '.join(header)}", "at least pd")]
    twice = sorted({name for name in header if header.count(name) > 1})
    problems = [Problem(label, 1, name, name, "each column once") for name in twice]
    for name in header:
        if not is_known(name) and (near := alike(name)):
            expected = f"{near}, or a name less like it for a column to ignore"
            problems.append(Problem(label, 1, name, name, expected))
    factors = {kind: factors_of(header, kind) for kind in ("loading", "lgd_loading")}
    for kind, numbers in factors.items():
        gaps = sorted(set(range(1, max(numbers, default=0) + 1)) - numbers)
        problems += [Problem(label, 1, f"{kind}_{gap}", "", "this column, which is missing") for gap in gaps]
    if not problems and all(factors.values()) and len(set(map(len, factors.values()))) > 1:
        expected = "lgd_loading_* for the same factors as loading_*"
        problems.append(
            Problem(label, 1, "", f"{len(factors['lgd_loading'])} columns lgd_loading_*", expected)
        )
    wide = f"{len(header)} cells, as in the header"
    return problems + [
        Problem(label, line, "", f"{len(cells)} cells", wide)
        for line, cells in sheet.rows
        if len(cells) != len(header)
    ]


def factors_of(header: tuple[str, ...], kind: str) -> set[int]:
    """Numbers of the factors with a loading of a kind."""
    pairs = map(factor_of, filter(LOADING.fullmatch, header))
    return {number for own, number in pairs if own == kind}


def alike(name: str) -> str:
    """The column that a name nearly is, whatever its case and signs; empty where it is none."""
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    names = {column.name.replace("_", ""): column.name for column in NUMBERS}
    number = re.sub(r"\D", "", plain).lstrip("0") or "1"
    word = plain.rstrip("0123456789")
    if difflib.get_close_matches(word, ("loading", "loadings"), n=1, cutoff=0.8):
        return f"loading_{number}"
    if difflib.get_close_matches(word, ("lgdloading", "lgdloadings"), n=1, cutoff=0.8):
        return f"lgd_loading_{number}"
    if name.lower() in OTHER_NAMES:
        return "exposure, lgd, pd or loading_1"
    near = difflib.get_close_matches(plain, names, n=1, cutoff=0.75)
    if not near and plain.startswith(("lgdvol", "exposure")):
        near = ["lgdvolatility" if plain.startswith("lgd") else "exposure"]
    return names[near[0]] if near else ""


def message(path: pathlib.Path, problems: list[Problem]) -> str:
    """The problems of a file, one a line, with its whole path."""
    lines = []
    for problem in problems[:SHOWN]:
        place = f"{path}" + (f", line {problem.row}" if problem.row else "")
        column = f", column {problem.column}" if problem.column else ""
        got = f" got {problem.value!r}," if problem.value else ""
        lines.append(f"{place}{column}:{got} expected {problem.expected}")
    rest = len(problems) - SHOWN
    return "\n".join(lines + ([f"... and {rest} more"] if rest > 0 else []))

"""Reading a book: text cells become typed tables; every problem is collected before anything is returned."""

import dataclasses
import hashlib
import os
import pathlib
import types
from collections.abc import Mapping

from engine.book.about import About, about_of, last_month
from engine.book.cells import header_problems, typed_table
from engine.book.checks.every import check_tables, repaired
from engine.book.checks.plausible import warnings_of
from engine.book.checks.problems import BookError, Problem
from engine.book.frames import Frame, Tables
from engine.book.overlay import below, contradictions, laid_over, placed, summary_of
from engine.book.sheets import Sheet, read_csv, read_sheets
from engine.book.tables import CAPEX_YEARS, TABLES


@dataclasses.dataclass(frozen=True, eq=False)
class Book:
    """A checked book: typed pandas tables by name, read-only as a mapping.

    `hash` is a sha256 over the typed content, the same for a folder and a workbook of the same cells.
    `repairs` says in words what was changed on request, what stands for an absent `about` and which book lies
    below; `warnings` what is possible but hardly meant. Blank numbers without a default are NaN, blank
    references and texts are "".
    """

    tables: types.MappingProxyType
    hash: str
    path: pathlib.Path
    name: str
    repairs: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def __getitem__(self, table: str) -> Frame:
        return self.tables[table]

    @property
    def about(self) -> About:
        """Name, date, benchmark chips and classes."""
        return about_of(self.tables)


def load_book(path: str | os.PathLike, repair: bool = False) -> Book:
    """The book in a folder of CSV files or one .xlsx file.

    With `repair` a correlation table that is not a correlation matrix is replaced by the nearest one; one
    that only the rounding of its entries keeps from being one always is. `Book.repairs` records both and what
    stands for an absent `about`. Where `about` names a `base`, the rows lie over those of that shipped book.
    Raises `BookError` with every problem found; nothing is half-loaded.
    """
    path = pathlib.Path(path)
    sheets, problems = read_sheets(path)
    base, under = book_below(sheets.get("about"), problems)
    if sheets or path.is_dir():
        problems += table_problems(sheets, path, whole=not base)
    if not sheets or (base and under is None):
        raise BookError(problems)
    sheets, repairs = with_about(sheets, path.stem)
    sheets = sheets | {"firms": by_year_of_run(sheets.get("firms"), sheets["about"])}
    frames, broken, own = {}, set(), {}
    for table in TABLES.values():
        frame, found = typed_table(table, sheets.get(table.name))
        broken |= {(table.name, problem.column) for problem in found}
        if under is None:
            broken |= set() if sheets.get(table.name) or table.optional else {(table.name, "")}
            frames[table.name] = frame
        else:
            rows = below(under.tables[table.name])
            if not found:
                found = list(contradictions(table, frame, rows))
            own[table.name], frames[table.name] = frame, laid_over(table, frame, rows)
        problems += found
    if under is not None:
        frames["about"] = frames["about"].assign(base="")
        repairs += (summary_of(base, own, under.tables, TABLES),)
    frames, changes = repaired(frames, broken, asked=repair)
    repairs += changes
    labels = {name: sheet.label for name, sheet in sheets.items() if sheet}
    problems += (placed(problem, base) for problem in check_tables(frames, broken))
    if problems:
        problems = [dataclasses.replace(each, file=labels.get(each.file, each.file)) for each in problems]
        order = {label: position for position, label in enumerate(labels.values())}
        raise BookError(sorted(problems, key=lambda p: (order.get(p.file, -1), p.row or 0)))
    frames = {name: frame.reset_index(drop=True) for name, frame in frames.items()}
    warnings = warnings_of(frames)
    return Book(types.MappingProxyType(frames), content_hash(frames), path, path.stem, repairs, warnings)


def book_below(about: Sheet | None, problems: list[Problem]) -> tuple[str, Book | None]:
    """Name of the shipped book that a sheet `about` says it lies over, and that book; "" where it is alone.

    A name that no shipped book has goes to the problems.
    """
    if about is None or "base" not in about.header or not about.rows:
        return "", None
    place = about.header.index("base")
    line, cells = about.rows[0]
    name = cells[place] if place < len(cells) else ""
    if not name:
        return "", None
    try:
        return name, load_book(shipped_book(name))
    except ValueError as error:
        expected = str(error).partition("expected ")[2] or "a shipped book"
        problems.append(Problem(about.label, line, "base", name, f"{expected}, or blank"))
        return name, None


def with_about(sheets: dict[str, Sheet | None], name: str) -> tuple[dict[str, Sheet | None], tuple[str, ...]]:
    """The sheets with an assumed row in `about` where there is none, and what was assumed."""
    given = sheets.get("about")
    if "about" in sheets and (given is None or given.rows or header_problems(TABLES["about"], given)):
        return sheets, ()
    cells = assumed_about(sheets.get("chips"), name)
    sheet = Sheet("about", tuple(cells), ((2, tuple(cells.values())),))
    shown = ("date", "currency", "benchmark", "second_benchmark")
    words = ", ".join(f"{column} {cells[column]}" for column in shown if cells[column])
    return {**sheets, "about": sheet}, (f"about: absent, taken as {words}",)


def assumed_about(chips: Sheet | None, name: str) -> dict[str, str]:
    """Cells of a missing `about`: those of the shipped book, with the first and last chip in use.

    The shipped book's benchmarks stay where the book has both.
    """
    shipped = read_csv(shipped_book() / "about.csv")
    assert isinstance(shipped, Sheet)
    cells = dict(zip(shipped.header, shipped.rows[0][1], strict=True))
    frame, _ = typed_table(TABLES["chips"], chips)
    known, own = set(frame["generation"]), frame["generation"][frame["release_month"] <= 0].tolist()
    if not {cells["benchmark"], cells["second_benchmark"]} <= known and own:
        cells |= {"benchmark": own[0], "second_benchmark": own[-1] if len(own) > 1 else ""}
    return cells | {"name": name, "source": "assumed: the book does not say", "grade": "C"}


def by_year_of_run(firms: Sheet | None, about: Sheet | None) -> Sheet | None:
    """The firms with capex of calendar years as years of the run: capex_2032 is capex_1 of a date in 2031."""
    frame, _ = typed_table(TABLES["about"], about)
    months = last_month(frame["date"].iloc[0]) if len(frame) and frame["date"].iloc[0] else 1
    if firms is None or months % 12:
        return firms
    names = {f"capex_{months // 12 + year}": f"capex_{year + 1}" for year in range(CAPEX_YEARS)}
    return dataclasses.replace(firms, header=tuple(names.get(name, name) for name in firms.header))


def table_problems(sheets: Mapping[str, Sheet | None], path: pathlib.Path, whole: bool) -> list[Problem]:
    """Tables that are missing from a `whole` book, or unknown."""
    place = path.name + ("/" if path.is_dir() else "")
    missing = [name for name, table in TABLES.items() if whole and name not in sheets and not table.optional]
    unknown = [name for name in sheets if name not in TABLES]
    return [Problem(place, None, "", "", f"table {name}, which is missing") for name in missing] + [
        Problem(place, None, "", name, f"one of the tables {', '.join(TABLES)}") for name in unknown
    ]


def content_hash(frames: Tables) -> str:
    """sha256 of every typed cell, tables and columns in the schema's order, rows as written."""
    digest = hashlib.sha256()
    for name, table in TABLES.items():
        frame = frames[name]
        digest.update(f"\x1d{name}\x1e{len(frame)}".encode())
        for column in table.names:
            digest.update("\x1f".join(map(repr, [column, *frame[column].tolist()])).encode())
    return digest.hexdigest()


def shipped_book(name: str = "ai_credit_2025") -> pathlib.Path:
    """The folder of a book that comes with the package; ValueError if there is none of that name."""
    shelf = pathlib.Path(__file__).parent / "shipped"
    folder = shelf / name
    if not (folder.is_dir() and any(folder.glob("*.csv"))):
        names = sorted(each.name for each in shelf.iterdir() if each.is_dir() and any(each.glob("*.csv")))
        raise ValueError(f"got book {name!r}, expected one of {', '.join(names)}")
    return folder

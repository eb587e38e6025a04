"""A tape on the terminal: every cell as it stood and as read, what was left out, assumed and matched."""

import io
import shutil
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TypeVar

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from engine.book.frames import Tables
from engine.book.load import Book
from engine.book.tape.entries import Overlay
from engine.book.tape.fields import Unit
from engine.book.tape.folder import growth, left_out, understood
from engine.book.tape.positions import Position
from engine.book.tape.rows import Tape

T = TypeVar("T")

MOST = 25
"""Loans that are all shown; of a longer tape the first ten, the rest is in the folder."""

FEW = 10
WIDTH = 100


def page(
    tape: Tape,
    positions: Sequence[Position],
    overlay: Overlay,
    below: Book,
    book: Book,
    width: int | None = None,
) -> str:
    """Everything that the import says of a tape whose book has been written."""
    return text(
        [
            columns_of(tape),
            cells_of(tape),
            listed("Left out", left_out(tape)),
            loans_of(tape, positions, overlay),
            listed("Assumed, for want of better (grade C)", assumptions_of(positions, overlay)),
            listed("Borrowers and off-takers of the shipped book", matches(positions, below.tables)),
            listed("Warnings", [*dates_of(tape, below), *currencies_of(tape), *book.warnings]),
        ],
        width,
    )


def draft(tape: Tape, width: int | None = None) -> str:
    """What is understood while questions are open: columns with their units, cells, and what was left out."""
    return text([columns_of(tape), cells_of(tape), listed("Left out", left_out(tape))], width)


def text(parts: Iterable[RenderableType | None], width: int | None) -> str:
    """Parts one below the other, as wide as the terminal."""
    screen = io.StringIO()
    if width is None:
        width = max(shutil.get_terminal_size((WIDTH, 24)).columns, 80) if sys.stdout.isatty() else WIDTH
    console = Console(file=screen, width=width, highlight=False, markup=False, emoji=False)
    for part in parts:
        if part is not None:
            console.print(part)
            console.print()
    return "\n".join(line.rstrip() for line in screen.getvalue().splitlines()).rstrip()


def grid(
    title: str, head: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[int] = ()
) -> RenderableType:
    """A table under its title; columns in `right` are of numbers."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1), collapse_padding=True)
    for place, name in enumerate(head):
        table.add_column(Text(name), overflow="fold", justify="right" if place in right else "left")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return Group(Text(title), table)


def listed(title: str, lines: Sequence[str]) -> RenderableType | None:
    """Lines under a title, None without any."""
    if not lines:
        return None
    table = Table.grid(padding=(0, 1))
    for line in lines:
        table.add_row(Text("  ·"), Text(line))
    return Group(Text(title), table)


def columns_of(tape: Tape) -> RenderableType:
    """Every column that is read: its field, the unit that its header names, and its first cell as read."""
    rows = []
    for column in tape.layout.columns:
        if column.field is not None:
            readings = [line.readings[column.field] for line in tape.lines if column.field in line.readings]
            first = f"{readings[0].written} is {readings[0].words}" if readings else "nothing yet"
            rows.append((column.name, column.field, unit_of(column.unit), first))
    return grid("Columns and their units", ("Column", "Field", "Unit of the header", "First cell"), rows)


def unit_of(unit: Unit) -> str:
    """A unit in words; a dash where the header is silent.

    >>> unit_of(Unit("USD", 1e6)), unit_of(Unit(rate="bps")), unit_of(Unit())
    ('USD million', 'bps', '–')
    """
    scale = {1e3: "thousand", 1e6: "million", 1e9: "billion"}.get(unit.scale or 1.0)
    return " ".join(part for part in (unit.currency, scale, unit.rate) if part) or "–"


def first(loans: Sequence[T]) -> Sequence[T]:
    """The loans that are shown."""
    return loans if len(loans) <= MOST else loans[:FEW]


def cells_of(tape: Tape) -> RenderableType:
    """The cells of every loan, or of the first ones of a long tape."""
    shown = {line.line for line in first(tape.lines)}
    rows, last = [], ""
    for loan, line, field, cell, written, words in understood(tape):
        if line in shown and field != "loan":
            rows.append(("" if loan == last else loan, field, cell, written, words))
            last = loan
    title = f"Understood of sheet {tape.layout.grid.title!r}, header in row {tape.layout.line}"
    if len(shown) < len(tape.lines):
        title += f": the first {FEW} of {len(tape.lines)} loans, all in tape/understood.csv"
    return grid(title, ("Loan", "Field", "Cell", "As it stood", "Read as"), rows)


def loans_of(tape: Tape, positions: Sequence[Position], overlay: Overlay) -> RenderableType:
    """Every loan as it stands in the book, or the first ones of a long tape, and their sum."""
    rows: list[Sequence[str]] = []
    shown = first(positions)
    for each in shown:
        firm = overlay.firms[each.borrower]
        chips = ", ".join(f"{1e3 * thousand:,.0f} {chip}" for chip, thousand in each.chips.items())
        rows.append((
            overlay.ids[each.line], firm + ("" if each.firm else " (new)"), each.kind.name,
            f"{1e3 * each.committed:,.1f}", f"{1e3 * each.drawn:,.1f}",
            f"{'+' if each.floating else ''}{100 * each.coupon:.2f}%", f"{each.maturity_month}", chips or "–",
            each.buyer or "–",
        ))  # fmt: skip
    committed, drawn = (sum(getattr(each, name) for each in positions) for name in ("committed", "drawn"))
    sums = (f"{1e3 * committed:,.1f}", f"{1e3 * drawn:,.1f}")
    rows.append(("all", f"{len(overlay.firms)} borrowers", "", *sums, *[""] * 4))
    head = ("Loan", "Borrower", "Class", "Committed", "Drawn", "Rate", "Months", "Chips", "Off-taker")
    title = "In the book, USD m (rate: + over the short rate)"
    if len(shown) < len(positions):
        title += f": the first {FEW} of {len(positions)} loans, all in loans.csv"
    return grid(title, head, rows, right=(3, 4, 5, 6))


def assumptions_of(positions: Sequence[Position], overlay: Overlay) -> list[str]:
    """What was assumed, with the loans of which."""
    loans = defaultdict(list)
    for each in positions:
        for what in each.assumed:
            loans[what].append(each.loan)
    lines = [f"{what}: {short(names)}" for what, names in loans.items()]
    if any(not each.firm for each in positions):
        lines.append("cash, earnings and owners of new borrowers from the size of their loans")
    [lender] = overlay.rows["lenders"]
    if lender["grade"] == "C":
        size = f"USD {1e3 * lender['capital']:,.0f} m"
        lines.append(f"capital of {lender['name']} ({lender['class']}): {size}, from its commitments")
    return [*lines, "every default with unit and reason: tape/defaults.csv"]


def short(names: Sequence[str], most: int = 6) -> str:
    """Names in a line, of many the first."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def matches(positions: Sequence[Position], below: Tables) -> list[str]:
    """Who the shipped book knows, and by how much the debt of its borrowers grew."""
    names = dict(zip(below["firms"]["firm"], below["firms"]["name"], strict=True))
    buyers = sorted({each.buyer for each in positions} - {""})
    lines = [f"off-takers: {', '.join(f'{buyer} ({names[buyer]})' for buyer in buyers)}"] if buyers else []
    for firm, owed, more in growth(positions, below):
        own = [each for each in positions if each.firm == firm]
        if more > 0.0:
            rise = f", +{100.0 * more / owed:.2g}%" if owed > 0.0 else ""
            size = f"its debt grows from {owed:,.3f} to {owed + more:,.3f} USD bn{rise}"
            line = f"loan,{own[0].loan},ID of a shipped loan"
            lines.append(f"{names[firm]} ({firm}): {size}; of a loan that it has already say so: {line}")
        lines += [f"{each.loan} is taken out of {each.part_of}" for each in own if each.part_of]
    return lines


def currencies_of(tape: Tape) -> list[str]:
    """Currencies other than the book's: it has one short rate."""
    codes = {reading.currency for line in tape.lines for reading in line.readings.values()} - {"", "USD"}
    words = "amounts at the rate of tape_fx; floating margins are taken over the book's short rate, of USD"
    return [f"{code}: {words}" for code in sorted(codes)]


def dates_of(tape: Tape, below: Book) -> list[str]:
    """A tape of another date than the book's: months count from the book's."""
    day = tape.date
    if day is None or day.isoformat() == below.about.date:
        return []
    date = below.about.date
    return [f"the tape is as of {day.isoformat()}, the book of {date}: months count from the book's date"]

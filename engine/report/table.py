"""A table as data: cells that carry the number behind their text, under named columns.

The terminal and the page render the same `Table`; an export reads `value` and `bounds` instead of the text.

>>> rows = (row("1 year", measured(21.94, 0.46)),)
>>> table = Table("loss", "System loss", ("Horizon", "ES 99%"), rows, units="USD bn")
>>> [str(cell) for cell in table.rows[0]]
['1 year', '21.9 ± 0.5']
>>> table.rows[0][1].value
21.94
"""

import dataclasses
from typing import ClassVar, Literal

from engine.report import words

Kind = Literal["word", "code", "amount", "share", "ratio", "number"]
"""Content of a cell. Amounts are in the unit of the table, shares decimals, ratios multiples."""


@dataclasses.dataclass(frozen=True)
class Cell:
    """One cell: its text, and behind it in smaller type the `detail`, an error or an interval.

    `value` is the number before rounding, None for words; `bounds` holds its standard error (one number) or
    the ends of its 95% interval (two).
    """

    text: str
    kind: Kind = "word"
    value: float | None = None
    detail: str = ""
    bounds: tuple[float | None, ...] = ()

    def __str__(self) -> str:
        return f"{self.text} {self.detail}" if self.detail else self.text


Row = tuple[Cell, ...]


def row(*contents: Cell | str) -> Row:
    """A row of cells; plain text becomes a cell of words."""
    return tuple(Cell(content) if isinstance(content, str) else content for content in contents)


def amount(value: float | None) -> Cell:
    """An amount in the unit of its table."""
    return Cell(words.amount(value), "amount", value)


def measured(value: float | None, error: float | None, mark: str = "") -> Cell:
    """An amount with its standard error, if there is one, and a footnote's mark behind it."""
    detail = f"± {words.error(error, value)}{mark}" if words.known(error) else mark
    return Cell(words.amount(value), "amount", value, detail, (error,))


def interval(value: float | None, low: float | None, high: float | None, mark: str = "") -> Cell:
    """An amount with its 95% interval, and a footnote's mark behind it; an unknown end is a dash."""
    to = "–" if words.known(low) and words.known(high) else " to "
    detail = f"[{words.amount(low)}{to}{words.amount(high)}]{mark}"
    return Cell(words.amount(value), "amount", value, detail, (low, high))


def share(value: float | None) -> Cell:
    """A share in percent."""
    return Cell(words.share(value), "share", value)


def probability(value: float | None, error: float | None) -> Cell:
    """A probability with its standard error, in percent; the error never rounds to nothing.

    Of an event on none of n paths the error is 1 / n: its 95% bound, 3 / n, stands there instead, and so for
    an event on all of them. An error of 0 says nothing and is left out.
    """
    if value is not None and error and value in (0.0, 1.0):
        bound = words.bound(3.0 * error)
        detail = f"(< {bound})" if value == 0.0 else f"(all but < {bound})"
        return Cell(words.share(value), "share", value, detail, (error,))
    return changed_share(value, error)


def changed_share(value: float | None, error: float | None, sign: str = "", mark: str = "") -> Cell:
    """A share or a change of one with its standard error, if it has one, and a footnote's mark behind it."""
    text = sign + words.share(value)
    if not error or not words.known(error):
        return Cell(text, "share", value, mark)
    places, percent = max(len(text.rstrip("%").partition(".")[2]), 1), 100.0 * error
    while places < 4 and 0.0 < percent < 0.5 * 10.0**-places:
        places += 1
    return Cell(text, "share", value, f"± {percent:.{places}f}%{mark}", (error,))


def multiple(value: float | None) -> Cell:
    """A ratio: 1.02x."""
    return Cell(words.multiple(value), "ratio", value)


def number(value: float | None, spec: str = ".3g", unit: str = "") -> Cell:
    """Any other number in a format of Python, with its unit."""
    if value is None or not words.known(value):
        return Cell("–", "number")
    return Cell(f"{value:{spec}}{unit}", "number", value)


def figures(value: float | None) -> Cell:
    """A number that is written as amounts are, and has a unit of its own."""
    return Cell(words.amount(value), "number", value)


@dataclasses.dataclass(frozen=True)
class Table:
    """Rows of cells under a head; the first `words` columns hold words, the others numbers.

    `name` identifies the table, as a sheet's name would; `units` says what its amounts are in. `footnote`
    explains the marks behind numbers, if any has one. Row `emphasis` is set bold. `brief_rows` and
    `brief_columns` are what a narrow medium shows: None stands for all.

    Raises:
        ValueError: a row has more or fewer cells than the head.
    """

    name: str
    title: str
    head: tuple[str, ...]
    rows: tuple[Row, ...]
    note: str = ""
    units: str = ""
    footnote: str = ""
    words: int = 1
    emphasis: int | None = None
    brief_rows: int | None = None
    brief_columns: tuple[int, ...] | None = None
    kind: ClassVar[str] = "table"

    def __post_init__(self) -> None:
        for place, cells in enumerate(self.rows):
            if len(cells) != len(self.head):
                raise ValueError(
                    f"table {self.name!r}: row {place} has {len(cells)} cells, expected {len(self.head)}"
                )

    @property
    def marked(self) -> bool:
        """Whether a number has the mark that the footnote explains."""
        return bool(self.footnote) and any(
            cell.detail.endswith(self.footnote[0]) for cells in self.rows for cell in cells
        )

    def brief(self) -> "Table":
        """The rows and columns that a narrow medium shows, without the note."""
        columns = self.brief_columns or tuple(range(len(self.head)))
        return dataclasses.replace(
            self,
            head=tuple(self.head[place] for place in columns),
            rows=tuple(tuple(cells[place] for place in columns) for cells in self.rows[: self.brief_rows]),
            words=sum(place < self.words for place in columns),
            note="", brief_rows=None, brief_columns=None,
        )  # fmt: skip

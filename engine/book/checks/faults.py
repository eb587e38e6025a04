"""Problems from rows of typed tables (frames indexed by line), and when sums of written figures agree.

Tolerance of a sum of shares: half a unit in the last decimal written, for each term, at most one percent.
Amounts are compared to within a thousandth, for the same reason.
"""

from collections.abc import Callable, Iterable, Iterator

from engine.book.checks.problems import Problem
from engine.book.frames import Frame, Tables

Check = Callable[[Tables], Iterator[Problem]]
"""A rule: tables in, problems out."""

AMOUNT_ROUNDING = 1e-3
"""Relative difference of amounts that rounding of written figures explains."""

SHARE_ROUNDING_CAP = 0.01
"""Most that a sum of written shares may differ from one."""

FLOAT_ROUNDING = 1e-9
"""Sums of a few hundred float64 shares are exact to far less than this."""


def faults(table: str, rows: Frame, column: str, expected: str) -> Iterator[Problem]:
    """One problem for each of `rows`; `expected` may name columns in braces."""
    if not len(rows):
        return
    for line, row in zip(rows.index, rows.to_dict("records"), strict=True):
        value = row[column]
        shown = f"{value:g}" if isinstance(value, float) else str(value)
        yield Problem(table, line, column, shown or "blank", expected.format(**row))


def sum_tolerance(shares: Iterable[float]) -> float:
    """How far rounding of written decimals may move the sum of `shares` from one (see the module)."""
    decimals = max((len(repr(float(share)).partition(".")[2]) for share in shares), default=0)
    terms = sum(not float(share).is_integer() for share in shares)
    return min(terms * 0.5 * 10.0 ** -min(decimals, 12), SHARE_ROUNDING_CAP) + FLOAT_ROUNDING


def sums_to_one(
    table: str, rows: Frame, by: str | list[str], column: str = "share", low: float = 1.0
) -> Iterator[Problem]:
    """Groups whose shares do not sum to one (or exceed one when `low` is 0), at their first line."""
    for group, part in rows.groupby(by, sort=False):
        total, tolerance = part[column].sum(), sum_tolerance(part[column])
        if low - tolerance <= total <= 1.0 + tolerance:
            continue
        words = " ".join(group) if isinstance(group, tuple) else group
        least = "that sum to 1" if low else "that sum to at most 1"
        change = f"{total - 1.0:.4g} less" if total > 1.0 else f"{1.0 - total:.4g} more"
        expected = f"shares of {words} {least}: {change}"
        yield Problem(table, int(part.index[0]), column, f"sum {total:.6g}", expected)


def register(checks: list[tuple[tuple[str, ...], Check]]) -> Callable[..., Callable[[Check], Check]]:
    """A decorator that adds a check to `checks` with the table.column names it reads."""

    def reads(*columns: str) -> Callable[[Check], Check]:
        def add(check: Check) -> Check:
            checks.append((columns, check))
            return check

        return add

    return reads

"""What must hold between the cells of a book. Every check runs; what they find is reported together.

A check is a generator of problems over the typed tables (frames indexed by line). It is skipped when a
column it reads already has a bad cell, since nothing sound can be said then. `about` has the rules of dates,
classes and references, `borrowers` of chips, firms, loans and contracts, `ownership` of pools, tranches,
holders and vehicles, `claims` of what lenders can carry, `lenders` of what they do, `priors` of who may hold
what, `correlation` of the factors.
"""

from collections.abc import Iterable, Iterator

import numpy as np

from engine.book.checks import about, borrowers, claims, correlation, lenders, ownership, priors
from engine.book.checks.faults import faults
from engine.book.checks.problems import Problem
from engine.book.columns import Table
from engine.book.frames import Broken, Frame, Tables
from engine.book.tables import TABLES
from engine.vocabulary import FACTORS

CHECKS = (
    *about.CHECKS, *borrowers.CHECKS, *ownership.CHECKS, *claims.CHECKS, *lenders.CHECKS, *priors.CHECKS,
)  # fmt: skip
"""(columns read, check) of every rule."""

MATRIX = tuple(f"correlation.{name}" for name in TABLES["correlation"].names)


def check_tables(frames: Tables, broken: Broken) -> list[Problem]:
    """Every problem between tables. `broken`: (table, column) pairs that cannot be judged."""
    problems = [*key_problems(frames, broken), *reference_problems(frames, broken)]
    for reads, check in CHECKS:
        if intact(reads, broken):
            problems += check(frames)
    if intact(MATRIX, broken):
        problems += correlation.correlation_problems(frames["correlation"])
    return problems


def repaired(
    frames: dict[str, Frame], broken: Broken, asked: bool
) -> tuple[dict[str, Frame], tuple[str, ...]]:
    """Frames with the nearest correlation matrix in place of one that is not, and what was done.

    Rounding of the written entries is always put right, a matrix that is further off only where `asked`.
    """
    frame, factors = frames["correlation"], list(FACTORS)
    if not intact(MATRIX, broken) or sorted(frame["factor"]) != sorted(factors):
        return frames, ()
    written = frame.set_index("factor").loc[factors, factors].to_numpy(np.float64)
    wrong = bool(list(correlation.correlation_problems(frame)))
    if (wrong and not asked) or not (wrong or correlation.is_rounded(written)):
        return frames, ()
    place = frame["factor"].map(factors.index).to_numpy()
    matrix, moved = correlation.repair_correlation(written)
    frame = frame.copy()
    frame[factors] = matrix[place]
    reason = "" if wrong else ", for the rounding of its entries"
    note = f"correlation replaced by the nearest correlation matrix{reason}"
    note += f"; entries moved by at most {moved:.3g}"
    return {**frames, "correlation": frame}, (note,)


def intact(reads: Iterable[str], broken: Broken) -> bool:
    """Whether every table.column in `reads` was read without fault."""
    pairs = [tuple(each.split(".")) for each in reads]
    return not any(pair in broken or (pair[0], "") in broken for pair in pairs)


def key_problems(frames: Tables, broken: Broken) -> Iterator[Problem]:
    """Rows that repeat a key, and instruments of different tables that share an id."""
    for name, table in TABLES.items():
        if intact([f"{name}.{column}" for column in table.key], broken):
            yield from repeated_rows(frames[name], table)
    if intact(["loans.loan", "tranches.tranche", "pools.pool"], broken):
        taken = set(frames["loans"]["loan"])
        for name, column in (("tranches", "tranche"), ("pools", "pool")):
            clash = frames[name][frames[name][column].isin(taken)]
            yield from faults(name, clash, column, "an id that no loan, tranche or pool has yet")
            taken |= set(frames[name][column])


def repeated_rows(frame: Frame, table: Table) -> Iterator[Problem]:
    """Rows whose key an earlier row has."""
    first: dict[tuple, int] = {}
    for line, *values in zip(frame.index, *(frame[column] for column in table.key), strict=True):
        key = tuple(values)
        if key in first:
            expected = f"{' and '.join(table.key)} once (also in row {first[key]})"
            yield Problem(table.name, line, table.key[-1], ", ".join(map(str, key)), expected)
        first.setdefault(key, line)


def reference_problems(frames: Tables, broken: Broken) -> Iterator[Problem]:
    """References to ids that no row has."""
    for name, table in TABLES.items():
        for column in table.columns:
            targets = [(target, TABLES[target].key[0]) for target in column.tables]
            reads = [f"{name}.{column.name}", *(f"{target}.{key}" for target, key in targets)]
            if column.kind != "reference" or not intact(reads, broken):
                continue
            own = frames[name][column.name]
            unknown = set(own).difference([""], *(frames[target][key] for target, key in targets))
            if unknown:
                yield from faults(name, frames[name][own.isin(unknown)], column.name, column.expected)

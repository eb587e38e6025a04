"""Which column of a published scenario table is which factor of the model: a table, `mapping.csv`.

`reading` says how: `level` as it stands, `ratio` to its value at month 0, `index` (1 at month 0), `deviation`
from its value at month 0 in percent, `name` of a regime, `part` of another column; a blank factor is named as
not used, with the reason. `less` is the column that is subtracted first, `elasticity` the power to which a
ratio, an index or a deviation is taken. A `*` in a column's name stands for any text; `region` is whose
variable it is where a table has those of several.
"""

import dataclasses
import fnmatch
import pathlib
import re
from collections.abc import Mapping, Sequence

from engine.book.checks.problems import Problem
from engine.book.scenario.pins import GIVEN
from engine.book.sheets import read_csv

SHIPPED = pathlib.Path(__file__).with_name("mapping.csv")
READINGS = ("level", "ratio", "index", "deviation", "name", "part", "")
UNITS = ("percent", "basis points", "level", "index", "USD bn/yr", "word", "")
HEAD = ("publisher", "region", "column", "factor", "reading", "unit", "less", "elasticity", "grade", "why")


UNKNOWN = "no row of the mapping knows it: scenario.mapping says what it is"


class ScenarioError(ValueError):
    """A scenario file that cannot be used. `problems` has a sentence for each fault."""

    def __init__(self, problems: Sequence[object]) -> None:
        self.problems = tuple(map(str, problems))
        super().__init__("\n".join(self.problems))


@dataclasses.dataclass(frozen=True)
class Meaning:
    """A row of the mapping."""

    publisher: str
    region: str
    column: str
    factor: str
    reading: str
    unit: str
    less: str
    elasticity: float
    grade: str
    why: str


def key_of(name: str) -> str:
    """A header without case, blanks and punctuation.

    >>> key_of("Dow Jones Total Stock Market Index (Level)")
    'dowjonestotalstockmarketindexlevel'
    """
    return re.sub(r"[^a-z0-9*]", "", name.lower())


@dataclasses.dataclass(frozen=True)
class Meanings:
    """What columns mean, by `key_of` their headers: names first, then patterns in order."""

    rows: Mapping[str, Meaning]

    def of(self, name: str) -> Meaning | None:
        """The meaning of a column; None where no row knows it."""
        key = key_of(name)
        patterns = (row for pattern, row in self.rows.items() if fnmatch.fnmatchcase(key, pattern))
        return self.rows.get(key) or next(patterns, None)

    def here(self, name: str, publisher: str, region: str) -> Meaning:
        """The meaning where a table is read for a region; what no row knows is not used."""
        row = self.of(name)
        if row is None:
            return Meaning(publisher, "", name, "", "", "", "", 1.0, "C", UNKNOWN)
        if row.region in ("", region):
            return row
        why = f"of another region: scenario.region={row.region} follows it"
        return dataclasses.replace(row, factor="", reading="", why=why)


def meanings(own: pathlib.Path | None = None) -> Meanings:
    """Every known column; rows of the file `own` come first.

    Raises ScenarioError for a file that is no mapping.
    """
    rows = {key_of(row.column): row for row in (read_mapping(own) if own else [])}
    return Meanings(rows | {key_of(row.column): row for row in read_mapping(SHIPPED)} | rows)


def read_mapping(file: pathlib.Path) -> list[Meaning]:
    """The rows of a mapping; raises ScenarioError with all that is wrong."""
    sheet = read_csv(file)
    if isinstance(sheet, Problem):
        raise ScenarioError([sheet])
    if sheet.header != HEAD:
        raise ScenarioError([Problem(file.name, 1, "", ",".join(sheet.header)[:80], ",".join(HEAD))])
    rows, problems = [], []
    for line, cells in sheet.rows:
        row, fault = meaning_of(cells)
        if row is None:
            problems.append(Problem(file.name, line, *fault))
        else:
            rows.append(row)
    if problems:
        raise ScenarioError(problems)
    return rows


def meaning_of(cells: Sequence[str]) -> tuple[Meaning | None, tuple[str, str, str]]:
    """A row of the mapping, or (column, value, expectation) of its first fault."""
    if len(cells) != len(HEAD):
        return None, ("", f"{len(cells)} cells", f"{len(HEAD)} cells, as in the header")
    row = dict(zip(HEAD, cells, strict=True))
    for name, choices in (("factor", (*GIVEN, "")), ("reading", READINGS), ("unit", UNITS)):
        if row[name] not in choices:
            words = ", ".join(choice or "nothing" for choice in choices)
            return None, (name, row[name], f"one of {words}")
    if bool(row["factor"]) != bool(row["reading"]):
        return None, ("reading", row["reading"], "a reading where there is a factor, none elsewhere")
    try:
        elasticity = float(row["elasticity"] or 1.0)
    except ValueError:
        elasticity = float("nan")
    if not 0.0 < elasticity <= 10.0:
        return None, ("elasticity", row["elasticity"], "a number above 0 and at most 10")
    others = {name: text for name, text in row.items() if name != "elasticity"}
    return Meaning(elasticity=elasticity, **others), ("", "", "")

"""Regions of a supervisor's table: names of country, currency and stock market, `regions.csv`."""

import csv
import functools
import pathlib
from collections.abc import Iterable, Mapping

SHIPPED = pathlib.Path(__file__).with_name("regions.csv")
DEFAULT = "US"
"""The book's loans are in USD, most of them to borrowers in the United States."""


@functools.cache
def regions() -> Mapping[str, tuple[str, ...]]:
    """What rows of a region are called, by its code, the first that a table has being the one that is read.

    >>> regions()["DE"]
    ('DE', 'Germany', 'EUR', 'European Union')
    """
    with open(SHIPPED, encoding="utf-8", newline="") as file:
        return {row["region"]: tuple(dict.fromkeys(row.values())) for row in csv.DictReader(file)}


def rank(labels: Iterable[str], region: str) -> int | None:
    """How well a row fits a region, 0 best; None where it is of another."""
    names = regions()[region]
    places = [names.index(label) for label in labels if label in names]
    return min(places, default=None)


def regional(labels: Iterable[str]) -> bool:
    """Whether a row is of some region."""
    names = {name for known in regions().values() for name in known}
    return not names.isdisjoint(labels)

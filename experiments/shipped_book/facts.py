"""The public figures behind the shipped book, by id and attribute."""

import csv
import pathlib
from collections.abc import Iterable
from typing import Any, NamedTuple

from experiments.shipped_book.sums import plain_sum

Row = dict[str, Any]
"""A row of a table: values by column."""


class Spread(NamedTuple):
    """A mean and its bounds."""

    mean: float
    low: float
    high: float


class Facts:
    """The fact files of a folder; raises FileNotFoundError without them."""

    def __init__(self, folder: str | pathlib.Path) -> None:
        self.folder = pathlib.Path(folder)
        if not (self.folder / "loans.csv").is_file():
            raise FileNotFoundError(
                f"no fact files in {self.folder}: give the folder that holds loans.csv, marginals.csv, ... "
                "with --facts. The book itself is under version control and needs no rebuilding to be used."
            )

    def read(self, name: str) -> list[dict[str, str]]:
        """The rows of one file, as text."""
        with open(self.folder / f"{name}.csv", newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def committed(self, loan: str) -> float:
        """Commitment of a loan, USD bn."""
        return self._loan(loan, "committed_usd_bn")

    def drawn(self, loan: str) -> float:
        """Drawn amount of a loan, USD bn."""
        return self._loan(loan, "drawn_usd_bn")

    def annual(self, contract: str) -> float:
        """Full size of a contract, USD bn a year."""
        return float(only(self.read("contracts"), contract_id=contract)["annual_usd_bn_approx"])

    def lender(self, lender: str, attribute: str) -> float:
        """First value listed for a lender's attribute (the files list the preferred one first)."""
        return float(self._first("lenders", lender_id=lender, attribute=attribute)["value"])

    def borrower(self, borrower: str, attribute: str) -> float:
        """First value listed for a borrower's attribute."""
        return float(self._first("borrowers", borrower_id=borrower, attribute=attribute)["value"])

    def column(self, instrument_class: str) -> float:
        """Sector total of an instrument class."""
        rows = [
            r
            for r in self.read("marginals")
            if r["side"] == "col" and r["instrument_class"] == instrument_class
        ]
        return plain_sum(float(r["mean_usd_bn_or_share"]) for r in rows)

    def class_shares(self, instrument_class: str) -> dict[str, float]:
        """Mean share of each holder class in an instrument class."""
        rows = [r for r in self.read("marginals") if r["side"] == "share"]
        return {
            HOLDERS[r["entity"]]: float(r["mean_usd_bn_or_share"])
            for r in rows
            if r["instrument_class"] == instrument_class
        }

    def share_bounds(self) -> dict[str, dict[str, Spread]]:
        """Mean, least and greatest share of each holder class, by instrument class."""
        classes: dict[str, dict[str, Spread]] = {}
        for row in self.read("marginals"):
            if row["side"] == "share":
                classes.setdefault(row["instrument_class"], {})[HOLDERS[row["entity"]]] = spread_of(row)
        return classes

    def row_totals(self) -> dict[str, Spread]:
        """Mean, low and high of each holder class's total."""
        rows = [r for r in self.read("marginals") if r["side"] == "row"]
        return {HOLDERS[row["entity"]]: spread_of(row) for row in rows}

    def _loan(self, loan: str, column: str) -> float:
        return float(only(self.read("loans"), loan_id=loan)[column])

    def _first(self, name: str, **match: str) -> dict[str, str]:
        return matching(self.read(name), **match)[0]


HOLDERS = {
    "PRIVATE_CREDIT_FUNDS_BDC": "PRIVATE_CREDIT",
    "BANKS": "BANK",
    "LIFE_INSURERS": "INSURER",
    "PENSIONS_ENDOWMENTS": "PENSION",
    "HEDGE_FUNDS": "HEDGE_FUND",
    "MUTUAL_FUNDS_ETFS": "MUTUAL_FUND",
    "VENDORS_OEM": "VENDOR",
    "FOREIGN_OFFICIAL_OTHER": "FOREIGN",
}
"""Holder classes of the fact files and of the book."""


def spread_of(row: dict[str, str]) -> Spread:
    """Mean and bounds of a row of the marginals."""
    return Spread(*(float(row[key]) for key in ("mean_usd_bn_or_share", "low", "high")))


def matching(rows: Iterable[dict[str, str]], **match: str) -> list[dict[str, str]]:
    """The rows with these values; raises KeyError where there are none."""
    matches = [row for row in rows if all(row[key] == value for key, value in match.items())]
    if not matches:
        raise KeyError(f"no fact with {match}")
    return matches


def only(rows: Iterable[dict[str, str]], **match: str) -> dict[str, str]:
    """The one row with these values; raises KeyError where there are none or several."""
    matches = matching(rows, **match)
    if len(matches) > 1:
        raise KeyError(f"{len(matches)} facts with {match}, expected one")
    return matches[0]

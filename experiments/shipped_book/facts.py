"""The collected public figures a shipped book is built from, by id and attribute."""

import csv
import pathlib


class Facts:
    """The fact files of one folder. FileNotFoundError says which folder was expected."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        if not (self.folder / "loans.csv").is_file():
            raise FileNotFoundError(
                f"no fact files in {self.folder}: give the folder that holds loans.csv, marginals.csv, ... "
                "with --facts. The book itself is under version control and needs no rebuilding to be used."
            )

    def read(self, name) -> list[dict]:
        with open(self.folder / f"{name}.csv", newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def committed(self, loan) -> float:
        return self._loan(loan, "committed_usd_bn")

    def drawn(self, loan) -> float:
        return self._loan(loan, "drawn_usd_bn")

    def annual(self, contract) -> float:
        """Full size of a contract, USD bn a year."""
        return float(only(self.read("contracts"), contract_id=contract)["annual_usd_bn_approx"])

    def lender(self, lender, attribute) -> float:
        """First value listed for a lender's attribute (the files list the preferred one first)."""
        return float(self._first("lenders", lender_id=lender, attribute=attribute)["value"])

    def borrower(self, borrower, attribute) -> float:
        return float(self._first("borrowers", borrower_id=borrower, attribute=attribute)["value"])

    def column(self, instrument_class) -> float:
        """Sector total of an instrument class."""
        rows = [
            r
            for r in self.read("marginals")
            if r["side"] == "col" and r["instrument_class"] == instrument_class
        ]
        return sum(float(r["mean_usd_bn_or_share"]) for r in rows)

    def class_shares(self, instrument_class) -> dict[str, float]:
        """Mean share of each holder class in an instrument class."""
        rows = [r for r in self.read("marginals") if r["side"] == "share"]
        return {
            HOLDERS[r["entity"]]: float(r["mean_usd_bn_or_share"])
            for r in rows
            if r["instrument_class"] == instrument_class
        }

    def share_bounds(self) -> dict[str, dict[str, tuple[float, float, float]]]:
        """Mean, least and greatest share of each holder class, by instrument class."""
        found: dict[str, dict] = {}
        for row in self.read("marginals"):
            if row["side"] == "share":
                bounds = tuple(float(row[key]) for key in ("mean_usd_bn_or_share", "low", "high"))
                found.setdefault(row["instrument_class"], {})[HOLDERS[row["entity"]]] = bounds
        return found

    def row_totals(self) -> dict[str, tuple[float, float, float]]:
        """Mean, low and high of each holder class's total."""
        rows = [r for r in self.read("marginals") if r["side"] == "row"]
        return {
            HOLDERS[r["entity"]]: tuple(float(r[k]) for k in ("mean_usd_bn_or_share", "low", "high"))
            for r in rows
        }

    def _loan(self, loan, column) -> float:
        return float(only(self.read("loans"), loan_id=loan)[column])

    def _first(self, name, **match):
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
"""Holder classes of the fact files in the book's words."""


def matching(rows, **match) -> list[dict]:
    found = [row for row in rows if all(row[key] == value for key, value in match.items())]
    if not found:
        raise KeyError(f"no fact with {match}")
    return found


def only(rows, **match) -> dict:
    found = matching(rows, **match)
    if len(found) > 1:
        raise KeyError(f"{len(found)} facts with {match}, expected one")
    return found[0]

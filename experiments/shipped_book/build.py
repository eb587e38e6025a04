"""Writes the book ai_credit_2025 from the collected facts and the assumptions in this folder.

    python -m experiments.shipped_book.build --facts FOLDER [--out FOLDER]

The book's CSV files are under version control: run this only after a change of the facts or of this folder.
"""

import argparse
import csv
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from engine.book.checks.priors import known_shares
from engine.book.frames import Tables
from engine.book.holdings import holding_shares
from engine.book.load import load_book, shipped_book
from engine.book.tables import TABLES
from experiments.shipped_book import (
    about,
    bearers,
    behaviour,
    chips,
    contracts,
    firms,
    holdings,
    lenders,
    loans,
    pools,
    priors,
    series,
)
from experiments.shipped_book.facts import Facts, Row

ROUNDS = 20
"""Blank holdings are split by capital, funds are sized by holdings; both converge to the third decimal."""


def build(facts: Facts) -> dict[str, list[Row]]:
    """All tables of the book, as rows of values by column."""
    tables = {
        "about": about.about(),
        "classes": about.classes(),
        "chips": chips.chips(),
        "firms": firms.named_firms(facts) + pools.synthetic_firms(facts),
        "pools": pools.pools(facts),
        "tenants": pools.tenants(),
        "loans": loans.named_loans(facts) + pools.obligor_loans(facts),
        "pledges": chips.pledges(),
        "security": contracts.security(),
        "tranches": pools.tranches(),
        "contracts": contracts.contracts(facts),
        "holdings": holdings.holdings(facts),
        "interlender": lenders.interlender(),
        "paper": behaviour.paper(),
        "bearers": bearers.bearers(),
        "market": series.market(),
        "history": series.history(facts),
        "references": about.references(),
        "correlation": [],
    }
    tables["lenders"] = [
        {"lender": name, "capital": 1} for name in {row["lender"] for row in tables["holdings"]}
    ]
    for _ in range(ROUNDS):
        tables["lenders"] = lenders.lenders(facts, exposures(tables))
    tables["incidence"] = bearers.incidence(tables["lenders"])
    tables["priors"] = priors.priors(facts, known_shares(frames_of(tables)))
    return tables


def frames_of(tables: Mapping[str, list[Row]]) -> Tables:
    """Frames of the tables that determine holdings."""
    import pandas as pd

    names = ("firms", "loans", "tranches", "pools", "holdings", "lenders")
    frames = {name: pd.DataFrame(tables[name]) for name in names}
    frames["firms"]["pool"] = frames["firms"]["pool"].fillna("")
    return frames


def exposures(tables: Mapping[str, list[Row]]) -> dict[str, float]:
    """Committed holdings by lender."""
    return holding_shares(frames_of(tables)).groupby("lender")["committed"].sum().to_dict()


def write(tables: Mapping[str, list[Row]], folder: str | pathlib.Path) -> None:
    """One CSV a table, in the schema's columns; what equals a default stays blank."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in TABLES.items():
        with open(folder / f"{name}.csv", "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, table.names, lineterminator="\n")
            writer.writeheader()
            for row in tables[name]:
                writer.writerow({column: plain(value) for column, value in row.items()})


def plain(value: Any) -> str:
    """A value as text for CSV: blank for None, whole numbers without a point."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def main(arguments: Sequence[str] | None = None) -> None:
    """Build the book and write it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--facts", default="../shared/data/facts", help="folder of loans.csv, marginals.csv, ..."
    )
    parser.add_argument("--out", default=shipped_book("ai_credit_2025"), help="where the CSV files go")
    options = parser.parse_args(arguments)
    write(build(Facts(options.facts)), options.out)
    book = load_book(options.out)
    print(f"{book.name}: {', '.join(f'{len(frame)} {name}' for name, frame in book.tables.items())}")


if __name__ == "__main__":
    main()

"""How much of the result rests on which evidence: grade A cited, B public figure, C modelling assumption."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import pandas as pd

from engine.book.load import Book
from engine.book.parameters import Parameters
from engine.results.horizons import horizon_years

GRADES = ("A", "B", "C")
HOLDERS = {"holdings": "who holds what", "incidence": "on whom losses fall"}
"""Tables whose rows are graded apart."""


def contribution_shares(contributions: pd.DataFrame) -> pd.DataFrame:
    """Share of ES 99% on rows of each grade, by horizon.

    share(g) = Σ_{i of grade g} c_i / Σ_i c_i with the Euler contributions c_i = E[L_i | L ≥ VaR] (USD bn).
    `contributions` has columns horizon, grade, es_99. Source: Tasche (1999) on Euler allocation.
    """
    rows = []
    for horizon, part in contributions.groupby("horizon", sort=False):
        amounts = part.groupby("grade")["es_99"].sum().reindex(GRADES, fill_value=0.0)
        rows += table_rows(f"ES 99%, {horizon_years(horizon)}", amounts)
    return pd.DataFrame(rows, columns=["what", "grade", "amount", "share"])


def evidence(book: Book) -> dict[str, str]:
    """The weakest grade among all rows that an instrument's loss depends on, by instrument.

    Of a loan: its terms, its borrower, its pledged chips, the contracts that secure it and their buyers, its
    tenant and guarantor, its pool; of a tranche: its pool and the pool's tenants.
    """
    grades = Evidence(book)
    loans, tranches = book["loans"], book["tranches"]
    by_loan = {row["loan"]: grades.of_loan(row) for row in loans.to_dict("records")}
    by_tranche = {
        row["tranche"]: max([row["grade"], *grades.pools.get(row["pool"], [])])
        for row in tranches.to_dict("records")
    }
    return by_loan | by_tranche


class Evidence:
    """Grades of the rows behind loans, by the id that a loan names."""

    def __init__(self, book: Book) -> None:
        firms = book["firms"]
        self.firms = dict(zip(firms["firm"], firms["grade"], strict=True))
        self.pool = dict(zip(firms["firm"], firms["pool"], strict=True))
        self.pools = grades_by(book["pools"], "pool")
        for pool, grades in grades_by(book["tenants"], "pool").items():
            self.pools.setdefault(pool, []).extend(grades)
        self.pledges = grades_by(book["pledges"], "loan")
        contracts = book["contracts"].set_index("contract")
        secured = book["security"]
        self.security = grades_by(secured, "loan")
        for loan, contract in zip(secured["loan"], secured["contract"], strict=True):
            row = contracts.loc[contract]
            self.security[loan] += [row["grade"], self.firms.get(row["buyer"], "")]

    def of_loan(self, row: Mapping[str, Any]) -> str:
        """The weakest of a loan's rows: C behind B behind A."""
        loan, firms = row["loan"], (row["borrower"], row["tenant"], row["guarantor"])
        return max(
            [row["grade"], *(self.firms.get(firm, "") for firm in firms)]
            + [*self.pledges.get(loan, []), *self.security.get(loan, [])]
            + [*self.pools.get(self.pool.get(row["borrower"], ""), [])]
        )


def grades_by(table: pd.DataFrame, key: str) -> dict[str, list[str]]:
    """Grades of a table's rows by a column."""
    return {str(name): list(grades) for name, grades in table.groupby(key)["grade"]}


def parameter_counts() -> pd.Series:
    """Number of model parameters by grade, from the metadata of `engine.book.parameters`."""
    parameters = Parameters()
    groups = [getattr(parameters, field.name) for field in dataclasses.fields(parameters)]
    grades = [field.metadata.get("grade") for group in groups for field in dataclasses.fields(group)]
    return pd.Series(grades).value_counts().reindex(GRADES, fill_value=0)


def row_counts(book: Book) -> pd.Series:
    """Number of rows of the book by grade."""
    return graded(pd.concat([table[["grade"]] for table in book.tables.values() if len(table)]))


def graded(table: pd.DataFrame) -> pd.Series:
    """Number of rows of a table by grade."""
    return table["grade"].value_counts().reindex(GRADES, fill_value=0)


def grade_table(contributions: pd.DataFrame, book: Book) -> pd.DataFrame:
    """Shares by grade of ES 99% at each horizon, of the book's rows and of the model's parameters.

    ES 99% is shared twice: by the grade of a loan's own row, and, "weakest row", by `evidence`.
    """
    behind = evidence(book)
    weakest = contributions.assign(
        grade=[
            behind.get(component, grade)
            for component, grade in zip(contributions["component"], contributions["grade"], strict=True)
        ]
    )
    by_weakest = contribution_shares(weakest)
    by_weakest["what"] += ", weakest row"
    rows = table_rows("rows of the book", row_counts(book))
    for name, what in HOLDERS.items():
        rows += table_rows(what, graded(book[name]))
    rows += table_rows("model parameters", parameter_counts())
    counts = pd.DataFrame(rows, columns=["what", "grade", "amount", "share"])
    return pd.concat([contribution_shares(contributions), by_weakest, counts], ignore_index=True)


def table_rows(what: str, amounts: pd.Series) -> list[tuple[str, str, float, float]]:
    """One row a grade: what, grade, amount, share of the total (0 where there is nothing to share)."""
    total = float(amounts.sum())
    return [
        (what, grade, float(amounts[grade]), float(amounts[grade]) / total if total > 0 else 0.0)
        for grade in GRADES
    ]

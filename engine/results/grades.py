"""How much of the result rests on which evidence: grade A cited, B public figure, C modelling assumption."""

import dataclasses

import pandas as pd

from engine.book.load import Book
from engine.book.parameters import Parameters
from engine.results.horizons import horizon_years

GRADES = ("A", "B", "C")


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


def parameter_counts() -> pd.Series:
    """Number of model parameters by grade, from the metadata of `engine.book.parameters`."""
    parameters = Parameters()
    groups = [getattr(parameters, field.name) for field in dataclasses.fields(parameters)]
    grades = [field.metadata.get("grade") for group in groups for field in dataclasses.fields(group)]
    return pd.Series(grades).value_counts().reindex(GRADES, fill_value=0)


def row_counts(book: Book) -> pd.Series:
    """Number of rows of the book by grade."""
    grades = pd.concat([table["grade"] for table in book.tables.values() if len(table)])
    return grades.value_counts().reindex(GRADES, fill_value=0)


def grade_table(contributions: pd.DataFrame, book: Book) -> pd.DataFrame:
    """Shares by grade of ES 99% at each horizon, of the book's rows and of the model's parameters."""
    rows = table_rows("rows of the book", row_counts(book))
    rows += table_rows("model parameters", parameter_counts())
    counts = pd.DataFrame(rows, columns=["what", "grade", "amount", "share"])
    return pd.concat([contribution_shares(contributions), counts], ignore_index=True)


def table_rows(what: str, amounts: pd.Series) -> list[tuple[str, str, float, float]]:
    """One row a grade: what, grade, amount, share of the total (0 where there is nothing to share)."""
    total = float(amounts.sum())
    return [
        (what, grade, float(amounts[grade]), float(amounts[grade]) / total if total > 0 else 0.0)
        for grade in GRADES
    ]

"""Grades: shares of the tail by evidence."""

import dataclasses
import types

import pandas as pd
import pytest

from engine.book.load import load_book, shipped_book
from engine.book.parameters import Parameters
from engine.results import grades


def test_shares_sum_to_one(results):
    table = results.tables["grades"]
    assert table.groupby("what")["share"].sum().to_numpy() == pytest.approx(1.0)
    assert (table["share"] >= 0).all()
    assert {"ES 99%, 1 year", "ES 99%, 3 years", "rows of the book", "model parameters"} <= set(table["what"])


def test_shares_follow_the_grade_of_the_loan():
    contributions = pd.DataFrame({"horizon": "5y", "grade": ["A", "C", "C"], "es_99": [1.0, 2.0, 5.0]})
    table = grades.contribution_shares(contributions).set_index("grade")
    assert table["share"].to_dict() == {"A": 0.125, "B": 0.0, "C": 0.875}


def test_every_parameter_with_a_grade_is_counted():
    groups = [field.default_factory for field in dataclasses.fields(Parameters)]
    graded = [f for group in groups for f in dataclasses.fields(group) if "grade" in f.metadata]
    assert grades.parameter_counts().sum() == len(graded) > 50
    assert grades.parameter_counts()["C"] > grades.parameter_counts()["A"] > 0


def test_nothing_lost_is_shared_as_nothing():
    contributions = pd.DataFrame({"horizon": "1y", "grade": ["A", "B"], "es_99": [0.0, 0.0]})
    assert grades.contribution_shares(contributions)["share"].tolist() == [0.0, 0.0, 0.0]


def test_a_loan_is_as_sure_as_its_weakest_row():
    """Of a book of grade A throughout but for one row, the loans behind which that row stands are C."""
    book = load_book(shipped_book("worked_small"))

    def graded(table, column, key):
        """The book with everything of grade A and one row of C."""
        tables = {name: frame.assign(grade="A") for name, frame in book.tables.items()}
        tables[table].loc[tables[table][column] == key, "grade"] = "C"
        evidence = grades.evidence(dataclasses.replace(book, tables=types.MappingProxyType(tables)))
        return {loan for loan, grade in evidence.items() if grade == "C"}

    cloud = {"CLOUD_GPU", "CLOUD_NEW", "CLOUD_NOTES"}
    assert graded("loans", "loan", "SITE_LOAN") == {"SITE_LOAN"}
    assert graded("firms", "firm", "CLOUD") == cloud
    assert graded("pledges", "generation", "OLD") == {"CLOUD_GPU"}
    assert graded("contracts", "contract", "LAB_CLOUD") == {"CLOUD_NEW"}
    assert graded("firms", "firm", "LAB") == {"CLOUD_NEW"}
    assert graded("firms", "firm", "BIG") == {"CLOUD_GPU", "SITE_LOAN"}
    assert graded("pools", "pool", "RENTS") == {"RENTS_A", "RENTS_B"}
    assert graded("tenants", "firm", "LAB") == {"RENTS_A", "RENTS_B"}
    assert graded("pools", "pool", "CREDIT") == {f"OBLIGOR_{each}_LOAN" for each in (1, 2, 3)}

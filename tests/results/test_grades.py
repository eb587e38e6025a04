"""Grades: shares of the tail by evidence."""

import dataclasses

import pandas as pd
import pytest

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

"""Sentences that a book can make false, on a book of one lender, one loan and one group of bearers."""

import dataclasses
import html
import re

import pytest
import undertow as ut

from engine.book.about import about_of
from engine.book.load import load_book
from engine.report import findings
from engine.report.page import page, sections
from engine.report.sections.bearers import bearers_table
from engine.report.words import share
from tests.own_books import one_loan


@pytest.fixture(scope="module")
def lone(tmp_path_factory):
    """The book."""
    return one_loan(tmp_path_factory.mktemp("books") / "lone").folder


@pytest.fixture(scope="module")
def alone(lone, tmp_path_factory):
    """Its results after a run of a year, read back."""
    from engine.results.folder import read_results

    folder = tmp_path_factory.mktemp("run")
    ut.run(lone, paths=512, months=12).write(folder)
    return read_results(folder)


def visible(document):
    """Text of the page without styles, scripts and tags."""
    document = re.sub(r"<(script|style).*?</\1>", " ", document, flags=re.S)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", document)))


def test_the_page_speaks_of_one_lender_and_of_no_build_out(alone):
    said = visible(page(alone))
    assert "the only lender of this book loses" in said
    assert "AI build-out" not in said.replace("who loses if the AI build-out disappoints", "")
    assert "almost all holdings" not in said and "federal receipts" not in said
    assert "the book grows" not in said and "nan" not in said.lower().split()
    assert "The book has one group of final bearers, Shareholders of bank and insurer." in said


def with_system(results, **entries):
    """The results with other entries of the system's last horizon."""
    system = dict(results.summary["system"])
    system[results.last] = system[results.last] | entries
    return results._replace(summary=results.summary | {"system": system})


def test_debt_at_the_horizon_is_told_as_it_is(alone):
    """More, less, next to none, unknown: the tail is never a share of what is hardly there."""
    told = {
        then: findings.lead(with_system(alone, es_99=0.5, exposure=2.0, exposure_then=then))
        for then in (4.0, 1.0, 0.0005, None)
    }
    assert "outstanding at the horizon 4.0 bn on the median path" in told[4.0]
    assert "the tail loss is 25% of the one and 12% of the other." in told[4.0]
    assert "25% of the one and 50% of the other." in told[1.0]
    assert "25% of the one and more than the other." in told[0.0005]
    assert "Debt drawn today is 2.0 bn: the tail loss is 25% of it." in told[None]


def test_the_lead_says_what_its_error_leaves_out(alone):
    """Shares of the tables of grades and causes; where neither can be told, no sentence."""
    grades = alone.tables["grades"].set_index(["what", "grade"])["share"]
    causes = alone.tables["causes"].groupby("cause")["expected"].sum()
    said = findings.lead(alone)
    assert (
        f"± is simulation error alone: {share(grades['ES 99%, 1 year', 'C'])} of the tail loss is on" in said
    )
    assert (
        f"and {share(causes['hazard'] / causes.sum())} of expected defaults have no structural trigger."
        in said
    )
    without = alone._replace(tables={**alone.tables, "grades": alone.tables["grades"].iloc[:0]})
    assert "on loans whose terms" not in findings.lead(without)
    bare = alone._replace(tables={name: t for name, t in alone.tables.items() if name != "causes"})
    assert "±" not in findings.lead(bare)


def test_what_is_assumed_is_counted(alone):
    """The loan's row is C like all behind it, its holding A as on a tape, and all bearers are assumed."""
    grades = alone.tables["grades"].set_index(["what", "grade"])["share"]
    assert grades["who holds what", "A"] == 1.0 and grades["on whom losses fall", "C"] == 1.0
    note = bearers_table(alone).note
    assert note.startswith(
        "Assumptions (grade C) are 0% of the rows that say who holds what and 100% of the rows that say on "
        "whom a lender's loss falls."
    )


def test_a_tape_s_grades_do_not_hide_what_was_invented(alone):
    """A loan of grade A whose borrower and chips are C: 0% by its own row, all of it by the weakest."""
    table = alone.tables["grades"].copy()
    own = table["what"] == "ES 99%, 1 year"
    table.loc[own, "share"] = [1.0, 0.0, 0.0]
    said = findings.trust(alone._replace(tables={**alone.tables, "grades": table}))
    assert said.startswith("0% of the tail loss is on loans whose terms are modelling assumptions (grade C)")
    assert "100% rests on at least one" in said
    table = table[~table["what"].str.endswith("weakest row")]  # a run of before
    assert "at least one" not in findings.trust(alone._replace(tables={**alone.tables, "grades": table}))


def test_classes_without_a_name_keep_the_letters_of_names(lone):
    """A class called OPENAI_NOTES in a book with a firm OpenAI, and one called OUR_LPS."""
    tables = dict(load_book(lone).tables)
    tables["firms"] = tables["firms"].assign(name=["OpenAI", *tables["firms"]["name"][1:]])
    tables["loans"] = tables["loans"].assign(**{"class": "OPENAI_NOTES"})
    tables["classes"] = tables["classes"][:0]
    about = about_of(tables)
    assert about.class_name("OPENAI_NOTES") == "OpenAI notes" and about.class_name("OUR_LPS") == "Our LPs"
    assert dataclasses.replace(about, classes={}).class_name("FIRST_LIEN") == "First lien"


def test_a_small_book_has_no_chart_that_compares_nothing(alone):
    """One lender, one loan, one bearer: no bar alone, no map of one row, no flow that never parts."""
    charts = {chart.name: chart for _, section in sections(alone) for chart in section.charts}
    assert charts and all(chart.worth_drawing for chart in charts.values())
    assert not charts.keys() & {
        "lenders", "bearers", "composition", "systemic", "conditional", "claims", "flows-all", "flows-worst",
    }  # fmt: skip
    document = page(alone)
    assert re.findall(r'id="chart-([^"]+)"', document) == [*charts]
    assert "What flows into a node" not in visible(document)


def test_its_tables_stay(alone):
    names = {table.name for _, section in sections(alone) for table in section.tables}
    assert {"lenders", "bearers", "contributions", "system"} <= names

"""The page of one lender: what is refused, and a small run whose parts add up."""

import itertools
import json
import math

import pandas as pd
import pytest

from engine.book.load import load_book, shipped_book
from engine.report.focus_words import scale_of, title_of
from engine.report.sections.focus import focus as focus_section
from engine.report.unit import readable
from engine.results.folder import read_results
from experiments import focus

SMALL = (
    "book.name=worked_small", "run.paths=2048", "run.block=1024", "run.months=48", "report.anatomy=false",
    "run.dir=run",
)  # fmt: skip


def test_a_focus_that_the_book_does_not_have_is_refused(undertow, untouched):
    cases = {
        "lender:FUNDS": "report.focus: got 'lender:FUNDS', expected lender:FUND",
        "lender:Pension fund": "expected lender:PENSION",
        "borrower:OBLIGOR_1": "expected borrower:",
        "class:HY": "expected class:",
        "JPM": "expected KIND:ID with one of lender, class, bearer, borrower, as lender:JPM",
    }
    with untouched():
        for value, words in cases.items():
            said = undertow(*SMALL, f"report.focus={value}")
            assert said.code == 2 and words in said.err, said.err


def test_a_focus_needs_plain_paths_and_enough_of_them(undertow, untouched):
    with untouched():
        said = undertow(*SMALL, "report.focus=lender:FUND", "sampler=antithetic", "report.focus_paths=5")
    assert said.code == 2
    assert "sampler.name: got 'antithetic', expected pseudo_random with report.focus" in said.err
    assert "report.focus_paths: got 5, expected a whole number from 256" in said.err


def test_a_class_is_one_of_lenders_or_of_instruments():
    book = load_book(shipped_book("worked_small"))
    assert focus.chosen("class:BANK", book) == ("lenders", "BANK")
    assert focus.chosen("class:ABS", book) == ("class", "ABS")
    assert focus.chosen("bearer:SAVERS", book) == ("bearer", "SAVERS")
    assert focus.chosen("borrower:CLOUD", book) == ("borrower", "CLOUD")
    assert focus.chosen("lender:CLOUD", book) is None and focus.chosen("lenders:BANK", book) is None


@pytest.fixture
def folder(undertow, tmp_path):
    """The folder of a run with the page of the bank, which has lent to the fund too."""
    said = undertow(*SMALL, "report.focus=lender:BANK")
    assert said.code in (0, 4), said.err
    assert "Bank: " in said.out and "Actions and what they change" in said.out
    return tmp_path / "run"


def test_parts_of_every_cut_add_up_to_es_and_the_page_tells_them(folder):
    """Tables, summary and page of one run: identities, and the run's own numbers of the same paths."""
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    entry, own = summary["focus"], summary["lenders"]["BANK"]["4y"]
    assert entry["es_99"] == pytest.approx(own["es_99"], rel=0.002)  # half a bin of the histogram
    assert entry["el"] == pytest.approx(own["el"], rel=1e-6)
    tables = {
        name: pd.read_parquet(folder / "results" / f"focus_{name}.parquet")
        for name in ("loans", "tail", "actions", "sheets")
    }
    sums = tables["tail"].groupby("by")[["el", "es_99", "share"]].sum()
    assert set(sums.index) == {"loan", "borrower", "class", "cause", "chip", "tenant", "month"}
    for by, line in sums.iterrows():
        assert line["es_99"] == pytest.approx(entry["es_99"], rel=1e-5), by
        assert line["el"] == pytest.approx(entry["el"], rel=1e-5) and line["share"] == pytest.approx(1.0)
    loans = tables["loans"].set_index("id")
    assert loans.loc["CLOUD_GPU", "exposure"] == pytest.approx(2.0 * 0.4 * 5.0 / 9.0)
    named = loans[loans["borrower"] == "GPU cloud"]
    assert named["pd"].nunique() == 1 and named["lgd"].dropna().between(0.0, 1.0).all()
    firm = pd.read_parquet(folder / "results" / "firms.parquet").set_index("firm").loc["CLOUD"]
    assert named["pd"].iloc[0] == pytest.approx(firm["pd_4y"])
    actions = tables["actions"].set_index("action")
    assert set(actions.index) == {"advance_rate", "amortisation", "sale", "guarantee"}
    assert actions.loc["sale", "es_99_change"] < -5.0 * actions.loc["sale", "es_99_change_se"]
    assert actions.loc["guarantee", "el_change"] < 0.0 and (actions["es_99_change_se"] > 0.0).all()
    sheets = tables["sheets"]
    assert set(sheets["month"]) == set(range(3, 49, 3)) and (sheets["tested"] >= sheets["breach"]).all()
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "<h1>Bank: " in page and "What makes its tail" in page and "Sheets of its largest loans" in page
    told_in_one_unit(read_results(folder))


MORE = [pytest.param(of, marks=pytest.mark.whole) for of in ("class:HY_CONV", "class:BANK", "bearer:SAVERS")]


@pytest.mark.parametrize("of", ["borrower:CLOUD", *MORE])
def test_others_than_lenders_have_a_page_whose_parts_add_up(undertow, tmp_path, of):
    said = undertow(*SMALL, f"report.focus={of}", "report.xlsx=false")
    assert said.code in (0, 4), said.err
    run = read_results(tmp_path / "run")
    entry, tail = run.summary["focus"], run.tables["focus_tail"]
    assert entry["es_99"] > entry["el"] > 0.0
    for by, line in tail.groupby("by")[["el", "es_99"]].sum().iterrows():
        assert line["es_99"] == pytest.approx(entry["es_99"], rel=1e-5), by
        assert line["el"] == pytest.approx(entry["el"], rel=1e-5), by
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "What makes its tail" in page and f"<h1>{title_of(run)}" in page
    told_in_one_unit(run)


def told_in_one_unit(run):
    """A focus in its own millions, and in those of a report in millions: the same cells but for the peers."""
    results = run._replace(summary=run.summary | {"focus": run.summary["focus"] | {"es_99": 0.5}})
    small = readable(results, small=math.inf)
    assert scale_of(results).unit == scale_of(small).unit == "USD m" and results.unit == "USD bn"
    for one, other in zip(focus_section(results).tables, focus_section(small).tables, strict=True):
        factor = 1.0 if one.units == other.units else 1000.0
        assert (factor == 1000.0) == (one.name == "focus_peers")
        for a, b in zip(itertools.chain(*one.rows), itertools.chain(*other.rows), strict=True):
            if a.value is not None:
                scale = factor if a.kind == "amount" else 1.0
                assert b.value == pytest.approx(scale * a.value, rel=1e-9, nan_ok=True), (one.name, a, b)
                assert factor > 1.0 or a.text == b.text

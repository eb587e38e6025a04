"""`undertow task=search`: what cannot be searched is refused; a real search ends, and goes on."""

import json

import pandas as pd
import pytest

SMALL = (
    "task=search", "run.paths=1024", "run.block=512", "run.months=12", "run.seed=3", "report.anatomy=false",
    "search.paths=1024",
)  # fmt: skip
KNOBS = "search.knobs=[[credit.contract_advance,0.2,0.8]]"
AIM = "search.minimise=[system.es_99]"


@pytest.fixture
def book(undertow):
    """The worked book of the template."""
    assert undertow("task=template", "template.dir=mine").code == 0
    return ("book=own", "book.path=mine/worked_small")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "search.knobs: got []"),
        ((KNOBS,), "at least one result"),
        ((AIM, "search.knobs=[[credit.contract_advance,0.8,0.2]]"), "two rising numbers"),
        ((AIM, KNOBS, "search.bounds=[[system.el,null,null]]"), "search.bounds[0]"),
        ((AIM, KNOBS, "search.trials=0"), "search.trials: got 0"),
        ((AIM, KNOBS, "sampler=sobol"), "pseudo_random where task=search"),
        ((AIM, "search.knobs=[[credit.nothing,0,1]]"), "search.knobs: got 'credit.nothing'"),
        ((AIM, "search.knobs=[[loans.NOBODY.margin,0,1]]"), "a row or a class of loans.csv"),
        ((KNOBS, "search.minimise=[system.var_99]"), "one of el, es_95, es_99, es_99_9"),
        ((KNOBS, "search.minimise=['returns:NOBODY.net']"), "returns:LENDER.measure with one of"),
        ((AIM, "search.knobs=[[credit.contract_advance,0.2,1.8]]"), "credit.contract_advance at 1.8"),
    ],
)
def test_what_cannot_be_searched_is_refused(undertow, book, arguments, said, tmp_path):
    answer = undertow(*book, *SMALL, "run.dir=out/a", *arguments)
    assert answer.code == 2
    assert said in answer.err
    assert not (tmp_path / "out" / "a").exists()


def test_a_search_from_end_to_end(undertow, book, status, tmp_path):
    knob, aim = "search.knobs=[[loans.CLOUD_GPU.margin,0.02,0.06]]", "search.maximise=['returns:FUND.net']"
    asked = (*book, *SMALL, knob, aim, "search.bounds=[[system.es_99,null,1e6]]", "run.dir=out/a")
    answer = undertow(*asked, "search.trials=3")
    assert answer.code == 0, answer.err
    folder = tmp_path / "out" / "a"
    assert "Best of 3 settings for the highest net income of FUND's loans, with ES 99% of the" in answer.out
    found = json.loads((folder / "summary.json").read_text())["search"]
    assert (found["trials"], found["feasible"], found["paths"]) == (3, 3, 1024)
    best = found["best"][0]
    assert best["fresh"]["system.es_99"] != best["results"]["system.es_99"]
    first = pd.read_parquet(folder / "results" / "search.parquet")
    assert list(first["trial"]) == [1, 2, 3] and first["best"].sum() == 1
    dearest = first.loc[first["knob loans.CLOUD_GPU.margin"].idxmax()]
    assert dearest["best"] and best["setting"]["loans.CLOUD_GPU.margin"] == dearest.iloc[1]
    assert 'id="search"' in (folder / "report.html").read_text(encoding="utf-8")

    assert undertow(*asked, "report.html=false", "search.trials=4").code == 0
    more = pd.read_parquet(folder / "results" / "search.parquet")
    assert len(more) == 4
    pd.testing.assert_frame_equal(more[:3][["trial", "system.es_99"]], first[["trial", "system.es_99"]])

    answer = undertow(*asked, "search.trials=4", "run.months=24")
    assert answer.code == 2 and "config.run.months: 12 there, 24 here" in answer.err
    assert status(folder)["status"] == "failed"


@pytest.mark.whole
def test_the_example_runs(undertow, tmp_path):
    answer = undertow("experiment=best_terms", *SMALL[1:], "search.trials=2", "run.dir=out/b")
    assert answer.code == 0, answer.err
    found = json.loads((tmp_path / "out" / "b" / "summary.json").read_text())["search"]
    assert found["trials"] == 2 and set(found["today"]) == {"returns:MACQ_AI.net", "returns:MACQ_AI.es_99"}

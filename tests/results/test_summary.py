"""summary.json: complete when written, refused in one sentence when it is not, and its doubts."""

import json
import pathlib
import re

import pytest

from engine.book.load import load_book, shipped_book
from engine.results.folder import read_results
from engine.results.provenance import Provenance, machine
from engine.results.reliability import doubts_of
from engine.results.schema import summary_schema
from engine.results.summary import Sampler, Summary, Timing, UnreadableSummary, read_summary
from engine.results.write import write_results
from tests.json_schema import violations

PUBLISHED = pathlib.Path(__file__).parents[2] / "docs" / "summary.schema.json"


@pytest.fixture
def stored(results, tmp_path):
    """`stored(key=value, ...)` writes the run's summary with these entries changed; None takes one away."""

    def write(**changes):
        entries = {**results.summary, **changes}
        path = tmp_path / "summary.json"
        path.write_text(json.dumps({key: entry for key, entry in entries.items() if entry is not None}))
        return path

    return write


def test_every_entry_that_is_defined_is_written_and_no_other(results, run):
    known = Summary.__required_keys__ | Summary.__optional_keys__
    assert Summary.__required_keys__ <= set(results.summary) <= known
    assert set(results.summary["timing"]) == Timing.__required_keys__
    assert Sampler.__required_keys__ == set(results.summary["sampler"])
    assert set(run.provenance) - {"status", "timing"} == Provenance.__required_keys__


def test_the_published_schema_is_that_of_the_types():
    """`python -m engine.results.schema > docs/summary.schema.json` publishes it anew."""
    assert json.loads(PUBLISHED.read_text(encoding="utf-8")) == summary_schema()


def test_a_real_summary_is_what_the_published_schema_says(folder):
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    schema = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    assert violations(schema, summary) == []
    summary["system"]["1y"]["es_99"] = "3.1"
    summary["system"]["1y"]["resolved_99"] = 1
    summary["paths"], summary["commit"] = 8192.5, None
    del summary["timing"]["kernel"], summary["lenders"][next(iter(summary["lenders"]))]["1y"]["el"]
    places = [re.split("[/:]", line)[0] for line in violations(schema, summary)]
    assert places == ["lenders", "paths", "system", "system", "timing"]


def test_the_machine_is_known(results):
    assert results.summary["device"] in machine(results.summary)
    assert results.summary["platform"] in machine(results.summary)


def test_a_summary_of_before_is_read_and_its_doubts_are_none(stored):
    summary = read_summary(stored(doubts=None, bearers=None, about=None))
    assert summary["doubts"] == [] and summary["bearers"] == {}
    assert summary["about"] == load_book(shipped_book()).about.entry() | {"name": ""}


@pytest.mark.parametrize("stress", [{"stories": []}, {"unreachable": "the most is 310.5 bn"}])
def test_a_summary_that_lacks_entries_is_refused_in_a_sentence(stored, stress):
    path = stored(system=None, timing=None, reverse_stress=stress)
    with pytest.raises(UnreadableSummary) as error:
        read_results(path.parent)
    assert str(error.value) == (
        f"{path}: got no system, timing, reverse_stress.start, expected all entries of schema 1: run it again"
    )


@pytest.mark.parametrize("schema", [2, "one"])
def test_a_summary_of_another_schema_is_refused(stored, schema):
    with pytest.raises(UnreadableSummary, match=f"got schema {schema}, expected 1: read it with the version"):
        read_summary(stored(schema=schema))


def test_what_is_no_json_is_refused(tmp_path):
    (tmp_path / "summary.json").write_text("{")
    with pytest.raises(UnreadableSummary, match="got no JSON document"):
        read_summary(tmp_path / "summary.json")


def test_doubts_are_written_and_judged_again_by_other_thresholds(run, tmp_path):
    summary = write_results(tmp_path, *run.arguments)
    assert read_summary(tmp_path / "summary.json")["doubts"] == summary["doubts"] == []
    strict = doubts_of(summary, fail_on_unresolved=True)
    assert strict == [f"{w} (report.fail_on_unresolved)" for w in summary["warnings"]] != []


def test_doubts_follow_from_the_other_entries(results):
    flagged = results.summary | {"flagged_paths": {"collateral_spiral": 82}}
    assert doubts_of(flagged, 0.001) == [
        "1.00% of paths are flagged collateral_spiral, at most 0.10% are accepted (report.most_flagged)"
    ]
    (lost,) = doubts_of(results.summary | {"flagged_paths": {"not_finite": 1}}, 0.02)
    assert "not finite: they are left out of every estimate" in lost, "one is too many"
    assert doubts_of(flagged, 0.02) == doubts_of(flagged | {"doubts": ["of before"]}, 0.02) == []
    of_tasks = {
        "reverse_stress": {"unreachable": {"most": 310.5}},
        "search": {"feasible": 0, "trials": 16},
        "calibration": {"doubts": ["no data"]},
    }
    assert doubts_of(results.summary | of_tasks) == [
        "no data",
        "no scenario brings the target of the reverse stress",
        "none of 16 settings keeps the bounds of the search",
    ]

"""The validation itself: all quick comparisons pass, a wrong number fails, and the document says so."""

import json
import pathlib
import shutil

import numpy as np
import pytest

from engine.run.processes import ALONE
from experiments.session.exit_codes import BAD_INPUT, DONE, UNRELIABLE
from experiments.validation import coverage, credit, document, networks
from experiments.validation.checks import Check, absent, worst

ORACLES = pathlib.Path(__file__).parents[1] / "oracles"
BESIDE = pathlib.Path(__file__).resolve().parents[2].parent / "shared" / "oracles"
COMPARISONS = [
    networks.clearing, networks.reconstruction, credit.creditrisk_plus, credit.migration, credit.basel,
    credit.pools,
]  # fmt: skip


@pytest.mark.parametrize("compare", COMPARISONS, ids=lambda f: f.__name__)
def test_everything_published_agrees(compare):
    found = compare(ORACLES)
    assert found and all(check.verdict == "passed" for check in found), found


def test_data_that_are_not_shipped_are_skipped_when_absent():
    (found,) = networks.debtrank(None)
    assert found.verdict == "skipped" and "not shipped" in found.skipped
    if BESIDE.exists():
        assert all(check.verdict == "passed" for check in networks.debtrank(BESIDE))


def test_a_wrong_number_fails(tmp_path):
    shutil.copytree(ORACLES, tmp_path / "oracles")
    path = tmp_path / "oracles/10_basel2_annex5_irb_risk_weights.csv"
    path.chmod(0o644)
    path.write_text(path.read_text().replace("92.32", "92.42"))
    bad = [check for check in credit.basel(tmp_path / "oracles") if check.verdict == "failed"]
    assert len(bad) == 1 and bad[0].published == 92.42
    assert "**failed**" in document.table(bad)


def test_the_worst_of_several_numbers_is_shown():
    check = worst("here", "three", [1.0, 2.0, 3.0], [1.0, 2.5, 3.1], tolerance=[0.1, 1.0, 0.05])
    assert (check.published, check.engine, check.values, check.verdict) == (3.0, 3.1, 3, "failed")
    assert Check("a", "b", 1.0, 1.3, error=0.1).passed and not Check("a", "b", 1.0, 1.5, error=0.1).passed
    assert Check("a", "b", 1.0, 1.3, error=0.1).z == pytest.approx(3.0)


def test_the_document_counts_and_escapes():
    checks = [Check("x", "E[L | L > y]", 1.0, 1.02, error=0.01, values=3), absent("x", "y", "not here")]
    covered = [coverage.Coverage("sobol", "ES", 0.99, 5.0, 350, 400, 1024)]
    told = {"command": "undertow", "machine": "here", "versions": "now"}
    text = document.text({"Part": checks}, covered, told)
    assert "1 rows over 3 numbers: all passed; 1 skipped. Coverage: 0 of 1 within the band" in text
    assert r"E[L \| L > y] | 3 | 1 | – | 1.020 ± 0.01 | +2.0 | passed |" in text
    assert "| 350 | 87.5% | **failed** |" in text


def test_coverage_counts_intervals_that_contain_the_exact_value():
    """Most of a handful of importance-sampled runs do; shifted intervals would not."""
    found = coverage.coverage(12, ("importance",))
    assert len(found) == 4 and all(one.runs == 12 and one.covered >= 8 for one in found)
    book, law = coverage.books()
    bounds = coverage.simulate_intervals(book, law, "importance", 2)
    assert bounds.shape == (2, 2, 2) and (bounds["lower"] < bounds["upper"]).all()
    assert (np.abs(bounds["lower"][:, 1, 1] / law.expected_shortfall(0.999) - 1.0) < 0.1).all()


def test_bad_input_is_refused(undertow, tmp_path):
    answer = undertow("task=validate", "validate.oracles=nowhere", "validate.runs=-1")
    assert answer.code == BAD_INPUT
    assert "validate.oracles" in answer.err and "validate.runs" in answer.err
    answer = undertow("task=validate", f"validate.oracles={tmp_path}")
    assert answer.code == BAD_INPUT and "a checkout" in answer.err


def test_exit_codes(monkeypatch, tmp_path):
    from experiments.flow import carry_out
    from experiments.session.stopping import Stop
    from experiments.tasks import validate

    def of(found):
        monkeypatch.setattr(validate, "groups", lambda *folders: {"Part": [lambda: found]})
        options = validate.Options(oracles=str(ORACLES), runs=0, document=str(tmp_path / "v.md"))
        return carry_out(validate, type("Experiment", (), {"options": options}), Stop(), ALONE)

    assert of([Check("a", "b", 1.0, 1.0)]) == DONE
    assert of([Check("a", "b", 1.0, 2.0)]) == UNRELIABLE
    assert "**failed**" in (tmp_path / "v.md").read_text()
    assert json.dumps(str(tmp_path)) not in (tmp_path / "v.md").read_text()

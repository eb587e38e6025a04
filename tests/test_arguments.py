"""Arguments of public functions: each wrong in every way, and the reader of them by itself."""

import decimal
import fractions
import json
import os
import pathlib
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from engine import arguments

ROOT = pathlib.Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def probes():
    """What `tests.probes` reports, from a process without the import hook of the tests."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("JAX_", "XLA_"))}
    own["PYTHONPATH"] = str(ROOT)
    command = [sys.executable, "-m", "tests.probes"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, env=own, cwd=ROOT)
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


def test_no_wrong_argument_passes_and_no_error_is_foreign(probes):
    assert not probes["slips"], "\n".join(probes["slips"])
    assert probes["tried"] > 5000


@pytest.mark.parametrize(
    "value",
    [[0.25, 0.5], (0.25, 0.5), np.float32([0.25, 0.5]), pd.Series([0.25, 0.5], ["a", "b"]),
     pd.Series([0.25, 0.5], dtype="Float64"), [fractions.Fraction(1, 4), decimal.Decimal("0.5")]],
    ids=["list", "tuple", "float32", "Series", "Float64", "exact"],
)  # fmt: skip
def test_numbers_come_in_any_container(value):
    assert arguments.numbers("pd", value).tolist() == [0.25, 0.5]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("0.5", "pd: got '0.5', expected a number"),
        ([True, False], r"pd: got \[True, False\], expected numbers"),
        (pd.Series([0.1, None], dtype="Float64"), r"pd\[1\]: got nan, expected a number"),
        (np.ma.masked_array([0.1, 9.9], [False, True]), "expected numbers without masked entries"),
        ([[0.1], [0.1, 0.2]], "expected numbers in rows of one length"),
        (np.array(["2026-01-01"], "M8[D]"), "expected numbers"),
    ],
)
def test_what_is_no_number_is_refused(value, message):
    with pytest.raises(ValueError, match=message):
        arguments.within("pd", arguments.numbers("pd", value))


@pytest.mark.parametrize(
    ("low", "high", "entry", "words"),
    [
        (0.0, 1.0, 1.5, "from 0 to 1"),
        (0.0, np.inf, -1.0, "at least 0"),
        (arguments.TINY, np.inf, 0.0, "above 0"),
        (-np.inf, 3.0, 4.0, "at most 3"),
        (-np.inf, np.inf, np.nan, "that is finite"),
        (0.0, 1.0, np.nan, "from 0 to 1"),
        (0.0, np.inf, 1e101, "from 0 to 1e+100"),
    ],
)
def test_a_number_outside_is_told_its_range(low, high, entry, words):
    with pytest.raises(ValueError, match=re.escape(f"x[1]: got {entry}, expected a number {words}") + "$"):
        arguments.within("x", np.array([0.5, entry]), low, high)


def test_counts_may_be_floats_that_are_whole():
    assert [arguments.count("paths", each) for each in (3, 1e4, np.int64(5), np.float32(8.0))] == [
        3,
        10000,
        5,
        8,
    ]
    assert arguments.count("seed", 2**64 - 1, 0, arguments.SEEDS) == 2**64 - 1
    for wrong in (2.5, True, "3", None, np.nan, 0):
        with pytest.raises(ValueError, match="paths: got"):
            arguments.count("paths", wrong)


def series(labels):
    """A Series of these labels."""
    return pd.Series(np.arange(len(labels), dtype=float), labels)


def test_labels_agree_or_are_refused():
    named, positions = series(["a", "b"]), series([0, 1])
    for other in (named, positions, [1.0, 2.0], 0.5):
        arguments.names_along(0, pd=named, lgd=other)
    for other in (series(["b", "a"]), series(["a", "c"])):
        with pytest.raises(
            ValueError, match="lgd: got the label '[bc]' at [01], expected '[ab]', the label in pd"
        ):
            arguments.names_along(0, pd=named, lgd=other)
    with pytest.raises(ValueError, match="lgd: got the label 1 at 0, expected 0"):
        arguments.names_along(0, pd=positions, lgd=series([1, 0]))

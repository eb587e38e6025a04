"""The shipped book's numbers stay where they are, unless somebody says so: python -m tests.golden --write."""

import json

from tests.golden import golden_of, moves, recorded


def test_nothing_moved(folder):
    now = golden_of(json.loads((folder / "summary.json").read_text(encoding="utf-8")))
    lines = moves(recorded(), now)
    assert lines == [], "python -m tests.golden says what moved; with --write it becomes golden"


def test_a_move_is_seen_and_measured():
    before = {"system.5y.es_99": (100.0, 2.0), "firm.LAB.pd_1y": (0.0, 0.0)}
    assert moves(before, before) == []
    assert moves(before, before | {"system.5y.es_99": (101.0, 2.0)}) == [
        "system.5y.es_99: 100 to 101, 0.50 standard errors"
    ]
    assert moves(before, before | {"firm.LAB.pd_1y": (1e-9, 0.0)})[0].startswith("firm.LAB.pd_1y: 0 to 1e-09")
    assert moves(before, {}) == ["firm.LAB.pd_1y: gone", "system.5y.es_99: gone"]


def test_the_golden_numbers_cover_system_lenders_bearers_and_firms():
    kinds = {name.partition(".")[0] for name in recorded()}
    assert kinds == {"system", "lender", "bearer", "firm"} and len(recorded()) > 100

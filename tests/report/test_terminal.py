"""The terminal's table: narrow, without colour, readable where only ASCII is."""

import io

from engine.report import words
from engine.report.terminal import TOP, WIDTH, print_summary
from engine.results.horizons import horizon_years


def printed(summary, encoding="utf-8"):
    """What the terminal shows."""
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, newline="\n")
    print_summary(summary, file)
    file.flush()
    return raw.getvalue().decode(encoding)


def test_no_line_is_wider_than_the_terminal(results):
    text = printed(results.summary)
    assert max(map(len, text.splitlines())) <= WIDTH
    assert "\x1b" not in text


def test_names_and_numbers_too_long_are_cut_not_wrapped(results):
    long = {
        f"A_LENDER_WITH_A_VERY_LONG_NAME_{n}": v for n, v in enumerate(results.summary["lenders"].values())
    }
    system = {horizon: {**loss, "es_99": 123456789.0} for horizon, loss in results.summary["system"].items()}
    text = printed({**results.summary, "lenders": long, "system": system, "warnings": ["a" * 300]})
    assert max(map(len, text.splitlines())) <= WIDTH


def test_numbers_are_those_of_the_summary(results):
    text = printed(results.summary)
    for horizon in results.horizons:
        loss = results.system(horizon)
        assert f"{words.amount(loss['es_99'])} ± {words.error(loss['es_99_se'], loss['es_99'])}" in text
        assert horizon_years(horizon) in text
    ranked = sorted(results.summary["lenders"].items(), key=lambda item: -item[1]["3y"]["es_99"])
    at = [text.index(f"\n{name} ") for name, _ in ranked[:TOP]]
    assert at == sorted(at) and f"\n{ranked[TOP][0]} " not in text
    speed = results.summary["timing"]["paths_per_s"]
    assert f"{speed:,.0f} paths/s" in text and "8,192 paths" in text


def test_warnings_are_shown(results):
    assert "! System loss in" in printed(results.summary)
    assert "!" not in printed({**results.summary, "warnings": []})


def test_it_prints_where_only_ascii_is(results):
    text = printed(results.summary, "ascii")
    assert "+-" in text and "?" not in text


def test_unknown_numbers_are_dashes(results):
    timing = dict.fromkeys(results.summary["timing"])
    system = {
        h: {**loss, "var_99_hi": None, "exposure": None} for h, loss in results.summary["system"].items()
    }
    assert "–]" in printed({**results.summary, "timing": timing, "system": system})

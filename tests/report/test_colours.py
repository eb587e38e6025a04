"""Colours of charts: told from light and from dark paper, all of one palette; one normal quantile."""

import json
import pathlib
import re

import pytest

from engine.report import style
from engine.report.html import chart_json
from engine.report.page import sections
from engine.tail.intervals import HALF_WIDTH

ENGINE = pathlib.Path(style.__file__).parents[1]
MARKS = (
    *style.HORIZON_COLOURS, *style.GRADE_COLOURS.values(), *style.CAUSE_COLOURS.values(),
    *style.KIND_COLOURS.values(), *style.CLASS_COLOURS.values(),
)  # fmt: skip


def luminance(colour):
    """Relative luminance of WCAG 2.2."""
    parts = [int(colour[at : at + 2], 16) / 255.0 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    """Contrast ratio of WCAG 2.2."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_that_of_the_standard():
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("colour", sorted(set(MARKS)))
def test_a_mark_is_told_from_either_paper(colour):
    assert contrast(colour, style.PAPER) >= 3.0
    assert contrast(style.DARK[colour], style.DARK[style.PAPER]) >= 3.0


@pytest.mark.parametrize("colour", [style.INK, style.MUTED])
def test_text_is_read_on_either_paper(colour):
    assert contrast(colour, style.PAPER) >= 4.5
    assert contrast(style.DARK[colour], style.DARK[style.PAPER]) >= 4.5


def test_every_colour_of_every_chart_has_a_value_on_dark_paper(results):
    night = style.night()
    for _, section in sections(results):
        for chart in section.charts:
            text = json.dumps(chart_json(chart.figure))
            colours = re.findall(r'"(#[0-9a-fA-F]{6})"', text)
            colours += [each.rpartition(",")[0] for each in re.findall(r'"(rgba\([^)]*\))"', text)]
            assert colours and set(colours) <= set(night), chart.name
            assert '"white"' not in text and '"black"' not in text, chart.name


def test_the_page_and_the_charts_have_the_same_papers():
    css = (ENGINE / "report" / "templates" / "report.css").read_text(encoding="utf-8")
    papers = re.findall(r"--paper: (#\w+)", css)
    assert papers == [style.PAPER, style.DARK[style.PAPER]]
    for variables in re.findall(r"\{([^{}]*--paper: #[^{}]*)\}", css):
        values = dict(re.findall(r"--(\w+): (#\w{6})", variables))
        for text in ("ink", "muted", "navy"):
            assert contrast(values[text], values["paper"]) >= 4.5
            assert contrast(values[text], values["wash"]) >= 4.5
        assert contrast(values["ink"], values["caution"]) >= 4.5


def test_bars_are_intervals_of_one_normal_quantile():
    assert style.bars([2.0])["array"] == [pytest.approx(2.0 * 1.959963984540054, rel=1e-12)]
    assert HALF_WIDTH == pytest.approx(1.959963984540054, rel=1e-12)
    number = re.compile(r"(?<![\d.])1\.9(6|59\d*)(?!\d)")
    files = [path for path in ENGINE.rglob("*.py") if number.search(without_docstrings(path))]
    assert not files


def without_docstrings(path):
    """Code of a file without triple-quoted text."""
    return re.sub(r'"""(?:.|\n)*?"""', "", path.read_text(encoding="utf-8"))

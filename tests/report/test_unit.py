"""A small book is told in millions: whatever says so is a thousand times as large, and nothing else is."""

import re

import numpy as np
import pytest

from engine.report.page import sections
from engine.report.section import Bullets, Text, unfolded
from engine.report.table import Table
from engine.report.unit import readable
from engine.results.folder import BILLION, MILLION


@pytest.fixture(scope="module")
def both(results):
    """The sections of the same run in billions and, taken for a small book, in millions."""
    small = readable(results, small=np.inf)
    assert (results.unit, small.unit) == (BILLION, MILLION)
    return sections(results), sections(small)


def parts(contents):
    """Every part of every section, in order."""
    return [part for _, section in contents for part in unfolded(section.parts)]


def amounts(text):
    """Numbers of a sentence before a unit: value, half of its last place, and the unit."""
    numbers = re.findall(r"(-?[\d,]+(?:\.\d+)?) (bn|m)\b", text)
    return [
        (float(each.replace(",", "")), 0.5 * 10.0 ** -len(each.partition(".")[2]), unit)
        for each, unit in numbers
    ]


def test_tables_change_with_their_unit_and_only_then(both):
    """Cells of amounts of a table in USD m are those in USD bn times a thousand; all other numbers stay."""
    tables = [[part for part in parts(each) if isinstance(part, Table)] for each in both]
    changed = 0
    for large, small in zip(*tables, strict=True):
        factor = 1000.0 if small.units != large.units else 1.0
        assert {large.units, small.units} <= {BILLION, MILLION} or large.units == small.units
        changed += factor > 1.0
        for one, other in zip(large.rows, small.rows, strict=True):
            for a, b in zip(one, other, strict=True):
                if a.value is None:
                    assert a.text == b.text, (large.name, a, b)
                    continue
                scale = factor if a.kind == "amount" else 1.0
                assert b.value == pytest.approx(scale * a.value, rel=1e-9, nan_ok=True), (large.name, a, b)
                ends = zip(a.bounds, b.bounds, strict=True)
                for low, high in ends:
                    if low is not None:
                        assert high == pytest.approx(scale * low, rel=1e-9, nan_ok=True), (large.name, a, b)
    assert changed >= 8


def test_sentences_name_the_unit_of_their_numbers(both):
    """A number before m is a thousand times the one before bn, to the rounding of its figures."""
    texts = [[part for part in parts(each) if isinstance(part, Text | Bullets)] for each in both]
    told = 0
    for large, small in zip(*texts, strict=True):
        pair = [
            " ".join(part.sentences) if isinstance(part, Bullets) else part.text for part in (large, small)
        ]
        for (one, half, _), (other, place, unit) in zip(*map(amounts, pair), strict=True):
            factor = 1000.0 if unit == "m" else 1.0
            assert abs(other - factor * one) <= factor * half + place, pair
            told += unit == "m"
    assert told >= 5


def said(chart):
    """Everything that a figure says of its numbers."""
    figure = chart.figure.to_plotly_json()
    axes = [
        axis.get("title", {}).get("text", "") for name, axis in figure["layout"].items() if "axis" in name
    ]
    return axes + re.findall(r"hovertemplate': ?'[^']*", str(figure["data"]))


def numbers(chart):
    """All numbers of a figure's traces."""
    values = []
    for trace in chart.figure.data:
        data = [trace.link.value] if trace.type == "sankey" else [trace.x, trace.y, trace.customdata]
        data += [trace.z] if trace.type == "heatmap" else []
        for each in data:
            for value in np.asarray(each, object).ravel() if each is not None else ():
                values += [float(value)] if isinstance(value, int | float | np.number) else []
    return values


def test_charts_change_with_what_their_axes_say(both):
    """Numbers of a chart change where its axes or its hovers name another unit, and nowhere else."""
    charts = [[chart for _, section in each for chart in section.charts] for each in both]
    changed = 0
    for large, small in zip(*charts, strict=True):
        one, other = (np.asarray(numbers(chart)) for chart in (large, small))
        moved = one.shape != other.shape or not np.allclose(one, other, rtol=1e-9, equal_nan=True)
        assert moved == (said(large) != said(small)), large.name
        changed += moved
    assert changed >= 8


def test_a_large_book_and_other_tasks_stay_in_billions(results):
    assert readable(results) is results
    other = results._replace(summary=results.summary | {"task": "policy"})
    assert readable(other, small=np.inf) is other
    small = readable(results, small=np.inf)
    assert readable(small, small=np.inf) is small

"""A small book is told in millions: whatever says so is a thousand times as large, and nothing else is."""

import io
import pathlib
import re

import numpy as np
import pytest

from engine.report import comparison as comparisons
from engine.report.columns import columns_of
from engine.report.comparison_words import headline
from engine.report.page import TOPICS, sections
from engine.report.section import Bullets, Chart, Text, drawn, unfolded
from engine.report.sections.reverse_stress import story
from engine.report.table import Table
from engine.report.terminal import blocks
from engine.report.unit import readable, readable_comparison
from engine.results.comparison import Comparison, compare
from engine.results.difference import Run
from engine.results.folder import BILLION, MILLION
from engine.results.units import MONEY, RATIO, unit_of
from tests.report.tasks import NET, RATE, TASKS, with_task

MAIN = "the main job"

LEAST = {
    MAIN: (8, 5, 8), "policy": (2, 4, 1), "attribution": (1, 1, 1), "greeks": (1, 2, 1), "band": (3, 3, 1),
    "network": (2, 2, 1), "reverse_stress": (3, 2, 1), "reverse_stress, out of reach": (0, 2, 0),
    "search": (1, 3, 1), "search, two aims": (1, 3, 1), "calibration": (1, 1, 1), "backtest": (0, 0, 0),
    "a sweep": (2, 0, 1), "a sweep of two keys": (3, 0, 1),
}  # fmt: skip
"""Tables, amounts in sentences and charts that are in another unit, at least."""


BEGINS = "exceedance"
"""The chart whose line begins at a hundredth of its unit."""


def scaled(results, factor):
    """The results with the losses of the system and its columns times a factor."""
    losses = results.tables["losses"].copy()
    losses[losses.select_dtypes("floating").columns] *= factor
    system = {
        horizon: {key: factor * value if isinstance(value, float) else value for key, value in loss.items()}
        for horizon, loss in results.summary["system"].items()
    }
    return results._replace(
        tables=results.tables | {"losses": losses}, summary=results.summary | {"system": system}
    )


def sweep(results, *settings):
    """A comparison of runs, which lose in proportion to the product of their settings."""
    runs = []
    for setting in settings:
        config = {"credit": dict(zip(("waiver", "advance"), setting, strict=False))}
        own = scaled(results, float(np.prod(setting)))
        runs.append(Run(f"run {setting}", pathlib.Path(), own, config, {}))
    base, *others = runs
    return Comparison(base, tuple(compare(base, other, None, "not the same seed") for other in others))


def topics(results, key):
    """The sections of one task."""
    return [(topic.name, drawn(topic.section(results))) for topic in TOPICS if topic.needs == key]


@pytest.fixture(scope="module", params=LEAST)
def both(request, results, run):
    """Sections of a run in billions and, taken for a small book, in millions; what changes at least."""
    name = request.param
    if name.startswith("a sweep"):
        keys = [(1.0, 1.0), (1.2, 1.0), (1.0, 0.9), (1.2, 0.9)]
        large = sweep(results, *(keys if "two" in name else [(each,) for each in (1.0, 1.2, 0.9)]))
        small = readable_comparison(large, small=np.inf)
        told = [comparisons.sections(each) for each in (large, small)]
    else:
        large, key = (results, None) if name == MAIN else with_task(results, run, name)
        small = readable(large, small=np.inf)
        told = [sections(each) if name == MAIN else topics(each, key) for each in (large, small)]
    assert (large.unit, small.unit) == (BILLION, MILLION) and all(told)
    return told, LEAST[name]


def parts(contents):
    """Every part of every section, in order."""
    return [part for _, section in contents for part in unfolded(section.parts)]


def texts(contents):
    """Everything that the sections say in words: titles, sentences, notes and captions."""
    words = [section.title for _, section in contents]
    for part in parts(contents):
        match part:
            case Text():
                words.append(part.text)
            case Bullets():
                words += part.sentences
            case Table():
                words += [part.title, part.note]
            case Chart():
                words += [part.title, part.caption]
    return words


def amounts(text):
    """Numbers of a sentence before a unit: value, half of its last place, and the unit."""
    numbers = re.findall(r"(-?[\d,]+(?:\.\d+)?) (bn|m)\b", text)
    return [
        (float(each.replace(",", "")), 0.5 * 10.0 ** -len(each.partition(".")[2]), unit)
        for each, unit in numbers
    ]


def test_tables_change_with_their_unit_and_only_then(both):
    """Cells of amounts of a table in USD m are those in USD bn times a thousand; all other numbers stay."""
    told, (least, _, _) = both
    tables = [[part for part in parts(each) if isinstance(part, Table)] for each in told]
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
    assert changed >= least


def test_columns_of_a_workbook_have_their_unit(both):
    """Numbers of a sheet are a thousand times as large where its unit is USD m, and nowhere else."""
    tables = [[part for part in parts(each) if isinstance(part, Table)] for each in both[0]]
    for large, small in zip(*tables, strict=True):
        for one, other in zip(columns_of(large), columns_of(small), strict=True):
            factor = 1000.0 if (one.unit, other.unit) == (BILLION, MILLION) else 1.0
            for a, b in zip(one.values, other.values, strict=True):
                same = a if a is None or isinstance(a, str) else pytest.approx(factor * a, rel=1e-9)
                assert b == same, (large.name, one.name, one.unit, other.unit)


def test_sentences_name_the_unit_of_their_numbers(both):
    """A number before m is a thousand times the one before bn, to the rounding of its figures."""
    told, (_, least, _) = both
    changed = 0
    for pair in zip(*map(texts, told), strict=True):
        for (one, half, _), (other, place, unit) in zip(*map(amounts, pair), strict=True):
            factor = 1000.0 if unit == "m" else 1.0
            assert abs(other - factor * one) <= factor * half + place, pair
            changed += unit == "m"
    assert changed >= least


def said(chart):
    """Everything that a figure says of its numbers."""
    figure = chart.figure.to_plotly_json()
    axes = [
        axis.get("title", {}).get("text", "") for name, axis in figure["layout"].items() if "axis" in name
    ]
    return axes + re.findall(r"hovertemplate': ?'[^']*", str(figure["data"]))


def numbers(chart):
    """All numbers of a figure's traces, their errors among them."""
    values = []
    for trace in chart.figure.data:
        data = [trace.link.value] if trace.type == "sankey" else [trace.x, trace.y, trace.customdata]
        data += [trace.z] if trace.type == "heatmap" else []
        data += [trace.base] if trace.type == "bar" else []
        errors = [trace.error_x, trace.error_y] if trace.type in ("bar", "scatter") else []
        for each in (*data, *(error.array for error in errors)):
            for value in np.asarray(each, object).ravel() if each is not None else ():
                values += [float(value)] if isinstance(value, int | float | np.number) else []
    return np.asarray(values)


def test_charts_change_with_what_their_axes_say(both):
    """Numbers of a chart change where its axes or its hovers name another unit, and nowhere else."""
    told, (_, _, least) = both
    charts = [[chart for _, section in each for chart in section.charts] for each in told]
    changed = 0
    for large, small in zip(*charts, strict=True):
        one, other = numbers(large), numbers(small)
        moved = one.shape != other.shape or not np.allclose(one, other, rtol=1e-9, equal_nan=True)
        assert moved == (said(large) != said(small)), large.name
        if one.shape == other.shape and large.name != BEGINS:
            same, larger = (np.isclose(other, factor * one, equal_nan=True) for factor in (1.0, 1000.0))
            assert (same | larger).all(), large.name
        changed += moved
    assert changed >= least


def test_a_comparison_opens_in_its_unit(results):
    """Millions where every run's book is small, whose tables are written as they were."""
    large = sweep(results, (1.0,), (1.2,))
    small = readable_comparison(large, small=np.inf)
    [[(one, half, _)], [(other, place, unit)]] = [amounts(headline(each)) for each in (large, small)]
    assert unit == "m" and abs(other - 1000.0 * one) <= 1000.0 * half + place
    assert readable_comparison(small, small=np.inf) is small and readable_comparison(large) is large
    assert large.tables["losses"]["el"].max() < 1e3 < small.tables["losses"]["el"].max()
    mixed = [sweep(results, (1.0,), (1e-3,)), sweep(results, (1e-3,), (1.0,))]
    assert all(readable_comparison(each) is each for each in mixed)
    both_small, screen = sweep(results, (1e-3,), (2e-3,)), io.StringIO()
    comparisons.print_comparison(both_small, screen)
    for text in (screen.getvalue(), comparisons.page(both_small)):
        assert "losses in USD m" in text
        assert re.search(r"ES 99% at three years is [\d.]+ ± [\d.]+\s+m\s+higher", text)


def test_the_story_of_a_scenario_is_told_in_the_unit(results, run):
    """Losses of a quarter's line are a thousand times as large, and everything else in it is the same."""
    large, _ = with_task(results, run, "reverse_stress")
    small = readable(large, small=np.inf)
    for one, other in zip(story(large, 1), story(small, 1), strict=True):
        pattern = re.compile(r"lost ([\d.,]+) \(\+([\d.,]+)\)")
        assert pattern.sub("", one) == pattern.sub("", other)
        before, after = (
            [float(each.replace(",", "")) for each in pattern.search(line).groups()] for line in (one, other)
        )
        assert after == pytest.approx([1000.0 * each for each in before], rel=0.05)
    assert any("Scenario 1 by quarter, losses in USD m" in str(block) for block in blocks(small))


def test_what_no_section_shows_is_converted_too(results, run):
    """Amounts with their unit by name, and variances by its square."""
    large, _ = with_task(results, run, "network")
    one, other = (each.tables["network_split"] for each in (large, readable(large, small=np.inf)))
    factors = {"value": 1e3, "within_sd": 1e3, "network_variance": 1e6, "network_share": 1.0}
    for column, factor in factors.items():
        np.testing.assert_allclose(other[column], factor * one[column], rtol=1e-12)
    amounts_of = {"policy": "busiest_month", "attribution": "today_es_99_added_se", "greeks": "line_se"}
    assert {unit_of(*each) for each in amounts_of.items()} == {MONEY}
    assert unit_of("policy", "legacy_change_se") == unit_of("search", f"fresh {NET}_se") == MONEY
    assert unit_of("attribution", "today_es_99_ratio") == RATIO and unit_of("search", RATE) != MONEY
    assert unit_of("losses", "unheard_of_change") is None


def test_a_large_book_stays_in_billions(results):
    assert readable(results) is results
    small = readable(results, small=np.inf)
    assert readable(small, small=np.inf) is small
    assert set(LEAST) >= set(TASKS)

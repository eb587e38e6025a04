"""A chart in words and as a table, made of the figure itself: what is drawn is what is said."""

import itertools
import math
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from engine.report import words
from engine.report.reading import (
    Flow,
    Series,
    flows_of,
    is_matrix,
    items,
    matrix_percent,
    number,
    percent,
    points_of,
    series_of,
)
from engine.report.table import Cell, Row, Table, row

MOST_ROWS = 24
"""Rows of a chart's table; a longer line is thinned, with its first and last point."""

SMALL = 0.01
"""Share of all flows below which a node is no end worth a name: its own flow onwards is not drawn."""
MOST_SERIES = 6
"""Series that are put into words."""


def in_words(figure: go.Figure) -> str:
    """What the figure shows: its axes, and of each series the ends, or the highest and the lowest."""
    flows, points, series = flows_of(figure), points_of(figure), series_of(figure)
    if flows:
        return matrix_words(figure, flows) if is_matrix(figure) else flows_words(flows)
    across, down = (figure.layout[axis].title.text for axis in ("xaxis", "yaxis"))
    axes = " by ".join(filter(None, (down, words.lower_first(across or "")))) + "." if across or down else ""
    parts = [words.upper_first(axes)]
    if points:
        x, y = (max(points, key=lambda point: getattr(point, axis)) for axis in ("x", "y"))
        parts.append(f"{len(points)} points: furthest right {x.name}, highest {y.name}.")
    lines_first = sorted(series, key=lambda each: each.name.endswith((", low", ", high")))
    parts += [words.upper_first(series_words(each)) for each in lines_first[:MOST_SERIES]]
    if len(series) > MOST_SERIES:
        parts.append(f"{len(series) - MOST_SERIES} further series are in the table.")
    return " ".join(filter(None, parts))


def series_words(series: Series) -> str:
    """One series in a sentence."""
    if not series.known:
        return f"{series.name}: no value." if series.name else ""
    by_value = sorted(series.known, key=lambda place: series.values[place])
    low, high, first, last = by_value[0], by_value[-1], series.known[0], series.known[-1]
    head = f"{series.name}: " if series.name else ""

    def at(place: int) -> str:
        label = series.labels[place]
        return f"{series.shown(place)} at {mark(label)}"

    if len(series.known) == 1:
        return f"{head}{at(high)}."
    if series.ordered:
        return f"{head}from {at(first)} to {at(last)}, highest {at(high)}."
    return f"{head}highest {at(high)}, lowest {at(low)}."


def mark(label: Any) -> str:
    """A label of an axis: a month or a count as it stands."""
    if isinstance(label, str):
        return label
    return f"{label:,.0f}" if float(label).is_integer() else number(float(label), False)


def flows_words(flows: Sequence[Flow]) -> str:
    """Flows: what begins where nothing flows in, where it ends, and the largest of them."""
    targets, sources = {flow.target for flow in flows}, {flow.source for flow in flows}
    total = sum(flow.value for flow in flows if flow.source not in targets)
    ends = [flow for flow in flows if flow.target not in sources]
    ending: dict[str, float] = {}
    for flow in ends:
        ending[flow.target] = ending.get(flow.target, 0.0) + flow.value
    ranked = [
        item for item in sorted(ending.items(), key=lambda item: -item[1])[:3] if item[1] > SMALL * total
    ]
    most = max(flows, key=lambda flow: flow.value)
    return (
        f"{len(flows)} flows, {number(total, False)} in all. Largest: {most.source} to {most.target}, "
        f"{number(most.value, False)}. Most ends with "
        + ", ".join(f"{name} {number(value, False)}" for name, value in ranked) + "."
    )  # fmt: skip


def matrix_words(figure: go.Figure, cells: Sequence[Flow]) -> str:
    """A heat map: its size, and its highest cells."""
    share = matrix_percent(figure)
    known = sorted((cell for cell in cells if math.isfinite(cell.value)), key=lambda cell: -cell.value)
    rows, columns = len({cell.source for cell in cells}), len({cell.target for cell in cells})
    most = "; ".join(f"{cell.source}, {cell.target}: {number(cell.value, share)}" for cell in known[:3])
    return f"{rows} rows by {columns} columns. Highest: {most}."


def table_of(name: str, title: str, figure: go.Figure) -> Table:
    """The numbers of a figure."""
    flows, points, series = flows_of(figure), points_of(figure), series_of(figure)
    rows_left_out = ""
    if is_matrix(figure):
        head, rows = matrix_rows(figure, flows)
    elif flows:
        head = ("From", "To", "USD bn")
        rows = [row(each.source, each.target, value_cell(each.value, False)) for each in flows]
    elif points and not series:
        axes = [figure.layout[axis] for axis in ("xaxis", "yaxis")]
        head = ("", *(axis.title.text or "" for axis in axes))
        shares = [percent(axis) for axis in axes]
        rows = [
            row(each.name, value_cell(each.x, shares[0]), value_cell(each.y, shares[1])) for each in points
        ]
    else:
        head, rows, rows_left_out = series_rows(figure, series)
    two = bool(flows) and not is_matrix(figure)
    return Table(f"numbers-{name}", title, head, tuple(rows), rows_left_out, words=2 if two else 1)


def matrix_rows(figure: go.Figure, cells: Sequence[Flow]) -> tuple[tuple[str, ...], list[Row]]:
    """A heat map as it stands, its first row on top."""
    columns = list(dict.fromkeys(cell.target for cell in cells))
    share = matrix_percent(figure)
    lines = [
        row(name, *(value_cell(cell.value, share) for cell in line))
        for name, line in itertools.groupby(cells, key=lambda cell: cell.source)
    ]
    return ("", *columns), lines[::-1]


def series_rows(figure: go.Figure, series: Sequence[Series]) -> tuple[tuple[str, ...], list[Row], str]:
    """A row a label and a column a series where they share their labels, else a row a value.

    The last is a note on rows left out, blank where all are there.
    """
    layout = figure.layout
    ordered = all(each.ordered for each in series)
    labels = list(dict.fromkeys(label for each in series for label in each.labels))
    if ordered and series and len(labels) > max(len(each.labels) for each in series) + MOST_ROWS:
        rows = [
            row(each.name, mark(each.labels[place]), cell(each, place))
            for each in series
            for place in thinned(each.known, MOST_ROWS // 2)
        ]
        longest = max(len(each.known) for each in series)
        titles = layout.xaxis.title.text or "", layout.yaxis.title.text or ""
        return ("", *titles), rows, thinning(longest, MOST_ROWS // 2, " of the longest line")
    labels = sorted(labels) if ordered else labels
    by_label = [dict(zip(each.labels, range(len(each.labels)), strict=True)) for each in series]
    titles = layout.xaxis.title.text or "", layout.yaxis.title.text or ""
    what, unit = titles[::-1] if horizontal(figure) else titles
    head = (what, *(each.name or unit for each in series))
    rows = [
        row(
            mark(label),
            *(
                cell(each, places[label]) if label in places else Cell("–")
                for each, places in zip(series, by_label, strict=True)
            ),
        )
        for label in (thinned(labels, MOST_ROWS) if ordered else labels)
    ]
    return head, rows, thinning(len(labels), MOST_ROWS) if ordered else ""


def horizontal(figure: go.Figure) -> bool:
    """Whether labels stand on the vertical axis."""
    return any(
        trace.orientation == "h" or any(isinstance(label, str) for label in items(trace.y))
        for trace in figure.data
    )


def cell(series: Series, place: int) -> Cell:
    """A value with its interval, where it has one."""
    value, reach = series.values[place], series.reach[place] if series.reach else math.nan
    if not math.isfinite(reach) or reach == 0.0:
        return value_cell(value, series.percent)
    low, high = value - reach, value + reach
    detail = f"[{number(low, series.percent)} to {number(high, series.percent)}]"
    return Cell(number(value, series.percent), "number", value, detail, (low, high))


def value_cell(value: float, share: bool) -> Cell:
    """A number of a chart."""
    return Cell(number(value, share), "share" if share else "number", value)


def thinned(values: Sequence[Any], most: int) -> list[Any]:
    """At most `most` of the values: every n-th from the first, and the last."""
    step = stride(len(values), most)
    return [*values[: len(values) - 1 : step], *values[-1:]]


def stride(count: int, most: int) -> int:
    """n, where every n-th of so many values is shown."""
    return max(1, math.ceil((count - 1) / (most - 1)))


def thinning(count: int, most: int, what: str = "") -> str:
    """A caption's note on rows left out; blank where none are.

    >>> thinning(61, 24), thinning(20, 24)
    ('Every 3rd of 61 rows, and the last.', '')
    """
    step = stride(count, most)
    return "" if step == 1 else f"Every {ordinal(step)} of {count:,} rows{what}, and the last."


def ordinal(number: int) -> str:
    """2nd, 3rd, 11th, 21st."""
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th") if number % 100 // 10 != 1 else "th"
    return f"{number:,}{ending}"

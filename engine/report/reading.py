"""What a figure holds, read back from its traces: series by label, named points, a matrix, or flows."""

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go

from engine.report import words

MARK = "mark"
"""Legend group of points that mark a value on one axis: what they stand at on the other is no number."""


class Series(NamedTuple):
    """Values by label with half the width of their intervals; the labels of a line are numbers."""

    name: str
    labels: list[Any]
    values: list[float]
    reach: list[float]
    percent: bool

    @property
    def ordered(self) -> bool:
        """Whether labels are numbers, so that first and last mean something."""
        return all(isinstance(label, int | float) for label in self.labels)

    def shown(self, place: int) -> str:
        """A value as text."""
        return number(self.values[place], self.percent)

    @property
    def known(self) -> list[int]:
        """Places with a number."""
        return [place for place, value in enumerate(self.values) if math.isfinite(value)]


class Point(NamedTuple):
    """A named point of a scatter."""

    name: str
    x: float
    y: float


class Flow(NamedTuple):
    """A flow of a Sankey diagram, or a cell of a matrix."""

    source: str
    target: str
    value: float


def number(value: float, percent: bool) -> str:
    """A number to three figures, as a share where its axis is in percent."""
    if not math.isfinite(value):
        return "–"
    if percent:
        return words.share(value)
    return words.amount(value) if abs(value) >= 0.1 or value == 0.0 else f"{value:.2g}"


def items(values: Any) -> list[Any]:
    """The entries of a trace's array; those of a nested axis joined."""
    if values is None:
        return []
    entries = [*values]
    if len(entries) == 2 and all(isinstance(each, list | tuple | np.ndarray) for each in entries):
        return [" ".join(map(str, filter(None, pair))) for pair in zip(*entries, strict=True)]
    return [entry.item() if isinstance(entry, np.generic) else entry for entry in entries]


def numbers(values: Iterable[Any]) -> list[float]:
    """Entries as floats, NaN where there is none."""
    return [math.nan if value is None else float(value) for value in values]


def percent(axis: Any) -> bool:
    """Whether an axis is in percent."""
    return "%" in (axis.tickformat or "")


def series_of(figure: go.Figure) -> list[Series]:
    """Bars and lines of a figure; a band is two series, its lower and its upper end."""
    layout = figure.layout
    series: list[Series] = []
    for trace in figure.data:
        if trace.type not in ("bar", "scatter") or is_points(trace) or is_mark(trace) or not named(trace):
            continue
        x, y = items(trace.x), items(trace.y)
        across = trace.orientation == "h" or any(isinstance(label, str) for label in y)
        labels, values = (y, x) if across else (x, y)
        name = str(trace.name or "")
        in_percent = percent(layout.xaxis if across else layout[axis_name(trace)])
        bars = trace.error_x if across else trace.error_y
        reach = numbers(items(bars.array)) or [math.nan] * len(labels)
        if trace.type == "scatter" and trace.fill == "toself":
            half = len(labels) // 2
            ends = (("low", values[half:][::-1]), ("high", values[:half]))
            series += [
                Series(f"{name}, {end}", labels[:half], numbers(part), [math.nan] * half, in_percent)
                for end, part in ends
            ]
        elif trace.type == "bar" and trace.base is not None:
            base = numbers(items(trace.base))
            tops = [low + width for low, width in zip(base, numbers(values), strict=True)]
            series += [
                Series(f"{name}, {end}", labels, part, [math.nan] * len(labels), in_percent)
                for end, part in (("low", base), ("high", tops))
            ]
        else:
            series.append(Series(name, labels, numbers(values), reach, in_percent))
    return series


def axis_name(trace: Any) -> str:
    """The layout's name of a trace's vertical axis."""
    return "yaxis" + (trace.yaxis or "y")[1:]


def named(trace: Any) -> bool:
    """Whether a trace says something: a connecting line has no name, the entry of a legend no data."""
    return bool(items(trace.x)) and not (trace.hoverinfo == "skip" and not trace.name)


def is_mark(trace: Any) -> bool:
    """Whether a trace marks a value."""
    return trace.legendgroup == MARK


def is_points(trace: Any) -> bool:
    """Whether a trace is a cloud of named points: both coordinates numbers, and a name in its custom data."""
    if trace.type != "scatter" or "lines" in (trace.mode or "") or trace.customdata is None:
        return False
    x, y, custom = items(trace.x), items(trace.y), [*trace.customdata]
    texts = custom and isinstance(custom[0], list | tuple | np.ndarray) and isinstance(custom[0][0], str)
    return bool(texts) and not any(isinstance(each, str) for each in (*x, *y))


def points_of(figure: go.Figure) -> list[Point]:
    """Named points."""
    return [
        Point(str(custom[0]), x, y)
        for trace in figure.data
        if is_points(trace)
        for custom, x, y in zip(
            trace.customdata, numbers(items(trace.x)), numbers(items(trace.y)), strict=True
        )
    ]


def flows_of(figure: go.Figure) -> list[Flow]:
    """Flows of Sankey diagrams, and cells of heat maps from column to row."""
    flows: list[Flow] = []
    for trace in figure.data:
        if trace.type == "sankey":
            labels = items(trace.node.customdata)
            flows += [
                Flow(str(labels[source]), str(labels[target]), float(value))
                for source, target, value in zip(
                    items(trace.link.source), items(trace.link.target), items(trace.link.value), strict=True
                )
            ]
        if trace.type == "heatmap":
            flows += [
                Flow(str(down), str(across), value)
                for down, line in zip(items(trace.y), trace.z, strict=True)
                for across, value in zip(items(trace.x), numbers(line), strict=True)
            ]
    return flows


def is_matrix(figure: go.Figure) -> bool:
    """Whether the figure is a heat map."""
    return any(trace.type == "heatmap" for trace in figure.data)


def matrix_percent(figure: go.Figure) -> bool:
    """Whether the cells of a heat map are shares."""
    return any("%" in (trace.colorbar.tickformat or "") for trace in figure.data if trace.type == "heatmap")


def worth_drawing(figure: go.Figure) -> bool:
    """Whether a figure compares anything: two labels, points, or rows and columns, not all of it nothing."""
    flows, points, series = flows_of(figure), points_of(figure), series_of(figure)
    if is_matrix(figure):
        known = [flow for flow in flows if math.isfinite(flow.value) and flow.value != 0.0]
        rows, columns = {flow.source for flow in flows}, {flow.target for flow in flows}
        return len(rows) > 1 and len(columns) > 1 and len(known) > 1
    if flows:
        ends = {flow.source for flow in flows}, {flow.target for flow in flows}
        return any(len(each) < len(flows) for each in ends)  # some node splits or joins
    if points and not series:
        return len(points) > 1
    if any(trace.meta is not None for trace in figure.data):
        return sum(trace.meta is not None for trace in figure.data) > 1  # links of a network
    labels = {str(label) for each in series for label in each.labels}
    return len(labels) > 1 and any(each.values[place] != 0.0 for each in series for place in each.known)

"""Charts in words and numbers: what a figure holds, what is said of it, and whether it is worth drawing."""

import math

import plotly.graph_objects as go
import pytest

from engine.report.alternative import in_words, table_of, thinned
from engine.report.charts import figure
from engine.report.reading import MARK, flows_of, points_of, series_of, worth_drawing
from engine.report.section import Chart, Choice, Pair, Section, drawn, note


def bars(**names):
    """Horizontal bars by name, in percent."""
    chart = figure()
    for name, values in names.items():
        chart.add_bar(x=values, y=["Bank", "Fund", "Life"], orientation="h", name=name)
    chart.update_xaxes(title_text="Share of loss", tickformat=".0%")
    return chart


def fan():
    """A median in a band over 60 months."""
    months, chart = [*range(1, 61)], figure()
    chart.add_scatter(
        x=months + months[::-1], y=[2.0 * m for m in months] + [0.0] * 60, fill="toself", mode="lines",
        name="5–95%", hoverinfo="skip",
    )  # fmt: skip
    chart.add_scatter(x=months, y=[float(m) for m in months], mode="lines", name="median")
    chart.update_xaxes(title_text="Months")
    chart.update_yaxes(title_text="Loss, USD bn")
    return chart


def sankey(*links):
    """Flows between nodes a, b, c, d."""
    source, target, value = zip(*links, strict=True)
    names = ["a", "b", "c", "d"]
    trace = go.Sankey(
        node={"label": names, "customdata": names}, link={"source": source, "target": target, "value": value}
    )
    return go.Figure(trace)


def heat(rows, columns, values):
    """A heat map."""
    return go.Figure(go.Heatmap(x=columns, y=rows, z=values))


def test_bars_are_series_by_label_with_their_intervals():
    chart = bars(tail=[0.5, 0.3, 0.2])
    chart.data[0].error_x = {"array": [0.1, 0.05, 0.0]}
    (series,) = series_of(chart)
    assert (series.name, series.labels, series.percent) == ("tail", ["Bank", "Fund", "Life"], True)
    assert in_words(chart) == "Share of loss. Tail: highest 50% at Bank, lowest 20% at Life."
    table = table_of("x", "X", chart)
    assert table.head == ("", "tail")
    assert [str(cell) for cell in table.rows[0]] == ["Bank", "50% [40% to 60%]"]
    assert table.rows[0][1].bounds == pytest.approx((0.4, 0.6)) and table.rows[2][1].bounds == ()


def test_a_band_has_two_ends_and_a_long_line_is_thinned():
    names = [series.name for series in series_of(fan())]
    assert names == ["5–95%, low", "5–95%, high", "median"]
    words = in_words(fan())
    assert words.startswith(
        "Loss, USD bn by months. Median: from 1.0 at 1 to 60.0 at 60, highest 60.0 at 60."
    )
    table = table_of("x", "X", fan())
    assert table.head == ("Months", *names) and [str(cells[0]) for cells in table.rows[:3]] == ["1", "4", "7"]
    assert len(table.rows) == 21 and table.note == "Every 3rd of 60 rows, and the last."
    assert [str(cell) for cell in table.rows[-1]] == ["60", "0", "120", "60.0"]
    assert thinned([*range(100)], 5) == [0, 25, 50, 75, 99] and thinned([*range(5)], 5) == [0, 1, 2, 3, 4]


def test_a_mark_of_a_value_is_no_series():
    """ES marked under an axis of probabilities is not a probability."""
    chart = figure()
    chart.add_scatter(x=[1.0, 2.0], y=[0.5, 0.1], mode="lines", name="1 year")
    chart.add_scatter(x=[3.0], y=[0.01], mode="markers", name="ES 99%", legendgroup=MARK)
    assert [series.name for series in series_of(chart)] == ["1 year"]
    assert table_of("x", "X", chart).note == ""


def test_named_points_and_flows_and_cells():
    points = figure()
    points.add_scatter(x=[1.0, 3.0], y=[4.0, 2.0], mode="markers", customdata=[["Bank"], ["Fund"]])
    assert [point.name for point in points_of(points)] == ["Bank", "Fund"] and not series_of(points)
    assert "furthest right Fund, highest Bank" in in_words(points)
    flows = sankey((0, 1, 3.0), (0, 2, 1.0), (1, 3, 3.0), (2, 3, 1.0))
    assert in_words(flows) == "4 flows, 4.0 in all. Largest: a to b, 3.0. Most ends with d 4.0."
    assert [str(cell) for cell in table_of("x", "X", flows).rows[0]] == ["a", "b", "3.0"]
    cells = heat(["r", "s"], ["u", "v"], [[1.0, 2.0], [5.0, math.nan]])
    assert in_words(cells) == "2 rows by 2 columns. Highest: s, u: 5.0; r, v: 2.0; r, u: 1.0."
    table = table_of("x", "X", cells)
    assert table.head == ("", "u", "v") and [str(cell) for cell in table.rows[0]] == ["s", "5.0", "–"]


@pytest.mark.parametrize(
    ("chart", "worth"),
    [(bars(tail=[0.5, 0.3, 0.2]), True), (bars(tail=[0.0, 0.0, 0.0]), False), (fan(), True),
     (figure().add_bar(x=["one"], y=[1.0]), False), (figure(), False),
     (heat(["r"], ["u", "v"], [[1.0, 2.0]]), False), (heat(["r", "s"], ["u"], [[1.0], [2.0]]), False),
     (heat(["r", "s"], ["u", "v"], [[1.0, 0.0], [0.0, 2.0]]), True),
     (heat(["r", "s"], ["u", "v"], [[0.0, 0.0], [0.0, 2.0]]), False),
     (sankey((0, 1, 1.0), (1, 2, 1.0)), False), (sankey((0, 1, 1.0), (0, 2, 1.0)), True),
     (figure().add_scatter(x=[1.0], y=[2.0], mode="markers", customdata=[["Bank"]]), False),
     (fan().add_scatter(x=[1.0], y=[2.0], mode="markers", customdata=[["Bank"]]), True)],
)  # fmt: skip
def test_a_chart_that_compares_nothing_is_not_drawn(chart, worth):
    assert worth_drawing(chart) is worth


def test_a_section_keeps_what_is_worth_drawing():
    good, bad = Chart("a", bars(tail=[0.5, 0.3, 0.2]), "A"), Chart("b", figure(), "B")
    section = Section("s", "S", (Pair((good, bad)), bad, Choice("c", "C", (bad, bad), ("x", "y")), note("n")))
    assert drawn(section).parts == (good, note("n"))


def test_a_cell_of_a_sankey_is_read_by_name():
    assert [flow.source for flow in flows_of(sankey((0, 1, 1.0)))] == ["a"]

"""A flow of losses as a Sankey diagram: whole where there is room, stage below stage on a phone."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pandas as pd
import plotly.graph_objects as go

from engine.report import style, words
from engine.report.charts import figure
from engine.report.reading import number

PAD, THICKNESS, MARGIN = 12, 14, 16
"""Pixels: between two nodes of a column, of a node, and around the diagram."""

TOP, LETTER = 34, 6.2
"""Pixels above the whole diagram for titles, and of a letter of the names beside it."""

LINE = 16
"""Pixels between two names."""

HEIGHT, STAGE_ROW, STAGE_HEAD = 560, 30, 34
"""Pixels: of the whole diagram, and on a phone of a row and of the head of a stage."""

EDGE = 1e-3
"""Plotly takes a position of 0 or 1 for none."""


class Stage(NamedTuple):
    """A column: how its nodes' names begin, its title, its colour, and its place from left to right."""

    prefix: str
    title: str
    colour: str
    place: float
    level: float = 0.5  # of its middle: 0 on top, 1 at the bottom


def stage_of(node: str, stages: Sequence[Stage]) -> int:
    """Position of a node's stage."""
    return next(place for place, stage in enumerate(stages) if node.startswith(stage.prefix))


def sizes(flows: pd.DataFrame) -> dict[str, float]:
    """What flows through each node: the larger of in and out, USD bn."""
    sides = [flows.groupby(side)["loss"].sum() for side in ("source", "target")]
    return {str(node): float(size) for node, size in pd.concat(sides).groupby(level=0).max().items()}


def labelled(size: Mapping[str, float], names: Mapping[str, str]) -> dict[str, str]:
    """Name of each node with what flows through it."""
    return {node: f"{names[node]} {number(loss, False)}" for node, loss in size.items()}


def whole(
    flows: pd.DataFrame, names: Mapping[str, str], stages: Sequence[Stage], unit: str
) -> go.Figure:  # fmt: skip
    """All stages from left to right; in a column the largest node is on top."""
    size = sizes(flows)
    labels = labelled(size, names)
    # The last drawn lies on top: names of a column may reach over the nodes of the next.
    nodes = sorted(labels, key=lambda node: (-stage_of(node, stages), -size[node]))
    place = {node: stages[stage_of(node, stages)].place for node in nodes}
    inner = {node: text for node, text in labels.items() if 0.0 < place[node] < 1.0}
    left, right = (
        LETTER * max((len(labels[node]) for node in nodes if place[node] == side), default=0) + MARGIN
        for side in (0.0, 1.0)
    )
    chart = figure(HEIGHT, margin={"l": left, "r": right, "t": TOP, "b": MARGIN})
    chart.add_trace(trace(flows, nodes, inner, names, stages, unit))
    columns = [[node for node in nodes if stage_of(node, stages) == at] for at in range(len(stages))]
    room, total = HEIGHT - TOP - MARGIN, max(sum(size[node] for node in column) for column in columns)
    scale = min((room - PAD * (len(column) - 1)) / max(total, 1e-12) for column in columns if column)
    height = {
        node: y
        for stage, column in zip(stages, columns, strict=True)
        for node, y in zip(
            column, centres([size[node] * scale for node in column], room, stage.level), strict=True
        )
    }
    chart.data[0].node.update(
        x=[min(max(place[node], EDGE), 1.0 - EDGE) for node in nodes], y=[height[node] for node in nodes]
    )
    for node, y in height.items():
        if node not in inner:
            beside(chart, labels[node], place[node], 1.0 - y)
    for stage, column in zip(stages, columns, strict=True):
        if column and stage.level == 0.5:
            outer = stage.place in (0.0, 1.0)
            anchor = ("right" if stage.place == 0.0 else "left") if outer else "center"
            heading(chart, stage.title, stage.place, 1.0, anchor)
    return chart


def beside(chart: go.Figure, text: str, x: float, y: float) -> None:
    """The name of a node of an outer column, outside the diagram."""
    chart.add_annotation(
        text=text, x=x, y=y, xref="paper", yref="paper", showarrow=False, yanchor="middle",
        xanchor="right" if x == 0.0 else "left", xshift=-6 if x == 0.0 else 6,
        font={"size": 12, "color": style.INK},
    )  # fmt: skip


def centres(heights: Sequence[float], room: float, level: float) -> list[float]:
    """Centres of nodes below each other, evenly apart, as shares of the room."""
    free = max(room - sum(heights), 0.0) / max(len(heights), 1)
    gap = min(free, 2.5 * PAD)
    top, places = (room - sum(heights) - gap * (len(heights) - 1)) * level, []
    for height in heights:
        places.append(min(max((top + height / 2.0) / room, EDGE), 1.0 - EDGE))
        top += height + gap
    return places


def stacked(
    flows: pd.DataFrame, names: Mapping[str, str], stages: Sequence[Stage], unit: str
) -> go.Figure:  # fmt: skip
    """One diagram of two columns for each pair of stages that flows join, one below the other."""
    pairs = sorted({
        (stage_of(source, stages), stage_of(target, stages))
        for source, target in zip(flows["source"], flows["target"], strict=True)
    })  # fmt: skip
    parts = []
    for pair in pairs:
        own = flows[[
            (stage_of(source, stages), stage_of(target, stages)) == pair
            for source, target in zip(flows["source"], flows["target"], strict=True)
        ]]  # fmt: skip
        rows = max(own["source"].nunique(), own["target"].nunique())
        parts.append((pair, own, STAGE_ROW * max(rows, 2)))
    height = sum(STAGE_HEAD + size for *_, size in parts)
    chart = figure(height + 2 * MARGIN, margin={"l": 4, "r": 4, "t": MARGIN, "b": MARGIN})
    top = 1.0
    for (first, second), own, size in parts:
        title = f"{stages[first].title} → {words.lower_first(stages[second].title)}"
        heading(chart, title, 0.0, top - STAGE_HEAD / height, "left")
        top -= STAGE_HEAD / height
        labels = labelled(sizes(own), names)
        nodes = sorted(labels, key=lambda node: stage_of(node, stages))
        part = trace(own, nodes, labels, names, stages, unit)
        part.update(domain={"y": [max(top - size / height, 0.0), top]}, arrangement="snap")
        part.node.pad = LINE
        part.textfont.size = 10.5
        chart.add_trace(part)
        top -= size / height
    return chart


def heading(chart: go.Figure, text: str, x: float, y: float, anchor: str) -> None:
    """The title of a column or of a stage."""
    chart.add_annotation(
        text=text, x=x, y=y, xref="paper", yref="paper", xanchor=anchor, yanchor="bottom", yshift=6,
        font={"color": style.MUTED, "size": 12.5}, showarrow=False,
    )  # fmt: skip


def trace(
    flows: pd.DataFrame, nodes: list[str], labels: Mapping[str, str], names: Mapping[str, str],
    stages: Sequence[Stage], unit: str,
) -> go.Sankey:  # fmt: skip
    """Nodes and links, values in `unit`; a link has its source's colour."""
    colours = [stages[stage_of(node, stages)].colour for node in nodes]
    place = {node: number for number, node in enumerate(nodes)}
    return go.Sankey(
        arrangement="fixed",
        node={
            "label": [labels.get(node, "") for node in nodes], "customdata": [names[node] for node in nodes],
            "color": colours, "pad": PAD, "thickness": THICKNESS,
            "line": {"width": 0}, "hovertemplate": f"%{{customdata}} %{{value:,.2f}} {unit}<extra></extra>",
        },
        link={
            "source": [place[node] for node in flows["source"]],
            "target": [place[node] for node in flows["target"]],
            "value": flows["loss"].tolist(),
            "color": [style.rgba(colours[place[node]], 0.45) for node in flows["source"]],
            "hovertemplate": "%{source.customdata} to %{target.customdata}: %{value:,.2f} "
            f"{unit}<extra></extra>",
        },
        textfont={"color": style.INK, "size": 11.5},
    )  # fmt: skip

"""Sections to one HTML file: every text is escaped once, charts are JSON, Plotly is packed inside.

Jinja escapes the text of the page. Plotly reads the strings of a chart as markup of its own, with links, so
`chart_json` escapes those.
"""

import base64
import functools
import gzip
import html
import json
import pathlib
import re
from collections.abc import Iterable
from typing import Any

import jinja2
import plotly.graph_objects as go

TEMPLATES = pathlib.Path(__file__).parent / "templates"


def render(template: str, **content: Any) -> str:
    """A template of engine/report/templates with its content; an unknown name raises."""
    return environment().get_template(template).render(content)


@functools.cache
def environment() -> jinja2.Environment:
    """Templates with autoescape; an undefined variable raises."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    made.policies["json.dumps_kwargs"] = {"separators": (",", ":")}
    return made


def drawings(charts: Iterable[Any]) -> dict[str, Any]:
    """Charts as JSON by name, each with what stands for it where there is little width."""
    return {
        chart.name: chart_json(chart.figure) | ({"narrow": chart_json(chart.narrow)} if chart.narrow else {})
        for chart in charts
    }


TEMPLATED = ("hovertemplate", "texttemplate")
"""Strings of a chart in which a few tags are ours."""

OWN_TAGS = re.compile(r"&lt;(/?b|br|/?extra)&gt;")


def chart_json(figure: go.Figure) -> dict[str, Any]:
    """A figure as plain JSON, its strings escaped; without Plotly's own template, as the layout is ours."""
    document = json.loads(figure.to_json())
    document["layout"].pop("template", None)
    return escaped(document)


def escaped(value: Any, name: str = "") -> Any:
    """A chart's value with every string in it escaped, but for the tags of our templates.

    >>> escaped({"y": ["<a href='x'>R&D</a>"], "hovertemplate": "<b>%{y}</b><i>"})
    {'y': ["&lt;a href='x'&gt;R&amp;D&lt;/a&gt;"], 'hovertemplate': '<b>%{y}</b>&lt;i&gt;'}
    """
    if isinstance(value, dict):
        return {key: escaped(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [escaped(item, name) for item in value]
    if not isinstance(value, str):
        return value
    text = html.escape(value, quote=False)
    return OWN_TAGS.sub(r"<\1>", text) if name in TEMPLATED else text


@functools.cache
def packed_plotly() -> str:
    """plotly.js, gzip and base64."""
    from plotly.offline import get_plotlyjs

    return base64.b64encode(gzip.compress(get_plotlyjs().encode(), 6, mtime=0)).decode()

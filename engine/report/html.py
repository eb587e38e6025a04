"""Sections to one HTML file: templates escape every text once, charts are JSON, Plotly is packed inside."""

import base64
import functools
import gzip
import json
import pathlib
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


def chart_json(figure: go.Figure) -> dict[str, Any]:
    """A figure as plain JSON, without Plotly's own template: the house style is in its layout."""
    document = json.loads(figure.to_json())
    document["layout"].pop("template", None)
    return document


@functools.cache
def packed_plotly() -> str:
    """plotly.js, gzip and base64."""
    from plotly.offline import get_plotlyjs

    return base64.b64encode(gzip.compress(get_plotlyjs().encode(), 6, mtime=0)).decode()

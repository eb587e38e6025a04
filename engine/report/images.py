"""What a browser makes of the report: the page as PDF, its figures as SVG or PNG files."""

import base64
import pathlib
import re
import tempfile
import urllib.parse
from collections.abc import Iterable, Mapping
from typing import Any

from engine.files import write_bytes
from engine.report.chromium import NoBrowser, opened
from engine.report.html import chart_json, escaped, packed_plotly, render
from engine.report.section import Chart

WIDTH, TITLE_ROOM = 960, 40
"""Pixels: width of a figure's file, and height above its plot for title and legend."""

NAME = re.compile(r"[^\w-]+")
IMAGE = re.compile(r'<pre id="image-(\d+)-(\w+)">([^<]*)</pre>')


def write_pdf(path: pathlib.Path, page: str, program: str) -> None:
    """Writes the page as PDF, whole, in the layout of its print style sheet.

    Raises NoBrowser where the browser fails.
    """
    with tempfile.TemporaryDirectory(prefix="undertow-") as folder:
        file = pathlib.Path(folder) / "report.pdf"
        opened(program, folder, page, f"--print-to-pdf={file}", "--no-pdf-header-footer")
        if not file.exists() or not (content := file.read_bytes()).startswith(b"%PDF"):
            raise NoBrowser(f"{program} printed no PDF")
    write_bytes(path, content)


def write_figures(folder: pathlib.Path, charts: Iterable[Chart], forms: Iterable[str], program: str) -> None:
    """Writes each chart as NAME.svg or NAME.png, the `forms`, into a folder.

    Raises NoBrowser where the browser fails or leaves a chart out.
    """
    charts, forms = list(charts), list(forms)
    images = images_of(charts, forms, program)
    for place, chart in enumerate(charts):
        for form in forms:
            if (place, form) not in images:
                raise NoBrowser(f"{program} drew no {chart.name}.{form}")
            write_bytes(folder / f"{NAME.sub('-', chart.name)}.{form}", images[place, form])


def images_of(charts: list[Chart], forms: list[str], program: str) -> Mapping[tuple[int, str], bytes]:
    """The files of the charts by their place and form, drawn on one page."""
    figures = [standing_alone(chart) for chart in charts]
    page = render("figures.html", plotly=packed_plotly(), charts=figures, forms=forms)
    with tempfile.TemporaryDirectory(prefix="undertow-") as folder:
        document = opened(program, folder, page, "--dump-dom")
    return {(int(place), form): decoded(uri) for place, form, uri in IMAGE.findall(document)}


def standing_alone(chart: Chart) -> dict[str, Any]:
    """A chart as JSON with its title inside, in the size of its file."""
    document = chart_json(chart.figure)
    layout = document["layout"]
    margin = layout.get("margin", {})
    layout["title"] = {
        "text": f"<b>{escaped(chart.title)}</b>", "x": 0.01, "y": 0.99, "yanchor": "top", "font": {"size": 15}
    }  # fmt: skip
    layout["margin"] = margin | {"t": margin.get("t", 40) + TITLE_ROOM}
    layout |= {"width": WIDTH, "height": layout.get("height", 400) + TITLE_ROOM, "autosize": False}
    return document


def decoded(uri: str) -> bytes:
    """The content of a data URI.

    >>> decoded("data:image/svg+xml,%3Csvg%3E"), decoded("data:image/png;base64,iVBORw==")
    (b'<svg>', b'\\x89PNG')
    """
    head, _, body = uri.partition(",")
    return base64.b64decode(body) if head.endswith(";base64") else urllib.parse.unquote_to_bytes(body)

"""HTML pieces: escaped text, tables, charts, and the script that draws the charts without a network."""

import base64
import gzip
import html
import json
from collections.abc import Sequence

import plotly.graph_objects as go

from engine.report import words

LOADER = """
(async () => {
  const packed = document.getElementById('plotly-packed').textContent.trim();
  const bytes = Uint8Array.from(atob(packed), letter => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  const script = document.createElement('script');
  script.textContent = await new Response(stream).text();
  document.head.append(script);
  const charts = JSON.parse(document.getElementById('charts').textContent);
  const options = {responsive: true, displayModeBar: false};
  for (const [name, chart] of Object.entries(charts)) {
    await Plotly.newPlot('chart-' + name, chart.data, chart.layout, options);
  }
  const fit = width => document.querySelectorAll('.chart').forEach(chart => {
    const room = width ? width / (chart.closest('.pair') ? 2 : 1) - (chart.closest('.pair') ? 12 : 0) : null;
    Plotly.relayout(chart, room ? {autosize: false, width: room} : {autosize: true, width: null});
  });
  window.addEventListener('beforeprint', () => fit(672));
  window.addEventListener('afterprint', () => fit(null));
  document.body.dataset.drawn = 'yes';
})().catch(problem => {
  document.querySelectorAll('.chart').forEach(chart => chart.textContent = 'Chart not drawn: ' + problem);
});
"""
"""Unpacks plotly, draws every chart, and fits the charts to A4 while printing."""


def text(value) -> str:
    """Escaped text."""
    return html.escape(str(value))


def paragraph(content: str, kind: str = "") -> str:
    """A paragraph of plain text."""
    return f'<p class="{kind}">{text(content)}</p>' if kind else f"<p>{text(content)}</p>"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], word_columns: int = 1, strong: int = -1) -> str:
    """A table of ready cells; the first `word_columns` are text, the rest numbers; row `strong` is bold.

    Cells are escaped, except that "a ± b" sets b as an error.
    """
    kinds = ["word" if column < word_columns else "" for column in range(len(head))]
    header = "".join(cell("th", name, kind) for name, kind in zip(head, kinds, strict=True))
    body = "".join(
        f"<tr{' class=strong' if place == strong else ''}>"
        + "".join(cell("td", value, kind) for value, kind in zip(row, kinds, strict=True))
        + "</tr>"
        for place, row in enumerate(rows)
    )
    return f'<div class="scroll"><table><thead><tr>{header}</tr></thead><tbody>{body}</tbody></table></div>'


def cell(tag: str, value: str, kind: str) -> str:
    """One cell; what follows "±" or stands in brackets is set smaller."""
    content = text(value)
    if kind == "word" and len(value) <= 12:
        content = content.replace(" ", "&nbsp;")
    for mark in (" ± ", " ["):
        if tag == "td" and mark in content:
            number, after = content.split(mark, 1)
            content = (
                f'{number} <span class="error">{mark.strip()}{"" if mark == " [" else " "}{after}</span>'
            )
            break
    return f'<{tag} class="{kind}">{content}</{tag}>' if kind else f"<{tag}>{content}</{tag}>"


def probability(value, error) -> str:
    """A table cell: a probability with its standard error, in percent; the error never rounds to nothing."""
    shown = words.share(value).rstrip("%")
    if not words.known(error):
        return f"{shown}%"
    places = max(len(shown.partition(".")[2]), 1 if 100.0 * error >= 0.05 else 2)
    return f"{shown}% ± {100.0 * error:.{places}f}%"


def between(value, low, high) -> str:
    """A table cell: an amount with its 95% interval."""
    return f"{words.amount(value)} [{words.amount(low)}–{words.amount(high)}]"


class Charts:
    """Collects the figures of a page; each is drawn into the holder that `place` returns."""

    def __init__(self):
        self.figures: dict[str, go.Figure] = {}

    def place(self, name: str, figure: go.Figure, title: str, caption: str = "") -> str:
        """HTML of a titled holder for a figure."""
        self.figures[name] = figure
        height = figure.layout.height
        said = f"<b>{text(title)}</b> {text(caption)}"
        return (
            f"<figure><figcaption>{said}</figcaption>"
            f'<div class="chart" id="chart-{name}" style="min-height:{height}px" role="img" '
            f'aria-label="{text(title)}"></div></figure>'
        )

    def scripts(self) -> str:
        """Plotly once (gzip, base64), the figures as JSON, and the loader."""
        from plotly.offline import get_plotlyjs

        packed = base64.b64encode(gzip.compress(get_plotlyjs().encode(), 9, mtime=0)).decode()
        figures = {name: json.loads(figure.to_json()) for name, figure in self.figures.items()}
        for figure in figures.values():
            figure["layout"].pop("template", None)
        document = json.dumps(figures, separators=(",", ":")).replace("<", "\\u003c")
        return (
            f'<script type="application/octet-stream" id="plotly-packed">{packed}</script>\n'
            f'<script type="application/json" id="charts">{document}</script>\n<script>{LOADER}</script>'
        )


def section(name: str, title: str, *content: str) -> str:
    """A section with its heading."""
    return f'<section id="{name}"><h2>{text(title)}</h2>\n' + "\n".join(content) + "</section>"


def finding(sentence: str) -> str:
    """The one line a reader takes away."""
    return paragraph(sentence, "finding")


def side_by_side(*figures: str) -> str:
    """Figures in two columns where there is room."""
    return f'<div class="pair">{"".join(figures)}</div>'

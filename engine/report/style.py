"""The look of the report: colours, chart layout and the page's style sheet."""

INK = "#1f2933"
MUTED = "#6b7785"
GRID = "#e3e8ee"
NAVY = "#1d3f66"
BLUE = "#3d7ab8"
SKY = "#9dc3e6"
TEAL = "#2a8c82"
AMBER = "#d98e04"
RED = "#b5382f"
PLUM = "#7a4b8c"
SAND = "#c9b79c"

HORIZON_COLOURS = (SKY, BLUE, NAVY, "#0b1f38")
GRADE_COLOURS = {"A": TEAL, "B": SKY, "C": AMBER}
CAUSE_COLOURS = {
    "foreclosure": NAVY,
    "liquidity": BLUE,
    "non_payment": TEAL,
    "balance_sheet": PLUM,
    "hazard": SAND,
    "exchange": AMBER,
    "group": SKY,
}
KIND_COLOURS = {
    "lab": RED,
    "neocloud": NAVY,
    "host": BLUE,
    "project": TEAL,
    "hyperscaler": PLUM,
    "vendor": AMBER,
    "synthetic": SAND,
}
CLASS_COLOURS = {
    "PRIVATE_CREDIT": NAVY,
    "BANK": BLUE,
    "INSURER": TEAL,
    "PENSION": AMBER,
    "HEDGE_FUND": PLUM,
    "MUTUAL_FUND": SKY,
    "VENDOR": RED,
    "FOREIGN": SAND,
}

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', Arial, sans-serif"

LAYOUT = {
    "font": {"family": FONT, "size": 13, "color": INK},
    "paper_bgcolor": "white",
    "plot_bgcolor": "white",
    "margin": {"l": 64, "r": 24, "t": 40, "b": 56},
    "hoverlabel": {"bgcolor": "white", "bordercolor": MUTED, "font": {"family": FONT, "size": 13}},
    "legend": {
        "orientation": "h",
        "x": 0,
        "y": 1.02,
        "yanchor": "bottom",
        "font": {"size": 12},
        "traceorder": "normal",
    },
    "bargap": 0.28,
}

AXIS = {
    "gridcolor": GRID,
    "linecolor": MUTED,
    "zeroline": False,
    "showline": True,
    "ticks": "outside",
    "ticklen": 4,
    "tickcolor": MUTED,
    "title": {"font": {"size": 12.5, "color": MUTED}, "standoff": 10},
}

SHEET = """
:root { --ink: #1f2933; --muted: #5c6773; --line: #dde3ea; --navy: #1d3f66;
  --wash: #f5f7fa; --amber: #d98e04; }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; color: var(--ink); background: white; line-height: 1.5; font-size: 16px;
  font-family: system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', Arial, sans-serif; }
main { max-width: 1000px; margin: 0 auto; padding: 0 24px 64px; }
header { border-top: 6px solid var(--navy); padding-top: 28px; }
.kicker { color: var(--muted); font-size: 14px; letter-spacing: .02em; margin: 0; }
h1 { font-size: 30px; line-height: 1.22; margin: 8px 0 14px; font-weight: 650; letter-spacing: -.01em; }
h2 { font-size: 22px; line-height: 1.3; margin: 40px 0 6px; padding-top: 18px;
  border-top: 1px solid var(--line); }
h3 { font-size: 16px; margin: 28px 0 4px; }
p { margin: 8px 0 12px; max-width: 74ch; }
.lead { font-size: 18px; }
.finding { font-size: 18px; color: var(--navy); font-weight: 550; max-width: 70ch; margin: 4px 0 14px; }
.note { color: var(--muted); font-size: 14px; }
nav { display: flex; flex-wrap: wrap; gap: 4px 20px; font-size: 14.5px; margin: 18px 0 0; }
nav a, p a { color: var(--navy); }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(200px, 1fr));
  gap: 14px; margin: 22px 0; }
.card { background: var(--wash); border-radius: 6px; padding: 14px 16px; }
.card b { display: block; font-size: 27px; font-weight: 650; line-height: 1.2; color: var(--navy); }
.card span { display: block; color: var(--muted); font-size: 14px; line-height: 1.35; }
.warning { border-left: 4px solid var(--amber); background: #fdf6e7; padding: 10px 16px; margin: 18px 0; }
.warning ul { margin: 4px 0; padding-left: 20px; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(380px, 1fr)); gap: 8px 20px; }
.pair > * { min-width: 0; }
figure { margin: 12px 0; break-inside: avoid; min-width: 0; }
figcaption { color: var(--muted); font-size: 14px; max-width: 80ch; }
figcaption b { color: var(--ink); font-size: 15px; }
.chart { width: 100%; }
.scroll { overflow-x: auto; margin: 12px 0; }
table { border-collapse: collapse; width: 100%; font-size: 14px; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding: 4px 0; }
th, td { padding: 5px 8px; border-bottom: 1px solid var(--line); text-align: right; vertical-align: top; }
th { color: var(--muted); font-weight: 600; font-size: 13px; vertical-align: bottom;
  border-bottom: 2px solid var(--line); }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
td { white-space: nowrap; } td.word, th.word { text-align: left; } td.word { white-space: normal; }
td .error { color: var(--muted); font-size: 13px; white-space: nowrap; }
tr.strong td { font-weight: 650; }
details { margin: 10px 0; } summary { cursor: pointer; color: var(--navy); font-size: 14.5px; }
code { font-size: 13px; overflow-wrap: anywhere; }
@media (max-width: 560px) {
  main { padding: 0 14px 40px; } h1 { font-size: 24px; } .pair { grid-template-columns: 1fr; }
  th, td { padding: 4px 6px; } .finding, .lead { font-size: 16.5px; }
}
@page { size: A4; margin: 15mm; }
@media print {
  body { font-size: 10.5pt; } main { max-width: none; padding: 0; } nav { display: none; }
  h1 { font-size: 20pt; } h2 { font-size: 14pt; margin-top: 24pt; break-after: avoid; }
  h3 { break-after: avoid; }
  .finding, .lead { font-size: 11.5pt; } .finding { break-after: avoid; break-inside: avoid; }
  figcaption { break-after: avoid; }
  table { font-size: 8.5pt; } th { font-size: 8pt; } th, td { padding: 3px 6px; }
  td .error { font-size: 7.5pt; }
  .cards { grid-template-columns: repeat(4, 1fr); gap: 8px; }
  .card { padding: 8px 10px; } .card b { font-size: 16pt; }
  .card span { font-size: 8.5pt; }
  .pair { grid-template-columns: 1fr 1fr; } .scroll { overflow: visible; } tr { break-inside: avoid; }
  .card, .warning { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""

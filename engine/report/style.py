"""The look of the charts: colours and Plotly layout. The page's own look is templates/report.css."""

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

"""The look of the charts: colours and Plotly layout. The page's own look is templates/report.css.

A colour has one name and two values, for light and for dark paper; every mark is told from either paper by a
contrast of 3:1 or more (WCAG 2.2, 1.4.11), text by 4.5:1.
"""

from collections.abc import Iterable
from typing import Any

from engine.tail.intervals import HALF_WIDTH

PAPER = "#ffffff"
INK = "#1f2933"
MUTED = "#5c6773"
GRID = "#e3e8ee"
WASH = "#eef4fa"
HEAT = "#9dc3e6"
NIGHT = "#0b1f38"
NAVY = "#1d3f66"
BLUE = "#2f6aa8"
SKY = "#5797d0"
TEAL = "#2a8c82"
AMBER = "#c27c04"
RED = "#b5382f"
PLUM = "#7a4b8c"
SAND = "#a58d6a"

DARK = {
    PAPER: "#12181f",
    INK: "#e6ebf1",
    MUTED: "#a3b0bf",
    GRID: "#2b3642",
    WASH: "#1c2733",
    HEAT: "#2f6aa8",
    NIGHT: "#e3effb",
    NAVY: "#bcd9f5",
    BLUE: "#78aee0",
    SKY: "#4d7fb0",
    TEAL: "#45b5a8",
    AMBER: "#e5a53b",
    RED: "#ef7a6d",
    PLUM: "#c08fd6",
    SAND: "#b7a486",
}
"""The value of each colour on dark paper."""

HORIZON_COLOURS = (SKY, BLUE, NAVY, NIGHT)
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
    "paper_bgcolor": PAPER,
    "plot_bgcolor": PAPER,
    "margin": {"l": 64, "r": 24, "t": 40, "b": 56},
    "hoverlabel": {"bgcolor": PAPER, "bordercolor": MUTED, "font": {"family": FONT, "size": 13}},
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


def bars(errors: Iterable[float], colour: str = INK) -> dict[str, Any]:
    """Error bars of Plotly: 95% intervals of estimates with these standard errors."""
    ends = [HALF_WIDTH * float(error) for error in errors]
    return {"type": "data", "array": ends, "color": colour, "thickness": 1.2, "width": 3}


def rgba(colour: str, opacity: float) -> str:
    """A hex colour with an opacity.

    >>> rgba(NAVY, 0.5)
    'rgba(29,63,102,0.5)'
    """
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def night() -> dict[str, str]:
    """What stands for each colour on dark paper, alone and as the beginning of an `rgba`."""
    pairs = ((rgba(day, 1.0), rgba(dark, 1.0)) for day, dark in DARK.items())
    return DARK | {day.rpartition(",")[0]: dark.rpartition(",")[0] for day, dark in pairs}

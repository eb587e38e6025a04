"""The circular web as a network: who pays whom and who invests in whom, on ordinary and on worst paths."""

from typing import NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from engine.report import style, words
from engine.report.charts import figure
from engine.report.section import Chart, Choice, Part
from engine.report.table import Table, amount, row
from engine.results.folder import Results
from engine.results.horizons import horizon_months

STATES = {"ordinary": "Ordinary paths", "tail": "Worst paths"}
INVESTMENTS = ("equity", "warrant")
"""Kinds of contract that buy shares; the others pay for something or support somebody."""

MOST_FIRMS = 22
"""Firms with a node of their own; smaller ones share one."""

OTHERS = "Smaller firms"
THINNEST = 0.6
"""Pixels of a link that is hardly there."""

BEND, ASIDE, STEPS = 0.55, 0.14, 20
"""A link is drawn to the middle by this share, and aside so that a pair of links is two lines; its points."""

ORDER = {kind: place for place, kind in enumerate(style.KIND_COLOURS)}
HEIGHT = 620


class Room(NamedTuple):
    """What a drawing has room for."""

    half: float  # of its width; the oval's is one
    letters: int  # of a name
    widest: float  # pixels of the largest link


WIDE, NARROW = Room(1.9, 34, 15.0), Room(2.9, 18, 7.5)


class Firm(NamedTuple):
    """A node: place on the oval, and side of its label."""

    name: str
    kind: str
    x: float
    y: float


def web(results: Results) -> tuple[Part, ...]:
    """The network in both states; nothing for a run with fewer than two links."""
    links = links_of(results)
    if len(links) < 2:
        return ()
    firms = placed(links, kinds_of(results))
    charts = tuple(chart(results, links, firms, state) for state in STATES)
    return (
        Choice("network-of-payments", "Who pays whom, who invests in whom", charts, tuple(STATES.values())),
    )


def links_of(results: Results) -> pd.DataFrame:
    """Cash a year from firm to firm, ordinary and tail, by what it is for; USD bn.

    Members of a group are one firm, and so are those that pay and are paid too little to be seen.
    """
    payments, years = results.tables["payments"], horizon_months(results.last) / 12.0
    names = group_names(results)
    rows = payments.assign(
        source=payments["buyer"].map(lambda name: names.get(name, name)),
        target=payments["seller"].map(lambda name: names.get(name, name)),
        what=np.where(payments["kind"].isin(INVESTMENTS), "invests", "pays"),
    )
    ranked = through(rows).sort_values(ascending=False, kind="stable").index
    small = dict.fromkeys(ranked[MOST_FIRMS:], OTHERS) if len(ranked) > MOST_FIRMS + 1 else {}
    rows = rows.assign(source=rows["source"].replace(small), target=rows["target"].replace(small))
    links = rows.groupby(["source", "target", "what"], sort=False)[[*STATES]].sum() / years
    links = links[(links.max(axis=1) > 0.0)].reset_index()
    return links[links["source"] != links["target"]].sort_values("ordinary", ascending=False, kind="stable")


def through(rows: pd.DataFrame) -> pd.Series:
    """Cash that a firm pays and is paid on ordinary paths."""
    paid, received = (rows.groupby(side)["ordinary"].sum() for side in ("source", "target"))
    return paid.add(received, fill_value=0.0)


def group_names(results: Results) -> dict[str, str]:
    """The group of every firm that has one."""
    firms = results.tables["firms"]
    if "group" not in firms.columns:
        return {}
    return {name: group for name, group in zip(firms["name"], firms["group"], strict=True) if group}


def kinds_of(results: Results) -> dict[str, str]:
    """The kind of every firm; groups and what is folded together are without a name."""
    firms = results.tables["firms"]
    return dict(zip(firms["name"], firms["kind"], strict=True))


def placed(links: pd.DataFrame, kinds: dict[str, str]) -> dict[str, Firm]:
    """Firms on an oval by kind, the largest of a kind first: down the left side, then down the right."""
    cash = through(links)
    own = {name: kinds.get(name, "synthetic") for name in cash.index}
    names = sorted(own, key=lambda name: (ORDER.get(own[name], len(ORDER)), -cash[name], name))
    left = -(-len(names) // 2)
    firms = {}
    for side, part in ((-1.0, names[:left]), (1.0, names[left:])):
        for place, name in enumerate(part):
            y = 1.0 - 2.0 * (place + 0.5) / left
            firms[name] = Firm(name, own[name], side * (0.35 + 0.65 * float(np.sqrt(1.0 - y * y))), y)
    return firms


def chart(results: Results, links: pd.DataFrame, firms: dict[str, Firm], state: str) -> Chart:
    """The network in one state."""
    both = float(links[[*STATES]].to_numpy().max())
    caption = (
        "width: cash a year, the same scale in both states; median over the paths of each contract; red: "
        "money for shares. Firms by kind, the largest first."
    )
    wide, narrow = (drawn(links, firms, state, both, room) for room in (WIDE, NARROW))
    title = f"Who pays whom: {words.lower_first(STATES[state])}"
    said, numbers = in_words(links, state), table(links, state)
    return Chart(f"web-{state}", wide, title, caption, narrow, said, numbers)


def drawn(links: pd.DataFrame, firms: dict[str, Firm], state: str, most: float, room: Room) -> go.Figure:
    """Links from the thinnest, firms over them; `most` is the cash of the widest link."""
    chart = figure(HEIGHT, margin={"l": 8, "r": 8, "t": 44, "b": 8}, hovermode="closest")
    for link in links[::-1].to_dict("records"):
        add_link(chart, firms, link, state, most, room)
    for kind, colour in style.KIND_COLOURS.items():
        own = [firm for firm in firms.values() if firm.kind == kind]
        if own:
            chart.add_scatter(
                x=[firm.x for firm in own], y=[firm.y for firm in own], mode="markers+text",
                name=words.kind_name(kind), text=[label(firm, room) for firm in own],
                textposition=["middle left" if firm.x < 0.0 else "middle right" for firm in own],
                textfont={"color": style.INK, "size": 11.5}, cliponaxis=False,
                marker={"color": colour, "size": 11, "line": {"color": style.PAPER, "width": 1.5}},
                customdata=[[firm.name] for firm in own],
                hovertemplate="<b>%{customdata[0]}</b><extra></extra>",
            )  # fmt: skip
    hidden = {"visible": False, "fixedrange": True}
    chart.update_xaxes(**hidden, range=[-room.half, room.half])
    chart.update_yaxes(**hidden, range=[-1.05, 1.05])
    return chart


def label(firm: Firm, room: Room) -> str:
    """The name, shortened where there is little room."""
    whole = len(firm.name) <= room.letters
    return firm.name if whole else firm.name[: room.letters - 1].rstrip() + "…"


def add_link(
    chart: go.Figure, firms: dict[str, Firm], link: dict, state: str, most: float, room: Room
) -> None:
    """A bent line with an arrow at its end."""
    cash = float(link[state])
    if not cash > 0.0:
        return
    x, y = bent(firms[link["source"]], firms[link["target"]])
    width = max(room.widest * cash / most, THINNEST)
    colour = style.RED if link["what"] == "invests" else style.BLUE
    verb = "invests in" if link["what"] == "invests" else "pays"
    chart.add_scatter(
        x=x, y=y, mode="lines+markers", showlegend=False, opacity=0.8,
        line={"color": colour, "width": width, "shape": "spline"},
        marker={
            "symbol": "arrow", "angleref": "previous", "color": colour, "line": {"width": 0},
            "size": [0.0] * (len(x) - 1) + [max(9.0, 1.6 * width)],
        },
        meta=[link["source"], link["target"], words.amount(cash)],
        hovertemplate=f"%{{meta[0]}} {verb} %{{meta[1]}}: %{{meta[2]}} bn a year<extra></extra>",
    )  # fmt: skip


def bent(source: Firm, target: Firm) -> tuple[list[float], list[float]]:
    """Points of a quadratic Bezier curve from firm to firm, bent to the middle and to its right."""
    start, end = np.asarray([source.x, source.y]), np.asarray([target.x, target.y])
    along = end - start
    control = (1.0 - BEND) * (start + end) / 2.0 + ASIDE * np.asarray([along[1], -along[0]])
    t = np.linspace(0.03, 0.965, STEPS)[:, None]
    curve = (1.0 - t) ** 2 * start + 2.0 * t * (1.0 - t) * control + t**2 * end
    return curve[:, 0].round(4).tolist(), curve[:, 1].round(4).tolist()


def in_words(links: pd.DataFrame, state: str) -> str:
    """All that is paid, and the three largest links."""
    largest = links.sort_values(state, ascending=False, kind="stable").head(3)
    each = "; ".join(
        f"{link['source']} {'invests in' if link['what'] == 'invests' else 'pays'} {link['target']} "
        f"{words.amount(link[state])}"
        for link in largest.to_dict("records")
    )
    firms = len({*links["source"], *links["target"]})
    return (
        f"A network of {firms} firms with {int((links[state] > 0.0).sum())} links, "
        f"{words.amount(links[state].sum())} USD bn a year in all on {words.lower_first(STATES[state])}. "
        f"Largest: {each}."
    )


def table(links: pd.DataFrame, state: str) -> Table:
    """Every link in both states."""
    rows = tuple(
        row(link["source"], link["target"], link["what"], *(amount(link[key]) for key in STATES))
        for link in links.to_dict("records")
    )
    head = ("From", "To", "What for", *STATES.values())
    return Table(f"numbers-web-{state}", "Numbers of the network", head, rows, "", "USD bn a year", words=3)

"""The page as data: a section is a title and its parts in order, which templates render."""

import dataclasses
from typing import ClassVar, Literal

import plotly.graph_objects as go

from engine.report.table import Table


@dataclasses.dataclass(frozen=True)
class Chart:
    """A figure with its title and caption; `name` is unique on the page."""

    name: str
    figure: go.Figure
    title: str
    caption: str = ""
    kind: ClassVar[str] = "chart"


@dataclasses.dataclass(frozen=True)
class Pair:
    """Charts in two columns where there is room."""

    charts: tuple[Chart, ...]
    kind: ClassVar[str] = "pair"


@dataclasses.dataclass(frozen=True)
class Text:
    """A paragraph: the finding of a section, a note in small type, or plain."""

    text: str
    role: Literal["finding", "note", "plain"] = "plain"
    kind: ClassVar[str] = "text"


@dataclasses.dataclass(frozen=True)
class Heading:
    """The title of a group of parts within a section."""

    text: str
    kind: ClassVar[str] = "heading"


@dataclasses.dataclass(frozen=True)
class Bullets:
    """A list of sentences."""

    sentences: tuple[str, ...]
    kind: ClassVar[str] = "bullets"


@dataclasses.dataclass(frozen=True)
class Details:
    """Parts folded away under a line that opens them."""

    summary: str
    parts: "tuple[Part, ...]"
    is_open: bool = False
    kind: ClassVar[str] = "details"


Part = Table | Chart | Pair | Text | Heading | Bullets | Details


@dataclasses.dataclass(frozen=True)
class Section:
    """One topic of the page; `id` is the target of links to it."""

    id: str
    title: str
    parts: tuple[Part, ...]

    @property
    def charts(self) -> list[Chart]:
        """Charts of the section, in order."""
        pairs = [part for part in unfolded(self.parts) if isinstance(part, Chart | Pair)]
        return [chart for part in pairs for chart in (part.charts if isinstance(part, Pair) else [part])]

    @property
    def tables(self) -> list[Table]:
        """Tables of the section, in order."""
        return [part for part in unfolded(self.parts) if isinstance(part, Table)]


def finding(text: str) -> Text:
    """The one sentence to take away."""
    return Text(text, "finding")


def note(text: str) -> Text:
    """A remark in small type."""
    return Text(text, "note")


def unfolded(parts: tuple[Part, ...]) -> list[Part]:
    """All parts in order, those of folded parts in their place."""
    flat: list[Part] = []
    for part in parts:
        flat += unfolded(part.parts) if isinstance(part, Details) else [part]
    return flat

"""The page as data: a section is a title and its parts in order, which templates render."""

import dataclasses
from typing import ClassVar, Literal

import plotly.graph_objects as go

from engine.report.alternative import in_words, table_of
from engine.report.reading import worth_drawing
from engine.report.table import Table


@dataclasses.dataclass(frozen=True)
class Chart:
    """A figure with its title and caption; `name` is unique on the page.

    `narrow` is drawn in its place where there is little width. `words` say what it shows and `numbers` are
    its table, where the figure itself does not tell.
    """

    name: str
    figure: go.Figure
    title: str
    caption: str = ""
    narrow: go.Figure | None = None
    words: str = ""
    numbers: Table | None = None
    kind: ClassVar[str] = "chart"

    @property
    def alternative(self) -> str:
        """What it shows, for whoever does not see it."""
        return self.words or in_words(self.figure)

    @property
    def table(self) -> Table:
        """Its numbers."""
        return self.numbers or table_of(self.name, f"Numbers of the chart: {self.title}", self.figure)

    @property
    def worth_drawing(self) -> bool:
        """Whether there is anything to compare."""
        return worth_drawing(self.figure)


@dataclasses.dataclass(frozen=True)
class Pair:
    """Charts in two columns where there is room."""

    charts: tuple[Chart, ...]
    kind: ClassVar[str] = "pair"


@dataclasses.dataclass(frozen=True)
class Choice:
    """Charts of the same thing in several states, by name; one at a time is seen, all are printed."""

    name: str
    title: str
    charts: tuple[Chart, ...]
    states: tuple[str, ...]
    kind: ClassVar[str] = "choice"


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


Part = Table | Chart | Pair | Choice | Text | Heading | Bullets | Details


@dataclasses.dataclass(frozen=True)
class Section:
    """One topic of the page; `id` is the target of links to it."""

    id: str
    title: str
    parts: tuple[Part, ...]

    @property
    def charts(self) -> list[Chart]:
        """Charts of the section, in order."""
        drawn = [part for part in unfolded(self.parts) if isinstance(part, Chart | Pair | Choice)]
        return [chart for part in drawn for chart in ([part] if isinstance(part, Chart) else part.charts)]

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


def drawn(section: Section) -> Section:
    """The section without the charts that compare nothing, as those of one lender."""
    return dataclasses.replace(section, parts=tuple(each for part in section.parts for each in kept(part)))


def kept(part: Part) -> tuple[Part, ...]:
    """A part with its charts that are worth drawing, or nothing."""
    if isinstance(part, Chart):
        return (part,) if part.worth_drawing else ()
    if isinstance(part, Choice):
        return (part,) if any(chart.worth_drawing for chart in part.charts) else ()
    if isinstance(part, Pair):
        charts = tuple(chart for chart in part.charts if chart.worth_drawing)
        return (Pair(charts),) if len(charts) > 1 else charts
    if isinstance(part, Details):
        return (dataclasses.replace(part, parts=tuple(each for one in part.parts for each in kept(one))),)
    return (part,)

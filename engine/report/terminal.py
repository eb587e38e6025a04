"""The results on the terminal when a run ends: tables of the page in brief, as wide as the terminal.

Bold and dim type only, and only on a terminal: piped output and `NO_COLOR` are plain text.
"""

import io
import math
import os
import pathlib
import shutil
import sys
import textwrap
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table as Grid
from rich.text import Text

from engine.report import words
from engine.report.answers import answer
from engine.report.focus_words import headline as focus_line
from engine.report.sections.attribution import mechanisms_table
from engine.report.sections.backtest import coverage_table
from engine.report.sections.band import band_table, drivers_table, holders_table
from engine.report.sections.calibration import effect_table, estimates_table, unidentified_table
from engine.report.sections.focus import actions_table
from engine.report.sections.focus import loans_table as focus_loans_table
from engine.report.sections.greeks import checks, effects_table
from engine.report.sections.lenders import lenders_table
from engine.report.sections.losses import simulation_alone, system_table
from engine.report.sections.network import groups_table
from engine.report.sections.network import lenders_table as network_lenders_table
from engine.report.sections.policy import levers_table
from engine.report.sections.replay import first_events
from engine.report.sections.replay import paths_table as replayed_table
from engine.report.sections.reverse_stress import chances_table, scenarios_table
from engine.report.sections.reverse_stress import story as scenario_story
from engine.report.sections.scenario import both_tails_table
from engine.report.sections.search import best_table
from engine.report.sections.timing import borrowers_table
from engine.report.table import Cell, Table
from engine.report.unit import readable, unit_remark
from engine.results.folder import Results, read_results
from engine.results.summary import Summary

WIDTH = 100
"""Columns where the output is not a terminal."""
WIDEST = 120
"""Columns beyond which a wider terminal makes the tables no wider."""
GAP = 2
"""Columns between two columns of a table."""
NARROWEST = 12
"""Columns to which names fold."""
ASCII = {
    "±": "+-",
    "–": "-",
    "·": "|",
    "─": "-",
    "…": "~",
    "→": "->",
    "Δ": "d",
    "²": "2",
    "“": '"',
    "”": '"',
}

Block = Table | str | tuple[Table, Table]
"""A table, a paragraph, or two tables side by side where there is room."""


@runtime_checkable
class Stream(Protocol):
    """A text stream that knows whether it is a terminal."""

    def write(self, text: str, /) -> object:
        """Write text."""

    def isatty(self) -> bool:
        """Whether the stream is a terminal."""


class Topic(NamedTuple):
    """Blocks to print, and the table of the results that they need, if any."""

    blocks: tuple[Callable[[Results], Block], ...]
    needs: str | None = None


def print_summary(folder: str | pathlib.Path, file: Stream | None = None) -> None:
    """Prints a run folder's results: the task's answer, system by horizon, lenders, borrowers, warnings.

    `file` is a text stream, standard output by default. Raises FileNotFoundError where the folder has no
    summary.json.
    """
    print_results(read_results(folder), sys.stdout if file is None else file)


def print_results(results: Results, file: Stream, width: int | None = None) -> None:
    """The same for results that are read already; `width` is the terminal's by default."""
    results = readable(results)
    title = run_line(results.summary) + unit_remark(results.unit)
    printed(file, title, blocks(results), warnings_of(results), width)


def printed(
    file: Stream, title: str, parts: Sequence[Block], remarks: Sequence[str], width: int | None = None
) -> None:
    """Writes a title, blocks and remarks; `width` is the terminal's by default."""
    terminal = file.isatty()
    if width is None:
        width = min(shutil.get_terminal_size().columns, WIDEST) if terminal else WIDTH
    typeset = terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    text = text_of(title, parts, remarks, width, typeset)
    file.write(encodable(text, getattr(file, "encoding", None) or "utf-8"))


def table_text(table: Table, width: int = WIDTH) -> str:
    """One table as the terminal shows it, with its footnote."""
    screen = io.StringIO()
    screen_of(screen, width).print(titled(table, width))
    lines = [line.rstrip() for line in screen.getvalue().splitlines()]
    return "\n".join([*lines, *([table.footnote] if table.marked else [])])


def screen_of(screen: io.StringIO, width: int, typeset: bool = False) -> Console:
    """A console that writes plain text, in a notebook too, or escape codes if `typeset`."""
    return Console(
        file=screen, width=width, highlight=False, markup=False, emoji=False, force_jupyter=False,
        force_terminal=typeset,
    )  # fmt: skip


def rendered(results: Results, width: int, typeset: bool = False) -> str:
    """The text that is printed of a run."""
    return text_of(run_line(results.summary), blocks(results), warnings_of(results), width, typeset)


def warnings_of(results: Results) -> list[str]:
    """The warnings of a run, each marked as one."""
    return [f"! {warning}" for warning in results.summary.get("warnings", [])]


def text_of(
    title: str, parts: Sequence[Block], remarks: Sequence[str], width: int, typeset: bool = False
) -> str:
    """The text that is printed, with escape codes for bold and dim type if `typeset`."""
    screen = io.StringIO()
    console = screen_of(screen, width, typeset)
    console.print(title, style="bold")
    footnotes: set[str] = set()
    for block in parts:
        console.print()
        console.print(renderable(block, width))
        for footnote in footnotes_of(block) - footnotes:
            console.print(footnote)
            footnotes.add(footnote)
    for remark in remarks:
        for line in textwrap.wrap(remark, width, subsequent_indent="  "):
            console.print(line)
    return "\n".join(line.rstrip() for line in screen.getvalue().splitlines()) + "\n"


def blocks(results: Results) -> list[Block]:
    """Tables and paragraphs in order, of what the run has: the answer of its task first."""
    own = [topic for topic in TOPICS if topic.needs in results.tables]
    common = [topic for topic in TOPICS if topic.needs is None]
    makers = [make for topic in (*own, *common) for make in topic.blocks]
    return [block for make in (answer_text, *makers) if (block := make(results))]


def answer_text(results: Results) -> str:
    """The answer of the task; empty for the main job."""
    return " ".join(answer(results) or ()).strip()


def footnotes_of(block: Block) -> set[str]:
    """Footnotes of the marks that a block shows."""
    tables = block if isinstance(block, tuple) else (block,)
    return {table.footnote for table in tables if isinstance(table, Table) and table.brief().marked}


def encodable(text: str, encoding: str) -> str:
    """The text in characters that the encoding has."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        for fancy, simple in ASCII.items():
            text = text.replace(fancy, simple)
    return text.encode(encoding, "replace").decode(encoding)


def run_line(summary: Summary) -> str:
    """The run in one line."""
    book = summary.get("book", "")
    run = [f"{summary['paths']:,} paths", f"seed {summary['seed']}", summary["sampler"]["name"]]
    return " · ".join(["Undertow", *([book] if book else []), *run, summary["status"]])


def timing_line(results: Results) -> str:
    """Seconds, speed, memory and the size of the tail."""
    timing, sampler = results.summary["timing"], results.summary["sampler"]
    rate, memory, tail = timing.get("paths_per_s"), timing.get("peak_rss_mb"), sampler.get("ess_tail")
    parts = [f"compile {words.seconds(timing.get('compile_s'))}", f"run {words.seconds(timing.get('run_s'))}"]
    parts += [f"{rate:,.0f} paths/s"] if words.known(rate) else []
    parts += [f"peak memory {memory:,.0f} MB"] if words.known(memory) else []
    parts += [f"{tail:,.0f} effective paths in the tail"] if words.known(tail) else []
    return " · ".join(parts)


def learning_line(results: Results) -> str:
    """Cost and gain of importance sampling; empty without it."""
    sampler = results.summary["sampler"]
    learning, gains = sampler.get("learning"), sampler.get("variance_reduction") or {}
    if not learning:
        return ""
    factors = ", ".join(
        f"{factor:,.0f} for {'ES' if name.startswith('es') else 'P'} {words.level_name(name)}"
        for name, factor in gains.items()
        if words.known(factor)
    )
    parts = [
        f"learned from {learning['paths']:,} paths in {words.seconds(learning['seconds'])}",
        f"plain paths that one path is worth: {factors}",
        f"mean weight {sampler['mean_weight']:.3f} ± {sampler['mean_weight_se']:.3f}",
        f"k-hat {sampler['k_hat']:.2f}" if words.known(sampler.get("k_hat")) else "all weights equal",
    ]
    return " · ".join(parts)


def story(results: Results) -> str:
    """The first scenario of a reverse stress, one line a quarter."""
    return "\n".join([f"Scenario 1 by quarter, losses in {results.unit}", *scenario_story(results, 1)])


def replayed(results: Results) -> Table | str:
    """The paths of `task=replay`; nothing where the main job tells one in its report."""
    return replayed_table(results) if "replay" in results.summary else ""


def first_of_replayed(results: Results) -> Table | str:
    """The events of the first of them."""
    return first_events(results) if "replay" in results.summary else ""


def focus_actions(results: Results) -> Table | str:
    """What the focus could do; nothing where no action changes a loan of its own."""
    return "" if results.tables["focus_actions"].empty else actions_table(results)


def lenders_and_borrowers(results: Results) -> tuple[Table, Table]:
    """The lenders with the greatest ES beside the weakest borrowers."""
    return lenders_table(results), borrowers_table(results)


TOPICS = (
    Topic((focus_line, focus_loans_table, focus_actions), "focus_loans"),
    Topic((system_table, simulation_alone)),
    Topic((band_table, holders_table), "band"),
    Topic((drivers_table,), "band_drivers"),
    Topic((both_tails_table,), "scenario_path"),
    Topic((levers_table,), "policy"),
    Topic((mechanisms_table,), "attribution"),
    Topic((effects_table, checks), "greeks"),
    Topic((scenarios_table, chances_table, story), "reverse_stress"),
    Topic((replayed, first_of_replayed), "replay_paths"),
    Topic((best_table,), "search"),
    Topic((estimates_table, unidentified_table, effect_table), "calibration"),
    Topic((coverage_table,), "backtest"),
    Topic((groups_table, network_lenders_table), "network_split"),
    Topic((lenders_and_borrowers,)),
    Topic((timing_line, learning_line)),
)
"""The printout from top to bottom."""


def renderable(block: Block, width: int) -> RenderableType:
    """A block for rich."""
    if isinstance(block, str):
        return Text(block)
    if isinstance(block, Table):
        return titled(block.brief(), width)
    left, right = (table.brief() for table in block)
    if natural_width(left) + 2 * GAP + natural_width(right) > width:
        return Group(titled(left, width), "", titled(right, width))
    pair = Grid.grid(padding=(0, 2 * GAP, 0, 0))
    pair.add_row(titled(left, width), titled(right, width))
    return pair


def titled(table: Table, width: int) -> RenderableType:
    """A table under its title, units behind it."""
    return Group(Text(title(table), style="bold"), grid(table, width))


def title(table: Table) -> str:
    """A table's title with its units."""
    return f"{table.title}, {table.units}" if table.units else table.title


def grid(table: Table, width: int) -> Grid:
    """The rows; errors go under their numbers, then the last columns go, where the width asks for it."""
    columns = len(table.head)
    while not (
        fit := column_widths(table, columns, width, False) or column_widths(table, columns, width, True)
    ):
        columns -= 1
    sizes, stacked = fit
    rows = Grid(
        box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1), collapse_padding=True,
        header_style="bold", border_style="dim",
    )  # fmt: skip
    for place, size in enumerate(sizes):
        rows.add_column(
            Text(table.head[place], overflow="fold"), width=size, overflow="fold",
            justify="left" if place < table.words else "right",
        )  # fmt: skip
    for place, cells in enumerate(table.rows):
        contents = [typeset_cell(cell, stacked) for cell in cells[:columns]]
        rows.add_row(*contents, style="bold" if place == table.emphasis else "")
    return rows


def typeset_cell(cell: Cell, stacked: bool) -> Text:
    """A cell with its error or interval dim, beside it or below."""
    if not cell.detail:
        return Text(cell.text)
    return Text.assemble(cell.text, "\n" if stacked else " ", (cell.detail, "dim"))


def column_widths(table: Table, columns: int, width: int, stacked: bool) -> tuple[list[int], bool] | None:
    """Width of the first `columns` columns and whether errors are stacked; None where they do not fit.

    Numbers take what they need, names fold into what is left. One column always fits.
    """
    needs = [needed(table, place, stacked) for place in range(columns)]
    spare = width - GAP * (columns - 1) - sum(needs)
    for place in range(min(table.words, columns) - 1, -1, -1):
        if spare < 0:
            fold = min(-spare, max(needs[place] - NARROWEST, 0))
            needs[place], spare = needs[place] - fold, spare + fold
    if spare < 0 and columns > 1:
        return None
    return [min(need, width) for need in needs], stacked


def needed(table: Table, place: int, stacked: bool) -> int:
    """Columns that a column of the table takes: its cells whole, its head on two lines or so."""
    cells = [cells[place] for cells in table.rows]
    inside = [max(len(cell.text), len(cell.detail)) if stacked else len(str(cell)) for cell in cells]
    head = table.head[place]
    words_of_head = [len(word) for word in head.split()]
    return max([1, *inside, *words_of_head, math.ceil(0.6 * len(head))])


def natural_width(table: Table) -> int:
    """Width of the table and its title with nothing folded."""
    columns = range(len(table.head))
    rows = sum(needed(table, place, False) for place in columns) + GAP * (len(columns) - 1)
    return max(rows, len(title(table)))

"""The terminal's tables: those of the page, as wide as the terminal, plain where nobody reads in colour."""

import dataclasses
import io

import pytest

from engine.report import words
from engine.report.page import sections
from engine.report.table import Table, measured, row
from engine.report.terminal import ASCII, WIDTH, blocks, grid, print_results, print_summary, rendered
from engine.results.horizons import horizon_years


def printed(results, encoding="utf-8", width=None):
    """What is piped."""
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, newline="\n")
    print_results(results, file, width)
    file.flush()
    return raw.getvalue().decode(encoding)


def with_summary(results, **entries):
    """Results with other entries in their summary."""
    return results._replace(summary={**results.summary, **entries})


def tables_of(results):
    """Every table that is printed."""
    return [
        table
        for block in blocks(results)
        for table in (block if isinstance(block, tuple) else (block,))
        if isinstance(table, Table)
    ]


def test_every_table_printed_is_one_of_the_page(results):
    page = [table for _, section in sections(results) for table in section.tables]
    assert tables_of(results) and all(table in page for table in tables_of(results))
    assert len({table.name for table in page}) == len(page)


@pytest.mark.parametrize("width", [40, 80, 100, 120])
def test_no_line_is_wider_than_the_terminal(results, width):
    text = printed(results, width=width)
    assert max(map(len, text.splitlines())) <= width
    assert "\x1b" not in text


def test_long_names_and_numbers_stay_within_the_width(results):
    losses = results.tables["losses"].copy()
    losses["name"] = "A lender with " + "a very " * 30 + "long name"
    system = {horizon: {**loss, "es_99": 123456789.0} for horizon, loss in results.summary["system"].items()}
    long = with_summary(results, system=system, warnings=["a" * 300])
    text = printed(long._replace(tables={**results.tables, "losses": losses}))
    assert max(map(len, text.splitlines())) <= WIDTH and "123,456,789" in text


def test_numbers_are_those_of_the_summary(results):
    text = printed(results)
    for horizon in results.horizons:
        loss = results.system(horizon)
        assert f"{words.amount(loss['es_99'])} ± {words.error(loss['es_99_se'], loss['es_99'])}" in text
        assert horizon_years(horizon) in text
    names = results.ranked("lender", results.last, "es_99")["name"].tolist()
    top = next(table for table in tables_of(results) if table.name == "lenders").brief_rows
    at = [text.index(f"\n{name} ") for name in names[:top]]
    assert at == sorted(at) and f"\n{names[top]} " not in text
    speed = results.summary["timing"]["paths_per_s"]
    assert f"{speed:,.0f} paths/s" in text and "8,192 paths" in text


def test_warnings_are_shown(results):
    assert "! System loss in" in printed(results)
    assert "!" not in printed(with_summary(results, warnings=[]))


def test_a_mark_is_explained_once_and_only_where_it_stands(results):
    system = {
        horizon: {key: value if not key.startswith("resolved") else False for key, value in loss.items()}
        for horizon, loss in results.summary["system"].items()
    }
    text = printed(with_summary(results, system=system))
    assert " *" in text and text.count("* Fewer than 50 effective paths") == 1
    table = Table("a", "A", ("", ""), (row("one", measured(1.0, 0.1)),), footnote="* unlikely")
    assert not table.marked
    assert dataclasses.replace(table, rows=(row("one", measured(1.0, 0.1, " *")),)).marked


def test_it_prints_where_only_ascii_is(results):
    text = printed(results, "ascii")
    assert "+-" in text and "?" not in text
    assert not set(ASCII) & set(text)


class Terminal(io.StringIO):
    """A place to write that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self):
        return True


@pytest.mark.parametrize(("setting", "value"), [("NO_COLOR", "1"), ("TERM", "dumb"), ("", "")])
def test_type_is_set_only_for_a_terminal_that_may(results, monkeypatch, setting, value):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "90")
    if setting:
        monkeypatch.setenv(setting, value)
    screen = Terminal()
    print_results(results, screen)
    text = screen.getvalue()
    assert ("\x1b" in text) == (not setting)
    assert setting == "" or max(map(len, text.splitlines())) <= 90
    assert "\x1b[3" not in text  # bold and dim, no colour


def test_errors_go_below_their_numbers_before_a_column_goes(results):
    system = tables_of(results)[0].brief()
    assert len(grid(system, 100).columns) == len(grid(system, 80).columns) == len(system.head)
    assert "\n" not in str(list(grid(system, 100).columns[1].cells)[0])
    assert "\n" in str(list(grid(system, 80).columns[1].cells)[0])
    assert len(grid(system, 40).columns) < len(system.head)


def test_unknown_numbers_are_dashes(results):
    timing = dict.fromkeys(results.summary["timing"])
    system = {
        h: {**loss, "var_99_hi": None, "exposure": None} for h, loss in results.summary["system"].items()
    }
    assert "–]" in printed(with_summary(results, timing=timing, system=system))


def test_a_folder_is_read_and_printed(folder, results, capsys):
    print_summary(folder)
    assert capsys.readouterr().out == rendered(results, WIDTH)

"""The page: self-contained, its numbers those of the summary, and written for any world."""

import base64
import dataclasses
import gzip
import html
import json
import re
import types

import equinox as eqx
import jax
import numpy as np
import pytest

from engine.book.build import build_system
from engine.book.parameters import Parameters
from engine.paths.simulate import break_quarter, layout_of
from engine.report import style, words
from engine.report.html import TEMPLATES
from engine.report.page import page, sections, write_page
from engine.results.folder import read_results
from engine.results.write import write_results
from tests.small_run import chosen, tally_of


@pytest.fixture(scope="module")
def document(folder):
    """The page's text."""
    return (folder / "report.html").read_text(encoding="utf-8")


def visible(document):
    """Text of the page without styles, scripts and tags."""
    document = re.sub(r"<(script|style).*?</\1>", " ", document, flags=re.S)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", document)))


def charts_of(document):
    """The figures of the page by name."""
    found = re.search(r'<script type="application/json" id="charts">(.*?)</script>', document, re.S)
    return json.loads(found.group(1))


def test_nothing_is_loaded_from_elsewhere(document):
    assert not re.findall(r"""(?:src|href|action|data)\s*=\s*["']?(?:https?:)?//""", document)
    assert not re.findall(r"url\(|@import|<link|<iframe|<img", document)
    assert re.findall(r'href="([^"]+)"', document) and all(
        link.startswith("#") for link in re.findall(r'href="([^"]+)"', document)
    )
    assert "default-src 'none'" in document
    assert not re.search(r"https?://", visible(document) + json.dumps(charts_of(document)))


def test_plotly_is_embedded_once_and_unpacks(document):
    packed = re.findall(
        r'<script type="application/octet-stream" id="plotly-packed">(.*?)</script>', document, re.S
    )
    assert len(packed) == 1
    assert b"Plotly" in gzip.decompress(base64.b64decode(packed[0]))[:100_000]
    assert len(document) < 4e6


def test_every_chart_has_one_holder_and_titled_axes(document):
    charts = charts_of(document)
    holders = re.findall(r'<div class="chart" id="chart-([^"]+)"', document)
    assert sorted(holders) == sorted(charts) and len(charts) >= 15
    for name, chart in charts.items():
        assert chart["data"], name
        layout = chart["layout"]
        without = name == "grades" or chart["data"][0]["type"] == "sankey"
        assert without or layout["xaxis"].get("title", {}).get("text"), name


def test_no_name_is_given_twice(document):
    """A chart is drawn into the first holder of its name: a section of that name would take it."""
    names = re.findall(r' id="([^"]+)"', document)
    assert len(names) == len(set(names))


def test_links_lead_to_sections(document):
    for target in re.findall(r'href="#([^"]+)"', document):
        assert f'<section id="{target}">' in document or f'<main id="{target}"' in document


def test_the_headline_is_the_summary(document, results):
    loss = results.system("3y")
    headline = re.search(r"<h1>(.*?)</h1>", document).group(1)
    assert (
        f"{words.amount(loss['es_99'])} ± {words.error(loss['es_99_se'], loss['es_99'])} billion" in headline
    )
    assert "three years" in headline


def test_the_tables_are_the_summary(document, results):
    said = visible(document)
    for horizon in results.horizons:
        loss = results.system(horizon)
        value, low, high = (words.amount(loss[f"var_99{end}"]) for end in ("", "_lo", "_hi"))
        assert f"{value} [{low}–{high}]" in said
        assert f"{words.amount(loss['es_99'])} ± {words.error(loss['es_99_se'], loss['es_99'])}" in said
    worst = max(results.summary["lenders"].items(), key=lambda item: item[1]["3y"]["es_99"])
    assert f"{words.amount(worst[1]['3y']['es_99'])} ± " in said
    assert words.share(results.summary["firms"]["XAI"]["pd_3y"]) in said


def test_bearers_have_the_book_s_names_everywhere(results):
    tables = {table.name: table for _, section in sections(results) for table in section.tables}
    names = set(results.losses("bearer", results.last)["name"])
    shown = {line[1].text for line in tables["systemic_classes"].rows if line[0].text == "Final bearers"}
    assert shown and shown <= names


def test_the_tail_is_marked_in_red(document, results):
    loss = results.system("3y")
    bars = charts_of(document)["histogram"]["data"][0]["marker"]["color"]
    assert style.RED in bars and bars.index(style.RED) > 0.5 * loss["var_99"] / 10.0
    marks = [trace for trace in charts_of(document)["exceedance"]["data"] if trace["mode"] == "markers"]
    assert [trace["x"][0] for trace in marks] == pytest.approx([loss["var_99"], loss["es_99"]])


def test_measures_of_few_paths_are_starred_like_the_loss(results):
    """The fixture's 95% tail has few paths: MES, CoVaR and importance rest on no more than ES 95% does."""
    system = {table.name: table for _, section in sections(results) for table in section.tables}["systemic"]
    few = not results.system(results.last)["resolved_95"]
    mes, covar = system.head.index("MES"), system.head.index("CoVaR")
    assert all(cells[mes].detail.endswith("*") == few for cells in system.rows)
    resolved = results.tables["distress"].set_index(["level", "name"])["covar_resolved"]
    for cells in system.rows:
        assert cells[covar].detail.endswith("*") != resolved[0.95, cells[0].text]
    assert not resolved.any() and system.marked  # 0.25% of the paths lie beyond CoVaR 95%


def test_the_marks_of_the_exceedance_are_told_apart(results):
    charts = {chart.name: chart for _, section in sections(results) for chart in section.charts}
    loss = results.system(results.last)
    chart = charts["exceedance"]
    assert f"ES 99%, {words.amount(loss['es_99'])} bn, the mean loss of that 1%" in chart.alternative
    assert not any("ES" in name for name in chart.table.head)


def test_provenance_warnings_and_limits_are_on_the_page(document, results):
    said = visible(document)
    summary = results.summary
    for part in (summary["book_hash"], summary["config_hash"], f"jax {jax.__version__}", "pseudo_random"):
        assert part in said
    assert "What these numbers do not cover" in said
    assert results.summary["warnings"] and all(warning in said for warning in results.summary["warnings"])


def test_text_from_the_book_is_escaped(results):
    table = results.tables["losses"].copy()
    worst = results.ranked("lender", "3y", "es_99")["id"].iloc[0]
    table["name"] = table["name"].where(table["id"] != worst, "</script><script>alert(1)</script>")
    document = page(results._replace(tables={**results.tables, "losses": table}))
    assert "&lt;script&gt;alert" in document and "<script>alert" not in document


def test_flags_are_on_the_page(results):
    flagged = results.summary["flagged_paths"] | {"collateral_spiral": 3}
    changed = results._replace(summary=results.summary | {"flagged_paths": flagged})
    assert "collateral spiral 3" in visible(page(changed))


def test_a_name_is_escaped_exactly_once(results):
    table = results.tables["losses"].copy()
    worst = results.ranked("lender", results.last, "es_99")["id"].iloc[0]
    table["name"] = table["name"].where(table["id"] != worst, "<b>A&B</b>")
    document = page(results._replace(tables={**results.tables, "losses": table}))
    markup, _, data = document.partition('<script type="application/octet-stream"')
    assert "&lt;b&gt;A&amp;B&lt;/b&gt;" in markup
    assert (
        not re.search("<b>A(&|&amp;)B", document)
        and "&amp;amp;" not in document
        and "&amp;lt;" not in document
    )
    drawn = charts_of(data)["lenders"]["data"]
    assert any("&lt;b&gt;A&amp;B&lt;/b&gt;" in trace["y"] for trace in drawn), "Plotly reads markup too"


def strings_of(value, name=""):
    """Every string of a chart with the name it stands under."""
    if isinstance(value, dict):
        return [pair for key, item in value.items() for pair in strings_of(item, key)]
    if isinstance(value, list):
        return [pair for item in value for pair in strings_of(item, name)]
    return [(name, value)] if isinstance(value, str) else []


def test_no_text_of_a_book_is_markup_to_plotly(results):
    """Every text of every table is a link to elsewhere; no chart has a tag that is not the templates' own."""
    tables = {
        name: table.assign(**{
            column: "<a href='https://x.test'>" + table[column].astype(str)
            for column in ("name", "label") if column in table
        })
        for name, table in results.tables.items()
    }  # fmt: skip
    strings = strings_of(charts_of(page(results._replace(tables=tables))))
    assert sum("&lt;a href" in text for _, text in strings) > 20
    tags = {tag for name, text in strings for tag in re.findall(r"<[^>]*>?", text)}
    assert tags and tags <= {"<b>", "</b>", "<br>", "<extra>", "</extra>"}
    assert {name for name, text in strings if "<" in text} == {"hovertemplate"}


def test_doubts_stand_at_the_head_with_the_exit_code(results):
    doubt = "0.20% of paths are flagged lender_clearing"
    document = page(results._replace(summary={**results.summary, "doubts": [doubt]}))
    head = visible(document[: document.index("<nav")])
    assert "Read with care" in head and "exit code 4" in head and doubt in head
    quiet = page(results._replace(summary={**results.summary, "warnings": []}))
    assert "Read with care" not in quiet and "exit code" not in visible(quiet)


def test_contents_and_sections_are_one_list(document):
    links = re.findall(r'<a href="#([^"]+)"', document)
    assert links == re.findall(r'<section id="([^"]+)"', document) and "policy" not in links


def test_the_page_has_every_table_and_chart_of_its_sections(document, results):
    parts = [section for _, section in sections(results)]
    names = [chart.name for section in parts for chart in section.charts]
    assert names == re.findall(r'id="chart-([^"]+)"', document)
    assert document.count("<table>") == sum(len(section.tables) for section in parts) + len(names)


def test_style_and_script_are_those_of_the_template_files(document):
    for name in ("report.css", "report.js"):
        assert (TEMPLATES / name).read_text(encoding="utf-8").strip() in document


@pytest.fixture
def quiet(run, tmp_path):
    """A run of one year in which nobody defaults, on a book without ratings or history."""
    tables = dict(run.book.tables)
    tables["history"] = tables["history"][:0]
    tables["firms"] = tables["firms"].assign(rating="", cds_bps=np.nan)
    book = dataclasses.replace(run.book, tables=types.MappingProxyType(tables))
    system = build_system(book, Parameters(), 12)
    paths = chosen(run.outcome, slice(0, 64))
    paths = eqx.tree_at(
        lambda each: (each.losses, each.components, each.default_month, each.cause, each.trace, each.group),
        paths,
        (0 * paths.losses[:1], 0 * paths.components[:1], 0 * paths.default_month, 0 * paths.cause)
        + (paths.trace[:12], break_quarter(paths.trace[:12, run.layout.series.index("regime")])),
    )
    write_results(tmp_path, tally_of(layout_of(system), [paths]), system, book, run.provenance)
    return tmp_path


def test_a_run_without_a_loss_still_makes_a_page(quiet):
    said = visible(write_page(quiet).read_text(encoding="utf-8"))
    assert "lose 0 ± 0 billion dollars within one year" in said
    assert "No borrower defaults in this run." in said and "nan" not in said.lower().split()
    assert read_results(quiet).summary["system"]["1y"]["es_99"] == 0.0

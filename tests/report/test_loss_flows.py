"""The diagram of losses: its links are the table's, in both shapes, and its totals those of the run."""

import re

import pytest

from engine.report.reading import flows_of
from engine.report.sections.loss_flows import LEAST, flows, node_names, rows_of
from engine.results.loss_flows import LENDERS


@pytest.fixture(scope="module")
def choice(results):
    """The diagram in both states."""
    return flows(results)[0]


@pytest.mark.parametrize(("place", "paths", "measure"), [(0, "all", "el"), (1, "worst", "es_99")])
def test_links_are_those_of_the_table_and_add_up_to_the_loss(results, choice, place, paths, measure):
    chart, rows = choice.charts[place], rows_of(results, paths)
    loss = results.system(results.last)[measure]
    thick, names = rows[rows["loss"] > LEAST * loss], node_names(results, rows)
    links = {
        (names[line["source"]], names[line["target"]], round(line["loss"], 6))
        for line in thick.to_dict("records")
    }
    for figure in (chart.figure, chart.narrow):
        read = {(flow.source, flow.target, round(flow.value, 6)) for flow in flows_of(figure)}
        assert read == links and len(links) > 20
    borrowers = rows[rows["source"].str.startswith("borrower:")]["loss"].sum()
    assert borrowers == pytest.approx(loss, rel=1e-4)
    assert len(chart.table.rows) == len(rows) and sum(
        cells[2].value for cells in chart.table.rows if cells[0].text in borrower_names(rows, names)
    ) >= borrowers * (1.0 - 1e-9)


def borrower_names(rows, names):
    """Names of the nodes at the left."""
    return {names[node] for node in rows["source"] if node.startswith("borrower:")}


def test_nodes_stand_within_the_diagram_and_in_columns(choice):
    for chart in choice.charts:
        node = chart.figure.data[0].node
        assert all(0.0 < place < 1.0 for place in (*node.x, *node.y))
        columns = {}
        for x, y in zip(node.x, node.y, strict=True):
            columns.setdefault(x, []).append(y)
        assert len(columns) >= 5 and all(column == sorted(column) for column in columns.values())


def test_the_largest_stages_have_titles_and_every_outer_node_a_name(choice):
    texts = [annotation.text for annotation in choice.charts[0].figure.layout.annotations]
    assert {"Borrowers", "Instruments", "Funds", "Lenders", "Final bearers"} <= set(texts)
    node = choice.charts[0].figure.data[0].node
    outer = [name for name, label in zip(node.customdata, node.label, strict=True) if not label]
    assert outer and all(any(text.startswith(name) for text in texts) for name in outer)


def test_what_is_not_determined_is_said(results):
    table = results.tables["loss_flows"]
    open_ = table.assign(source=table["source"].where(~table["source"].str.startswith("lenders:"), LENDERS))
    remark = flows(results._replace(tables={**results.tables, "loss_flows": open_}))[1].text
    assert "does not determine which class of lenders" in remark
    assert "does not determine" not in flows(results)[1].text


def test_no_diagram_without_flows(results):
    table = results.tables["loss_flows"]
    assert flows(results._replace(tables={**results.tables, "loss_flows": table[:0]})) == ()
    older = {name: each for name, each in results.tables.items() if name != "loss_flows"}
    assert flows(results._replace(tables=older)) == ()


def test_the_page_lets_the_reader_choose_the_state(folder):
    document = (folder / "report.html").read_text(encoding="utf-8")
    assert document.count('type="radio" name="flows"') == 2
    assert re.findall(r'data-state="(flows-\w+)"( hidden)?', document) == [
        ("flows-all", ""), ("flows-worst", " hidden"),
    ]  # fmt: skip

"""The way of a loss: from kinds of borrowers through instruments, funds and lenders to final bearers."""

import pandas as pd

from engine.report import style, words
from engine.report.sankey import Stage, stacked, whole
from engine.report.section import Chart, Choice, Part, note
from engine.report.table import Table, amount, row
from engine.results.folder import Results
from engine.results.horizons import horizon_years
from engine.results.loss_flows import COST, FUNDS, LENDERS, SECURITISED

STAGES = (
    Stage("borrower:", "Borrowers", style.RED, 0.0),
    Stage("instrument:", "Instruments", style.AMBER, 0.15),
    Stage(COST, "Bankruptcies", style.MUTED, 0.34, 0.0),
    Stage("seller:", "Lenders that sold", style.BLUE, 0.452, 1.0),
    Stage(FUNDS, "Funds", style.PLUM, 0.455),
    Stage("lenders:", "Lenders", style.BLUE, 0.63),
    Stage(LENDERS, "Together", style.BLUE, 0.86),
    Stage("bearer:", "Final bearers", style.TEAL, 1.0),
)
"""From left to right; a class of lenders that sold more paper than its funds lost stands before them."""

STATES = {"all": "Expected loss", "worst": "Worst 1% of paths"}

LEAST = 2e-3
"""Share of the whole loss below which a flow is too thin to be drawn; the table has it."""

TITLE = "From borrowers to final bearers"


def flows(results: Results) -> tuple[Part, ...]:
    """The diagram over all paths and over the worst, and what it leaves out; nothing without flows."""
    if "loss_flows" not in results.tables:
        return ()
    charts = tuple(each for paths in STATES if (each := chart(results, paths)) and each.worth_drawing)
    if len(charts) < len(STATES):
        return ()
    return Choice("flows", TITLE, charts, tuple(STATES.values())), note(remark(results))


def rows_of(results: Results, paths: str) -> pd.DataFrame:
    """Flows of the last horizon over some paths, sellers of paper with a name of their own."""
    table = results.tables["loss_flows"]
    rows = table[(table["horizon"] == results.last) & (table["paths"] == paths)]
    whole_loss = rows[rows["source"].str.startswith("borrower:")]["loss"].sum()
    sold = rows[(rows["target"] == FUNDS) & (rows["loss"] > LEAST * whole_loss)]["source"]
    sellers = [node for node in sold if node.startswith("lenders:")]
    rename = {node: node.replace("lenders:", "seller:", 1) for node in sellers}
    return rows.assign(source=rows["source"].replace(rename), target=rows["target"].replace(rename))


def chart(results: Results, paths: str) -> Chart | None:
    """The diagram over some paths; none where nothing is lost."""
    rows = rows_of(results, paths)
    if rows.empty:
        return None
    names, total = (
        node_names(results, rows),
        rows.loc[rows["source"].str.startswith("borrower:"), "loss"].sum(),
    )
    thick = rows[rows["loss"] > LEAST * total]
    caption = (
        f"{results.unit} over {horizon_years(results.last)}; {words.amount(total)} {results.short} enter on "
        "the left and leave on the right."
    )
    title = f"{TITLE}: {words.lower_first(STATES[paths])}"
    wide, narrow = (draw(thick, names, STAGES, results.short) for draw in (whole, stacked))
    return Chart(
        f"flows-{paths}", wide, title, caption, narrow, numbers=table(rows, names, paths, results.unit)
    )


def table(rows: pd.DataFrame, names: dict[str, str], paths: str, unit: str) -> Table:
    """Every flow, those too thin to be drawn as well."""
    cells = tuple(
        row(names[line["source"]], names[line["target"]], amount(line["loss"]))
        for line in rows.to_dict("records")
    )
    title = f"Flows of the loss: {words.lower_first(STATES[paths])}"
    return Table(f"numbers-flows-{paths}", title, ("From", "To", "Loss"), cells, "", unit, words=2)


def node_names(results: Results, rows: pd.DataFrame) -> dict[str, str]:
    """A reader's name of every node."""
    own = {
        FUNDS: "Funds", COST: "Cost of bankruptcies", LENDERS: "Lenders together",
        SECURITISED: "Securitised pools",
    }  # fmt: skip
    bearers = results.losses("bearer", results.last).set_index("id")["name"]
    by_kind = {
        "borrower": words.kind_name, "instrument": results.about.class_name, "lenders": words.class_name,
        "seller": words.class_name, "bearer": lambda key: bearers.get(key, key),
    }  # fmt: skip
    nodes = dict.fromkeys([*rows["source"], *rows["target"]])
    return {node: own.get(node) or by_kind[node.partition(":")[0]](node.partition(":")[2]) for node in nodes}


def remark(results: Results) -> str:
    """How the flows were had, and what is not told apart."""
    open_ended = results.tables["loss_flows"]["source"].eq(LENDERS).any()
    last = (
        " What the run counts does not determine which class of lenders a bearer's loss comes from, so they "
        "flow together."
        if open_ended
        else ""
    )
    return (
        "What flows into a node flows out of it. The loss of an instrument falls on those who hold it at the "
        "start; what a class of lenders loses besides comes from its claims on funds and from paper that it "
        "bought during the run, net of what it sold, and is drawn from the funds. Borrowers without a name "
        f"count under the business they are in.{last} Flows below {words.share(LEAST)} of the whole are in "
        "the table only."
    )

"""Parts of the page on what hangs together in the tail, and on how far the tail may be wrong."""

from engine.report import words
from engine.report.folder import Results
from engine.report.markup import between, paragraph, table
from engine.report.words import amount, class_name

LEVEL = 0.95
"""Level of the system's VaR given a lender's: beyond 99% of 1% of the paths there is little to count."""


def distress(results: Results, count: int = 12) -> str:
    """The lenders whose distress goes with the greatest system losses."""
    rows = results.tables["distress"]
    rows = rows[(rows["horizon"] == results.last) & (rows["level"] == LEVEL)].dropna()
    if rows.empty:
        return ""
    cells = [
        (row["name"], class_name(row["class"]), between(row["covar"], row["covar_lo"], row["covar_hi"]),
         amount(row["delta_covar"]), amount(row["mes"]))
        for row in rows.sort_values("delta_covar", ascending=False).head(count).to_dict("records")
    ]  # fmt: skip
    head = (
        "Lender in its worst 5%", "Class", "System VaR 95% then (CoVaR)", "More than in its calm half",
        "Its loss in the system's worst 5%",
    )  # fmt: skip
    note = (
        "Left to right: the loss the whole system exceeds in 5% of the paths on which this lender is among "
        "its own worst 5%, with its 95% interval; how much that is above the same measure on the paths where "
        "the lender loses no more than its median (DeltaCoVaR); and what the lender loses on average in the "
        "system's worst 5% of paths. That they move together says nothing about which pulls the other."
    )
    return "<h3>Whose distress is everybody's</h3>" + table(head, cells, 2) + paragraph(note, "note")


def model_risk(results: Results) -> str:
    """Worst VaR and ES if the law of the losses is wrong by a given relative entropy."""
    rows = results.tables["worst_case"]
    rows = rows[(rows["horizon"] == results.last) & (rows["level"] == 0.99)].to_dict("records")
    cells = [
        ("as simulated" if row["radius"] == 0.0 else f"{row['radius']:g}", amount(row["mean"]),
         *(amount(row[key]) + ("" if row["simulated"] else " or more") for key in ("var", "es")))
        for row in rows
    ]  # fmt: skip
    note = (
        f"{words.horizon_years(results.last)}: the worst each measure can be over all laws of the loss "
        "within a relative entropy of the simulated one (Glasserman and Xu 2014). The smaller the entropy r, "
        "the longer two laws go unnoticed: it takes about 3/r independent histories to tell them apart at "
        "odds of twenty to one. “Or more” where the worst law asks for losses beyond the largest simulated."
    )
    head = ("Relative entropy, nats", "Expected", "VaR 99%", "ES 99%")
    return "<h3>If the model is a little wrong</h3>" + table(head, cells) + paragraph(note, "note")

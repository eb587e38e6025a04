"""The part of the page on how far the tail may be wrong."""

from engine.report import words
from engine.report.folder import Results
from engine.report.markup import paragraph, table
from engine.report.words import amount


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

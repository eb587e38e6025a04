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


def far_tail(results: Results) -> str:
    """VaR and ES far out, and what importance sampling has gained; nothing where paths weigh alike."""
    sampler = results.summary["sampler"]
    if not sampler.get("learning") or "deep_tail" not in results.tables:
        return ""
    rows = results.tables["deep_tail"]
    rows = rows[rows["horizon"] == results.last].to_dict("records")
    cells = [
        (f"{row['level']:.4%}".rstrip("0%").rstrip(".") + "%",
         f"{amount(row['var'])} [{amount(row['var_lo'])}–{amount(row['var_hi'])}]",
         f"{amount(row['es'])} ± {words.error(row['es_se'], row['es'])}",
         f"{row['effective']:,.0f}", f"{row['p_reduction']:,.0f}", f"{row['es_reduction']:,.0f}")
        for row in rows
    ]  # fmt: skip
    learning = sampler["learning"]
    note = (
        f"{words.horizon_years(results.last)}, USD bn. Paths are drawn where the tail is made and weighed by "
        "how much likelier that has made them. The last two columns say how many plain paths one of them is "
        "worth, for the probability of the tail and for its expected shortfall, measured on this run. The "
        f"law was learned from {learning['paths']:,} further paths in {words.seconds(learning['seconds'])}."
    )
    head = ("Level", "VaR [95%]", "ES ± error", "Effective paths", "Worth, probability", "Worth, ES")
    return "<h3>The far tail</h3>" + table(head, cells) + paragraph(note, "note")

"""How far the tail may be wrong: measures far out, and the worst case near the simulated distribution."""

from engine.report import words
from engine.report.section import Heading, Part
from engine.report.table import Cell, Table, amount, interval, measured, number, row
from engine.results.folder import Results
from engine.results.horizons import horizon_years

LEVEL = 0.99
"""Level of the worst cases that are shown."""


def far_tail(results: Results) -> tuple[Part, ...]:
    """VaR and ES far out with the gain from importance sampling; none where paths weigh alike."""
    if not results.summary["sampler"].get("learning") or "deep_tail" not in results.tables:
        return ()
    return Heading("The far tail"), far_tail_table(results)


def far_tail_table(results: Results) -> Table:
    """VaR and ES by level, and how many plain paths one weighted path is worth."""
    levels = results.tables["deep_tail"]
    rows = tuple(
        row(
            f"{level['level']:.4%}".rstrip("0%").rstrip(".") + "%",
            interval(level["var"], level["var_lo"], level["var_hi"]), measured(level["es"], level["es_se"]),
            number(level["effective"], ",.0f"), number(level["p_reduction"], ",.0f"),
            number(level["es_reduction"], ",.0f"),
        )
        for level in levels[levels["horizon"] == results.last].to_dict("records")
    )  # fmt: skip
    learning = results.summary["sampler"]["learning"]
    text = (
        "Importance sampling simulates one of several economies for every path, the costly ones rather, and "
        "weights the path for that choice. The last two columns are the number of plain paths that one such "
        "path is worth, measured on this run: for the probability of the tail and for its shortfall. "
        f"What economies cost was learned from {learning['paths']:,} additional paths in "
        f"{words.seconds(learning['seconds'])}."
    )
    head = ("Level", "VaR", "ES", "Effective paths", "Worth, probability", "Worth, ES")
    title = f"Far tail, {horizon_years(results.last)}"
    return Table("deep_tail", title, head, rows, text, results.unit)


def model_risk(results: Results) -> tuple[Part, ...]:
    """Worst VaR and ES if the distribution of losses is wrong by a given relative entropy."""
    return Heading("If the model is a little wrong"), worst_case_table(results)


def worst_case_table(results: Results) -> Table:
    """Worst mean, VaR and ES by distance from the simulated distribution."""
    cases = results.tables["worst_case"]
    cases = cases[(cases["horizon"] == results.last) & (cases["level"] == LEVEL)].to_dict("records")
    rows = tuple(
        row(
            "as simulated" if case["radius"] == 0.0 else f"{case['radius']:g}", amount(case["mean"]),
            at_least(case["var"], case["simulated"]), at_least(case["es"], case["simulated"]),
        )
        for case in cases
    )  # fmt: skip
    text = (
        "The largest value of each measure over all loss distributions within a relative entropy r of the "
        "simulated one (Glasserman and Xu 2014). The smaller r, the harder the two are to tell apart: that "
        "takes about 3/r independent histories at odds of twenty to one. “Or more”: the worst distribution "
        "would need losses larger than any simulated path."
    )
    head = ("Relative entropy, nats", "Expected", "VaR 99%", "ES 99%")
    title = f"Worst case near the simulated distribution, {horizon_years(results.last)}"
    return Table("worst_case", title, head, rows, text, results.unit)


def at_least(value: float, simulated: bool) -> Cell:
    """An amount, marked where the simulated losses only bound it from below."""
    return Cell(words.amount(value) + ("" if simulated else " or more"), "amount", value)

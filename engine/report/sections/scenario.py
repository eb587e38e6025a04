"""The section on a scenario given as paths: what became of each column, the tails with it and without."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from engine.book.about import About
from engine.report import words
from engine.report.section import Part, Section, finding, note
from engine.report.sections.losses import shortfall, value_at_risk
from engine.report.table import Cell, Table, measured, number, row, share
from engine.results.folder import Results
from engine.results.horizons import horizon_years

FACTOR_NAMES = {
    "rates": "Short rate",
    "credit": "Spread index",
    "equity": "AI equity index",
    "power": "Power cost index",
    "demand": "AI revenue, USD bn/yr",
    "regime": "Regime",
}
USES = {"given": "given", "part": "enters another", "unused": "not used"}
RARE = 4.0
"""Standard deviations beyond which a shock is called out: 1 in 16,000."""
LENDERS = 8


def scenario(results: Results) -> Section:
    """Both tails, the columns, and what the economy is given."""
    entry = results.summary["scenario_path"]
    columns = results.tables["scenario_columns"]
    parts: list[Part] = [finding(effect(results))]
    parts += [note(text) for text in (*entry.get("notes", []), *warnings_of(columns, results.about))]
    parts += [both_tails_table(results), *lenders_table(results)]
    parts += [columns_of(columns, span(entry)), path_table(results)]
    return Section("scenario", "What the scenario does", tuple(parts))


def span(entry: Mapping[str, Any]) -> str:
    """The file and its dates."""
    return titled(entry["file"], entry["first"], entry["last"])


def titled(file: str, first: str, last: str) -> str:
    """A file's name in words that a narrow page can break, and its dates."""
    return f"{file.removesuffix('.csv').replace('_', ' ')}, {first} to {last}"


def effect(results: Results) -> str:
    """Both ES 99% in a sentence, and what the regimes make of the scenario."""
    entry = results.summary["scenario_path"]
    loss = results.system(results.last)
    given = words.measured(loss["es_99"], loss["es_99_se"])
    unit, span = results.short, horizon_years(results.last)
    text = f"On paths that follow the scenario, ES 99% over {span} is {given} {unit}"
    if "free" in entry:
        free = entry["free"][results.last]
        text += f", against {words.measured(free['es_99'], free['es_99_se'])} {unit} without it"
    if not entry["columns"]["given"]:
        return f"No column of the scenario is a factor of the model: the run is the one without it. {text}."
    end = entry["regimes_at_end"]
    names = ", ".join(f"{words.share(end[f'p_{name}'])} {name}" for name in ("boom", "plateau", "bust"))
    return f"{text}. At the scenario's end the economy is in: {names}."


def warnings_of(columns: pd.DataFrame, about: About) -> list[str]:
    """Shocks that the model itself would hardly ever draw, and a scenario that gives nothing."""
    warnings = []
    for _, column in columns[columns["use"] == "given"].iterrows():
        if abs(column["shock"]) > RARE:
            year, month = about.calendar_month(int(column["shock_month"]))
            size = f"a shock of {column['shock']:+.1f} standard deviations"
            warnings.append(
                f"{column['column']}: by {year}-{month:02d} it asks for {size}; the model would hardly ever "
                "draw it"
            )
    if not (columns["use"] == "given").any():
        warnings.append("no column of the scenario is a factor of the model: the paths are those without it")
    return warnings


def both_tails_table(results: Results) -> Table:
    """The system's loss with the scenario and without it, by horizon."""
    head = ("Horizon", "Paths", "Expected", "VaR 99%", "ES 95%", "ES 99%", "ES 99.9%")
    rows = []
    for horizon in results.horizons:
        cases = {"follow the scenario": results.system(horizon)}
        if "free" in results.summary["scenario_path"]:
            cases["without it"] = results.summary["scenario_path"]["free"][horizon]
        for name, loss in cases.items():
            rows.append(row(
                horizon_years(horizon), name, measured(loss["el"], loss["el_se"]), value_at_risk(loss, "99"),
                *(shortfall(loss, level) for level in ("95", "99", "99_9")),
            ))  # fmt: skip
    text = (
        "± is one standard error of each row, brackets are 95% intervals. Both rows share every draw that "
        "the scenario leaves free, so their difference is known better than the errors suggest."
    )
    return Table(
        "scenario_tails", "System loss with the scenario and without", head, tuple(rows), text, results.unit,
        words=2, brief_columns=(0, 1, 2, 3, 5),
    )  # fmt: skip


def lenders_table(results: Results) -> tuple[Table, ...]:
    """The lenders with the greatest ES 99% under the scenario, with it and without."""
    free = results.tables.get("losses_free")
    if free is None:
        return ()
    without = free[free["horizon"] == results.last].set_index("column")
    rows = []
    for lender in results.ranked("lender", results.last, "es_99").head(LENDERS).to_dict("records"):
        other = without.loc[lender["column"]]
        rows.append(row(
            lender["name"], measured(lender["el"], lender["el_se"]), measured(other["el"], other["el_se"]),
            shortfall(lender, "99"), shortfall(other.to_dict(), "99"),
        ))  # fmt: skip
    head = ("Lender", "Expected", "Expected without", "ES 99%", "ES 99% without")
    title = f"Lenders with the scenario and without, {horizon_years(results.last)}"
    return (Table("scenario_lenders", title, head, tuple(rows), "", results.unit),)


def columns_of(columns: pd.DataFrame, title: str) -> Table:
    """Every column of the file: what it is to the model, its values there, and why it is not used."""
    rows = []
    order = columns["use"].map(list(USES).index)
    for _, column in columns.loc[order.sort_values(kind="stable").index].iterrows():
        factor = FACTOR_NAMES.get(column["factor"], "–") if column["use"] == "given" else "–"
        values = [value(column[name], column["factor"]) for name in ("first", "lowest", "highest", "last")]
        shock = number(column["shock"], "+.1f")
        rows.append(row(column["column"], USES[column["use"]], factor, column["why"], *values, shock))
    head = ("Column", "Use", "Factor", "Reason", "First", "Lowest", "Highest", "Last", "Largest shock, sd")
    text = (
        "Values are the model's own: a rate in percent, an index that is 1 at the book's date. A shock is "
        "what a period brings less what the model expects after the one before, in its standard deviations."
    )
    return Table(
        "scenario_columns", f"Columns of {title}", head, tuple(rows), text, words=4,
        brief_columns=(0, 2, 4, 5, 6, 7, 8),
    )  # fmt: skip


def unused_of(columns: pd.DataFrame) -> list[str]:
    """Columns that no factor takes, by the reason."""
    rest = columns[columns["use"] != "given"]
    return [
        f"{', '.join(names)}: {USES[str(use)]}; {why}"
        for (use, why), names in rest.groupby(["use", "why"], sort=False)["column"]
    ]


def value(amount: float, factor: str) -> Cell:
    """A value of a factor as a reader knows it."""
    if math.isnan(amount):
        return Cell("–", "number")
    if factor == "rates":
        return share(amount)
    if factor == "regime":
        return Cell(("boom", "plateau", "bust")[int(amount)])
    return number(amount, ".2f" if factor != "demand" else ",.0f")


def path_table(results: Results) -> Table:
    """What the economy is given at the end of each period, and how likely each regime is then."""
    path, about = results.tables["scenario_path"], results.about
    factors = [name for name in FACTOR_NAMES if name in path.columns]
    rows = []
    for _, period in path.iterrows():
        if all(math.isnan(period[factor]) for factor in factors):
            continue
        year, month = about.calendar_month(int(period["month"]))
        regimes = [share(period[f"p_{name}"]) for name in ("boom", "plateau", "bust")]
        rows.append(row(f"{year}-{month:02d}", *(value(period[name], name) for name in factors), *regimes))
    head = ("End of", *(FACTOR_NAMES[name] for name in factors), "P(boom)", "P(plateau)", "P(bust)")
    text = (
        "What lost credit adds to spreads and takes from revenue comes on top, path by path. Probabilities "
        "of the regimes are the model's, given all that the scenario says."
    )
    return Table("scenario_path", "What the economy is given", head, tuple(rows), text)
